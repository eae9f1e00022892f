/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "twice/twice.h"

#include "match/dateinside.h"
#include "match/window.h"
#include "source/single.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STALE 3 /* buffers that may be taken up before those ahead of them are done */
#define PARTS 3 /* of a log, between which time passes */
#define SEED 1469598103934665603ULL

struct event {
	size_t filter;
	unsigned regex, n_lines;
	int64_t at_us;
	int64_t newest_us; /* of the lines so far, by those patterns */
	size_t off, len;
	uint64_t fields;     /* what was captured, as a number */
	uint64_t conclusion; /* what the filter makes of it */
};

/* One reading. */
struct reading {
	const struct twice *t;
	size_t which;
	const char *base; /* of the text at hand, which begins there in the log */
	size_t base_off;
	struct lines lines;
	struct event *all;
	size_t n, room;
	struct lines_count count;
	uint64_t n_off, sum_off, n_limits;
	int64_t *newest_us; /* by each set of patterns */
};

static void *need(void *p)
{
	if (p == NULL) {
		fputs("out of memory\n", stderr);
		exit(2);
	}
	return p;
}

static uint64_t hash(uint64_t h, const void *data, size_t len)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * 1099511628211ULL;
	return (h ^ len) * 1099511628211ULL;
}

static uint64_t hash_number(uint64_t h, uint64_t n)
{
	return hash(h, &n, sizeof(n));
}

/* None is not the same as an empty one. */
static uint64_t hash_text(uint64_t h, const char *text, size_t len)
{
	return hash_number(text != NULL ? hash(h, text, len) : h, text != NULL);
}

static uint64_t hash_fields(const struct fields *f)
{
	uint64_t h = SEED;

	for (uint64_t set = f->set; set != 0;) {
		size_t slot = fields_next(&set);

		h = hash_text(hash_number(h, slot), f->v[slot].text, f->v[slot].len);
	}
	return h;
}

static uint64_t hash_match(enum verdict v, const struct match *m)
{
	uint64_t h = hash_number(SEED, v);

	h = hash_text(h, m->host, m->host_len);
	h = hash_number(h, m->has_addr | m->is_name << 1 | m->is_id << 2 | m->in_session << 3);
	h = hash_number(h, (uint64_t)m->count << 32 | m->attempts);
	for (size_t i = 0; i < m->n_fields; i++)
		h = hash_text(h, m->fields[i].value, m->fields[i].len);
	for (size_t i = 0; i < m->n_users; i++)
		h = hash_text(h, m->users[i].value, m->users[i].len);
	return h;
}

static void on_dated(void *arg, size_t dates, int64_t at_us)
{
	struct reading *r = arg;

	if (at_us > r->newest_us[dates])
		r->newest_us[dates] = at_us;
}

static void on_found(
	void *arg, size_t filter, struct found *found, int64_t at_us, const char *line, size_t len)
{
	struct reading *r = arg;
	struct filter *judge = r->t->judges[r->which][filter];
	struct event *e;

	if (r->n == r->room) {
		r->room = r->room * 2 + 64;
		r->all = need(reallocarray(r->all, r->room, sizeof(r->all[0])));
	}
	on_dated(r, r->t->filters[filter].dates, at_us);
	e = &r->all[r->n++];
	*e = (struct event) {
		.filter = filter,
		.regex = found->regex,
		.n_lines = found->n_lines,
		.at_us = at_us,
		.newest_us = r->newest_us[r->t->filters[filter].dates],
		.off = (size_t)(line - r->base) + r->base_off,
		.len = len,
		.fields = hash_fields(&found->fields),
	};
	if (judge != NULL) {
		struct match m;
		enum verdict v = filter_conclude(judge, found, at_us, &m);

		filter_tell(judge, found, &m);
		e->conclusion = hash_match(v, &m);
	}
}

static void on_lost(void *arg, size_t filter, const struct filter_stats *stats)
{
	(void)filter;
	((struct reading *)arg)->n_limits += stats->limit_hits;
}

static void on_off(void *arg, int64_t off_us)
{
	struct reading *r = arg;

	r->n_off++;
	r->sum_off += (uint64_t)off_us;
}

void twice_init(struct twice *t, size_t max, size_t line_max)
{
	*t = (struct twice) {.plan.line_max = line_max};
	t->plan.filters = t->filters = need(calloc(max + 1, sizeof(t->filters[0])));
	t->names = need(calloc(max + 1, sizeof(t->names[0])));
	t->dates = need(calloc(max + 1, sizeof(t->dates[0])));
	for (size_t i = 0; i < 2; i++)
		t->judges[i] = need(calloc(max + 1, sizeof(t->judges[i][0])));
}

