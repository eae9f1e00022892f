/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "track/track.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct addr ip(uint32_t v)
{
	uint8_t b[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};

	return addr_from4(b);
}

static unsigned hit(struct track *t, uint32_t who, int64_t sec)
{
	struct addr a = ip(who);

	return track_hit(t, 0, &a, sec, 1, 600, 5);
}

static unsigned count(struct track *t, uint32_t who, int64_t now)
{
	struct addr a = ip(who);

	return track_count(t, 0, &a, now, 600);
}

static void window(void **state)
{
	struct track *t = track_new(100);
	struct addr a = ip(1);

	(void)state;
	assert_int_equal(hit(t, 1, 1000), 1);
	assert_int_equal(hit(t, 1, 1000), 2);
	assert_int_equal(hit(t, 1, 1300), 3);
	assert_int_equal(hit(t, 1, 1200), 4);
	assert_int_equal(hit(t, 1, 1599), 5);
	/* 1000 is now just outside (1000, 1600]. */
	assert_int_equal(hit(t, 1, 1600), 4);
	/* Too old to matter, and a window earlier is dropped. */
	assert_int_equal(hit(t, 1, 1000), 4);
	assert_int_equal(count(t, 1, 1600), 4);
	assert_int_equal(count(t, 1, 1850), 3);
	assert_int_equal(count(t, 1, 2200), 0);
	assert_int_equal(count(t, 2, 1600), 0);
	/* Jails keep apart. */
	assert_int_equal(track_hit(t, 7, &a, 1600, 3, 600, 5), 3);
	assert_int_equal(track_jail_entries(t, 0), 1);
	assert_int_equal(track_jail_entries(t, 7), 1);
	assert_true(track_forget(t, 0, &a));
	assert_false(track_forget(t, 0, &a));
	assert_int_equal(count(t, 1, 1600), 0);
	assert_int_equal(track_count(t, 7, &a, 1600, 600), 3);
	track_free(t);
}

static void extremes(void **state)
{
	struct track *t = track_new(0);
	struct addr a = ip(1);

	(void)state;
	assert_int_equal(track_hit(t, 0, &a, -5, 1, -1, 0), 1);
	assert_int_equal(track_hit(t, 0, &a, INT64_MAX, UINT32_MAX, INT64_MAX, UINT32_MAX), 65535);
	assert_int_equal(track_hit(t, 0, &a, INT64_MAX, 1, INT64_MAX, UINT32_MAX), 65535);
	assert_int_equal(track_hit(t, 0, &a, INT64_MIN, 1, INT64_MIN, 0), 65535);
	assert_int_equal(track_hit(t, 65535, &a, 0, 0, 1, 1), 0);
	assert_int_equal(track_hit(t, 65535, &a, 0, 1, 1, 1), 1);
	assert_int_equal(track_jail_entries(t, 65535), 1);
	assert_int_equal(track_jail_entries(t, 65536), 0);
	track_free(t);
	track_free(NULL);
}

/* After the clock was ahead and put right, an address is not immune until it gets there again. */
static void clock_set_back(void **state)
{
	struct track *t = track_new(100);

	(void)state;
	hit(t, 1, 100000);
	hit(t, 1, 100000);
	/* A line from long ago in between does not end the count. */
	assert_int_equal(hit(t, 1, 1000), 2);
	assert_int_equal(hit(t, 1, 100001), 3);
	hit(t, 2, 1000);
	assert_int_equal(hit(t, 1, 1001), 1);
	assert_int_equal(hit(t, 1, 1002), 2);
	track_free(t);
}

/* A steady stream never counts less than it is, nor more than that of a window 1/7 longer. */
static void many_slots(void **state)
{
	static const int findtimes[] = {1, 2, 6, 7, 8, 9, 13, 14, 15, 50, 600, 601, 86400};

	(void)state;
	srand(1);
	for (size_t f = 0; f < sizeof(findtimes) / sizeof(findtimes[0]); f++) {
		int64_t time[3000], ft = findtimes[f], now = 5000;
		struct track *t = track_new(16);
		struct addr a = ip(1);
		unsigned n = 0;

		for (; n < 3000; n++) {
			int64_t newest = 0;
			unsigned low = 0, high = 0, got;

			now += rand() % (n % 1000 < 500 ? 2 : 1 + (int)ft / 6);
			time[n] = now - rand() % 4;
			got = track_hit(t, 0, &a, time[n], 1, ft, 1000);
			for (unsigned i = 0; i <= n; i++)
				newest = time[i] > newest ? time[i] : newest;
			for (unsigned i = 0; i <= n; i++) {
				low += time[i] > newest - ft;
				high += time[i] > newest - ft - (ft + 6) / 7;
			}
			assert_in_range(got, low, high);
		}
		track_free(t);
	}
}

