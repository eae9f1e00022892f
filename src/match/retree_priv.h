/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "match/retree.h"

#include <string.h>

/*
 * What retree.c, which knows how an expression is put together, and retree_set.c, which knows what
 * takes one byte, share; nobody else includes it.
 */

/* The flags in force; a group inherits them and keeps its changes to itself. */
struct retree_flags {
	bool nocase, dotall, extended;
};

struct retree_parser {
	struct arena *arena;
	const char *text;
	size_t len, at;
	unsigned depth;
	size_t n_nodes;
	unsigned n_groups;
	bool failed;
};

/* What comes so far ahead, or -1. */
static inline int retree_peek(const struct retree_parser *p, size_t ahead)
{
	return p->at + ahead < p->len ? (unsigned char)p->text[p->at + ahead] : -1;
}

static inline bool retree_follows(const struct retree_parser *p, const char *s)
{
	size_t n = strlen(s);

	return p->len - p->at >= n && memcmp(p->text + p->at, s, n) == 0;
}

/* Goes behind it if it stands here. */
static inline bool retree_skip(struct retree_parser *p, const char *s)
{
	if (!retree_follows(p, s))
		return false;
	p->at += strlen(s);
	return true;
}

/* Ends the parsing: the expression is none that can be taken apart. Returns NULL. */
struct retree_node *retree_give_up(struct retree_parser *p);

/* A node for what stands from `off` to here; NULL when there are too many. */
struct retree_node *retree_node_new(struct retree_parser *p, enum retree_kind kind, size_t off);

/* The set that \d, \w ... stand for. False for another letter. */
bool retree_escaped_set(int c, struct byteset *ret);

/* The byte that an escape (behind its backslash) stands for, or -1. */
int retree_escaped_byte(struct retree_parser *p);

/* "[...]", at its bracket. */
struct retree_node *retree_class(struct retree_parser *p, const struct retree_flags *f);

/* The byte c, written from `off` to here. */
struct retree_node *retree_literal(
	struct retree_parser *p, const struct retree_flags *f, int c, size_t off);