unsigned twice_add_dates(struct twice *t, const struct date_patterns *dates)
{
	t->dates[t->plan.n_dates] = dates;
	return (unsigned)t->plan.n_dates++;
}

void twice_add(struct twice *t, const char *name, const struct filter *f, unsigned dates,
	struct filter *first, struct filter *second)
{
	size_t n = t->plan.n_filters++;

	t->filters[n] = (struct batch_filter) {f, dates};
	t->names[n] = name;
	t->judges[0][n] = first;
	t->judges[1][n] = second;
}

void twice_ready(struct twice *t)
{
	const struct filter **list = need(calloc(t->plan.n_filters + 1, sizeof(list[0])));
	struct sieve *sieve;

	for (size_t i = 0; i < t->plan.n_filters; i++)
		list[i] = t->filters[i].filter;
	if (sieve_new(&sieve, list, t->plan.n_filters, NULL) < 0)
		need(NULL);
	t->blind = t->plan;
	t->plan.sieve = sieve;
	free(list);
}

void twice_done(struct twice *t)
{
	sieve_free((struct sieve *)t->plan.sieve);
	free(t->filters);
	free(t->names);
	free(t->dates);
	free(t->judges[0]);
	free(t->judges[1]);
}

static void begin(
	struct reading *r, const struct twice *t, const struct batch_plan *plan, const char *base)
{
	struct lines *l = &r->lines;

	*r = (struct reading) {.t = t, .which = plan == &t->plan, .base = base};
	l->plan = plan;
	l->dates = need(calloc(plan->n_dates + 1, sizeof(l->dates[0])));
	r->newest_us = need(calloc(plan->n_dates + 1, sizeof(r->newest_us[0])));
	l->windows = need(calloc(plan->n_filters + 1, sizeof(struct window *)));
	l->search = need(search_new());
	l->scratch = need(malloc(2 * plan->line_max));
	for (size_t i = 0; i < plan->n_dates; i++) {
		if (dating_init(&l->dates[i], t->dates[i]) < 0)
			need(NULL);
		if (r->which == 0)
			date_finder_plain(l->dates[i].finder);
	}
	for (size_t i = 0; i < plan->n_filters; i++) {
		unsigned maxlines = filter_maxlines(plan->filters[i].filter);

		if (maxlines > 1)
			l->windows[i] = need(window_new(maxlines));
		if (search_fit(l->search, plan->filters[i].filter) < 0)
			need(NULL);
	}
}

static void end(struct reading *r)
{
	struct lines *l = &r->lines;

	for (size_t i = 0; i < l->plan->n_dates; i++)
		dating_done(&l->dates[i]);
	for (size_t i = 0; i < l->plan->n_filters; i++)
		window_free(l->windows[i]);
	search_free(l->search);
	free(l->dates);
	free(l->windows);
	free(l->scratch);
	free(r->all);
	free(r->newest_us);
}

static struct lines_listener listener(struct reading *r)
{
	return (struct lines_listener) {
		.found = on_found, .lost = on_lost, .off = on_off, .dated = on_dated, .arg = r};
}

/* Line by line: a batch that failed says nothing. */
static void read_plainly(
	struct reading *r, const struct dating_clock *clock, const char *text, size_t len)
{
	const struct lines_listener to = listener(r);
	const struct batch none = {.failed = true};
	struct batch_dates *dates = need(calloc(r->lines.plan->n_dates + 1, sizeof(*dates)));

	lines_take(&r->lines, clock, &none, dates, text, len, &to, &r->count);
	free(dates);
}

/* Whole lines; the log's last may lack its newline. */
static size_t piece_len(const struct twice_way *way, const char *text, size_t len)
{
	size_t n = 1 + way->choose(way->arg, (uint32_t)way->buffer_max);
	const char *end = n < len ? memchr(text + n, '\n', len - n) : NULL;

	return end != NULL ? (size_t)(end - text) + 1 : len;
}

/* Now and then a line of a buffer may not be searched while it is looked at. */
static bool may_search(void *arg, size_t off)
{
	const struct twice_way *way = arg;

	(void)off;
	return way->choose(way->arg, 40) != 1;
}

static void searched(void *arg)
{
	(void)arg;
}

static void count_batch(const struct batch *b, struct twice_result *ret)
{
	ret->n_batches += !b->failed;
	for (size_t i = 0; !b->failed && i < b->n_lines; i++)
		ret->n_passed += b->lines[i].passed.n;
	ret->n_passed += b->failed ? 0 : b->rest.n;
}

