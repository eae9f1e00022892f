/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/prefixset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Index of the first item that starts after a. */
static size_t upper_bound(const struct prefixset *s, const struct addr *a)
{
	size_t lo = 0, hi = s->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (addr_cmp(&s->items[mid].addr, a) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

bool prefixset_contains(const struct prefixset *s, const struct addr *a)
{
	size_t i = upper_bound(s, a);

	return i > 0 && prefix_contains(&s->items[i - 1], a);
}

bool prefixset_overlaps(const struct prefixset *s, const struct prefix *p)
{
	size_t i = upper_bound(s, &p->addr);

	if (i > 0 && prefix_overlaps(&s->items[i - 1], p))
		return true;
	return i < s->n && prefix_overlaps(&s->items[i], p);
}

int prefixset_add(struct prefixset *s, const struct prefix *p)
{
	size_t at = upper_bound(s, &p->addr), inside;

	if (at > 0 && s->items[at - 1].len <= p->len &&
		prefix_contains(&s->items[at - 1], &p->addr))
		return 0;
	/* An item of the same address but narrower sorts before: it is inside the new block too. */
	if (at > 0 && addr_eq(&s->items[at - 1].addr, &p->addr))
		at--;
	for (inside = at; inside < s->n && prefix_contains(p, &s->items[inside].addr); inside++)
		;
	if (inside == at && s->n == s->room) {
		size_t room = s->room != 0 ? s->room * 2 : 8;
		struct prefix *items = reallocarray(s->items, room, sizeof(*items));

		if (items == NULL)
			return -ENOMEM;
		s->items = items;
		s->room = room;
	}
	memmove(s->items + at + 1, s->items + inside, (s->n - inside) * sizeof(*s->items));
	s->items[at] = *p;
	s->n = s->n + 1 - (inside - at);
	return 0;
}

void prefixset_done(struct prefixset *s)
{
	free(s->items);
	*s = (struct prefixset) {0};
}
