/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "match/date.h"
#include "match/dateformat.h"

/*
 * What is known of lines in which a finder finds no date: a line of which all that is asked for
 * here is true has none for it. A plain value, for any thread.
 */
struct date_miss {
	uint64_t text, mask;      /* how the line begins, as bytes in memory */
	char need[DATE_NEED_MAX]; /* a text that is not in it; empty: any may be */
	bool need_clock;          /* or it is, but with no clock behind it */
	bool begins_address;      /* with one to three digits and a dot */
	bool begins_no_number; /* of ten digits, nor has one after its first "[" or after "audit("
				*/
	bool no_clock;         /* nowhere a digit, ":" and a digit */
	bool no_square_date;   /* after the first "[" neither a clock nor how other dates begin */
};

bool date_miss_eq(const struct date_miss *a, const struct date_miss *b);

/* Is it such a line? Then date_find for it says DATE_NONE, and the finder is as it was. */
bool date_miss_holds(const struct date_miss *m, const char *line, size_t len);

/* Is the text, not empty, in the line, and if with_clock a clock behind it? */
bool date_has_text(const char *line, size_t len, const char *text, bool with_clock);

/* Is there a digit, ":" and a digit? */
bool date_has_clock(const char *s, size_t len);

/* Does it begin with one to three digits and a dot? */
bool date_begins_address(const char *line, size_t len);
