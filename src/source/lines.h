/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "match/batch.h"
#include "source/dating.h"

/*
 * The lines of one source in their order: those that a batch has looked at get their time, and what
 * could not be searched for without the lines before is. What comes of it is the same as if each
 * line had been dated and searched by itself.
 */
struct lines {
	const struct batch_plan *plan;
	struct dating *dates;    /* as many as the plan has */
	struct window **windows; /* a filter each; NULL where a match has but one line */
	struct search *search;   /* fit for all filters of the plan */
	struct sieve_scan *scan; /* of its sieve, or NULL: for what a batch knew too little of */
	char *scratch;           /* twice line_max bytes: a line, and one that waits for a window */
};

/* Who is told of them. */
struct lines_listener {
	/* Before a line is looked at more closely, and after: false leaves it out. NULL: no matter.
	 */
	bool (*begin)(void *arg, size_t off);
	void (*end)(void *arg);
	/* A failregex was found; what was found is the listener's to change. */
	void (*found)(void *arg, size_t filter, struct found *found, int64_t at_us,
		const char *line, size_t len);
	/* What went wrong while that filter was searched for: often nothing. */
	void (*lost)(void *arg, size_t filter, const struct filter_stats *stats);
	/* A line is taken as written now, though it says something else (dating_settle). */
	void (*off)(void *arg, int64_t off_us);
	/*
	 * When lines were written, as one set of patterns has it; of lines one after the other
	 * whose times do not run back only the last. What is found tells its time itself. NULL: no
	 * matter.
	 */
	void (*dated)(void *arg, size_t dates, int64_t at_us);
	void *arg;
};

/* What can be counted of them. */
struct lines_count {
	uint64_t lines, undated;
};

/* The habits that the finders have now, and when lines must be from to be passed over. */
void lines_habits(const struct lines *l, const struct dating_clock *clock,
	struct batch_dates *ret_dates, struct batch_span *ret_span);

/*
 * Takes the lines in buf[0..len), at which a batch of this plan has looked with these habits, and a
 * span of this clock.
 */
void lines_take(struct lines *l, const struct dating_clock *clock, const struct batch *b,
	const struct batch_dates *dates, const char *buf, size_t len,
	const struct lines_listener *to, struct lines_count *count);
