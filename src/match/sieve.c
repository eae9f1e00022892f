/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/sieve.h"

#include "base/arena.h"
#include "base/util.h"
#include "match/filter_priv.h"
#include "match/needs.h"
#include "match/rule.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Words found at once: more than can end within the bytes that are looked at again. */
#define HITS 4096
#define MORE_MAX 2 /* clauses that are looked at beside the rarest */
#define MORE_WORDS_MAX 16

/* A failregex of one of the filters. */
struct candidate {
	uint16_t filter, rule;
	/* What else must be in the line, the rarest first, when a word of its trigger is. */
	struct needs more;
};

/* The failregexes that a word is the trigger of: some of a list. */
struct word_use {
	uint32_t first, n;
};

struct sieve {
	struct arena *arena;
	struct words *words;   /* NULL: there is none to look for */
	struct candidate *all; /* filter by filter, rule by rule */
	size_t n, n_filters;
	uint32_t *first; /* of a filter's candidates, the place of the first */
	uint32_t *uses;  /* places in all */
	struct word_use *by_word;
	uint32_t *always; /* those that no word tells anything about */
	size_t n_always;
};

/* How often a candidate was tried of late, and found. */
struct record {
	uint8_t tried, found;
};

struct sieve_scan {
	const struct sieve *sieve;
	struct words_scanner *scanner;
	const char *buf;
	size_t len, upto; /* of it, hits are known up to there */
	bool is_blind;    /* what words there are from upto on cannot be told */
	size_t at, n_hits;
	struct words_hit hits[HITS];
	uint64_t *marked; /* a bit a candidate, all clear between lines */
	uint16_t *rules;  /* as many as there are candidates */
	struct record *records;
	struct sieve_pick *picks;
};

/* A word under construction: which candidates want it. */
struct wish {
	struct word word;
	uint32_t candidate;
};

struct wishes {
	struct wish *all;
	size_t n, room;
};

static int add_wishes(struct wishes *w, const struct need *need, size_t candidate)
{
	if (w->n + need->n > w->room) {
		size_t room = 2 * w->room + need->n;
		struct wish *larger = reallocarray(w->all, room, sizeof(*larger));

		if (larger == NULL)
			return -ENOMEM;
		w->all = larger;
		w->room = room;
	}
	for (size_t i = 0; i < need->n; i++)
		w->all[w->n++] = (struct wish) {
			.word = {need->words[i].text, (uint8_t)need->words[i].len,
				need->words[i].nocase},
			.candidate = (uint32_t)candidate,
		};
	return 0;
}

static int compare_words(const struct word *a, const struct word *b)
{
	if (a->nocase != b->nocase)
		return a->nocase - b->nocase;
	if (a->len != b->len)
		return a->len - b->len;
	return memcmp(a->text, b->text, a->len);
}

static int compare_wishes(const void *a, const void *b)
{
	const struct wish *x = a, *y = b;
	int c = compare_words(&x->word, &y->word);

	return c != 0 ? c : (x->candidate > y->candidate) - (x->candidate < y->candidate);
}

/* The clauses of both, the rarest first. */
static void join_needs(
	struct arena *arena, struct needs *ret, const struct needs *a, const struct needs *b)
{
	struct need *all = arena_array(arena, a->n + b->n, sizeof(*all));
	size_t i = 0, k = 0, n = 0;

	while (i < a->n || k < b->n) {
		bool first = k == b->n || (i < a->n && a->all[i].bits >= b->all[k].bits);

		all[n++] = first ? a->all[i++] : b->all[k++];
	}
	*ret = (struct needs) {all, n};
}

/* The clauses that are worth a look: short ones next to the rarest. */
static struct needs choose_more(const struct needs *needs)
{
	struct needs more = {needs->all + 1, 0};

	while (more.n < MORE_MAX && more.n + 1 < needs->n && more.all[more.n].n <= MORE_WORDS_MAX)
		more.n++;
	return more;
}

static int add_filter(struct sieve *s, size_t filter, const struct filter *f, struct wishes *w)
{
	struct needs none = {0};
	const struct needs *pref = f->pref != NULL ? rule_needs(f->pref) : &none;

	s->first[filter] = (uint32_t)s->n;
	for (size_t i = 0; i < f->n_fail; i++) {
		struct candidate *c = &s->all[s->n];
		struct needs needs;

		join_needs(s->arena, &needs, rule_needs(f->fail[i]), pref);
		*c = (struct candidate) {.filter = (uint16_t)filter, .rule = (uint16_t)i};
		if (needs.n > 0) {
			/* Of a window other words may be in other lines. */
			if (filter_maxlines(f) == 1)
				c->more = choose_more(&needs);
			if (add_wishes(w, &needs.all[0], s->n) < 0)
				return -ENOMEM;
		} else {
			s->always[s->n_always++] = (uint32_t)s->n;
		}
		s->n++;
	}
	return 0;
}

