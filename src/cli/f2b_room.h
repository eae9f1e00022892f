/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/buf.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Memory for the run of a tool over somebody's own log: without it there is nothing to go on with,
 * so these end the program with a message, as an arena does.
 */

static inline void *f2b_got(void *p)
{
	if (p == NULL) {
		fputs("fail2ban-regex: out of memory\n", stderr);
		exit(EXIT_FAILURE);
	}
	return p;
}

/* Zeroed memory for free(). */
static inline void *f2b_room(size_t size)
{
	return f2b_got(calloc(1, size));
}

/* A full array with room for twice as many. */
static inline void *f2b_more_room(void *items, size_t *room, size_t size)
{
	*room = *room > 0 ? *room * 2 : 4;
	return f2b_got(reallocarray(items, *room, size));
}

static inline char *f2b_copy(const char *s, size_t len)
{
	char *copy = f2b_got(malloc(len + 1));

	memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

static inline void f2b_add(struct buf *b, const char *s, size_t len)
{
	if (buf_add(b, s, len) < 0)
		f2b_got(NULL);
}

static inline void f2b_adds(struct buf *b, const char *s)
{
	f2b_add(b, s, strlen(s));
}
