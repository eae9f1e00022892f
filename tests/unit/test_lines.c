/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Logs read line by line, and in buffers with all that passes over lines: each comes to the same.
 * The logs are made for the places in which that is not a matter of course.
 */
#include "base/clock.h"
#include "base/util.h"
#include "match/window.h"
#include "twice/twice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define NOW_US (1795159800LL * USEC_PER_SEC) /* 2026-11-20 07:30:00 UTC */
#define FILTERS_MAX 2048
#define DATES_MAX 64
#define LINE_MAX_LEN 1500
#define WAYS 20

struct rules {
	const char *pref, *fail[6], *ignore[3];
	unsigned maxlines, dates;
};

/* Filters and a log for them. */
struct scene {
	struct twice twice;
	struct filter *filters[3 * FILTERS_MAX];
	struct date_patterns *dates[DATES_MAX];
	size_t n_filters, n_dates;
	char *log;
	size_t len, room;
	uint64_t ways; /* to read it in */
};

static struct scene *scene_new(size_t line_max)
{
	struct scene *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	twice_init(&s->twice, FILTERS_MAX, line_max);
	s->ways = WAYS;
	return s;
}

static void scene_free(struct scene *s)
{
	twice_done(&s->twice);
	for (size_t i = 0; i < s->n_filters; i++)
		filter_free(s->filters[i]);
	for (size_t i = 0; i < s->n_dates; i++)
		date_patterns_free(s->dates[i]);
	free(s->log);
	free(s);
}

static void add_dates(struct scene *s, const char *pattern)
{
	struct conf_text text = {.text = pattern};
	struct faults f = {0};

	assert_int_equal(date_patterns_new(&s->dates[s->n_dates], &text, NULL, &f), 0);
	faults_done(&f);
	twice_add_dates(&s->twice, s->dates[s->n_dates++]);
}

static struct filter *make(struct scene *s, const struct rules *r)
{
	struct conf_text fail[ARRAY_SIZE(r->fail)], ignore[ARRAY_SIZE(r->ignore)];
	struct filter_def def = {
		.name = "t",
		.prefregex = {r->pref, {"t.conf", 1}},
		.failregex = fail,
		.ignoreregex = ignore,
		.maxlines = r->maxlines,
	};
	struct filter **ret = &s->filters[s->n_filters];
	struct faults f = {0};

	for (; def.n_failregex < ARRAY_SIZE(fail) && r->fail[def.n_failregex] != NULL;
		def.n_failregex++)
		fail[def.n_failregex] =
			(struct conf_text) {r->fail[def.n_failregex], {"t.conf", 2}};
	for (; def.n_ignoreregex < ARRAY_SIZE(ignore) && r->ignore[def.n_ignoreregex] != NULL;
		def.n_ignoreregex++)
		ignore[def.n_ignoreregex] =
			(struct conf_text) {r->ignore[def.n_ignoreregex], {"t.conf", 3}};
	if (filter_new(ret, &def, &f) < 0)
		fail_msg("%s: %s", r->fail[0], f.items[0].message);
	faults_done(&f);
	s->n_filters++;
	return *ret;
}

/* Each reading has a filter of its own to conclude with. */
static void add(struct scene *s, const struct rules *r)
{
	struct filter *f = make(s, r);

	twice_add(&s->twice, r->fail[0], f, r->dates, make(s, r), make(s, r));
}

static struct scene *scene_of(const struct rules *rules, size_t n, const char *const *dates)
{
	struct scene *s = scene_new(LINE_MAX_LEN);

	for (size_t i = 0; dates != NULL && (i == 0 || dates[i] != NULL); i++)
		add_dates(s, dates[i]);
	if (dates == NULL)
		add_dates(s, NULL);
	for (size_t i = 0; i < n; i++)
		add(s, &rules[i]);
	return s;
}

static void put(struct scene *s, const char *text, size_t len)
{
	if (s->len + len > s->room) {
		s->room = 2 * s->room + len + 4096;
		s->log = realloc(s->log, s->room);
		assert_non_null(s->log);
	}
	memcpy(s->log + s->len, text, len);
	s->len += len;
}

__attribute__((format(printf, 2, 3))) static void say(struct scene *s, const char *format, ...)
{
	char text[8192];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	assert_in_range(n, 0, sizeof(text) - 1);
	put(s, text, (size_t)n);
}

/* A date so many seconds before the present. */
static const char *ago(const char *format, int sec)
{
	static char text[2][64];
	static unsigned at;
	time_t t = NOW_US / USEC_PER_SEC - sec;
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(text[++at % 2], sizeof(text[0]), format, &tm);
	return text[at % 2];
}

#define SYSLOG "%b %e %H:%M:%S"
#define ISO "%Y-%m-%dT%H:%M:%S.123456+00:00"

/* n lines that are nothing to anybody, from so many seconds ago on, one a second. */
static void chat(struct scene *s, const char *format, size_t n, int sec)
{
	for (size_t i = 0; i < n; i++)
		say(s, "%s host cron[%zu]: nothing of interest, %zu\n", ago(format, sec - (int)i),
			100 + i, i);
}

