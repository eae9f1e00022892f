/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who watches a batch hears of each line before a regex is tried on it. */
#include "match/batch.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define NOW_US (1795159800LL * USEC_PER_SEC) /* 2026-11-20 07:30:00 UTC */

static const char text[] = "2026-11-20T07:29:00+0000 nothing\n"
			   "2026-11-20T07:29:01+0000 bad from 192.0.2.1\n"
			   "2026-11-20T07:29:02+0000 bad from nobody\n"
			   "no date, bad from 192.0.2.2\n"
			   "2026-11-20T07:29:03+0000 nothing again\n";

struct watched {
	size_t offs[8], n, n_over;
	size_t forbidden;
};

static bool may_search(void *arg, size_t off)
{
	struct watched *w = arg;

	assert_int_equal(w->n, w->n_over);
	w->offs[w->n++] = off;
	return off != w->forbidden;
}

static void searched(void *arg)
{
	struct watched *w = arg;

	w->n_over++;
	assert_int_equal(w->n, w->n_over);
}

static struct filter *filter;
static struct sieve *sieve;
static struct batch_filter readers[1];
static struct batch_plan plan;
static struct batch_dates dates;

static size_t offset_of(const char *what)
{
	const char *at = strstr(text, what);

	while (at > text && at[-1] != '\n')
		at--;
	return (size_t)(at - text);
}

static int set_up(void **state)
{
	struct conf_text regex = {.text = "^ bad from <ADDR>$"}, none = {0};
	struct filter_def def = {.name = "f", .failregex = &regex, .n_failregex = 1, .maxlines = 1};
	struct date_patterns *patterns;
	struct date_finder *finder;
	struct faults f = {0};
	struct stamp stamp;

	(void)state;
	if (filter_new(&filter, &def, &f) < 0 || date_patterns_new(&patterns, &none, &none, &f) < 0)
		return -1;
	finder = date_finder_new(patterns);
	for (unsigned i = 0; i < 3; i++)
		date_find(finder, text, strlen("2026-11-20T07:29:00+0000 nothing"), NOW_US, &stamp);
	dates.has_habit = date_finder_habit(finder, NOW_US, &dates.habit);
	date_finder_free(finder);
	date_patterns_free(patterns);
	faults_done(&f);
	readers[0].filter = filter;
	plan = (struct batch_plan) {
		.filters = readers, .n_filters = 1, .n_dates = 1, .line_max = 65536};
	if (sieve_new(&sieve, &(const struct filter *) {filter}, 1, NULL) < 0)
		return -1;
	plan.sieve = sieve;
	return dates.has_habit ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	sieve_free(sieve);
	filter_free(filter);
	return 0;
}

static void run(struct batch *b, struct watched *w, const char *buf, size_t len)
{
	const struct batch_span span = {NOW_US - 3600 * USEC_PER_SEC, NOW_US};
	const struct batch_watch watch = {may_search, searched, w};
	struct batch_worker *worker = batch_worker_new(&plan);

	assert_non_null(worker);
	batch_run(worker, b, &dates, &span, &watch, buf, len);
	batch_worker_free(worker);
}

static void is_told_of_each_line_it_searches(void **state)
{
	struct watched w = {.forbidden = SIZE_MAX};
	struct batch b = {0};

	(void)state;
	run(&b, &w, text, strlen(text));
	assert_false(b.failed);
	assert_int_equal(w.n, 3);
	assert_int_equal(w.offs[0], offset_of("bad from 192.0.2.1"));
	assert_int_equal(w.offs[1], offset_of("bad from nobody"));
	assert_int_equal(w.offs[2], offset_of("no date"));
	/* Of the two without a match one has no usual date. */
	assert_int_equal(b.n_lines, 2);
	assert_int_equal(b.lines[0].off, w.offs[0]);
	assert_true(b.founds[b.lines[0].first].is_found);
	assert_true(b.lines[1].is_odd);
	batch_done(&b);
}

static void does_not_search_what_it_may_not(void **state)
{
	struct watched w = {.forbidden = offset_of("bad from 192.0.2.1")};
	struct batch b = {0};

	(void)state;
	run(&b, &w, text, strlen(text));
	assert_int_equal(b.n_lines, 2);
	assert_int_equal(b.lines[0].off, w.forbidden);
	assert_true(b.lines[0].is_odd);
	assert_int_equal(b.lines[0].n, 1);
	assert_false(b.founds[b.lines[0].first].is_found);
	batch_done(&b);
}

static bool is_not_that(void *arg, size_t off, size_t of)
{
	assert_int_equal(of, 0);
	return off != *(const size_t *)arg;
}

