/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/date.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "match/dateedges.h"
#include "match/datefields.h"
#include "match/dateinside.h"
#include "match/datelearn.h"
#include "match/datepatterns.h"

#include <stdlib.h>
#include <string.h>

#define FAR 0x7fffffff /* further than any date */
#define UNUSED_US (300 * USEC_PER_SEC)
#define TEXT_MAX 64 /* longest date that is remembered */
#define NEAR 16     /* so many bytes after it, too: no default pattern looks further */

/* How one template does with this source. */
struct choice {
	const struct date_template *template;
	double base_weight;
	bool looks_near;  /* what follows it by more than NEAR bytes does not matter */
	uint64_t hits;    /* it had the date */
	uint64_t matches; /* it was found, whether or not another one had the date */
	int64_t used_us;
	size_t distance;
};

/* Where a template was found, and how to find it there again. */
struct find {
	size_t at; /* place in the order */
	size_t from, limit;
	size_t start, end; /* bytes */
	size_t place;      /* characters before it */
};

/* The last date that was read, and what the answer was. */
struct memory {
	const struct date_template *template; /* NULL: nothing */
	size_t start;                         /* where it stood, and the byte before it */
	char before;
	char text[TEXT_MAX + NEAR];
	size_t len;      /* of what the template matched */
	size_t near;     /* bytes of text behind that; 0: what followed is not known */
	bool at_end;     /* the line ended with them */
	size_t off, n;   /* what is cut out, from the match's beginning */
	int64_t now_sec; /* what it was at that time: the answer may depend on it */
	int64_t time_us;
	bool is_readable;
};

struct date_finder {
	const struct date_patterns *patterns;
	size_t n;
	size_t last;         /* place of the template that had the last date */
	size_t first_unused; /* places before it have had hits */
	struct date_edges edges;
	struct civil_zone zone;
	struct memory memory;
	struct date_learner learner;
	bool learns_none;        /* no habit: every date is looked for */
	struct choice choices[]; /* in the order in which they are tried */
};

struct date_finder *date_finder_new(const struct date_patterns *p)
{
	struct date_finder *f = calloc(1, sizeof(*f) + p->n * sizeof(f->choices[0]));

	if (f == NULL)
		return NULL;
	f->patterns = p;
	f->n = p->n;
	f->last = FAR;
	dateedges_init(&f->edges);
	for (size_t i = 0; i < p->n; i++) {
		f->choices[i].template = p->choices[i].template;
		f->choices[i].base_weight = p->choices[i].weight;
		f->choices[i].looks_near = p->choices[i].is_default;
		f->choices[i].distance = FAR;
	}
	return f;
}

void date_finder_free(struct date_finder *f)
{
	free(f);
}

size_t date_finder_count(const struct date_finder *f)
{
	return f->n;
}

/* Many hits, near the line's beginning. */
static double weight(const struct choice *c)
{
	return (double)c->hits * c->base_weight / (double)(c->distance > 1 ? c->distance : 1);
}

struct date_usage date_finder_usage(const struct date_finder *f, size_t i)
{
	const struct choice *c = &f->choices[i];

	return (struct date_usage) {
		.name = c->template->name,
		.pattern = c->template->pattern,
		.regex = c->template->regex,
		.hits = c->hits,
		.distance = c->distance,
		.used_us = c->used_us,
		.weight = weight(c),
		.hit_weight = c->base_weight,
	};
}

static bool is_bound_to_line(const struct choice *c)
{
	return (c->template->flags & (DATE_LINE_BEGIN | DATE_LINE_END)) != 0;
}

/* Tries the template at place `at` in line[from..limit). */
static bool try(struct date_finder *f, size_t at, const char *line, size_t from, size_t limit,
	struct find *ret)
{
	struct choice *c = &f->choices[at];
	const char *text;
	size_t len;

	if (!datetemplate_find(c->template, line, from, limit) ||
		!datetemplate_capture(c->template, line, 0, &text, &len))
		return false;
	c->matches++;
	ret->at = at;
	ret->from = from;
	ret->limit = limit;
	ret->start = (size_t)(text - line);
	ret->end = ret->start + len;
	ret->place = dateedges_place(line, ret->start);
	return true;
}

