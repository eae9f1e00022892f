/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "lint/regen.h"
#include "match/filter.h"
#include "match/pattern.h"
#include "match/retree.h"

/* An expression under examination. */
struct lint_regex {
	const char *what; /* "failregex" */
	const struct conf_text *source;
	struct pattern pattern;
	struct retree tree; /* root NULL: it could not be taken apart */
};

/* A filter under examination. */
struct lint_work {
	const struct filter_def *def;
	struct filter *filter;
	struct arena *arena;
	struct faults *faults;
	unsigned flags;         /* enum pattern_flags that its expressions are compiled with */
	struct lint_regex pref; /* source NULL: none */
	struct lint_regex *fail, *ignore;
	bool is_partial; /* the filter is so large that not all of it was tried */
};

/*
 * Finds the expressions from which an attacker can have another address than his own taken, and
 * those that are open at an end where that matters.
 */
void inject_lint(struct lint_work *w);

/* Finds the expressions whose work grows faster than the line. */
void slow_lint(struct lint_work *w);

/* What the expression has for the node: "\S+". Lives in the arena. */
const char *lint_excerpt(
	struct lint_work *w, const struct lint_regex *r, const struct retree_node *node);

/* The text for people, shortened in its middle, without what could hurt a terminal. In the arena.
 */
const char *lint_show(struct lint_work *w, const char *text, size_t len);
