/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/search.h"

#include "base/utf8.h"
#include "match/filter_priv.h"
#include "match/window.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SKIPS_MAX 16

/* A text with a newline behind, as the regexes see it, in a place of its own. */
struct put {
	char *text;
	size_t room;
};

#define SHARED_MAX 2048 /* of longer texts each filter's search has its own measure */

/* What was found last of a prefregex in the text: filters that share it need not look again. */
struct shared {
	const struct rule *rule; /* NULL: nothing was looked for yet */
	bool found;
	size_t *pairs, room;
};

struct search {
	struct regex_engine *engine;
	struct filter_stats stats;
	struct span whole; /* the line, with its newline */
	bool is_ascii;     /* it is */
	struct put line, content;
	struct shared shared;
	char tuple[2][RULE_TUPLE_MAX];
};

/* One filter's search under way. */
struct run {
	struct search *s;
	const struct filter *f;
	struct window *w;
	struct span whole; /* the line, or the window's lines */
	bool has_fields;
	struct found *ret;
};

struct search *search_new(void)
{
	struct search *s = calloc(1, sizeof(*s));

	if (s != NULL)
		s->engine = regex_engine_new(&s->stats);
	if (s == NULL || s->engine == NULL) {
		search_free(s);
		return NULL;
	}
	return s;
}

void search_free(struct search *s)
{
	if (s == NULL)
		return;
	regex_engine_free(s->engine);
	free(s->line.text);
	free(s->content.text);
	free(s->shared.pairs);
	free(s);
}

static int fit_prefix(struct search *s, const struct rule *rule)
{
	size_t n = 2 * rule_n_pairs(rule);

	if (n > s->shared.room) {
		size_t *larger = reallocarray(s->shared.pairs, n, sizeof(*larger));

		if (larger == NULL)
			return -ENOMEM;
		s->shared.pairs = larger;
		s->shared.room = n;
	}
	return rule_fit(rule, s->engine);
}

int search_fit(struct search *s, const struct filter *f)
{
	int r = f->pref != NULL ? fit_prefix(s, f->pref) : 0;

	for (size_t i = 0; r == 0 && i < f->n_fail; i++)
		r = rule_fit(f->fail[i], s->engine);
	for (size_t i = 0; r == 0 && i < f->n_ignore; i++)
		r = rule_fit(f->ignore[i], s->engine);
	return r;
}

void search_take_stats(struct search *s, struct filter_stats *add)
{
	add->limit_hits += s->stats.limit_hits;
	add->jit_retries += s->stats.jit_retries;
	add->no_memory += s->stats.no_memory;
	s->stats = (struct filter_stats) {0};
}

/*
 * A copy of the text with a newline behind it. What is no UTF-8 is replaced, as fail2ban does it:
 * by that both match the same characters, and no stray byte hides a line.
 */
static bool put_text(
	struct search *s, struct put *p, const char *text, size_t len, struct span *ret)
{
	size_t most = s->is_ascii ? len : UTF8_GROWTH * len;

	if (p->room < most + 1) {
		char *larger = realloc(p->text, most + 1 + most / 2);

		if (larger == NULL) {
			s->stats.no_memory++;
			return false;
		}
		p->text = larger;
		p->room = most + 1 + most / 2;
	}
	if (most > len)
		len = utf8_replace(p->text, text, len);
	else if (len > 0)
		memcpy(p->text, text, len);
	p->text[len] = '\n';
	*ret = (struct span) {p->text, len + 1};
	return true;
}

bool search_begin(struct search *s, const char *text, size_t len, bool newline_follows)
{
	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r')) {
		newline_follows = text[len - 1] == '\n';
		len--;
	}
	s->is_ascii = utf8_ascii(text, len) == len;
	s->shared.rule = NULL;
	if (!s->is_ascii || !newline_follows)
		return put_text(s, &s->line, text, len, &s->whole);
	s->whole = (struct span) {text, len + 1};
	return true;
}

static bool is_ignored(struct run *r, struct span text)
{
	const struct filter *f = r->f;

	for (size_t i = 0; i < f->n_ignore; i++) {
		if (!rule_find(f->ignore[i], r->s->engine, text))
			continue;
		r->ret->regex = (unsigned)i;
		return true;
	}
	return false;
}

static void take(
	struct run *r, const struct rule *rule, const size_t *pairs, struct span text, char *tuple)
{
	if (!r->has_fields)
		fields_clear(&r->ret->fields, r->f->names.n);
	r->has_fields = true;
	rule_take(rule, pairs, text, &r->ret->fields, tuple);
}

/* Is the filter's prefregex in the text? *ret_pairs: by these groups. */
static bool find_shared(struct run *r, const size_t **ret_pairs)
{
	struct shared *p = &r->s->shared;
	const struct rule *rule = r->f->pref;
	bool may_share = r->w == NULL && r->whole.len <= SHARED_MAX;
	uint64_t limit_hits = r->s->stats.limit_hits;

	*ret_pairs = p->pairs;
	if (may_share && p->rule != NULL && rule_same(p->rule, rule))
		return p->found;
	p->found = rule_find(rule, r->s->engine, r->whole);
	/* What could not be told is each filter's to count. */
	p->rule = may_share && r->s->stats.limit_hits == limit_hits ? rule : NULL;
	if (p->found)
		memcpy(p->pairs, regex_pairs(r->s->engine),
			2 * rule_n_pairs(rule) * sizeof(p->pairs[0]));
	return p->found;
}

