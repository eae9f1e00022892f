/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A finder with habits and one that looks for each date are shown the same lines: what they find,
 * and where that brings them, is the same, always.
 */
#include "base/clock.h"
#include "base/util.h"
#include "match/civil.h"
#include "match/datehabit.h"
#include "match/dateinside.h"
#include "match/datemiss.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define LINE_MAX_LEN 400
/* 2026-11-20 07:30:00 UTC */
#define NOW_SEC 1795159800LL
#define DAY_SEC 86400

static const char *const pattern_sets[] = {
	NULL,
	"{^LN-BEG}",
	"^[^\\[]*\\[({DATE})",
	"^{DATE}",
	"{^LN-BEG}%ExY(?P<_sep>[-/.])%m(?P=_sep)%d[T ]%H:%M:%S(?:[.,]%f)?(?:\\s*%z)?",
	"^%Y-%m-%d %H:%M:%S",
	"^%d/%b/%Y %H:%M:%S\n^[^\\[]*\\[({DATE})\n{^LN-BEG}",
	"EPOCH",
	"^%d.%m.%Y %H:%M:%S",
	"{^LN-BEG}Epoch\n{^LN-BEG}TAI64N",
	"LEPOCH\n^[^\\[]*(\\[{DATE}\\s*\\])",
	"{^LN-BEG}%b-%d-%Exy %H:%M:%S\n^%Y:%m:%d-%H:%M:%S",
	"%d/%b[^/]*/%Y:%H:%M:%S %z",
	"^\\[%d/%b/%Y %H:%M:%S\\]\n^<W>{DATE}",
	"^(?:%Y-)?%m-%d[ T]%H:%M:%S(?:\\.%f)?",
	"^[^-]+ -- [^-]+ -- - ({DATE})",
	"{^LN-BEG} @?<%Y-{0,1}%m/ ?%d> a+ %H:%M",
	"%d\\x2f%m\\/%Y %H:%M",
	"%d/%m/%Y= \\[%H:%M\\]\n%b %d, %ExY %H:%M",
};

static const char *const zones[] = {"UTC", "CET-1CEST,M3.5.0,M10.5.0/3",
	"NST3:30NDT,M3.2.0,M11.1.0", "NZST-12NZDT,M9.5.0,M4.1.0/3", "IST-5:30", "XXX-0:07:30"};

static const char *const log_zones[] = {NULL, NULL, NULL, "UTC+0200", "-0330"};

/* A log, and what three finders have made of it so far. */
struct show {
	const struct date_patterns *patterns;
	struct date_finder *plain;   /* looks at all */
	struct date_finder *quick;   /* has habits */
	struct date_finder *passing; /* and passes over what has them */
	uint64_t n_passed;
	char *last_passed;
	size_t last_len;
	int64_t passed_us; /* what the time was then */
	size_t lines, held, missed;
};

static unsigned pick(unsigned n)
{
	return (unsigned)rand() % n;
}

static void zone_is(const char *tz)
{
	assert_int_equal(setenv("TZ", tz, 1), 0);
	tzset();
}

static struct date_patterns *patterns_of(const char *pattern, const char *zone)
{
	struct conf_text p = {.text = pattern}, z = {.text = zone};
	struct date_patterns *ret = NULL;
	struct faults f = {0};

	assert_int_equal(date_patterns_new(&ret, &p, &z, &f), 0);
	faults_done(&f);
	return ret;
}

static void show_init(struct show *s, const struct date_patterns *p)
{
	*s = (struct show) {.patterns = p};
	s->plain = date_finder_new(p);
	s->quick = date_finder_new(p);
	s->passing = date_finder_new(p);
	date_finder_plain(s->plain);
}

static void check_usage(const struct date_finder *a, const struct date_finder *b, const char *line)
{
	for (size_t i = 0; i < date_finder_count(a); i++) {
		struct date_usage u = date_finder_usage(a, i), v = date_finder_usage(b, i);

		if (u.name != v.name || u.hits != v.hits || u.distance != v.distance ||
			u.used_us != v.used_us || u.weight != v.weight)
			fail_msg("after '%s': %s, %llu hits, not %s, %llu", line, v.name,
				(unsigned long long)v.hits, u.name, (unsigned long long)u.hits);
	}
}

