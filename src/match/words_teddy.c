/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/words_grams.h"
#include "match/words_rare.h"

#include <errno.h>
#include <immintrin.h>
#include <stdlib.h>

/*
 * For few words, on processors with AVX2. Of each word a window of up to four bytes is chosen, and
 * it is put into one of eight groups. Tables say for each half of a byte, at each place of the
 * window, which groups have it there, a bit a group; so 32 places of the buffer are looked at
 * together, with 16 shuffles of bytes, and where a bit is left, the window is looked up among the
 * words' grams. (That is Hyperscan's "Teddy": Wang et al., NSDI 2019. Here a word's window may be
 * anywhere in it; windows and groups are chosen together, so that little is let pass that is no
 * word.)
 */

#define GROUPS 8
#define WINDOW GRAM_LONG
#define STEP 32
#define WORDS_FEW 1024
#define LITTLE 0.06f /* share of places that are let pass up to which Hyperscan is slower */

struct teddy {
	uint8_t low[WINDOW][16], high[WINDOW][16];
	struct grams longer, shorter;
};

/* --- building: windows and groups ------------------------------------------------------------- */

/* What a group lets pass at one place of the window. */
struct place {
	uint16_t low, high; /* sets of halves */
	float rows[16]; /* for each upper half, how often it comes with a lower one of the set */
	float share;    /* of all bytes */
};

struct group {
	struct place places[WINDOW];
	float share; /* of all windows */
};

/* Halves of the byte of a word; with nocase two upper ones. */
static uint16_t high_set(const struct words_unique *u, unsigned i)
{
	uint8_t c = (uint8_t)u->text[i];
	unsigned set = 1u << (c >> 4);

	if (u->nocase && c >= 'a' && c <= 'z')
		set |= 1u << ((c ^ 0x20) >> 4);
	return (uint16_t)set;
}

/* The place's share with these halves as well. */
static float place_with(
	const struct place *p, const struct words_rare *r, uint16_t high, unsigned low)
{
	bool new = (p->low >> low & 1) == 0;
	float sum = 0;

	for (unsigned set = p->high | high; set != 0; set &= set - 1) {
		unsigned h = (unsigned)__builtin_ctz(set);

		sum += p->rows[h] + (new ? r->bytes[h << 4 | low] : 0);
	}
	return sum;
}

static void place_add(struct place *p, const struct words_rare *r, uint16_t high, unsigned low)
{
	p->share = place_with(p, r, high, low);
	for (unsigned h = 0; (p->low >> low & 1) == 0 && h < 16; h++)
		p->rows[h] += r->bytes[h << 4 | low];
	p->low |= (uint16_t)(1u << low);
	p->high |= high;
}

/* The group's share with that window of the word as well. */
static float group_with(const struct group *g, const struct words_rare *r,
	const struct words_unique *u, unsigned at)
{
	float share = 1;

	for (unsigned k = 0; k < WINDOW && at + k < u->len; k++)
		share *= place_with(&g->places[k], r, high_set(u, at + k), u->text[at + k] & 15);
	return share;
}

static void group_add(
	struct group *g, const struct words_rare *r, const struct words_unique *u, unsigned at)
{
	g->share = group_with(g, r, u, at);
	for (unsigned k = 0; k < WINDOW; k++) {
		struct place *p = &g->places[k];

		if (at + k < u->len)
			place_add(p, r, high_set(u, at + k), u->text[at + k] & 15);
		else
			for (unsigned low = 0; low < 16; low++)
				place_add(p, r, 0xffff, low);
	}
}

/*
 * Where the word's window lets the least pass, and that window's group, to which it is added. What
 * is looked up and is a word's gram costs some three times what other places do.
 */
static unsigned choose(
	struct group groups[GROUPS], const struct words_rare *r, const struct words_unique *u)
{
	unsigned size = u->len < WINDOW ? u->len : WINDOW, best_at = 0, best_group = 0;
	float least = GROUPS + 3;

	for (unsigned at = 0; at + size <= u->len; at++) {
		float lookups = 3 * words_rare_share(r, u->text + at, size);

		for (unsigned g = 0; g < GROUPS && lookups < least; g++) {
			float cost = group_with(&groups[g], r, u, at) - groups[g].share + lookups;

			if (cost >= least)
				continue;
			least = cost;
			best_at = at;
			best_group = g;
		}
	}
	group_add(&groups[best_group], r, u, best_at);
	return best_at;
}

static void set_tables(struct teddy *t, const struct group groups[GROUPS])
{
	for (unsigned g = 0; g < GROUPS; g++)
		for (unsigned k = 0; k < WINDOW; k++)
			for (unsigned h = 0; h < 16; h++) {
				unsigned low = groups[g].places[k].low >> h & 1;
				unsigned high = groups[g].places[k].high >> h & 1;

				t->low[k][h] |= (uint8_t)(low << g);
				t->high[k][h] |= (uint8_t)(high << g);
			}
}

