/* SPDX-License-Identifier: GPL-2.0-or-later */
/* As test_lines.c, for logs in which it matters how lines are dated. */
#include "twice/scene.h"

#include "base/util.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static const struct scene_rules over_lines = {
	.fail = {"^ ?(?P<id>\\w+) begins <HOST>$<SKIPLINES>^ ?(?P=id) ends$"}, .maxlines = 4};

/* Sets of patterns that find each line's date, none, some, and one in the middle of the line. */
static void many_dates(void **state)
{
	static const char *const dates[] = {"{^LN-BEG}", "^%Y-%m-%d %H:%M:%S",
		"^[^\\[]*\\[({DATE})", "at %H:%M:%S", "EPOCH", "^\\S+ %d/%b/%Y:%H:%M:%S", NULL};
	struct scene_rules rules[24] = {0};
	struct scene *s;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rules); i++) {
		rules[i] = i % 4 == 0   ? over_lines
			   : i % 4 == 1 ? (struct scene_rules) {.fail = {"begins <HOST>"}}
			   : i % 4 == 2 ? (struct scene_rules) {.fail = {"<HOST>$<SKIPLINES>ends"},
						  .maxlines = 2}
					: (struct scene_rules) {.fail = {"^.*<HOST> knocks"}};
		rules[i].dates = (i * 5) % 6;
	}
	s = scene_of(rules, ARRAY_SIZE(rules), dates);
	for (int i = 0; i < 60; i++) {
		int sec = 3000 - 10 * i;

		scene_chat(s, i % 20 < 15 ? SCENE_SYSLOG : SCENE_ISO, (size_t)(i % 12), sec);
		if (i % 7 == 3)
			scene_say(
				s, "host [%s] a begins 192.0.2.7\n", scene_ago(SCENE_SYSLOG, sec));
		if (i % 9 == 4)
			scene_say(s, "no date at all, and nothing else\n192.0.2.8 knocks\n");
		if (i % 11 == 5)
			scene_say(s, "%s a begins 192.0.2.3\n%s a ends\n",
				scene_ago(SCENE_SYSLOG, sec), scene_ago(SCENE_SYSLOG, sec));
		if (i % 13 == 6)
			scene_say(s, "x at %s a begins 192.0.2.3\n", scene_ago("%H:%M:%S", sec));
	}
	scene_check(s, 100, 0);
}

/* A log in which nobody finds a date: its lines are undated, however they are passed over. */
static void no_dates(void **state)
{
	const struct scene_rules rules[] = {{.fail = {"^begins <HOST>"}}, over_lines};
	static const char *const dates[] = {"{^LN-BEG}", NULL};
	struct scene *s = scene_of(rules, 2, dates);

	(void)state;
	for (int i = 0; i < 3000; i++)
		scene_say(s, i % 700 == 600 ? "begins 192.0.2.%d\n" : "just words, and more %d\n",
			i % 250);
	scene_check(s, 4, 3000);
}

/* Where habits end: another month, another format, another place, the turn of a day. */
static void habits_change(void **state)
{
	static const char *const formats[] = {SCENE_SYSLOG, SCENE_ISO, "%Y-%m-%d %H:%M:%S",
		"[%d/%b/%Y:%H:%M:%S +0000]", "%Y-%m-%d %H:%M:%S,123", "%a %b %d %H:%M:%S %Y", "%s",
		("<13>" SCENE_SYSLOG)};
	const struct scene_rules rules[] = {{.fail = {"begins <HOST>$"}}, over_lines,
		{.fail = {"begins <HOST>$"}, .dates = 1}, {.fail = {"begins <HOST>$"}, .dates = 2}};
	static const char *const dates[] = {NULL, "{^LN-BEG}", "^[^\\[]*\\[({DATE})", NULL};
	struct scene *s;

	(void)state;
	s = scene_of(rules, ARRAY_SIZE(rules), dates);
	for (int i = 0; i < 80; i++) {
		/* From October on; two days a step. */
		int sec = (80 - i) * 43200;

		scene_chat(s, formats[i / 10], (size_t)(i % 10 * 3), sec);
		scene_say(s, "%s a begins 192.0.2.1\n", scene_ago(formats[i / 10], sec - 60));
		scene_say(s, "%s a ends\n", scene_ago(formats[i / 10], sec - 60));
		scene_chat(s, formats[i % ARRAY_SIZE(formats)], (size_t)(i % 3), sec - 100);
	}
	scene_check(s, 200, 500);
}

