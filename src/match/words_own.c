/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/words_priv.h"

#include "base/util.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * Our own engine. Of each word a few bytes that follow each other are chosen, as rare ones as it
 * has: a gram of 4 bytes (of 2 where words are shorter) at each of `stride` offsets side by side.
 * Only every stride-th gram of the buffer is looked up, in a table of bits, as one of the word's
 * grams must be there; what the bits let pass is compared. So long words make a scan fast, and how
 * many there are hardly matters. Letters are folded, roughly, before they are hashed; the
 * comparison is exact.
 */

#define BITS_MIN 12
#define BITS_MAX 17 /* 16 KiB: stays in the first cache */
#define STRIDE_MAX 8
#define TURN 512 /* bytes that one table scans before the other does; a multiple of STRIDE_MAX */
#define SPREAD 0x9e3779b1u /* 2^32 / golden ratio: Fibonacci hashing (Knuth, 6.4) */

struct gram {
	uint32_t bytes; /* folded */
	uint16_t word;
	uint8_t offset; /* in the word */
};

struct table {
	unsigned size, stride; /* size 0: no words */
	unsigned shift;        /* a hash's upper bits are the place in bits and in heads */
	uint64_t *bits;
	uint32_t *heads; /* where the grams of a hash begin; one more at the end */
	struct gram *grams;
	size_t n;
};

struct own {
	const struct words *words;
	struct table longer, shorter;
};

/* Upper case to lower, and other bytes to others: equal grams stay equal. */
static inline uint32_t load_gram(const char *p, unsigned size)
{
	uint32_t g;
	uint16_t half;

	if (size == 4) {
		memcpy(&g, p, 4);
		return g | 0x20202020;
	}
	memcpy(&half, p, 2);
	return half | 0x2020;
}

static inline uint32_t spread(uint32_t gram, unsigned shift)
{
	return gram * SPREAD >> shift;
}

/* How common a byte is in logs, roughly: a gram's cost is the product. */
static unsigned commonness(uint8_t c)
{
	uint8_t l = words_lower(c);

	if (l == ' ' || strchr("etaoinsr", l) != NULL)
		return l == '\0' ? 1 : 16;
	if (l >= '0' && l <= '9')
		return 12;
	if (l >= 'a' && l <= 'z')
		return 8;
	return strchr(":-.[]()=/", l) != NULL ? 6 : 2;
}

/* The offset at which the word's grams are least common. */
static unsigned choose_offset(const struct words_unique *u, const struct table *t)
{
	unsigned best = 0;
	uint64_t least = UINT64_MAX;

	for (unsigned o = 0; o + t->size + t->stride - 1 <= u->len; o++) {
		uint64_t sum = 0;

		for (unsigned s = 0; s < t->stride; s++) {
			uint64_t product = 1;

			for (unsigned i = 0; i < t->size; i++)
				product *= commonness((uint8_t)u->text[o + s + i]);
			sum += product;
		}
		if (sum < least) {
			least = sum;
			best = o;
		}
	}
	return best;
}

static int by_hash(const void *a, const void *b)
{
	uint32_t x = ((const struct gram *)a)->bytes * SPREAD;
	uint32_t y = ((const struct gram *)b)->bytes * SPREAD;

	return x < y ? -1 : x > y;
}

static int index_grams(struct table *t)
{
	unsigned log2 = BITS_MIN;
	size_t n_heads;

	while (log2 < BITS_MAX && (size_t)1 << log2 < t->n * 32)
		log2++;
	n_heads = (size_t)1 << log2;
	t->shift = 32 - log2;
	t->bits = calloc(n_heads / 64, sizeof(*t->bits));
	t->heads = calloc(n_heads + 1, sizeof(*t->heads));
	if (t->bits == NULL || t->heads == NULL)
		return -ENOMEM;
	/* The hash is a bijection: sorting by it keeps the same grams side by side. */
	qsort(t->grams, t->n, sizeof(*t->grams), by_hash);
	for (size_t i = 0; i < t->n; i++) {
		uint32_t h = spread(t->grams[i].bytes, t->shift);

		t->bits[h / 64] |= (uint64_t)1 << h % 64;
		t->heads[h + 1]++;
	}
	for (size_t i = 0; i < n_heads; i++)
		t->heads[i + 1] += t->heads[i];
	return 0;
}

/* A table of the words that are at least min and at most max bytes long. */
static int make_table(
	struct table *t, const struct words *w, unsigned size, unsigned min, unsigned max)
{
	unsigned shortest = WORD_LEN_MAX + 1;
	size_t n = 0;

	for (size_t i = 0; i < w->n_unique; i++) {
		unsigned len = w->unique[i].len;

		if (len < min || len > max)
			continue;
		shortest = len < shortest ? len : shortest;
		n++;
	}
	if (n == 0)
		return 0;
	t->size = size;
	t->stride = 1;
	while (t->stride < STRIDE_MAX && size + 2 * t->stride - 1 <= shortest)
		t->stride *= 2;
	t->grams = calloc(n * t->stride, sizeof(*t->grams));
	if (t->grams == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < w->n_unique; i++) {
		const struct words_unique *u = &w->unique[i];
		unsigned at;

		if (u->len < min || u->len > max)
			continue;
		at = choose_offset(u, t);
		for (unsigned s = 0; s < t->stride; s++)
			t->grams[t->n++] = (struct gram) {
				.bytes = load_gram(u->text + at + s, size),
				.word = (uint16_t)i,
				.offset = (uint8_t)(at + s),
			};
	}
	return index_grams(t);
}

