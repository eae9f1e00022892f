/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"
#include "base/util.h"
#include "twice/twice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW_US (1795159800LL * USEC_PER_SEC) /* 2026-11-20 07:30:00 UTC */
#define LINE_MAX_LEN 1000
#define LOG_MAX 8192
#define OWN_MAX 200 /* bytes of an expression of the input's own */

/* Filters of many kinds; so that few lines are long enough to meet a limit, none is slow. */
static const struct rules {
	const char *pref, *fail[3], *ignore;
	unsigned maxlines, dates;
} rules[] = {
	{.fail = {"begins <HOST>", "one <HOST>$"}},
	{.fail = {"(?P<id>\\w+) begins ?<SKIPLINES> ?(?P=id) ends <HOST>"}, .maxlines = 3},
	{.fail = {"(?i)knocks? ?<HOST>", "word[12] <HOST>"}, .ignore = "no", .dates = 1},
	{.pref = "host<F-CONTENT>.*</F-CONTENT>$",
		.fail = {"<HOST> ?ends", "one <HOST>"},
		.dates = 2},
	{.pref = "(?s)host<F-CONTENT>.*</F-CONTENT>$",
		.fail = {"<HOST> ?ends", "one ?<SKIPLINES>.*<HOST>"},
		.maxlines = 3,
		.dates = 3},
	{.fail = {"^ ?x ?<HOST>", "word1 ?<F-ID>\\S+</F-ID>",
		 "<F-MLFID>word</F-MLFID>\\d ?<F-USER>\\S*</F-USER> <HOST>"}},
	{.fail = {"one ?<SKIPLINES>(?:\\[\\])? ?two ?<SKIPLINES>(?:\\[\\])? ?<HOST>"},
		.maxlines = 5,
		.dates = 1},
	{.fail = {"<HOST>$"}, .dates = 4},
	{.fail = {"<HOST> (?:begins|ends|knocks)", "(?:one|two) <HOST>\\n<F-USER></F-USER>"},
		.maxlines = 2,
		.dates = 5},
	{.fail = {"one <HOST>", "two <HOST>", "x <HOST>"}, .ignore = "one.*word2", .dates = 2},
	{.fail = {"^[^\\]]*\\[\\] ?<HOST>", "ma(?i:sks) <HOST>"}, .dates = 3},
};

static const char *const patterns[] = {NULL, "{^LN-BEG}", "^[^\\[]*\\[({DATE})",
	"%Y-%m-%d %H:%M:%S", "^%Y-%m-%d %H:%M:%S", "EPOCH"};

/* What a byte below 0x20 stands for, unless it is blank or ends a line. */
static const char *const pieces[32] = {NULL, "Nov 20 07:%02u:%02u ", "2026-11-20 07:%02u:%02u ",
	"2026-11-20T07:%02u:%02u.123+00:00 ", "[20/Nov/2026:07:%02u:%02u +0000]",
	"Oct  9 07:%02u:%02u ", "[2026-11-20 07:%02u:%02u]", "begins ", "ends ", NULL, NULL,
	"192.0.2.1", "host", NULL, "knocks ", "one ", "two ", "word1 ", "word2", "x ", "no",
	"17951590%02u", "[", "]", "masks ", "\xc5\xbf", "\xe2\x84\xaa", "\xff",
	"Nov 20 07:29:%02u host x: ", "a begins ", "a ends 192.0.2.2",
	"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"};

static struct filter *make(
	const char *pref, const char *const *fail, const char *ignore, unsigned maxlines)
{
	struct conf_text failregex[3], ignoreregex = {.text = ignore};
	struct filter_def def = {
		.name = "fuzz",
		.prefregex = {pref, {0}},
		.failregex = failregex,
		.ignoreregex = &ignoreregex,
		.n_ignoreregex = ignore != NULL,
		.maxlines = maxlines,
	};
	struct faults f = {0};
	struct filter *ret = NULL;

	for (; def.n_failregex < ARRAY_SIZE(failregex) && fail[def.n_failregex] != NULL;
		def.n_failregex++)
		failregex[def.n_failregex] = (struct conf_text) {.text = fail[def.n_failregex]};
	filter_new(&ret, &def, &f);
	faults_done(&f);
	return ret;
}

