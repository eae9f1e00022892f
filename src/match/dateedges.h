/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Where the date stood in the last line, and the characters around its two ends, by which it is
 * told whether the next line has its date in the same place. Lines are taken for UTF-8, and places
 * are counted in characters, as by whoever reads them.
 */
struct date_edges {
	size_t start, end;              /* in characters */
	int before, first, last, after; /* characters; none at the line's ends */
};

/* None yet: no line has the same. */
void dateedges_init(struct date_edges *e);

/* Notes a date in the bytes line[start..end). */
void dateedges_set(struct date_edges *e, const char *line, size_t len, size_t start, size_t end);

/* The same for line[0..end), end > 0, which is ASCII. */
void dateedges_set_ascii(struct date_edges *e, const char *line, size_t len, size_t end);

/*
 * Has the line the same around that place? *ret_start and *ret_end get the bytes where it is in
 * this line; the end may be past the line's.
 */
bool dateedges_same(const struct date_edges *e, const char *line, size_t len, size_t *ret_start,
	size_t *ret_end);

/* How many characters stand before that byte. */
size_t dateedges_place(const char *line, size_t off);
