/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

/* Database files: opening, judging, moving aside. What is in the rows is put.c's and load.c's
 * business. */

/*
 * Opens or makes `name` in the directory, writable, its lock held until it is closed; waits busy_ms
 * for somebody else's lock. What is corrupt or not ours is moved aside (*ret_moved = true) and made
 * anew. -EBUSY: locked. -EPROTO: made by a newer version, left as it is. Else -errno.
 */
int db_open(sqlite3 **ret, const char *dir, const char *name, int busy_ms, bool *ret_moved);

/*
 * A database in memory, of limited size; with what is in the file if that can be read and is ours
 * (*ret_copied = true). dir may be NULL.
 */
int db_open_memory(sqlite3 **ret, const char *dir, const char *name, bool *ret_copied);

/* The full path of name in dir, malloc'd. 0 or -errno. */
int db_path(char **ret, const char *dir, const char *name);

/* -errno for what SQLite returned last on db. 0 for success. -EUCLEAN: the file is corrupt. */
int db_errno(sqlite3 *db, int rc);

/* Runs SQL that gives no rows, or whose rows do not matter. */
int db_exec(sqlite3 *db, const char *sql);

/* The first column of the first row, 0 if there is none. */
int db_int(sqlite3 *db, const char *sql, int64_t *ret);
