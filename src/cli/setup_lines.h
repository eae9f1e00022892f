/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/buf.h"
#include "cli/inject_target.h"

/* What syslog daemons have to be told to send a copy to us. */

enum setup_daemon {
	SETUP_RSYSLOG,
	SETUP_SYSLOG_NG,
	SETUP_JOURNALD,
};

#define SETUP_DAEMONS 3

/* The socket to which journald forwards; there is no choice. */
#define SETUP_JOURNALD_SOCKET "/run/systemd/journal/syslog"

struct setup_want {
	enum setup_daemon daemon;
	struct inject_target to;
	const char *ca, *certificate, *key; /* for TLS; certificate and key NULL: none */
	const char *source;                 /* what syslog-ng's own configuration calls it */
};

/* "rsyslog" */
const char *setup_name(enum setup_daemon daemon);

/* The file that is ours, and the one that must include it (NULL: none has to). */
const char *setup_file(enum setup_daemon daemon);
const char *setup_main_file(enum setup_daemon daemon);

/* How it is told to read it. */
const char *setup_restart(enum setup_daemon daemon);

/*
 * Adds the file's whole text, whose first line is SETUP_MARK. Returns NULL, or why that cannot be
 * (nothing is added then).
 */
const char *setup_lines(struct buf *ret, const struct setup_want *w);

#define SETUP_MARK                                                                                 \
	"# Written by 'stockade setup syslog', which will only replace files that begin so.\n"
