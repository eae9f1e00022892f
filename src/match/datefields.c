/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/datefields.h"

#include "base/clock.h"
#include "match/zone.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define UNSET INT_MIN
#define DAY_SEC 86400
#define DIGITS_MAX 9
#define WEEKS_MAX 9999
#define FIRST_SEC (-62135596800LL) /* year 1 */
#define LAST_SEC 253402300799LL    /* the end of year 9999 */

/* What the groups say. */
struct fields {
	int year, month, day;
	int hour, minute, second;
	int weekday; /* Monday is 0 */
	int yearday, week;
	bool week_from_monday;
	bool has_offset;
	int offset_min;
};

static const char *const months[] = {"", "january", "february", "march", "april", "may", "june",
	"july", "august", "september", "october", "november", "december"};
static const char *const weekdays[] = {
	"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A whole number, blanks around it allowed. */
static int read_number(int *ret, const char *s, size_t len)
{
	bool negative;
	int n = 0;

	while (len > 0 && is_blank(*s)) {
		s++;
		len--;
	}
	while (len > 0 && is_blank(s[len - 1]))
		len--;
	negative = len > 0 && *s == '-';
	if (len > 0 && (*s == '-' || *s == '+')) {
		s++;
		len--;
	}
	if (len == 0 || len > DIGITS_MAX)
		return -EINVAL;
	for (; len > 0; s++, len--) {
		if (!is_digit(*s))
			return -EINVAL;
		n = n * 10 + (*s - '0');
	}
	*ret = negative ? -n : n;
	return 0;
}

/* A name, whole or its first three letters, in any case. */
static int read_name(
	int *ret, const char *const *names, int n, bool whole, const char *s, size_t len)
{
	for (int i = 0; i < n; i++) {
		size_t want = whole || names[i][0] == '\0' ? strlen(names[i]) : 3;

		if (len == want && strncasecmp(s, names[i], len) == 0) {
			*ret = i;
			return 0;
		}
	}
	return -EINVAL;
}

static int read_zone(struct fields *f, const char *s, size_t len)
{
	int r = zone_read(&f->offset_min, s, len);

	f->has_offset = r == 0;
	return r;
}

/* The hour of a clock that counts to twelve; without "am" and "pm" it is taken as the morning's. */
static int read_half_hour(
	int *ret, const struct date_template *t, const char *line, const char *s, size_t len)
{
	const char *half = "";
	size_t half_len = 0;
	int r = read_number(ret, s, len);

	if (r < 0)
		return r;
	for (size_t i = 0; i < t->n_fields; i++) {
		if (t->fields[i].format == 'p' &&
			!datetemplate_capture(t, line, t->fields[i].group, &half, &half_len))
			return -EINVAL;
	}
	if ((half_len == 0 || (half_len == 2 && strncasecmp(half, "am", 2) == 0)) && *ret == 12)
		*ret = 0;
	else if (half_len == 2 && strncasecmp(half, "pm", 2) == 0 && *ret != 12)
		*ret += 12;
	return 0;
}

static int read_weekday_number(struct fields *f, const char *s, size_t len)
{
	int r = read_number(&f->weekday, s, len);

	if (r == 0)
		f->weekday = f->weekday - 1 < 0 ? 6 : f->weekday - 1;
	return r;
}

static int read_year(struct fields *f, char format, const char *s, size_t len)
{
	int r = read_number(&f->year, s, len);

	/* Two digits are of this century. */
	if (r == 0 && format == 'y' && f->year <= 2000)
		f->year += 2000;
	return r;
}

static int read_field(struct fields *f, const struct date_template *t, char format,
	const char *line, const char *s, size_t len)
{
	switch (format) {
	case 'Y':
	case 'y':
		return read_year(f, format, s, len);
	case 'm':
		return read_number(&f->month, s, len);
	case 'B':
	case 'b':
		return read_name(&f->month, months, 13, format == 'B', s, len);
	case 'd':
		return read_number(&f->day, s, len);
	case 'H':
		return read_number(&f->hour, s, len);
	case 'I':
		return read_half_hour(&f->hour, t, line, s, len);
	case 'M':
		return read_number(&f->minute, s, len);
	case 'S':
		return read_number(&f->second, s, len);
	case 'A':
	case 'a':
		return read_name(&f->weekday, weekdays, 7, format == 'A', s, len);
	case 'w':
		return read_weekday_number(f, s, len);
	case 'j':
		return read_number(&f->yearday, s, len);
	case 'U':
	case 'W':
		f->week_from_monday = format == 'W';
		return read_number(&f->week, s, len);
	case 'Z':
	case 'z':
		return read_zone(f, s, len);
	default:
		return 0;
	}
}

/* The day of the year, from 1, of a weekday in a week of that year. */
static int yearday_of_week(const struct fields *f)
{
	/* 1970 began on a Thursday. */
	int first = (int)((civil_days(f->year, 1, 1) % 7 + 7 + 3) % 7);
	int day = f->weekday;

	if (!f->week_from_monday) {
		first = (first + 1) % 7;
		day = (day + 1) % 7;
	}
	if (f->week == 0)
		return 1 + day - first;
	return 1 + (7 - first) % 7 + 7 * (f->week - 1) + day;
}

/* The day by its number in the year, or by week and weekday, if that is how it is written. */
static int settle_yearday(struct fields *f)
{
	struct civil c;

	if (f->year < 1 || f->year > 9999)
		return -EINVAL;
	if (f->yearday == UNSET && f->week != UNSET && f->weekday != UNSET) {
		/* A pattern's own group of that name may take any number. */
		if (abs(f->week) > WEEKS_MAX || abs(f->weekday) > WEEKS_MAX)
			return -EINVAL;
		f->yearday = yearday_of_week(f);
	}
	if (f->yearday == UNSET)
		return 0;
	c = civil_of(civil_days(f->year, 1, 1) + f->yearday - 1);
	f->year = c.year;
	f->month = c.month;
	f->day = c.day;
	return 0;
}

static int64_t div_floor(int64_t a, int64_t b)
{
	return a / b - (a % b < 0 ? 1 : 0);
}

/* Fields to seconds since 1970, by the clock of their zone or ours; what is missing is of now. */
static int settle(struct fields *f, const struct date_clock *clock, int64_t *ret_sec)
{
	int64_t now_sec = div_floor(clock->now_us, USEC_PER_SEC);
	int64_t local_sec = civil_zone_local(clock->zone, now_sec);
	struct civil now = civil_of(div_floor(local_sec, DAY_SEC));
	bool has_year = f->year != UNSET, has_day = true;
	int64_t sec;

	if (!has_year)
		f->year = now.year;
	if ((f->month == UNSET || f->day == UNSET) && settle_yearday(f) < 0)
		return -EINVAL;
	if (f->month == UNSET && f->day == UNSET) {
		f->month = now.month;
		f->day = now.day;
		has_day = false;
	}
	if (!civil_is_day(f->year, f->month, f->day) || f->hour < 0 || f->hour > 23 ||
		f->minute < 0 || f->minute > 59 || f->second < 0 || f->second > 59)
		return -EINVAL;
	sec = civil_days(f->year, f->month, f->day) * DAY_SEC + f->hour * 3600 + f->minute * 60 +
	      f->second - (f->has_offset ? f->offset_min * 60 : 0);
	if (sec < FIRST_SEC || sec > LAST_SEC)
		return -EINVAL;
	/* A time of day that is still to come was yesterday's. */
	if (!has_day && sec > local_sec)
		sec -= DAY_SEC;
	/* A day may be ahead by what zones and clocks differ; further on it is last year's. */
	if (!has_year && sec > local_sec + DAY_SEC) {
		if (!civil_is_day(f->year - 1, f->month, f->day))
			return -EINVAL;
		sec = civil_days(f->year - 1, f->month, f->day) * DAY_SEC +
		      (sec - div_floor(sec, DAY_SEC) * DAY_SEC);
	}
	*ret_sec = f->has_offset ? sec : civil_zone_utc(clock->zone, sec, now_sec);
	return 0;
}

static int read_civil(int64_t *ret_us, const struct date_template *t, const char *line,
	const struct date_clock *clock)
{
	struct fields f = {
		.year = UNSET,
		.month = UNSET,
		.day = UNSET,
		.weekday = UNSET,
		.yearday = UNSET,
		.week = UNSET,
	};
	int64_t sec;

	for (size_t i = 0; i < t->n_fields; i++) {
		const char *s;
		size_t len;

		if (datetemplate_capture(t, line, t->fields[i].group, &s, &len) &&
			read_field(&f, t, t->fields[i].format, line, s, len) < 0)
			return -EINVAL;
	}
	if (!f.has_offset && clock->has_offset) {
		f.has_offset = true;
		f.offset_min = clock->offset_min;
	}
	if (settle(&f, clock, &sec) < 0)
		return -EINVAL;
	*ret_us = sec * USEC_PER_SEC;
	return 0;
}

/* A decimal number as a count of `unit` microseconds; what is below a microsecond is dropped. */
static int read_decimal(int64_t *ret_us, const char *s, size_t len, int64_t unit)
{
	int64_t us = 0;
	size_t i = 0;

	for (; i < len && is_digit(s[i]); i++) {
		if (us > LAST_SEC * USEC_PER_SEC / 10)
			return -EINVAL;
		us = us * 10 + (s[i] - '0') * unit;
	}
	if (i == 0 || (i < len && s[i] != '.'))
		return -EINVAL;
	for (i++; i < len; i++) {
		if (!is_digit(s[i]))
			return -EINVAL;
		unit /= 10;
		us += (s[i] - '0') * unit;
	}
	*ret_us = us;
	return 0;
}

static int read_epoch(int64_t *ret_us, const struct date_template *t, const char *line)
{
	int64_t unit = USEC_PER_SEC;
	const char *s;
	size_t len;

	if (!datetemplate_capture(t, line, t->epoch_group, &s, &len))
		return -EINVAL;
	if (t->kind == DATE_LONG_EPOCH && len >= 13)
		unit = len >= 16 && memchr(s, '.', len) == NULL ? 1 : 1000;
	return read_decimal(ret_us, s, len, unit);
}

/* The label's seconds; the leap seconds since 1970 by which it is ahead are let be. */
static int read_tai64n(int64_t *ret_us, const struct date_template *t, const char *line)
{
	static const char digits[] = "0123456789abcdef";
	int64_t sec = 0;
	const char *s;
	size_t len;

	if (!datetemplate_capture(t, line, t->epoch_group, &s, &len) || len < 17)
		return -EINVAL;
	for (size_t i = 2; i < 17; i++) {
		const char *d = memchr(digits, s[i], sizeof(digits) - 1);

		if (d == NULL)
			return -EINVAL;
		sec = sec * 16 + (d - digits);
	}
	*ret_us = (sec < LAST_SEC ? sec : LAST_SEC) * USEC_PER_SEC;
	return 0;
}

int datefields_read(int64_t *ret_us, const struct date_template *t, const char *line,
	const struct date_clock *clock)
{
	switch (t->kind) {
	case DATE_CIVIL:
		return read_civil(ret_us, t, line, clock);
	case DATE_EPOCH:
	case DATE_LONG_EPOCH:
		return read_epoch(ret_us, t, line);
	case DATE_TAI64N:
		return read_tai64n(ret_us, t, line);
	}
	return -EINVAL;
}
