/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "match/filter.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Finds the date in a log line, by the patterns of `datepattern` or the default ones, and says what
 * time it is: as fail2ban does, so that both cut the same out of a line and date it alike.
 *
 * A date without a zone is local time. The zone is read from disk once a process, at the first use:
 * who gives up the file system first must have called tzset() before.
 */

/* The patterns of one filter; never changed, for any number of finders, all in one thread. */
struct date_patterns;

/*
 * Compiles a `datepattern` (alternatives one a line; text NULL: the defaults) and a `logtimezone`
 * (text NULL: local time). What is wrong goes to f. Returns 0, or -EINVAL with *ret untouched.
 */
int date_patterns_new(struct date_patterns **ret, const struct conf_text *pattern,
	const struct conf_text *zone, struct faults *f);

/* No finder of it may be left. Takes NULL. */
void date_patterns_free(struct date_patterns *p);

/* What went wrong while looking for dates, all finders together. */
const struct filter_stats *date_stats(void);

/*
 * Looks with one set of patterns at the lines of one source: it learns which patterns they have,
 * and the same second's text is not read twice. Borrows the patterns. NULL when out of memory.
 */
struct date_finder;

struct date_finder *date_finder_new(const struct date_patterns *p);
void date_finder_free(struct date_finder *f);

/* Where a line's date stands and what it says. */
struct stamp {
	int64_t time_us; /* since 1970 UTC */
	size_t off, len; /* the bytes to cut out before matching */
};

enum date_found {
	DATE_NONE,       /* none of the patterns is in it */
	DATE_EMPTY,      /* one is, with nothing to cut out: lines need not have a date */
	DATE_UNREADABLE, /* one is, but there is no such time */
	DATE_FOUND,
};

/*
 * Looks for the date of line[0..len). now_us helps with what the line leaves out (year, day). Fills
 * off and len of *ret unless it returns DATE_NONE, and time_us when it returns DATE_FOUND.
 */
enum date_found date_find(
	struct date_finder *f, const char *line, size_t len, int64_t now_us, struct stamp *ret);

/*
 * While all lines look alike (datehabit.h), most need not be looked at one by one. The habit that
 * the finder is in, for lines dated by this now_us; false: none. It is that until date_find finds a
 * date that does not look so, or another habit.
 */
struct date_habit;

bool date_finder_habit(const struct date_finder *f, int64_t now_us, struct date_habit *ret);

/*
 * Passes over n lines, n > 0, that all had the finder's habit, `last` the last of them: the finder
 * is then where date_find for each of them would have brought it. The rest is as for that line.
 */
enum date_found date_pass(struct date_finder *f, uint64_t n, const char *last, size_t len,
	int64_t now_us, struct stamp *ret);

/*
 * What the finder knows of lines in which it finds no date (datemiss.h); false: nothing. It is true
 * of all finders with these patterns, at any time.
 */
struct date_miss;

bool date_finder_miss(const struct date_finder *f, struct date_miss *ret);

/* A pattern as a finder has it now. */
struct date_usage {
	const char *name;    /* as fail2ban calls it: "{^LN-BEG}Day..." */
	const char *pattern; /* as written; NULL for Epoch and TAI64N */
	const char *regex;
	uint64_t hits;     /* lines of which it had the date */
	size_t distance;   /* where it began in the last of them */
	int64_t used_us;   /* the present when that was, 0 never */
	double weight;     /* of its hits, at that distance */
	double hit_weight; /* of one */
};

/* How many patterns there are, and the one at place i in the order in which they are tried now. */
size_t date_finder_count(const struct date_finder *f);
struct date_usage date_finder_usage(const struct date_finder *f, size_t i);
