/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>

/* Texts to be shown at the end; they may hold any byte. */

struct f2b_text {
	char *s;
	size_t len;
};

struct f2b_texts {
	struct f2b_text *items;
	size_t n, room;
};

/* Adds a copy. */
void f2b_texts_add(struct f2b_texts *l, const char *s, size_t len);

/* Takes out the first that is the same, if there is one. */
void f2b_texts_drop(struct f2b_texts *l, const char *s, size_t len);

void f2b_texts_done(struct f2b_texts *l);
