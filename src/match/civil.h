/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* A date and time as it is written. */
struct civil {
	int year;                             /* 0: the text leaves it out */
	int month, day, hour, minute, second; /* second may be 60 */
	int usec;
	bool has_offset; /* the text names its zone, else it is local time */
	int offset_sec;  /* east of Greenwich */
};

/* Days from 1970-01-01 to that day of the Gregorian calendar; month from 1. */
int64_t civil_days(int year, int month, int day);

/* The year in which that day lies. */
int civil_year_of(int64_t days);

/* Is there such a day, such a time? The year 0 is taken as a leap year. */
bool civil_is_valid(const struct civil *c);

/*
 * What local time is in UTC, remembered for the last hour asked for. {0} is an empty one. Uses
 * localtime_r alone, which reads the zone from disk once a process at most.
 */
struct civil_zone {
	bool known;
	int64_t hour;   /* of local time since 1970 */
	int offset_sec; /* holds all through that hour */
};

/*
 * Seconds since 1970 UTC of local_sec, the seconds since 1970 as the local clock counts them. An
 * hour that comes twice (the end of summer time) is the later one unless that is still to come at
 * now_sec; one that is skipped is read by the offset before it.
 */
int64_t civil_zone_utc(struct civil_zone *z, int64_t local_sec, int64_t now_sec);
