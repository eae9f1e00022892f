/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/f2b_tuple.h"

#include "cli/f2b_room.h"

#include <string.h>

struct f2b_tuple *f2b_tuple_new(const char *const part[static 3], const size_t len[static 3])
{
	struct f2b_tuple *t = f2b_room(sizeof(*t) + len[0] + len[1] + len[2] + 1);
	char *at = (char *)(t + 1);

	t->refs = 1;
	for (size_t i = 0; i < 3; i++) {
		t->len[i] = len[i];
		t->part[i] = at;
		if (len[i] > 0)
			memcpy(at, part[i], len[i]);
		at += len[i];
	}
	return t;
}

void f2b_tuple_unref(struct f2b_tuple *t)
{
	if (t != NULL && --t->refs == 0)
		free(t);
}

bool f2b_tuple_eq(const struct f2b_tuple *a, const struct f2b_tuple *b)
{
	for (size_t i = 0; i < 3; i++) {
		if (a->len[i] != b->len[i] || memcmp(a->part[i], b->part[i], a->len[i]) != 0)
			return false;
	}
	return true;
}

bool f2b_tuple_says(const struct f2b_tuple *t, const char *text, size_t len)
{
	return t->len[0] + t->len[2] == len && memcmp(t->part[0], text, t->len[0]) == 0 &&
	       memcmp(t->part[2], text + t->len[0], t->len[2]) == 0;
}

void f2b_tuple_message(const struct f2b_tuple *t, struct buf *buf)
{
	f2b_add(buf, t->part[0], t->len[0]);
	f2b_add(buf, t->part[2], t->len[2]);
}

void f2b_tuple_whole(const struct f2b_tuple *t, struct buf *buf)
{
	/* The parts stand one after the other. */
	f2b_add(buf, t->part[0], t->len[0] + t->len[1] + t->len[2]);
}

void f2b_tuples_add(struct f2b_tuples *l, struct f2b_tuple *t)
{
	if (l->n == l->room)
		l->items = f2b_more_room(l->items, &l->room, sizeof(*l->items));
	t->refs++;
	l->items[l->n++] = t;
}

void f2b_tuples_extend(struct f2b_tuples *l, const struct f2b_tuples *more)
{
	for (size_t i = 0; i < more->n; i++)
		f2b_tuples_add(l, more->items[i]);
}

struct f2b_tuple *f2b_tuples_take(struct f2b_tuples *l, size_t at)
{
	struct f2b_tuple *t = l->items[at];

	l->n--;
	memmove(l->items + at, l->items + at + 1, (l->n - at) * sizeof(*l->items));
	return t;
}

void f2b_tuples_slice(struct f2b_tuples *l, const struct f2b_tuples *of, size_t from, size_t to)
{
	f2b_tuples_clear(l);
	for (size_t i = from; i < to && i < of->n; i++)
		f2b_tuples_add(l, of->items[i]);
}

void f2b_tuples_subject(const struct f2b_tuples *l, struct buf *buf)
{
	buf->len = 0;
	for (size_t i = 0; i < l->n; i++) {
		f2b_tuple_message(l->items[i], buf);
		f2b_add(buf, "\n", 1);
	}
	if (l->n == 0)
		f2b_add(buf, "\n", 1);
}

void f2b_tuples_clear(struct f2b_tuples *l)
{
	for (size_t i = 0; i < l->n; i++)
		f2b_tuple_unref(l->items[i]);
	l->n = 0;
}

void f2b_tuples_done(struct f2b_tuples *l)
{
	f2b_tuples_clear(l);
	free(l->items);
	*l = (struct f2b_tuples) {0};
}
