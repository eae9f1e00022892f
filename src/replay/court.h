/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/addr.h"
#include "config/ruleset.h"

#include <stdint.h>

/*
 * Counts failures and makes bans as guard does, by the time of the lines: a ban ends by it, and who
 * is banned is not heard of meanwhile, as his packets would have been dropped.
 */
struct court;

/* A ban that would have been made. */
struct court_ban {
	const struct jail *jail;
	struct prefix who;
	int64_t since_us, until_us; /* wall clock; COURT_FOREVER */
	unsigned failures;
	const char *rule; /* title of the rule; NULL: no rules file */
};

#define COURT_FOREVER INT64_MAX

struct court_failure {
	unsigned jail; /* its place in the ruleset */
	struct prefix who;
	int64_t time_us;
	unsigned count;
	const struct rule_head *rule; /* what stands above the regex; NULL: no rules file */
};

struct court_sums {
	uint64_t failures; /* that counted */
	uint64_t ignored;  /* of those on an allow list, or of this machine itself */
	uint64_t banned;   /* of those banned already */
	uint64_t refused;  /* of blocks wider than anybody may ban */
	uint64_t bans;
	uint64_t evicted; /* addresses that the failure table had no more room for */
	uint64_t cut;     /* bans that ended early, as there were too many */
	uint64_t no_memory;
};

typedef void court_fn(void *arg, const struct court_ban *ban);

/* own: this machine's addresses. All is borrowed. Calls fn for each ban. NULL: out of memory. */
struct court *court_new(
	const struct ruleset *rs, const struct addr *own, size_t n_own, court_fn *fn, void *arg);
void court_free(struct court *c);

/* Which country an address is of; else none is of any. */
struct countries;
void court_set_countries(struct court *c, const struct countries *countries);

void court_failure(struct court *c, const struct court_failure *f);

void court_get_sums(const struct court *c, struct court_sums *ret);