static void run(struct batch_worker *w, struct batch *b, struct batch_dates *dates,
	const struct batch_span *span, const struct twice_way *way, const char *text, size_t len)
{
	const struct batch_watch watch = {may_search, searched, (void *)way};

	batch_run(w, b, dates, span, way->choose(way->arg, 4) == 1 ? &watch : NULL, text, len);
	if (way->choose(way->arg, 30) == 1)
		b->failed = true;
}

/* Lines that come one by one. */
static void read_singly(struct reading *r, struct sieve_scan *scan,
	const struct dating_clock *clock, const char *text, size_t len)
{
	const struct lines_listener to = listener(r);

	for (size_t at = 0; at < len;) {
		const char *end = memchr(text + at, '\n', len - at);
		size_t whole = end != NULL ? (size_t)(end - text) - at : len - at;
		struct single line = {.text = text + at, .len = whole};

		if (line.len > r->lines.plan->line_max)
			line.len = r->lines.plan->line_max;
		while (line.len > 0 && line.text[line.len - 1] == '\r')
			line.len--;
		single_take(&r->lines, clock, scan, &line, &to, &r->count);
		at += whole + 1;
	}
}

/* The log from there to there, in buffers of all sizes, some taken up before those ahead of them
 * were done. */
static void read_in_batches(struct reading *r, const struct twice_way *way,
	const struct dating_clock *clock, const char *text, size_t at, size_t len,
	struct twice_result *ret)
{
	const struct lines_listener to = listener(r);
	struct batch_worker *w = need(batch_worker_new(r->lines.plan));
	size_t n = r->lines.plan->n_dates;
	struct batch_dates *dates = need(calloc((n + 1) * STALE, sizeof(*dates)));
	struct batch_span span;
	struct batch batch = {0};

	r->lines.scan = batch_worker_scan(w);
	while (at < len) {
		size_t lens[STALE], ahead = 1 + way->choose(way->arg, STALE), from = at;

		/* As many are looked at with what is known now. */
		for (size_t k = 0; k < ahead; k++) {
			lens[k] = from < len ? piece_len(way, text + from, len - from) : 0;
			lines_habits(&r->lines, clock, &dates[k * n], &span);
			from += lens[k];
		}
		for (size_t k = 0; k < ahead && lens[k] > 0; k++) {
			/* Of its exact size, so that a step past its end is seen. */
			char *copy = memcpy(need(malloc(lens[k])), text + at, lens[k]);

			r->base = copy;
			r->base_off = at;
			if (way->choose(way->arg, 12) == 1) {
				read_singly(r, batch_worker_scan(w), clock, copy, lens[k]);
			} else {
				run(w, &batch, &dates[k * n], &span, way, copy, lens[k]);
				count_batch(&batch, ret);
				lines_take(&r->lines, clock, &batch, &dates[k * n], copy, lens[k],
					&to, &r->count);
			}
			at += lens[k];
			free(copy);
		}
	}
	r->lines.scan = NULL;
	batch_worker_free(w);
	batch_done(&batch);
	free(dates);
}

__attribute__((format(printf, 2, 3))) static void add_why(
	struct twice_result *ret, const char *format, ...)
{
	size_t at = strlen(ret->why);
	va_list args;

	va_start(args, format);
	vsnprintf(ret->why + at, sizeof(ret->why) - at, format, args);
	va_end(args);
	ret->differs = true;
}

static void show(struct twice_result *ret, const struct reading *r, const char *text,
	const char *what, size_t i)
{
	const struct event *e = &r->all[i];

	if (i >= r->n) {
		add_why(ret, "%s: nothing\n", what);
		return;
	}
	add_why(ret,
		"%s: %s, regex %u, lines %u, time %lld, latest %lld, fields %llx, makes %llx: %zu, "
		"%.*s\n",
		what, r->t->names[e->filter], e->regex, e->n_lines, (long long)e->at_us,
		(long long)e->newest_us, (unsigned long long)e->fields,
		(unsigned long long)e->conclusion, e->off, (int)(e->len < 300 ? e->len : 300),
		text + e->off);
}

static bool same_event(const struct event *a, const struct event *b)
{
	return a->filter == b->filter && a->regex == b->regex && a->n_lines == b->n_lines &&
	       a->at_us == b->at_us && a->newest_us == b->newest_us && a->off == b->off &&
	       a->len == b->len && a->fields == b->fields && a->conclusion == b->conclusion;
}

static bool has_window(const struct reading *r, const struct event *e)
{
	return filter_maxlines(r->t->filters[e->filter].filter) > 1;
}

