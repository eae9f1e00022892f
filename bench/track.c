/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory and speed of the failure table: bench/track [ENTRIES]. */
#include "track/track.h"
#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

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

static void line(const char *what, int64_t start_us, uint32_t n)
{
	printf("%-34s %7.1f ns\n", what, (double)(clock_mono_us() - start_us) * 1000 / n);
}

static int no_disk(void *arg, const struct track_entry *e, bool gone)
{
	(void)e;
	(void)gone;
	++*(uint64_t *)arg;
	return 0;
}

static void flood(struct track *t, uint32_t n)
{
	uint64_t told = 0;
	int64_t start = clock_mono_us();

	for (uint32_t i = 0; i < n; i++) {
		struct addr a = nth(i + n);

		track_hit(t, 0, &a, 1000, 1, 600, 5);
	}
	line("hit, new address, table full", start, n);
	/* Twice: the second takes the first for written. */
	track_flush(t, no_disk, &told);
	track_flush(t, no_disk, &told);
	start = clock_mono_us();
	for (uint32_t i = 0; i < 100; i++) {
		struct addr a = nth(i + 2 * n);

		track_hit(t, 0, &a, 1000, 1, 600, 5);
	}
	track_flush(t, no_disk, &told);
	printf("%-34s %7.1f us\n", "100 evictions and their flush",
		(double)(clock_mono_us() - start));
}

int main(int argc, char **argv)
{
	uint32_t n = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1000000;
	struct track *t = track_new(n);
	struct track_stats st;
	uint64_t sum = 0;
	int64_t start, worst = 0;
	long before = rss_kb(), grown;

	if (t == NULL || n == 0)
		return 2;
	start = clock_mono_us();
	for (uint32_t i = 0; i < n; i++) {
		struct addr a = nth(i);
		int64_t one = clock_mono_us();

		track_hit(t, 0, &a, 1000, 1, 600, 5);
		one = clock_mono_us() - one;
		worst = one > worst ? one : worst;
	}
	line("hit, new address", start, n);
	printf("%-34s %7" PRId64 " us\n", "longest of them", worst);
	grown = rss_kb() - before;
	track_get_stats(t, &st);
	printf("%-34s %7.1f MB, %.1f bytes an address (by its own account %.1f)\n", "memory",
		(double)grown / 1024, (double)grown * 1024 / (double)st.entries,
		(double)st.bytes / (double)st.entries);

	start = clock_mono_us();
	for (uint32_t i = 0; i < n; i++) {
		struct addr a = nth(i * 7919U % n);

		sum += track_count(t, 0, &a, 1000, 600);
	}
	line("lookup", start, n);
	start = clock_mono_us();
	for (uint32_t i = 0; i < n; i++) {
		struct addr a = nth(i * 7919U % n);

		sum += track_hit(t, 0, &a, 1001, 1, 600, 5);
	}
	line("hit, known address", start, n);
	flood(t, n);
	track_get_stats(t, &st);
	printf("%-34s %7" PRIu64 " entries, %.1f MB, sum %" PRIu64 "\n", "at the end", st.entries,
		(double)st.bytes / 1e6, sum);
	track_free(t);
	return 0;
}