static void check_same(const struct date_finder *a, const struct date_finder *b, const char *line)
{
	check_usage(a, b, line);
	if (!date_finder_same(a, b))
		fail_msg("after '%s' not the same is learnt", line);
}

static void flush(struct show *s)
{
	struct stamp stamp;

	if (s->n_passed > 0)
		assert_int_equal(date_pass(s->passing, s->n_passed, s->last_passed, s->last_len,
					 s->passed_us, &stamp),
			DATE_FOUND);
	s->n_passed = 0;
	free(s->last_passed);
	s->last_passed = NULL;
}

static void show_done(struct show *s)
{
	flush(s);
	check_same(s->plain, s->passing, "the end");
	date_finder_free(s->plain);
	date_finder_free(s->quick);
	date_finder_free(s->passing);
}

static bool same(enum date_found found, const struct stamp *a, const struct stamp *b)
{
	return found == DATE_NONE || (a->off == b->off && a->len == b->len &&
					     (found != DATE_FOUND || a->time_us == b->time_us));
}

/* Another line that has as much of its beginning as decides is dated alike. */
static void check_reach(
	const struct date_habit *h, const char *line, size_t len, const struct stamp *want)
{
	size_t reach = date_habit_reach(h, want, len), more = pick(40);
	struct stamp got;
	char *other;

	if (reach == 0)
		return;
	assert_true(reach <= len);
	other = malloc(reach + more);
	memcpy(other, line, reach);
	for (size_t i = 0; i < more; i++)
		other[reach + i] = "0 2.,:Z+x["[pick(10)];
	if (!date_habit_holds(h, other, reach + more, &got) || !same(DATE_FOUND, &got, want))
		fail_msg("not dated as '%.*s': '%.*s'", (int)len, line, (int)(reach + more), other);
	free(other);
}

/* What the habit says of it is what is found. */
static bool check_habit(const struct date_habit *h, const char *line, size_t len,
	enum date_found found, const struct stamp *want)
{
	struct stamp got;

	if (!date_habit_holds(h, line, len, &got))
		return false;
	if (found != DATE_FOUND || !same(found, &got, want))
		fail_msg("%d at %zu+%zu %lld, by habit at %zu+%zu %lld: '%.*s'", found, want->off,
			want->len, (long long)want->time_us, got.off, got.len,
			(long long)got.time_us, (int)len, line);
	check_reach(h, line, len, &got);
	return true;
}

/* The third finder passes over what it can, for as long as the time stands still. */
static void pass(struct show *s, const char *line, size_t len, int64_t now_us,
	enum date_found found, const struct stamp *want)
{
	struct date_habit h;
	struct stamp got;

	if (s->n_passed > 0 && s->passed_us != now_us)
		flush(s);
	if (date_finder_habit(s->passing, now_us, &h) && check_habit(&h, line, len, found, want)) {
		s->n_passed++;
		s->passed_us = now_us;
		s->last_passed = realloc(s->last_passed, len + 1);
		memcpy(s->last_passed, line, len);
		s->last_len = len;
		return;
	}
	flush(s);
	assert_int_equal(date_find(s->passing, line, len, now_us, &got), found);
	assert_true(same(found, &got, want));
	check_same(s->plain, s->passing, line);
}

static void show_line(struct show *s, const char *text, size_t len, int64_t now_us)
{
	struct stamp want = {0}, got = {0};
	enum date_found found, again;
	struct date_habit h;
	struct date_miss m;
	/* Of its exact size, so that a step past its end is seen. */
	char *line = malloc(len > 0 ? len : 1);

	memcpy(line, text, len);
	found = date_find(s->plain, line, len, now_us, &want);
	s->lines++;
	if (date_finder_habit(s->quick, now_us, &h) && check_habit(&h, line, len, found, &want))
		s->held++;
	if (date_finder_miss(s->quick, &m) && date_miss_holds(&m, line, len)) {
		s->missed++;
		if (found != DATE_NONE)
			fail_msg("there is a date in '%.*s'", (int)len, line);
	}
	again = date_find(s->quick, line, len, now_us, &got);
	if (again != found || !same(found, &want, &got))
		fail_msg("%d at %zu+%zu %lld, not %d at %zu+%zu %lld: '%.*s'", again, got.off,
			got.len, (long long)got.time_us, found, want.off, want.len,
			(long long)want.time_us, (int)len, line);
	check_same(s->plain, s->quick, text);
	pass(s, line, len, now_us, found, &want);
	free(line);
}

