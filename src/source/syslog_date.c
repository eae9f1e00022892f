/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/syslog_date.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The number of two digits, or one that is too high for anything. */
static unsigned two(const char *p)
{
	return is_digit(p[0]) && is_digit(p[1]) ? (unsigned)(p[0] - '0') * 10 + (p[1] - '0') : 100;
}

static bool is_day(int year, unsigned month, unsigned day)
{
	static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month >= 1 && month <= 12 && day >= 1 &&
	       (day <= days[month - 1] || (day == 29 && is_leap && month == 2));
}

/* Four digits, such as of this year or the one before or after. */
static bool take_year(const char *p, int now, int *ret)
{
	unsigned century = two(p), year = two(p + 2);

	*ret = (int)(century * 100 + year);
	return century < 100 && year < 100 && *ret >= now - 1 && *ret <= now + 1;
}

/* "07:12:49"; 60 is a leap second. */
static bool is_clock(const char *p)
{
	return two(p) <= 23 && p[2] == ':' && two(p + 3) <= 59 && p[5] == ':' && two(p + 6) <= 60;
}

/* Behind the seconds: ".123456", then "Z", "+01:00" or "+0100", or nothing of it. */
static bool is_end(struct syslog_part date, size_t at)
{
	const char *p = date.p + at, *end = date.p + date.len;

	if (end - p >= 2 && (*p == '.' || *p == ',') && is_digit(p[1]))
		for (p++; p < end && is_digit(*p); p++)
			;
	if (p == end || (*p == 'Z' && p + 1 == end))
		return true;
	if ((*p != '+' && *p != '-') || (end - p != 5 && (end - p != 6 || p[3] != ':')))
		return false;
	return two(p + 1) <= 19 && two(end - 2) <= 59;
}

/* "2026-11-20T07:12:49.123+01:00" */
static bool iso_fits(struct syslog_part date, int now)
{
	const char *p = date.p;
	int year;

	return date.len >= 19 && take_year(p, now, &year) && p[4] == '-' && p[7] == '-' &&
	       is_day(year, two(p + 5), two(p + 8)) && (p[10] == 'T' || p[10] == ' ') &&
	       is_clock(p + 11) && is_end(date, 19);
}

#define NAME(a, b, c) ((unsigned char)(a) << 16 | (unsigned char)(b) << 8 | (unsigned char)(c))

/* 1 to 12, or 0. */
static unsigned month_of(const char *p)
{
	switch (NAME(p[0], p[1], p[2])) {
	case NAME('J', 'a', 'n'):
		return 1;
	case NAME('F', 'e', 'b'):
		return 2;
	case NAME('M', 'a', 'r'):
		return 3;
	case NAME('A', 'p', 'r'):
		return 4;
	case NAME('M', 'a', 'y'):
		return 5;
	case NAME('J', 'u', 'n'):
		return 6;
	case NAME('J', 'u', 'l'):
		return 7;
	case NAME('A', 'u', 'g'):
		return 8;
	case NAME('S', 'e', 'p'):
		return 9;
	case NAME('O', 'c', 't'):
		return 10;
	case NAME('N', 'o', 'v'):
		return 11;
	case NAME('D', 'e', 'c'):
		return 12;
	}
	return 0;
}

/* "Nov 20 07:12:49", "Nov  2 07:12:49", "Nov 2 07:12:49", "Nov 20 2026 07:12:49.123" */
static bool bsd_fits(struct syslog_part date, int now)
{
	const char *p = date.p;
	size_t at = p[4] == ' ' ? 5 : 4;
	bool is_one = p[at + 1] == ' ';
	unsigned day = is_one && is_digit(p[at]) ? (unsigned)(p[at] - '0') : two(p + at);
	int year = now;

	at += is_one ? 2 : 3;
	if (date.len >= at + 13 && p[at + 2] != ':') {
		if (!take_year(p + at, now, &year))
			return false;
		at += 5;
	}
	return date.len >= at + 8 && is_day(year, month_of(p), day) && is_clock(p + at) &&
	       is_end(date, at + 8);
}

bool syslog_date_fits(struct syslog_part date, int year)
{
	if (date.len < 14)
		return false;
	return is_digit(date.p[0]) ? iso_fits(date, year) : bsd_fits(date, year);
}