enum look {
	LOOK_NOTHING,
	LOOK_ELSEWHERE,
	LOOK_FOUND,
};

/*
 * The template that had the last date goes first. Found in another place it may be something else:
 * the date only if nothing better turns up. *ret_whole: it was looked for in the whole line.
 */
static enum look look_first(
	struct date_finder *f, const char *line, size_t len, struct find *ret, bool *ret_whole)
{
	bool bound = is_bound_to_line(&f->choices[f->last]);
	size_t start, end;

	*ret_whole = bound || !dateedges_same(&f->edges, line, len, &start, &end);
	if (*ret_whole) {
		if (!try(f, f->last, line, 0, len, ret))
			return LOOK_NOTHING;
	} else if (!try(f, f->last, line, start, end < len ? end : len, ret)) {
		return LOOK_NOTHING;
	}
	if (f->n == 1 || bound ||
		(ret->place == f->edges.start && dateedges_place(line, ret->end) == f->edges.end))
		return LOOK_FOUND;
	return LOOK_ELSEWHERE;
}

/* Is what was found the date, whatever the templates after it would find? */
static bool is_final(const struct date_finder *f, const struct find *found)
{
	const struct choice *c = &f->choices[found->at];

	if (found->at + 1 >= f->n || is_bound_to_line(c))
		return true;
	if (found->start == 0 && c->hits > 0 && f->choices[found->at + 1].matches == 0)
		return true;
	/* Further back than before: perhaps in the message. */
	return found->place <= c->distance && found->place <= f->edges.start;
}

static bool search(struct date_finder *f, const char *line, size_t len, struct find *ret)
{
	struct find best = {.start = FAR}, found;
	size_t skip = FAR;
	bool whole, clock;

	if (f->last < f->n) {
		enum look look = look_first(f, line, len, &found, &whole);

		if (look == LOOK_FOUND) {
			*ret = found;
			return true;
		}
		if (look == LOOK_ELSEWHERE)
			best = found;
		if (whole)
			skip = f->last;
	}
	clock = date_has_clock(line, len);
	for (size_t i = 0; i < f->n; i++) {
		if (i == skip || (f->choices[i].template->needs_clock && !clock) ||
			!try(f, i, line, 0, len, &found))
			continue;
		if (is_final(f, &found)) {
			*ret = found;
			return true;
		}
		if (found.start < best.start)
			best = found;
	}
	*ret = best;
	/* Once more, for its captures. */
	return best.start != FAR &&
	       datetemplate_find(f->choices[best.at].template, line, best.from, best.limit);
}

static bool may_move(const struct date_finder *f, const struct choice *c, size_t to)
{
	const struct choice *there = &f->choices[to];

	return weight(c) > weight(there) || c->used_us - UNUSED_US > there->used_us;
}

/* Moves a template that does better than those before it ahead; returns its new place. */
static size_t reorder(struct date_finder *f, size_t at)
{
	struct choice moved = f->choices[at];
	size_t to = f->first_unused < at ? f->first_unused : at / 2;

	if (!may_move(f, &moved, to)) {
		if (to == at - 1)
			return at;
		to = at - 1;
		if (!may_move(f, &moved, to))
			return at;
	}
	memmove(&f->choices[to + 1], &f->choices[to], (at - to) * sizeof(moved));
	f->choices[to] = moved;
	while (f->first_unused < f->n && f->choices[f->first_unused].hits > 0)
		f->first_unused++;
	return to;
}

/* What is learnt from a date found. */
static void learn(struct date_finder *f, const struct find *found, const char *line, size_t len,
	int64_t now_us)
{
	struct choice *c = &f->choices[found->at];
	size_t at = found->at;

	c->hits++;
	c->used_us = now_us;
	c->distance = found->place;
	if (f->first_unused == at)
		f->first_unused++;
	dateedges_set(&f->edges, line, len, found->start, found->end);
	if (at > 0 && at != f->last)
		at = reorder(f, at);
	f->last = at;
}

/*
 * Does the line say the same in the same place as the one before it? Then the template is found
 * there without looking. One that is bound to the line's beginning may have seen what follows it.
 */
