/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "track/index.h"

#include <assert.h>
#include <errno.h>
#include <sys/mman.h>

#define SLOTS_MIN 1024
#define MOVE_STEP 8
#define SMALL_BYTES (2 << 20) /* what is larger may have huge pages */

/*
 * A slot: 0 is empty, else position + 1 in the bits of pos_mask and a part of the hash above. All
 * ones in pos_mask: was taken. Only the old table has such slots, and it is soon gone.
 */

static int slots_init(struct index_slots *s, uint32_t n)
{
	/* Straight from the kernel: given back whole when it goes, and zeroed without being
	 * touched. */
	size_t bytes = (size_t)n * sizeof(*s->slot);
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return -ENOMEM;
	if (bytes > SMALL_BYTES)
		madvise(p, bytes, MADV_HUGEPAGE);
	*s = (struct index_slots) {.slot = p, .mask = n - 1};
	return 0;
}

static void slots_done(struct index_slots *s)
{
	if (s->slot != NULL)
		munmap(s->slot, ((size_t)s->mask + 1) * sizeof(*s->slot));
	*s = (struct index_slots) {0};
}

static uint32_t tag_of(const struct index *x, uint64_t hash)
{
	return (uint32_t)(hash >> 32) & ~x->pos_mask;
}

int index_init(struct index *x, uint32_t most, uint64_t (*hash_of)(const void *arg, uint32_t pos),
	const void *arg)
{
	uint32_t pos_mask = 1;

	/* most is the largest value of position + 1, and all ones must stay free. */
	assert(most < UINT32_MAX);
	while (pos_mask <= most)
		pos_mask = pos_mask << 1 | 1;
	*x = (struct index) {.pos_mask = pos_mask, .hash_of = hash_of, .arg = arg};
	return slots_init(&x->now, SLOTS_MIN);
}

void index_done(struct index *x)
{
	slots_done(&x->now);
	slots_done(&x->old);
}

static uint32_t slots_find(const struct index *x, const struct index_slots *s, uint64_t hash,
	bool (*is)(const void *arg, uint32_t pos, const void *key), const void *key)
{
	uint32_t tag = tag_of(x, hash);

	for (uint32_t i = (uint32_t)hash & s->mask; s->slot[i] != 0; i = (i + 1) & s->mask) {
		uint32_t pos = (s->slot[i] & x->pos_mask) - 1;

		if ((s->slot[i] & ~x->pos_mask) == tag && pos != x->pos_mask - 1 &&
			is(x->arg, pos, key))
			return pos;
	}
	return INDEX_NONE;
}

uint32_t index_find(const struct index *x, uint64_t hash,
	bool (*is)(const void *arg, uint32_t pos, const void *key), const void *key)
{
	uint32_t pos = slots_find(x, &x->now, hash, is, key);

	if (pos == INDEX_NONE && x->old.slot != NULL)
		pos = slots_find(x, &x->old, hash, is, key);
	return pos;
}

/* Where a position that is in the index has its slot. */
static uint32_t *slot_of(struct index *x, uint64_t hash, uint32_t pos, struct index_slots **ret)
{
	for (struct index_slots *s = &x->now;; s = &x->old) {
		assert(s->slot != NULL);
		for (uint32_t i = (uint32_t)hash & s->mask; s->slot[i] != 0;
			i = (i + 1) & s->mask) {
			if ((s->slot[i] & x->pos_mask) == pos + 1) {
				*ret = s;
				return &s->slot[i];
			}
		}
		assert(s == &x->now);
	}
}

void index_add(struct index *x, uint64_t hash, uint32_t pos)
{
	struct index_slots *s = &x->now;
	uint32_t i = (uint32_t)hash & s->mask;

	while (s->slot[i] != 0)
		i = (i + 1) & s->mask;
	s->slot[i] = tag_of(x, hash) | (pos + 1);
	s->used++;
}

void index_set(struct index *x, uint64_t hash, uint32_t from, uint32_t to)
{
	struct index_slots *s;

	*slot_of(x, hash, from, &s) = tag_of(x, hash) | (to + 1);
}

/* Closes the gap at i: what was pushed past it by its like comes back, so no marks pile up. */
static void close_gap(struct index *x, uint32_t i)
{
	struct index_slots *s = &x->now;

	for (uint32_t j = (i + 1) & s->mask; s->slot[j] != 0; j = (j + 1) & s->mask) {
		uint32_t home = (uint32_t)x->hash_of(x->arg, (s->slot[j] & x->pos_mask) - 1);

		/* May j's item stand at i, between its home and j? */
		if (((j - home) & s->mask) >= ((j - i) & s->mask)) {
			s->slot[i] = s->slot[j];
			i = j;
		}
	}
	s->slot[i] = 0;
}

void index_del(struct index *x, uint64_t hash, uint32_t pos)
{
	struct index_slots *s;
	uint32_t *slot = slot_of(x, hash, pos, &s);

	s->used--;
	if (s == &x->old)
		*slot = x->pos_mask;
	else
		close_gap(x, (uint32_t)(slot - s->slot));
}

static void move(struct index *x, uint32_t n)
{
	for (; n > 0 && x->old.slot != NULL; n--) {
		uint32_t v = x->old.slot[x->moved];
		uint32_t pos = (v & x->pos_mask) - 1;

		if (v != 0 && pos != x->pos_mask - 1) {
			index_add(x, x->hash_of(x->arg, pos), pos);
			x->old.slot[x->moved] = x->pos_mask;
			x->old.used--;
		}
		if (x->moved++ == x->old.mask)
			slots_done(&x->old);
	}
}

static int resize(struct index *x, uint32_t slots)
{
	struct index_slots s;
	int r;

	r = slots_init(&s, slots);
	if (r < 0)
		return r;
	x->old = x->now;
	x->now = s;
	x->moved = 0;
	return 0;
}

bool index_room(struct index *x)
{
	uint64_t need = (uint64_t)x->now.used + x->old.used + 1;
	uint64_t slots = (uint64_t)x->now.mask + 1;

	if (need <= slots / 4 * 3)
		return true;
	move(x, UINT32_MAX);
	if (slots <= UINT32_MAX / 2 && resize(x, (uint32_t)slots * 2) == 0)
		return true;
	return need <= slots / 16 * 15;
}

void index_step(struct index *x)
{
	if (x->old.slot != NULL)
		move(x, MOVE_STEP);
	else if (x->now.mask >= SLOTS_MIN && x->now.used < x->now.mask / 8)
		(void)resize(x, x->now.mask / 2 + 1); /* no memory: it stays as large as it is */
}

size_t index_bytes(const struct index *x)
{
	size_t n = (size_t)x->now.mask + 1;

	if (x->old.slot != NULL)
		n += (size_t)x->old.mask + 1;
	return n * sizeof(*x->now.slot);
}

size_t index_bytes_at_most(uint32_t n)
{
	uint64_t slots = SLOTS_MIN;

	while (n > slots / 4 * 3)
		slots *= 2;
	/* While it grows or shrinks there is half as much beside it. */
	return (slots + slots / 2) * sizeof(uint32_t);
}
