/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory and speed of the failure table: bench/track [ENTRIES]. A line is a name, a tab, a number,
 * a blank and its unit. Times are of the processor.
 */
#include "track/track.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define CEILING 64000000
#define FLOOD 10000000

static long rss_kb(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	long pages = 0;

	if (f == NULL || fscanf(f, "%*d %ld", &pages) != 1)
		pages = 0;
	if (f != NULL)
		fclose(f);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* Spread over the numbers, so that the order of asking is not the order of making. */
static struct addr nth(uint32_t i)
{
	uint32_t v = i * 2654435761U;
	uint8_t b[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};

	return addr_from4(b);
}

static int64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static void say(const char *what, double n, const char *unit)
{
	if (*unit == '\0')
		printf("%s\t%.0f\n", what, n);
	else
		printf("%s\t%.1f %s\n", what, n, unit);
}

static void each(const char *what, int64_t start_ns, uint32_t n)
{
	say(what, (double)(cpu_ns() - start_ns) / n, "ns");
}

static void fill(struct track *t, uint32_t n)
{
	int64_t start = cpu_ns();

	for (uint32_t i = 0; i < n; i++) {
		struct addr a = nth(i);

		track_hit(t, 0, &a, 1000, 1, 600, 5);
	}
	each("hit, new address", start, n);
}

static uint64_t ask(struct track *t, uint32_t n)
{
	uint64_t sum = 0;
	int64_t start = cpu_ns();

	for (uint32_t i = 0; i < n; i++) {
		struct addr a = nth(i * 7919U % n);

		sum += track_count(t, 0, &a, 1000, 600);
	}
	each("lookup", start, n);
	start = cpu_ns();
	for (uint32_t i = 0; i < n; i++) {
		struct addr a = nth(i * 7919U % n);

		sum += track_hit(t, 0, &a, 1001, 1, 600, 5);
	}
	each("hit, known address", start, n);
	return sum;
}

/* Many more addresses than there is room for, and some near a ban before. */
static void flood(void)
{
	struct track *t = track_new(track_room(CEILING));
	long before = rss_kb();
	struct track_stats st;
	unsigned lost = 0;
	int64_t start;

	for (uint32_t i = 0; t != NULL && i < 4000; i++) {
		struct addr a = nth(i % 1000);

		track_hit(t, 0, &a, 1000, 1, 600, 5);
	}
	start = cpu_ns();
	for (uint32_t i = 0; t != NULL && i < FLOOD; i++) {
		struct addr a = nth(1000 + i);

		track_hit(t, 0, &a, 1001, 1, 600, 5);
	}
	if (t == NULL)
		exit(2);
	each("hit in a flood of 10,000,000", start, FLOOD);
	track_get_stats(t, &st);
	for (uint32_t i = 0; i < 1000; i++) {
		struct addr a = nth(i);

		lost += track_count(t, 0, &a, 1001, 600) != 4;
	}
	say("memory in that flood, under a ceiling of 64 MB",
		(double)(rss_kb() - before) * 1024 / 1e6, "MB");
	say("addresses kept in that flood", (double)st.entries, "");
	say("forgotten in that flood, of 1,000 near a ban", lost, "");
	track_free(t);
}

int main(int argc, char **argv)
{
	uint32_t n = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1000000;
	long before = rss_kb();
	struct track *t = track_new(n);
	struct track_stats st;

	if (t == NULL || n == 0)
		return 2;
	fill(t, n);
	track_get_stats(t, &st);
	say("memory", (double)(rss_kb() - before) * 1024 / 1e6, "MB");
	say("an address", (double)(rss_kb() - before) * 1024 / (double)st.entries, "bytes");
	say("by its own account", (double)st.bytes / (double)st.entries, "bytes");
	if (ask(t, n) == 0)
		return 1;
	track_free(t);
	flood();
	return 0;
}
