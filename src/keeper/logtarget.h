/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/log.h"
#include "config/ruleset.h"

#include <sys/types.h>

/* Where the program's own log goes: fail2ban's logtarget, in its line format. */
struct logtarget;

/*
 * target: STDERR, STDOUT, SYSOUT (no time), SYSLOG, SYSTEMD-JOURNAL, or a file's path; socket:
 * "auto" or where syslog listens; brief: lines of a file or terminal have no more than time and
 * text. Returns 0, or -errno when the file cannot be opened.
 */
int logtarget_open(struct logtarget **ret, const char *target, const char *socket, bool brief);

/* Takes NULL. */
void logtarget_close(struct logtarget *t);

/* Opens the file anew, for log rotation. 0 or -errno; on an error the old one goes on. */
int logtarget_reopen(struct logtarget *t);

/*
 * One line from process pid. component is "keeper", "actions" and so on; text is escaped already.
 * Lines for a file or terminal wait for logtarget_flush.
 */
void logtarget_write(struct logtarget *t, const char *component, pid_t pid, enum log_level level,
	const char *text, size_t len);

/* Writes what waits. */
void logtarget_flush(struct logtarget *t);
