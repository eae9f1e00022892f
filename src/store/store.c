/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/store.h"

#include "base/clock.h"
#include "store/db.h"
#include "store/schema.h"
#include "store/stmt.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LOCK_WAIT_MS 5000
#define CACHE_KEEP_BYTES (2 << 20)

static const char *err_text(int err)
{
	switch (-err) {
	case ENOSPC:
	case EDQUOT:
		return "disk full";
	case EROFS:
		return "read-only file or file system";
	case EUCLEAN:
		return "the database is corrupt";
	case EBUSY:
		return "the database is locked by another process";
	case EPROTO:
		return "the database was made by a newer version";
	case ESTALE:
		return "the database file was removed or replaced";
	default:
		return strerror(-err);
	}
}

int store_note(struct store *s, int err)
{
	if (err == 0)
		return 0;
	snprintf(s->trouble, sizeof(s->trouble), "%s%s", s->memory ? "in memory only: " : "",
		err_text(err));
	if (err == -EUCLEAN || err == -ESTALE)
		s->broken = err;
	if (err == -ESTALE)
		s->fresh = true; /* whatever comes in its place, though it may get the same inode */
	return err;
}

/* Opens the file. Leaves the store as it is on an error. */
static int open_disk(struct store *s, int busy_ms, bool *ret_moved)
{
	char *path = NULL;
	sqlite3 *db = NULL;
	struct stat st;
	int r = db_open(&db, s->dir, s->name, busy_ms, ret_moved);

	if (r == 0)
		r = db_path(&path, s->dir, s->name);
	if (r == 0 && lstat(path, &st) < 0)
		r = -errno;
	if (r < 0) {
		sqlite3_close(db);
		free(path);
		return r;
	}
	/* What was put into memory, or into a file that is not there any more, is not in this one.
	 */
	if (*ret_moved || s->changed || st.st_dev != s->dev || st.st_ino != s->inode)
		s->fresh = true;
	s->wipe = s->wipe || (s->changed && s->copied);
	stmt_forget(s);
	sqlite3_close(s->db);
	free(s->path);
	s->db = db;
	s->path = path;
	s->dev = st.st_dev;
	s->inode = st.st_ino;
	s->memory = s->copied = s->changed = false;
	s->broken = 0;
	s->trouble[0] = '\0';
	return 0;
}

/* In memory, because of err. 0 or -errno: then nothing can be stored at all. */
static int open_memory(struct store *s, int err)
{
	/* A file that another process works on, or that is broken, is no base to go on from. */
	bool readable = err != -EBUSY && err != -EUCLEAN && err != -EPROTO && err != -ENOMEM;
	int r;

	stmt_forget(s);
	sqlite3_close(s->db);
	s->db = NULL;
	s->memory = true;
	r = db_open_memory(&s->db, readable ? s->dir : NULL, s->name, &s->copied);
	store_note(s, err);
	s->broken = r;
	return r;
}

int store_open(struct store **ret, const char *dir, const char *name, bool *ret_moved)
{
	struct store *s = calloc(1, sizeof(*s));
	bool moved = false;
	int r, err;

	if (s == NULL)
		return -ENOMEM;
	s->dir = strdup(dir);
	s->name = strdup(name);
	if (s->dir == NULL || s->name == NULL) {
		store_close(s);
		return -ENOMEM;
	}
	err = open_disk(s, LOCK_WAIT_MS, &moved);
	s->fresh = false; /* that is about what was put, and nothing was yet */
	if (err < 0) {
		r = open_memory(s, err);
		if (r < 0) {
			store_close(s);
			return r;
		}
	}
	*ret = s;
	*ret_moved = moved;
	return err == -EPROTO ? err : 0;
}

void store_close(struct store *s)
{
	if (s == NULL)
		return;
	store_rollback(s);
	stmt_forget(s);
	sqlite3_close(s->db);
	free(s->path);
	free(s->dir);
	free(s->name);
	free(s);
}

/* Is the file still the one that we have open? */
static int check_place(const struct store *s)
{
	struct stat st;

	if (s->memory)
		return 0;
	if (lstat(s->path, &st) < 0)
		return errno == ENOENT ? -ESTALE : -errno;
	return st.st_dev == s->dev && st.st_ino == s->inode ? 0 : -ESTALE;
}

int store_begin(struct store *s)
{
	int64_t now_us = clock_wall_us();
	char sql[192];
	int r;

	if (s->broken != 0)
		return s->broken;
	assert(sqlite3_get_autocommit(s->db)); /* one at a time */
	r = check_place(s);
	if (r == 0)
		r = db_exec(s->db, "BEGIN IMMEDIATE");
	if (r == 0 && s->wipe) {
		/* Those that still stand are about to be put again, and so live on. */
		snprintf(sql, sizeof(sql),
			"UPDATE ban SET ended=%" PRId64 ", over=%" PRId64 " WHERE over>%" PRId64 ";"
			"DELETE FROM failures",
			now_us, now_us, now_us);
		r = db_exec(s->db, sql);
	}
	if (r < 0)
		store_rollback(s);
	return store_note(s, r);
}

/* A large transaction is quicker with a large page cache, but nobody needs that afterwards. */
static void trim_cache(sqlite3 *db)
{
	int used = 0, most = 0;

	if (sqlite3_db_status(db, SQLITE_DBSTATUS_CACHE_USED, &used, &most, 0) == SQLITE_OK &&
		used > CACHE_KEEP_BYTES)
		sqlite3_db_release_memory(db);
}

int store_commit(struct store *s)
{
	int r;

	if (s->broken != 0) {
		store_rollback(s);
		return s->broken;
	}
	r = db_exec(s->db, "COMMIT");
	if (r < 0) {
		store_rollback(s);
		return store_note(s, r);
	}
	if (!s->memory) {
		s->trouble[0] = '\0';
		s->fresh = s->wipe = false;
		trim_cache(s->db);
	}
	return 0;
}

void store_rollback(struct store *s)
{
	/* On some errors SQLite has done it already. */
	if (s->db != NULL && !sqlite3_get_autocommit(s->db))
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
}

const char *store_trouble(const struct store *s)
{
	return s->trouble;
}

uint64_t store_skipped(const struct store *s)
{
	return s->skipped;
}

/* Writes a page and commits it. */
static int try_to_write(struct store *s)
{
	int r = check_place(s);

	if (r == 0)
		r = db_exec(s->db, "BEGIN IMMEDIATE; PRAGMA user_version=0;"
				   "PRAGMA user_version=" SCHEMA_VERSION_TEXT "; COMMIT");
	store_rollback(s);
	return r;
}

int store_retry(struct store *s)
{
	bool moved = false;
	int r;

	if (s->db != NULL && !s->memory && s->broken == 0) {
		r = try_to_write(s);
		if (r == 0) {
			s->trouble[0] = '\0';
			return s->fresh ? 1 : 0;
		}
		/* Waiting is all there is to do for these; for others a new descriptor may help. */
		store_note(s, r);
		if (r == -ENOSPC || r == -EDQUOT || r == -ENOMEM || r == -EBUSY)
			return r;
	}
	if (s->db != NULL && !s->memory) {
		/* Two open at once would be in each other's way. */
		stmt_forget(s);
		sqlite3_close(s->db);
		s->db = NULL;
	}
	r = open_disk(s, 0, &moved);
	if (r == 0)
		return s->fresh ? 1 : 0;
	if (s->db == NULL)
		open_memory(s, r);
	else
		store_note(s, r);
	return r;
}
