/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"
#include "match/civil.h"
#include "match/date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* 2026-11-20 07:30:00 UTC */
#define NOW_SEC 1795159800LL
#define NOW_US (NOW_SEC * USEC_PER_SEC)

static void zone_is(const char *tz)
{
	assert_int_equal(setenv("TZ", tz, 1), 0);
	tzset();
}

static int64_t utc(int y, int mon, int d, int h, int m, int s)
{
	return civil_days(y, mon, d) * 86400 + h * 3600 + m * 60 + s;
}

/* The date in line is want_us, its text is `text`; each asked twice, the second time remembered. */
static void check_us(const char *line, const char *text, int64_t want_us, int64_t now_us)
{
	struct date_finder *f = date_finder_new();

	assert_non_null(f);
	for (int i = 0; i < 2; i++) {
		struct stamp s = {0};

		if (!date_find(f, line, strlen(line), now_us, &s))
			fail_msg("no date in: %s", line);
		if (s.time_us != want_us)
			fail_msg("%s: %lld, not %lld", line, (long long)s.time_us,
				(long long)want_us);
		assert_int_equal(s.len, strlen(text));
		assert_memory_equal(line + s.off, text, s.len);
		assert_ptr_equal(line + s.off, strstr(line, text));
	}
	date_finder_free(f);
}

static void check(const char *line, const char *text, int64_t want_sec, int usec)
{
	check_us(line, text, want_sec * USEC_PER_SEC + usec, NOW_US);
}

static void forms(void **state)
{
	int64_t t = utc(2026, 11, 3, 7, 12, 49), u = utc(2026, 11, 20, 7, 12, 49);

	(void)state;
	zone_is("UTC");
	check("Nov  3 07:12:49 host sshd[1]: x", "Nov  3 07:12:49", t, 0);
	check("Nov 3 07:12:49 host", "Nov 3 07:12:49", t, 0);
	check("Nov 03 07:12:49 host", "Nov 03 07:12:49", t, 0);
	check("Nov 3 07:12:49", "Nov 3 07:12:49", t, 0);
	check("Nov 3 07:12:49.5 host", "Nov 3 07:12:49.5", t, 500000);
	check("Nov 3 07:12:49 2026 host", "Nov 3 07:12:49 2026", t, 0);
	check("Nov 3 07:12:49 2025 host", "Nov 3 07:12:49 2025", utc(2025, 11, 3, 7, 12, 49), 0);
	check("Nov 3 07:12:49 2025host", "Nov 3 07:12:49", t, 0);
	check("Nov 3 2025 07:12:49 host", "Nov 3 2025 07:12:49", utc(2025, 11, 3, 7, 12, 49), 0);
	check("[Tue Nov 03 07:12:49.123 2026] [x]", "Tue Nov 03 07:12:49.123 2026", t, 123000);
	check("2026-11-20T07:12:49.123456+01:00 host", "2026-11-20T07:12:49.123456+01:00", u - 3600,
		123456);
	check("2026-11-20 07:12:49,123 stockade", "2026-11-20 07:12:49,123", u, 123000);
	check("2026-11-20T07:12:49Z host", "2026-11-20T07:12:49Z", u, 0);
	check("2026-11-20T07:12:49-0330 host", "2026-11-20T07:12:49-0330", u + 12600, 0);
	check("2026-11-20 07:12:49 +0100 x", "2026-11-20 07:12:49 +0100", u - 3600, 0);
	check("2026-11-20 07:12:49 +01:00 x", "2026-11-20 07:12:49 +01:00", u - 3600, 0);
	check("2026-11-20 07:12:49+01 x", "2026-11-20 07:12:49+01", u - 3600, 0);
	check("2026-11-20 07:12:49 +x", "2026-11-20 07:12:49", u, 0);
	check("2026-11-20 07:12:49.123456789 x", "2026-11-20 07:12:49.123456789", u, 123456);
	check("2026/11/20 07:12:49 [error]", "2026/11/20 07:12:49", u, 0);
	check("192.0.2.1 - - [20/Nov/2026:07:12:49 +0000] \"GET\"", "20/Nov/2026:07:12:49 +0000", u,
		0);
	check("20/Nov/2026:07:12:49 -0100 x", "20/Nov/2026:07:12:49 -0100", u + 3600, 0);
	check("20-Nov-2026 07:12:49.250 client", "20-Nov-2026 07:12:49.250", u, 250000);
	check("Fri, 20 Nov 2026 07:12:49 +0000", "Fri, 20 Nov 2026 07:12:49 +0000", u, 0);
	check("1732086769.123 x", "1732086769.123", 1732086769, 123000);
	check("[1732086769] x", "1732086769", 1732086769, 0);
	check("type=X msg=audit(1732086769.123:45): x", "1732086769.123", 1732086769, 123000);
	check("2026-12-31T23:59:60Z x", "2026-12-31T23:59:60Z", utc(2027, 1, 1, 0, 0, 0), 0);
	check("2024-02-29 00:00:00 x", "2024-02-29 00:00:00", utc(2024, 2, 29, 0, 0, 0), 0);
}

