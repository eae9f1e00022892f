/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "source/journal_msg.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A journal's reader, one for all jails that read the same journal. libsystemd opens the journal's
 * files itself, so it lives in a process of its own, forked by keeper, that may read the journal
 * (group systemd-journal) and has no other privilege; guard gets its entries as packets
 * (journal_msg.h).
 */

struct journal_jail {
	uint16_t id;       /* what journal_entry.jails says for it */
	const char *match; /* see journal_match.h; "" or NULL: every entry */
};

/* SD_JOURNAL_* of sd-journal.h, which is not there without libsystemd. */
enum {
	JOURNAL_LOCAL_ONLY = 1,
	JOURNAL_RUNTIME_ONLY = 2,
	JOURNAL_SYSTEM = 4,
	JOURNAL_CURRENT_USER = 8,
	JOURNAL_ALL_NAMESPACES = 32,
	JOURNAL_INCLUDE_DEFAULT_NAMESPACE = 64,
	JOURNAL_FLAGS = JOURNAL_LOCAL_ONLY | JOURNAL_RUNTIME_ONLY | JOURNAL_SYSTEM |
			JOURNAL_CURRENT_USER | JOURNAL_ALL_NAMESPACES |
			JOURNAL_INCLUDE_DEFAULT_NAMESPACE,
};

struct journal_conf {
	const struct journal_jail *jails;
	size_t n_jails;
	const char *dir;          /* the directory with its files; NULL: the machine's journal */
	const char *const *files; /* paths and globs, ended by NULL, instead; or NULL */
	const char *name_space;   /* NULL: the machine's own, without a namespace */
	int flags;                /* which files of all */
	bool ends;                /* with what is there: waits for nothing */
	bool comes_back; /* ends with -EACCES when it may not read what came: the next may */
};

/*
 * Waits for guard's start messages on fd (SOCK_SEQPACKET), then sends every entry that a jail
 * wants, what is there and what comes, waiting when guard is slow and when there is none. A journal
 * that does not exist yet is waited for; files may come, be rotated and vacuumed away meanwhile.
 * Returns 0 when guard closed its end (whatever it was doing then) or all is sent, or -errno:
 * -EINVAL for a match that cannot be read (journal_match_check tells what), -EBADMSG for a bad
 * start message, -EOPNOTSUPP when built without libsystemd, or what the library said.
 */
int journal_run(int fd, const struct journal_conf *conf);

/* Is there a journal to read in this directory: a file of it there, or in one below it? */
bool journal_available_in(const char *dir);

/* Can this match be read? 0, or -errno with *ret_error (static text). For the configuration's
 * checks. */
int journal_match_check(const char *match, const char **ret_error);
