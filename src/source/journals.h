/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/fault.h"
#include "config/ruleset.h"
#include "source/journal.h"

#define JOURNALS_MAX 32 /* each has a reader of its own */

/* The distinct journals of all jails, and which jails read each: journals are read once. */
struct journal_def {
	char *name;               /* "journal", or with what chooses another:
				     "journal[path=/var/log/journal/remote]" */
	struct journal_conf conf; /* strings borrowed from the ruleset */
	struct journal_jail *jails;
	const char **files;
	char *words;       /* what files points into */
	bool is_elsewhere; /* a directory or files by name, which may be others' than journald's: */
	char **dirs;       /* beneath these */
	size_t n_dirs;
};

struct journals {
	struct journal_def *items;
	size_t n;
};

/* 0, -EINVAL with the faults noted (options of "systemd[...]" that cannot be), or -ENOMEM. */
int journals_init(struct journals *js, const struct ruleset *rs, struct faults *f);
void journals_done(struct journals *js);

/* What is wrong with where a jail says its journal is. */
void journals_check_jail(const struct jail *j, struct faults *f);
