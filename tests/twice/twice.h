/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "source/lines.h"

/*
 * Has filters read a log twice: line by line, every regex tried and every date looked for, and in
 * buffers by way of the sieve, the dates' habits and what waits for windows. What is found, in what
 * order, when, by what line, and what finders and windows have become must be the same. For tests,
 * which end when memory does.
 */
struct twice {
	struct batch_plan plan, blind; /* with and without the sieve */
	struct batch_filter *filters;
	const char **names;
	const struct date_patterns **dates;
	/* A filter's second half for each reading, with sessions of its own; NULL: not of interest.
	 */
	struct filter **judges[2];
};

/* For so many filters at most, and as many sets of date patterns. */
void twice_init(struct twice *t, size_t max, size_t line_max);

/* Borrows what is added. Returns the place of the set. */
unsigned twice_add_dates(struct twice *t, const struct date_patterns *dates);
void twice_add(struct twice *t, const char *name, const struct filter *f, unsigned dates,
	struct filter *first, struct filter *second);

/* After the last filter. */
void twice_ready(struct twice *t);
void twice_done(struct twice *t);

/* How a log is read. */
struct twice_way {
	int64_t now_us;  /* at the end */
	int64_t step_us; /* by which the present moves on after each third of the log; 0: it does
			    not */
	bool live;
	size_t buffer_max;                         /* bytes of a buffer, about */
	uint32_t (*choose)(void *arg, uint32_t n); /* one of n */
	void *arg;
};

/* What came of it. */
struct twice_result {
	bool differs;
	char why[2048];     /* if so */
	size_t n_found;     /* line by line */
	uint64_t n_lines;   /* in all */
	uint64_t n_passed;  /* lines passed over without a look at them alone */
	uint64_t n_batches; /* in which all was as the batch had it */
	uint64_t n_limits;  /* regexes that met their limits: with fewer regexes fewer do */
};

void twice_read(const struct twice *t, const struct twice_way *way, const char *text, size_t len,
	struct twice_result *ret);
