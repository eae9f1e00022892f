/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Lines of a file or pipe, in memory that does not depend on it: of a line longer than
 * TAIL_RAW_MAX the first so many bytes are given.
 */
struct lines;

/* Takes over fd. NULL when out of memory. */
struct lines *lines_new(int fd);

/*
 * The next line without its LF or CR LF, borrowed until the next call. Returns 1, 0 at the end, or
 * -errno of the read. A last line without its line end counts as one.
 */
int lines_next(struct lines *l, const char **ret, size_t *ret_len);

/* Closes. Takes NULL. */
void lines_free(struct lines *l);
