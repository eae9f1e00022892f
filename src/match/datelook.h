/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "match/datehabit.h"

/* How a date up to its seconds is laid out. */
enum date_layout {
	DATE_LAYOUT_ISO,   /* 2026-11-20 13:40:45 */
	DATE_LAYOUT_NAME,  /* Nov 20 13:40:45, Fri Nov 20 13:40:45 */
	DATE_LAYOUT_NAMED, /* Nov 20 2026 13:40:45, Fri Nov 20 2026 13:40:45 */
	DATE_LAYOUT_DAY,   /* 20/Nov/2026:13:40:45 */
};

/* A pattern of which it is known what texts it takes. */
struct date_look {
	const char *pattern; /* the date's own part */
	enum date_layout layout;
	enum date_more more;
};

/* Where in a line it looks. */
struct date_around {
	const char *before, *after; /* what stands around the date in the pattern */
	char opener;                /* the date stands right after the line's first; '\0': at its
				       beginning */
	size_t outside;             /* so many bytes on either side of it are cut out with it */
	size_t signs;               /* so many may stand before it there */
};

/* Knows the whole pattern? Both are static. */
bool datelook_of(
	const char *pattern, const struct date_look **ret, const struct date_around **ret_around);

/* Does the whole pattern look for a default date after the first "[" of the line? */
bool datelook_is_square(const char *pattern);

/* What a date up to its seconds says, and where. */
struct date_parts {
	int year; /* 0: nothing */
	int month, day;
	size_t day_at, clock_at, size;
	bool weekday; /* it begins with one */
};

/* Is text[0..len) laid out so, with two digits for all but the year? */
bool datelook_read(enum date_layout layout, const char *text, size_t len, struct date_parts *ret);