static uint32_t rng(void *arg, uint32_t n)
{
	uint64_t *state = arg;

	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)((*state >> 33) % n);
}

/*
 * Reads the log in many ways. found: how many matches there are at least, passed: how many lines
 * are passed over, in all ways together; else the test would not be about what it should.
 */
static void check(struct scene *s, size_t found, uint64_t passed)
{
	static const size_t sizes[] = {1, 60, 400, 3000, 1000000};
	static struct twice_result result;
	uint64_t n_passed = 0;

	twice_ready(&s->twice);
	for (uint64_t i = 0; i < s->ways; i++) {
		uint64_t state = i;
		const struct twice_way way = {
			.now_us = NOW_US,
			.step_us = i % 3 * 45 * USEC_PER_SEC,
			.live = i % 4 == 3,
			.buffer_max = sizes[i % ARRAY_SIZE(sizes)],
			.choose = rng,
			.arg = &state,
		};

		twice_read(&s->twice, &way, s->log, s->len, &result);
		if (result.differs)
			fail_msg("way %d: %s", (int)i, result.why);
		if (result.n_found < found)
			fail_msg("only %zu were found", result.n_found);
		assert_int_equal(result.n_limits, 0);
		n_passed += result.n_passed;
	}
	if (n_passed < passed)
		fail_msg("%llu lines were passed over", (unsigned long long)n_passed);
	scene_free(s);
}

static const struct rules over_lines = {
	.fail = {"^ ?(?P<id>\\w+) begins <HOST>$<SKIPLINES>^ ?(?P=id) ends$"}, .maxlines = 4};

/* What a match is made of stands in lines of which each may be passed over by itself. */
static void windows(void **state)
{
	struct scene *s = scene_of(&over_lines, 1, NULL);

	(void)state;
	chat(s, SYSLOG, 300, 4000);
	for (int gap = 0; gap < 8; gap++) {
		int sec = 3000 - 100 * gap;

		say(s, "%s a%d begins 192.0.2.%d\n", ago(SYSLOG, sec), gap, gap);
		chat(s, SYSLOG, (size_t)gap, sec - 1);
		say(s, "%s a%d ends\n", ago(SYSLOG, sec - 10), gap);
		chat(s, SYSLOG, 30, sec - 11);
	}
	/* With gaps of none, one and two there are four lines at most. */
	check(s, 3, 1000);
}

/* A match uses up its lines: what is left of the window may match again, or no more. */
static void used_up(void **state)
{
	const struct rules rules[] = {
		{.fail = {"^ ?one <HOST>$<SKIPLINES>^ ?two$"}, .maxlines = 6},
		{.fail = {"^ ?one <HOST>$", "^ ?two$<SKIPLINES>^ ?three <HOST>$"}, .maxlines = 3},
	};
	struct scene *s = scene_of(rules, ARRAY_SIZE(rules), NULL);
	size_t n = 0;

	(void)state;
	chat(s, SYSLOG, 100, 4000);
	for (int i = 0; i < 12; i++) {
		static const char *const what[] = {"one 192.0.2.1", "two", "three 192.0.2.2",
			"host cron[1]: nothing", "one 192.0.2.3", "two", "two"};

		for (size_t k = 0; k < ARRAY_SIZE(what); k++)
			say(s, "%s %s\n", ago(SYSLOG, 3000 - 100 * i - (int)k), what[k]);
		chat(s, SYSLOG, (size_t)(i % 5), 3000 - 100 * i - 10);
		n += 2 + 2 + 1;
	}
	check(s, n, 500);
}

/* What is ignored uses up lines, too, and says so by being no match. */
static void ignored(void **state)
{
	const struct rules rules[] = {
		{.fail = {"^ ?one <HOST>$<SKIPLINES>^ ?two \\w+$"},
			.ignore = {"two mine"},
			.maxlines = 4},
		{.fail = {"^ ?a <HOST>$", "^ ?b <HOST>$", "^ ?c <HOST>$", "^ ?two \\w+ <HOST>$"},
			.ignore = {"192\\.0\\.2\\.9$"}},
		{.fail = {"^ ?(?:a|b) <HOST>$"}, .ignore = {"^ ?b"}},
		{.fail = {"^ ?a <HOST>$<SKIPLINES>b <HOST>", "^ ?b", "^ ?c", "^ ?nobody <HOST>"},
			.ignore = {"nothing of interest, 7$"},
			.maxlines = 3},
	};
	struct scene *s;
	struct rules own[ARRAY_SIZE(rules)];

	(void)state;
	memcpy(own, rules, sizeof(own));
	own[3].fail[1] = "^ ?b <HOST>";
	own[3].fail[2] = "^ ?c <HOST>";
	s = scene_of(own, ARRAY_SIZE(own), NULL);
	chat(s, SYSLOG, 100, 4000);
	for (int i = 0; i < 10; i++) {
		int sec = 3000 - 100 * i;

		say(s, "%s one 192.0.2.1\n%s two mine\n", ago(SYSLOG, sec), ago(SYSLOG, sec));
		say(s, "%s two yours\n", ago(SYSLOG, sec));
		say(s, "%s a 192.0.2.9\n%s a 192.0.2.8\n", ago(SYSLOG, sec), ago(SYSLOG, sec));
		say(s, "%s b 192.0.2.8\n", ago(SYSLOG, sec));
		chat(s, SYSLOG, 12, sec);
	}
	/* The fourth matches "b" with the "a" that is ahead of it, or "b" alone. */
	check(s, 10 * (0 + 2 + 2 + 1), 500);
}

