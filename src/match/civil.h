/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* A date of the Gregorian calendar, with a time of day. */
struct civil {
	int year, month, day;     /* month and day from 1 */
	int hour, minute, second; /* second may be 60 */
	int usec;
};

/* Days from 1970-01-01 to that day; month from 1. */
int64_t civil_days(int year, int month, int day);

/* The day so many days after 1970-01-01, 0:00. */
struct civil civil_of(int64_t days);

/* Is there such a day, between the years 1 and 9999? */
bool civil_is_day(int year, int month, int day);

/* Is there such a day, such a time? */
bool civil_is_valid(const struct civil *c);

/*
 * What local time is in UTC and the other way round, remembered for the last time asked for. {0} is
 * an empty one. Uses localtime_r alone, which reads the zone from disk once a process at most.
 */
struct civil_zone {
	bool known;
	int64_t hour;   /* of local time since 1970 */
	int offset_sec; /* holds all through that hour */
	bool utc_known;
	int64_t utc_quarter;
	int utc_offset_sec; /* holds all through that quarter of an hour */
};

/*
 * Seconds since 1970 UTC of local_sec, the seconds since 1970 as the local clock counts them. An
 * hour that comes twice (the end of summer time) is the later one unless that is still to come at
 * now_sec; one that is skipped is read by the offset before it.
 */
int64_t civil_zone_utc(struct civil_zone *z, int64_t local_sec, int64_t now_sec);

/* The seconds since 1970 as the local clock counts them at utc_sec. */
int64_t civil_zone_local(struct civil_zone *z, int64_t utc_sec);

/*
 * Is local time the same distance from UTC all through that day (since 1970) and well before and
 * after, so that civil_zone_utc is but a subtraction?
 */
bool civil_is_plain_day(int64_t day, int *ret_offset_sec);
