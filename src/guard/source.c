/* SPDX-License-Identifier: GPL-2.0-or-later */
/* line ▶ stamp ▶ match: one line of any source, judged for every jail that reads it. */
#include "guard/internal.h"

#include "base/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int source_init(struct source *s, const char *name)
{
	*s = (struct source) {.name = strdup(name)};
	return s->name != NULL ? 0 : -ENOMEM;
}

void source_done(struct source *s)
{
	panel_leave(s);
	for (size_t i = 0; i < s->n_jails; i++)
		window_free(s->windows[i]);
	for (size_t i = 0; i < s->n_dates; i++)
		dating_done(&s->dates[i]);
	free(s->name);
	free(s->jails);
	free(s->windows);
	free(s->dates);
	*s = (struct source) {0};
}

/* The place of the finder for these patterns, made when there is none. */
static int add_dates(struct source *s, const struct date_patterns *patterns, unsigned *ret)
{
	struct dating *dates;

	for (size_t i = 0; i < s->n_dates; i++) {
		if (s->dates[i].patterns == patterns) {
			*ret = (unsigned)i;
			return 0;
		}
	}
	dates = reallocarray(s->dates, s->n_dates + 1, sizeof(*dates));
	if (dates == NULL)
		return -ENOMEM;
	s->dates = dates;
	if (dating_init(&dates[s->n_dates], patterns) < 0)
		return -ENOMEM;
	*ret = (unsigned)s->n_dates++;
	return 0;
}

/* Room for one more. */
static int grow(struct source *s)
{
	struct source_jail *jails = reallocarray(s->jails, s->n_jails + 1, sizeof(*jails));
	struct window **windows = NULL;

	if (jails != NULL) {
		s->jails = jails;
		windows = reallocarray(s->windows, s->n_jails + 1, sizeof(struct window *));
	}
	if (windows == NULL)
		return -ENOMEM;
	s->windows = windows;
	return 0;
}

int source_add_jail(struct guard *g, struct source *s, uint16_t jail)
{
	unsigned maxlines = filter_maxlines(g->jails[jail].filter);
	struct source_jail new = {.jail = jail};
	struct window *window = NULL;

	for (size_t i = 0; i < s->n_jails; i++)
		if (s->jails[i].jail == jail)
			return 0;
	if (grow(s) < 0 || add_dates(s, g->jails[jail].dates, &new.dates) < 0)
		return -ENOMEM;
	if (maxlines > 1 && (window = window_new(maxlines)) == NULL)
		return -ENOMEM;
	panel_leave(s);
	s->windows[s->n_jails] = window;
	s->jails[s->n_jails++] = new;
	return 0;
}

void source_wake_jail(struct source *s, uint16_t jail)
{
	for (size_t i = 0; i < s->n_jails; i++)
		if (s->jails[i].jail == jail)
			s->jails[i].is_off = false;
}

/* Lines are taken as written now, though they say something else: told once. */
void source_count_off(struct guard *g, struct source *s, int64_t off_us)
{
	if (s->future++ == 0)
		log_warning("%s: a line is dated %lld s %s this machine's clock; such lines are "
			    "taken as written now (told once)",
			s->name, (long long)(llabs(off_us) / USEC_PER_SEC),
			off_us > 0 ? "ahead of" : "behind");
	g->losses.future++;
}

int64_t source_findtime_us(const struct guard *g, const struct source *s)
{
	size_t n = s != NULL ? s->n_jails : g->rs->n_jails;
	int64_t sec = 0;

	for (size_t i = 0; i < n; i++) {
		const struct jail *j = &g->rs->jails[s != NULL ? s->jails[i].jail : i];

		if (j->findtime_sec > sec)
			sec = j->findtime_sec;
	}
	return sec * USEC_PER_SEC;
}

bool source_mark(struct guard *g, const struct guard_line *line)
{
	for (size_t i = 0; i < g->o->n_poison; i++)
		if (guard_line_eq(&g->o->poison[i], line))
			return false;
	g->o->mark->line = *line;
	g->o->mark->judging = 1;
	return true;
}

bool source_begin(struct guard *g, uint64_t ino, uint64_t offset)
{
	if (source_mark(g, &(struct guard_line) {ino, offset, false}))
		return true;
	g->losses.poison++;
	return false;
}

void source_end(struct guard *g)
{
	g->o->mark->judging = 0;
}