/* prefregex in a window: of which what it leaves then stands for all lines. */
static void contents(void **state)
{
	const struct rules rules[] = {
		{.pref = "(?s)svc\\[<F-MLFID>\\d+</F-MLFID>\\]: <F-CONTENT>.+</F-CONTENT>$",
			.fail = {"^bad <F-USER>\\S+</F-USER>$<SKIPLINES>.*from <HOST>$",
				"^alone <HOST>$"},
			.maxlines = 4},
		{.pref = "^ ?svc\\[<F-MLFID>\\d+</F-MLFID>\\]: <F-CONTENT>.+</F-CONTENT>$",
			.fail = {"^<F-NOFAIL>bad</F-NOFAIL> <F-USER>\\S+</F-USER>$",
				"^alone <HOST>$", "^<F-MLFFORGET>bye</F-MLFFORGET> <HOST>$"}},
		{.pref = "svc", .fail = {"alone <HOST>$"}, .maxlines = 2},
	};
	struct scene *s = scene_of(rules, ARRAY_SIZE(rules), NULL);

	(void)state;
	chat(s, SYSLOG, 50, 4000);
	for (int i = 0; i < 10; i++) {
		int sec = 3000 - 100 * i;

		say(s, "%s svc[%d]: bad root\n", ago(SYSLOG, sec), i);
		chat(s, SYSLOG, (size_t)(i % 3), sec);
		say(s, "%s svc[%d]: from 192.0.2.1\n", ago(SYSLOG, sec), i);
		say(s, "%s svc[%d]: alone 192.0.2.2\n", ago(SYSLOG, sec), i / 2);
		say(s, "%s svc[%d]: bye 192.0.2.2\n", ago(SYSLOG, sec), i / 3);
		chat(s, SYSLOG, 10, sec);
	}
	check(s, 10 * (1 + 3 + 1), 0);
}

/* Sets of patterns that find each line's date, none, some, and one in the middle of the line. */
static void many_dates(void **state)
{
	static const char *const dates[] = {"{^LN-BEG}", "^%Y-%m-%d %H:%M:%S",
		"^[^\\[]*\\[({DATE})", "at %H:%M:%S", "EPOCH", "^\\S+ %d/%b/%Y:%H:%M:%S", NULL};
	struct rules rules[24] = {0};
	struct scene *s;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rules); i++) {
		rules[i] = i % 4 == 0   ? over_lines
			   : i % 4 == 1 ? (struct rules) {.fail = {"begins <HOST>"}}
			   : i % 4 == 2 ? (struct rules) {.fail = {"<HOST>$<SKIPLINES>ends"},
						  .maxlines = 2}
					: (struct rules) {.fail = {"^.*<HOST> knocks"}};
		rules[i].dates = (i * 5) % 6;
	}
	s = scene_of(rules, ARRAY_SIZE(rules), dates);
	for (int i = 0; i < 60; i++) {
		int sec = 3000 - 10 * i;

		chat(s, i % 20 < 15 ? SYSLOG : ISO, (size_t)(i % 12), sec);
		if (i % 7 == 3)
			say(s, "host [%s] a begins 192.0.2.7\n", ago(SYSLOG, sec));
		if (i % 9 == 4)
			say(s, "no date at all, and nothing else\n192.0.2.8 knocks\n");
		if (i % 11 == 5)
			say(s, "%s a begins 192.0.2.3\n%s a ends\n", ago(SYSLOG, sec),
				ago(SYSLOG, sec));
		if (i % 13 == 6)
			say(s, "x at %s a begins 192.0.2.3\n", ago("%H:%M:%S", sec));
	}
	check(s, 100, 0);
}

/* A log in which nobody finds a date: its lines are undated, however they are passed over. */
static void no_dates(void **state)
{
	const struct rules rules[] = {{.fail = {"^begins <HOST>"}}, over_lines};
	static const char *const dates[] = {"{^LN-BEG}", NULL};
	struct scene *s = scene_of(rules, 2, dates);

	(void)state;
	for (int i = 0; i < 3000; i++)
		say(s, i % 700 == 600 ? "begins 192.0.2.%d\n" : "just words, and more %d\n",
			i % 250);
	check(s, 4, 3000);
}

