/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/names.h"

#include "base/hash.h"

#include <string.h>

/* Whoever writes the configuration is root already: nothing to hide the slots from. */
static const struct hash_key fixed_key = {0x73746f636b, 0x616465};

/* The slot with that name, or the free one where it would go. */
static size_t find_slot(const struct names *t, const char *name, size_t len)
{
	size_t at = (size_t)hash_bytes(&fixed_key, name, len) & (t->n_slots - 1);

	for (;; at = (at + 1) & (t->n_slots - 1)) {
		const char *there;

		if (t->slots[at] == 0)
			return at;
		there = t->items[t->slots[at] - 1]->name;
		if (strncmp(there, name, len) == 0 && there[len] == '\0')
			return at;
	}
}

void *names_get(const struct names *t, const char *name)
{
	size_t at;

	if (t->n_slots == 0)
		return NULL;
	at = find_slot(t, name, strlen(name));
	return t->slots[at] != 0 ? t->items[t->slots[at] - 1] : NULL;
}

static void grow(struct names *t, struct arena *arena)
{
	size_t room = t->room != 0 ? t->room * 2 : 8;
	struct named **items = arena_array(arena, room, sizeof(struct named *));

	if (t->n > 0)
		memcpy(items, t->items, t->n * sizeof(struct named *));
	t->items = items;
	t->room = room;
	t->n_slots = room * 2;
	t->slots = arena_array(arena, t->n_slots, sizeof(*t->slots));
	for (size_t i = 0; i < t->n; i++)
		t->slots[find_slot(t, items[i]->name, strlen(items[i]->name))] = (uint32_t)i + 1;
}

void *names_put(struct names *t, struct arena *arena, void *item)
{
	struct named *new = item, *old;
	size_t at;

	if (t->n == t->room)
		grow(t, arena);
	at = find_slot(t, new->name, strlen(new->name));
	if (t->slots[at] != 0) {
		old = t->items[t->slots[at] - 1];
		t->items[t->slots[at] - 1] = new;
		return old;
	}
	t->items[t->n] = new;
	t->slots[at] = (uint32_t)++t->n;
	return NULL;
}
