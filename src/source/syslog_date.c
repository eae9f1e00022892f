/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/syslog_date.h"

#include <string.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* n digits there, or -1. */
static int number(struct syslog_part date, size_t at, size_t n)
{
	int value = 0;

	if (date.len < at + n)
		return -1;
	for (size_t i = at; i < at + n; i++) {
		if (!is_digit(date.p[i]))
			return -1;
		value = value * 10 + (date.p[i] - '0');
	}
	return value;
}

static bool is_day(int year, int month, int day)
{
	static const signed char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month >= 1 && month <= 12 && day >= 1 &&
	       day <= days[month - 1] + (month == 2 && is_leap);
}

static bool is_near(int year, int now)
{
	return year >= now - 1 && year <= now + 1;
}

/* "07:12:49" there; 60 is a leap second. */
static bool is_clock(struct syslog_part date, size_t at)
{
	int hour = number(date, at, 2), minute = number(date, at + 3, 2),
	    second = number(date, at + 6, 2);

	return hour >= 0 && hour <= 23 && minute >= 0 && minute <= 59 && second >= 0 &&
	       second <= 60 && date.p[at + 2] == ':' && date.p[at + 5] == ':';
}

/* Behind the seconds: ".123456", then "Z", "+01:00" or "+0100", or nothing of it. */
static bool is_end(struct syslog_part date, size_t at)
{
	int hours, minutes;

	if (at < date.len && (date.p[at] == '.' || date.p[at] == ',') &&
		number(date, at + 1, 1) >= 0)
		for (at++; at < date.len && is_digit(date.p[at]); at++)
			;
	if (at == date.len || (date.p[at] == 'Z' && at + 1 == date.len))
		return true;
	hours = number(date, at + 1, 2);
	minutes = number(date, date.len - 2, 2);
	return (date.p[at] == '+' || date.p[at] == '-') && hours >= 0 && hours <= 19 &&
	       minutes >= 0 && minutes <= 59 &&
	       (date.len == at + 5 || (date.len == at + 6 && date.p[at + 3] == ':'));
}

/* "2026-11-20T07:12:49.123+01:00" */
static bool iso_fits(struct syslog_part date, int now)
{
	int year = number(date, 0, 4);

	return is_near(year, now) && is_day(year, number(date, 5, 2), number(date, 8, 2)) &&
	       date.p[4] == '-' && date.p[7] == '-' && (date.p[10] == 'T' || date.p[10] == ' ') &&
	       is_clock(date, 11) && is_end(date, 19);
}

/* 1 to 12, or 0. */
static int month_of(struct syslog_part date)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int i = 0; i < 12; i++)
		if (memcmp(date.p, names + 3 * i, 3) == 0)
			return i + 1;
	return 0;
}

/* "Nov 20 07:12:49", "Nov  2 07:12:49", "Nov 20 2026 07:12:49.123" */
static bool bsd_fits(struct syslog_part date, int now)
{
	size_t at = date.p[4] == ' ' ? 5 : 4, digits = is_digit(date.p[at + 1]) ? 2 : 1;
	int year = now, day = number(date, at, digits);

	at += digits + 1;
	if (number(date, at, 4) >= 0) {
		year = number(date, at, 4);
		at += 5;
	}
	return date.len >= at + 8 && is_near(year, now) && is_day(year, month_of(date), day) &&
	       is_clock(date, at) && is_end(date, at + 8);
}

bool syslog_date_fits(struct syslog_part date, int year)
{
	if (date.len < 14)
		return false;
	return is_digit(date.p[0]) ? date.len >= 19 && iso_fits(date, year) : bsd_fits(date, year);
}
