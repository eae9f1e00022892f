/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/arena.h"
#include "match/byteset.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A regular expression, taken apart far enough to write texts that it matches (lint), and to tell
 * what each text that it matches has in it (needs.h). What only looks (anchors, lookaround) is
 * there, but says nothing: whether a text matches, the matcher says.
 */
enum retree_kind {
	RETREE_EMPTY,
	RETREE_SET,    /* one byte of `set` */
	RETREE_CAT,    /* all children, one after the other */
	RETREE_ALT,    /* one of the children */
	RETREE_REPEAT, /* the child, min to max times */
	RETREE_GROUP,  /* the child; number 0: it captures nothing */
	RETREE_LOOK,   /* lookaround */
	RETREE_BACK,   /* what the group `number`, or those of that name, captured */
	RETREE_COND, /* has the group `number` or `name` taken part: first child, else the second */
	RETREE_EDGE, /* ^ $ \b \A \z ... */
};

#define RETREE_MANY UINT32_MAX

struct retree_node {
	enum retree_kind kind;
	struct retree_node *child; /* the first */
	struct retree_node *next;  /* of the same parent */
	struct byteset set;
	uint32_t min, max; /* RETREE_MANY: without end */
	unsigned number;
	const char *name; /* or NULL */
	bool is_nocase;   /* RETREE_SET, RETREE_BACK */
	bool is_atomic;   /* RETREE_REPEAT, RETREE_GROUP: what it has taken it does not give back */
	/* RETREE_SET: of texts that are characters it may take some that `set` has no bytes of. */
	bool is_open;
	size_t off, len; /* its place in the expression */
};

struct retree {
	struct retree_node *root;
	unsigned n_groups;
};

/*
 * Takes apart an expression in PCRE2's syntax (what pattern_expand returns) that compiles. The tree
 * lives in the arena and keeps nothing of the text. Returns 0, or -EINVAL for what is too deep, too
 * large or of a kind that log filters do not use (recursion, Unicode properties), with *ret
 * untouched.
 */
int retree_parse(struct retree *ret, struct arena *arena, const char *text, size_t len);
