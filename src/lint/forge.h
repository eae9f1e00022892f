/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "lint/work.h"

/* The addresses in the lines: whose line it is, and who is to be banned in his place. */
#define FORGE_OWN4 "192.0.2.1"
#define FORGE_OWN6 "2001:db8::1"
#define FORGE_OWN_NAME "client.example.com"
#define FORGE_OTHER4 "198.51.100.7"
#define FORGE_OTHER6 "2001:db8:bad::7"

/* Whose line it is. */
extern const struct regen_hosts forge_own;

/* A line that the service could write, and the same line about somebody else. */
struct forge_line {
	struct regen_text own, other;
	size_t regex; /* which failregex it was written from */
};

/* Text that makes another address out of what stands before it, if it is believed. */
struct forge_tail {
	const char *text;
	size_t len;
};

#define FORGE_TAILS_MAX 24 /* of one line */

/*
 * Writes the variant of a line for that failregex, with what prefregex wants around it. Whether the
 * filter takes it is to be seen. Returns 0, or -EINVAL when there is no such line.
 */
int forge_line(struct forge_line *ret, const struct lint_work *w, size_t regex, unsigned variant);

/* A variant of what the expression matches, behind a blank; NULL: none. Lives in the arena. */
const char *forge_text(const struct lint_work *w, const struct lint_regex *r, unsigned variant);

/* The part of the line that the failregexes look at: *ret_off to *ret_end. */
void forge_content(const struct regen_text *t, size_t *ret_off, size_t *ret_end);

/* The tails to be had from a line, at most FORGE_TAILS_MAX. Their texts live in the arena. */
size_t forge_tails(struct arena *arena, const struct forge_line *line, struct forge_tail *ret);

/* Tails that everybody would try. */
extern const struct forge_tail forge_known[];
extern const size_t forge_n_known;
