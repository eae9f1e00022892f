/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/byteset.h"

bool byteset_has(const struct byteset *s, unsigned char c)
{
	return s->bits[c >> 6] >> (c & 63) & 1;
}

unsigned byteset_next(const struct byteset *s, unsigned from)
{
	while (from < 256) {
		uint64_t rest = s->bits[from >> 6] >> (from & 63);

		if (rest != 0)
			return from + (unsigned)__builtin_ctzll(rest);
		from = (from | 63) + 1;
	}
	return from;
}

void byteset_add(struct byteset *s, unsigned char c)
{
	s->bits[c >> 6] |= UINT64_C(1) << (c & 63);
}

void byteset_add_range(struct byteset *s, unsigned lo, unsigned hi)
{
	for (unsigned c = lo; c <= hi; c++)
		byteset_add(s, (unsigned char)c);
}

void byteset_invert(struct byteset *s)
{
	for (size_t i = 0; i < 4; i++)
		s->bits[i] = ~s->bits[i];
}

void byteset_join(struct byteset *s, const struct byteset *other)
{
	for (size_t i = 0; i < 4; i++)
		s->bits[i] |= other->bits[i];
}

void byteset_fold(struct byteset *s)
{
	for (unsigned c = 'a'; c <= 'z'; c++) {
		if (byteset_has(s, (unsigned char)c))
			byteset_add(s, (unsigned char)(c - 32));
		else if (byteset_has(s, (unsigned char)(c - 32)))
			byteset_add(s, (unsigned char)c);
	}
}

unsigned byteset_count(const struct byteset *s)
{
	unsigned n = 0;

	for (size_t i = 0; i < 4; i++)
		n += (unsigned)__builtin_popcountll(s->bits[i]);
	return n;
}
