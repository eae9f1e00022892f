/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/addr.h"

/* A set of address blocks, for allow lists: added to while it is built, then only asked. */
struct prefixset {
	struct prefix *items; /* sorted, no item inside another */
	size_t n;
	size_t room;
};

/* Adds a block, or nothing if it is covered already. Returns 0 or -ENOMEM. */
int prefixset_add(struct prefixset *s, const struct prefix *p);

/* Is the address in one of the blocks? O(log n). */
bool prefixset_contains(const struct prefixset *s, const struct addr *a);

/* Does the block share an address with one of them? O(log n). */
bool prefixset_overlaps(const struct prefixset *s, const struct prefix *p);

/* Frees the items and leaves an empty set. */
void prefixset_done(struct prefixset *s);
