/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/lines.h"

#include "base/clock.h"

#include <string.h>

/* Lines one after the other whose dates are as usual; none: n is 0. */
struct stretch {
	uint64_t n;
	size_t first, last;
};

/* A buffer under way. */
struct run {
	struct lines *l;
	const struct dating_clock *clock;
	const struct batch *b;
	const struct batch_dates *dates;
	const char *buf;
	size_t len;
	const struct lines_listener *to;
	struct lines_count *count;
	struct stretch stretch;
};

void lines_habits(const struct lines *l, const struct dating_clock *clock,
	struct batch_dates *ret_dates, struct batch_span *ret_span)
{
	/* What carries the lines has a say in when they were written. */
	bool is_carried = clock->carried_us != 0;

	for (size_t i = 0; i < l->plan->n_dates; i++)
		ret_dates[i].has_habit = !is_carried && date_finder_habit(l->dates[i].finder,
								clock->now_us, &ret_dates[i].habit);
	/* Every line goes into a window. */
	for (size_t i = 0; i < l->plan->n_filters; i++)
		if (filter_maxlines(l->plan->filters[i].filter) > 1)
			ret_dates[l->plan->filters[i].dates].has_habit = false;
	dating_plain(clock, &ret_span->from_us, &ret_span->to_us);
}

/* The line that begins there, as it is judged. */
static size_t line_at(const struct run *r, size_t off)
{
	const char *end = memchr(r->buf + off, '\n', r->len - off);
	size_t len = end != NULL ? (size_t)(end - r->buf) - off : r->len - off;

	if (len > r->l->plan->line_max)
		len = r->l->plan->line_max;
	while (len > 0 && r->buf[off + len - 1] == '\r')
		len--;
	return len;
}

/* Where the line after the one that begins there begins. */
static size_t after_line(const struct run *r, size_t off)
{
	const char *end = memchr(r->buf + off, '\n', r->len - off);

	return end != NULL ? (size_t)(end - r->buf) + 1 : r->len;
}

/* Are the finders still as the batch knew them, and is that line in order for each? */
static bool may_begin(const struct run *r, size_t first)
{
	size_t len = line_at(r, first);

	for (size_t i = 0; i < r->l->plan->n_dates; i++) {
		const struct dating *d = &r->l->dates[i];
		struct date_habit now;
		struct stamp stamp;

		if (!r->dates[i].has_habit)
			continue;
		if (!date_finder_habit(d->finder, r->clock->now_us, &now) ||
			!date_habit_eq(&now, &r->dates[i].habit) ||
			!date_habit_holds(&now, r->buf + first, len, &stamp) ||
			stamp.time_us < d->last_time_us)
			return false;
	}
	return true;
}

/* n lines with usual dates; false when they may not be taken as such. */
static bool go_on(struct run *r, uint64_t n, size_t first, size_t last)
{
	if (r->stretch.n == 0) {
		if (!may_begin(r, first))
			return false;
		r->stretch.first = first;
	}
	r->stretch.n += n;
	r->stretch.last = last;
	return true;
}

/* The finders learn of the lines that were passed over. */
static void end_stretch(struct run *r)
{
	const struct stretch *s = &r->stretch;

	if (s->n == 0)
		return;
	for (size_t i = 0; i < r->l->plan->n_dates; i++) {
		struct dating *d = &r->l->dates[i];
		struct stamp stamp;

		if (!r->dates[i].has_habit)
			continue;
		if (date_pass(d->finder, s->n, r->buf + s->last, line_at(r, s->last),
			    r->clock->now_us, &stamp) == DATE_FOUND)
			d->last_time_us = stamp.time_us;
	}
	r->stretch.n = 0;
}

static void tell(
	struct run *r, size_t filter, struct found *found, int64_t at_us, size_t off, size_t len)
{
	if (found->verdict == VERDICT_MATCH)
		r->to->found(r->to->arg, filter, found, at_us, r->buf + off, len);
}

/* What the batch says of that filter: NULL for nothing. */
static const struct batch_found *told_of(
	const struct run *r, const struct batch_line *line, size_t filter)
{
	for (uint32_t i = 0; line != NULL && i < line->n; i++)
		if (r->b->founds[line->first + i].filter == filter)
			return &r->b->founds[line->first + i];
	return NULL;
}

/* One filter's search, which the batch has not done. */
static void search_for(struct run *r, size_t filter, const struct search_pick *pick, int64_t at_us,
	size_t off, size_t len)
{
	const struct filter *f = r->l->plan->filters[filter].filter;
	struct window *w = filter_maxlines(f) > 1 ? r->l->windows[filter] : NULL;
	struct filter_stats lost = {0};
	struct found found;

	search_run(r->l->search, f, w, pick, &found);
	search_take_stats(r->l->search, &lost);
	r->to->lost(r->to->arg, filter, &lost);
	tell(r, filter, &found, at_us, off, len);
}