/* What the input has left to decide with. */
struct dice {
	uint64_t state;
};

static uint32_t choose(void *arg, uint32_t n)
{
	struct dice *d = arg;

	d->state = d->state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)((d->state >> 33) % n);
}

/* Writes out a log; a number in its pieces goes up from line to line. */
static size_t spell(char *log, const uint8_t *p, const uint8_t *end)
{
	unsigned line = 0;
	size_t len = 0;

	for (; p < end && len < LOG_MAX - 100; p++) {
		if (*p == '\n')
			line++;
		if (*p >= ARRAY_SIZE(pieces) || pieces[*p] == NULL)
			log[len++] = (char)*p;
		else
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
			len += (size_t)snprintf(
				log + len, 100, pieces[*p], line / 60 % 60, line % 60);
#pragma GCC diagnostic pop
	}
	return len;
}

static struct filter *filters[ARRAY_SIZE(rules)];
static struct date_patterns *dates[ARRAY_SIZE(patterns)];

static void set_up(void)
{
	if (filters[0] != NULL)
		return;
	setenv("TZ", "UTC", 1);
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		const struct rules *r = &rules[i];

		filters[i] = make(r->pref, r->fail, r->ignore, r->maxlines);
		if (filters[i] == NULL)
			abort();
	}
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		struct conf_text text = {.text = patterns[i]};
		struct faults f = {0};

		if (date_patterns_new(&dates[i], &text, NULL, &f) < 0)
			abort();
	}
}

/* Only sets of patterns that somebody has: where one looks at all, no line is passed over. */
static unsigned add_dates(struct twice *t, unsigned which)
{
	for (unsigned i = 0; i < t->plan.n_dates; i++)
		if (t->dates[i] == dates[which])
			return i;
	return twice_add_dates(t, dates[which]);
}

/* A filter of the input's own, if it has one; moves on to the line behind it. */
static struct filter *make_own(const uint8_t **p, const uint8_t *end, unsigned maxlines)
{
	const uint8_t *q = *p < end && **p == '/' ? memchr(*p, '\n', (size_t)(end - *p)) : NULL;
	char text[OWN_MAX + 1] = "";
	const char *const fail[3] = {text};

	if (q == NULL || q - *p > OWN_MAX)
		return NULL;
	memcpy(text, *p + 1, (size_t)(q - *p - 1));
	*p = q + 1;
	return make(NULL, fail, NULL, maxlines);
}

/*
 * Four bytes to decide with; with a "/" after them a failregex of the input's own, up to the line's
 * end; the rest is a log.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct twice_result result;
	static char log[LOG_MAX];
	const uint8_t *end = data + size, *p = data + 4;
	struct dice dice = {0};
	struct twice_way way = {.now_us = NOW_US, .choose = choose, .arg = &dice};
	struct filter *own;
	struct twice t;
	unsigned which;

	if (size < 4)
		return 0;
	set_up();
	dice.state = data[0];
	which = data[1] | (unsigned)data[2] << 8;
	way.live = (data[3] & 1) != 0;
	way.step_us = (data[3] >> 1 & 1) * 45 * USEC_PER_SEC;
	way.buffer_max = 1U << (data[3] >> 4);
	twice_init(&t, ARRAY_SIZE(rules) + 1, LINE_MAX_LEN);
	own = make_own(&p, end, data[3] >> 1 & 3);
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		if ((which >> i & 1) != 0 || (which == 0 && own == NULL))
			twice_add(&t, rules[i].fail[0], filters[i], add_dates(&t, rules[i].dates),
				NULL, NULL);
	}
	if (own != NULL)
		twice_add(&t, "own", own, add_dates(&t, data[3] >> 3 & 1), NULL, NULL);
	twice_ready(&t);
	twice_read(&t, &way, log, spell(log, p, end), &result);
	if (result.differs) {
		fputs(result.why, stderr);
		abort();
	}
	twice_done(&t);
	filter_free(own);
	return 0;
}
