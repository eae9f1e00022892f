/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * From a 64-bit hash to a position in somebody's array: open addressing, four bytes a slot. A slot
 * holds the position and, in the bits it leaves over, a part of the hash, so that a wrong
 * candidate is nearly always told apart without looking at the array.
 *
 * Growing and shrinking move a few slots at a time, so that no call ever takes long.
 */

#define INDEX_NONE UINT32_MAX

struct index_slots {
	uint32_t *slot;
	uint32_t mask; /* slots - 1 */
	uint32_t used;
};

struct index {
	struct index_slots now;
	struct index_slots old; /* while moving, else no slots */
	uint32_t moved;         /* slots of old done */
	uint32_t pos_mask;
	uint64_t (*hash_of)(const void *arg, uint32_t pos);
	const void *arg;
};

/*
 * For positions below `most`. hash_of tells the hash of a position that is in the index. 0 or
 * -ENOMEM.
 */
int index_init(struct index *x, uint32_t most, uint64_t (*hash_of)(const void *arg, uint32_t pos),
	const void *arg);
void index_done(struct index *x);

/* The position with this hash for which is() says yes, or INDEX_NONE. */
uint32_t index_find(const struct index *x, uint64_t hash,
	bool (*is)(const void *arg, uint32_t pos, const void *key), const void *key);

/* Makes sure that one more can be added; false when it is full and there is no memory to grow. */
bool index_room(struct index *x);

/* Adds a position that is not in it. Only after index_room said yes. */
void index_add(struct index *x, uint64_t hash, uint32_t pos);

/* The item moved from position `from`, which must be in the index, to `to`. */
void index_set(struct index *x, uint64_t hash, uint32_t from, uint32_t to);

/* Removes a position that is in it. */
void index_del(struct index *x, uint64_t hash, uint32_t pos);

/* A little of the work of growing and shrinking: call it with each change. */
void index_step(struct index *x);

size_t index_bytes(const struct index *x);

/* The most that one with at most n items ever takes. */
size_t index_bytes_at_most(uint32_t n);