/* Where habits end: another month, another format, another place, the turn of a day. */
static void habits_change(void **state)
{
	static const char *const formats[] = {SYSLOG, ISO, "%Y-%m-%d %H:%M:%S",
		"[%d/%b/%Y:%H:%M:%S +0000]", "%Y-%m-%d %H:%M:%S,123", "%a %b %d %H:%M:%S %Y", "%s",
		("<13>" SYSLOG)};
	const struct rules rules[] = {{.fail = {"begins <HOST>$"}}, over_lines,
		{.fail = {"begins <HOST>$"}, .dates = 1}, {.fail = {"begins <HOST>$"}, .dates = 2}};
	static const char *const dates[] = {NULL, "{^LN-BEG}", "^[^\\[]*\\[({DATE})", NULL};
	struct scene *s;

	(void)state;
	s = scene_of(rules, ARRAY_SIZE(rules), dates);
	for (int i = 0; i < 80; i++) {
		/* From October on; two days a step. */
		int sec = (80 - i) * 43200;

		chat(s, formats[i / 10], (size_t)(i % 10 * 3), sec);
		say(s, "%s a begins 192.0.2.1\n", ago(formats[i / 10], sec - 60));
		say(s, "%s a ends\n", ago(formats[i / 10], sec - 60));
		chat(s, formats[i % ARRAY_SIZE(formats)], (size_t)(i % 3), sec - 100);
	}
	check(s, 200, 500);
}

/* Dates that run back, lie ahead, are as old as they may be and a little older, or are none. */
static void odd_times(void **state)
{
	const struct rules rules[] = {
		{.fail = {"begins <HOST>$"}}, over_lines, {.fail = {"begins <HOST>$"}, .dates = 1}};
	static const char *const dates[] = {NULL, "{^LN-BEG}", NULL};
	static const int offs[] = {
		0, 1, 59, 60, 61, 62, 120, 3600, 86400, -1, -2, -59, -60, -61, -3600};
	struct scene *s = scene_of(rules, ARRAY_SIZE(rules), dates);

	(void)state;
	for (size_t i = 0; i < 3 * ARRAY_SIZE(offs); i++) {
		int sec = i < ARRAY_SIZE(offs) ? 100 - (int)i : 40;

		chat(s, SYSLOG, 12, sec);
		say(s, "%s a begins 192.0.2.%zu\n", ago(SYSLOG, sec), i);
		say(s, "%s a begins 192.0.2.%zu\n", ago(SYSLOG, offs[i % ARRAY_SIZE(offs)]), i);
		chat(s, SYSLOG, 1 + i % 2, offs[(i * 7) % ARRAY_SIZE(offs)]);
		say(s, "%s a begins 192.0.2.%zu\n", ago(SYSLOG, sec), i);
		say(s, "Nov 20 25:61:00 a ends\nNov 31 01:02:03 a begins 192.0.2.3\n");
	}
	check(s, 200, 500);
}

/* A line like the one before last, after one that is not as usual; dates that hardly differ. */
static void like_before(void **state)
{
	static const char *const after[] = {" Zx", " Z ", " Zx", " ", " +1", " +x", "  Z", " U",
		" UT", " UTC", "+", ".", ".5", ".55", ",5", "Z", " x", "x", " 2", " 20", " 202",
		" 2025", ".5 2025"};
	static const char *const formats[] = {"%Y-%m-%d %H:%M:%S", SYSLOG, "%Y-%m-%dT%H:%M:%S",
		"%a %b %d %H:%M:%S", "%d/%b/%Y:%H:%M:%S"};
	const struct rules rules[] = {{.fail = {"begins <HOST>$"}}, over_lines};
	struct scene *s = scene_of(rules, ARRAY_SIZE(rules), NULL);

	(void)state;
	for (int i = 0; i < 60; i++) {
		int sec = 3000 - 20 * i;

		chat(s, SYSLOG, 10, sec);
		say(s, "%s host x: nothing\n", ago(SYSLOG, sec - 15));
		say(s, "%s host x: nothing\n", ago(SYSLOG, sec - 10));
		say(s, "%s host x: begins 192.0.2.1\n", ago(SYSLOG, sec - 15));
	}
	for (size_t i = 0; i < 2 * ARRAY_SIZE(formats); i++) {
		const char *format = formats[i % ARRAY_SIZE(formats)];

		for (size_t k = 0; k < 2 * ARRAY_SIZE(after); k++) {
			int sec = 1500 - (int)(i * 100 + k);

			chat(s, format, 10 * (k == 0), sec);
			say(s, "%s x\n", ago(format, sec));
			say(s, "%s%s begins 192.0.2.1\n", ago(format, sec), after[k / 2]);
			say(s, "%s%s begins 192.0.2.1\n", ago(format, sec),
				after[(k * 7 + 1) % ARRAY_SIZE(after)]);
			say(s, "%s x begins 192.0.2.1\n", ago(format, sec));
		}
	}
	check(s, 100, 200);
}

