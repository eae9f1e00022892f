/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/seek.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define LINES 100000

/* A line a second, the last one now; some without a date. */
static FILE *make_log(time_t now, bool dated)
{
	FILE *f = tmpfile();

	assert_non_null(f);
	for (unsigned i = 0; i < LINES; i++) {
		time_t t = now - (LINES - 1 - i);
		char when[32] = "--";
		struct tm tm;

		localtime_r(&t, &tm);
		if (dated && i % 7 != 0)
			strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S%z", &tm);
		fprintf(f, "%s host app[1]: line %u of the log, some more text to fill it\n", when,
			i);
	}
	fflush(f);
	return f;
}

static unsigned number_at(FILE *f, uint64_t off)
{
	char line[256];
	unsigned n = 0;

	assert_int_equal(fseek(f, (long)off, SEEK_SET), 0);
	assert_non_null(fgets(line, sizeof(line), f));
	assert_non_null(strstr(line, "line "));
	sscanf(strstr(line, "line "), "line %u", &n);
	return n;
}

static struct date_patterns *patterns(void)
{
	struct date_patterns *p = NULL;
	struct faults f = {0};

	assert_int_equal(date_patterns_new(&p, NULL, NULL, &f), 0);
	return p;
}

static void finds_the_time(void **state)
{
	struct date_patterns *p = patterns();
	struct date_finder *d = date_finder_new(p);
	time_t now = time(NULL);
	FILE *f = make_log(now, true);

	(void)state;
	for (unsigned back = 1; back < LINES; back = back * 3 + 1) {
		uint64_t off =
			seek_to(fileno(f), CONTAINER_NONE, d, (int64_t)(now - back) * USEC_PER_SEC);
		unsigned n = number_at(f, off);

		/* Nothing that matters is passed over, and not much is read in vain. */
		assert_true(n <= LINES - 1 - back);
		assert_true(LINES - 1 - back - n < 30000);
	}
	fclose(f);
	date_finder_free(d);
	date_patterns_free(p);
}

/* A container's log has its runtime's stamps, whatever its lines say. */
static void of_a_container(void **state)
{
	struct date_patterns *p = patterns();
	struct date_finder *d = date_finder_new(p);
	time_t now = time(NULL);
	FILE *f = tmpfile();
	uint64_t off;
	unsigned n;

	(void)state;
	assert_non_null(f);
	for (unsigned i = 0; i < LINES; i++) {
		time_t t = now - (LINES - 1 - i);
		char when[32];
		struct tm tm;

		gmtime_r(&t, &tm);
		strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
		fprintf(f,
			"{\"log\":\"1999-01-01 00:00:00 line %u\\n\",\"stream\":\"stdout\","
			"\"time\":\"%s.5Z\"}\n",
			i, when);
	}
	fflush(f);
	off = seek_to(fileno(f), CONTAINER_JSON, d, (int64_t)(now - 10) * USEC_PER_SEC);
	n = number_at(f, off);
	assert_true(n <= LINES - 1 - 10 && n > LINES - 30000);
	fclose(f);
	date_finder_free(d);
	date_patterns_free(p);
}

static void without_dates(void **state)
{
	struct date_patterns *p = patterns();
	struct date_finder *d = date_finder_new(p);
	FILE *f = make_log(time(NULL), false), *empty = tmpfile();

	(void)state;
	assert_int_equal(seek_to(fileno(f), CONTAINER_NONE, d, clock_wall_us()), 0);
	assert_int_equal(seek_to(fileno(empty), CONTAINER_NONE, d, clock_wall_us()), 0);
	fclose(f);
	fclose(empty);
	date_finder_free(d);
	date_patterns_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_time),
		cmocka_unit_test(of_a_container),
		cmocka_unit_test(without_dates),
	};

	return cmocka_run_group_tests_name("seek", tests, NULL, NULL);
}
