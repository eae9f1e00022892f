/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* What the regexes of one filter capture by name. */

/* A piece of text; NULL: none, which is not the same as an empty one. */
struct span {
	const char *text;
	size_t len;
};

/* Names that mean something to us have the first slots, in this order; others follow. */
enum field_slot {
	FIELD_ID,
	FIELD_IP4,
	FIELD_IP6,
	FIELD_DNS,
	FIELD_CIDR,
	FIELD_COUNT,
	FIELD_CONTENT,
	FIELD_FORGET,
	FIELDS_HIDDEN, /* those before it are told in other ways, or not at all */
	FIELD_MLFID = FIELDS_HIDDEN,
	FIELD_NOFAIL,
	FIELD_GAINED,
	FIELD_USER,
	FIELDS_KNOWN,
	FIELDS_MAX = 40,
};

/* The names of a filter's slots. */
struct field_names {
	const char *name[FIELDS_MAX];
	size_t n;
	bool dropped; /* there were more */
};

/* One value a slot. Which have one is in `set`, too: few do, and those are quickly found. */
struct fields {
	uint64_t set;
	struct span v[FIELDS_MAX];
};

_Static_assert(FIELDS_MAX <= 64, "a bit for each slot");

static inline void fields_clear(struct fields *f, size_t n_slots)
{
	f->set = 0;
	memset(f->v, 0, n_slots * sizeof(f->v[0]));
}

static inline void fields_put(struct fields *f, size_t slot, struct span value)
{
	uint64_t bit = UINT64_C(1) << slot;

	f->v[slot] = value;
	f->set = value.text != NULL ? f->set | bit : f->set & ~bit;
}

/* Takes the lowest slot out of a set that is not empty. */
static inline size_t fields_next(uint64_t *set)
{
	size_t slot = (size_t)__builtin_ctzll(*set);

	*set &= *set - 1;
	return slot;
}

/* The known names alone. */
void field_names_init(struct field_names *n);

/* The slot of a name, which is added (copied to arena) if it is new; FIELDS_MAX when all are taken.
 */
size_t field_names_slot(struct field_names *n, struct arena *arena, const char *name, size_t len);

/* Is there a value that is not empty? */
static inline bool span_given(struct span s)
{
	return s.text != NULL && s.len > 0;
}