/* One way to write a moment; %1 is what mutation plays with. */
static size_t write_date(char *buf, size_t room, unsigned form, int64_t local_sec)
{
	static const char *const formats[] = {"%b %e %H:%M:%S host sshd[12]: x",
		"%Y-%m-%dT%H:%M:%S host x", "%Y-%m-%d %H:%M:%S,123 x",
		"%Y-%m-%dT%H:%M:%S.123456+01:00 h", "%Y/%m/%d %H:%M:%S [error] x",
		"%Y-%m-%dT%H:%M:%SZ h", "%Y.%m.%d %H:%M:%S -0330 x",
		"192.0.2.1 - - [%d/%b/%Y:%H:%M:%S +0100] \"GET / HTTP/1.1\"",
		"[%a %b %d %H:%M:%S.123456 %Y] [error] x", "%a %b %e %Y %H:%M:%S x",
		"%d-%b-%Y %H:%M:%S.250 client", "[%Y-%m-%d %H:%M:%S] x", "%b %d %H:%M:%S %Y x",
		"h\xc3\xa9 [%d/%b/%Y:%H:%M:%S] x", "%Y-%m-%d %H:%M:%S", "%b %d %H:%M:%S",
		"%d/%m/%Y %H:%M:%S x", "%s x", "%H:%M:%S x", "type=A msg=audit(%s.123:45): x",
		"x msg=audit(17): x", "[%s] x",
		"%b %e %H:%M:%S h a[%y%m%d%H]: [%d/%b/%Y:%H:%M:%S] x",
		"%b %e %H:%M:%S h a[2%M]: 10:11 x", "a [Epoch] x", "a [TAI64N] x",
		"a [20261120T134045] x", "%b-%d-%y %H:%M:%S x", "%Y:%m:%d-%H:%M:%S x",
		"[%d/%b/%Y %H:%M:%S] x", "<W>%Y-%m-%d %H:%M:%S x", "%d/%b/%Y:%H:%M:%S +0100 x",
		"%m-%d %H:%M:%S x", "\tat x.y(%M)", "192.0.2.%y - - x", "2001:db8::%y - - x",
		"@4000000043d7e2ff0abcdef0 x", "%d.%m.%Y %H:%M:%S x"};
	time_t t = (time_t)local_sec;
	struct tm tm;

	gmtime_r(&t, &tm);
	return strftime(buf, room, formats[form % ARRAY_SIZE(formats)], &tm);
}

/* Makes of a line another that is near it. */
static size_t mutate(char *s, size_t len)
{
	static const char *const bits[] = {" ", "0", "2", "9", ":", ".", ",", "[", "]", "Z", "+01",
		" 20", " 2026", "-", "/", "T", "\xc3\xa9", "\xff", "x", "_", "\t", " UTC", "GMT",
		" -0330", ".5", ".1234567", "+0100", " U", "\xc2\xab", "Feb 30", "Feb 29", "31",
		"60", "24"};
	const char *bit = bits[pick(ARRAY_SIZE(bits))];
	size_t n = strlen(bit), at = pick(len < 40 ? (unsigned)len + 1 : 40);

	switch (pick(6)) {
	case 0: /* cut off */
		return at;
	case 5: /* no text */
		if (at < len)
			s[at] = '\0';
		return len;
	case 1: /* put in */
		if (len + n >= LINE_MAX_LEN)
			return len;
		memmove(s + at + n, s + at, len - at);
		memcpy(s + at, bit, n);
		return len + n;
	case 2: /* left out */
		if (at == len)
			return len;
		memmove(s + at, s + at + 1, len - at - 1);
		return len - 1;
	case 3: /* another digit */
		for (size_t i = at; i < len; i++) {
			if (s[i] >= '0' && s[i] <= '9') {
				s[i] = (char)('0' + pick(10));
				break;
			}
		}
		return len;
	default: /* something else in its place */
		if (at + n <= len)
			memcpy(s + at, bit, n);
		return len;
	}
}

