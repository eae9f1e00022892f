/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* A growing byte buffer, always NUL-terminated when not empty-and-unused. {0} is a valid empty one.
 */
struct buf {
	char *data;
	size_t len;
	size_t room;
};

/* Appends; 0 or -ENOMEM (the buffer is then unchanged). */
int buf_add(struct buf *b, const void *data, size_t len);
int buf_adds(struct buf *b, const char *s);
int buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int buf_vaddf(struct buf *b, const char *fmt, va_list ap);

/* Removes the first len bytes. */
void buf_drop(struct buf *b, size_t len);

/* The text so far; "" when empty. Valid until the next change. */
const char *buf_text(const struct buf *b);

/* Frees it and leaves an empty one. */
void buf_done(struct buf *b);
