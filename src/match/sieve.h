/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "match/filter.h"
#include "match/search.h"
#include "match/words.h"

/*
 * Tells from the words in a log which of its lines which failregexes may be found in, before any of
 * them is tried: most lines are nothing to anybody. What it says no to is none for sure; that holds
 * for a line whose date is cut out, too, where the cut leaves nothing new side by side
 * (sieve_holds).
 */
struct sieve;

/*
 * For n filters, which it borrows. cache: see words_new. 0, -E2BIG (more filters or rules than
 * anybody has) or -ENOMEM.
 */
int sieve_new(struct sieve **ret, const struct filter *const *filters, size_t n,
	const struct words_cache *cache);
void sieve_free(struct sieve *s);

/* What looks for its words (words_engine); NULL: it has none to look for. */
const char *sieve_engine(const struct sieve *s);

/* Failregexes of one filter that a line may be found by. */
struct sieve_pick {
	size_t filter; /* place in the list */
	struct search_pick rules;
};

/* What one thread needs to look through a sieve. NULL when out of memory. */
struct sieve_scan;

struct sieve_scan *sieve_scan_new(const struct sieve *s);
void sieve_scan_free(struct sieve_scan *sc);

/* See words_scanner_failures. */
uint64_t sieve_scan_failures(const struct sieve_scan *sc);

/* Takes up a buffer of less than 4 GiB; it is borrowed for the calls of sieve_line that follow. */
void sieve_begin(struct sieve_scan *sc, const char *buf, size_t len);

/*
 * The picks of a line of that buffer, at buf[off..off+len), filters in order; lines are asked about
 * in the order in which they stand. Borrowed until the next call.
 */
size_t sieve_line(struct sieve_scan *sc, size_t off, size_t len, const struct sieve_pick **ret);

/*
 * Lines that end before this offset of the buffer, and were not asked about yet, need not be: there
 * is no pick for them.
 */
size_t sieve_next(struct sieve_scan *sc);

/* Tells whether a pick was found after all: where most are, less is done to rule them out. */
void sieve_learn(struct sieve_scan *sc, size_t filter, size_t rule, bool was_found);

/* Does what the sieve says of a line hold for it without its bytes [off..off+n)? */
bool sieve_holds(const char *line, size_t len, size_t off, size_t n);
