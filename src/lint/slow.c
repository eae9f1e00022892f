/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/util.h"
#include "lint/forge.h"
#include "match/meter.h"

#include <math.h>
#include <string.h>

/*
 * Work that grows faster than the line shows as more than twice the steps for twice the line. A
 * text is tried short first; only what grows there is measured at length.
 */
#define GROWTH 1.3  /* steps ~ length to the power of this: all that is more is reported */
#define EXPLOSIVE 6 /* no power of the length, but the like of 2^length */
#define SHORT 120   /* bytes of the longer one of the first two texts */
#define STEPS_MAX 100000
#define LONG_MAX 8192
#define STEPS_A_BYTE 10 /* below that nobody notices */

#define VARIANTS 4   /* texts of an expression that are stretched */
#define PUMPS_MAX 16 /* things to stretch a repeat of a text with */
#define PUMP_LEN_MAX 64
#define FILTER_BUDGET 200000000 /* for all of a filter */
#define BUDGET 5000000          /* steps spent on one expression before it is taken for good */

/* A text made long: head, then pump many times, then tail. */
struct stretch {
	const char *head, *pump, *tail;
	size_t head_len, pump_len, tail_len;
};

/* How the work grew. */
struct growth {
	double power; /* steps ~ length ^ power */
	size_t len;   /* of the longest text measured, and its steps */
	uint64_t steps;
	bool is_cut; /* more steps than were counted */
};

struct slow {
	struct lint_work *w;
	const struct lint_regex *regex;
	struct meter *meter;
	uint64_t spent;
	char text[LONG_MAX];
	struct growth worst; /* power 0: none */
	struct stretch shown;
	/* Of the text being stretched. */
	struct stretch pumps[PUMPS_MAX];
	size_t n_pumps;
};

static size_t stretch_to(struct slow *s, const struct stretch *t, size_t len)
{
	size_t fixed = t->head_len + t->tail_len, at = t->head_len;
	size_t times = len > fixed + t->pump_len ? (len - fixed) / t->pump_len : 1;

	while (fixed + times * t->pump_len > LONG_MAX && times > 1)
		times--;
	if (fixed + times * t->pump_len > LONG_MAX)
		return 0;
	memcpy(s->text, t->head, t->head_len);
	for (; times > 0; times--, at += t->pump_len)
		memcpy(s->text + at, t->pump, t->pump_len);
	memcpy(s->text + at, t->tail, t->tail_len);
	return at + t->tail_len;
}

/* Steps for the text stretched to some `len` bytes; *ret_len: those that count for its growth. */
static uint64_t measure(struct slow *s, const struct stretch *t, size_t len, size_t *ret_len)
{
	uint64_t steps;

	len = stretch_to(s, t, t->head_len + t->tail_len + len);
	*ret_len = len - t->head_len - t->tail_len;
	steps = meter_steps(s->meter, s->text, len, STEPS_MAX);
	s->spent += steps;
	return steps;
}

/*
 * Compares the steps for two lengths, after taking off those that the line takes anyway. Returns
 * the power, 0 when there is nothing to see.
 */
static double compare(struct slow *s, const struct stretch *t, size_t len, struct growth *ret)
{
	size_t half_len, full_len;
	uint64_t half, full;

	half = measure(s, t, len / 2, &half_len);
	full = half < STEPS_MAX ? measure(s, t, len, &full_len) : half;
	full_len = half < STEPS_MAX ? full_len : half_len;
	ret->len = t->head_len + t->tail_len + full_len;
	ret->steps = full;
	ret->is_cut = full >= STEPS_MAX;
	if (half_len >= full_len || half == 0 || full <= half)
		return 0;
	return log((double)full / (double)half) / log((double)full_len / (double)half_len);
}

static size_t first_length(const struct stretch *t)
{
	return t->pump_len * 8 > SHORT ? t->pump_len * 8 : SHORT;
}

/* Follows the growth to a length at which the steps are many, but can still be counted. */
static void confirm(struct slow *s, const struct stretch *t, struct growth *g)
{
	struct growth next = *g;
	size_t len = first_length(t);
	uint64_t steps;

	while (!next.is_cut && len <= LONG_MAX / 4) {
		len *= 2;
		next.power = compare(s, t, len, &next);
		if (!next.is_cut)
			*g = next;
	}
	if (g->is_cut)
		g->power = compare(s, t, len / 6, g);
	/* So many steps for so few bytes: what stands around them has its part in it. */
	if (g->is_cut) {
		steps = measure(s, t, 0, &len);
		len += t->head_len + t->tail_len;
		g->power = len < g->len && steps < g->steps
				   ? log((double)g->steps / (double)steps) /
					     log((double)g->len / (double)len)
				   : 0;
	}
}

