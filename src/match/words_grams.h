/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "match/words_priv.h"

#include <string.h>

/*
 * Grams, bytes that follow each other in words, and a table of bits that lets most places of a
 * buffer pass at once. Letters are folded, roughly, before they are hashed: what passes is compared
 * byte by byte.
 */

#define GRAM_LONG 4
#define GRAM_SHORT 2 /* of words that have no more */

struct gram {
	uint32_t bytes; /* folded */
	uint16_t word;
	uint8_t offset; /* in the word */
};

struct grams {
	unsigned size;  /* of a gram; 0: there is no word */
	unsigned shift; /* a hash's upper bits are the place in bits */
	uint64_t *bits;
	unsigned head_shift; /* still fewer are the place in heads */
	uint32_t *heads;     /* where the grams of a hash begin; one more at the end */
	struct gram *list;
	size_t n;
};

/* A buffer on its way through. */
struct grams_pass {
	struct words_sink *sink;
	const char *buf;
	uint32_t from, len; /* hits end after from */
};

/* Room for n grams of a size. 0 or -ENOMEM. */
int grams_init(struct grams *g, unsigned size, size_t n);

/* One more, which begins there in that word. */
void grams_add(struct grams *g, const struct words *w, uint16_t word, unsigned offset);

/* After the last: makes the table. 0 or -ENOMEM. */
int grams_index(struct grams *g);

void grams_done(struct grams *g);

/* Those words that do stand around a gram which grams_maybe has let pass go to the sink. */
void grams_confirm(const struct grams *g, const struct grams_pass *p, uint32_t at, uint32_t gram);

/* Upper case to lower, and other bytes to others: equal grams stay equal. */
static inline uint32_t grams_load(const char *p, unsigned size)
{
	uint32_t g;
	uint16_t half;

	if (size == GRAM_LONG) {
		memcpy(&g, p, sizeof(g));
		return g | 0x20202020;
	}
	memcpy(&half, p, sizeof(half));
	return half | 0x2020;
}

/* Fibonacci hashing (Knuth, 6.4). */
static inline uint32_t grams_hash(uint32_t gram)
{
	return gram * 0x9e3779b1u;
}

/* False: no word has this gram. */
static inline bool grams_maybe(const struct grams *g, uint32_t gram)
{
	uint32_t h = grams_hash(gram) >> g->shift;

	return g->bits[h / 64] >> h % 64 & 1;
}
