/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/needs.h"

#include "match/clause.h"
#include "match/pattern.h"
#include "match/retree.h"
#include "match/spell.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SET_SMALL 4 /* bytes of a set that is spelled out */
#define SET_MAX 10  /* ... when nothing else is known of an expression */
#define CLAUSES_MAX 64
#define BITS_MIN 1 /* what stands in each line rules nothing out */

/* What is known of the texts that a part of an expression takes. */
struct part {
	bool is_exact;      /* each is one of `head` */
	struct spells head; /* else each begins with one of these ... */
	struct spells tail; /* ... and ends with one of these */
};

/*
 * The clauses found so far, of the parts that the one looked at follows. What a part has found
 * stands behind what was there before it.
 */
struct notes {
	struct arena *arena;
	size_t set_max;
	size_t n;
	struct clause all[CLAUSES_MAX];
};

static void walk(struct notes *s, const struct retree_node *node, struct part *ret);

/* Where `from` is where the present part's clauses begin. */
static void keep(struct notes *s, size_t from, const struct clause *c)
{
	size_t worst = from;

	if (c->bits < BITS_MIN)
		return;
	if (s->n < CLAUSES_MAX) {
		s->all[s->n++] = *c;
		return;
	}
	for (size_t i = from; i < s->n; i++) {
		if (s->all[i].bits < s->all[worst].bits)
			worst = i;
	}
	if (worst < s->n && s->all[worst].bits < c->bits)
		s->all[worst] = *c;
}

static void note(struct notes *s, size_t from, const struct spells *spells)
{
	struct clause c;

	if (clause_make(&c, s->arena, spells))
		keep(s, from, &c);
}

static void any(struct part *ret)
{
	ret->is_exact = false;
	spells_empty(&ret->head);
	spells_empty(&ret->tail);
}

static void nothing(struct part *ret)
{
	ret->is_exact = true;
	spells_empty(&ret->head);
}

static uint16_t letter(const struct retree_node *node, unsigned c)
{
	bool is_wide = node->is_nocase && (c == 's' || c == 'k');

	return (uint16_t)(c | SPELL_FOLD | (is_wide ? SPELL_WIDE : 0));
}

/* The bytes of a set of no more than `max`, the two cases of a letter being one. How many, or 0. */
static size_t few_bytes(const struct retree_node *node, size_t max, uint16_t ret[static SET_MAX])
{
	const struct byteset *set = &node->set;
	size_t n = 0;

	if (node->is_open)
		return 0;
	for (unsigned c = byteset_next(set, 0); c < 256; c = byteset_next(set, c + 1)) {
		bool is_large = c >= 'A' && c <= 'Z', is_small = c >= 'a' && c <= 'z';

		if (is_large && byteset_has(set, (unsigned char)(c + 32)))
			continue;
		if (c < ' ' || c > '~' || n == max)
			return 0;
		ret[n++] = is_small && byteset_has(set, (unsigned char)(c - 32)) ? letter(node, c)
										 : (uint16_t)c;
	}
	return n;
}

static void walk_set(const struct notes *s, const struct retree_node *node, struct part *ret)
{
	uint16_t bytes[SET_MAX];
	size_t n = few_bytes(node, s->set_max, bytes);

	if (n == 0) {
		any(ret);
		return;
	}
	ret->is_exact = true;
	ret->head.n = 0;
	for (size_t i = 0; i < n; i++)
		spells_add(&ret->head, bytes[i]);
}

