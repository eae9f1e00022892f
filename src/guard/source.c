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
	for (size_t i = 0; i < s->n_jails; i++)
		window_free(s->jails[i].window);
	for (size_t i = 0; i < s->n_dates; i++)
		dating_done(&s->dates[i]);
	free(s->name);
	free(s->jails);
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

int source_add_jail(struct guard *g, struct source *s, uint16_t jail)
{
	unsigned maxlines = filter_maxlines(g->jails[jail].filter);
	struct source_jail *jails, new = {.jail = jail};

	for (size_t i = 0; i < s->n_jails; i++)
		if (s->jails[i].jail == jail)
			return 0;
	jails = reallocarray(s->jails, s->n_jails + 1, sizeof(*jails));
	if (jails == NULL)
		return -ENOMEM;
	s->jails = jails;
	if (add_dates(s, g->jails[jail].dates, &new.dates) < 0)
		return -ENOMEM;
	if (maxlines > 1 && (new.window = window_new(maxlines)) == NULL)
		return -ENOMEM;
	jails[s->n_jails++] = new;
	return 0;
}

void source_wake_jail(struct source *s, uint16_t jail)
{
	for (size_t i = 0; i < s->n_jails; i++)
		if (s->jails[i].jail == jail)
			s->jails[i].is_off = false;
}

/* Lines are taken as written now, though they say something else: told once. */
static void count_off(struct guard *g, struct source *s, int64_t off_us)
{
	if (off_us == 0)
		return;
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

bool source_begin(struct guard *g, uint64_t ino, uint64_t offset)
{
	for (size_t i = 0; i < g->o->n_poison; i++) {
		if (g->o->poison[i].ino == ino && g->o->poison[i].offset == offset) {
			g->losses.poison++;
			return false;
		}
	}
	g->o->mark->line = (struct guard_line) {.ino = ino, .offset = offset};
	g->o->mark->judging = 1;
	return true;
}

void source_end(struct guard *g)
{
	g->o->mark->judging = 0;
}

/* Judges a line for the jails whose dates these are. */
static void judge(struct guard *g, struct source *s, unsigned dates, const struct dated_line *l,
	int64_t now_us, const char *line, size_t len)
{
	struct match m;

	for (size_t i = 0; i < s->n_jails; i++) {
		struct source_jail *sj = &s->jails[i];
		struct jail_state *j = &g->jails[sj->jail];

		if (sj->is_off || sj->dates != dates ||
			filter_judge(j->filter, sj->window, l->text, l->len, now_us, &m) !=
				VERDICT_MATCH)
			continue;
		verdict_match(g, j, &m, l->at_us, line, len);
	}
}

void source_line(
	struct guard *g, struct source *s, const char *line, size_t len, const int64_t *time_us)
{
	const struct dating_clock clock = {
		.now_us = clock_wall_us(), .carried_us = s->carried_us, .live = s->live};
	bool dated = time_us != NULL;

	s->lines++;
	for (unsigned i = 0; i < s->n_dates; i++) {
		struct dated_line l = {.text = line, .len = len};

		if (time_us != NULL)
			l.at_us = dating_settle(&clock, *time_us, &l.off_us);
		else
			dating_line(&s->dates[i], &clock, line, len, g->scratch, &l);
		count_off(g, s, l.off_us);
		dated |= l.is_dated;
		judge(g, s, i, &l, clock.now_us, line, len);
	}
	if (!dated) {
		s->undated++;
		g->losses.undated++;
	}
}
