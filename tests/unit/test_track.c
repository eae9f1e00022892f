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
struct disk {
	struct track_entry row[4][KEYS];
	bool has[4][KEYS];
	int fail_in; /* calls until one fails; -1 never */
};

static uint32_t who(const struct addr *a)
{
	return (uint32_t)a->b[14] << 8 | a->b[15];
}

static int put(void *arg, const struct track_entry *e, bool gone)
{
	struct disk *d = arg;

	if (d->fail_in >= 0 && d->fail_in-- == 0)
		return -28;
	d->has[e->jail][who(&e->addr)] = !gone;
	d->row[e->jail][who(&e->addr)] = *e;
	return 0;
}

static void flush(struct track *t, struct disk *disk)
{
	struct disk *copy = malloc(sizeof(*copy));
	int how = rand() % 4;

	*copy = *disk;
	copy->fail_in = how == 0 ? rand() % 20 : -1;
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

static void check_disk(struct track *t, const struct disk *d)
{
	struct track *again = track_new(1000);
	struct track_stats st;
	size_t n = 0;

	for (unsigned jail = 0; jail < 4; jail++) {
		for (uint32_t k = 0; k < KEYS; k++) {
			struct addr a = ip(k);

			if (d->has[jail][k]) {
				n++;
				track_restore(again, &d->row[jail][k]);
			}
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

static int count_gone(void *arg, const struct track_entry *e, bool gone)
{
	unsigned *n = arg;

	n[gone]++;
	n[2] += gone && who(&e->addr) < 100 && e->addr.b[13] == 0;
	return 0;
}

/* A disk that takes nothing for long costs no more memory, and bans are not what is forgotten. */
static void gone_is_bounded(void **state)
{
	struct track *t = track_new(1600);
	unsigned told[3] = {0};
	struct track_stats st;
	uint64_t bytes;

	(void)state;
	for (uint32_t i = 0; i < 1600; i++)
		hit(t, i, 1000);
	assert_int_equal(track_flush(t, count_gone, told), 0);
	assert_int_equal(told[0], 1600);
	assert_false(track_is_dirty(t));
	for (uint32_t i = 0; i < 100; i++) {
		struct addr a = ip(i);

		assert_true(track_forget(t, 0, &a));
	}
	track_get_stats(t, &st);
	bytes = st.bytes;
	for (uint32_t i = 10000; i < 200000; i++)
		hit(t, i, 1001);
	track_get_stats(t, &st);
	assert_int_equal(st.entries, 1600);
	assert_true(st.bytes <= bytes + 100 * 400);
	memset(told, 0, sizeof(told));
	assert_int_equal(track_flush(t, count_gone, told), 0);
	assert_int_equal(told[0], 1600);
	assert_in_range(told[1], 100, 1600 / 8 + 16);
	assert_int_equal(told[2], 100);

	/* One that is back before the disk knew it was gone is told as what it is now. */
	assert_int_equal(track_flush(t, count_gone, told), 0);
	track_forget(t, 0, &(struct addr) {0});
	hit(t, 199999, 1001);
	track_forget(t, 0, (struct addr[]) {ip(199999)});
	assert_int_equal(hit(t, 199999, 1002), 1);
	memset(told, 0, sizeof(told));
	assert_int_equal(track_flush(t, count_gone, told), 0);
	assert_int_equal(told[0], 1);
	assert_int_equal(told[1], 0);
	track_free(t);
}

/* Only forgotten ones, more than there is room for: still bounded, and hits still count. */
static void forgotten_overflow(void **state)
{
	struct track *t = track_new(64);
	unsigned told[3] = {0};

	(void)state;
	for (uint32_t round = 0; round < 50; round++) {
		for (uint32_t i = 0; i < 64; i++)
			assert_int_equal(hit(t, round * 64 + i, 1000), 1);
		track_flush(t, count_gone, told);
		track_unflush(t);
		for (uint32_t i = 0; i < 64; i++) {
			struct addr a = ip(round * 64 + i);

			assert_true(track_forget(t, 0, &a));
		}
	}
	memset(told, 0, sizeof(told));
	track_flush(t, count_gone, told);
	assert_int_equal(told[0], 0);
	assert_in_range(told[1], 1, 64 + 64 / 8 + 16);
	track_free(t);
}

static void restore_checks(void **state)
{
	struct track *t = track_new(16);
	struct track_entry e = {.addr = ip(1), .n = 255, .goal = 3};
	struct track_stats st;

	(void)state;
	track_restore(t, &e); /* no counts: nothing */
	e.n = 0;
	track_restore(t, &e);
	track_get_stats(t, &st);
	assert_int_equal(st.entries, 0);

	e.n = 255;
	for (unsigned i = 0; i < TRACK_SLOTS; i++) {
		e.sec[i] = 1000 - i % 4;
		e.count[i] = (uint16_t)i;
	}
	track_restore(t, &e);
	track_restore(t, &e);
	assert_int_equal(count(t, 1, 1000), 28);
	assert_int_equal(hit(t, 1, 999), 29);
	for (uint32_t i = 0; i < 100; i++) {
		e.addr = ip(i);
		track_restore(t, &e);
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
		cmocka_unit_test(gone_is_bounded),
		cmocka_unit_test(forgotten_overflow),
		cmocka_unit_test(restore_checks),
	};

	return cmocka_run_group_tests_name("track", tests, NULL, NULL);
}
