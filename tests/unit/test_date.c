/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"
#include "match/civil.h"
#include "match/date.h"
#include "match/zone.h"

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

static struct date_patterns *patterns_of(const char *pattern, const char *zone)
{
	struct conf_text p = {.text = pattern}, z = {.text = zone};
	struct date_patterns *ret = NULL;
	struct faults f = {0};

	if (date_patterns_new(&ret, &p, &z, &f) < 0)
		fail_msg("%s: %s", pattern != NULL ? pattern : "the defaults", f.items[0].message);
	faults_done(&f);
	return ret;
}

/* What a fresh finder says of a line, asked twice: the second time it has learnt. */
static enum date_found look(
	const char *pattern, const char *zone, const char *line, int64_t now_us, struct stamp *ret)
{
	struct date_patterns *p = patterns_of(pattern, zone);
	struct date_finder *f = date_finder_new(p);
	size_t len = strlen(line);
	char *copy = malloc(len + 1);
	enum date_found found = DATE_NONE;

	/* Of its exact size, so that a step past its end is seen. */
	memcpy(copy, line, len);
	copy = realloc(copy, len > 0 ? len : 1);
	assert_non_null(f);
	for (int i = 0; i < 2; i++) {
		enum date_found again;

		*ret = (struct stamp) {0};
		again = date_find(f, copy, len, now_us, ret);
		if (i > 0 && again != found)
			fail_msg("%s: %d, then %d", line, found, again);
		found = again;
	}
	free(copy);
	date_finder_free(f);
	date_patterns_free(p);
	return found;
}

static void check_with(const char *pattern, const char *zone, const char *line, const char *text,
	int64_t want_us, int64_t now_us)
{
	struct stamp s;
	enum date_found found = look(pattern, zone, line, now_us, &s);

	if (found != DATE_FOUND)
		fail_msg("%d for: %s", found, line);
	if (s.len != strlen(text) || memcmp(line + s.off, text, s.len) != 0)
		fail_msg("%s: cuts out %.*s", line, (int)s.len, line + s.off);
	if (s.time_us != want_us)
		fail_msg("%s: %lld, not %lld", line, (long long)s.time_us, (long long)want_us);
}

static void check(const char *line, const char *text, int64_t want_sec)
{
	check_with(NULL, NULL, line, text, want_sec * USEC_PER_SEC, NOW_US);
}

static void check_found(const char *pattern, const char *line, enum date_found want)
{
	struct stamp s;
	enum date_found found = look(pattern, NULL, line, NOW_US, &s);

	if (found != want)
		fail_msg("%s: %d, not %d", line, found, want);
}