static void play(const struct date_patterns *p, unsigned lines)
{
	int64_t now_us = (NOW_SEC + (int64_t)pick(400) * DAY_SEC) * USEC_PER_SEC;
	int64_t local_sec = now_us / USEC_PER_SEC - (int64_t)pick(500) * DAY_SEC / 4;
	unsigned form = pick(400), calm = pick(30);
	struct show s;

	show_init(&s, p);
	for (unsigned i = 0; i < lines; i++) {
		char line[LINE_MAX_LEN + 1];
		size_t len;

		local_sec += pick(3) > 0 ? pick(3) : (int64_t)pick(7200) - 1000;
		if (pick(40 + 40 * calm) == 0)
			local_sec += ((int64_t)pick(800) - 400) * DAY_SEC / 4;
		if (pick(10) == 0)
			now_us += (int64_t)pick(3 * USEC_PER_SEC);
		if (pick(100) == 0)
			now_us += ((int64_t)pick(40) - 10) * DAY_SEC * USEC_PER_SEC / 4;
		if (pick(30 + 30 * calm) == 0)
			form = pick(400);
		len = write_date(line, sizeof(line), form, local_sec);
		for (unsigned k = pick(3 + calm); k < 2 && len > 0; k++)
			len = mutate(line, len);
		line[len] = '\0';
		show_line(&s, line, len, now_us);
	}
	show_done(&s);
}

static void any_log(void **state)
{
	(void)state;
	srand(4);
	for (unsigned i = 0; i < 6 * ARRAY_SIZE(pattern_sets) * ARRAY_SIZE(zones); i++) {
		struct date_patterns *p;

		zone_is(zones[pick(ARRAY_SIZE(zones))]);
		p = patterns_of(pattern_sets[i % ARRAY_SIZE(pattern_sets)],
			log_zones[pick(ARRAY_SIZE(log_zones))]);
		play(p, 150);
		date_patterns_free(p);
	}
}

/* Lines as they are usual are held, and times come in their order. */
static void usual_logs(void **state)
{
	static const struct {
		const char *pattern;
		unsigned form;
	} logs[] = {{NULL, 0}, {"{^LN-BEG}", 0}, {"{^LN-BEG}", 1}, {NULL, 2}, {NULL, 3}, {NULL, 4},
		{NULL, 5}, {NULL, 6}, {"^[^\\[]*\\[({DATE})", 7}, {NULL, 8}, {NULL, 9}, {NULL, 10},
		{NULL, 11}, {NULL, 12}, {"^[^\\[]*\\[({DATE})", 13}, {NULL, 14}, {NULL, 15},
		{"^%Y-%m-%d %H:%M:%S", 14}, {"^[^\\[]*(\\[{DATE}\\s*\\])", 7}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(logs); i++) {
		struct date_patterns *p;
		struct show s;

		zone_is(zones[i % (ARRAY_SIZE(zones) - 1)]);
		p = patterns_of(logs[i].pattern, NULL);
		show_init(&s, p);
		for (unsigned k = 0; k < 2000; k++) {
			char line[LINE_MAX_LEN];
			size_t len = write_date(
				line, sizeof(line), logs[i].form, NOW_SEC - 12 * DAY_SEC + k * 300);

			show_line(&s, line, len, NOW_SEC * USEC_PER_SEC);
		}
		if (s.held < s.lines - 20)
			fail_msg("form %u: %zu of %zu lines held", logs[i].form, s.held, s.lines);
		show_done(&s);
		date_patterns_free(p);
	}
}

