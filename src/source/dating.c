/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/dating.h"

#include "base/clock.h"
#include "source/container.h"

#include <errno.h>
#include <string.h>

/* How far from our clock a line that was just written may be before it is remarkable. */
#define CLOCK_SLACK_US (60 * USEC_PER_SEC)
#define UNDATED_US (60 * USEC_PER_SEC)

int dating_init(struct dating *d, const struct date_patterns *patterns)
{
	*d = (struct dating) {.patterns = patterns, .finder = date_finder_new(patterns)};
	return d->finder != NULL ? 0 : -ENOMEM;
}

void dating_done(struct dating *d)
{
	date_finder_free(d->finder);
	*d = (struct dating) {0};
}

int64_t dating_settle(const struct dating_clock *clock, int64_t time_us, int64_t *ret_off_us)
{
	int64_t ahead_us = time_us - clock->now_us;

	*ret_off_us = 0;
	if (ahead_us <= 0 && (ahead_us >= -CLOCK_SLACK_US || !clock->live))
		return time_us;
	if (ahead_us > CLOCK_SLACK_US || ahead_us < 0)
		*ret_off_us = ahead_us;
	return clock->now_us;
}

void dating_plain(const struct dating_clock *clock, int64_t *ret_from_us, int64_t *ret_to_us)
{
	*ret_from_us = clock->live ? clock->now_us - CLOCK_SLACK_US : INT64_MIN;
	*ret_to_us = clock->now_us;
}

/*
 * Times do not run back in a log that is being caught up with: a date further in that says so is
 * somebody's name, and must not make his line too old to count.
 */
static int64_t in_order(const struct dating *d, const struct dating_clock *clock, int64_t at_us)
{
	return !clock->live && at_us < d->last_time_us - CLOCK_SLACK_US ? d->last_time_us : at_us;
}

void dating_cut(
	struct dated_line *l, const char *line, size_t len, const struct stamp *at, char *scratch)
{
	size_t after = at->off + at->len;

	l->len = len - at->len;
	l->cut_off = at->off;
	l->text = line + at->len;
	if (at->off == 0)
		return;
	memcpy(scratch, line, at->off);
	memcpy(scratch + at->off, line + after, len - after);
	l->text = scratch;
}

void dating_line(struct dating *d, const struct dating_clock *clock, const char *line, size_t len,
	char *scratch, struct dated_line *ret)
{
	bool forgotten = d->last_time_us == 0 ||
			 (clock->live && d->last_time_us < clock->now_us - UNDATED_US);
	struct stamp stamp = {0};
	bool is_ahead;
	enum date_found found = date_find(d->finder, line, len, clock->now_us, &stamp);

	*ret = (struct dated_line) {.text = line, .len = len};
	ret->is_dated = found == DATE_FOUND || found == DATE_EMPTY || clock->carried_us != 0;
	if (found == DATE_FOUND) {
		ret->at_us = clock->carried_us != 0
				     ? container_time(clock->carried_us, stamp.time_us, stamp.off)
				     : stamp.time_us;
		is_ahead = ret->at_us > clock->now_us;
		ret->at_us = in_order(d, clock, dating_settle(clock, ret->at_us, &ret->off_us));
		/* One date in the future must not make all that is caught up with after it new. */
		if (clock->live || !is_ahead)
			d->last_time_us = ret->at_us;
	} else if (clock->carried_us != 0) {
		ret->at_us = dating_settle(clock, clock->carried_us, &ret->off_us);
	} else {
		ret->at_us = forgotten ? clock->now_us : d->last_time_us;
	}
	/* What could not be read stays in the line when that is taken as part of the one before. */
	if (found == DATE_FOUND || (found == DATE_UNREADABLE && forgotten))
		dating_cut(ret, line, len, &stamp, scratch);
}