static void forms(void **state)
{
	int64_t t = utc(2026, 11, 3, 7, 12, 49), u = utc(2026, 11, 20, 7, 12, 49);

	(void)state;
	zone_is("UTC");
	check("Nov  3 07:12:49 host sshd[1]: x", "Nov  3 07:12:49", t);
	check("Nov 3 07:12:49", "Nov 3 07:12:49", t);
	check("nov 03  7:12:49.5 host", "nov 03  7:12:49.5", t);
	check("Nov 3 07:12:49 2025 host", "Nov 3 07:12:49 2025", utc(2025, 11, 3, 7, 12, 49));
	check("Nov 3 2025 07:12:49 host", "Nov 3 2025 07:12:49", utc(2025, 11, 3, 7, 12, 49));
	check("[Tue Nov 03 07:12:49.123 2026] [x]", "Tue Nov 03 07:12:49.123 2026", t);
	check("2026-11-20T07:12:49.123456+01:00 h", "2026-11-20T07:12:49.123456+01:00", u - 3600);
	check("2026-11-20 07:12:49,123 stockade", "2026-11-20 07:12:49,123", u);
	check("2026-11-20T07:12:49Z host", "2026-11-20T07:12:49Z", u);
	check("2026-11-20 07:12:49 -0330 x", "2026-11-20 07:12:49 -0330", u + 12600);
	check("2026.11.20 07:12:49+01 x", "2026.11.20 07:12:49+01", u - 3600);
	check("2026/11/20 07:12:49 [error]", "2026/11/20 07:12:49", u);
	check("192.0.2.1 - - [20/Nov/2026:07:12:49 +0000] \"GET\"", "20/Nov/2026:07:12:49 +0000",
		u);
	check("20-Nov-2026 07:12:49.250 client", "20-Nov-2026 07:12:49.250", u);
	check("20/11/2026 07:12:49", "20/11/2026 07:12:49", u);
	check("20-11-26 07:12:49", "20-11-26 07:12:49", u);
	check("11/20/2026:07:12:49 x", "11/20/2026:07:12:49", u);
	check("11-20-2026 07:12:49.25 x", "11-20-2026 07:12:49.25", u);
	check("<11/20/26@07:12:49> x", "<11/20/26@07:12:49>", u);
	check("261120  7:12:49 x", "261120  7:12:49", u);
	check("Nov 20, 2026 12:12:49 AM x", "Nov 20, 2026 12:12:49 AM", u - 7 * 3600);
	check("Nov-20-26 07:12:49 x", "Nov-20-26 07:12:49", u);
	check("20261120T071249 x", "20261120T071249", u);
	check("CET Nov 20 07:12:49 x", "CET Nov 20 07:12:49", u - 3600);
	check("+00:30 Nov 20 07:12:49 x", "+00:30 Nov 20 07:12:49", u - 1800);
	check("07:12:49 x", "07:12:49", u);
	check("@4000000043d7e2ff0abcdef0 x", "@4000000043d7e2ff0abcdef0", 0x43d7e2ff);
	check("1732086769 x", "1732086769", 1732086769);
	check("[1732086769] x", "1732086769", 1732086769);
	check_with(NULL, NULL, "type=X msg=audit(1732086769.123:45): x", "1732086769.123",
		1732086769123000, NOW_US);
	/* A byte order mark is not in the way. */
	check_with("{^LN-BEG}", NULL, "\xef\xbb\xbf[2026-11-20 07:12:49] x", "2026-11-20 07:12:49",
		u * USEC_PER_SEC, NOW_US);
}

static void no_date(void **state)
{
	static const char *const none[] = {"", "x", "Nov", "Nov 3 07:12", "2026-11-20",
		"2026-11-20 07:12:49x", "xNov 3 07:12:49", "x 1732086769 y", "173208676",
		"1969-11-20T07:12:49", "20/Nov/2026:07:12", "2026-11/20", "Nob  3 07:12",
		"\x80\xff\x01"};
	static const char *const unreadable[] = {"Nov 31 07:12:49 x", "Feb 30 07:12:49 x",
		"Nov 3 24:00:00 x", "Nov 3 07:12:60 x", "2025-02-29 07:12:49",
		"2026-12-31T23:59:61Z", "host Nov 20 07:12:49", "ABC Nov 20 07:12:49",
		"Feb 29 07:12:49 x"};

	(void)state;
	zone_is("UTC");
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		check_found(NULL, none[i], DATE_NONE);
	for (size_t i = 0; i < sizeof(unreadable) / sizeof(unreadable[0]); i++)
		check_found(NULL, unreadable[i], DATE_UNREADABLE);
	check_found("{NONE}", "x", DATE_EMPTY);
	check_found("{NONE}", "", DATE_EMPTY);
	check_found("%Y\n{NONE}", "2026", DATE_FOUND);
}