/* Ends of lines of all kinds, bytes of all kinds, long lines, no newline at the end. */
static void odd_lines(void **state)
{
	const struct rules rules[] = {{.fail = {"begins <HOST>$", "^ ?x\\S* <HOST>$"}}, over_lines,
		{.fail = {"(?i)knocks <HOST>", "(?i)masks<HOST>"}},
		{.fail = {"[^a]\\S+ \"<HOST>\" <F-USER>[^\"]*</F-USER>"}},
		{.fail = {"^a <HOST>\\n<F-USER></F-USER>"}}};
	static const struct {
		const char *text;
		size_t len;
	} odd[] = {
#define ODD(text) {text, sizeof(text) - 1}
		ODD("a begins 192.0.2.1\r\n"),
		ODD("a begins 192.0.2.1\r\r\r\n"),
		ODD("a begins\r 192.0.2.1\n"),
		ODD("a beg\0ins 192.0.2.1\n"),
		ODD("a begins 192.0.2.1\0\n"),
		ODD("\0a begins 192.0.2.1\n"),
		ODD("\xff"
		    "a begins 192.0.2.1\n"),
		ODD("x \xff\xc3 192.0.2.1\n"),
		ODD("x \xc5\xbf 192.0.2.1\n"),
		ODD("KNOC\xe2\x84\xaaS 192.0.2.1\n"),
		ODD("kno\xe2\x84\xaa\xe2\x84\xaa 192.0.2.1\n"),
		ODD("knoc\xe2\x84\xaa\xc5\xbf 192.0.2.1\n"),
		ODD("KNOCK\xc5\xbf 192.0.2.1\n"),
		ODD("ma\xc5\xbf\xe2\x84\xaa\xc5\xbf 192.0.2.1\n"),
		ODD("ma\xc5\xbf\xe2\x84\xaa\xc5\xbf"
		    "192.0.2.1\n"),
		ODD("knoc\xe2\x84\xaa\xc5 192.0.2.1\n"),
		ODD("bx\xc3\xa9 \"192.0.2.1\" \xc3\xa9\xff\xc3\n"),
		ODD("\n"),
		ODD("\r\n"),
		ODD("\n\n\n"),
		ODD("\0\n"),
		ODD("a 192.0.2.1\n"),
		ODD("a ends\n"),
		ODD("\xe2\x80\xa8"
		    "a ends\n"),
		ODD("a begins 192.0.2.1\x85\n"),
#undef ODD
	};
	struct scene *s = scene_of(rules, ARRAY_SIZE(rules), NULL);
	char filler[LINE_MAX_LEN + 64];

	(void)state;
	memset(filler, 'y', sizeof(filler));
	for (size_t i = 0; i < 3 * ARRAY_SIZE(odd); i++) {
		const char *stamp = ago(SYSLOG, 3000 - (int)i);
		const char *text = odd[i % ARRAY_SIZE(odd)].text;
		size_t len = odd[i % ARRAY_SIZE(odd)].len;

		chat(s, SYSLOG, i % 4, 3000 - (int)i);
		say(s, "%s ", stamp);
		put(s, text, len);
		if (i < ARRAY_SIZE(odd))
			put(s, text, len);
		/* So long that it ends before, in and after what is judged. */
		say(s, "%s x", stamp);
		put(s, filler, LINE_MAX_LEN - 50 + i);
		put(s, text, len);
	}
	put(s, "Nov 20 07:29:00 a 192.0.2.1", 27);
	check(s, 60, 500);
}

/* A value at the very end of a buffer, empty and behind the line's newline. */
static void empty_value(void **state)
{
	const struct rules rules = {.fail = {"^ ?a <HOST>\\n<F-USER></F-USER>"}};
	struct scene *s = scene_of(&rules, 1, NULL);

	(void)state;
	for (int i = 0; i < 40; i++)
		say(s, "%s a 192.0.2.1\n", ago(SYSLOG, 3000 - i));
	check(s, 40, 0);
}

/* What is cut out of a line's middle joins what stands around it: to a word of a failregex. */
static void words_across(void **state)
{
	const struct rules rules[] = {{.fail = {"rejected <HOST>"}},
		{.fail = {"host\\[\\] ?<HOST>"}}, {.fail = {"(?i)knocks <HOST>"}},
		{.fail = {"^rejec<SKIPLINES>ted"}, .maxlines = 2}, {.fail = {"\\[\\]<HOST>"}},
		{.fail = {"\"\" ?\\[?\\]?<HOST>"}},
		{.fail = {"rejec ted <HOST>", "\\[ted <HOST>", "rejec\\]ted <HOST>",
			 "\\[ ted <HOST>"}},
		{.fail = {"k\\(\\)k <HOST>", "k<>k <HOST>", "k\\{\\}k <HOST>", "k\"\"k <HOST>",
			 "k''k <HOST>", "k  k <HOST>"}}};
	static const char *const dates[] = {"{^LN-BEG}", "rejec ?(%Y-%m-%d %H:%M:%S)",
		"knoc(?:\xe2\x84)?(%Y-%m-%d %H:%M:%S)", "\\[(%Y-%m-%d %H:%M:%S)",
		"^[^\\[]*\\[({DATE})", "\"(%Y-%m-%d %H:%M:%S)", "%Y-%m-%d %H:%M:%S", NULL};
	struct scene *s = scene_new(LINE_MAX_LEN);

	(void)state;
	for (size_t i = 0; dates[i] != NULL; i++)
		add_dates(s, dates[i]);
	for (size_t i = 0; i < (ARRAY_SIZE(dates) - 1) * ARRAY_SIZE(rules); i++) {
		struct rules r = rules[i % ARRAY_SIZE(rules)];

		r.dates = (unsigned)(i / ARRAY_SIZE(rules));
		if (r.maxlines == 2)
			r.fail[0] = "rejected <HOST>";
		add(s, &r);
	}
	for (int i = 0; i < 60; i++) {
		const char *stamp = ago("%Y-%m-%d %H:%M:%S", 3000 - i);

		say(s, "%s nothing\n", stamp);
		say(s, "rejec%sted 192.0.2.1\n", stamp);
		say(s, "rejec %s ted 192.0.2.1\n", stamp);
		say(s, "host[%s] 192.0.2.1\nhost [%s]\n", stamp, stamp);
		say(s, "x \"%s\" 192.0.2.1\n", stamp);
		say(s, "knoc%sks 192.0.2.1\nknoc\xe2\x84%s\xaas 192.0.2.1\n", stamp, stamp);
		say(s, "k(%s)k 192.0.2.1\nk<%s>k 192.0.2.1\n", stamp, stamp);
		say(s, "k{%s}k 192.0.2.1\nk\"%s\"k 192.0.2.1\n", stamp, stamp);
		say(s, "k'%s'k 192.0.2.1\nk %s k 192.0.2.1\n", stamp, stamp);
		say(s, "%s rejected 192.0.2.1\n", stamp);
		say(s, "rejec[%sted 192.0.2.1\nrejec%s]ted 192.0.2.1\n", stamp, stamp);
	}
	/* So many that they are usual. */
	for (int i = 0; i < 60; i++) {
		const char *stamp = ago("%Y-%m-%d %H:%M:%S", 900 - i);

		say(s, "[%s] nothing\n[%s] nothing\n[%s ted 192.0.2.1\n", stamp, stamp, stamp);
		say(s, "[%s]ted 192.0.2.1\n", stamp);
	}
	check(s, 100, 0);
}