void source_found(struct guard *g, struct source *s, size_t reader, struct found *found,
	const struct found_when *when, const char *line, size_t len)
{
	struct jail_state *j = &g->jails[s->jails[reader].jail];
	struct match m;

	if (filter_conclude(j->filter, found, when->now_us, &m) != VERDICT_MATCH)
		return;
	if (j->wants_fields)
		filter_tell(j->filter, found, &m);
	verdict_match(g, j, &m, when->at_us, line, len);
}

void source_count(struct guard *g, struct source *s, const struct lines_count *count)
{
	s->lines += count->lines;
	s->undated += count->undated;
	g->losses.undated += count->undated;
}

/* A line that comes by itself. */
struct single {
	struct guard *g;
	struct source *s;
	struct search *search;
	const struct sieve_pick *picks; /* who may find something in it; NULL: anybody */
	size_t n_picks;
	int64_t now_us;
	const char *line;
	size_t len;
};

/* What may be found in it by that reader; *ret NULL: anything. False: nothing. */
static bool pick_for(const struct single *x, size_t reader, const struct search_pick **ret)
{
	*ret = NULL;
	if (x->picks == NULL || x->s->windows[reader] != NULL)
		return true;
	for (size_t i = 0; i < x->n_picks; i++) {
		if (x->picks[i].filter == reader) {
			*ret = &x->picks[i].rules;
			return true;
		}
	}
	return false;
}

static void search_for(
	struct single *x, size_t reader, const struct search_pick *pick, const struct dated_line *l)
{
	struct filter *f = x->g->jails[x->s->jails[reader].jail].filter;
	const struct found_when when = {x->now_us, l->at_us};
	struct filter_stats lost = {0};
	struct found found;

	/* Nobody has looked for words in what goes into a window here. */
	if (x->s->windows[reader] != NULL)
		window_wait(x->s->windows[reader])->hot = filter_maxlines(f);
	search_run(x->search, f, x->s->windows[reader], pick, &found);
	search_take_stats(x->search, &lost);
	filter_add_stats(f, &lost);
	if (found.verdict == VERDICT_MATCH)
		source_found(x->g, x->s, reader, &found, &when, x->line, x->len);
}

/* Judges it for the jails whose dates these are. */
static void judge(struct single *x, unsigned dates, const struct dated_line *l)
{
	bool holds = sieve_holds(x->line, x->len, l->cut_off, x->len - l->len), is_begun = false;

	for (size_t i = 0; i < x->s->n_jails; i++) {
		const struct source_jail *sj = &x->s->jails[i];
		const struct search_pick *pick;

		if (sj->is_off || sj->dates != dates || (!pick_for(x, i, &pick) && holds))
			continue;
		if (!is_begun && !search_begin(x->search, l->text, l->len, false))
			return;
		is_begun = true;
		search_for(x, i, holds ? pick : NULL, l);
	}
}

/* Dates and judges it; false: it says nowhere when it was written. */
static bool judge_dated(struct single *x, const struct dating_clock *clock, const int64_t *time_us)
{
	bool is_dated = time_us != NULL;

	for (unsigned i = 0; i < x->s->n_dates; i++) {
		struct dated_line l = {.text = x->line, .len = x->len};

		if (time_us != NULL)
			l.at_us = dating_settle(clock, *time_us, &l.off_us);
		else
			dating_line(&x->s->dates[i], clock, x->line, x->len, x->g->scratch, &l);
		if (l.off_us != 0)
			source_count_off(x->g, x->s, l.off_us);
		is_dated |= l.is_dated;
		judge(x, i, &l);
	}
	return is_dated;
}

void source_line(
	struct guard *g, struct source *s, const char *line, size_t len, const int64_t *time_us)
{
	const struct dating_clock clock = {
		.now_us = clock_wall_us(), .carried_us = s->carried_us, .live = s->live};
	struct single x = {.g = g, .s = s, .now_us = clock.now_us, .line = line, .len = len};
	struct panel *p = panel_of(g, s);
	struct lines_count count = {.lines = 1};

	if (p == NULL) {
		g->losses.no_memory++;
		return;
	}
	x.search = batch_worker_search(p->worker);
	if (p->sieve != NULL) {
		sieve_begin(batch_worker_scan(p->worker), line, len);
		x.n_picks = sieve_line(batch_worker_scan(p->worker), 0, len, &x.picks);
	}
	count.undated = !judge_dated(&x, &clock, time_us);
	source_count(g, s, &count);
}
