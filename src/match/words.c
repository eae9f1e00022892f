/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/words_priv.h"

#include "base/util.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void words_free(struct words *w)
{
	if (w == NULL)
		return;
	if (w->db != NULL)
		w->engine->free(w->db);
	if (w->plain != NULL)
		words_engine_plain.free(w->plain);
	free(w->unique);
	free(w->next);
	free(w->texts);
	free(w);
}

static int compare(const void *a, const void *b)
{
	const struct words_unique *x = a, *y = b;
	int c;

	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	if (x->nocase != y->nocase)
		return x->nocase ? 1 : -1;
	c = memcmp(x->text, y->text, x->len);
	if (c != 0)
		return c;
	return x->first < y->first ? -1 : 1;
}

static bool same_text(const struct words_unique *a, const struct words_unique *b)
{
	return a->len == b->len && a->nocase == b->nocase && memcmp(a->text, b->text, a->len) == 0;
}

/* Sorts them, so that one list gives one key for the cache, whatever its order; chains doubles. */
static void make_unique(struct words *w, size_t n)
{
	struct words_unique *u = w->unique;
	size_t kept = 0;

	qsort(u, n, sizeof(*u), compare);
	for (size_t i = 0; i < n; i++) {
		w->next[u[i].first] = WORDS_MAX;
		if (kept > 0 && same_text(&u[kept - 1], &u[i])) {
			w->next[u[i].first] = w->next[u[kept - 1].first];
			w->next[u[kept - 1].first] = u[i].first;
		} else {
			u[kept++] = u[i];
		}
	}
	w->n_unique = kept;
}

static int copy_words(struct words *w, const struct word *list, size_t n)
{
	char *text;

	if (n > WORDS_MAX)
		return -EINVAL;
	/* One more, as there may be none. */
	w->unique = calloc(n + 1, sizeof(*w->unique));
	w->next = calloc(n + 1, sizeof(*w->next));
	w->texts = text = malloc(n * WORD_LEN_MAX + 1);
	if (w->unique == NULL || w->next == NULL || text == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		struct words_unique *u = &w->unique[i];

		if (list[i].len < WORD_LEN_MIN || list[i].len > WORD_LEN_MAX)
			return -EINVAL;
		*u = (struct words_unique) {.text = text, .len = list[i].len, .first = (uint16_t)i};
		memcpy(text, list[i].text, u->len);
		for (size_t j = 0; list[i].nocase && j < u->len; j++) {
			uint8_t lower = words_lower((uint8_t)text[j]);

			u->nocase |= lower >= 'a' && lower <= 'z';
			text[j] = (char)lower;
		}
		text += u->len;
		w->longest = u->len > w->longest ? u->len : w->longest;
	}
	make_unique(w, n);
	return 0;
}

bool words_is(const struct words_unique *u, const char *p)
{
	if (!u->nocase)
		return memcmp(p, u->text, u->len) == 0;
	for (size_t i = 0; i < u->len; i++)
		if (words_lower((uint8_t)p[i]) != (uint8_t)u->text[i])
			return false;
	return true;
}

static int build(struct words *w, const struct words_cache *cache,
	const struct words_engine *const *engines, size_t n_engines)
{
	for (size_t i = 0; i < n_engines; i++)
		if (engines[i]->build(&w->db, w, cache) == 0) {
			w->engine = engines[i];
			break;
		}
	if (w->engine == NULL) {
		w->engine = &words_engine_plain;
		return words_engine_plain.build(&w->db, w, cache);
	}
	return w->engine->scratch != NULL ? words_engine_plain.build(&w->plain, w, cache) : 0;
}

int words_new_with(struct words **ret, const struct word *list, size_t n,
	const struct words_cache *cache, const struct words_engine *const *engines,
	size_t n_engines)
{
	struct words *w = calloc(1, sizeof(*w));
	int r;

	if (w == NULL)
		return -ENOMEM;
	r = copy_words(w, list, n);
	if (r == 0)
		r = build(w, cache, engines, n_engines);
	if (r < 0) {
		words_free(w);
		return r;
	}
	*ret = w;
	return 0;
}

/* In order of preference. */
static const struct words_engine *const preferred[] = {
#ifdef __x86_64__
	&words_engine_teddy_quick,
#endif
#ifdef HAVE_HYPERSCAN
	&words_engine_hs,
#endif
#ifdef __x86_64__
	&words_engine_teddy,
#endif
	&words_engine_plain,
};

int words_new(
	struct words **ret, const struct word *list, size_t n, const struct words_cache *cache)
{
	return words_new_with(ret, list, n, cache, preferred, ARRAY_SIZE(preferred));
}

const char *words_engine(const struct words *w)
{
	return w->engine->name;
}

int words_scanner_new(struct words_scanner **ret, const struct words *w)
{
	struct words_scanner *s = calloc(1, sizeof(*s));
	int r = 0;

	if (s == NULL)
		return -ENOMEM;
	s->words = w;
	if (w->engine->scratch != NULL)
		r = w->engine->scratch(&s->scratch, w->db);
	if (r < 0) {
		free(s);
		return r;
	}
	*ret = s;
	return 0;
}

void words_scanner_free(struct words_scanner *s)
{
	if (s == NULL)
		return;
	if (s->scratch != NULL)
		s->words->engine->scratch_free(s->scratch);
	free(s);
}

uint64_t words_scanner_failures(const struct words_scanner *s)
{
	return s->failures;
}

/* Removes what ends after the limit. */
static void cut(struct words_sink *k)
{
	while (k->n > 0 && k->hits[k->n - 1].end > k->limit)
		k->n--;
}

static void insert_one(struct words_sink *k, uint32_t word, uint32_t end)
{
	size_t i;

	if (k->n == k->max) {
		uint32_t last = k->hits[k->n - 1].end;

		k->limit = (last > end ? last : end) - 1;
		cut(k);
	}
	if (end > k->limit)
		return;
	for (i = k->n++; i > 0 && k->hits[i - 1].end > end; i--)
		k->hits[i] = k->hits[i - 1];
	k->hits[i] = (struct words_hit) {.word = word, .end = end};
}

void words_sink_insert(struct words_sink *k, uint16_t unique, uint32_t end)
{
	for (unsigned i = k->words->unique[unique].first; i != WORDS_MAX && end <= k->limit;
		i = k->words->next[i])
		insert_one(k, i, end);
}

size_t words_scan(const struct words *w, struct words_scanner *s, const char *buf, size_t len,
	struct words_hit *hits, size_t max, size_t *ret_upto)
{
	uint32_t n = (uint32_t)len, done = 0;
	struct words_sink k = {.words = w, .hits = hits, .max = max, .limit = n};

	if (max == 0) {
		*ret_upto = 0;
		return 0;
	}
	if (w->engine->scan(w->db, s->scratch, &k, buf, 0, n, &done) < 0) {
		s->failures++;
		/* Nothing that ended by then has been pushed out by what came after. */
		k.limit = done;
		cut(&k);
		k.limit = n;
		words_engine_plain.scan(w->plain, NULL, &k, buf, done, n, &done);
	}
	*ret_upto = k.limit;
	return k.n;
}
