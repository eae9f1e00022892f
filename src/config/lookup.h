/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "config/expand.h"

/* What is being expanded on behalf of what: how loops are seen. */
struct frame {
	const struct entry *entry;
	const struct frame *up;
	unsigned depth;
};

#define FRAME_DEPTH_MAX 32

bool frame_is_active(const struct entry *e, const struct frame *f);

/* The newest state of e that is not being expanded, or NULL. */
const struct entry *frame_idle(const struct entry *e, const struct frame *f);

/* A key as it is stored: in lower case. */
const char *lookup_key(struct arena *arena, const char *key);

/* In the section, else in [DEFAULT]. */
const struct entry *lookup_in(const struct doc *d, const struct section *s, const char *key);

/* Does a filter itself say something about the key: its [Definition], [Init] or options? */
bool lookup_is_own(const struct scope *filter, const char *key);

/* A key of the section, of [Init], [Definition] or [DEFAULT] that is near: "; did you mean ...". */
const char *lookup_hint(
	struct reader *r, const struct doc *d, const struct section *s, const char *key);
