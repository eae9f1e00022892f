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
	free(s->off);
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

/* Room for one more in a list of n. */
static bool grow(void *list, size_t n, size_t size)
{
	void **p = list, *larger = reallocarray(*p, n + 1, size);

	if (larger != NULL)
		*p = larger;
	return larger != NULL;
}

int source_add_jail(struct guard *g, struct source *s, uint16_t jail)
{
	unsigned maxlines = filter_maxlines(g->jails[jail].filter);
	struct source_jail new = {.jail = jail};
	struct window *window = NULL;

	for (size_t i = 0; i < s->n_jails; i++)
		if (s->jails[i].jail == jail)
			return 0;
	if (!grow(&s->jails, s->n_jails, sizeof(*s->jails)) ||
		!grow(&s->windows, s->n_jails, sizeof(struct window *)) ||
		!grow(&s->off, s->n_jails, sizeof(*s->off)) ||
		add_dates(s, g->jails[jail].dates, &new.dates) < 0)
		return -ENOMEM;
	if (maxlines > 1 && (window = window_new(maxlines)) == NULL)
		return -ENOMEM;
	panel_leave(s);
	s->windows[s->n_jails] = window;
	s->off[s->n_jails] = false;
	s->jails[s->n_jails++] = new;
	return 0;
}

void source_wake_jail(struct source *s, uint16_t jail)
{
	for (size_t i = 0; i < s->n_jails; i++)
		if (s->jails[i].jail == jail)
			s->off[i] = false;
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
