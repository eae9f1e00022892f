/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/clause.h"

#include "match/rarity.h"

#include <string.h>

#define MIX_BITS 2 /* what makes a word with one letter in either case worth it */
#define WIDE_MAX 2 /* letters of a word with a character beyond ASCII: 4 words of one */

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* May a date that is cut out leave these side by side? */
static bool is_joint(uint16_t a, uint16_t b)
{
	switch (a) {
	case '[':
		return b == ']';
	case '(':
		return b == ')';
	case '<':
		return b == '>';
	case '{':
		return b == '}';
	case '"':
	case '\'':
	case ' ':
		return a == b;
	default:
		return false;
	}
}

static bool is_letter(uint16_t c)
{
	c &= SPELL_BYTE;
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/*
 * The longest stretch from `from` that is allowed to be a word. Unless it may be mixed its letters
 * are all in either case, or none.
 */
static size_t stretch(const struct spell *s, size_t from, bool may_mix)
{
	bool has_fold = false, has_plain = false;
	size_t at = from, n_wide = 0;

	for (; at < s->len && at - from < NEED_WORD_MAX; at++) {
		has_fold |= (s->c[at] & SPELL_FOLD) != 0;
		has_plain |= (s->c[at] & SPELL_FOLD) == 0 && is_letter(s->c[at]);
		n_wide += (s->c[at] & SPELL_WIDE) != 0;
		if (n_wide > WIDE_MAX || (has_fold && has_plain && !may_mix) ||
			(at > from && is_joint(s->c[at - 1], s->c[at])))
			break;
	}
	return at - from;
}

struct place {
	size_t from, len;
	unsigned bits;
};

static struct place rarest(const struct spell *s, const char *text, bool may_mix)
{
	struct place best = {0};
	size_t end = 0;

	for (size_t from = 0; from < s->len; from++) {
		size_t n = stretch(s, from, may_mix);
		unsigned bits;

		/* Part of what was looked at is no better. */
		if (n < NEED_WORD_MIN || from + n <= end)
			continue;
		end = from + n;
		bits = rarity_bits(text + from, n);
		if (best.len == 0 || bits > best.bits)
			best = (struct place) {from, n, bits};
	}
	return best;
}

/*
 * Where its best word stands. "[aA]uth" is better looked for as "uth" than in either case, but
 * "[bB]ad" is not found by "ad".
 */
static struct place choose(const struct spell *s)
{
	char text[SPELL_LEN_MAX];
	struct place best, mixed;
	bool has_fold = false;

	for (size_t i = 0; i < s->len; i++) {
		text[i] = (char)(s->c[i] & SPELL_BYTE);
		has_fold |= (s->c[i] & SPELL_FOLD) != 0;
	}
	best = rarest(s, text, false);
	if (!has_fold)
		return best;
	mixed = rarest(s, text, true);
	return best.len == 0 || mixed.bits > best.bits + MIX_BITS ? mixed : best;
}

static size_t find(const struct clause_word *in, const struct clause_word *what)
{
	for (size_t at = 0; at + what->len <= in->len; at++) {
		size_t i = 0;

		while (i < what->len &&
			(what->nocase ? lower(in->text[at + i]) == lower(what->text[i])
				      : in->text[at + i] == what->text[i]))
			i++;
		if (i == what->len)
			return at;
	}
	return SIZE_MAX;
}

/* Does what has the word `in` have the word `what`? */
static bool contains(const struct clause_word *in, const struct clause_word *what)
{
	return (what->nocase || !in->nocase) && find(in, what) != SIZE_MAX;
}

/* Room for one more, in an array that no other clause has. */
static bool make_room(struct clause *c, struct arena *arena)
{
	struct clause_word *words;

	if (c->n == NEED_WORDS_MAX)
		return false;
	if (c->n < c->room)
		return true;
	c->room = c->room == 0 ? 4 : 2 * c->room;
	words = arena_array(arena, c->room, sizeof(*words));
	if (c->n > 0)
		memcpy(words, c->words, c->n * sizeof(*words));
	c->words = words;
	return true;
}

/* Adds a word but for one that says no more than another; false when there is no room. */
static bool add_word(struct clause *c, struct arena *arena, const struct clause_word *w)
{
	for (size_t i = 0; i < c->n; i++) {
		if (contains(w, &c->words[i]))
			return true;
	}
	for (size_t i = 0; i < c->n;) {
		if (contains(&c->words[i], w))
			c->words[i] = c->words[--c->n];
		else
			i++;
	}
	if (!make_room(c, arena))
		return false;
	c->words[c->n++] = *w;
	return true;
}

/* The character beyond ASCII that is equal to the letter but for case. */
static const char *wide(char c)
{
	return c == 's' ? "\xc5\xbf" : "\xe2\x84\xaa";
}

/*
 * The word, or what it may be in characters: bit i of `variant` puts in the place of the i-th
 * letter that has one the character that is equal to it.
 */
static bool write_word(
	struct clause_word *ret, const struct spell *s, struct place at, unsigned variant)
{
	ret->len = 0;
	for (size_t i = at.from; i < at.from + at.len; i++) {
		char c = (char)(s->c[i] & SPELL_BYTE);
		const char *other = wide(c);
		size_t n = 1;

		if ((s->c[i] & SPELL_WIDE) != 0) {
			n = (variant & 1) != 0 ? strlen(other) : 1;
			variant >>= 1;
		}
		if (ret->len + n > NEED_WORD_MAX)
			break;
		memcpy(ret->text + ret->len, n > 1 ? other : &c, n);
		ret->len = (uint8_t)(ret->len + n);
	}
	return ret->len >= NEED_WORD_MIN;
}

static bool add_spell(struct clause *c, struct arena *arena, const struct spell *s)
{
	struct place at = choose(s);
	struct clause_word w = {.bits = at.bits};
	unsigned n_wide = 0;

	if (at.len == 0)
		return false;
	for (size_t i = at.from; i < at.from + at.len; i++) {
		w.nocase |= (s->c[i] & SPELL_FOLD) != 0;
		n_wide += (s->c[i] & SPELL_WIDE) != 0;
	}
	for (unsigned v = 0; v < 1U << n_wide; v++) {
		if (!write_word(&w, s, at, v) || !add_word(c, arena, &w))
			return false;
	}
	return true;
}

void clause_rate(struct clause *c)
{
	unsigned bits = 0, doublings = 0;

	for (size_t i = 0; i < c->n; i++) {
		if (i == 0 || c->words[i].bits < bits)
			bits = c->words[i].bits;
	}
	while (c->n >> (doublings + 1) != 0)
		doublings++;
	c->bits = bits > doublings ? bits - doublings : 0;
}

bool clause_make(struct clause *ret, struct arena *arena, const struct spells *spells)
{
	*ret = (struct clause) {.n = 0};
	for (size_t i = 0; i < spells->n; i++) {
		if (!add_spell(ret, arena, &spells->of[i]))
			return false;
	}
	clause_rate(ret);
	return ret->n > 0;
}

bool clause_join(struct clause *c, struct arena *arena, const struct clause *other)
{
	for (size_t i = 0; i < other->n; i++) {
		if (!add_word(c, arena, &other->words[i]))
			return false;
	}
	return true;
}

bool clause_implies(const struct clause *one, const struct clause *other)
{
	for (size_t i = 0; i < one->n; i++) {
		bool found = false;

		for (size_t j = 0; j < other->n && !found; j++)
			found = contains(&one->words[i], &other->words[j]);
		if (!found)
			return false;
	}
	return true;
}

void clause_store(struct need *ret, struct arena *arena, const struct clause *c)
{
	struct need_word *words = arena_array(arena, c->n, sizeof(*words));

	for (size_t i = 0; i < c->n; i++)
		words[i] = (struct need_word) {
			.text = arena_strndup(arena, c->words[i].text, c->words[i].len),
			.len = c->words[i].len,
			.nocase = c->words[i].nocase,
		};
	*ret = (struct need) {.words = words, .n = c->n, .bits = c->bits};
}