/* What comes after the date is often the attacker's: it shifts nothing. */
static void what_follows(void **state)
{
	int64_t u = utc(2026, 11, 20, 7, 12, 49), t = utc(2026, 11, 20, 7, 0, 0);

	(void)state;
	zone_is("UTC");
	check("2026-11-20 07:12:49 -15 x", "2026-11-20 07:12:49", u, 0);
	check("2026-11-20 07:12:49 +15", "2026-11-20 07:12:49", u, 0);
	check("2026-11-20 07:12:49 -1 x", "2026-11-20 07:12:49", u, 0);
	check("2026-11-20 07:12:49 -150 x", "2026-11-20 07:12:49", u, 0);
	check("2026-11-20 07:12:49 -0100x", "2026-11-20 07:12:49", u, 0);
	check("2026-11-20 07:12:49 -01:00_", "2026-11-20 07:12:49", u, 0);
	check("2026-11-20 07:12:49 -01:0", "2026-11-20 07:12:49", u, 0);
	check("20/Nov/2026:07:12:49 +15 x", "20/Nov/2026:07:12:49", u, 0);
	/* A host's name that looks like a year. */
	check("Nov 20 07:00:00 2001 sshd[1]: x", "Nov 20 07:00:00", t, 0);
	check("Nov 20 07:00:00 2024 sshd[1]: x", "Nov 20 07:00:00", t, 0);
	check("Nov 20 07:00:00 2028", "Nov 20 07:00:00", t, 0);
	check("Nov 20 07:00:00 2025 x", "Nov 20 07:00:00 2025", utc(2025, 11, 20, 7, 0, 0), 0);
	check("Nov 20 07:00:00 2027 x", "Nov 20 07:00:00 2027", utc(2027, 11, 20, 7, 0, 0), 0);
	/* With its weekday a date has its year at the end, whichever. */
	check("Wed Nov 03 07:12:49 2004 x", "Wed Nov 03 07:12:49 2004", utc(2004, 11, 3, 7, 12, 49),
		0);
	check("Nov 3 2004 07:12:49 x", "Nov 3 2004 07:12:49", utc(2004, 11, 3, 7, 12, 49), 0);
}

static void no_date(void **state)
{
	static const char *const lines[] = {"", "x", "Nov", "Nov 31 07:12:49 x",
		"Feb 30 07:12:49 x", "Nov 3 24:00:00 x", "Nov 3 07:60:00 x", "Nov 3 07:12:61 x",
		"Nov 3 07:12", "Nov 0 07:12:49", "2026-13-01 07:12:49", "2026-00-01 07:12:49",
		"2025-02-29 07:12:49", "2026-11-20", "12026-11-20 07:12:49", "2026-11-20 07:12:49x",
		"xNov 3 07:12:49", "x 1732086769 y", "[1732086769 y", "17320867690123 y",
		"173208676", "1969-11-20 07:12:49", "20/Nov/2026:07:12", "2026-11/20 07:12:49",
		"Nob  3 07:12:49"};
	struct date_finder *f = date_finder_new();
	struct stamp s;

	(void)state;
	zone_is("UTC");
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		/* A copy of its exact size, so that a step past the end is seen. */
		size_t len = strlen(lines[i]);
		char *copy = malloc(len + 1);

		memcpy(copy, lines[i], len);
		copy = realloc(copy, len > 0 ? len : 1);
		if (date_find(f, copy, len, NOW_US, &s))
			fail_msg("a date in: %s", lines[i]);
		free(copy);
	}
	date_finder_free(f);
}

static void year_inferred(void **state)
{
	int64_t jan = utc(2027, 1, 1, 0, 10, 0) * USEC_PER_SEC;

	(void)state;
	zone_is("UTC");
	check("Dec 24 12:00:00 h", "Dec 24 12:00:00", utc(2025, 12, 24, 12, 0, 0), 0);
	check("Nov 21 07:00:00 h", "Nov 21 07:00:00", utc(2026, 11, 21, 7, 0, 0), 0);
	check("Nov 21 08:00:00 h", "Nov 21 08:00:00", utc(2025, 11, 21, 8, 0, 0), 0);
	check_us("Dec 31 23:59:59 h", "Dec 31 23:59:59",
		utc(2026, 12, 31, 23, 59, 59) * USEC_PER_SEC, jan);
	/* A log's clock ahead of ours over New Year. */
	check_us("Jan  1 00:00:05 h", "Jan  1 00:00:05", utc(2027, 1, 1, 0, 0, 5) * USEC_PER_SEC,
		utc(2026, 12, 31, 23, 59, 50) * USEC_PER_SEC);
	check("Feb 29 10:00:00 h", "Feb 29 10:00:00", utc(2024, 2, 29, 10, 0, 0), 0);
}

