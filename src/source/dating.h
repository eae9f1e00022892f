/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "match/date.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * When the lines of one source were written, for the jails that have one set of date patterns: what
 * the finder finds, settled against the clock and the lines before.
 */
struct dating {
	const struct date_patterns *patterns;
	struct date_finder *finder;
	int64_t last_time_us; /* of the last dated line */
};

/* Borrows the patterns. 0 or -ENOMEM. */
int dating_init(struct dating *d, const struct date_patterns *patterns);
void dating_done(struct dating *d);

/* What is known of a line beside its text. Times in microseconds since 1970 UTC. */
struct dating_clock {
	int64_t now_us;
	int64_t carried_us; /* when what carries the source's lines got this one; 0: it says nothing
			     */
	bool live;          /* it is being written now, not caught up with */
};

struct dated_line {
	int64_t at_us;
	const char *text; /* what of it filters judge */
	size_t len;
	size_t cut_off; /* where in the line what is not in the text began; if there is less of it
			 */
	bool is_dated;
	int64_t off_us; /* how far its date was ahead of (or behind) the clock, if it was taken as
			   now */
};

/*
 * Dates a line. A line without a date belongs to the one before it; when that was long ago and the
 * line is new, it is of now (as fail2ban has it). scratch: len bytes, in which the text is put
 * together when its date stood in the middle; *ret borrows from it or from the line.
 */
void dating_line(struct dating *d, const struct dating_clock *clock, const char *line, size_t len,
	char *scratch, struct dated_line *ret);

/*
 * The line without its date, as filters expect it: what stood before and after joined, in scratch
 * (len bytes) if it must be. Fills text, len and cut_off.
 */
void dating_cut(struct dated_line *ret, const char *line, size_t len, const struct stamp *at,
	char *scratch);

/*
 * When a line was written that says so. A time that lies ahead is taken as now; so is one long past
 * in a source that is read as it is written: its clock or its zone is wrong, or an attacker chose
 * the date, and either must not let him off (fail2ban does the same). *ret_off_us: by how much, if
 * it is remarkable, else 0.
 */
int64_t dating_settle(const struct dating_clock *clock, int64_t time_us, int64_t *ret_off_us);

/* Times from *ret_from_us to *ret_to_us need no settling. */
void dating_plain(const struct dating_clock *clock, int64_t *ret_from_us, int64_t *ret_to_us);