/* 0, -ENOMEM, or -ENOTSUP: groups would let more than that share of all places pass. */
static int fill(struct teddy *t, const struct words *w, float most)
{
	struct group groups[GROUPS] = {0};
	struct words_rare rare;
	size_t n_short = 0;
	int r = 0;

	words_rare_init(&rare);
	while (n_short < w->n_unique && w->unique[n_short].len < GRAM_LONG)
		n_short++;
	if (n_short > 0)
		r = grams_init(&t->shorter, GRAM_SHORT, n_short);
	if (r == 0 && n_short < w->n_unique)
		r = grams_init(&t->longer, GRAM_LONG, w->n_unique - n_short);
	/* The shortest first: they have the least choice. */
	for (size_t i = 0; r == 0 && i < w->n_unique; i++) {
		float share = 0;

		grams_add(i < n_short ? &t->shorter : &t->longer, w, (uint16_t)i,
			choose(groups, &rare, &w->unique[i]));
		for (unsigned g = 0; g < GROUPS; g++)
			share += groups[g].share;
		r = share > most ? -ENOTSUP : 0;
	}
	if (r == 0 && t->shorter.size != 0)
		r = grams_index(&t->shorter);
	if (r == 0 && t->longer.size != 0)
		r = grams_index(&t->longer);
	set_tables(t, groups);
	return r;
}

static void teddy_free(void *db)
{
	struct teddy *t = db;

	grams_done(&t->longer);
	grams_done(&t->shorter);
	free(t);
}

static int build(void **ret, const struct words *w, float most)
{
	struct teddy *t;
	int r;

	if (w->n_unique == 0 || w->n_unique > WORDS_FEW || !__builtin_cpu_supports("avx2"))
		return -ENOTSUP;
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return -ENOMEM;
	r = fill(t, w, most);
	if (r < 0) {
		teddy_free(t);
		return r;
	}
	*ret = t;
	return 0;
}

static int teddy_build(void **ret, const struct words *w, const struct words_cache *cache)
{
	(void)cache;
	return build(ret, w, GROUPS);
}

static int teddy_build_quick(void **ret, const struct words *w, const struct words_cache *cache)
{
	(void)cache;
	return build(ret, w, LITTLE);
}

/* --- scanning --------------------------------------------------------------------------------- */

/* Some group has what stands at this place. */
static inline void look_up(
	const struct teddy *t, const struct grams_pass *p, const char *window, uint32_t at)
{
	uint32_t gram = grams_load(window, GRAM_LONG);

	if (t->longer.size != 0 && grams_maybe(&t->longer, gram))
		grams_confirm(&t->longer, p, at, gram);
	if (t->shorter.size == 0)
		return;
	gram = grams_load(window, GRAM_SHORT);
	if (grams_maybe(&t->shorter, gram))
		grams_confirm(&t->shorter, p, at, gram);
}

/* For each of 32 places the groups that have it. 35 bytes are read. */
static inline __attribute__((always_inline, target("avx2"))) __m256i find_groups(
	const __m256i low[WINDOW], const __m256i high[WINDOW], const char *block)
{
	const __m256i half = _mm256_set1_epi8(15);
	__m256i groups = _mm256_set1_epi8(-1);

	for (unsigned k = 0; k < WINDOW; k++) {
		__m256i v = _mm256_loadu_si256((const __m256i *)(block + k));
		__m256i l = _mm256_shuffle_epi8(low[k], _mm256_and_si256(v, half));
		__m256i h = _mm256_shuffle_epi8(
			high[k], _mm256_and_si256(_mm256_srli_epi16(v, 4), half));

		groups = _mm256_and_si256(groups, _mm256_and_si256(l, h));
	}
	return groups;
}

/* Looks up the places of a block that is at `at` in the buffer, or is a copy of what is there. */
static inline __attribute__((always_inline, target("avx2"))) void look_up_block(
	const struct teddy *t, const struct grams_pass *p, __m256i groups, const char *block,
	uint32_t at)
{
	uint32_t places =
		~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(groups, _mm256_setzero_si256()));

	for (; places != 0; places &= places - 1) {
		unsigned i = (unsigned)__builtin_ctz(places);

		look_up(t, p, block + i, at + i);
	}
}

static __attribute__((target("avx2"))) int teddy_scan(const void *db, void *scratch,
	struct words_sink *sink, const char *buf, uint32_t from, uint32_t len, uint32_t *ret_done)
{
	const struct teddy *t = db;
	const struct grams_pass p = {.sink = sink, .buf = buf, .from = from, .len = len};
	uint32_t at = from > WORD_LEN_MAX ? from - WORD_LEN_MAX : 0;
	uint32_t stop = len > STEP + WINDOW ? len - STEP - WINDOW : 0, rest_len;
	char rest[2 * STEP + 2 * WINDOW] = {0};
	__m256i low[WINDOW], high[WINDOW];

	(void)scratch;
	for (unsigned k = 0; k < WINDOW; k++) {
		low[k] = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)t->low[k]));
		high[k] = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)t->high[k]));
	}
	/* What begins at the limit ends after it. */
	for (; at < stop; at += STEP) {
		__m256i groups = find_groups(low, high, buf + at);

		if (__builtin_expect(_mm256_testz_si256(groups, groups), 1))
			continue;
		look_up_block(t, &p, groups, buf + at, at);
		if (at >= sink->limit)
			break;
	}
	rest_len = at < stop ? 0 : len - at;
	memcpy(rest, buf + at, rest_len);
	for (uint32_t i = 0; i < rest_len; i += STEP)
		look_up_block(t, &p, find_groups(low, high, rest + i), rest + i, at + i);
	*ret_done = sink->limit;
	return 0;
}

const struct words_engine words_engine_teddy = {
	.name = "teddy",
	.build = teddy_build,
	.free = teddy_free,
	.scan = teddy_scan,
};

const struct words_engine words_engine_teddy_quick = {
	.name = "teddy",
	.build = teddy_build_quick,
	.free = teddy_free,
	.scan = teddy_scan,
};
