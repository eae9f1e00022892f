/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "match/fields.h"
#include "match/filter.h"

/*
 * What the regexes of filters say of a text, whatever other lines said. A search belongs to one
 * thread; the filters it is asked about may be shared by many.
 */
struct search;

/* What one filter's say. All is borrowed from the text and the search, until its next text. */
struct found {
	enum verdict verdict; /* VERDICT_MATCH: a failregex was found; _IGNORED; _MISS */
	unsigned regex;       /* which, or which ignoreregex */
	unsigned n_lines;     /* lines that the match is made of */
	struct span
		looked_at;    /* what the failregexes looked at; text NULL: it never came to them */
	struct fields fields; /* of VERDICT_MATCH: as many as the filter has names */
};

/* Which failregexes to look for, in ascending order; the others are known not to be found. */
struct search_pick {
	const uint16_t *rules;
	size_t n;
};

/* NULL when out of memory. */
struct search *search_new(void);
void search_free(struct search *s);

/* Makes room for what the filter's regexes capture; before it is searched for. 0 or -ENOMEM. */
int search_fit(struct search *s, const struct filter *f);

/*
 * The text for the searches that follow: a line whose date has been cut out; a line break at its
 * end is not part of it. newline_follows: text[len] may be read and is '\n'. False when out of
 * memory, which is counted.
 */
bool search_begin(struct search *s, const char *text, size_t len, bool newline_follows);

/*
 * Looks for one filter's regexes. w: the window of the line's source, for a filter with maxlines;
 * pick: NULL for all.
 */
void search_run(struct search *s, const struct filter *f, struct window *w,
	const struct search_pick *pick, struct found *ret);

/* The text goes into a window as search_run would put it there, and is not searched. */
void search_keep(struct search *s, struct window *w);

/* Adds what went wrong since it was asked last. */
void search_take_stats(struct search *s, struct filter_stats *add);
