/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Logs read line by line, and in buffers with all that passes over lines: each comes to the same.
 * The logs are made for the places in which that is not a matter of course: windows, words, lines
 * of all kinds. test_lines_dates.c is about dates.
 */
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

/* What a match is made of stands in lines of which each may be passed over by itself. */
static void windows(void **state)
{
	struct scene *s = scene_of(&over_lines, 1, NULL);

	(void)state;
	scene_chat(s, SCENE_SYSLOG, 300, 4000);
	for (int gap = 0; gap < 8; gap++) {
		int sec = 3000 - 100 * gap;

		scene_say(s, "%s a%d begins 192.0.2.%d\n", scene_ago(SCENE_SYSLOG, sec), gap, gap);
		scene_chat(s, SCENE_SYSLOG, (size_t)gap, sec - 1);
		scene_say(s, "%s a%d ends\n", scene_ago(SCENE_SYSLOG, sec - 10), gap);
		scene_chat(s, SCENE_SYSLOG, 30, sec - 11);
	}
	/* With gaps of none, one and two there are four lines at most. */
	scene_check(s, 3, 1000);
}

/* A match uses up its lines: what is left of the window may match again, or no more. */
static void used_up(void **state)
{
	const struct scene_rules rules[] = {
		{.fail = {"^ ?one <HOST>$<SKIPLINES>^ ?two$"}, .maxlines = 6},
		{.fail = {"^ ?one <HOST>$", "^ ?two$<SKIPLINES>^ ?three <HOST>$"}, .maxlines = 3},
	};
	struct scene *s = scene_of(rules, ARRAY_SIZE(rules), NULL);
	size_t n = 0;

	(void)state;
	scene_chat(s, SCENE_SYSLOG, 100, 4000);
	for (int i = 0; i < 12; i++) {
		static const char *const what[] = {"one 192.0.2.1", "two", "three 192.0.2.2",
			"host cron[1]: nothing", "one 192.0.2.3", "two", "two"};

		for (size_t k = 0; k < ARRAY_SIZE(what); k++)
			scene_say(s, "%s %s\n", scene_ago(SCENE_SYSLOG, 3000 - 100 * i - (int)k),
				what[k]);
		scene_chat(s, SCENE_SYSLOG, (size_t)(i % 5), 3000 - 100 * i - 10);
		n += 2 + 2 + 1;
	}
	scene_check(s, n, 500);
}

/* What a match leaves in the window stays there for longer than it would have without. */
static void left_over(void **state)
{
	const struct scene_rules rules = {
		.fail = {"^ ?keep <HOST>$<SKIPLINES>^ ?x$", "^ ?pair$<SKIPLINES>^ ?z <HOST>$"},
		.maxlines = 4};
	static const char *const what[] = {"keep 192.0.2.1", "pair", "z 192.0.2.2", "-", "-", "x"};
	struct scene *s = scene_of(&rules, 1, NULL);

	(void)state;
	for (int i = 0; i < 30; i++) {
		scene_chat(s, SCENE_SYSLOG, 20, 3000 - 100 * i);
		for (size_t k = 0; k < ARRAY_SIZE(what); k++)
			scene_say(s, "%s %s\n", scene_ago(SCENE_SYSLOG, 2970 - 100 * i), what[k]);
	}
	scene_check(s, 60, 2000);
}