/* One after the other: what is known to stand side by side is put together as far as it goes. */
static void walk_cat(struct notes *s, const struct retree_node *node, struct part *ret)
{
	size_t from = s->n;
	struct spells now; /* what the text has right before the next child */
	struct part p;

	nothing(ret);
	spells_empty(&now);
	for (node = node->child; node != NULL; node = node->next) {
		walk(s, node, &p);
		if (p.is_exact && spells_cross(&now, &p.head))
			continue;
		if (!p.is_exact && !spells_cross(&now, &p.head)) {
			spells_common_head(&p.head);
			spells_cross(&now, &p.head);
		}
		note(s, from, &now);
		if (ret->is_exact)
			ret->head = now;
		ret->is_exact = false;
		if (!p.is_exact) {
			now = p.tail;
			continue;
		}
		spells_common_tail(&now);
		spells_halve(&now);
		if (!spells_cross(&now, &p.head))
			now = p.head;
	}
	if (ret->is_exact) {
		ret->head = now;
		return;
	}
	note(s, from, &now);
	ret->tail = now;
	spells_trim_heads(&ret->head);
	spells_trim_tails(&ret->tail);
}

/* What of the clauses from there on is best, and for a part that is known whole, the part itself.
 */
static bool best_of(struct notes *s, size_t from, const struct part *p, struct clause *ret)
{
	bool found = p->is_exact && clause_make(ret, s->arena, &p->head);

	for (size_t i = from; i < s->n; i++) {
		if (!found || s->all[i].bits > ret->bits)
			*ret = s->all[i];
		found = true;
	}
	s->n = from;
	return found;
}

/* Joins what another alternative may begin or end with, shortened if need be. */
static void join(struct spells *all, struct spells *more, void (*common)(struct spells *))
{
	if (spells_join(all, more))
		return;
	common(all);
	common(more);
	spells_join(all, more);
}

static void add_alternative(struct part *all, struct part *p)
{
	if (all->is_exact && p->is_exact && spells_join(&all->head, &p->head))
		return;
	if (all->is_exact)
		all->tail = all->head;
	if (p->is_exact)
		p->tail = p->head;
	all->is_exact = false;
	join(&all->head, &p->head, spells_common_head);
	join(&all->tail, &p->tail, spells_common_tail);
	spells_trim_heads(&all->head);
	spells_trim_tails(&all->tail);
}

/* One of the children: has each a clause, then their words together are one. */
static void walk_alt(
	struct notes *s, const struct retree_node *first, bool or_nothing, struct part *ret)
{
	size_t from = s->n;
	struct clause all = {.n = 0}, best;
	bool has_all = !or_nothing;
	struct part p;

	ret->is_exact = true;
	ret->head.n = 0;
	if (or_nothing)
		spells_empty(&ret->head);
	for (const struct retree_node *child = first; child != NULL; child = child->next) {
		walk(s, child, &p);
		has_all = best_of(s, from, &p, &best) && has_all &&
			  clause_join(&all, s->arena, &best);
		add_alternative(ret, &p);
	}
	if (has_all && first != NULL) {
		clause_rate(&all);
		keep(s, from, &all);
	}
}

static void walk_repeat(struct notes *s, const struct retree_node *node, struct part *ret)
{
	size_t from = s->n;
	struct spells once;
	uint32_t times = 1;

	walk(s, node->child, ret);
	if (node->min == 0) {
		s->n = from;
		if (node->max == 0)
			nothing(ret);
		else if (node->max > 1 || !ret->is_exact)
			any(ret);
		else {
			spells_empty(&once);
			if (spells_join(&ret->head, &once))
				return;
			any(ret);
		}
		return;
	}
	if (!ret->is_exact)
		return;
	once = ret->head;
	if (once.n == 1 && once.of[0].len == 0)
		return;
	while (times < node->min && spells_cross(&ret->head, &once))
		times++;
	if (times == node->max)
		return;
	ret->is_exact = false;
	note(s, from, &ret->head);
	ret->tail = ret->head;
	spells_trim_heads(&ret->head);
	spells_trim_tails(&ret->tail);
}