/*
 * Searches a line for the filters of one set of patterns. What the batch says of it holds where the
 * line's words are those of the text to be searched.
 */
static void search_line(struct run *r, const struct batch_line *line, size_t off, size_t len,
	size_t dates, const struct dated_line *d)
{
	const struct batch_plan *plan = r->l->plan;
	bool holds = line != NULL && sieve_holds(r->buf + off, len, d->cut_off, len - d->len);
	bool is_begun = false;

	for (size_t i = 0; i < plan->n_filters; i++) {
		const struct batch_filter *f = &plan->filters[i];
		bool is_told = holds && filter_maxlines(f->filter) == 1;
		const struct batch_found *told = is_told ? told_of(r, line, i) : NULL;
		struct search_pick pick;

		if (f->dates != dates || (is_told && told == NULL))
			continue;
		if (!is_begun && !search_begin(r->l->search, d->text, d->len, false))
			return;
		is_begun = true;
		search_for(r, i, told != NULL && batch_pick(r->b, told, &pick) ? &pick : NULL,
			d->at_us, off, len);
	}
}

/* Tells what the batch has found in a line for one set of patterns. */
static void tell_line(struct run *r, const struct batch_line *line, size_t dates)
{
	const struct batch_plan *plan = r->l->plan;
	struct found found;

	for (uint32_t i = 0; i < line->n; i++) {
		const struct batch_found *told = &r->b->founds[line->first + i];
		const struct batch_filter *f = &plan->filters[told->filter];

		if (f->dates != dates)
			continue;
		batch_get(r->b, f->filter, told, r->buf, &found);
		tell(r, told->filter, &found, told->time_us, line->off, line->len);
	}
}

/*
 * A line for itself; NULL: the batch says nothing of it. is_usual: where there is a habit it holds,
 * and what the batch has found is all. Returns whether anybody found a date in it.
 */
static bool look_at_line(
	struct run *r, const struct batch_line *line, size_t off, size_t len, bool is_usual)
{
	bool is_dated = false;

	for (size_t i = 0; i < r->l->plan->n_dates; i++) {
		struct dated_line d;

		if (is_usual && r->dates[i].has_habit) {
			tell_line(r, line, i);
			is_dated = true;
			continue;
		}
		dating_line(&r->l->dates[i], r->clock, r->buf + off, len, r->l->scratch, &d);
		if (d.off_us != 0)
			r->to->off(r->to->arg, d.off_us);
		is_dated |= d.is_dated;
		search_line(r, line, off, len, i, &d);
	}
	return is_dated;
}

static void take_line(
	struct run *r, const struct batch_line *line, size_t off, size_t len, bool is_usual)
{
	r->count->lines++;
	if (r->to->begin != NULL && !r->to->begin(r->to->arg, off))
		return;
	r->count->undated += !look_at_line(r, line, off, len, is_usual);
	if (r->to->end != NULL)
		r->to->end(r->to->arg);
}

/* Each line from there to the end by itself: the batch knew less than it had to. */
static void walk(struct run *r, size_t off)
{
	end_stretch(r);
	for (; off < r->len; off = after_line(r, off))
		take_line(r, NULL, off, line_at(r, off), false);
}

/* The lines before one in the list, and that one. False: from *ret_off on all is to be done anew.
 */
static bool take_listed(struct run *r, const struct batch_line *line, size_t *ret_off)
{
	const struct batch_passed *p = &line->passed;

	*ret_off = p->first;
	if (p->n > 0 && !go_on(r, p->n, p->first, p->last))
		return false;
	r->count->lines += p->n;
	*ret_off = line->off;
	if (line->is_odd)
		end_stretch(r);
	else if (!go_on(r, 1, line->off, line->off))
		return false;
	take_line(r, line, line->off, line->len, !line->is_odd);
	return true;
}

static void take_all(struct run *r)
{
	const struct batch_passed *rest = &r->b->rest;
	size_t off = 0;

	for (size_t i = 0; i < r->b->n_lines; i++) {
		if (!take_listed(r, &r->b->lines[i], &off)) {
			walk(r, off);
			return;
		}
	}
	if (rest->n > 0 && !go_on(r, rest->n, rest->first, rest->last)) {
		walk(r, rest->first);
		return;
	}
	r->count->lines += rest->n;
	end_stretch(r);
}

void lines_take(struct lines *l, const struct dating_clock *clock, const struct batch *b,
	const struct batch_dates *dates, const char *buf, size_t len,
	const struct lines_listener *to, struct lines_count *count)
{
	struct run r = {.l = l,
		.clock = clock,
		.b = b,
		.dates = dates,
		.buf = buf,
		.len = len,
		.to = to,
		.count = count};

	if (b->failed)
		walk(&r, 0);
	else
		take_all(&r);
	for (size_t i = 0; !b->failed && i < l->plan->n_filters; i++)
		to->lost(to->arg, i, &b->stats[i]);
}
