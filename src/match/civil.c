/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/civil.h"

#include <time.h>

#define DAY_SEC 86400
#define CLOCK_SLACK_SEC 60 /* a log's clock may be that much ahead of ours */

/* Howard Hinnant's days_from_civil: years begin in March, so that the leap day comes last. */
int64_t civil_days(int year, int month, int day)
{
	int y = month <= 2 ? year - 1 : year;
	int era = (y >= 0 ? y : y - 399) / 400;
	int yoe = y - era * 400;
	int doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

	return (int64_t)era * 146097 + doe - 719468;
}

struct civil civil_of(int64_t days)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;
	struct civil c = {0};

	c.day = (int)(doy - (153 * mp + 2) / 5 + 1);
	c.month = (int)(mp < 10 ? mp + 3 : mp - 9);
	/* January and February belong to the year that began in the March before. */
	c.year = (int)(yoe + era * 400) + (c.month <= 2 ? 1 : 0);
	return c;
}

bool civil_is_day(int year, int month, int day)
{
	static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 || day > days[month - 1])
		return false;
	return month != 2 || day < 29 || (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
}

bool civil_is_valid(const struct civil *c)
{
	return civil_is_day(c->year, c->month, c->day) && c->hour >= 0 && c->hour <= 23 &&
	       c->minute >= 0 && c->minute <= 59 && c->second >= 0 && c->second <= 60;
}

static int offset_at(int64_t utc_sec)
{
	time_t t = (time_t)utc_sec;
	struct tm tm;

	return localtime_r(&t, &tm) != NULL ? (int)tm.tm_gmtoff : 0;
}

/* The offset for a local time; *ret_plain tells whether that time exists exactly once. */
static int offset_for(int64_t local_sec, int64_t now_sec, bool *ret_plain)
{
	int before = offset_at(local_sec - DAY_SEC);
	int after = offset_at(local_sec + DAY_SEC);
	bool is_before = offset_at(local_sec - before) == before;
	bool is_after = offset_at(local_sec - after) == after;
	int64_t first, second;

	*ret_plain = is_before != is_after || (before == after && is_before);
	if (before == after || is_before != is_after)
		return is_after ? after : before;
	if (!is_before)
		return before;
	first = local_sec - before;
	second = local_sec - after;
	if (first > second) {
		first = second;
		second = local_sec - before;
	}
	return (int)(local_sec - (second <= now_sec + CLOCK_SLACK_SEC ? second : first));
}

int64_t civil_zone_utc(struct civil_zone *z, int64_t local_sec, int64_t now_sec)
{
	int64_t hour = local_sec >= 0 ? local_sec / 3600 : (local_sec - 3599) / 3600;
	bool plain_start, plain_end;
	int start, end;

	if (z->known && z->hour == hour)
		return local_sec - z->offset_sec;
	start = offset_for(hour * 3600, now_sec, &plain_start);
	end = offset_for(hour * 3600 + 3599, now_sec, &plain_end);
	/* An hour with a change in it is worked out anew for each line. */
	if (!plain_start || !plain_end || start != end)
		return local_sec - offset_for(local_sec, now_sec, &plain_start);
	z->known = true;
	z->hour = hour;
	z->offset_sec = start;
	return local_sec - start;
}

int64_t civil_zone_local(struct civil_zone *z, int64_t utc_sec)
{
	/* All zones of our days change their clocks at a quarter of an hour of UTC. */
	int64_t quarter = utc_sec >= 0 ? utc_sec / 900 : (utc_sec - 899) / 900;

	if (!z->utc_known || z->utc_quarter != quarter) {
		z->utc_known = true;
		z->utc_quarter = quarter;
		z->utc_offset_sec = offset_at(utc_sec);
	}
	return utc_sec + z->utc_offset_sec;
}

bool civil_is_plain_day(int64_t day, int *ret_offset_sec)
{
	const int step = DAY_SEC / 4; /* no change of clocks is taken back as soon as that */
	int offset = offset_at((day - 1) * DAY_SEC);

	/* offset_for looks a day back and ahead, at what is less than a day off. */
	for (int64_t t = (day - 1) * DAY_SEC; t <= (day + 2) * DAY_SEC; t += step) {
		if (offset_at(t) != offset)
			return false;
	}
	*ret_offset_sec = offset;
	return true;
}