/* What is ignored uses up lines, too, and says so by being no match. */
static void ignored(void **state)
{
	const struct scene_rules rules[] = {
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
	struct scene_rules own[ARRAY_SIZE(rules)];

	(void)state;
	memcpy(own, rules, sizeof(own));
	own[3].fail[1] = "^ ?b <HOST>";
	own[3].fail[2] = "^ ?c <HOST>";
	s = scene_of(own, ARRAY_SIZE(own), NULL);
	scene_chat(s, SCENE_SYSLOG, 100, 4000);
	for (int i = 0; i < 10; i++) {
		int sec = 3000 - 100 * i;

		scene_say(s, "%s one 192.0.2.1\n%s two mine\n", scene_ago(SCENE_SYSLOG, sec),
			scene_ago(SCENE_SYSLOG, sec));
		scene_say(s, "%s two yours\n", scene_ago(SCENE_SYSLOG, sec));
		scene_say(s, "%s a 192.0.2.9\n%s a 192.0.2.8\n", scene_ago(SCENE_SYSLOG, sec),
			scene_ago(SCENE_SYSLOG, sec));
		scene_say(s, "%s b 192.0.2.8\n", scene_ago(SCENE_SYSLOG, sec));
		scene_chat(s, SCENE_SYSLOG, 12, sec - 10);
	}
	/* The fourth matches "b" with the "a" that is ahead of it, or "b" alone. */
	scene_check(s, 10 * (0 + 2 + 2 + 1), 500);
}

/* prefregex in a window: of which what it leaves then stands for all lines. */
static void contents(void **state)
{
	const struct scene_rules rules[] = {
		{.pref = "(?s)svc\\[<F-MLFID>\\d+</F-MLFID>\\]: <F-CONTENT>.+</F-CONTENT>$",
			.fail = {"^bad <F-USER>\\S+</F-USER>$<SKIPLINES>.*from <HOST>$",
				"^alone <HOST>$", "^other$<SKIPLINES>.*from <HOST>$"},
			.maxlines = 4},
		{.pref = "^ ?svc\\[<F-MLFID>\\d+</F-MLFID>\\]: <F-CONTENT>.+</F-CONTENT>$",
			.fail = {"^<F-NOFAIL>bad</F-NOFAIL> <F-USER>\\S+</F-USER>$",
				"^alone <HOST>$", "^<F-MLFFORGET>bye</F-MLFFORGET> <HOST>$"}},
		{.pref = "svc", .fail = {"alone <HOST>$"}, .maxlines = 2},
		/* What is rare is none of prefregex's words. */
		{.pref = "(?s)v\\d,<F-CONTENT>.+</F-CONTENT>$",
			.fail = {"^qzxjw-vkq from <HOST>$"},
			.maxlines = 4},
	};
	struct scene *s = scene_of(rules, ARRAY_SIZE(rules), NULL);

	(void)state;
	scene_chat(s, SCENE_SYSLOG, 50, 4000);
	for (int i = 0; i < 10; i++) {
		int sec = 3000 - 100 * i;

		scene_say(s, "%s svc[%d]: bad root\n", scene_ago(SCENE_SYSLOG, sec), i);
		scene_chat(s, SCENE_SYSLOG, (size_t)(i % 3), sec);
		scene_say(s, "%s svc[%d]: from 192.0.2.1\n", scene_ago(SCENE_SYSLOG, sec), i);
		scene_say(s, "%s svc[%d]: alone 192.0.2.2\n", scene_ago(SCENE_SYSLOG, sec), i / 2);
		scene_say(s, "%s svc[%d]: bye 192.0.2.2\n", scene_ago(SCENE_SYSLOG, sec), i / 3);
		scene_chat(s, SCENE_SYSLOG, 10, sec - 10);
		/* Only what prefregex leaves of it stays. */
		sec -= 20;
		scene_say(s, "%s svc[%d]: other\n", scene_ago(SCENE_SYSLOG, sec), i);
		scene_say(s, "%s svc[%d]: from 192.0.2.3\n", scene_ago(SCENE_SYSLOG, sec), i);
		scene_chat(s, SCENE_SYSLOG, 10, sec);
		scene_say(s, "%s v%d,other\n", scene_ago(SCENE_SYSLOG, sec - 10), i);
		scene_say(s, "%s v%d,qzxjw-vkq from 192.0.2.3\n", scene_ago(SCENE_SYSLOG, sec - 10),
			i);
	}
	scene_check(s, 10 * (1 + 3 + 1 + 1), 0);
}

/* Filters with the same prefregex, and with others, look at a line one after the other. */
static void shared_prefix(void **state)
{
	const struct scene_rules rules[] = {
		{.pref = "^ svc: <F-CONTENT>.*</F-CONTENT>$", .fail = {"^bad <HOST>$"}},
		{.pref = "^ svc: <F-CONTENT>.*</F-CONTENT>$", .fail = {"^(?:bad|worse) <HOST>$"}},
		{.pref = "^ other: <F-CONTENT>.*</F-CONTENT>$", .fail = {"^bad <HOST>$"}},
		{.pref = "^ (?:svc: x|other: )<F-CONTENT>.*</F-CONTENT>$",
			.fail = {"^(?:bad|ad) <HOST>$"}},
		{.pref = "^ svc: <F-CONTENT>.*</F-CONTENT>$", .fail = {"^x?bad <HOST>$"}},
	};
	struct scene *s = scene_of(rules, ARRAY_SIZE(rules), NULL);

	(void)state;
	for (int i = 0; i < 60; i++) {
		const char *at = scene_ago(SCENE_SYSLOG, 2995 - 10 * i);

		scene_chat(s, SCENE_SYSLOG, (size_t)(i % 4), 3000 - 10 * i);
		scene_say(s, "%s svc: bad 192.0.2.1\n%s other: bad 192.0.2.2\n", at, at);
		scene_say(s, "%s svc: xbad 192.0.2.1\n%s svc: worse 192.0.2.2\n", at, at);
	}
	scene_check(s, 60 * 8, 0);
}

/* Ends of lines of all kinds, bytes of all kinds, long lines, no newline at the end. */
static void odd_lines(void **state)
{
	const struct scene_rules rules[] = {{.fail = {"begins <HOST>$", "^ ?x\\S* <HOST>$"}},
		over_lines, {.fail = {"(?i)knocks <HOST>", "(?i)masks<HOST>"}},
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
	char filler[SCENE_LINE_MAX + 64];

	(void)state;
	memset(filler, 'y', sizeof(filler));
	for (size_t i = 0; i < 3 * ARRAY_SIZE(odd); i++) {
		const char *stamp = scene_ago(SCENE_SYSLOG, 3000 - (int)i);
		const char *text = odd[i % ARRAY_SIZE(odd)].text;
		size_t len = odd[i % ARRAY_SIZE(odd)].len;

		scene_chat(s, SCENE_SYSLOG, i % 4, 3000 - (int)i);
		scene_say(s, "%s ", stamp);
		scene_put(s, text, len);
		if (i < ARRAY_SIZE(odd))
			scene_put(s, text, len);
		/* So long that it ends before, in and after what is judged. */
		scene_say(s, "%s x", stamp);
		scene_put(s, filler, SCENE_LINE_MAX - 50 + i);
		scene_put(s, text, len);
	}
	scene_put(s, "Nov 20 07:29:00 a 192.0.2.1", 27);
	scene_check(s, 60, 500);
}

/* A value at the very end of a buffer, empty and behind the line's newline. */
static void empty_value(void **state)
{
	const struct scene_rules rules = {.fail = {"^ ?a <HOST>\\n<F-USER></F-USER>"}};
	struct scene *s = scene_of(&rules, 1, NULL);

	(void)state;
	for (int i = 0; i < 40; i++)
		scene_say(s, "%s a 192.0.2.1\n", scene_ago(SCENE_SYSLOG, 3000 - i));
	scene_check(s, 40, 0);
}

/* A failregex that needs no word is tried on each line; so is one after the other beside it. */
static void without_words(void **state)
{
	const struct scene_rules rules[] = {{.fail = {"^ ?\\w \\w+ <HOST>$", "<HOST> knocks"}},
		over_lines, {.fail = {"^ ?\\w \\w+ <HOST>$<SKIPLINES>^ ?\\w \\w$"}, .maxlines = 3}};
	struct scene *s = scene_of(rules, ARRAY_SIZE(rules), NULL);

	(void)state;
	for (int i = 0; i < 200; i++) {
		scene_chat(s, SCENE_SYSLOG, (size_t)(i % 4), 3000 - i);
		if (i % 5 == 1)
			scene_say(s, "%s a begins 192.0.2.1\n", scene_ago(SCENE_SYSLOG, 3000 - i));
		if (i % 7 == 1)
			scene_say(s, "%s a b\n", scene_ago(SCENE_SYSLOG, 3000 - i));
	}
	scene_check(s, 40, 0);
}

/* More words in a line than are found at once, and more that end in one place. */
static void many_hits(void **state)
{
	struct scene_rules rules[40] = {0};
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
		scene_chat(s, SCENE_SYSLOG, 3, 3000 - i);
		scene_say(s, "%s ", scene_ago(SCENE_SYSLOG, 3000 - i));
		for (int k = 0; k < i * 2; k++)
			scene_say(s, "%.*sb ", k % 40,
				"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
		scene_say(s, "%.*sb 192.0.2.1\n", i % 40,
			"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	}
	scene_check(s, 300, 0);
}

/* A word of which the last is where no more hits are taken, at the edge of what is known of them.
 */
static void word_at_edge(void **state)
{
	const struct scene_rules rules[] = {
		{.fail = {"xyxy\\S* <HOST>$"}}, {.fail = {"xyzq <HOST>$"}}};

	(void)state;
	for (size_t shift = 0; shift < 8; shift++) {
		struct scene *s = scene_of(rules, ARRAY_SIZE(rules), NULL);
		size_t hits = 4096 - 4 + shift;

		/* Some of them take it at once. */
		s->ways = 26;
		for (size_t n; hits > 0; hits -= n) {
			n = hits < 300 ? hits : 300;
			scene_say(s, "%s xy", scene_ago(SCENE_SYSLOG, 3000));
			for (size_t i = 0; i < n; i++)
				scene_say(s, "xy");
			scene_say(s, hits > n ? "\n" : "zq 192.0.2.1\n");
		}
		scene_say(s, "%s xyxy 192.0.2.1\n", scene_ago(SCENE_SYSLOG, 2999));
		scene_check(s, 2, 0);
	}
}

/* As many jails as somebody may have; many sets of patterns, and windows more than are listed. */
static void many_jails(void **state)
{
	static const char *const patterns[] = {
		NULL, "{^LN-BEG}", "^%b %d %H:%M:%S", "EPOCH", "{NONE}"};
	struct scene *s = scene_new();
	static char texts[2000][64];

	(void)state;
	s->ways = 4;
	for (size_t i = 0; i < 40; i++)
		scene_add_dates(s, patterns[i % ARRAY_SIZE(patterns)]);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct scene_rules r = {.fail = {texts[i]}, .dates = (unsigned)(i * 7 % 40)};
		struct filter *f;

		snprintf(texts[i], sizeof(texts[i]), "^.*word%zu <HOST>%s$", i / 3,
			i % 90 == 5 ? "<SKIPLINES>end" : "");
		r.maxlines = i % 90 == 5 ? 5 : 1;
		f = scene_filter(s, &r);
		twice_add(&s->twice, texts[i], f, r.dates, NULL, NULL);
	}
	for (int i = 0; i < 16; i++) {
		scene_chat(s, SCENE_SYSLOG, (size_t)(i % 4), 3000 - i);
		scene_say(s, "%s word%d 192.0.2.1\n", scene_ago(SCENE_SYSLOG, 3000 - i),
			i * 41 % 667);
		if (i % 4 == 1)
			scene_say(s, "%s end\nword%d 192.0.2.1\n",
				scene_ago(SCENE_SYSLOG, 3000 - i), i);
	}
	scene_check(s, 50, 0);
}

/* Matches in windows and without, of several sets of patterns, by the same line: in order. */
static void in_order(void **state)
{
	static const char *const dates[] = {NULL, "{^LN-BEG}", "^%Y-%m-%d %H:%M:%S", NULL};
	const struct scene_rules rules[] = {{.fail = {"knocks <HOST>"}, .dates = 1},
		{.fail = {"knocks <HOST>$"}, .maxlines = 3},
		{.fail = {"<HOST>$"}, .dates = 2, .maxlines = 2}, {.fail = {"knocks <HOST>$"}},
		{.fail = {"cron"}, .dates = 1, .maxlines = 2},
		{.fail = {"<HOST>$<SKIPLINES>nothing"}, .maxlines = 3},
		{.fail = {"<HOST>$<SKIPLINES>nothing"}, .dates = 1, .maxlines = 4}};
	struct scene_rules own[ARRAY_SIZE(rules)];
	struct scene *s;

	(void)state;
	memcpy(own, rules, sizeof(own));
	own[4].fail[0] = "cron.*<HOST>?";
	s = scene_of(own, ARRAY_SIZE(own), dates);
	for (int i = 0; i < 200; i++) {
		scene_chat(s, SCENE_SYSLOG, (size_t)(i % 5 * 3), 3000 - i);
		scene_say(s, "%s x knocks 192.0.2.1\n", scene_ago(SCENE_SYSLOG, 3000 - i));
	}
	scene_check(s, 1000, 0);
}

/* Windows of several sets of patterns, few and more than are listed, searched for lines by
 * themselves nothing to them. */
static void windows_in_order(void **state)
{
	static const char *const dates[] = {NULL, "{^LN-BEG}", NULL};

	(void)state;
	for (size_t n = 2; n <= 20; n += 18) {
		struct scene_rules rules[21] = {[20] = {.fail = {"knocks <HOST>"}, .dates = 1}};
		struct scene *s;

		for (unsigned i = 0; i < 20; i++)
			rules[i] = (struct scene_rules) {
				.fail = {"^ ?keep <HOST>$<SKIPLINES>^ ?x k"},
				.maxlines = 3,
				.dates = (i + 1) % 2,
			};
		s = scene_of(rules + 20 - n, n + 1, dates);
		for (int i = 0; i < 40; i++) {
			scene_chat(s, SCENE_SYSLOG, 8, 3000 - i);
			scene_say(s, "%s keep 192.0.2.1\n%s x k\n",
				scene_ago(SCENE_SYSLOG, 2990 - i),
				scene_ago(SCENE_SYSLOG, 2990 - i));
			scene_say(s, "%s keep 192.0.2.1\n", scene_ago(SCENE_SYSLOG, 2990 - i));
			scene_say(s, "%s x knocks 192.0.2.2\n", scene_ago(SCENE_SYSLOG, 2990 - i));
		}
		scene_check(s, 80 * n + 40, 500);
	}
}

/* What logs are made of, in any order. */
static const char *const pieces[] = {"begins", "ends", "knocks", "192.0.2.1", "2001:db8::1", " ",
	" ", "a", "x", "\n", "\n", "\r", "[", "]", "\"", "no", "one", "two", "\xff", "\xc5\xbf",
	"\xe2\x84\xaa", "host", "word1", "word2", ":", "1795150000", "2026-11-20 07:20:00",
	"Nov 20 07:00:00", "20/Nov/2026:07:10:00 +0000"};

static const struct scene_rules any[] = {
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
	static const char *const formats[] = {SCENE_SYSLOG, SCENE_ISO, "[%Y-%m-%d %H:%M:%S]"};
	uint64_t seed = 7;

	(void)state;
	for (unsigned round = 0; round < 9; round++) {
		/* Where one set looks at all, no line is passed over. */
		const unsigned n_dates = 1 + round % ARRAY_SIZE(dates);
		const char *format = formats[round % ARRAY_SIZE(formats)];
		struct scene *s = scene_new();
		uint32_t usual = 50 + scene_choose(&seed, 50);

		for (unsigned i = 0; i < n_dates; i++)
			scene_add_dates(s, dates[i]);
		for (size_t i = 0; i < ARRAY_SIZE(any); i++) {
			struct scene_rules r = any[i];

			r.dates %= n_dates;
			scene_add(s, &r);
		}
		for (int i = 0; i < 400; i++) {
			if (scene_choose(&seed, 100) < usual)
				scene_say(s, "%s ", scene_ago(format, 900 - i));
			for (uint32_t k = scene_choose(&seed, 2) * scene_choose(&seed, 8); k > 0;
				k--)
				scene_say(s, "%s%s",
					pieces[scene_choose(&seed, ARRAY_SIZE(pieces))],
					scene_choose(&seed, 2) == 0 ? " " : "");
			scene_say(s, "\n");
		}
		scene_check(s, 1, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(windows),
		cmocka_unit_test(used_up),
		cmocka_unit_test(left_over),
		cmocka_unit_test(ignored),
		cmocka_unit_test(contents),
		cmocka_unit_test(shared_prefix),
		cmocka_unit_test(odd_lines),
		cmocka_unit_test(empty_value),
		cmocka_unit_test(without_words),
		cmocka_unit_test(many_hits),
		cmocka_unit_test(word_at_edge),
		cmocka_unit_test(many_jails),
		cmocka_unit_test(in_order),
		cmocka_unit_test(windows_in_order),
		cmocka_unit_test(at_random),
	};

	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
