/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Finds the date in a log line. The formats known are tried in the order in which they hit so far;
 * the same second's text is not read twice. One finder a source (it learns).
 *
 * A date without a zone is local time. The zone is read from disk once a process, at the first use:
 * who gives up the file system first must have called tzset() before.
 */
struct date_finder;

struct date_finder *date_finder_new(void);
void date_finder_free(struct date_finder *f);

/* Where a line's date stands and what it says. */
struct stamp {
	int64_t time_us; /* since 1970 UTC */
	size_t off, len; /* the bytes to cut out before matching */
};

/*
 * Looks for a date in line[0..len). now_us helps with what the line leaves out (year). Returns true
 * and fills *ret, or false with *ret untouched.
 */
bool date_find(
	struct date_finder *f, const char *line, size_t len, int64_t now_us, struct stamp *ret);