static void year_left_out(void **state)
{
	int64_t jan = utc(2027, 1, 1, 0, 10, 0) * USEC_PER_SEC;

	(void)state;
	zone_is("UTC");
	check("Dec 24 12:00:00 h", "Dec 24 12:00:00", utc(2025, 12, 24, 12, 0, 0));
	check("Nov 21 07:30:00 h", "Nov 21 07:30:00", utc(2026, 11, 21, 7, 30, 0));
	check("Nov 21 07:30:01 h", "Nov 21 07:30:01", utc(2025, 11, 21, 7, 30, 1));
	check_with(NULL, NULL, "Dec 31 23:59:59 h", "Dec 31 23:59:59",
		utc(2026, 12, 31, 23, 59, 59) * USEC_PER_SEC, jan);
	/* A log's clock ahead of ours over New Year is a year behind, as fail2ban has it. */
	check_with(NULL, NULL, "Jan  1 00:00:05 h", "Jan  1 00:00:05",
		utc(2026, 1, 1, 0, 0, 5) * USEC_PER_SEC,
		utc(2026, 12, 31, 23, 59, 50) * USEC_PER_SEC);
	check("07:30:01 h", "07:30:01", utc(2026, 11, 19, 7, 30, 1));
	check("07:30:00 h", "07:30:00", utc(2026, 11, 20, 7, 30, 0));
}

static void patterns(void **state)
{
	int64_t u = utc(2026, 11, 20, 7, 12, 49) * USEC_PER_SEC, day = utc(2026, 11, 20, 0, 0, 0);

	(void)state;
	zone_is("UTC");
	check_with("^%Y:%m:%d-%H:%M:%S", NULL, "2026:11:20-07:12:49 x", "2026:11:20-07:12:49", u,
		NOW_US);
	check_with("^[^\\[]*\\[({DATE})\n{^LN-BEG}", NULL, "x - - [20/Nov/2026:07:12:49 +0000] \"x",
		"20/Nov/2026:07:12:49 +0000", u, NOW_US);
	check_with("^[^\\[]*(\\[{DATE}\\s*\\])", NULL, "x [2026-11-20 07:12:49] x",
		"[2026-11-20 07:12:49]", u, NOW_US);
	check_with("%d %b %Y %l:%M:%S %p", NULL, "at 20 NOV 2026  7:12:49 am",
		"20 NOV 2026  7:12:49 am", u, NOW_US);
	check_with("%j %Y", NULL, "324 2026", "324 2026", day * USEC_PER_SEC, NOW_US);
	check_with("%Y %U %a", NULL, "2026 46 Fri", "2026 46 Fri", day * USEC_PER_SEC, NOW_US);
	check_with(
		"%Y %W %A", NULL, "2026 46 Friday", "2026 46 Friday", day * USEC_PER_SEC, NOW_US);
	check_found("(?P<Y>\\d{4}) (?P<U>\\d+) (?P<a>\\w+)", "2026 999999999 Fri", DATE_UNREADABLE);
	check_with(
		"{LEPOCH}", NULL, "x 1795158769123 y", "1795158769123", 1795158769123000, NOW_US);
	check_with("{LEPOCH}", NULL, "x 1795158769123456 y", "1795158769123456", 1795158769123456,
		NOW_US);
	check_with("t={epoch}", NULL, "t=1795158769.125 y", "t=1795158769.125", 1795158769125000,
		NOW_US);
	check_with("{UNB}%H:%M:%S", NULL, "x07:12:49y", "07:12:49", u, NOW_US);
	check_with("**%H:%M:%S**", NULL, "x07:12:49y", "07:12:49", u, NOW_US);
	check_with("%H:%M:%S %Exz", NULL, "07:12:49 CET+01", "07:12:49 CET+01",
		u - 7200 * USEC_PER_SEC, NOW_US);
	/* What is written like a tag of a failregex is text. */
	check_with("<HOST> %H:%M:%S", NULL, "<HOST> 07:12:49", "<HOST> 07:12:49", u, NOW_US);
}

static void log_zone(void **state)
{
	int64_t u = utc(2026, 11, 20, 7, 12, 49);

	(void)state;
	zone_is("Europe/Berlin");
	check_with(NULL, "UTC+0530", "2026-11-20 07:12:49 x", "2026-11-20 07:12:49",
		(u - 19800) * USEC_PER_SEC, NOW_US);
	check_with(NULL, "UTC+0530", "2026-11-20 07:12:49Z x", "2026-11-20 07:12:49Z",
		u * USEC_PER_SEC, NOW_US);
	check_with(NULL, NULL, "2026-11-20 07:12:49 x", "2026-11-20 07:12:49",
		(u - 3600) * USEC_PER_SEC, NOW_US);
	zone_is("UTC");
}