/* A line that comes by itself is for filters in their order; in others those with windows wait. */
static void sort_events(struct reading *r)
{
	const struct batch_filter *filters = r->t->filters;

	for (size_t i = 1; i < r->n; i++) {
		struct event one = r->all[i];
		size_t at = i;

		for (; at > 0 && r->all[at - 1].off == one.off && !has_window(r, &one) &&
			has_window(r, &r->all[at - 1]) &&
			filters[r->all[at - 1].filter].dates == filters[one.filter].dates;
			at--)
			r->all[at] = r->all[at - 1];
		r->all[at] = one;
	}
}

static void compare_counts(
	const struct reading *a, const struct reading *b, struct twice_result *ret)
{
	if (a->count.lines == b->count.lines && a->count.undated == b->count.undated &&
		a->n_off == b->n_off && a->sum_off == b->sum_off)
		return;
	add_why(ret, "lines %llu %llu, undated %llu %llu, off %llu %llu\n",
		(unsigned long long)a->count.lines, (unsigned long long)b->count.lines,
		(unsigned long long)a->count.undated, (unsigned long long)b->count.undated,
		(unsigned long long)a->n_off, (unsigned long long)b->n_off);
}

/* What the log has left in finders and windows. */
static void compare_states(
	const struct reading *a, const struct reading *b, struct twice_result *ret)
{
	for (size_t i = 0; i < a->t->plan.n_dates; i++) {
		const struct dating *x = &a->lines.dates[i], *y = &b->lines.dates[i];

		if (x->last_time_us != y->last_time_us)
			add_why(ret, "dates %zu: last %lld %lld\n", i, (long long)x->last_time_us,
				(long long)y->last_time_us);
		if (a->newest_us[i] != b->newest_us[i])
			add_why(ret, "dates %zu: latest %lld %lld\n", i, (long long)a->newest_us[i],
				(long long)b->newest_us[i]);
		if (!date_finder_same(x->finder, y->finder))
			add_why(ret, "dates %zu: the finders differ\n", i);
	}
	for (size_t i = 0; i < a->t->plan.n_filters; i++) {
		struct span x, y;

		if (a->lines.windows[i] == NULL)
			continue;
		x = window_text(a->lines.windows[i]);
		y = window_text(b->lines.windows[i]);
		if (x.len != y.len || (x.len > 0 && memcmp(x.text, y.text, x.len) != 0))
			add_why(ret, "%s: the windows differ: %.*s<>%.*s\n", a->t->names[i],
				(int)(x.len < 300 ? x.len : 300), x.text,
				(int)(y.len < 300 ? y.len : 300), y.text);
	}
}

static void compare(const struct reading *a, const struct reading *b, const char *text,
	struct twice_result *ret)
{
	size_t n = a->n > b->n ? a->n : b->n;

	for (size_t i = 0; i < n; i++) {
		if (i < a->n && i < b->n && same_event(&a->all[i], &b->all[i]))
			continue;
		add_why(ret, "event %zu\n", i);
		show(ret, a, text, "line by line", i);
		show(ret, b, text, "in batches", i);
		return;
	}
	compare_counts(a, b, ret);
	compare_states(a, b, ret);
}

/* Whole lines of about that many bytes. */
static size_t part_len(const char *text, size_t len, size_t about)
{
	const char *end = about < len ? memchr(text + about, '\n', len - about) : NULL;

	return end != NULL ? (size_t)(end - text) + 1 : len;
}

void twice_read(const struct twice *t, const struct twice_way *way, const char *text, size_t len,
	struct twice_result *ret)
{
	struct dating_clock clock = {.live = way->live};
	const size_t parts = way->step_us > 0 ? PARTS : 1;
	struct reading plain, batched;

	*ret = (struct twice_result) {0};
	begin(&plain, t, &t->blind, text);
	begin(&batched, t, &t->plan, text);
	for (size_t part = 0, at = 0; part < parts && at < len; part++) {
		size_t n = part + 1 < parts ? part_len(text + at, len - at, len / parts) : len - at;

		clock.now_us = way->now_us - (int64_t)(parts - 1 - part) * way->step_us;
		read_plainly(&plain, &clock, text + at, n);
		read_in_batches(&batched, way, &clock, text, at, at + n, ret);
		at += n;
	}
	ret->n_found = plain.n;
	ret->n_lines = plain.count.lines;
	ret->n_limits = plain.n_limits + batched.n_limits;
	sort_events(&plain);
	sort_events(&batched);
	if (ret->n_limits == 0)
		compare(&plain, &batched, text, ret);
	end(&plain);
	end(&batched);
}
