/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "match/fields.h"

#include <stdint.h>

/*
 * The last lines of a source, for a filter whose regexes reach over several (maxlines): the lines
 * that no match has used up yet, each with its newline, one behind the other.
 */
struct window;

/* Bytes that a window holds at most; older lines go first. */
#define WINDOW_BYTES_MAX (128 * 1024)

/* All windows together; what was not used for the longest time is emptied first. */
#define WINDOWS_BYTES_MAX (16 * 1024 * 1024)

/* How many lines left a window, of this process, before newer lines took their place. */
uint64_t window_lost(void);

/* For that many lines. NULL when out of memory. */
struct window *window_new(unsigned max_lines);
void window_free(struct window *w);

/* Adds a line at the end; the oldest leaves when there are too many. 0 or -ENOMEM. */
int window_add(struct window *w, const char *line, size_t len);

/*
 * What whoever fills it notes: how many lines more may be part of a match with those in it, and
 * which of the lines at hand have yet to go into it (from to: from is to for none).
 */
struct window_wait {
	unsigned hot;
	size_t from, to;
};

struct window_wait *window_wait(struct window *w);

/* All of it. Valid until the next change. */
struct span window_text(const struct window *w);

/* Which lines a match used. */
struct window_use {
	size_t start, end;          /* of the match, in the text that was searched */
	const struct span *skipped; /* the <SKIPLINES> groups: whole lines that it passed over */
	size_t n_skipped;
};

/*
 * Takes out the lines that the match in `text` used, and returns how many they were; `text` is
 * window_text() or what stood in for its first lines (<F-CONTENT>). What was captured in the
 * window's text stays valid until the next change.
 */
size_t window_take(struct window *w, struct span text, const struct window_use *use);

/* The lines taken out last. */
struct span window_used(const struct window *w);

/* Leaves this line alone in it; it may not be in the window's own text. */
void window_set(struct window *w, const char *line, size_t len);
