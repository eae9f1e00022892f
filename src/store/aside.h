/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>

/*
 * Makes the directory fit for opening the database `name` in it: what stands in its place or in
 * that of its companions (-wal, -shm, -journal) and is no plain file is moved aside, and an empty
 * file of mode 0600 is made if there is none. *ret_unclean: the last one to use it did not close
 * it. Nothing may have the database open meanwhile. Returns 0 or -errno.
 */
int aside_prepare(int dirfd, const char *name, bool *ret_unclean, bool *ret_moved);

/*
 * Renames the database and its companions to NAME.corrupt-SECONDS (NAME.corrupt-SECONDS-wal ...)
 * and deletes the oldest of such sets above three. Returns 0 or -errno.
 */
int aside_move(int dirfd, const char *name);
