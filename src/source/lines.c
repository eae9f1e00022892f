/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/lines.h"

#include "base/clock.h"
#include "match/window.h"

#include <string.h>

#define WINDOWS_MAX 16 /* filters with a window that are known by a list */

/* Lines one after the other whose dates are as usual; none: n is 0. */
struct stretch {
	uint64_t n;
	size_t last; /* where it begins */
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
	struct sieve_scan *scan; /* NULL: the batch says all, or nobody knows */
	size_t scanned, n_picks; /* where that began; what it says of the line under way */
	const struct sieve_pick *picks;
	size_t n_habits;                /* sets of patterns that have one */
	uint16_t windowed[WINDOWS_MAX]; /* filters that have a window, in order of their dates */
	size_t n_windowed;              /* all of them */
};

void lines_habits(const struct lines *l, const struct dating_clock *clock,
	struct batch_dates *ret_dates, struct batch_span *ret_span)
{
	/* What carries the lines has a say in when they were written. */
	bool is_carried = clock->carried_us != 0;

	for (size_t i = 0; i < l->plan->n_dates; i++) {
		const struct date_finder *f = l->dates[i].finder;
		struct batch_dates *d = &ret_dates[i];

		d->has_habit = !is_carried && date_finder_habit(f, clock->now_us, &d->habit);
		d->has_miss = !is_carried && !d->has_habit && date_finder_miss(f, &d->miss);
	}
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
	if (r->stretch.n == 0 && !may_begin(r, first))
		return false;
	r->stretch.n += n;
	r->stretch.last = last;
	return true;
}

static void tell_date(const struct run *r, size_t dates, int64_t at_us)
{
	if (r->to->dated != NULL)
		r->to->dated(r->to->arg, dates, at_us);
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
			    r->clock->now_us, &stamp) != DATE_FOUND)
			continue;
		d->last_time_us = stamp.time_us;
		tell_date(r, i, stamp.time_us);
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

/* One filter's search, which the batch has not done; false: nothing was found. */
static bool search_for(struct run *r, size_t filter, const struct search_pick *pick, int64_t at_us,
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
	return found.verdict != VERDICT_MISS;
}

/*
 * Searches a line for the filters of one set of patterns. What the batch or the sieve says of it
 * holds where the line's words are those of the text to be searched.
 */
static void search_line(struct run *r, const struct batch_line *line, size_t off, size_t len,
	size_t dates, const struct dated_line *d)
{
	const struct batch_plan *plan = r->l->plan;
	bool is_known = (line != NULL || r->scan != NULL) &&
			sieve_holds(r->buf + off, len, d->cut_off, len - d->len);
	bool holds = is_known && line != NULL, is_sieved = is_known && line == NULL;
	size_t n = holds ? line->n : is_sieved ? r->n_picks : plan->n_filters;
	bool is_begun = false;

	for (size_t i = 0; i < n; i++) {
		const struct batch_found *told = holds ? &r->b->founds[line->first + i] : NULL;
		size_t filter = told != NULL ? told->filter : is_sieved ? r->picks[i].filter : i;
		const struct batch_filter *f = &plan->filters[filter];
		struct search_pick pick;
		bool is_picked = told != NULL ? batch_pick(r->b, told, &pick) : is_sieved;

		if (f->dates != dates || filter_maxlines(f->filter) > 1)
			continue;
		if (!is_begun && !search_begin(r->l->search, d->text, d->len, false))
			return;
		is_begun = true;
		if (is_sieved)
			pick = r->picks[i].rules;
		search_for(r, filter, is_picked ? &pick : NULL, d->at_us, off, len);
	}
}

static void tell_found(struct run *r, const struct batch_line *line, const struct batch_found *told)
{
	struct found found;

	batch_get(r->b, r->l->plan->filters[told->filter].filter, told, r->buf, &found);
	tell(r, told->filter, &found, told->time_us, line->off, line->len);
}

/* Tells what the batch has found in a line for one set of patterns. */
static void tell_line(struct run *r, const struct batch_line *line, size_t dates)
{
	for (uint32_t i = 0; i < line->n; i++) {
		const struct batch_found *told = &r->b->founds[line->first + i];

		if (told->is_found && r->l->plan->filters[told->filter].dates == dates)
			tell_found(r, line, told);
	}
}

/* The next filter with a window, from place *k on; false: there is none. Begin with 0. They come in
 * the order in which they judge a line if all are listed. */
static bool next_window(const struct run *r, size_t *k, size_t *ret_filter)
{
	bool is_listed = r->n_windowed <= WINDOWS_MAX;
	size_t n = is_listed ? r->n_windowed : r->l->plan->n_filters;

	while (!is_listed && *k < n && r->l->windows[*k] == NULL)
		++*k;
	if (*k == n)
		return false;
	*ret_filter = is_listed ? r->windowed[*k] : *k;
	++*k;
	return true;
}

