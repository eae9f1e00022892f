/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "match/date.h"
#include "match/datetemplate.h"

/* The inside of date_patterns: what finders read of it. */

struct date_choice {
	const struct date_template *template;
	double weight;   /* what its hits count */
	bool is_default; /* and as such known to look no further than a few bytes past its end */
};

struct date_patterns {
	struct date_choice *choices; /* in the order in which they are tried first */
	size_t n;
	bool has_offset; /* logtimezone: dates without a zone are of offset_min */
	int offset_min;
};
