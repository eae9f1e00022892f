/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lint/lint.h"

#include "base/text.h"
#include "lint/work.h"

#include <string.h>

#define SHOWN_MAX 600 /* bytes of a text that a message has room for */
#define EXCERPT_MAX 40

const char *lint_show(struct lint_work *w, const char *text, size_t len)
{
	char shown[4 * SHOWN_MAX + 8];
	size_t half = SHOWN_MAX / 2, n;

	if (len <= SHOWN_MAX) {
		n = text_escape(shown, sizeof(shown), text, len);
		return arena_strndup(w->arena, shown, n);
	}
	n = text_escape(shown, sizeof(shown) / 2, text, half);
	n += text_escape(shown + n, 4, "...", 3);
	n += text_escape(shown + n, sizeof(shown) - n, text + len - half, half);
	return arena_strndup(w->arena, shown, n);
}

const char *lint_excerpt(
	struct lint_work *w, const struct lint_regex *r, const struct retree_node *node)
{
	size_t off = pattern_source(&r->pattern, node->off);
	size_t end = pattern_source(&r->pattern, node->off + node->len);
	size_t len = end > off ? end - off : 0;
	char shown[4 * EXCERPT_MAX + 8];

	text_escape(
		shown, sizeof(shown), r->source->text + off, len < EXCERPT_MAX ? len : EXCERPT_MAX);
	return arena_printf(w->arena, "%s%s", shown, len > EXCERPT_MAX ? "..." : "");
}

/* What cannot be taken apart stays without a tree, and is not looked at further. */
static void take_apart(
	struct lint_work *w, struct lint_regex *r, const char *what, const struct conf_text *source)
{
	struct pattern_error error;

	r->what = what;
	r->source = source;
	if (pattern_expand(&r->pattern, source->text, w->flags, &error) == 0)
		retree_parse(&r->tree, w->arena, buf_text(&r->pattern.text), r->pattern.text.len);
}

static void examine(struct lint_work *w)
{
	const struct filter_def *def = w->def;

	if (def->maxlines > 1)
		w->flags |= PATTERN_MULTILINE;
	if (def->usedns.text != NULL && strcasecmp(def->usedns.text, "no") == 0)
		w->flags |= PATTERN_NO_NAMES;
	w->fail = arena_array(w->arena, def->n_failregex, sizeof(*w->fail));
	w->ignore = arena_array(w->arena, def->n_ignoreregex, sizeof(*w->ignore));
	if (def->prefregex.text != NULL)
		take_apart(w, &w->pref, "prefregex", &def->prefregex);
	for (size_t i = 0; i < def->n_failregex; i++)
		take_apart(w, &w->fail[i], def->heads != NULL ? "rule" : "failregex",
			&def->failregex[i]);
	for (size_t i = 0; i < def->n_ignoreregex; i++)
		take_apart(w, &w->ignore[i], "ignoreregex", &def->ignoreregex[i]);
	inject_lint(w);
	slow_lint(w);
	if (w->is_partial)
		fault_add(w->faults, FAULT_WARNING, def->failregex[0].where,
			"filter '%s' is so large that not all of it could be tried for what an "
			"attacker could do; split it into several",
			lint_show(w, def->name, strlen(def->name)));
	pattern_done(&w->pref.pattern);
	for (size_t i = 0; i < def->n_failregex; i++)
		pattern_done(&w->fail[i].pattern);
	for (size_t i = 0; i < def->n_ignoreregex; i++)
		pattern_done(&w->ignore[i].pattern);
}

void lint_filter(const struct filter_def *def, struct faults *f)
{
	struct lint_work w = {.def = def, .faults = f, .arena = arena_new()};
	struct faults known = {0};

	if (w.arena != NULL && filter_new(&w.filter, def, &known) == 0)
		examine(&w);
	faults_done(&known);
	filter_free(w.filter);
	arena_free(w.arena);
}

static bool are_same_texts(
	const struct conf_text *a, size_t n_a, const struct conf_text *b, size_t n_b)
{
	for (size_t i = 0; n_a == n_b && i < n_a; i++) {
		if (!conf_text_same(&a[i], &b[i]))
			return false;
	}
	return n_a == n_b;
}

bool lint_is_same(const struct filter_def *a, const struct filter_def *b)
{
	if (a == b)
		return true;
	return a->maxlines == b->maxlines && conf_text_same(&a->usedns, &b->usedns) &&
	       conf_text_same(&a->prefregex, &b->prefregex) &&
	       are_same_texts(a->failregex, a->n_failregex, b->failregex, b->n_failregex) &&
	       are_same_texts(a->ignoreregex, a->n_ignoreregex, b->ignoreregex, b->n_ignoreregex);
}