static void try_stretch(struct slow *s, const struct stretch *t)
{
	struct growth g;

	/* Worse than that it cannot get. */
	if (s->spent > BUDGET || s->worst.power > EXPLOSIVE || t->pump_len == 0)
		return;
	g.power = compare(s, t, first_length(t), &g);
	if (!g.is_cut && g.power < GROWTH)
		return;
	confirm(s, t, &g);
	if (g.power < GROWTH || g.steps < STEPS_A_BYTE * g.len || (g.power <= s->worst.power))
		return;
	s->worst = g;
	s->shown = *t;
	s->shown.head = arena_strndup(s->w->arena, t->head, t->head_len);
	s->shown.pump = arena_strndup(s->w->arena, t->pump, t->pump_len);
	s->shown.tail = arena_strndup(s->w->arena, t->tail, t->tail_len);
}

/* What cannot follow the repeat, so that all its ways have to be tried. */
static const char *stopper(const struct regen_mark *m)
{
	static const char *const bytes[] = {"!", "\"", " ", "]", ">", "~"};

	for (size_t i = 0; m->node->child->kind == RETREE_SET && i < ARRAY_SIZE(bytes); i++) {
		if (!byteset_has(&m->node->child->set, (unsigned char)bytes[i][0]))
			return bytes[i];
	}
	return "!";
}

static void add_pump(struct slow *s, const char *text, size_t len)
{
	if (len == 0 || len > PUMP_LEN_MAX || s->n_pumps == PUMPS_MAX)
		return;
	/* A line has one break at most. */
	if ((s->w->flags & PATTERN_MULTILINE) == 0 && memchr(text, '\n', len) != NULL)
		return;
	for (size_t i = 0; i < s->n_pumps; i++) {
		if (s->pumps[i].pump_len == len && memcmp(s->pumps[i].pump, text, len) == 0)
			return;
	}
	s->pumps[s->n_pumps++] = (struct stretch) {.pump = text, .pump_len = len};
}

/* What to repeat there: single bytes, its own text, and what leads on to the repeats behind it. */
static void find_pumps(struct slow *s, const struct regen_text *t, const struct regen_mark *m)
{
	static const char *const bytes[] = {"a", " ", "0", ".", ":", "\""};
	const struct retree_node *body = m->node->child;
	size_t end = m->off + m->len;

	s->n_pumps = 0;
	for (size_t i = 0; i < ARRAY_SIZE(bytes); i++) {
		if (body->kind != RETREE_SET || byteset_has(&body->set, (unsigned char)*bytes[i]))
			add_pump(s, bytes[i], 1);
	}
	if (body->kind != RETREE_SET)
		add_pump(s, t->text + m->off, m->len);
	for (size_t i = 0; i < t->n_marks; i++) {
		const struct regen_mark *k = &t->marks[i];

		if (k->off > end)
			add_pump(s, t->text + end, k->off - end);
	}
	add_pump(s, t->text + end, t->len - end);
}

/* Text from off to end, and then what does not belong there. */
static void set_tail(
	struct slow *s, struct stretch *one, const struct regen_text *t, size_t off, size_t end)
{
	one->tail = arena_printf(s->w->arena, "%.*s!", (int)(end - off), t->text + off);
	one->tail_len = end - off + 1;
}

static void stretch_mark(struct slow *s, const struct regen_text *t, const struct regen_mark *m)
{
	struct stretch to_host = {0}, to_end = {0};
	const char *stop = stopper(m);
	size_t end = m->off + m->len;

	for (size_t i = 0; i < t->n_marks; i++) {
		if (t->marks[i].kind == REGEN_HOST && t->marks[i].off >= end)
			set_tail(s, &to_host, t, end, t->marks[i].off);
	}
	set_tail(s, &to_end, t, end, t->len);
	find_pumps(s, t, m);
	for (size_t i = 0; i < s->n_pumps; i++) {
		struct stretch one = s->pumps[i];

		one.head = t->text;
		one.head_len = m->off;
		one.tail = stop;
		one.tail_len = 1;
		try_stretch(s, &one);
		one.tail_len = 0;
		try_stretch(s, &one);
		one.tail = to_end.tail;
		one.tail_len = to_end.tail_len;
		try_stretch(s, &one);
		one.tail = to_host.tail;
		one.tail_len = to_host.tail_len;
		if (one.tail_len > 0)
			try_stretch(s, &one);
	}
}

