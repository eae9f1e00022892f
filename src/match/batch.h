/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "match/datehabit.h"
#include "match/datemiss.h"
#include "match/sieve.h"

/*
 * A buffer full of lines, looked at for all filters of its source: those that no filter can find
 * anything in are passed over, on the others the regexes are tried. Nothing of it depends on the
 * lines before the buffer, so that any thread may do it; what does (dates, sessions, counting)
 * comes after it, in order.
 */

/* A filter of the source, and which of the source's sets of date patterns its jail has. */
struct batch_filter {
	const struct filter *filter;
	unsigned dates;
};

/* Who reads a source. All is borrowed; it may be shared by threads. */
struct batch_plan {
	const struct batch_filter *filters; /* the order in which they judge a line */
	size_t n_filters, n_dates;
	const struct sieve *sieve; /* of these filters; NULL: every line is for every filter */
	size_t line_max;           /* bytes of a line that are judged */
	unsigned a_byte;           /* what a batch may note of each byte, in bytes; 0: as usual */
};

/*
 * How the lines are dated by each set of patterns: as far as the finder had a habit when the buffer
 * was taken up, or else as far as it is known what has no date for it.
 */
struct batch_dates {
	bool has_habit, has_miss;
	struct date_habit habit;
	struct date_miss miss;
};

/* When a line must have been written to be passed over: another needs a closer look. */
struct batch_span {
	int64_t from_us, to_us;
};

/* A value that was captured, in the buffer or in the batch's own text. */
struct batch_value {
	uint16_t slot;
	bool is_own;
	uint32_t off, len;
};

/* What a filter has to do with a line. */
struct batch_found {
	uint16_t filter;
	uint16_t regex;
	bool is_found;     /* its regex was found in the line without its date; else it may be */
	uint32_t first, n; /* values; or picks, which are places of failregexes */
	int64_t time_us;   /* if is_found, what the line's date says */
};

/* Lines that are nothing to anybody: how many, and where the first and the last of them begin. */
struct batch_passed {
	uint32_t n, first, last;
};

/* A line that is something to somebody. */
struct batch_line {
	uint32_t off, len;          /* without its line end */
	struct batch_passed passed; /* between the line before in the list and this one */
	bool is_odd;                /* not dated as usual: what is found of it are picks only */
	bool is_plain;     /* dated as usual, or not at all, by all; and there are no picks */
	uint32_t first, n; /* founds: by sets of patterns, in order of the filters */
};

struct batch {
	struct batch_line *lines;
	size_t n_lines, room_lines;
	struct batch_passed rest; /* lines passed over behind the last of these */
	struct batch_found *founds;
	size_t n_founds, room_founds;
	struct batch_value *values;
	size_t n_values, room_values;
	uint16_t *picks;
	size_t n_picks, room_picks;
	char *text;
	size_t n_text, room_text;
	struct filter_stats *stats; /* a filter each: what went wrong */
	size_t room_stats;
	size_t bytes, bytes_max; /* what the lists take, and may take for the buffer under way */
	/* More memory than there is, or than it is worth: nothing of this says anything, every line
	 * is to be judged. */
	bool failed;
};

void batch_done(struct batch *b);

/* What one thread needs. */
struct batch_worker;

/* Borrows the plan. NULL when out of memory. */
struct batch_worker *batch_worker_new(const struct batch_plan *plan);
void batch_worker_free(struct batch_worker *w);

/*
 * What it works with, for others of its thread while no batch is being run: a search that is fit
 * for all filters of the plan, and a scan of its sieve (NULL if it has none).
 */
struct search *batch_worker_search(struct batch_worker *w);
struct sieve_scan *batch_worker_scan(struct batch_worker *w);

/*
 * Asked before a line's regexes are tried: may they be, and is the line for that filter at all? And
 * told when that is over. What is not asked is NULL.
 */
struct batch_watch {
	bool (*may_search)(void *arg, size_t off);
	void (*searched)(void *arg);
	void *arg;
	bool (*is_for)(void *arg, size_t off, size_t filter);
};

/*
 * Looks at the lines in buf[0..len), less than 1 GiB; the last may lack its newline. dates: as many
 * as the plan has; watch: NULL if there is nothing to ask. What b had is gone.
 */
void batch_run(struct batch_worker *w, struct batch *b, const struct batch_dates *dates,
	const struct batch_span *span, const struct batch_watch *watch, const char *buf,
	size_t len);

/*
 * What was found by that filter, put together again as search_run would have it; borrows from buf
 * and b.
 */
void batch_get(const struct batch *b, const struct filter *f, const struct batch_found *found,
	const char *buf, struct found *ret);

/* The failregexes to try; false: all. */
bool batch_pick(const struct batch *b, const struct batch_found *found, struct search_pick *ret);
