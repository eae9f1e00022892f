/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The few ways in which a part of an expression may be spelled: "(?:log|sign)-?in" is "login",
 * "log-in", "signin" or "sign-in". All in printable ASCII.
 */

#define SPELL_LEN_MAX 48
#define SPELLS_MAX 16

#define SPELL_BYTE 0xff
#define SPELL_FOLD 0x100 /* a small letter that stands for the large one, too */
/* And for a character beyond ASCII that is the same but for its case. */
#define SPELL_WIDE 0x200

struct spell {
	uint8_t len;
	uint16_t c[SPELL_LEN_MAX]; /* a byte each, with its flags */
};

/* {0}: none at all, which is not the same as one that is empty. */
struct spells {
	uint8_t n;
	struct spell of[SPELLS_MAX];
};

/* The empty one alone. */
void spells_empty(struct spells *s);

/* Adds one of a single byte; false when there is no room. */
bool spells_add(struct spells *s, uint16_t c);

/* Adds all of another. False when there are too many, with *s as it was. */
bool spells_join(struct spells *s, const struct spells *other);

/*
 * Each of s followed by each of the other. False when there are too many or they are too long, with
 * *s as it was.
 */
bool spells_cross(struct spells *s, const struct spells *other);

/* Leaves the one beginning, or end, that all have in common; it may be empty. */
void spells_common_head(struct spells *s);
void spells_common_tail(struct spells *s);

/* Leaves of those that are long the last half of what there is room for. */
void spells_halve(struct spells *s);

/* Drops those that begin, or end, with another one: what has one of them has that other. */
void spells_trim_heads(struct spells *s);
void spells_trim_tails(struct spells *s);
