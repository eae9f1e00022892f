/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>

/* Memory that is freed all at once: one arena a configuration generation. */
struct arena;

/* A new arena, or NULL when out of memory. */
struct arena *arena_new(void);

/* Frees everything that came from it. Takes NULL. */
void arena_free(struct arena *a);

/*
 * Zeroed memory aligned for any type, never NULL: running out of memory while a configuration is
 * read ends the program with a message, as there is nothing to go on with.
 */
void *arena_alloc(struct arena *a, size_t size);
void *arena_array(struct arena *a, size_t n, size_t size);
char *arena_strndup(struct arena *a, const char *s, size_t len);
char *arena_strdup(struct arena *a, const char *s);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