/* Dates that run back, lie ahead, are as old as they may be and a little older, or are none. */
static void odd_times(void **state)
{
	const struct scene_rules rules[] = {
		{.fail = {"begins <HOST>$"}}, over_lines, {.fail = {"begins <HOST>$"}, .dates = 1}};
	static const char *const dates[] = {NULL, "{^LN-BEG}", NULL};
	static const int offs[] = {
		0, 1, 59, 60, 61, 62, 120, 3600, 86400, -1, -2, -59, -60, -61, -3600};
	struct scene *s = scene_of(rules, ARRAY_SIZE(rules), dates);

	(void)state;
	for (size_t i = 0; i < 3 * ARRAY_SIZE(offs); i++) {
		int sec = i < ARRAY_SIZE(offs) ? 100 - (int)i : 40;

		scene_chat(s, SCENE_SYSLOG, 12, sec);
		scene_say(s, "%s a begins 192.0.2.%zu\n", scene_ago(SCENE_SYSLOG, sec), i);
		scene_say(s, "%s a begins 192.0.2.%zu\n",
			scene_ago(SCENE_SYSLOG, offs[i % ARRAY_SIZE(offs)]), i);
		scene_chat(s, SCENE_SYSLOG, 1 + i % 2, offs[(i * 7) % ARRAY_SIZE(offs)]);
		scene_say(s, "%s a begins 192.0.2.%zu\n", scene_ago(SCENE_SYSLOG, sec), i);
		scene_say(s, "Nov 20 25:61:00 a ends\nNov 31 01:02:03 a begins 192.0.2.3\n");
	}
	scene_check(s, 200, 500);
}

/* A line like the one before last, after one that is not as usual; dates that hardly differ. */
static void like_before(void **state)
{
	static const char *const after[] = {" Zx", " Z ", " Zx", " ", " +1", " +x", "  Z", " U",
		" UT", " UTC", "+", ".", ".5", ".55", ",5", "Z", " x", "x", " 2", " 20", " 202",
		" 2025", ".5 2025"};
	static const char *const formats[] = {"%Y-%m-%d %H:%M:%S", SCENE_SYSLOG,
		"%Y-%m-%dT%H:%M:%S", "%a %b %d %H:%M:%S", "%d/%b/%Y:%H:%M:%S"};
	const struct scene_rules rules[] = {{.fail = {"begins <HOST>$"}}, over_lines,
		{.fail = {"^ begins <HOST>$", "^ \\S+ +begins <HOST>$"}}};
	struct scene *s = scene_of(rules, ARRAY_SIZE(rules), NULL);

	(void)state;
	for (int i = 0; i < 60; i++) {
		int sec = 3000 - 20 * i;

		scene_chat(s, SCENE_SYSLOG, 10, sec);
		scene_say(s, "%s host x: nothing\n", scene_ago(SCENE_SYSLOG, sec - 15));
		scene_say(s, "%s host x: nothing\n", scene_ago(SCENE_SYSLOG, sec - 10));
		scene_say(s, "%s host x: begins 192.0.2.1\n", scene_ago(SCENE_SYSLOG, sec - 15));
	}
	for (size_t i = 0; i < 2 * ARRAY_SIZE(formats); i++) {
		const char *format = formats[i % ARRAY_SIZE(formats)];

		for (size_t k = 0; k < 2 * ARRAY_SIZE(after); k++) {
			int sec = 1500 - (int)(i * 100 + k);

			scene_chat(s, format, k == 0 ? 10 : 2, sec);
			scene_say(s, "%s x\n", scene_ago(format, sec));
			scene_say(
				s, "%s%s begins 192.0.2.1\n", scene_ago(format, sec), after[k / 2]);
			scene_say(s, "%s%s begins 192.0.2.1\n", scene_ago(format, sec),
				after[(k * 7 + 1) % ARRAY_SIZE(after)]);
			scene_say(s, "%s x begins 192.0.2.1\n", scene_ago(format, sec));
		}
	}
	scene_check(s, 100, 200);
}

