/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * prefilter CONFDIR SEED ROUNDS FILE...: has all filters of a configuration judge logs line by line
 * and in buffers (see tests/twice/twice.h). The first round takes the logs as they are, others
 * mangle them.
 */
#include "base/clock.h"
#include "config/ruleset.h"
#include "twice/twice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_LEN 65536
#define FILE_MAX_LEN (4 << 20)
#define NOW_US (1795159800LL * USEC_PER_SEC) /* 2026-11-20 07:30:00 UTC */

static uint64_t rng_state;

static uint32_t rng(uint32_t n)
{
	rng_state = rng_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)((rng_state >> 33) % (n > 0 ? n : 1));
}

static uint32_t choose(void *arg, uint32_t n)
{
	(void)arg;
	return rng(n);
}

static void *need(void *p)
{
	if (p == NULL) {
		fputs("out of memory\n", stderr);
		exit(2);
	}
	return p;
}

static void add_jail(struct twice *t, const struct jail *j)
{
	struct faults f = {0};
	struct filter *filter = NULL;
	struct date_patterns *dates = NULL;

	if (filter_new(&filter, j->filter, &f) == 0 &&
		date_patterns_new(&dates, &j->filter->datepattern, &j->logtimezone, &f) == 0) {
		unsigned set = 0;

		/* Sets of patterns are not shared here: those that say the same must agree. */
		if (t->plan.n_dates == 0 || j->filter->datepattern.text != NULL || rng(2) > 0)
			set = twice_add_dates(t, dates);
		else
			date_patterns_free(dates);
		twice_add(t, j->name, filter, set, NULL, NULL);
	}
	faults_done(&f);
}

static void load(struct twice *t, const char *dir)
{
	struct faults f = {0};
	struct ruleset *rs = NULL;

	if (ruleset_read(&rs, dir, NULL, true, &f) < 0)
		exit(2);
	twice_init(t, rs->n_jails + rs->n_disabled, LINE_MAX_LEN);
	for (size_t i = 0; i < rs->n_jails; i++)
		add_jail(t, &rs->jails[i]);
	for (size_t i = 0; i < rs->n_disabled; i++)
		add_jail(t, &rs->disabled[i]);
	twice_ready(t);
	faults_done(&f);
}

static char *read_file(const char *path, size_t *ret_len)
{
	FILE *f = fopen(path, "r");
	char *text = need(malloc(FILE_MAX_LEN));

	*ret_len = f != NULL ? fread(text, 1, FILE_MAX_LEN, f) : 0;
	if (f != NULL)
		fclose(f);
	return text;
}

/* What may become of a log's bytes: a piece of it elsewhere, a byte changed, doubled or left out.
 */
static size_t mangle(char *dst, const char *src, size_t len)
{
	static const char nasty[] = "\n\r [](){}<>\"'\\:0 9\xff\xc5\xbf\xe2\x84\xaa\x00;=/";
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		uint32_t dice = rng(200);

		if (dice == 0)
			dst[n++] = nasty[rng(sizeof(nasty) - 1)];
		else if (dice == 1)
			continue;
		dst[n++] = dice == 2 ? (char)rng(256) : src[i];
		if (dice == 3) {
			size_t from = rng((uint32_t)len), most = len - from;
			size_t piece = rng(60);

			piece = piece < most ? piece : most;
			memcpy(dst + n, src + from, piece);
			n += piece;
		}
	}
	return n;
}

/* Small buffers are many; large ones are what there is most often. */
static bool judge_text(
	const struct twice *t, const char *name, const char *text, size_t len, bool live)
{
	static struct twice_result result;
	const struct twice_way way = {
		.now_us = NOW_US,
		.live = live,
		.buffer_max = rng(3) > 0 ? 2000 : 65536,
		.choose = choose,
	};

	twice_read(t, &way, text, len, &result);
	if (result.differs)
		fprintf(stderr, "%s: %s", name, result.why);
	return !result.differs;
}

int main(int argc, char **argv)
{
	struct twice t;
	size_t n_texts = 0, n_bad = 0;
	uint64_t bytes = 0;

	if (argc < 5) {
		fputs("usage: prefilter CONFDIR SEED ROUNDS FILE...\n", stderr);
		return 2;
	}
	rng_state = strtoull(argv[2], NULL, 10);
	load(&t, argv[1]);
	for (long round = 0; round < strtol(argv[3], NULL, 10); round++) {
		for (int i = 4; i < argc; i++) {
			size_t len;
			char *text = read_file(argv[i], &len);
			char *mangled = need(malloc(3 * len + 1024));

			if (round > 0)
				len = mangle(mangled, text, len);
			n_bad += !judge_text(
				&t, argv[i], round > 0 ? mangled : text, len, round % 4 == 3);
			n_texts++;
			bytes += len;
			free(text);
			free(mangled);
		}
	}
	printf("%zu filters, %zu sets of date patterns, %zu texts, %llu bytes: %zu differ\n",
		t.plan.n_filters, t.plan.n_dates, n_texts, (unsigned long long)bytes, n_bad);
	return n_bad > 0;
}
