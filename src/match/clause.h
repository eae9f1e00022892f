/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "match/needs.h"
#include "match/spell.h"

#include <stdint.h>

/* A clause of needs.h in the making. */

struct clause_word {
	char text[NEED_WORD_MAX];
	uint8_t len;
	bool nocase;
	unsigned bits; /* rarity */
};

/* {0}: none yet. */
struct clause {
	struct clause_word *words; /* in an arena */
	size_t n, room;
	unsigned bits; /* rarity: that of the commonest word, less for each doubling of their number
			*/
};

/* What is spelled in one of these ways contains a word of *ret. False: nothing of use. */
bool clause_make(struct clause *ret, struct arena *arena, const struct spells *spells);

/* Adds the words of another. False, and *c of no use, when they are too many. */
bool clause_join(struct clause *c, struct arena *arena, const struct clause *other);

/* Sets the bits of what was joined. */
void clause_rate(struct clause *c);

/* Does a text that has a word of the one always have a word of the other? */
bool clause_implies(const struct clause *one, const struct clause *other);

void clause_store(struct need *ret, struct arena *arena, const struct clause *c);
