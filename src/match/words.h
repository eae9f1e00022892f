/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A set of words, looked for in a whole buffer at once. A word is any bytes; "nocase" is about
 * ASCII's letters only.
 */

#define WORDS_MAX 4096 /* in one set */
#define WORD_LEN_MIN 2
#define WORD_LEN_MAX 32

struct word {
	const char *text;
	uint8_t len;
	bool nocase;
};

/* A set. It never changes: any number of threads may scan, each with a scanner of its own. */
struct words;

/* What one thread needs to scan. */
struct words_scanner;

/* The directory that compiled sets are kept in, or -1; it stays the caller's. See words_cache.h. */
struct words_cache {
	int dir_fd;
};

/* The word of that place in the list; the offset of the byte after it. */
struct words_hit {
	uint32_t word;
	uint32_t end;
};

/*
 * Makes a set of the n words of the list, which are copied; the same word may be there more than
 * once. cache may be NULL. Returns 0, -EINVAL (a word that is too short or too long, too many
 * words) or -ENOMEM. The set outlives its scanners.
 */
int words_new(
	struct words **ret, const struct word *list, size_t n, const struct words_cache *cache);

/* Takes NULL. */
void words_free(struct words *w);

/* What looks for them: "teddy" (few words, AVX2), "hyperscan", or "plain" where neither can. */
const char *words_engine(const struct words *w);

/* 0 or -ENOMEM. */
int words_scanner_new(struct words_scanner **ret, const struct words *w);

/* Takes NULL. */
void words_scanner_free(struct words_scanner *s);

/* How often Hyperscan has failed and the plain engine has scanned in its place. */
uint64_t words_scanner_failures(const struct words_scanner *s);

/*
 * Finds every occurrence of every word in the len bytes (less than 4 GiB), also where they overlap.
 * Returns how many hits were written, at most max, in order of their ends (those with the same end
 * in any order). All hits that end at *ret_upto or before are among them, and no others: it is len
 * unless there were more than max. Where more than max words end at one place, nothing is said of
 * that place and *ret_upto is before it. Allocates nothing and never fails.
 */
size_t words_scan(const struct words *w, struct words_scanner *s, const char *buf, size_t len,
	struct words_hit *hits, size_t max, size_t *ret_upto);
