/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * prefilter CONFDIR SEED ROUNDS FILE...: has all filters of a configuration judge logs twice, line
 * by line with every regex tried and every date looked for, and in buffers by way of the sieve and
 * the dates' habits, and compares what is found, where, when, and what the finders have learnt. The
 * first round takes the logs as they are, others mangle them.
 */
#include "base/clock.h"
#include "base/hash.h"
#include "config/ruleset.h"
#include "match/window.h"
#include "source/lines.h"
#include "source/single.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX 65536
#define STALE 3 /* buffers that may be taken up before those ahead of them are done */
#define NOW_US (1795159800LL * USEC_PER_SEC) /* 2026-11-20 07:30:00 UTC */

struct event {
	size_t filter;
	unsigned regex;
	int64_t at_us;
	int64_t newest_us; /* of the lines so far, by those patterns */
	size_t off, len;
	uint64_t fields; /* what was captured, as a number */
};

struct events {
	struct event *all;
	size_t n, room;
	struct lines_count count;
	uint64_t n_off, n_limits;
	int64_t *newest_us; /* by each set of patterns */
};

struct readers {
	struct batch_plan plan, blind; /* with and without the sieve */
	struct batch_filter *filters;
	struct field_names *names;
	const struct date_patterns **dates;
	const char **jails;
	const char *base; /* of the text that events are of */
	struct events *events;
};

static uint64_t rng_state;

static uint32_t rng(uint32_t n)
{
	rng_state = rng_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)((rng_state >> 33) % (n > 0 ? n : 1));
}

static void *need(void *p)
{
	if (p == NULL) {
		fputs("out of memory\n", stderr);
		exit(2);
	}
	return p;
}

static void on_dated(void *arg, size_t dates, int64_t at_us)
{
	struct events *e = ((struct readers *)arg)->events;

	if (at_us > e->newest_us[dates])
		e->newest_us[dates] = at_us;
}

static void on_found(
	void *arg, size_t filter, struct found *found, int64_t at_us, const char *line, size_t len)
{
	struct readers *r = arg;
	struct events *e = r->events;
	uint64_t h = 1469598103934665603ULL;

	if (e->n == e->room) {
		e->room = e->room * 2 + 1024;
		e->all = need(reallocarray(e->all, e->room, sizeof(e->all[0])));
	}
	on_dated(r, r->plan.filters[filter].dates, at_us);
	for (size_t i = 0; i < FIELDS_KNOWN; i++) {
		const struct span v = found->fields.v[i];

		h = (h ^ (v.text != NULL ? v.len + 1 : 0)) * 1099511628211ULL;
		for (size_t k = 0; v.text != NULL && k < v.len; k++)
			h = (h ^ (unsigned char)v.text[k]) * 1099511628211ULL;
	}
	e->all[e->n++] = (struct event) {
		.filter = filter,
		.regex = found->regex,
		.at_us = at_us,
		.newest_us = e->newest_us[r->plan.filters[filter].dates],
		.off = (size_t)(line - r->base),
		.len = len,
		.fields = h,
	};
}

static void on_lost(void *arg, size_t filter, const struct filter_stats *stats)
{
	(void)filter;
	((struct readers *)arg)->events->n_limits += stats->limit_hits;
}

static void on_off(void *arg, int64_t off_us)
{
	(void)off_us;
	((struct readers *)arg)->events->n_off++;
}

static void add_jail(struct readers *r, const struct jail *j)
{
	struct faults f = {0};
	struct filter *filter = NULL;
	struct date_patterns *dates = NULL;
	size_t n = r->plan.n_filters;

	if (filter_new(&filter, j->filter, &f) == 0 &&
		date_patterns_new(&dates, &j->filter->datepattern, &j->logtimezone, &f) == 0) {
		r->filters[n] = (struct batch_filter) {filter, (unsigned)r->plan.n_dates};
		/* Sets of patterns are not shared here: those that say the same must agree. */
		if (n > 0 && rng(2) == 0 && r->plan.n_dates > 0 &&
			j->filter->datepattern.text == NULL) {
			r->filters[n].dates = 0;
			date_patterns_free(dates);
		} else {
			r->dates[r->plan.n_dates++] = dates;
		}
		r->jails[n] = j->name;
		r->plan.n_filters++;
	}
	faults_done(&f);
}

static void load(struct readers *r, const char *dir)
{
	struct faults f = {0};
	struct ruleset *rs = NULL;
	const struct filter **list;
	struct sieve *sieve = NULL;
	size_t n;

	if (ruleset_check(&rs, dir, &f) < 0)
		exit(2);
	n = rs->n_jails + rs->n_disabled + 1;
	r->filters = need(calloc(n, sizeof(r->filters[0])));
	r->dates = need(calloc(n, sizeof(r->dates[0])));
	r->jails = need(calloc(n, sizeof(r->jails[0])));
	for (size_t i = 0; i < rs->n_jails; i++)
		add_jail(r, &rs->jails[i]);
	for (size_t i = 0; i < rs->n_disabled; i++)
		add_jail(r, &rs->disabled[i]);
	list = need(calloc(n, sizeof(list[0])));
	for (size_t i = 0; i < r->plan.n_filters; i++)
		list[i] = r->filters[i].filter;
	if (sieve_new(&sieve, list, r->plan.n_filters, NULL) < 0)
		exit(2);
	r->plan.filters = r->filters;
	r->plan.line_max = LINE_MAX;
	r->blind = r->plan;
	r->plan.sieve = sieve;
	free(list);
	faults_done(&f);
}

