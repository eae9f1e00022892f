/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/words_grams.h"
#include "match/words_rare.h"

#include <errno.h>
#include <stdlib.h>

/*
 * Our own engine, in plain C. Of each word a few grams are kept, at `stride` offsets side by side,
 * so that of a buffer only every stride-th gram needs to be looked up: one of the word's is there.
 * Long words make a scan fast, and how many there are hardly matters.
 */

#define STRIDE_MAX 8
#define TURN 64 /* bytes that one table scans before the other: hits come nearly in order */

struct table {
	struct grams grams;
	unsigned stride;
};

struct plain {
	struct table longer, shorter;
};

/* Of the words that are at least min and at most max bytes long. */
static int make_table(struct table *t, const struct words *w, const struct words_rare *rare,
	unsigned size, unsigned min, unsigned max)
{
	unsigned shortest = WORD_LEN_MAX + 1;
	size_t n = 0;
	int r;

	for (size_t i = 0; i < w->n_unique; i++) {
		unsigned len = w->unique[i].len;

		if (len < min || len > max)
			continue;
		shortest = len < shortest ? len : shortest;
		n++;
	}
	if (n == 0)
		return 0;
	t->stride = 1;
	while (t->stride < STRIDE_MAX && size + 2 * t->stride - 1 <= shortest)
		t->stride *= 2;
	r = grams_init(&t->grams, size, n * t->stride);
	if (r < 0)
		return r;
	for (size_t i = 0; i < w->n_unique; i++) {
		const struct words_unique *u = &w->unique[i];
		unsigned at;

		if (u->len < min || u->len > max)
			continue;
		at = words_rarest(rare, u, size, t->stride);
		for (unsigned s = 0; s < t->stride; s++)
			grams_add(&t->grams, w, (uint16_t)i, at + s);
	}
	return grams_index(&t->grams);
}

static void plain_free(void *db)
{
	struct plain *o = db;

	if (o == NULL)
		return;
	grams_done(&o->longer.grams);
	grams_done(&o->shorter.grams);
	free(o);
}

static int plain_build(void **ret, const struct words *w, const struct words_cache *cache)
{
	struct plain *o = calloc(1, sizeof(*o));
	struct words_rare rare;
	int r;

	(void)cache;
	if (o == NULL)
		return -ENOMEM;
	words_rare_init(&rare);
	r = make_table(&o->longer, w, &rare, GRAM_LONG, GRAM_LONG, WORD_LEN_MAX);
	if (r == 0)
		r = make_table(&o->shorter, w, &rare, GRAM_SHORT, WORD_LEN_MIN, GRAM_LONG - 1);
	if (r < 0) {
		plain_free(o);
		return r;
	}
	*ret = o;
	return 0;
}

/* Scans the grams that begin in [at, end) and lie in the buffer; size and stride are constants. */
static inline __attribute__((always_inline)) void scan_grams(const struct grams_pass *p,
	const struct grams *g, uint32_t at, uint32_t end, const unsigned size,
	const unsigned stride)
{
	const unsigned step = stride < 4 ? 8 : 4 * stride; /* at least four grams */
	uint32_t whole = p->len >= step + size ? p->len - step - size : 0;

	for (; at < end && at < whole; at += step) {
		bool any = false;

		for (unsigned i = 0; i < step; i += stride)
			any |= grams_maybe(g, grams_load(p->buf + at + i, size));
		if (__builtin_expect(!any, 1))
			continue;
		for (unsigned i = 0; i < step; i += stride) {
			uint32_t gram = grams_load(p->buf + at + i, size);

			if (grams_maybe(g, gram))
				grams_confirm(g, p, at + i, gram);
		}
	}
	for (; at < end && size <= p->len - at; at += stride) {
		uint32_t gram = grams_load(p->buf + at, size);

		if (grams_maybe(g, gram))
			grams_confirm(g, p, at, gram);
	}
}

static void scan_table(const struct grams_pass *p, const struct table *t, uint32_t at, uint32_t end)
{
	const struct grams *g = &t->grams;

	switch (g->size << 8 | t->stride) {
	case GRAM_LONG << 8 | 8:
		scan_grams(p, g, at, end, GRAM_LONG, 8);
		break;
	case GRAM_LONG << 8 | 4:
		scan_grams(p, g, at, end, GRAM_LONG, 4);
		break;
	case GRAM_LONG << 8 | 2:
		scan_grams(p, g, at, end, GRAM_LONG, 2);
		break;
	case GRAM_LONG << 8 | 1:
		scan_grams(p, g, at, end, GRAM_LONG, 1);
		break;
	case GRAM_SHORT << 8 | 2:
		scan_grams(p, g, at, end, GRAM_SHORT, 2);
		break;
	case GRAM_SHORT << 8 | 1:
		scan_grams(p, g, at, end, GRAM_SHORT, 1);
		break;
	}
}

static int plain_scan(const void *db, void *scratch, struct words_sink *sink, const char *buf,
	uint32_t from, uint32_t len, uint32_t *ret_done)
{
	const struct plain *o = db;
	const struct grams_pass p = {.sink = sink, .buf = buf, .from = from, .len = len};
	uint32_t at = from > WORD_LEN_MAX ? from - WORD_LEN_MAX : 0;
	uint32_t turn = o->longer.grams.n > 0 && o->shorter.grams.n > 0 ? TURN : 64 * TURN;

	(void)scratch;
	/* What begins at the limit ends after it. */
	while (at < len && at < sink->limit) {
		uint32_t end = len - at > turn ? at + turn : len;

		scan_table(&p, &o->longer, at, end);
		scan_table(&p, &o->shorter, at, end);
		at = end;
	}
	*ret_done = sink->limit;
	return 0;
}

const struct words_engine words_engine_plain = {
	.name = "plain",
	.build = plain_build,
	.free = plain_free,
	.scan = plain_scan,
};
