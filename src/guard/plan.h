/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "config/ruleset.h"
#include "match/date.h"
#include "match/filter.h"
#include "source/journals.h"
#include "source/patterns.h"

/* One generation of the configuration, ready to run: keeper makes it, guard inherits it by fork. */
struct plan {
	struct ruleset *rs;
	struct filter **filters;      /* one a jail */
	struct date_patterns **dates; /* likewise; jails that say the same have the same one */
	struct patterns patterns;
	struct journals journals;
	struct countries *countries; /* NULL: no jail asks for any */
};

/*
 * Reads and compiles everything in confdir, and what the command line says over it (NULL: nothing).
 * 0, or -EINVAL with the reasons in f.
 */
int plan_load(
	struct plan **ret, const char *confdir, const struct overlay *overlay, struct faults *f);

/*
 * The same with these jails alone, enabled or not, to judge logs at hand: what is wrong with others
 * does not matter.
 */
int plan_load_jails(struct plan **ret, const char *confdir, const struct overlay *overlay,
	const char *const *names, size_t n, struct faults *f);

/*
 * What is wrong with how a jail reads lines that only compiling it shows: its filter's regexes and
 * dates, the entries of the journal that it wants. All faults go to f; plan_load refuses the errors
 * among them.
 */
void plan_check_jail(const struct jail *j, struct faults *f);

/* Takes NULL. */
void plan_free(struct plan *p);

/* Has the jail any use for names: in its logs, in ignoreip, of those it would ban? */
bool plan_jail_wants_names(const struct ruleset *rs, const struct jail *j);