static void table_done(struct table *t)
{
	free(t->bits);
	free(t->heads);
	free(t->grams);
}

static void own_free(void *db)
{
	struct own *o = db;

	if (o == NULL)
		return;
	table_done(&o->longer);
	table_done(&o->shorter);
	free(o);
}

static int own_build(void **ret, const struct words *w, const struct words_cache *cache)
{
	struct own *o = calloc(1, sizeof(*o));
	int r;

	(void)cache;
	if (o == NULL)
		return -ENOMEM;
	o->words = w;
	r = make_table(&o->longer, w, 4, 4, WORD_LEN_MAX);
	if (r == 0)
		r = make_table(&o->shorter, w, 2, WORD_LEN_MIN, 3);
	if (r < 0) {
		own_free(o);
		return r;
	}
	*ret = o;
	return 0;
}

static bool is_word(const struct words_unique *u, const char *p)
{
	if (!u->nocase)
		return memcmp(p, u->text, u->len) == 0;
	for (size_t i = 0; i < u->len; i++)
		if (words_lower((uint8_t)p[i]) != (uint8_t)u->text[i])
			return false;
	return true;
}

/* A buffer on its way through. */
struct pass {
	const struct own *own;
	struct words_sink *sink;
	const char *buf;
	uint32_t from, len;
};

/* The bits have let the gram at this place pass: which words are really there? */
static void __attribute__((noinline))
confirm(const struct pass *p, const struct table *t, uint32_t at, uint32_t gram)
{
	uint32_t h = spread(gram, t->shift);

	for (size_t i = t->heads[h]; i < t->heads[h + 1]; i++) {
		const struct gram *g = &t->grams[i];
		const struct words_unique *u = &p->own->words->unique[g->word];
		uint32_t start = at - g->offset;

		if (g->bytes != gram || at < g->offset || u->len > p->len - start ||
			start + u->len <= p->from)
			continue;
		if (is_word(u, p->buf + start))
			words_sink_put(p->sink, g->word, start + u->len);
	}
}

static inline bool maybe(const struct table *t, uint32_t gram)
{
	uint32_t h = spread(gram, t->shift);

	return t->bits[h / 64] >> h % 64 & 1;
}

/* Scans the grams that begin in [at, end) and lie in the buffer; size and stride are constants. */
static inline __attribute__((always_inline)) void scan_grams(const struct pass *p,
	const struct table *t, uint32_t at, uint32_t end, const unsigned size,
	const unsigned stride)
{
	uint32_t whole = p->len >= 8 + size ? p->len - 8 - size : 0;

	for (; at < end && at < whole; at += 8) {
		bool any = false;

		for (unsigned i = 0; i < 8; i += stride)
			any |= maybe(t, load_gram(p->buf + at + i, size));
		if (__builtin_expect(!any, 1))
			continue;
		for (unsigned i = 0; i < 8; i += stride) {
			uint32_t gram = load_gram(p->buf + at + i, size);

			if (maybe(t, gram))
				confirm(p, t, at + i, gram);
		}
	}
	for (; at < end && size <= p->len - at; at += stride) {
		uint32_t gram = load_gram(p->buf + at, size);

		if (maybe(t, gram))
			confirm(p, t, at, gram);
	}
}

static void scan_table(const struct pass *p, const struct table *t, uint32_t at, uint32_t end)
{
	switch (t->size << 8 | t->stride) {
	case 0x408:
		scan_grams(p, t, at, end, 4, 8);
		break;
	case 0x404:
		scan_grams(p, t, at, end, 4, 4);
		break;
	case 0x402:
		scan_grams(p, t, at, end, 4, 2);
		break;
	case 0x401:
		scan_grams(p, t, at, end, 4, 1);
		break;
	case 0x202:
		scan_grams(p, t, at, end, 2, 2);
		break;
	case 0x201:
		scan_grams(p, t, at, end, 2, 1);
		break;
	}
}

static int own_scan(const void *db, void *scratch, struct words_sink *sink, const char *buf,
	uint32_t from, uint32_t len, uint32_t *ret_done)
{
	const struct own *o = db;
	const struct pass p = {.own = o, .sink = sink, .buf = buf, .from = from, .len = len};
	uint32_t at = from > WORD_LEN_MAX ? (from - WORD_LEN_MAX) & ~(STRIDE_MAX - 1u) : 0;

	(void)scratch;
	/* What begins at the limit ends after it. */
	while (at < len && at < sink->limit) {
		uint32_t end = len - at > TURN ? at + TURN : len;

		scan_table(&p, &o->longer, at, end);
		scan_table(&p, &o->shorter, at, end);
		at = end;
	}
	*ret_done = sink->limit;
	return 0;
}

const struct words_engine words_engine_own = {
	.name = "own",
	.build = own_build,
	.free = own_free,
	.scan = own_scan,
};
