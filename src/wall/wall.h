/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/prefixset.h"
#include "config/ruleset.h"

/*
 * What stands between the attackers and the services. A back end is a const table of functions;
 * every operation takes an array, so that one transaction carries many bans. keeper alone calls it.
 */

struct wall_elem {
	uint16_t jail;           /* index in the ruleset's jails */
	struct prefix prefix;    /* len 128: a single host, else a prefix ban */
	uint64_t timeout_ms;     /* time left; 0: for ever */
	uint64_t packets, bytes; /* dropped so far (dump and look) */
	bool there;              /* is it in the kernel? (look) */
	bool fresh;              /* the caller knows of none there, so do not ask first (ban) */
};

struct wall_stats {
	bool healthy;          /* the table stands as it should, as far as last seen */
	uint64_t transactions; /* committed */
	uint64_t banned;       /* elements put in since start */
	uint64_t repairs;      /* times somebody else's change was undone */
	uint64_t failures;     /* transactions the kernel refused */
	char last_error[160];  /* "" if none */
};

struct wall; /* back end's own */

/* Called by dump for each run of elements; returning <0 stops it. */
typedef int wall_dump_fn(void *arg, const struct wall_elem *elems, size_t n);

struct wall_ops {
	const char *name;

	/*
	 * Connects and brings the kernel's table to the ruleset in one transaction: chain and rules
	 * anew, sets that already stand keep their elements and counters, sets of jails that are
	 * gone go. The ruleset must outlive it or be replaced by set_up. *ret_error (static text)
	 * says what to do when the kernel cannot. Returns 0 or -errno (-EPERM, -EOPNOTSUPP, ...).
	 */
	int (*open)(struct wall **ret, const struct ruleset *rs, const char **ret_error);

	/*
	 * The same on an open wall: for a new ruleset (reload) or after somebody's flush. The wall
	 * goes by rs from then on, also when the kernel refused; only after -ENOMEM it still goes
	 * by the old one.
	 */
	int (*set_up)(struct wall *w, const struct ruleset *rs);

	/*
	 * Bans all of them in as few transactions as the kernel takes (one, up to some 16,000). One
	 * that is banned already gets the new timeout, longer or shorter, and keeps its counters;
	 * of several for one address the last counts. Times left count from the call. Less than a
	 * second's difference ten minutes and more ahead is left as it is. If the table is gone
	 * (ENOENT) it is set up again first, and the next notice returns 1. Returns 0 or -errno; on
	 * an error none of the failed transaction's elements is in. Jails that only shadow are
	 * passed over.
	 */
	int (*ban)(struct wall *w, const struct wall_elem *elems, size_t n);

	/* Takes bans away; those that are not there are no error. */
	int (*unban)(struct wall *w, const struct wall_elem *elems, size_t n);

	/*
	 * What the kernel has of these: fills in there, time left and counters. 3 us each, however
	 * many others there are.
	 */
	int (*look)(struct wall *w, struct wall_elem *elems, size_t n);

	/*
	 * Every element of every jail's sets, with time left and counters. One may come twice when
	 * the sets change meanwhile. The kernel takes time by the square of a set's size: 100,000
	 * half a second, a million more than a minute; fn can stop it, and look does not suffer so.
	 */
	int (*dump)(struct wall *w, wall_dump_fn *fn, void *arg);

	/* Readable when something in the kernel's rules changed, or -1. */
	int (*fd)(struct wall *w);

	/*
	 * Reads the notifications; if somebody else damaged the table, repairs it (empty sets) and
	 * returns 1: the caller then bans everything active anew. Else 0, or -errno; after an error
	 * the next call looks again even if nothing new was told. Somebody's unban is no damage.
	 */
	int (*notice)(struct wall *w);

	/* Removes the table and all bans (--flush-on-stop). */
	int (*tear_down)(struct wall *w);

	void (*get_stats)(struct wall *w, struct wall_stats *ret);

	/* Lets go of it; the kernel goes on enforcing. Takes NULL. */
	void (*close)(struct wall *w);
};

extern const struct wall_ops wall_nft;
extern const struct wall_ops wall_none; /* --dry-run: everything succeeds, nothing happens */
