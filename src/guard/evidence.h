/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/addr.h"

/*
 * The last matched lines of all jails that want any kept (maxmatches), in a ring of fixed size,
 * some 900 KB: what `explain` shows and what is kept with a ban. Remembering one copies it, no
 * more.
 */
struct evidence;

#define EVIDENCE_LINES 2048
#define EVIDENCE_LINE_MAX 400

struct evidence *evidence_new(void);
void evidence_free(struct evidence *e);

/* Remembers a line (cut to EVIDENCE_LINE_MAX); the oldest goes. */
void evidence_add(struct evidence *e, unsigned jail, const struct addr *a, int64_t time_us,
	const char *line, size_t len);

/* Calls fn for the lines of an address, oldest first; jail < 0: of every jail. */
void evidence_each(const struct evidence *e, int jail, const struct addr *a,
	void (*fn)(void *arg, unsigned jail, int64_t time_us, const char *line, size_t len),
	void *arg);

/*
 * The last lines of an address in a jail, at most max and no more than a few, escaped, joined by
 * newline: malloc'd, or NULL if none.
 */
char *evidence_text(const struct evidence *e, unsigned jail, const struct addr *a, unsigned max);