/* The model: every failure of every key there ever was. */
#define KEYS 200
#define EVENTS 256

struct model {
	struct {
		int64_t time[EVENTS];
		unsigned count[EVENTS], n;
		int64_t gone_before; /* what is older may have been let go already */
		bool there;
		bool merged; /* had more seconds than slots once */
	} key[KEYS];
	int64_t clock[4];
};

static int64_t findtime_of(unsigned jail)
{
	return 20 + 30 * jail;
}

/* Least (exactly what must be known) and most that may be answered. */
static void expect(struct model *m, unsigned k, unsigned *ret_low, unsigned *ret_high)
{
	int64_t ft = findtime_of(k % 4), newest = 0, slack = (ft + 6) / 7;
	unsigned low = 0, high = 0, seconds = 0;

	for (unsigned i = 0; i < m->key[k].n; i++)
		newest = m->key[k].time[i] > newest ? m->key[k].time[i] : newest;
	for (unsigned i = 0; i < m->key[k].n; i++) {
		bool twin = false;

		for (unsigned j = 0; j < i; j++)
			twin |= m->key[k].time[j] == m->key[k].time[i];
		seconds += m->key[k].time[i] > newest - ft && !twin;
	}
	m->key[k].merged |= seconds > TRACK_SLOTS;
	slack = m->key[k].merged ? slack : 0;
	for (unsigned i = 0; i < m->key[k].n; i++) {
		int64_t time = m->key[k].time[i];

		high += time > newest - ft - slack ? m->key[k].count[i] : 0;
		low += time > newest - ft && time > m->key[k].gone_before ? m->key[k].count[i] : 0;
	}
	*ret_low = low;
	*ret_high = high;
}

static void model_hit(struct model *m, struct track *t, unsigned k, int64_t now)
{
	unsigned jail = k % 4, n = 1 + (unsigned)rand() % 3, low, high, got;
	int64_t ft = findtime_of(jail), time = now - rand() % 5;
	struct addr a = ip(k);

	m->clock[jail] = time;
	for (unsigned i = jail; i < KEYS; i += 4) {
		int64_t newest = 0;

		for (unsigned e = 0; e < m->key[i].n; e++)
			newest = m->key[i].time[e] > newest ? m->key[i].time[e] : newest;
		if (newest + ft <= time)
			m->key[i].gone_before = newest;
	}
	if (m->key[k].n == EVENTS) {
		memmove(m->key[k].time, m->key[k].time + 1, (EVENTS - 1) * sizeof(int64_t));
		memmove(m->key[k].count, m->key[k].count + 1, (EVENTS - 1) * sizeof(unsigned));
		m->key[k].n--;
	}
	m->key[k].time[m->key[k].n] = time;
	m->key[k].count[m->key[k].n++] = n;
	m->key[k].there = true;
	got = track_hit(t, jail, &a, time, n, ft, 10);
	expect(m, k, &low, &high);
	assert_in_range(got, low, high);
}

static void model_forget(struct model *m, struct track *t, unsigned k)
{
	struct addr a = ip(k);
	bool was = track_forget(t, k % 4, &a);

	/* It may have run out before. */
	assert_true(m->key[k].there || !was);
	memset(&m->key[k], 0, sizeof(m->key[k]));
}

/* The disk: what flush told, or what it told before if the transaction failed. */
#define PAGES (4 * KEYS / TRACK_PAGE + 1)
struct disk {
	struct track_entry row[PAGES][TRACK_PAGE];
	size_t n[PAGES];
	int fail_in; /* calls until one fails; -1 never */
};

static int put(void *arg, uint32_t page, const struct track_entry *e, size_t n)
{
	struct disk *d = arg;

	if (d->fail_in >= 0 && d->fail_in-- == 0)
		return -28;
	assert_in_range(page, 0, PAGES - 1);
	for (size_t i = page + 1; n == 0 && i < PAGES; i++)
		d->n[i] = 0;
	if (n > 0)
		memcpy(d->row[page], e, n * sizeof(*e));
	d->n[page] = n;
	return 0;
}

