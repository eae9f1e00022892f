/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>

/* Files in other programs' directories, one of which is ours to write. */

enum setup_there {
	SETUP_ABSENT,
	SETUP_SAME,   /* this very text */
	SETUP_OURS,   /* we wrote it, but it says something else */
	SETUP_OTHERS, /* somebody else's, or no file */
};

/* What is at the path? Ours begins with mark. */
enum setup_there setup_there(const char *path, const char *text, size_t len, const char *mark);

/*
 * Writes the file whole or not at all, and its directory if that is missing. Replaces one only if
 * replace is set. 0, -EEXIST or another -errno.
 */
int setup_write(const char *path, const char *text, size_t len, int replace);

/* The text of a file of at most 1 MiB, to be freed; NULL: it cannot be read. */
char *setup_read(const char *path);
