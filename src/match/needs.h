/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * What a text must contain for an expression to be found in it: of each clause at least one word,
 * anywhere. It is less than the expression asks for, never more, whatever bytes the text has, and
 * whether it is searched as bytes or as characters.
 */

#define NEED_WORD_MIN 2 /* bytes of a word */
#define NEED_WORD_MAX 32
#define NEED_WORDS_MAX 512 /* words of a clause: some filters list hundreds of names */
#define NEEDS_MAX 8        /* clauses of an expression */

struct need_word {
	const char *text; /* printable ASCII; but see nocase */
	size_t len;
	/*
	 * The letters of ASCII are equal to their other case. Where other characters are, too (an
	 * "s" to U+017F, a "k" to U+212A), there are words for these, with their UTF-8.
	 */
	bool nocase;
};

/* A clause. */
struct need {
	const struct need_word *words;
	size_t n;      /* at least 1 */
	unsigned bits; /* how rare its words are, see rarity.h: seen in a line of about 2^bits */
};

/* The rarest first. None: nothing is known, the expression is to be tried on each text. */
struct needs {
	const struct need *all;
	size_t n;
};

/*
 * What the source needs (Python's and fail2ban's dialect, see pattern.h; flags: enum pattern_flags,
 * of which PATTERN_UTF8 makes no difference). All lives in the arena. It holds for a text that is
 * searched as a whole, so with maxlines for a window. Returns 0, also where nothing is known, or
 * -ENOMEM with *ret untouched.
 *
 * The text that a filter judges is a line without its date, what stood before and after it joined.
 * No word has in it what such a joint is likely to make: an opening bracket right before its
 * closing one, a quote or a blank right before another.
 */
int needs_of(struct needs *ret, struct arena *arena, const char *source, unsigned flags);

/* Has the text a word of each clause? */
bool needs_hold(const struct needs *n, const char *text, size_t len);
