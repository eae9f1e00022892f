/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "match/civil.h"
#include "match/datetemplate.h"

/* What fields stand for, as fail2ban works it out: what is left out, impossible days, zones. */

/* Now, and where we are. */
struct date_clock {
	int64_t now_us; /* since 1970 UTC */
	struct civil_zone *zone;
	bool has_offset; /* times without a zone are of offset_min, not of `zone` */
	int offset_min;
};

/*
 * The time that the template found last in line says. Returns 0 and microseconds since 1970 UTC, or
 * -EINVAL when there is no such time.
 */
int datefields_read(int64_t *ret_us, const struct date_template *t, const char *line,
	const struct date_clock *clock);