/* One reading of a text. */
static void lines_init(struct lines *l, const struct readers *r, const struct batch_plan *plan)
{
	*l = (struct lines) {.plan = plan};
	l->dates = need(calloc(plan->n_dates + 1, sizeof(l->dates[0])));
	l->windows = need(calloc(plan->n_filters + 1, sizeof(struct window *)));
	l->search = need(search_new());
	l->scratch = need(malloc(LINE_MAX));
	for (size_t i = 0; i < plan->n_dates; i++)
		if (dating_init(&l->dates[i], r->dates[i]) < 0)
			exit(2);
	for (size_t i = 0; i < plan->n_filters; i++) {
		unsigned maxlines = filter_maxlines(plan->filters[i].filter);

		if (maxlines > 1)
			l->windows[i] = need(window_new(maxlines));
		if (search_fit(l->search, plan->filters[i].filter) < 0)
			exit(2);
	}
}

static void lines_done(struct lines *l)
{
	for (size_t i = 0; i < l->plan->n_dates; i++)
		dating_done(&l->dates[i]);
	for (size_t i = 0; i < l->plan->n_filters; i++)
		window_free(l->windows[i]);
	search_free(l->search);
	free(l->dates);
	free(l->windows);
	free(l->scratch);
}

/* Line by line: a batch that failed says nothing. */
static void read_plainly(struct readers *r, struct lines *l, const char *text, size_t len,
	const struct dating_clock *clock, const struct lines_listener *to)
{
	const struct batch none = {.failed = true};
	struct batch_dates *dates = need(calloc(l->plan->n_dates + 1, sizeof(*dates)));

	lines_take(l, clock, &none, dates, text, len, to, &r->events->count);
	free(dates);
}

static size_t piece_len(const char *text, size_t len)
{
	size_t n = 1 + (rng(3) > 0 ? rng(2000) : rng(65536));
	const char *end = n < len ? memchr(text + n, '\n', len - n) : NULL;

	return end != NULL ? (size_t)(end - text) + 1 : len;
}

/* Lines that come one by one. */
static void read_singly(struct readers *r, struct lines *l, struct sieve_scan *scan,
	const char *text, size_t len, const struct dating_clock *clock,
	const struct lines_listener *to)
{
	for (size_t at = 0; at < len;) {
		const char *end = memchr(text + at, '\n', len - at);
		size_t whole = end != NULL ? (size_t)(end - text) - at : len - at;
		struct single line = {.text = text + at, .len = whole};

		if (line.len > LINE_MAX)
			line.len = LINE_MAX;
		while (line.len > 0 && line.text[line.len - 1] == '\r')
			line.len--;
		single_take(l, clock, scan, &line, to, &r->events->count);
		at += whole + 1;
	}
}

/* In buffers of all sizes, some taken up before those ahead of them were done. */
static void read_in_batches(struct readers *r, struct lines *l, const char *text, size_t len,
	const struct dating_clock *clock, const struct lines_listener *to)
{
	struct batch_worker *w = need(batch_worker_new(l->plan));
	size_t n = l->plan->n_dates, at = 0;
	struct batch_dates *dates = need(calloc((n + 1) * STALE, sizeof(*dates)));
	struct batch_span span;
	struct batch batch = {0};

	while (at < len) {
		size_t lens[STALE], ahead = 1 + rng(STALE), from = at;

		/* As many are looked at with what is known now. */
		for (size_t k = 0; k < ahead; k++) {
			lens[k] = from < len ? piece_len(text + from, len - from) : 0;
			lines_habits(l, clock, &dates[k * n], &span);
			from += lens[k];
		}
		for (size_t k = 0; k < ahead && lens[k] > 0; at += lens[k++]) {
			if (rng(8) == 0) {
				read_singly(
					r, l, batch_worker_scan(w), text + at, lens[k], clock, to);
				continue;
			}
			batch_run(w, &batch, &dates[k * n], &span, NULL, text + at, lens[k]);
			lines_take(l, clock, &batch, &dates[k * n], text + at, lens[k], to,
				&r->events->count);
		}
	}
	batch_worker_free(w);
	batch_done(&batch);
	free(dates);
}