/* The text of a line that is dated as usual, without its date. */
static void cut_usual(
	struct run *r, size_t dates, size_t off, size_t len, char *scratch, struct dated_line *ret)
{
	const char *line = r->buf + off;
	struct stamp stamp;

	*ret = (struct dated_line) {.text = line, .len = len};
	if (!r->dates[dates].has_habit ||
		!date_habit_holds(&r->dates[dates].habit, line, len, &stamp))
		return;
	ret->at_us = stamp.time_us;
	dating_cut(ret, line, len, &stamp, scratch);
}

/* The last lines that have been waiting, as many as there is room for, go into the window. */
static void fill_window(struct run *r, size_t filter)
{
	const struct batch_filter *f = &r->l->plan->filters[filter];
	struct window *w = r->l->windows[filter];
	struct window_wait *wait = window_wait(w);
	size_t off = wait->to, n = filter_maxlines(f->filter);

	for (; n > 0 && off > wait->from; n--) {
		const char *before = off - 1 > wait->from ? memrchr(r->buf + wait->from, '\n',
								    off - 1 - wait->from)
							  : NULL;

		off = before != NULL ? (size_t)(before - r->buf) + 1 : wait->from;
	}
	for (; off < wait->to; off = after_line(r, off)) {
		struct dated_line d;

		/* The line that comes after them may be in the first half. */
		cut_usual(r, f->dates, off, line_at(r, off), r->l->scratch + r->l->plan->line_max,
			&d);
		if (search_begin(r->l->search, d.text, d.len, false))
			search_keep(r->l->search, w);
	}
	wait->from = wait->to = 0;
}

static void fill_windows(struct run *r)
{
	size_t k = 0, filter;

	while (next_window(r, &k, &filter))
		fill_window(r, filter);
}

/* A line goes into a window, which is then searched. */
static void search_window(
	struct run *r, size_t filter, const struct dated_line *d, size_t off, size_t len)
{
	struct window_wait *wait = window_wait(r->l->windows[filter]);

	fill_window(r, filter);
	wait->hot -= wait->hot > 0;
	if (search_begin(r->l->search, d->text, d->len, false) &&
		search_for(r, filter, NULL, d->at_us, off, len))
		wait->hot = filter_maxlines(r->l->plan->filters[filter].filter);
}

/* A line that is dated as usual and, by itself, nothing to that filter; the next begins there. */
static void pass_window(struct run *r, size_t filter, size_t off, size_t next)
{
	const struct batch_filter *f = &r->l->plan->filters[filter];
	struct window_wait *wait = window_wait(r->l->windows[filter]);
	size_t len;
	struct dated_line d;

	if (wait->hot == 0 && filter_leaves_window(f->filter)) {
		if (wait->from == wait->to)
			wait->from = off;
		wait->to = next;
		return;
	}
	len = line_at(r, off);
	if (r->dates[f->dates].has_habit)
		cut_usual(r, f->dates, off, len, r->l->scratch, &d);
	else
		dating_line(&r->l->dates[f->dates], r->clock, r->buf + off, len, r->l->scratch, &d);
	search_window(r, filter, &d, off, len);
}

/* What a line is to the windows of one set of patterns; d: its text, NULL if it is dated as usual.
 */
static void take_windows(struct run *r, const struct batch_line *line, size_t off, size_t len,
	size_t dates, const struct dated_line *d)
{
	size_t k = 0, filter;

	while (next_window(r, &k, &filter)) {
		const struct batch_filter *f = &r->l->plan->filters[filter];

		if (f->dates != dates)
			continue;
		/* Nobody has looked for words in a line that is not dated as usual. */
		if (d != NULL || told_of(r, line, filter) != NULL)
			window_wait(r->l->windows[filter])->hot = filter_maxlines(f->filter);
		if (d != NULL)
			search_window(r, filter, d, off, len);
		else
			pass_window(r, filter, off, after_line(r, off));
	}
}

/* Is there a window to be searched, even when a line goes into it that is nothing by itself? */
static bool is_awake(const struct run *r)
{
	size_t k = 0, filter;

	while (next_window(r, &k, &filter)) {
		if (window_wait(r->l->windows[filter])->hot > 0 ||
			!filter_leaves_window(r->l->plan->filters[filter].filter))
			return true;
	}
	return false;
}

/* A line that is dated as usual and, by itself, nothing to any filter with a window. */
static void pass_line(struct run *r, size_t off, size_t next)
{
	size_t k = 0, filter;

	if (r->n_windowed <= WINDOWS_MAX) {
		while (next_window(r, &k, &filter))
			pass_window(r, filter, off, next);
		return;
	}
	for (size_t i = 0; i < r->l->plan->n_dates; i++)
		take_windows(r, NULL, off, 0, i, NULL);
}

/* The same for lines one after the other. */
static void pass_windows(struct run *r, const struct batch_passed *p)
{
	size_t k = 0, filter, off = p->first, end = r->n_windowed > 0 ? after_line(r, p->last) : 0;

	while (off < end && is_awake(r)) {
		size_t next = after_line(r, off);

		pass_line(r, off, next);
		off = next;
	}
	while (off < end && next_window(r, &k, &filter))
		pass_window(r, filter, off, end);
}

