/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/words_grams.h"

#include <errno.h>
#include <stdlib.h>

#define BITS_MIN 12
#define BITS_MAX 17 /* 16 KiB: stays in the first cache */

int grams_init(struct grams *g, unsigned size, size_t n)
{
	g->size = size;
	g->list = calloc(n, sizeof(*g->list));
	return g->list == NULL ? -ENOMEM : 0;
}

void grams_add(struct grams *g, const struct words *w, uint16_t word, unsigned offset)
{
	g->list[g->n++] = (struct gram) {
		.bytes = grams_load(w->unique[word].text + offset, g->size),
		.word = word,
		.offset = (uint8_t)offset,
	};
}

/* No two grams have the same whole hash. */
static int by_hash(const void *a, const void *b)
{
	uint32_t x = grams_hash(((const struct gram *)a)->bytes);
	uint32_t y = grams_hash(((const struct gram *)b)->bytes);

	return x < y ? -1 : x > y;
}

/* The power of two that has room for n, as a logarithm between two others. */
static unsigned log2_of(size_t n, unsigned min, unsigned max)
{
	while (min < max && (size_t)1 << min < n)
		min++;
	return min;
}

int grams_index(struct grams *g)
{
	unsigned bits = log2_of(g->n * 32, BITS_MIN, BITS_MAX);
	unsigned heads = log2_of(g->n * 2, 1, bits);

	g->shift = 32 - bits;
	g->head_shift = 32 - heads;
	g->bits = calloc(((size_t)1 << bits) / 64, sizeof(*g->bits));
	g->heads = calloc(((size_t)1 << heads) + 1, sizeof(*g->heads));
	if (g->bits == NULL || g->heads == NULL)
		return -ENOMEM;
	qsort(g->list, g->n, sizeof(*g->list), by_hash);
	for (size_t i = 0; i < g->n; i++) {
		uint32_t h = grams_hash(g->list[i].bytes), bit = h >> g->shift;

		g->bits[bit / 64] |= (uint64_t)1 << bit % 64;
		g->heads[(h >> g->head_shift) + 1]++;
	}
	for (size_t i = 0; i < (size_t)1 << heads; i++)
		g->heads[i + 1] += g->heads[i];
	return 0;
}

void grams_done(struct grams *g)
{
	free(g->bits);
	free(g->heads);
	free(g->list);
}

void grams_confirm(const struct grams *g, const struct grams_pass *p, uint32_t at, uint32_t gram)
{
	const struct words_unique *unique = p->sink->words->unique;
	uint32_t h = grams_hash(gram) >> g->head_shift;

	for (size_t i = g->heads[h]; i < g->heads[h + 1]; i++) {
		const struct gram *m = &g->list[i];
		const struct words_unique *u = &unique[m->word];
		uint32_t start = at - m->offset;

		/* A place may lie after the end: there are zeros in a copy of the last bytes. */
		if (m->bytes != gram || at < m->offset || (uint64_t)start + u->len > p->len ||
			start + u->len <= p->from)
			continue;
		if (words_is(u, p->buf + start))
			words_sink_put(p->sink, m->word, start + u->len);
	}
}
