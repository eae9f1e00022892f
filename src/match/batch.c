/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/batch.h"

#include "match/filter_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Different ways in which the sets of date patterns of one source may see its lines. */
#define HABITS_MAX 8
#define MISSES_MAX 24

/*
 * What is found in a byte of a log takes a fraction of this. Where it takes more, somebody writes
 * empty lines, and no faster way through them is worth the memory.
 */
#define A_BYTE 64
#define LEAST (256 * 1024)

/* Lines as one habit has them; several sets of patterns may share it. */
struct habit {
	const struct date_habit *habit;
	struct stamp stamp; /* of the line under way */
	int64_t newest_us;  /* of the lines so far */
	/* The line before held, and all that its date depended on were so many bytes of it. */
	const char *before;
	size_t reach;
};

struct batch_worker {
	const struct batch_plan *plan;
	struct search *search;
	struct sieve_scan *scan;
	struct habit habits[HABITS_MAX];
	size_t n_habits;
	uint8_t *habit_of;                          /* of each set of patterns; HABITS_MAX: none */
	const struct date_miss *misses[MISSES_MAX]; /* of the sets of patterns that have none */
	size_t n_misses;
	bool mark_all; /* one of those wants to see every line */
	char *line;    /* without its date, if that stood in the middle; line_max bytes and one */
	struct sieve_pick *everybody; /* when there is no sieve */
};

/* The buffer under way. */
struct run {
	struct batch_worker *w;
	struct batch *b;
	const struct batch_span *span;
	const struct batch_watch *watch; /* or NULL */
	const char *buf;
	size_t len;
	struct batch_passed passed; /* since the last line that was not */
	size_t next;                /* there are no picks for lines that end before */
};

void batch_done(struct batch *b)
{
	free(b->lines);
	free(b->founds);
	free(b->values);
	free(b->picks);
	free(b->text);
	free(b->stats);
	*b = (struct batch) {0};
}

/* Room for `more`, and some if that is 0; false when out of memory, which the batch remembers. */
static bool reserve(struct batch *b, void *list, size_t n, size_t *room, size_t more, size_t size)
{
	void **p = list, *larger;
	size_t want = n + more;

	if (want <= *room && *p != NULL)
		return true;
	want = want < 64 ? 64 : want + want / 2;
	larger = b->bytes + (want - *room) * size <= b->bytes_max ? reallocarray(*p, want, size)
								  : NULL;
	if (larger == NULL) {
		b->failed = true;
		return false;
	}
	b->bytes += (want - *room) * size;
	*p = larger;
	*room = want;
	return true;
}

