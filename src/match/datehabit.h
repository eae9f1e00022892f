/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "match/date.h"

#include <stdint.h>

#define DATE_HABIT_TEXT 32
#define DATE_HABIT_TAIL 8

/* What may follow a date's seconds, and would be part of it. */
enum date_more {
	DATE_MORE_NOTHING,
	DATE_MORE_FRACTION, /* ".123" */
	DATE_MORE_YEAR,     /* ".123", " 2026" */
	DATE_MORE_ZONE,     /* ".123", " +0100" */
	DATE_MORE_ISO,      /* ".123", ",123", "+01:00", " Z" */
};

/*
 * How the lines of a source are dated as long as they all look alike: the same month, written in
 * the same way in the same place by a clock with the same distance to UTC, which a finder finds by
 * the pattern that had the last date whatever else is in the line. A plain value, for any thread.
 */
struct date_habit {
	/* The date up to its seconds with what stands before it, but for what changes (mask 0). */
	uint64_t text[DATE_HABIT_TEXT / 8], mask[DATE_HABIT_TEXT / 8];
	const struct date_template *template;
	int64_t base_sec; /* the midnight before the month's first day, seconds since 1970 UTC */
	/* A zone or a year behind the seconds and their fraction, its first byte the lowest. */
	uint64_t tail, tail_mask;
	uint8_t size;                /* bytes of `text` */
	uint8_t cut;                 /* where in it begins what is cut out of the line */
	uint8_t day;                 /* where the day's two digits are */
	uint8_t clock;               /* where "HH:MM:SS" is */
	uint8_t first_day, last_day; /* of the month, in which all this holds */
	uint8_t more;                /* enum date_more */
	uint8_t outside;             /* 1: "[" before the date and "]" behind it are cut out, too */
	uint8_t tail_len;            /* of `tail`, DATE_HABIT_TAIL at most */
	char opener;  /* the text begins after the line's first such byte; '\0': at once */
	char blank;   /* what may stand for a leading 0 of the day */
	bool weekday; /* what is cut out begins with one */
};

/*
 * How many bytes of a line's beginning decided about its date, when it held with that stamp: of any
 * line that has the same ones it is the same. 0: it took more than those.
 */
size_t date_habit_reach(const struct date_habit *h, const struct stamp *stamp, size_t len);

bool date_habit_eq(const struct date_habit *a, const struct date_habit *b);

/*
 * Would a finder with this habit find this line's date by it, as DATE_FOUND? Then fills *ret as
 * date_find would. Of lines that do not look alike, and of what cannot be said without a calendar,
 * it says no.
 */
bool date_habit_holds(const struct date_habit *h, const char *line, size_t len, struct stamp *ret);