/* Lines that come late, one later than the other, while time passes: they are taken as of now. */
static void late_lines(void **state)
{
	const struct scene_rules rules[] = {{.fail = {"begins <HOST>$"}}, over_lines};
	struct scene *s = scene_of(rules, ARRAY_SIZE(rules), NULL);

	(void)state;
	/* Where the present is 90 s later each time, the last two are more than 60 s late. */
	for (int part = 0; part < 3; part++) {
		int sec = part == 0 ? 200 : 268 - 90 * part;

		for (int i = 0; i < 40; i++)
			scene_say(s, "%s %s\n", scene_ago(SCENE_SYSLOG, sec - i / 2),
				i % 3 == 1 ? "begins 192.0.2.1" : "host x: nothing.");
	}
	scene_check(s, 39, 300);
}

/* What is cut out of a line's middle joins what stands around it: to a word of a failregex. */
static void words_across(void **state)
{
	const struct scene_rules rules[] = {{.fail = {"rejected <HOST>"}},
		{.fail = {"host\\[\\] ?<HOST>"}}, {.fail = {"(?i)knocks <HOST>"}},
		{.fail = {"^rejec<SKIPLINES>ted"}, .maxlines = 2}, {.fail = {"\\[\\]<HOST>"}},
		{.fail = {"\"\" ?\\[?\\]?<HOST>"}}, {.fail = {"\\d-b <HOST>$", "a--b <HOST>$"}},
		{.fail = {"\\[\\.ted <HOST>"}},
		{.fail = {"rejec ted <HOST>", "\\[\\.ted <HOST>", "rejec\\]ted <HOST>",
			 "\\[ ted <HOST>"}},
		{.fail = {"k\\(\\)k <HOST>", "k<>k <HOST>", "k\\{\\}k <HOST>", "k\"\"k <HOST>",
			 "k''k <HOST>", "k  k <HOST>"}}};
	static const char *const dates[] = {"{^LN-BEG}", "rejec ?(%Y-%m-%d %H:%M:%S)",
		"knoc(?:\xe2\x84)?(%Y-%m-%d %H:%M:%S)", "\\[(%Y-%m-%d %H:%M:%S)",
		"^[^\\[]*\\[({DATE})", "\"(%Y-%m-%d %H:%M:%S)", "%Y-%m-%d %H:%M:%S", NULL};
	struct scene *s = scene_new();

	(void)state;
	for (size_t i = 0; dates[i] != NULL; i++)
		scene_add_dates(s, dates[i]);
	for (size_t i = 0; i < (ARRAY_SIZE(dates) - 1) * ARRAY_SIZE(rules); i++) {
		struct scene_rules r = rules[i % ARRAY_SIZE(rules)];

		r.dates = (unsigned)(i / ARRAY_SIZE(rules));
		if (r.maxlines == 2)
			r.fail[0] = "rejected <HOST>";
		scene_add(s, &r);
	}
	for (int i = 0; i < 60; i++) {
		const char *stamp = scene_ago("%Y-%m-%d %H:%M:%S", 3000 - i);

		scene_say(s, "%s nothing\n", stamp);
		scene_say(s, "rejec%sted 192.0.2.1\n", stamp);
		scene_say(s, "rejec %s ted 192.0.2.1\n", stamp);
		scene_say(s, "host[%s] 192.0.2.1\nhost [%s]\n", stamp, stamp);
		scene_say(s, "x \"%s\" 192.0.2.1\n", stamp);
		scene_say(s, "knoc%sks 192.0.2.1\nknoc\xe2\x84%s\xaas 192.0.2.1\n", stamp, stamp);
		scene_say(s, "k(%s)k 192.0.2.1\nk<%s>k 192.0.2.1\n", stamp, stamp);
		scene_say(s, "k{%s}k 192.0.2.1\nk\"%s\"k 192.0.2.1\n", stamp, stamp);
		scene_say(s, "k'%s'k 192.0.2.1\nk %s k 192.0.2.1\n", stamp, stamp);
		scene_say(s, "%s rejected 192.0.2.1\n", stamp);
		scene_say(s, "rejec[%s.ted 192.0.2.1\nrejec%s]ted 192.0.2.1\n", stamp, stamp);
		scene_say(s, "a-%s-b 192.0.2.1\n", stamp);
	}
	/* So many that they are usual. */
	for (int i = 0; i < 60; i++) {
		const char *stamp = scene_ago("%Y-%m-%d %H:%M:%S", 900 - i);

		scene_say(
			s, "[%s] nothing\n[%s] nothing\n[%s ted 192.0.2.1\n", stamp, stamp, stamp);
		scene_say(s, "[%s]ted 192.0.2.1\n", stamp);
	}
	scene_check(s, 100, 0);
}

