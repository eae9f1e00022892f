/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "source/lines.h"

/* A line that comes by itself; line breaks in it are bytes like others. */
struct single {
	const char *text;
	size_t len;
	const int64_t *time_us; /* when it was written, if that does not stand in it; or NULL */
	const bool *off;        /* a filter each: it is not for that one. NULL: it is for all */
};

/*
 * Takes it. scan: of the plan's sieve, NULL if there is none. begin and end are not asked.
 */
void single_take(struct lines *l, const struct dating_clock *clock, struct sieve_scan *scan,
	const struct single *line, const struct lines_listener *to, struct lines_count *count);
