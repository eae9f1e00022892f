/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Speed of the database: bench/store DIRECTORY [BANS]. */
#include "store/store.h"
#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME "bench.sqlite"
#define FAILURES 1000000 /* whole pages */

static struct addr nth(uint32_t i)
{
	uint32_t v = i * 2654435761U;
	uint8_t b[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};

	return addr_from4(b);
}

static int fail(const char *what, int r)
{
	fprintf(stderr, "%s: %s\n", what, strerror(-r));
	return 1;
}

static void line(const char *what, int64_t *start_us, uint32_t n)
{
	int64_t took_us = clock_mono_us() - *start_us;

	printf("%-38s %8" PRIu32 " in %7.3f s, %7.2f us each\n", what, n, (double)took_us / 1e6,
		(double)took_us / n);
	*start_us = clock_mono_us();
}

static int put_bans(struct store *s, uint32_t from, uint32_t n)
{
	int r = store_begin(s);

	for (uint32_t i = from; r == 0 && i < from + n; i++) {
		struct addr a = nth(i);
		struct store_ban b = {.jail = "sshd",
			.prefix = prefix_of(&a, 128),
			.since_us = clock_wall_us(),
			.failures = 5,
			.origin = "log",
			.evidence = "Nov 20 07:00:00 host sshd[1234]: Failed password for root "
				    "from 192.0.2.1 port 2222 ssh2"};

		b.until_us = b.since_us + 3600 * USEC_PER_SEC;
		r = store_put_ban(s, &b);
	}
	return r == 0 ? store_commit(s) : r;
}

/* n entries in whole pages. */
static int put_failures(struct store *s, uint32_t from, uint32_t n)
{
	struct track_entry e[TRACK_PAGE];
	const char *jails[TRACK_PAGE];
	int r = store_begin(s);

	for (uint32_t i = from; r == 0 && i < from + n; i += TRACK_PAGE) {
		for (unsigned k = 0; k < TRACK_PAGE; k++) {
			e[k] = (struct track_entry) {
				.n = 3, .goal = 5, .sec = {1, 2, 3}, .count = {1, 1, 1}};
			e[k].addr = nth(i + k);
			jails[k] = "sshd";
		}
		r = store_put_failures(s, i / TRACK_PAGE, jails, e, TRACK_PAGE);
	}
	return r == 0 ? store_commit(s) : r;
}

static void count_failures(void *arg, uint32_t place, const char *jail, const struct track_entry *e)
{
	(void)place;
	(void)jail;
	(void)e;
	++*(uint32_t *)arg;
}

static void count_ban(void *arg, const struct store_ban *b)
{
	(void)b;
	++*(uint32_t *)arg;
}

static void count_past(void *arg, const struct store_ban *b, int64_t ended_us)
{
	(void)ended_us;
	count_ban(arg, b);
}

int main(int argc, char **argv)
{
	uint32_t n = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 1000000, loaded = 0;
	struct store *s;
	int64_t start;
	bool moved;
	int r;

	if (argc < 2 || n < 100000) {
		fprintf(stderr, "usage: %s EMPTY-DIRECTORY [BANS, 100000 or more]\n", argv[0]);
		return 2;
	}
	r = store_open(&s, argv[1], NAME, &moved);
	if (r < 0 || store_trouble(s)[0] != '\0')
		return fail(r < 0 ? "open" : store_trouble(s), r);
	start = clock_mono_us();
	for (uint32_t i = 0; r == 0 && i < n; i += 100000) {
		r = put_bans(s, i, 100000);
		if (i == 0 || i + 100000 >= n)
			line("bans in one transaction", &start, 100000);
		start = clock_mono_us();
	}
	if (r == 0)
		r = put_bans(s, 0, 100000);
	line("bans prolonged in one transaction", &start, 100000);
	for (uint32_t round = 0; r == 0 && round < 2; round++) {
		start = clock_mono_us();
		r = put_failures(s, 0, FAILURES);
		line(round == 0 ? "failures in one transaction" : "the same, written over", &start,
			FAILURES);
	}
	store_close(s);
	if (r < 0)
		return fail("put", r);
	start = clock_mono_us();
	r = store_open(&s, argv[1], NAME, &moved);
	line("open", &start, 1);
	if (r == 0)
		r = store_load_bans(s, clock_wall_us(), count_ban, &loaded);
	line("bans loaded", &start, loaded);
	loaded = 0;
	if (r == 0)
		r = store_load_failures(s, count_failures, &loaded);
	line("failures loaded", &start, loaded);
	for (uint32_t i = 0; r == 0 && i < 1000; i++) {
		struct addr a = nth(i * 999);

		r = store_history(s, &a, 100, count_past, &loaded);
	}
	line("histories of an address", &start, 1000);
	store_close(s);
	return r < 0 ? fail("load", r) : 0;
}
