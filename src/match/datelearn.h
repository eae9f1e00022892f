/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "match/datefields.h"
#include "match/datehabit.h"
#include "match/datemiss.h"
#include "match/datepatterns.h"

/* How a finder comes to a habit. */

/* The days of a month about one of them, throughout which local time is as far from UTC. */
struct date_month {
	int64_t begin;           /* its first day, since 1970 */
	unsigned asked;          /* how often in a row, up to a limit */
	int looked_at;           /* a day; 0: not yet */
	int first_day, last_day; /* none when first_day is 0 */
	int offset_sec;
};

struct date_learner {
	struct date_habit habit; /* template NULL: none */
	int64_t from_us, to_us;  /* the present in which it is one */
	struct date_month month;
	struct date_miss miss;
	bool has_miss;
	unsigned n_missed,
		miss_wait; /* lines without a date since it was asked; until it is again */
};

/*
 * Learns from a line that begins with its date, or has it after the first "[": `found` is what the
 * template t, bound to the line's beginning, found there. What was
 * known stays if that teaches nothing.
 */
void datelearn(struct date_learner *l, const struct date_template *t, const char *line, size_t len,
	const struct stamp *found, const struct date_clock *clock);

/* Learns from a line in which none of the patterns is found, now and then: it takes its time. */
void datelearn_miss(
	struct date_learner *l, const struct date_patterns *p, const char *line, size_t len);