/* What the system's own mktime says, for every half hour of a year and a zone. */
static void like_mktime(void **state)
{
	static const char *const zones[] = {"Europe/Berlin", "America/New_York", "Asia/Kolkata",
		"Australia/Lord_Howe", "America/St_Johns", "UTC", "Africa/Casablanca"};

	(void)state;
	for (size_t z = 0; z < sizeof(zones) / sizeof(zones[0]); z++) {
		struct civil_zone cache = {0};
		int64_t start = utc(2026, 1, 1, 0, 0, 7);

		zone_is(zones[z]);
		for (int64_t t = start; t < start + 366 * 86400LL; t += 1800) {
			time_t tt = (time_t)t;
			struct tm tm;
			int64_t local, got;

			localtime_r(&tt, &tm);
			local = utc(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
				tm.tm_min, tm.tm_sec);
			/* As a live log has it: now is when it was written. */
			got = civil_zone_utc(&cache, local, t);
			if (got != t)
				fail_msg("%s: %lld read as %lld", zones[z], (long long)t,
					(long long)got);
		}
	}
}

static void hour_skipped(void **state)
{
	(void)state;
	zone_is("Europe/Berlin");
	/* 02:30 does not exist that night: half an hour after 02:00 by the winter's clock. */
	check("2026-03-29 02:30:00 x", "2026-03-29 02:30:00", utc(2026, 3, 29, 1, 30, 0), 0);
	check("2026-03-29 03:00:00 x", "2026-03-29 03:00:00", utc(2026, 3, 29, 1, 0, 0), 0);
	check("Nov  3 07:12:49 h", "Nov  3 07:12:49", utc(2026, 11, 3, 6, 12, 49), 0);
	zone_is("UTC");
}

static void first_wins(void **state)
{
	struct date_finder *f = date_finder_new();
	struct stamp s;
	const char *later = "Nov 20 07:12:49 h sshd[1]: Invalid user 2026-11-19 07:00:00 from x";

	(void)state;
	zone_is("UTC");
	/* The finder has just learnt the other format. */
	assert_true(date_find(f, "2026-11-20 07:12:49 x", 21, NOW_US, &s));
	assert_true(date_find(f, later, strlen(later), NOW_US, &s));
	assert_int_equal(s.off, 0);
	assert_int_equal(s.time_us / USEC_PER_SEC, utc(2026, 11, 20, 7, 12, 49));
	date_finder_free(f);
}

/* The remembered answer holds only for the same text. */
static void remembered(void **state)
{
	static const struct {
		const char *line;
		int64_t add_us;
	} steps[] = {
		{"2026-11-20 07:12:49 host a", 0},
		{"2026-11-20 07:12:49 host b", 0},
		{"2026-11-20 07:12:49.5 host b", 500000},
		{"2026-11-20 07:12:49 +0100 b", -3600 * USEC_PER_SEC},
		{"2026-11-20 07:12:49", 0},
		{"2026-11-20 07:12:49Z", 0},
		{"2026-11-20 07:12:50Z", USEC_PER_SEC},
		{"Nov 20 07:12:49 2025 x", -365 * 86400 * USEC_PER_SEC},
		{"Nov 20 07:12:49 20 x", 0},
		{"Nov 20 07:12:49 2025 x", -365 * 86400 * USEC_PER_SEC},
	};
	struct date_finder *f = date_finder_new();
	struct stamp s;

	(void)state;
	zone_is("UTC");
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		assert_true(date_find(f, steps[i].line, strlen(steps[i].line), NOW_US, &s));
		assert_int_equal(
			s.time_us, utc(2026, 11, 20, 7, 12, 49) * USEC_PER_SEC + steps[i].add_us);
	}
	date_finder_free(f);
}

static void bounded(void **state)
{
	static char line[1 << 20];
	struct date_finder *f = date_finder_new();
	struct stamp s;

	(void)state;
	memset(line, ' ', sizeof(line));
	memcpy(line + 600, "2026-11-20 07:12:49", 19);
	assert_false(date_find(f, line, sizeof(line), NOW_US, &s));
	memcpy(line + 300, "2026-11-20 07:12:49", 19);
	assert_true(date_find(f, line, sizeof(line), NOW_US, &s));
	assert_int_equal(s.off, 300);
	date_finder_free(f);
}

static void civil(void **state)
{
	(void)state;
	assert_int_equal(civil_days(1970, 1, 1), 0);
	assert_int_equal(civil_days(2000, 3, 1), 11017);
	for (int64_t d = -1000; d < 60000; d++) {
		int y = civil_year_of(d);

		assert_true(civil_days(y, 1, 1) <= d && d < civil_days(y + 1, 1, 1));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms),
		cmocka_unit_test(what_follows),
		cmocka_unit_test(no_date),
		cmocka_unit_test(year_inferred),
		cmocka_unit_test(like_mktime),
		cmocka_unit_test(hour_skipped),
		cmocka_unit_test(first_wins),
		cmocka_unit_test(remembered),
		cmocka_unit_test(bounded),
		cmocka_unit_test(civil),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