/* An expression that may begin anywhere is tried at each place that looks like its beginning. */
static void stretch_start(struct slow *s, const struct regen_text *t)
{
	for (size_t i = 0; i < t->n_marks; i++) {
		const struct regen_mark *m = &t->marks[i];
		struct stretch one = {.head = "", .pump = t->text, .pump_len = m->off};

		if (m->off == 0 || m->off > PUMP_LEN_MAX)
			continue;
		for (size_t k = 0; k < t->n_marks; k++) {
			if (t->marks[k].off < m->off + m->len)
				continue;
			set_tail(s, &one, t, m->off + m->len, t->marks[k].off);
			try_stretch(s, &one);
		}
		one.tail = "!";
		one.tail_len = 1;
		try_stretch(s, &one);
	}
}

static const char *grows(struct lint_work *w, const struct growth *g)
{
	if (g->power > EXPLOSIVE)
		return "doubles with every few bytes of the line";
	if (g->power > 2.5)
		return arena_printf(
			w->arena, "grows with the line's length to the power of %.0f", g->power);
	return "grows with the square of the line's length";
}

static void tell(struct slow *s)
{
	const struct growth *g = &s->worst;
	const struct stretch *t = &s->shown;
	struct lint_work *w = s->w;

	fault_add(w->faults, FAULT_WARNING, s->regex->source->where,
		"%s: slow: its work %s: a line of %zu bytes, %s%s%s\"%s\" again and again%s%s%s, "
		"takes %s%llu steps; let no two repeats take the same text, one behind or in the "
		"other: [^...]* with the byte that ends it for .*, and ^ at the start",
		s->regex->what, grows(w, g), g->len, t->head_len > 0 ? "\"" : "",
		lint_show(w, t->head, t->head_len), t->head_len > 0 ? "\", then " : "",
		lint_show(w, t->pump, t->pump_len), t->tail_len > 0 ? ", then \"" : "",
		lint_show(w, t->tail, t->tail_len), t->tail_len > 0 ? "\"" : "",
		g->is_cut ? "more than " : "", (unsigned long long)g->steps);
}

/* Repeats without end, one in another counted each. */
static unsigned count_repeats(const struct retree_node *node)
{
	unsigned n = node->kind == RETREE_REPEAT && node->max == RETREE_MANY;

	for (const struct retree_node *k = node->child; k != NULL; k = k->next)
		n += count_repeats(k);
	return n;
}

static void stretch_regex(struct slow *s, struct regen_text *t)
{
	for (unsigned v = 0; v < VARIANTS && s->spent < BUDGET; v++) {
		struct regen_choice c = {.variant = v, .hosts = &forge_own};

		if (regen_write(t, &s->regex->tree, &c) < 0)
			continue;
		stretch_start(s, t);
		for (size_t i = 0; i < t->n_marks; i++) {
			if (t->marks[i].kind == REGEN_FIELD || t->marks[i].kind == REGEN_REPEAT)
				stretch_mark(s, t, &t->marks[i]);
		}
	}
}

static void examine(
	struct lint_work *w, const struct lint_regex *r, struct regen_text *t, uint64_t *spent)
{
	struct slow *s;

	/* One repeat alone, at the line's start, reads it once. */
	if (r->source == NULL || r->tree.root == NULL || count_repeats(r->tree.root) == 0)
		return;
	if (*spent > FILTER_BUDGET) {
		w->is_partial = true;
		return;
	}
	s = arena_alloc(w->arena, sizeof(*s));
	s->w = w;
	s->regex = r;
	if (meter_new(&s->meter, r->source->text, w->flags) < 0)
		return;
	stretch_regex(s, t);
	if (s->worst.power > 0)
		tell(s);
	*spent += s->spent;
	meter_free(s->meter);
}

void slow_lint(struct lint_work *w)
{
	struct regen_text *t = arena_alloc(w->arena, sizeof(*t));
	uint64_t spent = 0;

	examine(w, &w->pref, t, &spent);
	for (size_t i = 0; i < w->def->n_failregex; i++)
		examine(w, &w->fail[i], t, &spent);
	for (size_t i = 0; i < w->def->n_ignoreregex; i++)
		examine(w, &w->ignore[i], t, &spent);
}