/* Neither found in it nor left to be looked at later. */
static void passes_over_what_is_not_for_a_filter(void **state)
{
	const struct batch_span span = {NOW_US - 3600 * USEC_PER_SEC, NOW_US};
	size_t not_this = offset_of("bad from 192.0.2.1");
	const struct batch_watch watch = {.is_for = is_not_that, .arg = &not_this};
	struct batch_worker *worker = batch_worker_new(&plan);
	struct batch b = {0};

	(void)state;
	assert_non_null(worker);
	batch_run(worker, &b, &dates, &span, &watch, text, strlen(text));
	assert_int_equal(b.n_lines, 1);
	assert_int_equal(b.lines[0].off, offset_of("no date"));
	not_this = offset_of("no date");
	batch_run(worker, &b, &dates, &span, &watch, text, strlen(text));
	assert_int_equal(b.n_lines, 2);
	assert_true(b.founds[b.lines[0].first].is_found);
	assert_int_equal(b.lines[1].n, 0);
	batch_done(&b);
	batch_worker_free(worker);
}

/* Sets of patterns of which only the text that they need tells them apart. */
static void asks_each_set_what_it_misses(void **state)
{
	static const char lines[] = "one 12:00:00\ntwo 12:00:00\nthree 12:00:00\nnothing\n";
	const struct batch_dates two[] = {
		{.has_miss = true, .miss = {.need = "one", .need_clock = true}},
		{.has_miss = true, .miss = {.need = "two", .need_clock = true}},
		{.has_miss = true, .miss = {.need = "two", .need_clock = true}},
	};
	const struct batch_plan blind = {.n_dates = 3, .line_max = 65536};
	struct batch_worker *worker = batch_worker_new(&blind);
	const struct batch_span span = {NOW_US - 3600 * USEC_PER_SEC, NOW_US};
	struct batch b = {0};

	(void)state;
	assert_non_null(worker);
	batch_run(worker, &b, two, &span, NULL, lines, strlen(lines));
	assert_int_equal(b.n_lines, 2);
	assert_int_equal(b.lines[0].off, 0);
	assert_int_equal(b.lines[1].off, strlen("one 12:00:00\n"));
	assert_int_equal(b.rest.n, 2);
	batch_done(&b);
	batch_worker_free(worker);
}

/* Lines of nothing are many, and what is known of them must not take more than it is worth. */
static void memory_is_bounded(void **state)
{
	static char empty[1 << 20];
	static struct batch_filter all[64];
	const struct batch_plan many = {
		.filters = all, .n_filters = 64, .n_dates = 1, .line_max = 65536};
	struct batch_worker *worker;
	struct batch b = {0};

	(void)state;
	memset(empty, '\n', sizeof(empty));
	for (size_t i = 0; i < 64; i++)
		all[i] = readers[0];
	worker = batch_worker_new(&many);
	assert_non_null(worker);
	batch_run(worker, &b, &dates, &(struct batch_span) {0, NOW_US}, NULL, empty, sizeof(empty));
	assert_true(b.failed);
	assert_true(b.bytes_max < 65 * sizeof(empty));
	assert_int_equal(b.bytes, 0);
	assert_null(b.founds);
	batch_run(worker, &b, &dates, &(struct batch_span) {0, NOW_US}, NULL, empty, 64);
	assert_false(b.failed);
	assert_int_equal(b.n_lines, 64);
	assert_true(b.bytes > 0 && b.bytes <= b.bytes_max);
	batch_worker_free(worker);
	batch_done(&b);
}

/* A batch that is used for several plans by turns: what one has left in it is in no other's way. */
static void serves_plans_by_turns(void **state)
{
	static char words[60000];
	static struct batch_filter all[100];
	const struct batch_plan plans[] = {
		{.filters = all, .n_filters = 1, .n_dates = 1, .line_max = 65536},
		{.filters = all, .n_filters = 100, .n_dates = 1, .line_max = 65536},
	};
	const struct batch_span span = {0, NOW_US};
	struct batch_worker *workers[2];
	struct batch b = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(words); i++)
		words[i] = i % 3 == 2 ? '\n' : 'a';
	for (size_t i = 0; i < 100; i++)
		all[i] = readers[0];
	for (size_t i = 0; i < 2; i++) {
		workers[i] = batch_worker_new(&plans[i]);
		assert_non_null(workers[i]);
	}
	batch_run(workers[0], &b, &dates, &span, NULL, words, sizeof(words));
	assert_false(b.failed);
	/* At once, or when it has let go of what it had. */
	for (size_t i = 0; i < 2; i++)
		batch_run(workers[1], &b, &dates, &span, NULL, words, 30);
	assert_false(b.failed);
	assert_int_equal(b.n_lines, 10);
	for (size_t i = 0; i < 2; i++)
		batch_worker_free(workers[i]);
	batch_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_told_of_each_line_it_searches),
		cmocka_unit_test(does_not_search_what_it_may_not),
		cmocka_unit_test(passes_over_what_is_not_for_a_filter),
		cmocka_unit_test(asks_each_set_what_it_misses),
		cmocka_unit_test(memory_is_bounded),
		cmocka_unit_test(serves_plans_by_turns),
	};

	return cmocka_run_group_tests_name("batch", tests, set_up, tear_down);
}
