/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "twice/scene.h"

#include "base/util.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define WAYS 20

struct scene *scene_new(void)
{
	struct scene *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	twice_init(&s->twice, SCENE_FILTERS_MAX, SCENE_LINE_MAX);
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

void scene_add_zoned(struct scene *s, const char *pattern, const char *zone)
{
	struct conf_text text = {.text = pattern}, log_zone = {.text = zone};
	struct faults f = {0};

	assert_int_equal(date_patterns_new(&s->dates[s->n_dates], &text, &log_zone, &f), 0);
	faults_done(&f);
	twice_add_dates(&s->twice, s->dates[s->n_dates++]);
}

void scene_add_dates(struct scene *s, const char *pattern)
{
	scene_add_zoned(s, pattern, NULL);
}

struct filter *scene_filter(struct scene *s, const struct scene_rules *r)
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
void scene_add(struct scene *s, const struct scene_rules *r)
{
	struct filter *f = scene_filter(s, r);

	twice_add(&s->twice, r->fail[0], f, r->dates, scene_filter(s, r), scene_filter(s, r));
}

struct scene *scene_of(const struct scene_rules *rules, size_t n, const char *const *dates)
{
	struct scene *s = scene_new();

	for (size_t i = 0; dates != NULL && (i == 0 || dates[i] != NULL); i++)
		scene_add_dates(s, dates[i]);
	if (dates == NULL)
		scene_add_dates(s, NULL);
	for (size_t i = 0; i < n; i++)
		scene_add(s, &rules[i]);
	return s;
}

void scene_put(struct scene *s, const char *text, size_t len)
{
	if (s->len + len > s->room) {
		s->room = 2 * s->room + len + 4096;
		s->log = realloc(s->log, s->room);
		assert_non_null(s->log);
	}
	memcpy(s->log + s->len, text, len);
	s->len += len;
}

void scene_say(struct scene *s, const char *format, ...)
{
	char text[8192];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	assert_in_range(n, 0, sizeof(text) - 1);
	scene_put(s, text, (size_t)n);
}

const char *scene_ago(const char *format, int sec)
{
	static char text[2][64];
	static unsigned at;
	time_t t = SCENE_NOW_US / USEC_PER_SEC - sec;
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(text[++at % 2], sizeof(text[0]), format, &tm);
	return text[at % 2];
}

void scene_chat(struct scene *s, const char *format, size_t n, int sec)
{
	for (size_t i = 0; i < n; i++)
		scene_say(s, "%s host cron[%zu]: nothing of interest, %zu\n",
			scene_ago(format, sec - (int)i), 100 + i, i);
}

uint32_t scene_choose(void *arg, uint32_t n)
{
	uint64_t *state = arg;

	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)((*state >> 33) % n);
}

void scene_check(struct scene *s, size_t found, uint64_t passed)
{
	static const size_t sizes[] = {1, 60, 400, 3000, 1000000};
	static struct twice_result result;
	uint64_t n_passed = 0;

	twice_ready(&s->twice);
	for (uint64_t i = 0; i < s->ways; i++) {
		uint64_t state = i;
		const struct twice_way way = {
			.now_us = SCENE_NOW_US,
			.step_us = i % 3 * 45 * USEC_PER_SEC,
			.live = i % 4 == 3,
			.buffer_max = sizes[i % ARRAY_SIZE(sizes)],
			.choose = scene_choose,
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
