/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Judges a log by a filter and compares with what is expected, a line for a line:
 *
 *   match ADDRESS [COUNT [USER]]   nofail [ADDRESS [COUNT [USER]]]   ignored   miss
 *
 * A count left out is 1; a user or an address left out is not looked at. Lines that begin with "#"
 * are left out in both files.
 */
#include "base/clock.h"
#include "match/date.h"
#include "match/filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NOW_US (1795159800LL * USEC_PER_SEC) /* 2026-11-20 07:30:00 UTC */

static const char *const verdict_names[] = {"miss", "ignored", "nofail", "match"};

/* The next line that is no comment, without its newline; NULL at the end. */
static char *next_line(FILE *f, char **buf, size_t *room, size_t *ret_len)
{
	ssize_t n;

	while ((n = getline(buf, room, f)) >= 0) {
		if ((*buf)[0] == '#')
			continue;
		if (n > 0 && (*buf)[n - 1] == '\n')
			n--;
		(*buf)[n] = '\0';
		*ret_len = (size_t)n;
		return *buf;
	}
	return NULL;
}

/* Each line stands for itself: whatever session it is of has ended when the next one comes. */
static enum verdict judge(
	struct filter *fl, struct date_finder *dates, char *line, size_t len, struct match *m)
{
	static int64_t clock_us = NOW_US;
	struct stamp s;

	clock_us += 3600 * USEC_PER_SEC;
	if (date_find(dates, line, len, NOW_US, &s) == DATE_FOUND) {
		memmove(line + s.off, line + s.off + s.len, len - s.off - s.len);
		len -= s.len;
	}
	return filter_judge(fl, NULL, line, len, clock_us, m);
}

/* What was found, told as an expectation with as many words as `like` has. */
static void describe(
	char *dst, size_t size, const char *like, enum verdict v, const struct match *m)
{
	char addr[ADDR_STRLEN];
	const struct match_field *user = NULL;
	int words = 1, n;

	for (const char *p = like; *p != '\0' && words < 4; p++)
		words += *p == ' ';
	for (size_t i = 0; i < m->n_fields; i++)
		if (strcmp(m->fields[i].name, "user") == 0)
			user = &m->fields[i];
	n = snprintf(dst, size, "%s", verdict_names[v]);
	if (v < VERDICT_NOFAIL || (words < 2 && v == VERDICT_NOFAIL))
		return;
	if (m->has_addr)
		n += snprintf(dst + n, size - (size_t)n, " %s", addr_format(&m->addr, addr));
	else if (m->host != NULL)
		n += snprintf(dst + n, size - (size_t)n, " %.*s", (int)m->host_len, m->host);
	else
		n += snprintf(dst + n, size - (size_t)n, " -");
	if (words > 2 || m->count != 1)
		n += snprintf(dst + n, size - (size_t)n, " %u", m->count);
	if (words > 3)
		snprintf(dst + n, size - (size_t)n, " %.*s", user != NULL ? (int)user->len : 0,
			user != NULL ? user->value : "");
}

static int run(struct filter *fl, const struct date_patterns *patterns, const char *log_path,
	const char *expect_path)
{
	FILE *log = fopen(log_path, "rb"), *expect = fopen(expect_path, "rb");
	struct date_finder *dates = date_finder_new(patterns);
	char *line = NULL, *want = NULL;
	size_t line_room = 0, want_room = 0, len, want_len;
	unsigned n = 0, bad = 0;

	if (log == NULL || expect == NULL || dates == NULL) {
		perror(log == NULL ? log_path : expect_path);
		return 2;
	}
	while (next_line(log, &line, &line_room, &len) != NULL) {
		char *copy = malloc(len > 0 ? len : 1), got[1024];
		struct match m = {0};
		enum verdict v;

		n++;
		if (next_line(expect, &want, &want_room, &want_len) == NULL) {
			printf("%s: ends before line %u of the log\n", expect_path, n);
			bad++;
			free(copy);
			break;
		}
		/* Exactly as large as the line, so that a read past its end is seen. */
		memcpy(copy, line, len);
		v = judge(fl, dates, copy, len, &m);
		describe(got, sizeof(got), want, v, &m);
		if (strcmp(got, want) != 0) {
			printf("line %u: %s\n  expected: %s\n  is:       %s\n", n, line, want, got);
			bad++;
		}
		free(copy);
	}
	if (bad == 0 && next_line(expect, &want, &want_room, &want_len) != NULL) {
		printf("%s: more lines than the log\n", expect_path);
		bad++;
	}
	printf("%u lines, %u not as expected\n", n, bad);
	free(line);
	free(want);
	fclose(log);
	fclose(expect);
	date_finder_free(dates);
	return bad > 0 || n == 0;
}

int main(int argc, char **argv)
{
	struct arena *arena = arena_new();
	struct faults faults = {0};
	struct filter_def *def = NULL;
	struct filter *fl = NULL;
	struct date_patterns *dates = NULL;
	int r = 2;

	if (argc != 5) {
		fprintf(stderr, "usage: %s CONFDIR FILTER[options] LOG EXPECT\n", argv[0]);
		return 2;
	}
	setenv("TZ", "UTC", 1);
	tzset();
	if (ruleset_load_filter(&def, arena, argv[1], argv[2], &faults) == 0 &&
		filter_new(&fl, def, &faults) == 0 &&
		date_patterns_new(&dates, &def->datepattern, NULL, &faults) == 0)
		r = run(fl, dates, argv[3], argv[4]);
	for (size_t i = 0; i < faults.n; i++) {
		char *text = fault_text(&faults.items[i]);

		printf("%s\n", text != NULL ? text : "out of memory");
		free(text);
		r = 2;
	}
	if (fl != NULL && filter_stats(fl)->limit_hits + filter_stats(fl)->jit_retries > 0) {
		printf("limits were met\n");
		r = 1;
	}
	filter_free(fl);
	date_patterns_free(dates);
	faults_done(&faults);
	arena_free(arena);
	return r;
}
