/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/arena.h"
#include "match/filter.h"

/* PCRE2, kept within bounds. Beside this only meter.c and steps.c know its header. */

/*
 * What searching takes, whatever for: stack, limits, the place for captures. An engine belongs to
 * one thread; expressions may be shared by many.
 */
struct regex_engine;

/* Counts in stats what goes wrong. NULL when out of memory. */
struct regex_engine *regex_engine_new(struct filter_stats *stats);
void regex_engine_free(struct regex_engine *e);

struct regex;

/* A named group; a name may stand for several numbers (alternatives). */
struct regex_group {
	const char *name;
	unsigned number;
};

/*
 * Compiles the source (Python's and fail2ban's dialect, see pattern.h). What is wrong goes to f as
 * an error at `where`, told as a fault of `what` ("failregex"). Groups and names live in the arena.
 * flags: enum pattern_flags. PATTERN_UTF8 makes two programs of it: one for texts that are ASCII,
 * which is faster, and one for those that are not; regex_engine_utf8 says which they are.
 * Returns 0, or -EINVAL with *ret untouched.
 */
int regex_new(struct regex **ret, struct arena *arena, const char *what,
	const struct conf_text *source, unsigned flags, struct faults *f);
void regex_free(struct regex *r);

/* Makes room for what the expression captures; before it is searched for. 0 or -ENOMEM. */
int regex_engine_fit(struct regex_engine *e, const struct regex *r);

/* How many groups it has, named or not, but for the whole. */
unsigned regex_count(const struct regex *r);

/* Its named groups, those of the lowest number first. */
const struct regex_group *regex_groups(const struct regex *r, size_t *ret_n);

/*
 * The texts searched from now on are valid UTF-8 and have more than ASCII in them, or not. Only
 * expressions with PATTERN_UTF8 care; for those it must be true. What searching may cost is counted
 * from here on: call it for each line.
 */
void regex_engine_utf8(struct regex_engine *e, bool is_utf8);

/*
 * Is it found in text[0..len)? When a limit was met twice, by the compiled code and the
 * interpreter, or the line has cost all that it may, that is counted and the answer is no.
 */
bool regex_find(struct regex_engine *e, const struct regex *r, const char *text, size_t len);

/* The same in text[from..end), as Python's search with pos and endpos: "^" is still at text[0]. */
bool regex_find_from(
	struct regex_engine *e, const struct regex *r, const char *text, size_t from, size_t end);

/* Is it found at a text's start or not at all? */
bool regex_is_anchored(const struct regex *r);

/* Is there a text that begins with text[0..len), len > 0, in which it is found? Yes is a safe
 * answer.
 */
bool regex_may_find(struct regex_engine *e, const struct regex *r, const char *text, size_t len);

/*
 * Where the groups of the regex found last begin and end: two offsets each, SIZE_MAX where a group
 * took no part.
 */
const size_t *regex_pairs(const struct regex_engine *e);

/*
 * What a group captured in the regex found last, or false if it took no part. *ret borrows from the
 * text searched.
 */
bool regex_capture(const struct regex_engine *e, const char *text, unsigned number,
	const char **ret, size_t *ret_len);