/* A line with two dates, of which each set has another, and one now this, now that. */
static void two_cuts(void **state)
{
	static const char *const dates[] = {"^%Y-%m-%d %H:%M:%S", "^[^\\[]*\\[({DATE})",
		"^%Y-%m-%d %H:%M:%S\n^[^\\[]*\\[({DATE})", NULL};
	const struct scene_rules rules[] = {{.fail = {"^ \\[20[\\d: -]+\\] begins <HOST>$"}},
		{.fail = {"^20[\\d: -]+ \\[\\] begins <HOST>$"}, .dates = 1},
		{.fail = {"^ \\[20[\\d: -]+\\] begins <HOST>$",
			 "^20[\\d: -]+ \\[\\] begins <HOST>$"},
			.dates = 2}};
	struct scene *s = scene_of(rules, ARRAY_SIZE(rules), dates);

	(void)state;
	s->ways = 40;
	for (int i = 0; i < 300; i++) {
		const char *one = scene_ago("%Y-%m-%d %H:%M:%S", 3000 - i);
		const char *two = scene_ago("%Y-%m-%d %H:%M:%S", 2999 - i);

		if (i % 20 == 0)
			scene_say(s, "[%s] nothing\n", two);
		else if (i % 20 == 10)
			scene_say(s, "%s nothing\n", one);
		else
			scene_say(s, "%s [%s] %s\n", one, two,
				i % 3 > 0 ? "begins 192.0.2.1" : "nothing");
	}
	scene_check(s, 500, 500);
}

/* More ways to see a log's dates than are told apart: nobody mistakes another's for his. */
static void many_habits(void **state)
{
	static const size_t numbers[] = {7, 8, 9, 20};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(numbers); n++) {
		struct scene *s = scene_new();
		struct scene_rules r = {.fail = {"begins <HOST>$"}};

		for (size_t i = 0; i < numbers[n]; i++) {
			char zone[16];

			snprintf(zone, sizeof(zone), "+00%02zu", i * 2);
			scene_add_zoned(s, i % 3 == 0 ? "{^LN-BEG}" : NULL, zone);
			r.dates = (unsigned)i;
			scene_add(s, &r);
		}
		for (int i = 0; i < 60; i++) {
			scene_chat(s, "%Y-%m-%d %H:%M:%S", (size_t)(i % 4), 3000 - i);
			scene_say(s, "%s begins 192.0.2.1\n",
				scene_ago("%Y-%m-%d %H:%M:%S", 3000 - i));
		}
		scene_check(s, 60 * numbers[n], numbers[n] <= 8 ? 200 : 0);
	}
}

/* Filters without windows, in the order of their sets of patterns and not of their own. */
static void in_order_of_dates(void **state)
{
	static const char *const dates[] = {NULL, "{^LN-BEG}", "^%Y-%m-%d %H:%M:%S", NULL};
	const struct scene_rules rules[] = {{.fail = {"knocks <HOST>"}, .dates = 1},
		{.fail = {"x knocks <HOST>"}, .dates = 2}, {.fail = {"knocks <HOST>$"}},
		{.fail = {"(?:x|y) knocks <HOST>"}, .dates = 1}, {.fail = {"knocks <HOST>"}}};
	struct scene *s = scene_of(rules, ARRAY_SIZE(rules), dates);

	(void)state;
	for (int i = 0; i < 300; i++) {
		const char *format = i < 150 ? SCENE_SYSLOG : "%Y-%m-%d %H:%M:%S";

		scene_chat(s, format, (size_t)(i % 5), 3000 - i);
		scene_say(s, "%s x knocks 192.0.2.1\n", scene_ago(format, 3000 - i));
	}
	scene_check(s, 1500, 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_dates),
		cmocka_unit_test(no_dates),
		cmocka_unit_test(habits_change),
		cmocka_unit_test(odd_times),
		cmocka_unit_test(like_before),
		cmocka_unit_test(late_lines),
		cmocka_unit_test(words_across),
		cmocka_unit_test(two_cuts),
		cmocka_unit_test(many_habits),
		cmocka_unit_test(in_order_of_dates),
	};

	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