/* A line with two dates, of which each set has another, and one now this, now that. */
static void two_cuts(void **state)
{
	static const char *const dates[] = {"^%Y-%m-%d %H:%M:%S", "^[^\\[]*\\[({DATE})",
		"^%Y-%m-%d %H:%M:%S\n^[^\\[]*\\[({DATE})", NULL};
	const struct rules rules[] = {{.fail = {"^ \\[20[\\d: -]+\\] begins <HOST>$"}},
		{.fail = {"^20[\\d: -]+ \\[\\] begins <HOST>$"}, .dates = 1},
		{.fail = {"^ \\[20[\\d: -]+\\] begins <HOST>$",
			 "^20[\\d: -]+ \\[\\] begins <HOST>$"},
			.dates = 2}};
	struct scene *s = scene_of(rules, ARRAY_SIZE(rules), dates);

	(void)state;
	s->ways = 40;
	for (int i = 0; i < 300; i++) {
		const char *one = ago("%Y-%m-%d %H:%M:%S", 3000 - i);
		const char *two = ago("%Y-%m-%d %H:%M:%S", 2999 - i);

		if (i % 20 == 0)
			say(s, "[%s] nothing\n", two);
		else if (i % 20 == 10)
			say(s, "%s nothing\n", one);
		else
			say(s, "%s [%s] %s\n", one, two,
				i % 3 > 0 ? "begins 192.0.2.1" : "nothing");
	}
	check(s, 500, 500);
}

/* A failregex that needs no word is tried on each line; so is one after the other beside it. */
static void without_words(void **state)
{
	const struct rules rules[] = {{.fail = {"^ ?\\w \\w+ <HOST>$", "<HOST> knocks"}},
		over_lines, {.fail = {"^ ?\\w \\w+ <HOST>$<SKIPLINES>^ ?\\w \\w$"}, .maxlines = 3}};
	struct scene *s = scene_of(rules, ARRAY_SIZE(rules), NULL);

	(void)state;
	for (int i = 0; i < 200; i++) {
		chat(s, SYSLOG, (size_t)(i % 4), 3000 - i);
		if (i % 5 == 1)
			say(s, "%s a begins 192.0.2.1\n", ago(SYSLOG, 3000 - i));
		if (i % 7 == 1)
			say(s, "%s a b\n", ago(SYSLOG, 3000 - i));
	}
	check(s, 40, 0);
}