static void flush(struct track *t, struct disk *disk)
{
	struct disk *copy = malloc(sizeof(*copy));
	int how = rand() % 4;

	*copy = *disk;
	copy->fail_in = how == 0 ? rand() % 4 : -1;
	if (track_flush(t, put, copy) < 0)
		assert_true(track_is_dirty(t));
	else if (how == 1)
		track_unflush(t); /* the commit failed */
	else {
		assert_false(track_is_dirty(t));
		*disk = *copy;
	}
	free(copy);
}

static struct track *restored(const struct disk *d, size_t cap)
{
	struct track *t = track_new(cap);

	for (size_t p = 0; p < PAGES; p++)
		for (size_t i = 0; i < d->n[p]; i++)
			track_restore(t, (uint32_t)(p * TRACK_PAGE + i), &d->row[p][i]);
	return t;
}

static void check_disk(struct track *t, const struct disk *d)
{
	struct track *again = restored(d, 1000);
	struct track_stats st;
	size_t n = 0;

	for (size_t p = 0; p < PAGES; p++)
		n += d->n[p];
	for (unsigned jail = 0; jail < 4; jail++) {
		for (uint32_t k = 0; k < KEYS; k++) {
			struct addr a = ip(k);

			assert_int_equal(
				track_count(again, jail, &a, 0, 1), track_count(t, jail, &a, 0, 1));
		}
		assert_int_equal(track_jail_entries(again, jail), track_jail_entries(t, jail));
	}
	track_get_stats(t, &st);
	assert_int_equal(st.entries, n);
	assert_false(track_is_dirty(again));
	track_free(again);
}

static void model_and_disk(void **state)
{
	struct model *m = calloc(1, sizeof(*m));
	struct disk *d = calloc(1, sizeof(*d));
	struct track *t = track_new(4000);
	int64_t now = 10000;

	(void)state;
	srand(2);
	for (unsigned i = 0; i < 30000; i++) {
		unsigned k = (unsigned)rand() % (i % 7000 < 3500 ? 12 : KEYS);

		now += rand() % 100 == 0 ? rand() % 40 : rand() % 10 == 0;
		if (rand() % 40 == 0)
			model_forget(m, t, k);
		else
			model_hit(m, t, k, now);
		if (rand() % 300 == 0) {
			flush(t, d);
			if (!track_is_dirty(t))
				check_disk(t, d);
		}
		if (rand() % 5000 == 0) {
			memset(d, 0, sizeof(*d));
			track_flush_all(t);
		}
	}
	d->fail_in = -1;
	assert_int_equal(track_flush(t, put, d), 0);
	check_disk(t, d);
	track_free(t);
	free(m);
	free(d);
}

/* With the table full, who is near a ban stays, and so does everyone in it for the jail's count. */
static void eviction(void **state)
{
	struct track *t = track_new(1000);
	struct track_stats st;
	unsigned kept = 0;

	(void)state;
	for (uint32_t i = 0; i < 100; i++)
		for (unsigned n = 0; n < 4; n++)
			hit(t, i, 1000);
	for (uint32_t i = 1000; i < 101000; i++)
		assert_int_equal(hit(t, i, 1000), 1);
	for (uint32_t i = 0; i < 100; i++)
		kept += count(t, i, 1000) == 4;
	assert_int_equal(kept, 100);
	track_get_stats(t, &st);
	assert_int_equal(st.entries, 1000);
	assert_int_equal(st.entries, track_jail_entries(t, 0));
	assert_int_equal(st.evicted, 99100);

	/* Once their window is over they are worth less than anyone fresh. */
	for (uint32_t i = 200000; i < 203000; i++)
		hit(t, i, 1700);
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(count(t, i, 1000), 0);
	track_free(t);
}

static void expiry_gives_memory_back(void **state)
{
	struct track *t = track_new(100000);
	struct track_stats full, st;

	(void)state;
	for (uint32_t i = 0; i < 100000; i++)
		hit(t, i, 1000);
	track_get_stats(t, &full);
	assert_int_equal(full.entries, 100000);
	assert_true(full.bytes <= 100 * 100000);
	for (uint32_t i = 0; i < 100000; i++)
		assert_int_equal(count(t, i, 1000), 1);
	for (unsigned i = 0; i < 130000; i++)
		hit(t, 7, 2000);
	track_get_stats(t, &st);
	assert_int_equal(st.entries, 1);
	assert_in_range(st.expired, 99999, 100000);
	assert_true(st.bytes < full.bytes / 10);
	track_free(t);
}

