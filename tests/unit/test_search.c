/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One search for many filters says of each what a search of its own would. */
#include "match/search.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define PREFIX "^<F-MLFID>srv \\w+\\[\\d+\\]:</F-MLFID>(?: error:)? <F-CONTENT>.+</F-CONTENT>$"

static const struct {
	const char *pref, *fail;
} filters[] = {
	{PREFIX, "^Failed for <F-USER>\\S+</F-USER> from <HOST>"},
	{PREFIX, "^Closed by <HOST>$"},
	{NULL, "Failed .* from <HOST>"},
	/* The same to the eye, and to none of the others' groups. */
	{"^<F-MLFID>srv (?:\\w+)\\[\\d+\\]:</F-MLFID>(?: error:)? <F-CONTENT>.+</F-CONTENT>$",
		"from <HOST>"},
	{PREFIX, "<F-ID>\\w+</F-ID> from <HOST>"},
};

#define N_FILTERS (sizeof(filters) / sizeof(filters[0]))

static struct filter *make(size_t i)
{
	struct conf_text fail = {filters[i].fail, {"t.conf", 1}};
	struct filter_def def = {
		.name = "t",
		.prefregex = {filters[i].pref, {"t.conf", 2}},
		.failregex = &fail,
		.n_failregex = 1,
		.maxlines = 1,
	};
	struct faults f = {0};
	struct filter *filter = NULL;

	assert_int_equal(filter_new(&filter, &def, &f), 0);
	faults_done(&f);
	return filter;
}

static void same(const struct found *a, const struct found *b)
{
	assert_int_equal(a->verdict, b->verdict);
	if (a->verdict != VERDICT_MATCH)
		return;
	assert_true(a->fields.set == b->fields.set);
	for (uint64_t set = a->fields.set; set != 0;) {
		size_t slot = fields_next(&set);

		assert_int_equal(a->fields.v[slot].len, b->fields.v[slot].len);
		assert_memory_equal(
			a->fields.v[slot].text, b->fields.v[slot].text, a->fields.v[slot].len);
	}
}

static void shared_prefix(void **state)
{
	static const char *const lines[] = {
		"srv sshd[1]: Failed for root from 192.0.2.1",
		"srv sshd[1]: error: Failed for root from 192.0.2.1",
		"srv sshd[2]: Closed by 192.0.2.2",
		"srv sshd: Failed for root from 192.0.2.1",
		"srv sshd[1]: Failed for r\xc3\xa9my from 192.0.2.3",
		"srv sshd[1]: Failed for r\xff from 192.0.2.3",
		"nothing",
		"",
	};
	struct search *all = search_new();
	struct filter *list[N_FILTERS];

	(void)state;
	for (size_t i = 0; i < N_FILTERS; i++) {
		list[i] = make(i);
		assert_int_equal(search_fit(all, list[i]), 0);
	}
	for (size_t k = 0; k < sizeof(lines) / sizeof(lines[0]); k++) {
		assert_true(search_begin(all, lines[k], strlen(lines[k]), false));
		for (size_t i = 0; i < 2 * N_FILTERS; i++) {
			struct search *own = search_new();
			struct found a, b;

			assert_int_equal(search_fit(own, list[i % N_FILTERS]), 0);
			assert_true(search_begin(own, lines[k], strlen(lines[k]), false));
			search_run(all, list[i % N_FILTERS], NULL, NULL, &a);
			search_run(own, list[i % N_FILTERS], NULL, NULL, &b);
			same(&a, &b);
			search_free(own);
		}
	}
	for (size_t i = 0; i < N_FILTERS; i++)
		filter_free(list[i]);
	search_free(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shared_prefix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