/* More words in a line than are found at once, and more that end in one place. */
static void many_hits(void **state)
{
	struct rules rules[40] = {0};
	static char texts[40][64];
	struct scene *s;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		/* aab, aaab ...: all end together. */
		snprintf(texts[i], sizeof(texts[i]), "%.*sb <HOST>$", (int)(2 + i % 28),
			"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
		rules[i].fail[0] = texts[i];
		rules[i].maxlines = i % 10 == 9 ? 3 : 1;
	}
	s = scene_of(rules, ARRAY_SIZE(rules), NULL);
	s->ways = 8;
	for (int i = 0; i < 60; i++) {
		chat(s, SYSLOG, 3, 3000 - i);
		say(s, "%s ", ago(SYSLOG, 3000 - i));
		for (int k = 0; k < i * 2; k++)
			say(s, "%.*sb ", k % 40, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
		say(s, "%.*sb 192.0.2.1\n", i % 40,
			"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	}
	check(s, 300, 0);
}

/* A word of which the last is where no more hits are taken, at the edge of what is known of them.
 */
static void word_at_edge(void **state)
{
	const struct rules rules[] = {{.fail = {"xyxy\\S* <HOST>$"}}, {.fail = {"xyzq <HOST>$"}}};

	(void)state;
	for (size_t shift = 0; shift < 8; shift++) {
		struct scene *s = scene_of(rules, ARRAY_SIZE(rules), NULL);
		size_t hits = 4096 - 4 + shift;

		s->ways = 10;
		for (size_t n; hits > 0; hits -= n) {
			n = hits < 300 ? hits : 300;
			say(s, "%s xy", ago(SYSLOG, 3000));
			for (size_t i = 0; i < n; i++)
				say(s, "xy");
			say(s, hits > n ? "\n" : "zq 192.0.2.1\n");
		}
		say(s, "%s xyxy 192.0.2.1\n", ago(SYSLOG, 2999));
		check(s, 2, 0);
	}
}

/* As many jails as somebody may have; many sets of patterns, and windows more than are listed. */
static void many_jails(void **state)
{
	static const char *const patterns[] = {
		NULL, "{^LN-BEG}", "^%b %d %H:%M:%S", "EPOCH", "{NONE}"};
	struct scene *s = scene_new(LINE_MAX_LEN);
	static char texts[2000][64];

	(void)state;
	s->ways = 4;
	for (size_t i = 0; i < 40; i++)
		add_dates(s, patterns[i % ARRAY_SIZE(patterns)]);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct rules r = {.fail = {texts[i]}, .dates = (unsigned)(i * 7 % 40)};
		struct filter *f;

		snprintf(texts[i], sizeof(texts[i]), "^.*word%zu <HOST>%s$", i / 3,
			i % 90 == 5 ? "<SKIPLINES>end" : "");
		r.maxlines = i % 90 == 5 ? 5 : 1;
		f = make(s, &r);
		twice_add(&s->twice, texts[i], f, r.dates, NULL, NULL);
	}
	for (int i = 0; i < 16; i++) {
		chat(s, SYSLOG, (size_t)(i % 4), 3000 - i);
		say(s, "%s word%d 192.0.2.1\n", ago(SYSLOG, 3000 - i), i * 41 % 667);
		if (i % 4 == 1)
			say(s, "%s end\nword%d 192.0.2.1\n", ago(SYSLOG, 3000 - i), i);
	}
	check(s, 50, 0);
}

/* More ways to see a log's dates than are told apart. */
static void many_habits(void **state)
{
	static char patterns[30][64];
	struct scene *s = scene_new(LINE_MAX_LEN);
	struct rules r = {.fail = {"begins <HOST>$"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		/* Each set has a pattern of its own ahead of the one that is found. */
		snprintf(patterns[i], sizeof(patterns[i]), "^never%zu %%Y%s", i,
			i % 3 != 0   ? "\n^%Y-%m-%d %H:%M:%S"
			: i % 2 != 0 ? "\n{^LN-BEG}"
				     : "");
		add_dates(s, patterns[i]);
		r.dates = (unsigned)i;
		add(s, &r);
	}
	for (int i = 0; i < 200; i++) {
		chat(s, "%Y-%m-%d %H:%M:%S", (size_t)(i % 4), 3000 - i);
		say(s, "%s begins 192.0.2.1\n", ago("%Y-%m-%d %H:%M:%S", 3000 - i));
	}
	check(s, 1000, 0);
}

/* Matches in windows and without, of several sets of patterns, by the same line: in order. */
static void in_order(void **state)
{
	static const char *const dates[] = {NULL, "{^LN-BEG}", "^%Y-%m-%d %H:%M:%S", NULL};
	const struct rules rules[] = {{.fail = {"knocks <HOST>"}, .dates = 1},
		{.fail = {"knocks <HOST>$"}, .maxlines = 3},
		{.fail = {"<HOST>$"}, .dates = 2, .maxlines = 2}, {.fail = {"knocks <HOST>$"}},
		{.fail = {"cron"}, .dates = 1, .maxlines = 2},
		{.fail = {"<HOST>$<SKIPLINES>nothing"}, .maxlines = 3},
		{.fail = {"<HOST>$<SKIPLINES>nothing"}, .dates = 1, .maxlines = 4}};
	struct rules own[ARRAY_SIZE(rules)];
	struct scene *s;

	(void)state;
	memcpy(own, rules, sizeof(own));
	own[4].fail[0] = "cron.*<HOST>?";
	s = scene_of(own, ARRAY_SIZE(own), dates);
	for (int i = 0; i < 200; i++) {
		chat(s, SYSLOG, (size_t)(i % 5 * 3), 3000 - i);
		say(s, "%s x knocks 192.0.2.1\n", ago(SYSLOG, 3000 - i));
	}
	check(s, 1000, 0);
}

/* Filters without windows, in the order of their sets of patterns and not of their own. */
static void in_order_of_dates(void **state)
{
	static const char *const dates[] = {NULL, "{^LN-BEG}", "^%Y-%m-%d %H:%M:%S", NULL};
	const struct rules rules[] = {{.fail = {"knocks <HOST>"}, .dates = 1},
		{.fail = {"x knocks <HOST>"}, .dates = 2}, {.fail = {"knocks <HOST>$"}},
		{.fail = {"(?:x|y) knocks <HOST>"}, .dates = 1}, {.fail = {"knocks <HOST>"}}};
	struct scene *s = scene_of(rules, ARRAY_SIZE(rules), dates);

	(void)state;
	for (int i = 0; i < 300; i++) {
		const char *format = i < 150 ? SYSLOG : "%Y-%m-%d %H:%M:%S";

		chat(s, format, (size_t)(i % 5), 3000 - i);
		say(s, "%s x knocks 192.0.2.1\n", ago(format, 3000 - i));
	}
	check(s, 1500, 500);
}

/* What logs are made of, in any order. */
static const char *const pieces[] = {"begins", "ends", "knocks", "192.0.2.1", "2001:db8::1", " ",
	" ", "a", "x", "\n", "\n", "\r", "[", "]", "\"", "no", "one", "two", "\xff", "\xc5\xbf",
	"\xe2\x84\xaa", "host", "word1", "word2", ":", "1795150000", "2026-11-20 07:20:00",
	"Nov 20 07:00:00", "20/Nov/2026:07:10:00 +0000"};

static const struct rules any[] = {
	{.fail = {"begins <HOST>", "one <HOST>"}},
	{.fail = {"(?P<id>\\w+) begins ?<SKIPLINES> ?(?P=id) ends <HOST>"}, .maxlines = 3},
	{.fail = {"(?i)knocks? ?<HOST>", "word[12] <HOST>"},
		.ignore = {"no", "two.*one"},
		.dates = 1},
	{.pref = "host<F-CONTENT>.*</F-CONTENT>$",
		.fail = {"<HOST> ?ends", "one <HOST>"},
		.dates = 1},
	{.pref = "host<F-CONTENT>.*</F-CONTENT>$",
		.fail = {"<HOST> ?ends", "one <HOST>"},
		.maxlines = 3,
		.dates = 2},
	{.fail = {"^ ?x ?<HOST>", "word1 ?<F-ID>\\S+</F-ID>",
		 "<F-MLFID>word</F-MLFID>\\d ?<F-USER>\\S*</F-USER> <HOST>"},
		.dates = 3},
	{.fail = {"one ?<SKIPLINES> ?two ?<SKIPLINES> ?<HOST>"}, .maxlines = 5, .dates = 4},
	{.fail = {"<HOST>$"}, .dates = 4},
	{.fail = {"<HOST> (?:begins|ends|knocks)", "(?:one|two) <HOST>"},
		.maxlines = 2,
		.dates = 5},
};

static void at_random(void **state)
{
	static const char *const dates[] = {
		NULL, "{^LN-BEG}", "^%Y-%m-%d %H:%M:%S", "^[^\\[]*\\[({DATE})", "EPOCH", "{NONE}"};
	static const char *const formats[] = {SYSLOG, ISO, "[%Y-%m-%d %H:%M:%S]"};
	uint64_t seed = 7;

	(void)state;
	for (unsigned round = 0; round < 9; round++) {
		/* Where one set looks at all, no line is passed over. */
		const unsigned n_dates = 1 + round % ARRAY_SIZE(dates);
		const char *format = formats[round % ARRAY_SIZE(formats)];
		struct scene *s = scene_new(LINE_MAX_LEN);
		uint32_t usual = 50 + rng(&seed, 50);

		for (unsigned i = 0; i < n_dates; i++)
			add_dates(s, dates[i]);
		for (size_t i = 0; i < ARRAY_SIZE(any); i++) {
			struct rules r = any[i];

			r.dates %= n_dates;
			add(s, &r);
		}
		for (int i = 0; i < 400; i++) {
			if (rng(&seed, 100) < usual)
				say(s, "%s ", ago(format, 900 - i));
			for (uint32_t k = rng(&seed, 2) * rng(&seed, 8); k > 0; k--)
				say(s, "%s%s", pieces[rng(&seed, ARRAY_SIZE(pieces))],
					rng(&seed, 2) == 0 ? " " : "");
			say(s, "\n");
		}
		check(s, 1, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(windows),
		cmocka_unit_test(used_up),
		cmocka_unit_test(ignored),
		cmocka_unit_test(contents),
		cmocka_unit_test(many_dates),
		cmocka_unit_test(no_dates),
		cmocka_unit_test(habits_change),
		cmocka_unit_test(odd_times),
		cmocka_unit_test(like_before),
		cmocka_unit_test(odd_lines),
		cmocka_unit_test(empty_value),
		cmocka_unit_test(words_across),
		cmocka_unit_test(two_cuts),
		cmocka_unit_test(without_words),
		cmocka_unit_test(many_hits),
		cmocka_unit_test(word_at_edge),
		cmocka_unit_test(many_jails),
		cmocka_unit_test(many_habits),
		cmocka_unit_test(in_order),
		cmocka_unit_test(in_order_of_dates),
		cmocka_unit_test(at_random),
	};

	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
