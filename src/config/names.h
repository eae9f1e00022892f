/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/arena.h"

#include <stdint.h>

/* What can stand in a table of names: any struct whose first member is its name. */
struct named {
	const char *name;
};

/* Named things in the order in which they came, found by hash. {0} is an empty table; all in an
 * arena. */
struct names {
	struct named **items;
	size_t n, room;
	uint32_t *slots; /* index + 1 into items, 0: free */
	size_t n_slots;
};

/* The thing of that name, or NULL. */
void *names_get(const struct names *t, const char *name);

/* Puts a thing in; one of the same name is replaced where it stands and returned, else NULL. */
void *names_put(struct names *t, struct arena *arena, void *item);
