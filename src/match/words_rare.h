/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "match/words_priv.h"

/* How often bytes are seen in logs, guessed. Only a scan's speed depends on it. */
struct words_rare {
	float bytes[256];      /* the share of each */
	uint64_t common[1024]; /* hashes of grams of common lines: a set of bits */
};

/* 9 KiB; nothing to free. */
void words_rare_init(struct words_rare *r);

/* The share of these `size` bytes (2 to 4), in whichever case, among all that follow each other. */
float words_rare_share(const struct words_rare *r, const char *p, unsigned size);

/* Where in the word `count` grams of `size` bytes begin, side by side, that are the rarest. */
uint8_t words_rarest(
	const struct words_rare *r, const struct words_unique *u, unsigned size, unsigned count);