/* The words without repetition, and who wants each. */
static int make_words(struct sieve *s, struct wishes *w, const struct words_cache *cache)
{
	struct word *list = calloc(w->n, sizeof(*list));
	size_t n = 0;
	int r;

	s->uses = arena_array(s->arena, w->n, sizeof(*s->uses));
	s->by_word = arena_array(s->arena, w->n, sizeof(*s->by_word));
	if (list == NULL)
		return -ENOMEM;
	qsort(w->all, w->n, sizeof(*w->all), compare_wishes);
	for (size_t i = 0; i < w->n; i++) {
		if (i == 0 || compare_words(&w->all[i - 1].word, &w->all[i].word) != 0) {
			s->by_word[n] = (struct word_use) {.first = (uint32_t)i};
			list[n++] = w->all[i].word;
		}
		s->uses[i] = w->all[i].candidate;
		s->by_word[n - 1].n++;
	}
	r = words_new(&s->words, list, n, cache);
	free(list);
	return r;
}

/* There are too many words for one set, or something else is wrong with them: nobody is ruled out.
 */
static void give_up(struct sieve *s)
{
	s->n_always = s->n;
	for (size_t i = 0; i < s->n; i++)
		s->always[i] = (uint32_t)i;
}

int sieve_new(struct sieve **ret, const struct filter *const *filters, size_t n,
	const struct words_cache *cache)
{
	struct sieve *s = calloc(1, sizeof(*s));
	struct wishes wishes = {0};
	size_t n_all = 0;
	int r = s != NULL && (s->arena = arena_new()) != NULL ? 0 : -ENOMEM;

	for (size_t i = 0; i < n; i++) {
		n_all += filters[i]->n_fail;
		if (filters[i]->n_fail > UINT16_MAX || i > UINT16_MAX)
			r = -E2BIG;
	}
	if (r == 0) {
		s->n_filters = n;
		s->first = arena_array(s->arena, n, sizeof(*s->first));
		s->all = arena_array(s->arena, n_all, sizeof(*s->all));
		s->always = arena_array(s->arena, n_all, sizeof(*s->always));
	}
	for (size_t i = 0; r == 0 && i < n; i++)
		r = add_filter(s, i, filters[i], &wishes);
	if (r == 0 && wishes.n > 0) {
		r = make_words(s, &wishes, cache);
		if (r == -EINVAL) {
			give_up(s);
			r = 0;
		}
	}
	free(wishes.all);
	if (r < 0) {
		sieve_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

void sieve_free(struct sieve *s)
{
	if (s == NULL)
		return;
	words_free(s->words);
	arena_free(s->arena);
	free(s);
}

const char *sieve_engine(const struct sieve *s)
{
	return s->words != NULL ? words_engine(s->words) : NULL;
}

struct sieve_scan *sieve_scan_new(const struct sieve *s)
{
	struct sieve_scan *sc = calloc(1, sizeof(*sc));

	if (sc == NULL)
		return NULL;
	sc->sieve = s;
	sc->marked = calloc(s->n / 64 + 1, sizeof(*sc->marked));
	sc->rules = calloc(s->n + 1, sizeof(*sc->rules));
	sc->records = calloc(s->n + 1, sizeof(*sc->records));
	sc->picks = calloc(s->n_filters + 1, sizeof(*sc->picks));
	if (sc->marked == NULL || sc->rules == NULL || sc->picks == NULL || sc->records == NULL ||
		(s->words != NULL && words_scanner_new(&sc->scanner, s->words) < 0)) {
		sieve_scan_free(sc);
		return NULL;
	}
	return sc;
}

void sieve_scan_free(struct sieve_scan *sc)
{
	if (sc == NULL)
		return;
	words_scanner_free(sc->scanner);
	free(sc->marked);
	free(sc->rules);
	free(sc->records);
	free(sc->picks);
	free(sc);
}

uint64_t sieve_scan_failures(const struct sieve_scan *sc)
{
	return sc->scanner != NULL ? words_scanner_failures(sc->scanner) : 0;
}

void sieve_begin(struct sieve_scan *sc, const char *buf, size_t len)
{
	sc->buf = buf;
	sc->len = len;
	sc->upto = sc->sieve->words == NULL ? len : 0;
	sc->at = sc->n_hits = 0;
	sc->is_blind = false;
}

/* Goes on scanning where it stopped, a word's length before that. */
static void scan_on(struct sieve_scan *sc)
{
	size_t from = sc->upto > WORD_LEN_MAX ? sc->upto - WORD_LEN_MAX : 0, upto;

	sc->n_hits = words_scan(sc->sieve->words, sc->scanner, sc->buf + from, sc->len - from,
		sc->hits, HITS, &upto);
	sc->at = 0;
	while (sc->at < sc->n_hits && from + sc->hits[sc->at].end <= sc->upto)
		sc->at++;
	for (size_t i = sc->at; i < sc->n_hits; i++)
		sc->hits[i].end += (uint32_t)from;
	sc->is_blind = from + upto <= sc->upto;
	sc->upto = sc->is_blind ? sc->len : from + upto;
}

static void mark(struct sieve_scan *sc, uint32_t candidate)
{
	sc->marked[candidate / 64] |= UINT64_C(1) << (candidate % 64);
}

/* Marks those that a word found up to there speaks for; true if there are any. */
static bool mark_hits(struct sieve_scan *sc, size_t end)
{
	const struct sieve *s = sc->sieve;
	bool any = false;

	for (;;) {
		for (; sc->at < sc->n_hits && sc->hits[sc->at].end <= end; sc->at++) {
			const struct word_use *use = &s->by_word[sc->hits[sc->at].word];

			for (uint32_t i = 0; i < use->n; i++)
				mark(sc, s->uses[use->first + i]);
			any = true;
		}
		if (sc->at < sc->n_hits || sc->upto >= end)
			return any;
		scan_on(sc);
	}
}

/*
 * Looking for the other words costs about as much as trying an expression does. So that is left
 * out where every second try was right.
 */
static bool is_trusted(const struct record *r)
{
	return r->tried >= 16 && 2 * r->found >= r->tried;
}

void sieve_learn(struct sieve_scan *sc, size_t filter, size_t rule, bool was_found)
{
	struct record *r = &sc->records[sc->sieve->first[filter] + rule];

	if (r->tried == UINT8_MAX) {
		r->tried /= 2;
		r->found /= 2;
	}
	r->tried++;
	r->found = (uint8_t)(r->found + was_found);
}

/* Makes picks of what is marked and has what else it needs. */
static size_t collect(struct sieve_scan *sc, const char *line, size_t len)
{
	const struct sieve *s = sc->sieve;
	size_t n_picks = 0, n_rules = 0;

	for (size_t w = 0; w <= s->n / 64; w++) {
		uint64_t bits = sc->marked[w];

		sc->marked[w] = 0;
		for (; bits != 0; bits &= bits - 1) {
			size_t i = 64 * w + (size_t)__builtin_ctzll(bits);
			const struct candidate *c = &s->all[i];

			if (!is_trusted(&sc->records[i]) && !needs_hold(&c->more, line, len))
				continue;
			if (n_picks == 0 || sc->picks[n_picks - 1].filter != c->filter)
				sc->picks[n_picks++] =
					(struct sieve_pick) {c->filter, {&sc->rules[n_rules], 0}};
			sc->rules[n_rules++] = c->rule;
			sc->picks[n_picks - 1].rules.n++;
		}
	}
	return n_picks;
}

size_t sieve_next(struct sieve_scan *sc)
{
	if (sc->sieve->n_always > 0 || sc->is_blind)
		return 0;
	while (sc->at == sc->n_hits && sc->upto < sc->len)
		scan_on(sc);
	if (sc->is_blind)
		return 0;
	return sc->at < sc->n_hits ? sc->hits[sc->at].end : SIZE_MAX;
}

size_t sieve_line(struct sieve_scan *sc, size_t off, size_t len, const struct sieve_pick **ret)
{
	const struct sieve *s = sc->sieve;
	bool any = mark_hits(sc, off + len) || s->n_always > 0 || sc->is_blind;

	*ret = sc->picks;
	if (!any)
		return 0;
	for (size_t i = 0; i < s->n_always; i++)
		mark(sc, s->always[i]);
	for (size_t i = 0; sc->is_blind && i < s->n; i++)
		mark(sc, (uint32_t)i);
	return collect(sc, sc->buf + off, len);
}

bool sieve_holds(const char *line, size_t len, size_t off, size_t n)
{
	/* No word has two of these side by side (needs.h). */
	static const char joints[][2] = {{'[', ']'}, {'(', ')'}, {'<', '>'}, {'{', '}'}, {'"', '"'},
		{'\'', '\''}, {' ', ' '}};

	if (n == 0 || off == 0 || off + n >= len)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(joints); i++)
		if (line[off - 1] == joints[i][0] && line[off + n] == joints[i][1])
			return true;
	return false;
}