/* What comes back from disk otherwise than it was is written anew, whatever the reason. */
static void restored_otherwise(void **state)
{
	struct disk *d = calloc(1, sizeof(*d));
	struct track *t = track_new(1000), *again;
	struct track_stats st;

	(void)state;
	srand(3);
	d->fail_in = -1;
	for (uint32_t i = 0; i < KEYS; i++)
		hit(t, i, 1000 + i);
	assert_int_equal(track_flush(t, put, d), 0);
	for (unsigned round = 0; round < 200; round++) {
		struct disk *now = malloc(sizeof(*now));
		size_t cap = round % 4 == 0 ? 100 : 1000;

		*now = *d;
		/* Some left out, the last ones always; or one twice; or a page that is lost. */
		for (unsigned i = 0; i < round % 5; i++) {
			unsigned at = i == 0 ? KEYS - 1 : (unsigned)rand() % KEYS;

			now->row[at / TRACK_PAGE][at % TRACK_PAGE].n = 0;
		}
		if (round % 7 == 0)
			now->row[0][3] = now->row[1][5];
		if (round % 11 == 0)
			now->n[round % 3] = 0;
		again = restored(now, cap);
		assert_int_equal(track_flush(again, put, now), 0);
		check_disk(again, now);
		track_get_stats(again, &st);
		assert_true(st.entries <= cap);
		assert_true(cap == 1000 || st.evicted >= KEYS - 100 - TRACK_PAGE - 10);
		track_free(again);
		free(now);
	}
	track_free(t);
	free(d);
}

/* However small the ceiling, it holds, whatever comes and goes. */
static void ceiling_holds(void **state)
{
	static const uint64_t ceilings[] = {0, 600000, 1000000, 1200000, 3000000, 64000000};

	(void)state;
	for (size_t i = 0; i < sizeof(ceilings) / sizeof(ceilings[0]); i++) {
		size_t room = track_room(ceilings[i]);
		struct track *t = track_new(room);
		struct track_stats st;

		if (i > 1)
			assert_in_range(room, ceilings[i] / 100, ceilings[i] / 72);
		for (uint32_t k = 0; k < 2 * room && k < 300000; k++) {
			hit(t, k, 1000 + k / 100);
			if (k % 256 != 0 && k > 256)
				continue;
			track_get_stats(t, &st);
			assert_true(i < 2 || st.bytes <= ceilings[i]);
			assert_true(st.entries <= room);
		}
		track_free(t);
	}
	assert_int_equal(track_room(0), 16);
	assert_int_equal(track_room(UINT64_MAX), UINT32_MAX / 4);
}

static void restore_checks(void **state)
{
	struct track *t = track_new(16);
	struct track_entry e = {.addr = ip(1), .n = 255, .goal = 3};
	struct track_stats st;

	(void)state;
	track_restore(t, 0, &e); /* no counts: nothing */
	e.n = 0;
	track_restore(t, 0, &e);
	track_get_stats(t, &st);
	assert_int_equal(st.entries, 0);

	e.n = 255;
	for (unsigned i = 0; i < TRACK_SLOTS; i++) {
		e.sec[i] = 1000 - i % 4;
		e.count[i] = (uint16_t)i;
	}
	track_restore(t, 0, &e);
	track_restore(t, 0, &e);
	assert_int_equal(count(t, 1, 1000), 28);
	assert_int_equal(hit(t, 1, 999), 29);
	for (uint32_t i = 0; i < 100; i++) {
		e.addr = ip(i);
		track_restore(t, 0, &e);
	}
	track_get_stats(t, &st);
	assert_int_equal(st.entries, 16);
	track_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(window),
		cmocka_unit_test(extremes),
		cmocka_unit_test(clock_set_back),
		cmocka_unit_test(many_slots),
		cmocka_unit_test(model_and_disk),
		cmocka_unit_test(eviction),
		cmocka_unit_test(expiry_gives_memory_back),
		cmocka_unit_test(restored_otherwise),
		cmocka_unit_test(ceiling_holds),
		cmocka_unit_test(restore_checks),
	};

	return cmocka_run_group_tests_name("track", tests, NULL, NULL);
}
