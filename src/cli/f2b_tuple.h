/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * A log line in the three parts that fail2ban speaks of: what stands before its date, the date,
 * what stands behind. A failure keeps the lines it is made of in this shape.
 */
struct f2b_tuple {
	unsigned refs;
	size_t len[3];
	const char *part[3];
};

struct f2b_tuples {
	struct f2b_tuple **items;
	size_t n, room;
};

/* A copy of three parts, with one reference that is the caller's. */
struct f2b_tuple *f2b_tuple_new(const char *const part[static 3], const size_t len[static 3]);
void f2b_tuple_unref(struct f2b_tuple *t);

/* The same three parts? */
bool f2b_tuple_eq(const struct f2b_tuple *a, const struct f2b_tuple *b);

/* Is what stands around the date this text? */
bool f2b_tuple_says(const struct f2b_tuple *t, const char *text, size_t len);

/* Appends to buf the line without its date, or the line as a whole. */
void f2b_tuple_message(const struct f2b_tuple *t, struct buf *buf);
void f2b_tuple_whole(const struct f2b_tuple *t, struct buf *buf);

/* Appends one, or all of another list, with references of their own. */
void f2b_tuples_add(struct f2b_tuples *l, struct f2b_tuple *t);
void f2b_tuples_extend(struct f2b_tuples *l, const struct f2b_tuples *more);

/* Takes out items[at]: its reference is the caller's now. */
struct f2b_tuple *f2b_tuples_take(struct f2b_tuples *l, size_t at);

/* Empties the list and makes it a copy of items[from] up to items[to] of another one, or fewer. */
void f2b_tuples_slice(struct f2b_tuples *l, const struct f2b_tuples *of, size_t from, size_t to);

/* What is searched: each line without its date, with a line end. Replaces what buf holds. */
void f2b_tuples_subject(const struct f2b_tuples *l, struct buf *buf);

void f2b_tuples_clear(struct f2b_tuples *l);
void f2b_tuples_done(struct f2b_tuples *l);
