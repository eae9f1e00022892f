/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/addr.h"

#include <stdbool.h>

/*
 * The bans in force, by jail and prefix, and by when they end. What changed since it was last saved
 * is kept apart, so that saving costs what changed.
 */

enum origin { ORIGIN_LOG, ORIGIN_MANUAL, ORIGIN_KERNEL };

struct ban {
	struct prefix prefix;
	uint16_t jail;
	uint8_t origin; /* enum origin */
	bool in_kernel; /* seen there in the last listing */
	uint32_t failures;
	uint32_t heap;    /* place in the queue of ends */
	uint32_t dirty;   /* place in the list of those to be saved */
	int64_t since_us; /* monotonic; before 0 for one that is older than this boot */
	int64_t until_us; /* monotonic; 0: for ever */
	uint64_t packets, bytes;
	const char *rule; /* title of what he is banned for, the rule set's; or NULL */
	char *evidence;   /* matched lines, owned, until saved; or NULL */
	struct ban *next; /* in its hash chain */
};

/* One that ended and is not yet written as such. */
struct ban_end {
	struct prefix prefix;
	uint16_t jail;
	int64_t at_us; /* monotonic */
};

struct bans;

struct bans *bans_new(void);
void bans_free(struct bans *b);

struct ban *bans_find(const struct bans *b, unsigned jail, const struct prefix *p);

/* The one of that jail and prefix, made (zeroed but for these) if it is not there. NULL: no memory.
 */
struct ban *bans_put(struct bans *b, unsigned jail, const struct prefix *p, bool *ret_new);

/* Sets when it ends. */
void bans_set_until(struct bans *b, struct ban *ban, int64_t until_us);

/*
 * The lines it is for, malloc'd, taken over (NULL: none). With more than 16 MB of such text waiting
 * to be saved it is let go instead, and false returned.
 */
bool bans_set_evidence(struct bans *b, struct ban *ban, char *text);

/* Marks it to be saved. */
void bans_touch(struct bans *b, struct ban *ban);

/* It is over: remembers the end for the store and frees it. */
void bans_end(struct bans *b, struct ban *ban, int64_t at_us);

/* Forgets it without a trace (refused by keeper). */
void bans_drop(struct bans *b, struct ban *ban);

/* The one that ends first, or NULL if none ever does. */
struct ban *bans_first_end(const struct bans *b);

size_t bans_count(const struct bans *b);
size_t bans_jail_count(const struct bans *b, unsigned jail);

/* Calls fn for each, in no order; fn must not add or remove. */
void bans_each(struct bans *b, void (*fn)(void *arg, struct ban *ban), void *arg);

/* Is the address banned in that jail, by itself or by a block around it? */
struct ban *bans_covering(const struct bans *b, unsigned jail, const struct addr *a);

/*
 * For saving: the changed ones and the ended ones. bans_saved forgets both lists once they are on
 * disk; until then they only grow (a ban is in the list once however often it changed).
 */
bool bans_is_dirty(const struct bans *b);
int bans_each_dirty(struct bans *b, int (*fn)(void *arg, struct ban *ban), void *arg);
int bans_each_end(struct bans *b, int (*fn)(void *arg, const struct ban_end *e), void *arg);
void bans_saved(struct bans *b);

/* The store lost everything: all bans are to be saved again. */
void bans_touch_all(struct bans *b);
