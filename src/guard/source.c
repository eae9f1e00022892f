/* SPDX-License-Identifier: GPL-2.0-or-later */
/* line ▶ stamp ▶ match: one line of any source, judged for every jail that reads it. */
#include "guard/internal.h"

#include "base/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* How far from our clock a line that was just written may be before it is remarkable. */
#define CLOCK_SLACK_US (60 * USEC_PER_SEC)
#define UNDATED_US (60 * USEC_PER_SEC)

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
		date_finder_free(s->dates[i].finder);
	free(s->name);
	free(s->jails);
	free(s->dates);
	*s = (struct source) {0};
}

/* The place of the finder for these patterns, made when there is none. */
static int add_dates(struct source *s, const struct date_patterns *patterns, unsigned *ret)
{
	struct source_dates *dates;

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
	dates += s->n_dates;
	*dates = (struct source_dates) {
		.patterns = patterns,
		.finder = date_finder_new(patterns),
	};
	if (dates->finder == NULL)
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

/*
 * When the line was written, by itself. A time that lies ahead is taken as now; so is one long past
 * in a file that is read as it is written: its clock or its zone is wrong, or an attacker chose the
 * date, and either must not let him off (fail2ban does the same).
 */
static int64_t settle_time(struct guard *g, struct source *s, int64_t time_us, int64_t now_us)
{
	int64_t ahead_us = time_us - now_us;

	if (ahead_us <= 0 && (ahead_us >= -CLOCK_SLACK_US || !s->live))
		return time_us;
	if (ahead_us > CLOCK_SLACK_US || ahead_us < 0) {
		if (s->future++ == 0)
			log_warning(
				"%s: a line is dated %lld s %s this machine's clock; such lines "
				"are taken as written now (told once)",
				s->name, (long long)(llabs(ahead_us) / USEC_PER_SEC),
				ahead_us > 0 ? "ahead of" : "behind");
		g->losses.future++;
	}
	return now_us;
}

/* The line without its date, as filters expect it: what stood before and after joined. */
static const char *cut_date(struct guard *g, const char *line, size_t *len, const struct stamp *at)
{
	size_t after = at->off + at->len;

	if (at->off == 0) {
		*len -= after;
		return line + after;
	}
	memcpy(g->scratch, line, at->off);
	memcpy(g->scratch + at->off, line + after, *len - after);
	*len -= at->len;
	return g->scratch;
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

/* When a line was written, and what of it filters judge. */
struct dated_line {
	int64_t at_us;
	const char *text;
	size_t len;
	bool is_dated;
};

/*
 * Times do not run back in a log that is being caught up with: a date further in that says so is
 * somebody's name, and must not make his line too old to count.
 */
static int64_t in_order(const struct source *s, const struct source_dates *d, int64_t at_us)
{
	return !s->live && at_us < d->last_time_us - CLOCK_SLACK_US ? d->last_time_us : at_us;
}

/*
 * The date of a line. A line without one belongs to the one before it; when that was long ago and
 * the line is new, it is of now (as fail2ban has it).
 */
static void date_line(struct guard *g, struct source *s, struct source_dates *d, int64_t now_us,
	struct dated_line *l)
{
	bool forgotten = d->last_time_us == 0 || (s->live && d->last_time_us < now_us - UNDATED_US);
	struct stamp stamp = {0};
	bool is_ahead;
	enum date_found found = date_find(d->finder, l->text, l->len, now_us, &stamp);

	l->is_dated = found == DATE_FOUND || found == DATE_EMPTY || s->carried_us != 0;
	if (found == DATE_FOUND) {
		l->at_us = s->carried_us != 0
				   ? container_time(s->carried_us, stamp.time_us, stamp.off)
				   : stamp.time_us;
		is_ahead = l->at_us > now_us;
		l->at_us = in_order(s, d, settle_time(g, s, l->at_us, now_us));
		/* One date in the future must not make all that is caught up with after it new. */
		if (s->live || !is_ahead)
			d->last_time_us = l->at_us;
	} else if (s->carried_us != 0) {
		l->at_us = settle_time(g, s, s->carried_us, now_us);
	} else {
		l->at_us = forgotten ? now_us : d->last_time_us;
	}
	/* What could not be read stays in the line when that is taken as part of the one before. */
	if (found == DATE_FOUND || (found == DATE_UNREADABLE && forgotten))
		l->text = cut_date(g, l->text, &l->len, &stamp);
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
	int64_t now_us = clock_wall_us();
	bool dated = time_us != NULL;

	s->lines++;
	for (unsigned i = 0; i < s->n_dates; i++) {
		struct dated_line l = {.text = line, .len = len};

		if (time_us != NULL)
			l.at_us = settle_time(g, s, *time_us, now_us);
		else
			date_line(g, s, &s->dates[i], now_us, &l);
		dated |= l.is_dated;
		judge(g, s, i, &l, now_us, line, len);
	}
	if (!dated) {
		s->undated++;
		g->losses.undated++;
	}
}