/*
 * prefregex, which may leave but a part of the line to look at (<F-CONTENT>). In a window that part
 * then stands for all the lines.
 */
static bool find_prefix(struct run *r, struct span *ret_content)
{
	const struct filter *f = r->f;
	const size_t *pairs;

	*ret_content = (struct span) {NULL, 0};
	if (f->pref == NULL)
		return true;
	if (!find_shared(r, &pairs))
		return false;
	take(r, f->pref, pairs, r->whole, r->s->tuple[0]);
	*ret_content = r->ret->fields.v[FIELD_CONTENT];
	fields_put(&r->ret->fields, FIELD_CONTENT, (struct span) {NULL, 0});
	return true;
}

/*
 * The content as a text of its own. Captures of prefregex stay in the line; where the content is
 * the line's end, so does it.
 */
static bool put_content(struct run *r, struct span *content)
{
	const char *end = r->whole.text + r->whole.len - 1;

	if (r->w == NULL && content->text + content->len == end) {
		content->len++;
		return true;
	}
	return put_text(r->s, &r->s->content, content->text, content->len, content);
}

/* Takes the match in the window out of it; returns the number of lines. */
static size_t use_lines(struct run *r, const struct rule *rule, struct span text)
{
	struct span skipped[SKIPS_MAX], all = {text.text, 0};
	struct window_use use = {.skipped = skipped};

	regex_capture(r->s->engine, text.text, 0, &all.text, &all.len);
	use.start = (size_t)(all.text - text.text);
	use.end = use.start + all.len;
	use.n_skipped = rule_skipped(rule, regex_pairs(r->s->engine), text, skipped, SKIPS_MAX);
	return window_take(r->w, text, &use);
}

static enum verdict try_rule(struct run *r, size_t i, struct span text)
{
	const struct rule *rule = r->f->fail[i];
	struct span used = text;

	if (!rule_find(rule, r->s->engine, text))
		return VERDICT_MISS;
	r->ret->regex = (unsigned)i;
	take(r, rule, regex_pairs(r->s->engine), text, r->s->tuple[1]);
	if (r->w != NULL) {
		r->ret->n_lines = (unsigned)use_lines(r, rule, text);
		used = window_used(r->w);
	}
	return is_ignored(r, used) ? VERDICT_IGNORED : VERDICT_MATCH;
}

/* The failregexes on what is to be looked at; the first that matches decides. */
static enum verdict find_failure(struct run *r, const struct search_pick *pick, struct span text)
{
	size_t n = pick != NULL ? pick->n : r->f->n_fail;
	enum verdict v = VERDICT_MISS;

	r->ret->looked_at = text;
	for (size_t i = 0; i < n && v == VERDICT_MISS; i++)
		v = try_rule(r, pick != NULL ? pick->rules[i] : i, text);
	return v;
}

static enum verdict search(struct run *r, const struct search_pick *pick)
{
	const struct filter *f = r->f;
	struct span content;
	enum verdict v;

	/*
	 * fail2ban's order: few ignoreregexes beside many failregexes go first and on the whole
	 * line. The answer then is "ignored" whatever else the line is.
	 */
	if (f->n_ignore > 0 && f->n_ignore + 2 < f->n_fail && is_ignored(r, r->whole))
		return VERDICT_IGNORED;
	if (!find_prefix(r, &content))
		return VERDICT_MISS;
	if (!span_given(content))
		return find_failure(r, pick, r->whole);
	if (!put_content(r, &content))
		return VERDICT_MISS;
	v = find_failure(r, pick, content);
	if (v == VERDICT_MISS && r->w != NULL)
		window_set(r->w, content.text, content.len - 1);
	return v;
}

void search_keep(struct search *s, struct window *w)
{
	if (window_add(w, s->whole.text, s->whole.len - 1) < 0)
		s->stats.no_memory++;
}

void search_run(struct search *s, const struct filter *f, struct window *w,
	const struct search_pick *pick, struct found *ret)
{
	struct run r = {.s = s, .f = f, .w = w, .whole = s->whole, .ret = ret};
	bool line_is_ascii = s->is_ascii;

	ret->verdict = VERDICT_MISS;
	ret->regex = 0;
	ret->n_lines = 1;
	ret->looked_at = (struct span) {NULL, 0};
	if (w != NULL) {
		if (window_add(w, r.whole.text, r.whole.len - 1) < 0) {
			s->stats.no_memory++;
			return;
		}
		r.whole = window_text(w);
		s->is_ascii = utf8_ascii(r.whole.text, r.whole.len) == r.whole.len;
	}
	regex_engine_utf8(s->engine, !s->is_ascii);
	ret->verdict = search(&r, pick);
	s->is_ascii = line_is_ascii;
}
