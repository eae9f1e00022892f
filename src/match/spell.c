/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/spell.h"

#include <string.h>

void spells_empty(struct spells *s)
{
	s->n = 1;
	s->of[0].len = 0;
}

static bool same(const struct spell *a, const struct spell *b)
{
	return a->len == b->len && memcmp(a->c, b->c, a->len * sizeof(a->c[0])) == 0;
}

static bool has(const struct spells *s, const struct spell *one)
{
	for (size_t i = 0; i < s->n; i++) {
		if (same(&s->of[i], one))
			return true;
	}
	return false;
}

static void copy(struct spell *to, const struct spell *from)
{
	to->len = from->len;
	memcpy(to->c, from->c, from->len * sizeof(from->c[0]));
}

static bool add(struct spells *s, const struct spell *one)
{
	if (has(s, one))
		return true;
	if (s->n == SPELLS_MAX)
		return false;
	copy(&s->of[s->n++], one);
	return true;
}

bool spells_add(struct spells *s, uint16_t c)
{
	struct spell one;

	one.len = 1;
	one.c[0] = c;
	return add(s, &one);
}

bool spells_join(struct spells *s, const struct spells *other)
{
	uint8_t before = s->n;

	for (size_t i = 0; i < other->n; i++) {
		if (!add(s, &other->of[i])) {
			s->n = before;
			return false;
		}
	}
	return true;
}

static bool append(struct spell *s, const struct spell *more)
{
	if (s->len + more->len > SPELL_LEN_MAX)
		return false;
	memcpy(s->c + s->len, more->c, more->len * sizeof(more->c[0]));
	s->len = (uint8_t)(s->len + more->len);
	return true;
}

bool spells_cross(struct spells *s, const struct spells *other)
{
	struct spells product;

	product.n = 0;
	for (size_t i = 0; i < s->n; i++) {
		for (size_t j = 0; j < other->n; j++) {
			struct spell one;

			copy(&one, &s->of[i]);
			if (!append(&one, &other->of[j]) || !add(&product, &one))
				return false;
		}
	}
	s->n = product.n;
	for (size_t i = 0; i < s->n; i++)
		copy(&s->of[i], &product.of[i]);
	return true;
}

void spells_common_head(struct spells *s)
{
	struct spell *first = &s->of[0];

	for (size_t i = 1; i < s->n; i++) {
		const struct spell *other = &s->of[i];
		uint8_t n = 0;

		while (n < first->len && n < other->len && first->c[n] == other->c[n])
			n++;
		first->len = n;
	}
	s->n = s->n > 0;
}

static void keep_end(struct spell *s, uint8_t len)
{
	memmove(s->c, s->c + s->len - len, len * sizeof(s->c[0]));
	s->len = len;
}

void spells_common_tail(struct spells *s)
{
	struct spell *first = &s->of[0];

	for (size_t i = 1; i < s->n; i++) {
		const struct spell *other = &s->of[i];
		uint8_t n = 0;

		while (n < first->len && n < other->len &&
			first->c[first->len - 1 - n] == other->c[other->len - 1 - n])
			n++;
		keep_end(first, n);
	}
	s->n = s->n > 0;
}

void spells_halve(struct spells *s)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->of[i].len > SPELL_LEN_MAX / 2)
			keep_end(&s->of[i], SPELL_LEN_MAX / 2);
	}
}

/* Has `one` the other at its begin, or at its end? */
static bool is_longer(const struct spell *one, const struct spell *other, bool at_end)
{
	size_t from = at_end ? (size_t)one->len - other->len : 0;

	return one->len > other->len &&
	       memcmp(one->c + from, other->c, other->len * sizeof(other->c[0])) == 0;
}

static bool has_shorter(const struct spells *s, size_t i, bool at_end)
{
	for (size_t j = 0; j < s->n; j++) {
		if (is_longer(&s->of[i], &s->of[j], at_end))
			return true;
	}
	return false;
}

static void trim(struct spells *s, bool at_end)
{
	for (size_t i = 0; i < s->n;) {
		if (has_shorter(s, i, at_end))
			copy(&s->of[i], &s->of[--s->n]);
		else
			i++;
	}
}

void spells_trim_heads(struct spells *s)
{
	trim(s, false);
}

void spells_trim_tails(struct spells *s)
{
	trim(s, true);
}