static void walk(struct notes *s, const struct retree_node *node, struct part *ret)
{
	switch (node->kind) {
	case RETREE_SET:
		walk_set(s, node, ret);
		return;
	case RETREE_CAT:
		walk_cat(s, node, ret);
		return;
	case RETREE_ALT:
		walk_alt(s, node->child, false, ret);
		return;
	case RETREE_COND:
		walk_alt(s, node->child, node->child->next == NULL, ret);
		return;
	case RETREE_REPEAT:
		walk_repeat(s, node, ret);
		return;
	case RETREE_GROUP:
		walk(s, node->child, ret);
		return;
	case RETREE_BACK:
		any(ret);
		return;
	case RETREE_EMPTY:
	case RETREE_LOOK:
	case RETREE_EDGE:
		/* They take nothing: what stands before and after them touches. */
		nothing(ret);
		return;
	}
}

static size_t shortest(const struct clause *c)
{
	size_t len = NEED_WORD_MAX;

	for (size_t i = 0; i < c->n; i++)
		len = c->words[i].len < len ? c->words[i].len : len;
	return len;
}

static int by_rarity(const void *a, const void *b)
{
	const struct clause *one = a, *other = b;

	if (one->bits != other->bits)
		return one->bits > other->bits ? -1 : 1;
	if (shortest(one) != shortest(other))
		return shortest(one) > shortest(other) ? -1 : 1;
	return one->n < other->n ? -1 : one->n > other->n;
}

/* The best clauses, without those that others say already. */
static void choose(struct needs *ret, struct arena *arena, struct notes *s)
{
	struct need *all = arena_array(arena, NEEDS_MAX, sizeof(*all));
	const struct clause *kept[NEEDS_MAX];
	size_t n = 0;

	qsort(s->all, s->n, sizeof(s->all[0]), by_rarity);
	for (size_t i = 0; i < s->n && n < NEEDS_MAX; i++) {
		bool is_said = false;

		for (size_t j = 0; j < n && !is_said; j++)
			is_said = clause_implies(kept[j], &s->all[i]);
		if (is_said)
			continue;
		kept[n] = &s->all[i];
		clause_store(&all[n++], arena, &s->all[i]);
	}
	*ret = (struct needs) {.all = all, .n = n};
}

static void walk_tree(struct notes *s, const struct retree *tree, size_t set_max)
{
	struct part whole;

	s->set_max = set_max;
	walk(s, tree->root, &whole);
	if (whole.is_exact)
		note(s, 0, &whole.head);
}

int needs_of(struct needs *ret, struct arena *arena, const char *source, unsigned flags)
{
	struct notes *s = calloc(1, sizeof(*s));
	struct pattern pattern = {0};
	struct pattern_error error;
	struct retree tree;
	int r = -ENOMEM;

	if (s == NULL || (s->arena = arena_new()) == NULL)
		goto out;
	r = pattern_expand(&pattern, source, flags & ~(unsigned)PATTERN_UTF8, &error);
	if (r == -ENOMEM)
		goto out;
	if (r == 0 &&
		retree_parse(&tree, s->arena, buf_text(&pattern.text), pattern.text.len) == 0) {
		walk_tree(s, &tree, SET_SMALL);
		if (s->n == 0)
			walk_tree(s, &tree, SET_MAX);
	}
	choose(ret, arena, s);
	r = 0;
out:
	pattern_done(&pattern);
	if (s != NULL)
		arena_free(s->arena);
	free(s);
	return r;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool equal_but_for_case(const char *a, const char *b, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (lower(a[i]) != lower(b[i]))
			return false;
	}
	return true;
}

static bool has_word(const struct need_word *w, const char *text, size_t len)
{
	if (!w->nocase)
		return memmem(text, len, w->text, w->len) != NULL;
	for (size_t i = 0; i + w->len <= len; i++) {
		if (equal_but_for_case(text + i, w->text, w->len))
			return true;
	}
	return false;
}

static bool has_one(const struct need *need, const char *text, size_t len)
{
	for (size_t i = 0; i < need->n; i++) {
		if (has_word(&need->words[i], text, len))
			return true;
	}
	return false;
}

bool needs_hold(const struct needs *n, const char *text, size_t len)
{
	for (size_t i = 0; i < n->n; i++) {
		if (!has_one(&n->all[i], text, len))
			return false;
	}
	return true;
}