static bool repeats(const struct date_finder *f, const char *line, size_t len, int64_t now_sec)
{
	const struct memory *m = &f->memory;
	size_t n = m->len, start, end;

	if (m->template == NULL || m->now_sec != now_sec || len < m->start || len - m->start < n)
		return false;
	if (is_bound_to_line(&f->choices[f->last])) {
		n += m->near;
		if (m->near == 0 || len - m->start < n || (m->at_end && len - m->start > n))
			return false;
	} else if (!dateedges_same(&f->edges, line, len, &start, &end) || start != m->start ||
		   (start > 0 && line[start - 1] != m->before)) {
		return false;
	}
	return memcmp(line + m->start, m->text, n) == 0;
}

/* Notes what follows the date, if that is all that the template can have looked at. */
static void remember_near(struct memory *m, const char *after, size_t len)
{
	m->near = len < NEAR ? len : NEAR;
	m->at_end = len <= NEAR;
	memcpy(m->text + m->len, after, m->near);
	/* Blanks before a zone may be any number; the zone with them must be within. */
	for (size_t i = 0; i < NEAR / 2 && !m->at_end; i++) {
		if (after[i] != ' ' && (after[i] < '\t' || after[i] > '\r'))
			return;
	}
	if (!m->at_end)
		m->near = 0;
}

static void remember(struct date_finder *f, const struct find *found, const char *line, size_t len,
	const struct stamp *stamp)
{
	const struct choice *c = &f->choices[f->last];
	struct memory *m = &f->memory;

	m->template = c->template;
	m->start = found->start;
	m->before = found->start > 0 ? line[found->start - 1] : '\0';
	m->len = found->end - found->start;
	m->off = stamp->off - found->start;
	m->n = stamp->len;
	m->near = 0;
	memcpy(m->text, line + found->start, m->len);
	if (c->looks_near && found->start == 0)
		remember_near(m, line + found->end, len - found->end);
}

static bool is_known(const struct memory *m, const struct date_template *t, const char *line,
	const struct find *found, int64_t now_us)
{
	return m->template == t && m->len == found->end - found->start &&
	       m->now_sec == now_us / USEC_PER_SEC &&
	       memcmp(m->text, line + found->start, m->len) == 0;
}

static struct date_clock clock_of(struct date_finder *f, int64_t now_us)
{
	return (struct date_clock) {
		.now_us = now_us,
		.zone = &f->zone,
		.has_offset = f->patterns->has_offset,
		.offset_min = f->patterns->offset_min,
	};
}

/* What was found, as a time; the same text is read once a second. */
static enum date_found read_time(struct date_finder *f, const struct date_template *t,
	const char *line, size_t len, const struct find *found, int64_t now_us, struct stamp *ret)
{
	const struct date_clock clock = clock_of(f, now_us);
	struct memory *m = &f->memory;

	if (!is_known(m, t, line, found, now_us)) {
		m->is_readable = datefields_read(&m->time_us, t, line, &clock) == 0;
		m->now_sec = now_us / USEC_PER_SEC;
	}
	m->template = NULL;
	if (t->context_free && found->end - found->start <= TEXT_MAX)
		remember(f, found, line, len, ret);
	ret->time_us = m->time_us;
	return m->is_readable ? DATE_FOUND : DATE_UNREADABLE;
}

/* The answer of the line before. */
static enum date_found recall(
	struct date_finder *f, const char *line, size_t len, int64_t now_us, struct stamp *ret)
{
	const struct memory *m = &f->memory;
	const struct find found = {
		.at = f->last,
		.start = m->start,
		.end = m->start + m->len,
		.place = f->edges.start,
	};

	f->choices[f->last].matches++;
	learn(f, &found, line, len, now_us);
	*ret = (struct stamp) {m->time_us, found.start + m->off, m->n};
	return m->is_readable ? DATE_FOUND : DATE_UNREADABLE;
}

static enum date_found find(
	struct date_finder *f, const char *line, size_t len, int64_t now_us, struct stamp *ret)
{
	const struct date_template *t;
	struct find found;
	const char *text;
	size_t n;

