/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/single.h"

#include "match/window.h"

/* A line by itself, under way. */
struct run {
	struct lines *l;
	const struct single *line;
	const struct lines_listener *to;
	const struct sieve_pick *picks; /* who may find something in it */
	size_t n_picks;
	bool is_sieved;
};

/* What that filter may find in it; *ret NULL: anything. False: nothing. */
static bool pick_for(const struct run *x, size_t filter, const struct search_pick **ret)
{
	*ret = NULL;
	if (!x->is_sieved || filter_maxlines(x->l->plan->filters[filter].filter) > 1)
		return true;
	for (size_t i = 0; i < x->n_picks; i++) {
		if (x->picks[i].filter == filter) {
			*ret = &x->picks[i].rules;
			return true;
		}
	}
	return false;
}

static void search_for(
	const struct run *x, size_t filter, const struct search_pick *pick, int64_t at_us)
{
	const struct filter *f = x->l->plan->filters[filter].filter;
	struct window *w = filter_maxlines(f) > 1 ? x->l->windows[filter] : NULL;
	struct filter_stats lost = {0};
	struct found found;

	search_run(x->l->search, f, w, pick, &found);
	search_take_stats(x->l->search, &lost);
	/* What comes after it may go on with it, whatever words that has. */
	if (w != NULL)
		window_wait(w)->hot = filter_maxlines(f);
	x->to->lost(x->to->arg, filter, &lost);
	if (found.verdict == VERDICT_MATCH)
		x->to->found(x->to->arg, filter, &found, at_us, x->line->text, x->line->len);
}

static void search(const struct run *x, size_t dates, const struct dated_line *d)
{
	const struct batch_plan *plan = x->l->plan;
	bool holds = sieve_holds(x->line->text, x->line->len, d->cut_off, x->line->len - d->len);
	bool is_begun = false;

	for (size_t i = 0; i < plan->n_filters; i++) {
		const struct search_pick *pick;

		if (plan->filters[i].dates != dates || (x->line->off != NULL && x->line->off[i]) ||
			(!pick_for(x, i, &pick) && holds))
			continue;
		if (!is_begun && !search_begin(x->l->search, d->text, d->len, false))
			return;
		is_begun = true;
		search_for(x, i, holds ? pick : NULL, d->at_us);
	}
}

void single_take(struct lines *l, const struct dating_clock *clock, struct sieve_scan *scan,
	const struct single *line, const struct lines_listener *to, struct lines_count *count)
{
	struct run x = {.l = l, .line = line, .to = to, .is_sieved = scan != NULL};
	bool is_dated = line->time_us != NULL;

	if (scan != NULL) {
		sieve_begin(scan, line->text, line->len);
		x.n_picks = sieve_line(scan, 0, line->len, &x.picks);
	}
	for (size_t i = 0; i < l->plan->n_dates; i++) {
		struct dated_line d = {.text = line->text, .len = line->len};

		if (line->time_us != NULL)
			d.at_us = dating_settle(clock, *line->time_us, &d.off_us);
		else
			dating_line(&l->dates[i], clock, line->text, line->len, l->scratch, &d);
		if (d.off_us != 0)
			to->off(to->arg, d.off_us);
		else if (d.is_dated && to->dated != NULL)
			to->dated(to->arg, i, d.at_us);
		is_dated |= d.is_dated;
		search(&x, i, &d);
	}
	count->lines++;
	count->undated += !is_dated;
}
