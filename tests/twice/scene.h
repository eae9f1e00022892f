/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/clock.h"
#include "twice/twice.h"

/* Filters and a log for them, for tests that end (cmocka's way) when something is not as it should.
 */

#define SCENE_NOW_US (1795159800LL * USEC_PER_SEC) /* 2026-11-20 07:30:00 UTC */
#define SCENE_FILTERS_MAX 2048
#define SCENE_DATES_MAX 64
#define SCENE_LINE_MAX 1500 /* bytes of a line that are judged */

#define SCENE_SYSLOG "%b %e %H:%M:%S"
#define SCENE_ISO "%Y-%m-%dT%H:%M:%S.123456+00:00"

/* A filter; dates: the place of its set of date patterns. */
struct scene_rules {
	const char *pref, *fail[6], *ignore[3];
	unsigned maxlines, dates;
};

struct scene {
	struct twice twice;
	struct filter *filters[3 * SCENE_FILTERS_MAX];
	struct date_patterns *dates[SCENE_DATES_MAX];
	size_t n_filters, n_dates;
	char *log;
	size_t len, room;
	uint64_t ways; /* to read it in */
};

/* scene_check frees it. */
struct scene *scene_new(void);

/* Of these filters and sets of date patterns, up to a NULL that is not the first; NULL: the
 * default.
 */
struct scene *scene_of(const struct scene_rules *rules, size_t n, const char *const *dates);

void scene_add_dates(struct scene *s, const char *pattern);
void scene_add_zoned(struct scene *s, const char *pattern, const char *zone);
void scene_add(struct scene *s, const struct scene_rules *r);

/* A filter that the scene frees, but has no part in. */
struct filter *scene_filter(struct scene *s, const struct scene_rules *r);

/* Adds to the log. */
void scene_put(struct scene *s, const char *text, size_t len);
void scene_say(struct scene *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* n lines that are nothing to anybody, from so many seconds ago on, one a second. */
void scene_chat(struct scene *s, const char *format, size_t n, int sec);

/* A date so many seconds before the present; good until the next but one. */
const char *scene_ago(const char *format, int sec);

/*
 * Reads the log in many ways. found: how many matches there are at least, passed: how many lines
 * are passed over, in all ways together; else the test would not be about what it should.
 */
void scene_check(struct scene *s, size_t found, uint64_t passed);

/* One of n, as twice_way wants it; arg: a uint64_t. */
uint32_t scene_choose(void *arg, uint32_t n);