static void zone_names(void **state)
{
	static const struct {
		const char *text;
		int minutes;
	} good[] = {{"", 0}, {"Z", 0}, {"UTC", 0}, {"CET", 60}, {"NST", -210}, {"NPT", 345},
		{"+02", 120}, {"-0330", -210}, {"-03:30", -210}, {"UTC+0530", 330}, {"CET-01", 0},
		{"A", 60}, {"ANAST", 720}};
	static const char *const bad[] = {"Europe/Berlin", "cet", "XYZ", "+2500", "+1", "UTC+1",
		"+02000", "02", "PT", "UTC 0100", "ABCDEF", "+0a", "+02:", "+02:3", "CET+"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		int minutes = 12345;

		assert_int_equal(zone_read(&minutes, good[i].text, strlen(good[i].text)), 0);
		assert_int_equal(minutes, good[i].minutes);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int minutes;

		if (zone_read(&minutes, bad[i], strlen(bad[i])) == 0)
			fail_msg("a zone: %s", bad[i]);
	}
}

static void refuse(const char *pattern, const char *zone, const char *words)
{
	struct conf_text p = {.text = pattern, .where = {"filter.d/x.conf", 7}};
	struct conf_text z = {.text = zone, .where = {"jail.local", 9}};
	struct date_patterns *ret = NULL;
	struct faults f = {0};

	if (date_patterns_new(&ret, &p, &z, &f) == 0)
		fail_msg("taken: %s", pattern);
	assert_null(ret);
	assert_int_equal(f.n_errors, 1);
	assert_int_equal(f.items[0].line, zone != NULL ? 9 : 7);
	if (strstr(f.items[0].message, words) == NULL)
		fail_msg("%s: %s", words, f.items[0].message);
	faults_done(&f);
}

static void warn(const char *pattern, const char *words)
{
	struct conf_text p = {.text = pattern, .where = {"filter.d/x.conf", 7}};
	struct date_patterns *ret = NULL;
	struct faults f = {0};

	if (date_patterns_new(&ret, &p, NULL, &f) < 0)
		fail_msg("refused: %s", pattern);
	date_patterns_free(ret);
	assert_int_equal(f.n, words != NULL ? 1 : 0);
	if (words != NULL && strstr(f.items[0].message, words) == NULL)
		fail_msg("%s: %s", words, f.items[0].message);
	faults_done(&f);
}

static void faults(void **state)
{
	(void)state;
	refuse("%Y-%q", NULL, "'%q' is no format");
	refuse("%Y %", NULL, "'%' is no format");
	refuse("%Y-%Exq", NULL, "'%Exq' is no format");
	refuse("%F", NULL, "write %Y-%m-%d");
	refuse("%Y %Y", NULL, "the year stands in it twice");
	refuse("%H %k", NULL, "the hour stands in it twice");
	refuse("%b {DATE}", NULL, "twice");
	refuse("(%Y", NULL, "column 4");
	refuse("^[x({DATE}]", NULL, "makes no regex");
	refuse("%H\n%Y\n%H", NULL, "is there already");
	refuse(NULL, "UTCX", "did you mean 'UTC'?");
	refuse(NULL, "Europe/Berlin", "write an offset");
	warn("ISO8601", "no part of a date");
	warn("{LN-BEG}%Y", "did you mean '{^LN-BEG}'?");
	warn("%Y {UNB}", "in front of a pattern only");
	warn("%Y{NONE}", "on a line of its own only");
	warn("%Y\n{DEFAULT}", "{DEFAULT} beside other patterns adds none");
	warn("%Y{4}\\{FOO}", NULL);
	warn("{DEFAULT}", NULL);
	warn("^()", NULL);
}

