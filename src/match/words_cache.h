/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>

/*
 * What is expensive to make is kept in files, one for each key: everything that decides what is
 * made. A directory or a file that somebody else than we or root could have written is not
 * used, and what a file says is believed only if its checksum is right: that is against broken
 * files, not against an enemy who runs as us.
 */

#define WORDS_CACHE_FILES 16        /* more than that, and the oldest are removed */
#define WORDS_CACHE_PREFIX "words-" /* of all the files' names */
#define WORDS_CACHE_MAX (64u << 20) /* bytes of a file */

/*
 * Reads what is kept for the key; the caller frees *ret, which is aligned for any type. 0, -ENOENT,
 * -EPERM (not ours), -EBADMSG (broken, or of another key), or another -errno.
 */
int words_cache_load(int dir_fd, const void *key, size_t key_len, void **ret, size_t *ret_len);

/* Keeps it: there is the whole file or none. 0 or -errno. */
int words_cache_store(int dir_fd, const void *key, size_t key_len, const void *data, size_t len);
