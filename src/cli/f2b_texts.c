/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/f2b_texts.h"

#include "cli/f2b_room.h"

void f2b_texts_add(struct f2b_texts *l, const char *s, size_t len)
{
	if (l->n == l->room)
		l->items = f2b_more_room(l->items, &l->room, sizeof(*l->items));
	l->items[l->n++] = (struct f2b_text) {f2b_copy(s, len), len};
}

void f2b_texts_drop(struct f2b_texts *l, const char *s, size_t len)
{
	for (size_t i = 0; i < l->n; i++) {
		if (l->items[i].len != len || memcmp(l->items[i].s, s, len) != 0)
			continue;
		free(l->items[i].s);
		l->n--;
		memmove(l->items + i, l->items + i + 1, (l->n - i) * sizeof(*l->items));
		return;
	}
}

void f2b_texts_done(struct f2b_texts *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->items[i].s);
	free(l->items);
	*l = (struct f2b_texts) {0};
}
