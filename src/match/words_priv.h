/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "match/words.h"

/* What words.c and the engines share; nobody else includes it but their tests. */

/* A word that is there once: in lower case if it is nocase, and only then if it has letters. */
struct words_unique {
	const char *text;
	uint8_t len;
	bool nocase;
	uint16_t first; /* its place in the list; words.next leads to the others */
};

/* Where hits go: those with the smallest ends stay when there are too many. */
struct words_sink {
	const struct words *words;
	struct words_hit *hits;
	size_t n, max;
	uint32_t limit; /* the greatest end that is still complete */
};

struct words_engine {
	const char *name;
	/* 0 or -errno; what it makes never changes. */
	int (*build)(void **ret, const struct words *w, const struct words_cache *cache);
	void (*free)(void *db);
	/* What a thread needs; NULL if it needs nothing and never fails. */
	int (*scratch)(void **ret, const void *db);
	void (*scratch_free)(void *scratch);
	/*
	 * Puts the hits of the buffer that end after `from` into the sink, until the buffer's end
	 * or the sink's limit. 0, or -errno after which everything that ends after *ret_done is to
	 * be scanned again.
	 */
	int (*scan)(const void *db, void *scratch, struct words_sink *sink, const char *buf,
		uint32_t from, uint32_t len, uint32_t *ret_done);
};

struct words {
	struct words_unique *unique;
	size_t n_unique;
	uint16_t *next; /* of the same text in the list; WORDS_MAX: no more */
	char *texts;
	uint8_t longest;
	const struct words_engine *engine;
	void *db;
	void *plain; /* the plain engine's, if that one may fail */
};

struct words_scanner {
	const struct words *words;
	void *scratch;
	uint64_t failures;
};

extern const struct words_engine words_engine_plain;
#ifdef __x86_64__
extern const struct words_engine words_engine_teddy;
/* The same, for sets with which it is quicker than Hyperscan. */
extern const struct words_engine words_engine_teddy_quick;
#endif
#ifdef HAVE_HYPERSCAN
extern const struct words_engine words_engine_hs;
#endif

/* As words_new, by the first of these engines that can; by the plain one if none does. */
int words_new_with(struct words **ret, const struct word *list, size_t n,
	const struct words_cache *cache, const struct words_engine *const *engines,
	size_t n_engines);

/* Does the word stand here? There are as many bytes as it has. */
bool words_is(const struct words_unique *u, const char *p);

/* A hit that cannot simply be appended: out of order, a word that is there twice, no room. */
void words_sink_insert(struct words_sink *k, uint16_t unique, uint32_t end);

/* One hit, in any order. */
static inline void words_sink_put(struct words_sink *k, uint16_t unique, uint32_t end)
{
	uint16_t first = k->words->unique[unique].first;

	if (k->n < k->max && k->words->next[first] == WORDS_MAX && end <= k->limit &&
		(k->n == 0 || k->hits[k->n - 1].end <= end))
		k->hits[k->n++] = (struct words_hit) {.word = first, .end = end};
	else
		words_sink_insert(k, unique, end);
}

/* ASCII's letters in lower case, all else as it is. */
static inline uint8_t words_lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}
