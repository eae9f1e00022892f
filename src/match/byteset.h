/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A set of bytes. {0} is the empty one. */
struct byteset {
	uint64_t bits[4];
};

bool byteset_has(const struct byteset *s, unsigned char c);
unsigned byteset_count(const struct byteset *s);

/* The first member from `from` on, or 256. */
unsigned byteset_next(const struct byteset *s, unsigned from);

void byteset_add(struct byteset *s, unsigned char c);

/* Adds lo to hi, both included. */
void byteset_add_range(struct byteset *s, unsigned lo, unsigned hi);

/* Adds all of another one. */
void byteset_join(struct byteset *s, const struct byteset *other);

/* Leaves what was not in it. */
void byteset_invert(struct byteset *s);

/* Adds the letters that are in it in the other case too. */
void byteset_fold(struct byteset *s);
