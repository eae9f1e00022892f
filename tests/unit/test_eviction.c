/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What somebody can do who wants the failure table to forget those who are near a ban. */
#include "track/track.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CAP 20000
#define NEAR 200
#define FLOOD 400000
#define NOW 1000000
#define FINDTIME 600
#define MAXRETRY 5
#define JAILS 4

static struct addr ip(uint32_t v)
{
	return addr_from4((uint8_t[]) {
		(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v});
}

/* Everybody of a network of his own. */
static struct addr ip6(uint32_t v)
{
	struct addr a = {.b = {0x20, 0x01, 0x0d, 0xb8}};

	for (unsigned i = 0; i < 4; i++)
		a.b[4 + i] = (uint8_t)(v >> 8 * i);
	a.b[15] = 1;
	return a;
}

static unsigned maxretry_of(unsigned jail)
{
	return MAXRETRY + 3 * jail;
}

static void hit(struct track *t, unsigned jail, const struct addr *a, int64_t sec)
{
	/* Who is banned is counted no more. */
	if (track_hit(t, jail, a, sec, 1, FINDTIME, maxretry_of(jail)) >= maxretry_of(jail))
		track_forget(t, jail, a);
}

/* Addresses from number `from` on, each with that many failures. */
static void some_fail(struct track *t, uint32_t from, uint32_t n, unsigned failures, int64_t sec)
{
	for (uint32_t i = from; i < from + n; i++) {
		struct addr a = ip(i);

		for (unsigned k = 0; k < failures; k++)
			hit(t, 0, &a, sec);
	}
}

static unsigned lost(struct track *t, uint32_t from, uint32_t n, unsigned failures)
{
	unsigned gone = 0;

	for (uint32_t i = from; i < from + n; i++) {
		struct addr a = ip(i);

		gone += track_count(t, 0, &a, NOW, FINDTIME) != failures;
	}
	return gone;
}

/* One line of a flood: the i-th. */
typedef void flood_fn(struct track *t, uint32_t i);

static void once(struct track *t, uint32_t i)
{
	struct addr a = ip(1 << 24 | i);

	hit(t, 0, &a, NOW);
}

static void once_ip6(struct track *t, uint32_t i)
{
	struct addr a = ip6(i);

	hit(t, 0, &a, NOW);
}

static void twice(struct track *t, uint32_t i)
{
	struct addr a = ip(1 << 24 | i / 2);

	hit(t, 0, &a, NOW);
}

static void thrice(struct track *t, uint32_t i)
{
	struct addr a = i % 2 != 0 ? ip(1 << 24 | i / 3) : ip6(i / 3);

	hit(t, 0, &a, NOW);
}

/* In every jail, each with another maxretry. */
static void all_jails(struct track *t, uint32_t i)
{
	struct addr a = ip(1 << 24 | i / JAILS);

	hit(t, i % JAILS, &a, NOW);
}

/* As old as a line may be, as new, and anything between. */
static void any_time(struct track *t, uint32_t i)
{
	struct addr a = ip(1 << 24 | i / 2);

	hit(t, i % JAILS, &a,
		i % 3 == 0   ? NOW - FINDTIME + 1
		: i % 3 == 1 ? NOW
			     : NOW - rand() % FINDTIME);
}

/* The same ones come back when they were forgotten. */
static void in_turns(struct track *t, uint32_t i)
{
	struct addr a = ip(1 << 24 | i % (2 * CAP));

	hit(t, 0, &a, NOW);
}

static void near_a_ban_stay(void **state)
{
	static flood_fn *const floods[] = {
		once, once_ip6, twice, thrice, all_jails, any_time, in_turns};

	(void)state;
	srand(1);
	for (size_t f = 0; f < sizeof(floods) / sizeof(floods[0]); f++) {
		struct track *t = track_new(CAP);
		struct track_stats st;

		/* Long ago, so whoever is of equal value is preferred to them. */
		some_fail(t, 0, NEAR, MAXRETRY - 1, NOW - FINDTIME / 2);
		for (uint32_t i = 0; i < FLOOD; i++)
			floods[f](t, i);
		assert_int_equal(lost(t, 0, NEAR, MAXRETRY - 1), 0);
		track_get_stats(t, &st);
		assert_in_range(st.entries, CAP - NEAR, CAP);
		assert_true(st.evicted > CAP);
		track_free(t);
	}
}

/*
 * Somebody who brings half of the table near a ban, all with newer failures, makes one of these be
 * forgotten with a probability of 1/2^16 an eviction: some 6 of 400,000.
 */
static void half_the_table(void **state)
{
	struct track *t = track_new(CAP);
	struct track_stats st;

	(void)state;
	some_fail(t, 0, NEAR, MAXRETRY - 1, NOW - 10);
	some_fail(t, NEAR, CAP / 2 - NEAR, MAXRETRY - 1, NOW);
	for (uint32_t i = 0; i < FLOOD; i++)
		once(t, i);
	track_get_stats(t, &st);
	assert_in_range(st.evicted, FLOOD - CAP / 2, FLOOD);
	assert_in_range(lost(t, 0, CAP / 2, MAXRETRY - 1), 0, 40);
	track_free(t);
}

/* Those who may still be banned come before those whose time is over, however often they failed. */
static void run_out_go_first(void **state)
{
	struct track *t = track_new(CAP);
	struct addr other = ip(UINT32_MAX);

	(void)state;
	some_fail(t, 0, CAP / 2, MAXRETRY - 1, NOW - FINDTIME - 10);
	/* Another jail's clock tells as well: nothing comes in this one any more. */
	hit(t, 1, &other, NOW);
	for (uint32_t i = 0; i < CAP / 2; i++) {
		struct addr a = ip6(i);

		hit(t, 1, &a, NOW);
	}
	for (uint32_t i = 0; i < CAP / 4; i++) {
		struct addr a = ip6(CAP + i);

		hit(t, 1, &a, NOW);
	}
	/* Only an eviction that meets none of the worthless half takes another: some 9 at last. */
	assert_in_range(track_jail_entries(t, 1), CAP / 4 * 3 - 60, CAP / 4 * 3 + 1);
	track_free(t);
}

/* A table restored under a smaller ceiling keeps those near a ban, too. */
static int into(void *arg, uint32_t page, const struct track_entry *e, size_t n)
{
	for (size_t i = 0; i < n; i++)
		track_restore(arg, page * TRACK_PAGE + (uint32_t)i, &e[i]);
	return 0;
}

static void smaller_ceiling(void **state)
{
	struct track *t = track_new(CAP), *less = track_new(CAP / 10);
	struct track_stats st;

	(void)state;
	some_fail(t, 1 << 24, CAP / 2, 1, NOW);
	some_fail(t, 0, NEAR, MAXRETRY - 1, NOW);
	some_fail(t, 2 << 24, CAP / 2 - NEAR, 2, NOW);
	assert_int_equal(track_flush(t, into, less), 0);
	assert_int_equal(lost(less, 0, NEAR, MAXRETRY - 1), 0);
	track_get_stats(less, &st);
	assert_int_equal(st.entries, CAP / 10);
	assert_int_equal(st.evicted, CAP - CAP / 10);
	track_free(t);
	track_free(less);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(near_a_ban_stay),
		cmocka_unit_test(half_the_table),
		cmocka_unit_test(run_out_go_first),
		cmocka_unit_test(smaller_ceiling),
	};

	return cmocka_run_group_tests_name("eviction", tests, NULL, NULL);
}
