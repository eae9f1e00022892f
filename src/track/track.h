/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/addr.h"

/*
 * Failures a jail and address, within findtime, by the log's own clock. Capped: when full, the
 * entry of least value among 16 drawn at random goes (nothing left in its window first, then fewest
 * failures relative to the goal, then oldest), so that nobody can aim the eviction: with a share s
 * of the entries as near to a ban as one is, or nearer, an eviction takes one of these with a
 * probability of s^16 at most. To raise s somebody has to fail as often with as many addresses.
 *
 * Memory goes back to the system when the entries go. What n entries take at most, index and
 * everything included, is the inverse of track_room: 72 bytes each, and 8 to 16 for the index.
 *
 * Exact for up to TRACK_SLOTS different seconds with failures in a window, and at most 65,535
 * failures a second. With more seconds, two of them that fall into the same seventh of findtime
 * count as the later one: then a failure may count up to findtime / 7 (rounded up) too long, but
 * none is missed.
 */
struct track;

#define TRACK_SLOTS 8
#define TRACK_PAGE 64

/* One address in one jail, as it is kept in memory and on disk. */
struct track_entry {
	struct addr addr;
	uint16_t jail;
	uint8_t n; /* slots in use, oldest first */
	uint8_t unused;
	uint32_t sec[TRACK_SLOTS];   /* wall clock of the failures, seconds since 1970 */
	uint16_t count[TRACK_SLOTS]; /* how many fell on it */
	uint32_t goal; /* the jail's maxretry when last hit: what eviction measures value by */
};

struct track_stats {
	uint64_t entries, cap, evicted, expired;
	uint64_t bytes; /* memory held, index included */
};

/* As many entries as never take more than that much memory, at least 16. */
size_t track_room(uint64_t bytes);

/* cap: most entries ever held, at least 16. NULL when out of memory. */
struct track *track_new(size_t cap);
void track_free(struct track *t);

/*
 * Counts `count` failures of addr at time_sec in a jail with that findtime and maxretry. Returns
 * how many lie within (newest - findtime, newest]; never fails: with the table full something
 * else goes. Failures may come out of order; one older than that window is dropped, unless it and
 * the jail's hit before it lie more than a minute before the window: then the clock was set back,
 * and counting starts anew from the time given.
 */
unsigned track_hit(struct track *t, unsigned jail, const struct addr *addr, int64_t time_sec,
	unsigned count, int64_t findtime_sec, unsigned maxretry);

/* Failures later than now - findtime, 0 if it is not tracked. */
unsigned track_count(const struct track *t, unsigned jail, const struct addr *addr, int64_t now_sec,
	int64_t findtime_sec);

/* Forgets an address in a jail (it was banned, or let off). True if it was there. */
bool track_forget(struct track *t, unsigned jail, const struct addr *addr);

/* Entries of a jail at present (some may have run out of their window). */
size_t track_jail_entries(const struct track *t, unsigned jail);

/*
 * Puts an entry back that was the place-th on disk (page * TRACK_PAGE + its number in the page),
 * called in order of place: so a page that comes back as it was is clean. An entry that is there
 * already is replaced. One that makes no sense, or has no failures in it, is left out.
 */
void track_restore(struct track *t, uint32_t place, const struct track_entry *e);

/*
 * Persistence. On disk the entries are in pages of TRACK_PAGE, numbered from 0, the last one
 * perhaps not full. Calls fn for each page that changed since the last call, with all its entries,
 * and with n = 0 if this page and all after it are to be gone; and takes all of it for written. fn
 * must not change the table. fn returning <0 stops the walk and is returned; everything stays to be
 * flushed.
 */
typedef int track_fn(void *arg, uint32_t page, const struct track_entry *e, size_t n);
int track_flush(struct track *t, track_fn *fn, void *arg);

/* The transaction of the last track_flush failed: all that it told is to be flushed again. */
void track_unflush(struct track *t);

/* Nobody knows what the disk has: every page is to be flushed again. */
void track_flush_all(struct track *t);

/* Anything to flush? */
bool track_is_dirty(const struct track *t);

void track_get_stats(const struct track *t, struct track_stats *ret);