#define RESERVE(b, what, more)                                                                     \
	reserve(b, &(b)->what, (b)->n_##what, &(b)->room_##what, more, sizeof((b)->what[0]))

static bool init_everybody(struct batch_worker *w)
{
	w->everybody = calloc(w->plan->n_filters + 1, sizeof(*w->everybody));
	for (size_t i = 0; w->everybody != NULL && i < w->plan->n_filters; i++)
		w->everybody[i].filter = i;
	return w->everybody != NULL;
}

struct batch_worker *batch_worker_new(const struct batch_plan *plan)
{
	struct batch_worker *w = calloc(1, sizeof(*w));
	int r = 0;

	if (w == NULL)
		return NULL;
	w->plan = plan;
	w->search = search_new();
	w->habit_of = calloc(plan->n_dates + 1, sizeof(*w->habit_of));
	w->line = malloc(plan->line_max + 1);
	if (plan->sieve != NULL)
		w->scan = sieve_scan_new(plan->sieve);
	if (w->search == NULL || w->habit_of == NULL || w->line == NULL || !init_everybody(w) ||
		(plan->sieve != NULL && w->scan == NULL))
		r = -ENOMEM;
	for (size_t i = 0; r == 0 && i < plan->n_filters; i++)
		r = search_fit(w->search, plan->filters[i].filter);
	if (r < 0) {
		batch_worker_free(w);
		return NULL;
	}
	return w;
}

void batch_worker_free(struct batch_worker *w)
{
	if (w == NULL)
		return;
	search_free(w->search);
	sieve_scan_free(w->scan);
	free(w->habit_of);
	free(w->line);
	free(w->everybody);
	free(w);
}

struct search *batch_worker_search(struct batch_worker *w)
{
	return w->search;
}

struct sieve_scan *batch_worker_scan(struct batch_worker *w)
{
	return w->scan;
}

static void learn_miss(struct batch_worker *w, const struct batch_dates *dates)
{
	size_t k = 0;

	while (dates->has_miss && k < w->n_misses && !date_miss_eq(w->misses[k], &dates->miss))
		k++;
	if (!dates->has_miss || k == MISSES_MAX)
		w->mark_all = true;
	else if (k == w->n_misses)
		w->misses[w->n_misses++] = &dates->miss;
}

/* False: there are more habits than anybody's lines have. */
static bool learn_habits(struct batch_worker *w, const struct batch_dates *dates)
{
	w->n_habits = w->n_misses = 0;
	w->mark_all = false;
	for (size_t i = 0; i < w->plan->n_dates; i++) {
		size_t k = 0;

		while (k < w->n_habits && dates[i].has_habit &&
			!date_habit_eq(w->habits[k].habit, &dates[i].habit))
			k++;
		if (!dates[i].has_habit) {
			k = HABITS_MAX;
			learn_miss(w, &dates[i]);
		} else if (k == HABITS_MAX) {
			return false;
		} else if (k == w->n_habits) {
			w->habits[w->n_habits++] = (struct habit) {.habit = &dates[i].habit};
		}
		w->habit_of[i] = (uint8_t)k;
	}
	return true;
}

static bool start(struct batch *b, const struct batch_plan *plan, size_t len)
{
	size_t stats = plan->n_filters * sizeof(b->stats[0]);

	b->n_lines = b->n_founds = b->n_values = b->n_picks = b->n_text = 0;
	b->rest = (struct batch_passed) {0};
	b->failed = false;
	b->bytes_max = LEAST + 2 * stats + (plan->a_byte > 0 ? plan->a_byte : A_BYTE) * len;
	if (!reserve(b, &b->stats, 0, &b->room_stats, plan->n_filters, sizeof(b->stats[0])))
		return false;
	memset(b->stats, 0, stats);
	return true;
}

/* Does the line look as the lines before it did, with a time that does not run back? */
static bool look_at_date(struct run *r, const char *line, size_t len)
{
	struct batch_worker *w = r->w;

	for (size_t i = 0; i < w->n_habits; i++) {
		struct habit *h = &w->habits[i];

		if (h->reach != 0 && len >= h->reach && memcmp(line, h->before, h->reach) == 0)
			continue;
		h->reach = 0;
		if (!date_habit_holds(h->habit, line, len, &h->stamp) ||
			h->stamp.time_us < h->newest_us || h->stamp.time_us < r->span->from_us ||
			h->stamp.time_us > r->span->to_us ||
			!sieve_holds(line, len, h->stamp.off, h->stamp.len))
			return false;
		h->newest_us = h->stamp.time_us;
		h->before = line;
		h->reach = date_habit_reach(h->habit, &h->stamp, len);
	}
	return true;
}

/* Might some set of patterns find a date in it though it has no habit? */
static bool may_have_date(const struct batch_worker *w, const char *line, size_t len)
{
	for (size_t i = 0; i < w->n_misses && !w->mark_all; i++)
		if (!date_miss_holds(w->misses[i], line, len))
			return true;
	return w->mark_all;
}

/* Gives the search the line as it is without its date. */
static bool begin_search(struct run *r, const struct stamp *cut, const char *line, size_t len)
{
	size_t after = cut->off + cut->len;
	bool newline_follows = line + len < r->buf + r->len && line[len] == '\n';
	char *joined = r->w->line;

	if (cut->off == 0)
		return search_begin(r->w->search, line + after, len - after, newline_follows);
	memcpy(joined, line, cut->off);
	memcpy(joined + cut->off, line + after, len - after);
	joined[len - cut->len] = '\n';
	return search_begin(r->w->search, joined, len - cut->len, true);
}

static bool add_value(struct run *r, size_t slot, struct span v)
{
	struct batch *b = r->b;
	struct batch_value value = {.slot = (uint16_t)slot, .len = (uint32_t)v.len};

	if (!RESERVE(b, values, 1))
		return false;
	if (v.len == 0) {
		/* It may stand behind the buffer; where it does is nothing to anybody. */
		value.off = 0;
	} else if (v.text >= r->buf && v.text < r->buf + r->len) {
		value.off = (uint32_t)(v.text - r->buf);
	} else {
		if (!RESERVE(b, text, v.len))
			return false;
		value.is_own = true;
		value.off = (uint32_t)b->n_text;
		memcpy(b->text + b->n_text, v.text, v.len);
		b->n_text += v.len;
	}
	b->values[b->n_values++] = value;
	return true;
}

static void add_found(struct run *r, size_t filter, const struct found *found, int64_t time_us)
{
	struct batch *b = r->b;
	uint64_t set = found->fields.set;
	struct batch_found *new;

	if (!RESERVE(b, founds, 1))
		return;
	new = &b->founds[b->n_founds++];
	*new = (struct batch_found) {
		.filter = (uint16_t)filter,
		.regex = (uint16_t)found->regex,
		.is_found = true,
		.first = (uint32_t)b->n_values,
		.time_us = time_us,
	};
	while (set != 0) {
		size_t slot = fields_next(&set);

		if (!add_value(r, slot, found->fields.v[slot]))
			return;
	}
	new->n = (uint32_t)(b->n_values - new->first);
}

/* A pick for whoever knows the line's date. */
static void add_pick(struct run *r, const struct sieve_pick *pick)
{
	struct batch *b = r->b;

	if (!RESERVE(b, founds, 1) || !RESERVE(b, picks, pick->rules.n))
		return;
	b->founds[b->n_founds++] = (struct batch_found) {
		.filter = (uint16_t)pick->filter,
		.first = (uint32_t)b->n_picks,
		.n = pick->rules.rules != NULL ? (uint32_t)pick->rules.n : UINT32_MAX,
	};
	if (pick->rules.n > 0)
		memcpy(b->picks + b->n_picks, pick->rules.rules,
			pick->rules.n * sizeof(b->picks[0]));
	b->n_picks += pick->rules.n;
}

/* The failregexes before the one that was found were tried in vain. */
static void tell_sieve(
	struct batch_worker *w, const struct sieve_pick *pick, const struct found *found)
{
	for (size_t i = 0; i < pick->rules.n && w->scan != NULL; i++) {
		uint16_t rule = pick->rules.rules[i];
		bool was_found = found->verdict == VERDICT_MATCH && found->regex == rule;

		sieve_learn(w->scan, pick->filter, rule, was_found);
		if (was_found)
			return;
	}
}

static bool is_for(const struct run *r, const char *line, size_t filter)
{
	const struct batch_watch *watch = r->watch;

	return watch == NULL || watch->is_for == NULL ||
	       watch->is_for(watch->arg, (size_t)(line - r->buf), filter);
}

/* Tries the failregexes that the line may be found by. */
static void try_picks(struct run *r, const struct sieve_pick *picks, size_t n, bool is_odd,
	const char *line, size_t len)
{
	struct batch_worker *w = r->w;
	size_t begun = HABITS_MAX;
	struct found found;

	for (size_t i = 0; i < n && !r->b->failed; i++) {
		const struct batch_filter *bf = &w->plan->filters[picks[i].filter];
		size_t k = w->habit_of[bf->dates];

		if (!is_for(r, line, picks[i].filter))
			continue;
		/* A window is for whoever has it to look through. */
		if (is_odd || k == HABITS_MAX || filter_maxlines(bf->filter) > 1) {
			add_pick(r, &picks[i]);
			continue;
		}
		if (begun != k && !begin_search(r, &w->habits[k].stamp, line, len)) {
			r->b->failed = true;
			return;
		}
		begun = k;
		search_run(w->search, bf->filter, NULL,
			picks[i].rules.rules != NULL ? &picks[i].rules : NULL, &found);
		search_take_stats(w->search, &r->b->stats[picks[i].filter]);
		tell_sieve(w, &picks[i], &found);
		if (found.verdict == VERDICT_MATCH)
			add_found(r, picks[i].filter, &found, w->habits[k].stamp.time_us);
	}
}

/* Puts a line's founds in order of their sets of patterns. Are all of them found? */
static bool sort_founds(struct run *r, size_t first)
{
	const struct batch_filter *filters = r->w->plan->filters;
	struct batch_found *all = r->b->founds;
	bool found = true;

	for (size_t i = first; i < r->b->n_founds; i++) {
		struct batch_found one = all[i];
		size_t at = i;

		for (; at > first && filters[all[at - 1].filter].dates > filters[one.filter].dates;
			at--)
			all[at] = all[at - 1];
		all[at] = one;
		found &= one.is_found;
	}
	return found;
}

static void pass(struct run *r, size_t off)
{
	if (r->passed.n++ == 0)
		r->passed.first = (uint32_t)off;
	r->passed.last = (uint32_t)off;
}

static void look_at_line(struct run *r, size_t off, size_t len)
{
	struct batch_worker *w = r->w;
	const char *line = r->buf + off;
	const struct sieve_pick *picks = w->everybody;
	bool is_odd = !look_at_date(r, line, len), is_plain;
	size_t first = r->b->n_founds;
	size_t n = w->plan->n_filters;

	if (w->scan != NULL) {
		n = 0;
		if (off + len >= r->next) {
			n = sieve_line(w->scan, off, len, &picks);
			r->next = sieve_next(w->scan);
		}
	}
	if (n > 0 && r->watch != NULL && r->watch->may_search != NULL &&
		!r->watch->may_search(r->watch->arg, off))
		is_odd = true;
	if (n > 0)
		try_picks(r, picks, n, is_odd, line, len);
	if (n > 0 && r->watch != NULL && r->watch->searched != NULL)
		r->watch->searched(r->watch->arg);
	is_plain = !is_odd && !may_have_date(w, line, len);
	if (is_plain && r->b->n_founds == first) {
		pass(r, off);
		return;
	}
	if (!RESERVE(r->b, lines, 1))
		return;
	is_plain &= sort_founds(r, first);
	r->b->lines[r->b->n_lines++] = (struct batch_line) {
		.off = (uint32_t)off,
		.len = (uint32_t)len,
		.passed = r->passed,
		.is_odd = is_odd,
		.is_plain = is_plain,
		.first = (uint32_t)first,
		.n = (uint32_t)(r->b->n_founds - first),
	};
	r->passed = (struct batch_passed) {0};
}

void batch_run(struct batch_worker *w, struct batch *b, const struct batch_dates *dates,
	const struct batch_span *span, const struct batch_watch *watch, const char *buf, size_t len)
{
	struct run r = {.w = w, .b = b, .span = span, .watch = watch, .buf = buf, .len = len};

	b->failed = !start(b, w->plan, len) || !learn_habits(w, dates);
	if (!b->failed && w->scan != NULL) {
		sieve_begin(w->scan, buf, len);
		r.next = sieve_next(w->scan);
	}
	for (size_t off = 0; off < len && !b->failed;) {
		const char *end = memchr(buf + off, '\n', len - off);
		size_t whole = end != NULL ? (size_t)(end - buf) - off : len - off;
		size_t judged = whole < w->plan->line_max ? whole : w->plan->line_max;

		while (judged > 0 && buf[off + judged - 1] == '\r')
			judged--;
		look_at_line(&r, off, judged);
		off += whole + 1;
	}
	b->rest = r.passed;
	/* What was noted so far helps nobody, and the next may need its memory for other lists. */
	if (b->failed) {
		batch_done(b);
		b->failed = true;
	}
}

void batch_get(const struct batch *b, const struct filter *f, const struct batch_found *found,
	const char *buf, struct found *ret)
{
	ret->verdict = VERDICT_MATCH;
	ret->regex = found->regex;
	ret->n_lines = 1;
	fields_clear(&ret->fields, f->names.n);
	for (uint32_t i = 0; i < found->n; i++) {
		const struct batch_value *v = &b->values[found->first + i];

		fields_put(&ret->fields, v->slot,
			(struct span) {(v->is_own ? b->text : buf) + v->off, v->len});
	}
}

bool batch_pick(const struct batch *b, const struct batch_found *found, struct search_pick *ret)
{
	if (found->n == UINT32_MAX)
		return false;
	*ret = (struct search_pick) {b->picks + found->first, found->n};
	return true;
}
