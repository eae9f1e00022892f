/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * A table for a terminal: columns as wide as what stands in them, two spaces apart, cut to the
 * terminal's width. Its first rows are kept back to measure them; a table longer than that flows.
 */
struct table;

struct table_column {
	const char *title;
	bool right;  /* numbers */
	bool shrink; /* may be shortened in the middle when the terminal is narrow */
};

/*
 * columns must outlive it. bold and plain are the terminal's sequences for the title line, or "".
 * NULL when out of memory.
 */
struct table *table_new(FILE *out, const struct table_column *columns, size_t n, unsigned width,
	const char *bold, const char *plain);

/*
 * The next cell, from left to right, row by row; the text is copied and whatever could hurt a
 * terminal is escaped. Memory running out leaves the cell empty.
 */
void table_cell(struct table *t, const char *text, size_t len);
void table_cellf(struct table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Prints what is still kept back and frees it. A table without rows prints nothing. Takes NULL. */
void table_end(struct table *t);

/* The columns that a UTF-8 text takes, one a character. */
size_t table_text_width(const char *s);

/* Shortens s in the middle ("/var/lo...th.log") to at most width columns, in place. */
void table_shorten(char *s, size_t width);