	if (repeats(f, line, len, now_us / USEC_PER_SEC))
		return recall(f, line, len, now_us, ret);
	if (!search(f, line, len, &found))
		return DATE_NONE;
	t = f->choices[found.at].template;
	if (!datetemplate_capture(t, line, 1, &text, &n)) {
		text = line;
		n = 0;
	}
	ret->off = (size_t)(text - line);
	ret->len = n;
	learn(f, &found, line, len, now_us);
	if (n == 0) {
		f->memory.template = NULL;
		return DATE_EMPTY;
	}
	return read_time(f, t, line, len, &found, now_us, ret);
}

/* The habit that the finder is in, or NULL. */
static const struct date_habit *habit_of(const struct date_finder *f, int64_t now_us)
{
	const struct date_learner *l = &f->learner;

	return l->habit.template != NULL && f->last < f->n &&
			       f->choices[f->last].template == l->habit.template &&
			       now_us >= l->from_us && now_us < l->to_us
		       ? &l->habit
		       : NULL;
}

/* Looks for the date, and learns how the line is dated. */
static enum date_found find_and_learn(
	struct date_finder *f, const char *line, size_t len, int64_t now_us, struct stamp *ret)
{
	enum date_found found = find(f, line, len, now_us, ret);
	struct date_learner *l = &f->learner;
	const struct date_template *t = found == DATE_FOUND ? f->choices[f->last].template : NULL;
	struct date_clock clock;

	if (f->learns_none)
		return found;
	if (found == DATE_NONE)
		datelearn_miss(l, f->patterns, line, len);
	if (t == NULL || t->look == NULL)
		return found;
	clock = clock_of(f, now_us);
	datelearn(l, t, line, len, ret, &clock);
	return found;
}

/* What is learnt from a date that the last template has as it had the one before, from the start.
 */
static void learn_again(
	struct date_finder *f, size_t end, const char *line, size_t len, int64_t now_us)
{
	struct choice *c = &f->choices[f->last];

	c->matches++;
	c->hits++;
	c->used_us = now_us;
	c->distance = 0;
	if (f->first_unused == f->last)
		f->first_unused++;
	if (f->learner.habit.opener == '\0' || utf8_ascii(line, end) == end)
		dateedges_set_ascii(&f->edges, line, len, end);
	else
		dateedges_set(&f->edges, line, len, 0, end);
}

enum date_found date_find(
	struct date_finder *f, const char *line, size_t len, int64_t now_us, struct stamp *ret)
{
	const struct date_habit *habit = habit_of(f, now_us);

	if (habit != NULL && date_habit_holds(habit, line, len, ret)) {
		learn_again(f, ret->off + ret->len, line, len, now_us);
		return DATE_FOUND;
	}
	if (f->learner.has_miss && date_miss_holds(&f->learner.miss, line, len))
		return DATE_NONE;
	return find_and_learn(f, line, len, now_us, ret);
}

bool date_finder_habit(const struct date_finder *f, int64_t now_us, struct date_habit *ret)
{
	const struct date_habit *habit = habit_of(f, now_us);

	if (habit != NULL)
		*ret = *habit;
	return habit != NULL;
}

bool date_finder_miss(const struct date_finder *f, struct date_miss *ret)
{
	if (f->learner.has_miss)
		*ret = f->learner.miss;
	return f->learner.has_miss;
}

enum date_found date_pass(struct date_finder *f, uint64_t n, const char *last, size_t len,
	int64_t now_us, struct stamp *ret)
{
	enum date_found found = date_find(f, last, len, now_us, ret);

	/* The others were found by the same pattern. */
	f->choices[f->last].matches += n - 1;
	f->choices[f->last].hits += n - 1;
	return found;
}

void date_finder_plain(struct date_finder *f)
{
	f->learns_none = true;
}

static bool choice_same(const struct choice *a, const struct choice *b)
{
	return a->template == b->template && a->hits == b->hits && a->matches == b->matches &&
	       a->used_us == b->used_us && a->distance == b->distance;
}

bool date_finder_same(const struct date_finder *a, const struct date_finder *b)
{
	const struct date_edges *e = &a->edges, *o = &b->edges;

	for (size_t i = 0; i < a->n; i++) {
		if (!choice_same(&a->choices[i], &b->choices[i]))
			return false;
	}
	return a->last == b->last && a->first_unused == b->first_unused && e->start == o->start &&
	       e->end == o->end && e->before == o->before && e->first == o->first &&
	       e->last == o->last && e->after == o->after;
}
