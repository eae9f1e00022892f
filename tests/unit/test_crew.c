/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/sieve.h"
#include "replay/crew.h"
#include "replay/findings.h"
#include "replay/logins.h"
#include "replay/slots.h"
#include "source/tail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define JOBS 40

/* One filter, of which no date is known beforehand. */
struct reading {
	struct filter *logins;
	struct batch_filter filter;
	struct sieve *sieve;
	struct batch_plan plan;
	struct batch_dates dates[1];
	char texts[JOBS][4096];
	struct job jobs[JOBS];
};

static void reading_init(struct reading *r)
{
	memset(r, 0, sizeof(*r));
	assert_int_equal(logins_new(&r->logins), 0);
	r->filter.filter = r->logins;
	assert_int_equal(sieve_new(&r->sieve, (const struct filter *[]) {r->logins}, 1, NULL), 0);
	r->plan = (struct batch_plan) {
		.filters = &r->filter,
		.n_filters = 1,
		.n_dates = 1,
		.sieve = r->sieve,
		.line_max = TAIL_LINE_MAX,
	};
	/* The first has no login, the next one, and so on. */
	for (size_t i = 0; i < JOBS; i++) {
		char *text = r->texts[i];

		for (size_t k = 0; k < i; k++)
			text += sprintf(text,
				"sshd[%zu]: Accepted password for anna from 192.0.2.1 port 1 "
				"ssh2\n",
				k);
		sprintf(text, "nothing\n");
		r->jobs[i] = (struct job) {
			.buf = r->texts[i], .len = strlen(r->texts[i]), .dates = r->dates};
	}
}

static void reading_done(struct reading *r)
{
	for (size_t i = 0; i < JOBS; i++)
		batch_done(&r->jobs[i].batch);
	sieve_free(r->sieve);
	filter_free(r->logins);
	free(r);
}

static void all_is_done(void **state)
{
	static const unsigned threads[] = {1, 2, 5};

	(void)state;
	for (size_t t = 0; t < sizeof(threads) / sizeof(threads[0]); t++) {
		struct reading *r = malloc(sizeof(*r));
		struct crew *c;

		assert_non_null(r);
		reading_init(r);
		assert_int_equal(crew_new(&c, &r->plan, threads[t]), 0);
		for (size_t i = 0; i < JOBS; i++)
			crew_give(c, &r->jobs[i]);
		/* Some are waited for before others that came first, some are not wanted. */
		for (size_t i = 0; i < JOBS; i += 2)
			crew_wait(c, &r->jobs[JOBS - 2 - i]);
		for (size_t i = 1; i < JOBS; i += 2)
			crew_forget(c, &r->jobs[i]);
		for (size_t i = 0; i < JOBS; i += 2) {
			assert_false(r->jobs[i].batch.failed);
			assert_int_equal(r->jobs[i].batch.n_founds, i);
		}
		/* What was forgotten can be given again. */
		crew_give(c, &r->jobs[1]);
		crew_wait(c, &r->jobs[1]);
		assert_int_equal(r->jobs[1].batch.n_founds, 1);
		crew_free(c);
		reading_done(r);
	}
	crew_free(NULL);
}

static void slots_are_bounded(void **state)
{
	struct slots s;
	struct slot *a, *b, *c;

	(void)state;
	slots_init(&s, 3, 2);
	a = slots_get(&s, false);
	b = slots_get(&s, false);
	assert_non_null(a);
	assert_non_null(b);
	assert_null(slots_get(&s, false));
	c = slots_get(&s, true);
	assert_non_null(c);
	slots_put(&s, a);
	assert_null(slots_get(&s, false));
	slots_put(&s, b);
	b = slots_get(&s, false);
	assert_non_null(b);
	assert_false(b->is_given);
	b->is_given = true;
	slots_put(&s, b);
	slots_put(&s, c);
	a = slots_get(&s, false);
	assert_false(a->is_given);
	slots_put(&s, a);
	slots_done(&s);
	slots_done(&(struct slots) {0});
}

/* The n-th of many: some fields, some of them empty. */
static void make_found(struct found *f, char text[64], unsigned n)
{
	int len = snprintf(text, 64, "user %u of somewhere", n);

	memset(f, 0, sizeof(*f));
	f->verdict = VERDICT_MATCH;
	f->regex = n;
	f->n_lines = 1 + n % 3;
	fields_put(&f->fields, n % 7, (struct span) {text, (size_t)len});
	fields_put(&f->fields, 7 + n % 5, (struct span) {text, 0});
	fields_put(&f->fields, 13, (struct span) {text + 5, (size_t)len - 5});
}

static void check_first(struct findings *q, unsigned n)
{
	const struct finding *first = findings_first(q);
	struct found want, got;
	char text[64];

	assert_non_null(first);
	assert_int_equal(first->filter, n % 4);
	assert_int_equal(first->at_us, n * 10);
	assert_int_equal(first->place_us, n * 11);
	make_found(&want, text, n);
	findings_take(q, &got);
	assert_int_equal(got.verdict, VERDICT_MATCH);
	assert_int_equal(got.regex, want.regex);
	assert_int_equal(got.n_lines, want.n_lines);
	assert_true(got.fields.set == want.fields.set);
	for (size_t i = 0; i < 14; i++) {
		if ((want.fields.set >> i & 1) == 0)
			continue;
		assert_int_equal(got.fields.v[i].len, want.fields.v[i].len);
		assert_memory_equal(
			got.fields.v[i].text, want.fields.v[i].text, want.fields.v[i].len);
	}
}

static void findings_wait(void **state)
{
	struct findings q = {0};
	struct found f;
	char text[64];
	unsigned n = 0, taken = 0;

	(void)state;
	assert_null(findings_first(&q));
	for (unsigned turn = 0; turn < 200; turn++) {
		for (unsigned i = 0; i < turn; i++, n++) {
			make_found(&f, text, n);
			assert_int_equal(findings_add(&q, n % 4, &f, n * 10, n * 11), 0);
		}
		/* Now and then nothing is left. */
		for (unsigned left = turn % 5 == 0 ? n - taken : turn / 2; left > 0; left--)
			check_first(&q, taken++);
	}
	while (taken < n)
		check_first(&q, taken++);
	assert_null(findings_first(&q));
	findings_done(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_done),
		cmocka_unit_test(slots_are_bounded),
		cmocka_unit_test(findings_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
