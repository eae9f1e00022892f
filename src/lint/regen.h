/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "match/retree.h"

/* Writes texts that a regular expression should match. */

#define REGEN_TEXT_MAX 2048
#define REGEN_MARKS_MAX 64

enum regen_kind {
	REGEN_FIELD,   /* a repeat of one set of bytes: somebody may have chosen what stands here */
	REGEN_REPEAT,  /* another repeat without end: of a group, or of a group that has its own use
			*/
	REGEN_HOST,    /* the address */
	REGEN_CONTENT, /* what prefregex leaves to the failregexes */
};

/* A piece of the text and what it stands for. */
struct regen_mark {
	enum regen_kind kind;
	const struct retree_node *node;
	const char *field; /* the innermost named group around it, or NULL */
	bool is_prefix;    /* no word that each line of the expression has stands before it */
	size_t off, len;
};

struct regen_text {
	char text[REGEN_TEXT_MAX + 1];
	size_t len;
	struct regen_mark marks[REGEN_MARKS_MAX]; /* in the order of their ends */
	size_t n_marks;
};

/* What to write where an address is expected. */
struct regen_hosts {
	const char *ip4, *ip6, *name;
};

/*
 * Which of the many texts: 0 has what is optional left out, 1 has all of it; the others are by
 * chance, but the same each time. The address is written wherever there is a place for it, and its
 * text has no influence on the rest.
 */
struct regen_choice {
	unsigned variant;
	const struct regen_hosts *hosts;
	const struct regen_text *content; /* goes in the group "content", with its marks; or NULL */
};

/*
 * Writes a text. Lookaround is not looked at: whether the text matches is to be seen. Returns 0, or
 * -E2BIG with *ret in pieces.
 */
int regen_write(struct regen_text *ret, const struct retree *tree, const struct regen_choice *c);

/* Is there a group of that name in it? */
bool regen_has_group(const struct retree_node *node, const char *name);

/* Is there a group in it that says whom the line means? */
bool regen_has_host(const struct retree_node *node);
