/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "store/store.h"

#include <sqlite3.h>
#include <sys/types.h>

/* The statements, their text is in stmt.c. */
enum store_stmt {
	STMT_BAN_FIND,
	STMT_BAN_ADD,
	STMT_BAN_UPDATE,
	STMT_BAN_OVER,
	STMT_BAN_END,
	STMT_POSITION_PUT,
	STMT_POSITION_DROP,
	STMT_TOTAL_PUT,
	STMT_FAILURES_PUT,
	STMT_FAILURES_CUT,
	STMT_SESSIONS_PUT,
	STMT_SESSIONS_DROP,
	STMT_LOAD_BANS,
	STMT_LOAD_POSITIONS,
	STMT_LOAD_TOTALS,
	STMT_LOAD_FAILURES,
	STMT_LOAD_SESSIONS,
	STMT_HISTORY,
	STMT_N,
};

struct store {
	char *dir, *name, *path; /* path NULL: dir could not be resolved */
	sqlite3 *db;
	sqlite3_stmt *stmt[STMT_N];
	bool memory;  /* db is in memory */
	bool copied;  /* and began as a copy of the file */
	bool changed; /* and was written to since */
	int broken;   /* -errno: the file is corrupt or gone, nothing helps but store_retry */
	bool fresh;   /* the file has not what was committed: till the next commit */
	bool wipe;    /* and what it has is outdated: replaced by the next transaction */
	dev_t dev;    /* the file last opened, inode 0 for none */
	ino_t inode;
	uint64_t skipped;
	char trouble[192];
};

/* Notes what is wrong and returns err, which is 0 or -errno. */
int store_note(struct store *s, int err);
