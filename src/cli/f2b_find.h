/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/f2b_id.h"
#include "cli/f2b_session.h"
#include "match/date.h"

#include <stdint.h>

/*
 * What a filter finds in a line, the way fail2ban-regex shows it. The daemon stops at the first
 * failregex that matches and keeps of a session only what decides; here each one is tried, and all
 * that was captured is kept, to be looked at.
 */

/* One match. */
struct f2b_found {
	size_t rule;         /* which failregex, from 0 */
	struct f2b_value id; /* whom it is counted for; F2B_NONE: not known yet */
	bool has_time;
	int64_t time_us;
	bool nofail;
	const struct f2b_fail
		*fail; /* all that is known; only with keep_lines, until the next line */
};

struct f2b_finder {
	/* To be set before the expressions are added. */
	enum usedns usedns;
	unsigned maxlines;
	bool raw;            /* host names are not looked up */
	bool check_all;      /* try every failregex, not only up to the first that matches */
	bool ignore_pending; /* leave out failures of nobody known yet */
	bool keep_lines;
	bool keep_pref; /* fill pref_text */
	/* Told of each ignoreregex that matches. */
	void (*on_ignore)(void *arg, size_t rule);
	void *arg;

	struct filter_stats stats;
	struct regex_engine *engine;
	struct f2b_search *pref; /* or NULL */
	struct f2b_search *fail, *ignore;
	size_t n_fail, n_ignore;
	struct date_finder *dates; /* NULL: lines come with their date */

	struct f2b_sessions sessions;
	struct f2b_names names;
	struct f2b_tuples lines; /* the last ones, up to maxlines */
	struct buf subject;
	struct f2b_tuple *tuple; /* the line looked at last */
	struct buf last_text;    /* the last date as it was written */
	int64_t last_us;
	bool has_last;
	bool pref_matched; /* in the last line of which that was asked */
	bool undated;      /* something matched in it, but no date */
	struct f2b_fail pref_fields;
	struct buf pref_text; /* all that the prefregex captured, as Python writes it */
	struct f2b_found *found;
	size_t n_found, room;
	struct f2b_fail own; /* of a match that belongs to no session */
};

/* The line's date, known beforehand: an entry of the journal. */
struct f2b_dated {
	const char *text;
	size_t len;
	int64_t time_us;
};

/*
 * Looks at a line, dated or to be searched for its date. What it finds is in found[0..n_found) and
 * pref_matched until the next line.
 */
void f2b_find(struct f2b_finder *f, const char *line, size_t len, const struct f2b_dated *dated);

void f2b_find_done(struct f2b_finder *f);