static void show(const struct readers *r, const char *what, const struct events *e, size_t i)
{
	const struct event *x = &e->all[i];

	if (i >= e->n) {
		fprintf(stderr, "%s: nothing\n", what);
		return;
	}
	fprintf(stderr, "%s: jail %s, regex %u, time %lld, latest %lld, fields %llx: %.*s\n", what,
		r->jails[x->filter], x->regex, (long long)x->at_us, (long long)x->newest_us,
		(unsigned long long)x->fields, (int)(x->len < 300 ? x->len : 300),
		r->base + x->off);
}

static bool same_finder(const struct dating *a, const struct dating *b)
{
	if (a->last_time_us != b->last_time_us)
		return false;
	for (size_t i = 0; i < date_finder_count(a->finder); i++) {
		struct date_usage x = date_finder_usage(a->finder, i),
				  y = date_finder_usage(b->finder, i);

		if (x.hits != y.hits || x.distance != y.distance || x.used_us != y.used_us ||
			strcmp(x.regex, y.regex) != 0)
			return false;
	}
	return true;
}

static bool compare(const struct readers *r, const char *name, const struct events *a,
	const struct events *b, const struct lines *la, const struct lines *lb)
{
	size_t n = a->n > b->n ? a->n : b->n;

	for (size_t i = 0; i < n; i++) {
		if (i < a->n && i < b->n && memcmp(&a->all[i], &b->all[i], sizeof(a->all[i])) == 0)
			continue;
		fprintf(stderr, "%s: event %zu differs\n", name, i);
		show(r, "line by line", a, i);
		show(r, "in batches", b, i);
		return false;
	}
	if (a->count.lines != b->count.lines || a->count.undated != b->count.undated ||
		a->n_off != b->n_off) {
		fprintf(stderr, "%s: lines %llu %llu, undated %llu %llu, off %llu %llu\n", name,
			(unsigned long long)a->count.lines, (unsigned long long)b->count.lines,
			(unsigned long long)a->count.undated, (unsigned long long)b->count.undated,
			(unsigned long long)a->n_off, (unsigned long long)b->n_off);
		return false;
	}
	if (memcmp(a->newest_us, b->newest_us, r->plan.n_dates * sizeof(a->newest_us[0])) != 0) {
		fprintf(stderr, "%s: the latest times differ\n", name);
		return false;
	}
	for (size_t i = 0; i < r->plan.n_dates; i++) {
		if (!same_finder(&la->dates[i], &lb->dates[i])) {
			fprintf(stderr, "%s: the finders for dates %zu differ\n", name, i);
			return false;
		}
	}
	return true;
}

static bool judge_text(struct readers *r, const char *name, const char *text, size_t len, bool live)
{
	const struct dating_clock clock = {.now_us = NOW_US, .live = live};
	const struct lines_listener to = {
		.found = on_found, .lost = on_lost, .off = on_off, .dated = on_dated, .arg = r};
	struct events plain = {0}, batched = {0};
	struct lines lp, lb;
	bool same;

	r->base = text;
	plain.newest_us = need(calloc(r->plan.n_dates + 1, sizeof(int64_t)));
	batched.newest_us = need(calloc(r->plan.n_dates + 1, sizeof(int64_t)));
	lines_init(&lp, r, &r->blind);
	lines_init(&lb, r, &r->plan);
	r->events = &plain;
	read_plainly(r, &lp, text, len, &clock, &to);
	r->events = &batched;
	read_in_batches(r, &lb, text, len, &clock, &to);
	same = compare(r, name, &plain, &batched, &lp, &lb);
	lines_done(&lp);
	lines_done(&lb);
	free(plain.all);
	free(batched.all);
	free(plain.newest_us);
	free(batched.newest_us);
	return same;
}

static char *read_file(const char *path, size_t *ret_len)
{
	FILE *f = fopen(path, "r");
	char *text = need(malloc(4 << 20));

	*ret_len = f != NULL ? fread(text, 1, 4 << 20, f) : 0;
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

int main(int argc, char **argv)
{
	struct readers r = {0};
	size_t n_texts = 0, n_bad = 0;
	uint64_t bytes = 0;

	if (argc < 5) {
		fputs("usage: prefilter CONFDIR SEED ROUNDS FILE...\n", stderr);
		return 2;
	}
	rng_state = strtoull(argv[2], NULL, 10);
	load(&r, argv[1]);
	for (long round = 0; round < strtol(argv[3], NULL, 10); round++) {
		for (int i = 4; i < argc; i++) {
			size_t len;
			char *text = read_file(argv[i], &len);
			char *mangled = need(malloc(3 * len + 1024));

			if (round > 0)
				len = mangle(mangled, text, len);
			n_bad += !judge_text(
				&r, argv[i], round > 0 ? mangled : text, len, round % 4 == 3);
			n_texts++;
			bytes += len;
			free(text);
			free(mangled);
		}
	}
	printf("%zu filters, %zu sets of date patterns, %zu texts, %llu bytes: %zu differ\n",
		r.plan.n_filters, r.plan.n_dates, n_texts, (unsigned long long)bytes, n_bad);
	return n_bad > 0;
}
