/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/buf.h"

#include <stdbool.h>

/*
 * Appends a regex with its <tags> written out as Python would have it: <F-USER>...</F-USER> as a
 * named group, <HOST> and its like as our own expression for it.
 */
void f2b_python(const char *source, bool with_names, struct buf *out);

/* Appends a text as a value of a URL's query. */
void f2b_python_quote(const char *s, size_t len, struct buf *out);