/* Whatever follows a date, alone and two by two. */
static void endings(void **state)
{
	static const char *const dates[][2] = {{NULL, "%b %e %H:%M:%S"},
		{NULL, "%Y-%m-%d %H:%M:%S"}, {NULL, "%Y-%m-%dT%H:%M:%S+01:00"},
		{NULL, "%b %d %H:%M:%S %Y"}, {"^[^\\[]*\\[({DATE})", "a [%d/%b/%Y:%H:%M:%S"},
		{"^[^\\[]*\\[({DATE})", "a [%d/%b/%Y:%H:%M:%S +0100"},
		{"^[^\\[]*(\\[{DATE}\\s*\\])", "a [%d/%b/%Y:%H:%M:%S +0100"},
		{"^[^\\[]*(\\[{DATE}\\s*\\])", "a [%Y-%m-%d %H:%M:%S"},
		{"^{DATE}", "%a %b %d %Y %H:%M:%S"}, {"^%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S"}};
	static const char *const bits[] = {"", " ", "\t", "0", "5", ".", ",", ":", "-", "+", "_",
		"x", "/", "T", "Z", "UTC", "GMT", "CET", "utc", "z", "U", "G", "Gm", "+01", "+0100",
		"-0", " 20", " 2026", "2", "20", "1999", ".5", ",5", ".123456", ".1234567",
		",123456", "\x85", "\xa0", "\xc3\xa9", "\xe2\x80\x94", "\xff", "]", "\x1c", "\x7f",
		"%", ": "};

	(void)state;
	zone_is(zones[1]);
	for (size_t i = 0; i < ARRAY_SIZE(dates); i++) {
		struct date_patterns *p = patterns_of(dates[i][0], NULL);
		time_t t = NOW_SEC - 7 * DAY_SEC;
		struct show s;

		show_init(&s, p);
		for (unsigned k = 0; k < ARRAY_SIZE(bits) * ARRAY_SIZE(bits); k++, t += 3) {
			char date[LINE_MAX_LEN], line[LINE_MAX_LEN + 40];
			struct tm tm;
			int n;

			strftime(date, sizeof(date), dates[i][1], gmtime_r(&t, &tm));
			n = snprintf(line, sizeof(line), "%s%s %s", date,
				strchr(date, '[') != NULL ? "]" : ":", "an ordinary line of a log");
			for (unsigned again = k == 0 ? 20 : 1; again > 0; again--)
				show_line(&s, line, (size_t)n, NOW_SEC * USEC_PER_SEC);
			n = snprintf(line, sizeof(line), "%s%s%s%s", date,
				bits[k / ARRAY_SIZE(bits)], bits[k % ARRAY_SIZE(bits)],
				pick(2) > 0 ? "" : " and what stands in a line after that");
			show_line(&s, line, (size_t)n, NOW_SEC * USEC_PER_SEC);
		}
		assert_true(s.held > s.lines / 2);
		show_done(&s);
		date_patterns_free(p);
	}
}

/* Lines in which there is nothing to find are known as such. */
static void misses(void **state)
{
	static const struct {
		const char *pattern;
		unsigned form;
	} logs[] = {{"EPOCH", 0}, {"{^LN-BEG}Epoch", 0}, {"^[^\\[]*\\[({DATE})", 0},
		{"^%Y-%m-%d %H:%M:%S", 0}, {"^[^\\[]*(\\[{DATE}\\s*\\])", 0},
		{"{^LN-BEG}TAI64N", 0}, {"{^LN-BEG}%b-%d-%Exy %H:%M:%S", 0}, {"{^LN-BEG}", 7},
		{"^%Y-%m-%d %H:%M:%S", 7}, {"^%Y:%m:%d-%H:%M:%S", 1}, {"{^LN-BEG}", 34},
		{"^[^\\[]*\\[({DATE})", 1}, {"^[^\\[]*\\[({DATE})", 4}, {"EPOCH", 7},
		{"^[^-]+ -- [^-]+ -- - ({DATE})", 0}, {"%d/%b[^/]*/%Y:%H:%M:%S %z", 0},
		{"^%b %d, %ExY %I:%M:%S %p", 0}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(logs); i++) {
		struct date_patterns *p = patterns_of(logs[i].pattern, NULL);
		struct show s;

		show_init(&s, p);
		for (unsigned k = 0; k < 2000; k++) {
			char line[LINE_MAX_LEN];
			size_t len = write_date(
				line, sizeof(line), logs[i].form, NOW_SEC - 12 * DAY_SEC + k * 300);

			show_line(&s, line, len, NOW_SEC * USEC_PER_SEC);
		}
		if (s.missed < s.lines - 200)
			fail_msg("%s: %zu of %zu lines known to have none", logs[i].pattern,
				s.missed, s.lines);
		show_done(&s);
		date_patterns_free(p);
	}
}

