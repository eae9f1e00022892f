/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/addr.h"

/*
 * Failures a jail and address, within findtime, by the log's own clock. Capped: when full, the
 * entry of least value among a random sample goes (nothing left in its window first, then fewest
 * failures short of a ban, then oldest), so that nobody can aim the eviction.
 */
struct track;

#define TRACK_SLOTS 8 /* exact up to this many failures in a window; above, slots are merged */

/* One address in one jail, as it is kept in memory and on disk. */
struct track_entry {
	struct addr addr;
	uint16_t jail;
	uint8_t n; /* slots in use, oldest first */
	uint8_t flags; /* TRACK_DIRTY */
	uint32_t sec[TRACK_SLOTS];   /* wall clock of the failures, seconds since 1970 */
	uint16_t count[TRACK_SLOTS]; /* how many fell on it */
	uint32_t goal; /* the jail's maxretry when last hit: what eviction measures value by */
};

#define TRACK_DIRTY 1

struct track_stats {
	uint64_t entries, cap, evicted, expired;
	uint64_t bytes; /* memory held, index included */
};

/* cap: most entries ever held, at least 16. NULL when out of memory. */
struct track *track_new(size_t cap);
void track_free(struct track *t);

/*
 * Counts `count` failures of addr at time_sec in a jail with that findtime and maxretry. Returns
 * how many lie within (newest - findtime, newest]; never fails: with the table full something
 * else goes.
 */
unsigned track_hit(struct track *t, unsigned jail, const struct addr *addr, int64_t time_sec,
	unsigned count, int64_t findtime_sec, unsigned maxretry);

/* Failures within findtime before now, 0 if it is not tracked. */
unsigned track_count(const struct track *t, unsigned jail, const struct addr *addr, int64_t now_sec,
	int64_t findtime_sec);

/* Forgets an address in a jail (it was banned, or let off). True if it was there. */
bool track_forget(struct track *t, unsigned jail, const struct addr *addr);

/* Entries of a jail at present (some may have run out of their window). */
size_t track_jail_entries(const struct track *t, unsigned jail);

/* Puts an entry from disk back, clean. An entry that is there already is replaced. */
void track_restore(struct track *t, const struct track_entry *e);

/*
 * Persistence: calls fn for each entry changed since the last call and for each one gone (gone =
 * true: only addr and jail matter), and marks all clean. fn returning <0 stops the walk, leaves
 * the rest dirty and is returned.
 */
typedef int track_fn(void *arg, const struct track_entry *e, bool gone);
int track_flush(struct track *t, track_fn *fn, void *arg);

/* Anything to flush? */
bool track_is_dirty(const struct track *t);

void track_get_stats(const struct track *t, struct track_stats *ret);
