/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/bans.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct prefix host(unsigned n)
{
	uint8_t quad[4] = {10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};
	struct addr a = addr_from4(quad);

	return prefix_of(&a, 128);
}

static void found_and_ended(void **state)
{
	struct bans *b = bans_new();
	struct prefix p = host(1), net = prefix_of(&p.addr, 120), other = host(777);
	struct ban *ban;
	bool is_new;

	(void)state;
	ban = bans_put(b, 3, &p, &is_new);
	assert_true(is_new);
	assert_ptr_equal(bans_put(b, 3, &p, &is_new), ban);
	assert_false(is_new);
	assert_null(bans_find(b, 2, &p));
	assert_int_equal(bans_jail_count(b, 3), 1);
	assert_null(bans_covering(b, 3, &other.addr));
	bans_put(b, 3, &net, &is_new);
	assert_ptr_equal(bans_covering(b, 3, &p.addr), ban); /* the narrower first */
	bans_end(b, ban, 5);
	assert_int_equal(bans_covering(b, 3, &p.addr)->prefix.len, 120);
	assert_int_equal(bans_count(b), 1);
	bans_free(b);
}

/* The queue of ends against a plain search, through random changes. */
static void ends_in_order(void **state)
{
	enum { N = 400 };
	struct bans *b = bans_new();
	int64_t until[N] = {0};
	bool there[N] = {false};
	unsigned seed = 3;

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		unsigned i = (unsigned)rand_r(&seed) % N;
		struct prefix p = host(i);
		int64_t best = 0;
		struct ban *first;
		bool is_new;

		if (rand_r(&seed) % 3 == 0 && there[i]) {
			bans_end(b, bans_find(b, 0, &p), 1);
			there[i] = false;
		} else {
			until[i] = rand_r(&seed) % 5 == 0 ? 0 : 1 + rand_r(&seed) % 1000;
			bans_set_until(b, bans_put(b, 0, &p, &is_new), until[i]);
			there[i] = true;
		}
		for (unsigned k = 0; k < N; k++)
			if (there[k] && until[k] != 0 && (best == 0 || until[k] < best))
				best = until[k];
		first = bans_first_end(b);
		if (best == 0)
			assert_null(first);
		else
			assert_int_equal(first->until_us, best);
	}
	bans_free(b);
}

static int count(void *arg, struct ban *ban)
{
	(void)ban;
	++*(unsigned *)arg;
	return 0;
}

static int count_end(void *arg, const struct ban_end *e)
{
	(void)e;
	++*(unsigned *)arg;
	return 0;
}

static void dirty_is_what_changed(void **state)
{
	struct bans *b = bans_new();
	unsigned n = 0;
	bool is_new;

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		struct prefix p = host(i);
		struct ban *ban = bans_put(b, 0, &p, &is_new);

		bans_touch(b, ban);
		bans_touch(b, ban);
	}
	bans_each_dirty(b, count, &n);
	assert_int_equal(n, 100);
	for (unsigned i = 0; i < 100; i += 3) {
		struct prefix p = host(i);

		bans_end(b, bans_find(b, 0, &p), 9);
	}
	n = 0;
	bans_each_dirty(b, count, &n);
	assert_int_equal(n, 66);
	n = 0;
	bans_each_end(b, count_end, &n);
	assert_int_equal(n, 34);
	bans_saved(b);
	assert_false(bans_is_dirty(b));
	bans_touch_all(b);
	n = 0;
	bans_each_dirty(b, count, &n);
	assert_int_equal(n, 66);
	bans_free(b);
}

/* Text that waits to be saved is bounded, and what was saved or ended makes room again. */
static void evidence_is_bounded(void **state)
{
	struct bans *b = bans_new();
	unsigned kept = 0, again = 0;
	bool is_new;

	(void)state;
	for (unsigned i = 0; i < 40; i++) {
		struct prefix p = host(i);
		struct ban *ban = bans_put(b, 0, &p, &is_new);
		char *text = malloc(1000000);

		memset(text, 'x', 999999);
		text[999999] = '\0';
		kept += bans_set_evidence(b, ban, text);
		assert_int_equal(ban->evidence != NULL, kept > i);
		bans_touch(b, ban);
	}
	assert_int_equal(kept, 16);
	bans_saved(b);
	for (unsigned i = 0; i < 40; i++) {
		struct prefix p = host(i);

		again += bans_set_evidence(b, bans_find(b, 0, &p), strdup("one"));
		if (i % 2 == 0)
			bans_end(b, bans_find(b, 0, &p), 1);
	}
	assert_int_equal(again, 40);
	bans_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(found_and_ended),
		cmocka_unit_test(ends_in_order),
		cmocka_unit_test(dirty_is_what_changed),
		cmocka_unit_test(evidence_is_bounded),
	};

	return cmocka_run_group_tests_name("bans", tests, NULL, NULL);
}