/* The patterns that hit move ahead; one that is found in another place is not taken blindly. */
static void learns(void **state)
{
	static const struct {
		const char *line;
		size_t off;
	} steps[] = {
		{"host [2026-11-20 07:12:49] x", 6},
		{"host [2026-11-20 07:12:50] x", 6},
		{"Nov 20 07:12:49 h sshd[1]: Invalid user 2026-11-19 07:00:00 from x", 0},
		{"host [2026-11-20 07:12:51] x Nov 20 07:12:49", 6},
		{"07:12:49 2026-11-20 07:12:49", 0},
	};
	struct date_patterns *p = patterns_of(NULL, NULL);
	struct date_finder *f = date_finder_new(p);

	(void)state;
	zone_is("UTC");
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct stamp s;

		assert_int_equal(
			date_find(f, steps[i].line, strlen(steps[i].line), NOW_US, &s), DATE_FOUND);
		assert_int_equal(s.off, steps[i].off);
	}
	assert_int_equal(date_finder_count(f), 31);
	assert_true(date_finder_usage(f, 0).hits > 0);
	date_finder_free(f);
	date_patterns_free(p);
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
			assert_int_equal(civil_zone_local(&cache, t), local);
		}
	}
	zone_is("UTC");
}

static void hour_skipped(void **state)
{
	(void)state;
	zone_is("Europe/Berlin");
	/* 02:30 does not exist that night: half an hour after 02:00 by the winter's clock. */
	check("2026-03-29 02:30:00 x", "2026-03-29 02:30:00", utc(2026, 3, 29, 1, 30, 0));
	check("2026-03-29 03:00:00 x", "2026-03-29 03:00:00", utc(2026, 3, 29, 1, 0, 0));
	check("Nov  3 07:12:49 h", "Nov  3 07:12:49", utc(2026, 11, 3, 6, 12, 49));
	zone_is("UTC");
}

/* Long lines without a date: what is looked for everywhere must not be looked for from everywhere.
 */
static void long_lines(void **state)
{
	static const char *const fills[] = {"1", "a", "1 ", "12:1 ", "[", "Jan ", " ", "2026-"};
	static char line[1 << 20];
	struct date_patterns *p = patterns_of(NULL, NULL);
	struct date_finder *f = date_finder_new(p);
	struct stamp s;

	(void)state;
	for (size_t k = 0; k < sizeof(fills) / sizeof(fills[0]); k++) {
		size_t n = strlen(fills[k]);

		for (size_t i = 0; i < sizeof(line); i++)
			line[i] = fills[k][i % n];
		assert_int_equal(date_find(f, line, sizeof(line), NOW_US, &s), DATE_NONE);
	}
	memset(line, ' ', sizeof(line));
	memcpy(line + sizeof(line) - 19, "2026-11-20 07:12:49", 19);
	assert_int_equal(date_find(f, line, sizeof(line), NOW_US, &s), DATE_FOUND);
	assert_int_equal(s.off, sizeof(line) - 19);
	assert_int_equal(date_stats()->limit_hits, 0);
	date_finder_free(f);
	date_patterns_free(p);
}

static void civil(void **state)
{
	(void)state;
	assert_int_equal(civil_days(1970, 1, 1), 0);
	assert_int_equal(civil_days(2000, 3, 1), 11017);
	for (int64_t d = -720000; d < 2900000; d += 7) {
		struct civil c = civil_of(d);

		assert_int_equal(civil_days(c.year, c.month, c.day), d);
		assert_int_equal(
			civil_is_day(c.year, c.month, c.day), c.year > 0 && c.year < 10000);
	}
	assert_false(civil_is_day(2025, 2, 29));
	assert_true(civil_is_day(2000, 2, 29));
	assert_false(civil_is_day(2100, 2, 29));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms),
		cmocka_unit_test(no_date),
		cmocka_unit_test(year_left_out),
		cmocka_unit_test(patterns),
		cmocka_unit_test(log_zone),
		cmocka_unit_test(zone_names),
		cmocka_unit_test(faults),
		cmocka_unit_test(learns),
		cmocka_unit_test(like_mktime),
		cmocka_unit_test(hour_skipped),
		cmocka_unit_test(long_lines),
		cmocka_unit_test(civil),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
