/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "store/store_priv.h"

/* The prepared statements of a store, and what may stand in a row. */

#define JAIL_MAX 255
#define ORIGIN_MAX 64
#define RULE_MAX 255
#define PATH_LEN_MAX 4095
#define CURSOR_MAX 1024
#define EVIDENCE_MAX 8192
#define SESSIONS_BYTES_MAX (8 << 20) /* more than 2,048 of them can have */

/* A statement ready for its values, prepared when first used. 0 or -errno, noted. */
int stmt_get(struct store *s, enum store_stmt which, sqlite3_stmt **ret);

/* Ends the use of a statement. rc is what its last step returned; 0 or -errno, noted. */
int stmt_end(struct store *s, sqlite3_stmt *st, int rc);

/* Runs one that changes something, to its end. */
int stmt_run(struct store *s, sqlite3_stmt *st);

/*
 * Steps through all rows of a load and ends it; row() says whether one made sense. Function
 * pointers do not fit into a void pointer: fn points to one. 0 or -errno, noted.
 */
int stmt_each_row(struct store *s, sqlite3_stmt *st,
	bool (*row)(sqlite3_stmt *st, const void *fn, void *arg), const void *fn, void *arg);

/* Drops them all, before the database is closed. */
void stmt_forget(struct store *s);