/* Is there something in the line for a filter of that set of patterns? */
static bool is_listed(const struct run *r, const struct batch_line *line, size_t dates)
{
	for (uint32_t i = 0; i < line->n; i++) {
		const struct batch_found *told = &r->b->founds[line->first + i];

		if (r->l->plan->filters[told->filter].dates == dates)
			return true;
	}
	return false;
}

/* A line of which the batch says all. */
static bool tell_all(struct run *r, const struct batch_line *line)
{
	const struct batch_passed alone = {.n = 1, .first = line->off, .last = line->off};

	for (uint32_t i = 0; i < line->n; i++)
		tell_found(r, line, &r->b->founds[line->first + i]);
	pass_windows(r, &alone);
	return true;
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
		const struct batch_dates *dates = &r->dates[i];
		struct dated_line d;

		if (is_usual && dates->has_habit) {
			tell_line(r, line, i);
			take_windows(r, line, off, len, i, NULL);
			is_dated = true;
			continue;
		}
		if (is_usual && dates->has_miss && !is_listed(r, line, i) &&
			date_miss_holds(&dates->miss, r->buf + off, len)) {
			take_windows(r, line, off, len, i, NULL);
			continue;
		}
		dating_line(&r->l->dates[i], r->clock, r->buf + off, len, r->l->scratch, &d);
		if (d.off_us != 0)
			r->to->off(r->to->arg, d.off_us);
		else if (d.is_dated)
			tell_date(r, i, d.at_us);
		is_dated |= d.is_dated;
		search_line(r, line, off, len, i, &d);
		take_windows(r, line, off, len, i, &d);
	}
	return is_dated;
}

static void take_line(
	struct run *r, const struct batch_line *line, size_t off, size_t len, bool is_usual)
{
	bool is_dated;

	r->count->lines++;
	if (r->to->begin != NULL && !r->to->begin(r->to->arg, off)) {
		/* What waits for a window is what stands in one piece. */
		fill_windows(r);
		return;
	}
	if (r->scan != NULL)
		r->n_picks = sieve_line(r->scan, off - r->scanned, len, &r->picks);
	/* What is found in windows comes between what was found for this set of patterns and that.
	 */
	is_dated = is_usual && line->is_plain && r->n_habits > 0 && !is_awake(r)
			   ? tell_all(r, line)
			   : look_at_line(r, line, off, len, is_usual);
	r->count->undated += !is_dated;
	if (r->to->end != NULL)
		r->to->end(r->to->arg);
}

/*
 * Each line from there to the end by itself: the batch knew less than it had to. If it was made at
 * all, the sieve may be asked anew: not all that it said then was kept.
 */
static void walk(struct run *r, size_t off)
{
	end_stretch(r);
	fill_windows(r);
	r->scan = r->b->failed ? NULL : r->l->scan;
	r->scanned = off;
	if (r->scan != NULL)
		sieve_begin(r->scan, r->buf + off, r->len - off);
	for (; off < r->len; off = after_line(r, off))
		take_line(r, NULL, off, line_at(r, off), false);
}

/* Without a habit nobody has found a date in them. */
static void take_passed(struct run *r, const struct batch_passed *p)
{
	if (p->n > 0)
		pass_windows(r, p);
	r->count->lines += p->n;
	r->count->undated += r->n_habits == 0 ? p->n : 0;
}

/* The lines before one in the list, and that one. False: from *ret_off on all is to be done anew.
 */
static bool take_listed(struct run *r, const struct batch_line *line, size_t *ret_off)
{
	const struct batch_passed *p = &line->passed;

	*ret_off = p->first;
	if (p->n > 0 && !go_on(r, p->n, p->first, p->last))
		return false;
	take_passed(r, p);
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
	take_passed(r, rest);
	end_stretch(r);
	fill_windows(r);
}

static void list_window(struct run *r, size_t filter)
{
	const struct batch_filter *filters = r->l->plan->filters;
	size_t at = r->n_windowed;

	for (; at > 0 && filters[r->windowed[at - 1]].dates > filters[filter].dates; at--)
		r->windowed[at] = r->windowed[at - 1];
	r->windowed[at] = (uint16_t)filter;
}

static void find_windows(struct run *r)
{
	for (size_t i = 0; i < r->l->plan->n_filters; i++) {
		if (r->l->windows[i] == NULL)
			continue;
		if (r->n_windowed < WINDOWS_MAX)
			list_window(r, i);
		r->n_windowed++;
	}
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

	find_windows(&r);
	for (size_t i = 0; i < l->plan->n_dates; i++)
		r.n_habits += dates[i].has_habit;
	if (b->failed)
		walk(&r, 0);
	else
		take_all(&r);
	for (size_t i = 0; !b->failed && i < l->plan->n_filters; i++)
		to->lost(to->arg, i, &b->stats[i]);
}