/* What one pattern lacks in a line is not what another one lacks, though all else is the same. */
static void misses_differ(void **state)
{
	static const char *const patterns[] = {"%Y--%m--%d", "%Y==%m==%d", "%Y==%m==%d %H:%M"};
	static const char line[] = "what there is to say";
	struct date_miss m[ARRAY_SIZE(patterns)] = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		struct date_patterns *p = patterns_of(patterns[i], NULL);
		struct date_finder *f = date_finder_new(p);
		struct stamp stamp;

		assert_int_equal(date_find(f, line, strlen(line), NOW_SEC * USEC_PER_SEC, &stamp),
			DATE_NONE);
		assert_true(date_finder_miss(f, &m[i]));
		for (size_t k = 0; k <= i; k++)
			assert_int_equal(date_miss_eq(&m[k], &m[i]), k == i);
		date_finder_free(f);
		date_patterns_free(p);
	}
}

/* Any day and hour of a month, one after the other: changed clocks, years that are left out. */
static void months(void **state)
{
	static const char *const names[] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

	(void)state;
	srand(12);
	for (unsigned i = 0; i < 300; i++) {
		int64_t now_us = (NOW_SEC + (int64_t)pick(6 * 365 * DAY_SEC)) * USEC_PER_SEC;
		struct civil now = civil_of(now_us / USEC_PER_SEC / DAY_SEC);
		unsigned month = pick(2) > 0 ? (unsigned)now.month - 1 : pick(12);
		bool near = pick(2) > 0, has_year = pick(3) == 0, moves = pick(2) > 0;
		struct date_patterns *p;
		struct show s;

		zone_is(zones[pick(ARRAY_SIZE(zones))]);
		p = patterns_of("{^LN-BEG}", pick(4) > 0 ? NULL : log_zones[3 + pick(2)]);
		show_init(&s, p);
		for (unsigned k = 0; k < 200; k++) {
			char line[LINE_MAX_LEN];
			unsigned day = near ? (unsigned)now.day + pick(7) - 3 : 1 + pick(31);
			int n;

			if (has_year)
				n = snprintf(line, sizeof(line),
					"%d-%02u-%02u %02u:%02u:%02u host x", now.year, month + 1,
					day, pick(25), pick(61), pick(61));
			else
				n = snprintf(line, sizeof(line), "%s %2u %02u:%02u:%02u host x",
					names[month], day, pick(25), pick(61), pick(61));
			now_us += moves ? (int64_t)pick(7200) * USEC_PER_SEC : 0;
			show_line(&s, line, (size_t)n, now_us);
			if (pick(20) == 0)
				now_us += (int64_t)pick(4 * DAY_SEC) * USEC_PER_SEC;
		}
		show_done(&s);
		date_patterns_free(p);
	}
}

static void needs(void **state)
{
	static const char *const cases[][2] = {{"%d/%b[^/]*/%Y:%H:%M:%S %z", "/"},
		{"^[^-]+ -- [^-]+ -- - (%Y)", "-- -"}, {"^%b %d, %ExY", ","}, {"%Y-%m", ""},
		{"{^LN-BEG}%Y", ""}, {"%d/?%m", ""}, {"%d/*%m", ""}, {"%d/+%m", ""},
		{"%d/{0,2}%m", ""}, {"%d@/{0,2}%m", "@"}, {"%d {2,3}%m", ""}, {"%d/%m|%Y", ""},
		{"(%d/%m)?", ""}, {"%d\\x2f%m", ""}, {"%d\\x2f%m/", ""}, {"%d\\/%m/", "/"},
		{"(?x)%d / %m", ""}, {"(?iu)%d / %m", "/"}, {"(?#a)%d / %m", "/"}, {" / %d", "/"},
		{"%d =/= ", "=/="}, {"%d\\1/%m", "/"}, {"[/]%d", ""}, {"%d<=>//==<>%m", "<=>//=="},
		{"(%d", ""}, {"", ""}, {"{/", ""}, {"%d==\\", ""}, {"%d-%m", ""}, {"%d--%m", "--"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char need[DATE_NEED_MAX];

		dateformat_need(cases[i][0], need);
		if (strcmp(need, cases[i][1]) != 0)
			fail_msg("%s: '%s', not '%s'", cases[i][0], need, cases[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usual_logs),
		cmocka_unit_test(misses),
		cmocka_unit_test(misses_differ),
		cmocka_unit_test(needs),
		cmocka_unit_test(endings),
		cmocka_unit_test(months),
		cmocka_unit_test(any_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
