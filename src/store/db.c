/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/db.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/util.h"
#include "store/aside.h"
#include "store/schema.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define CHECK_LIMIT_US 150000 /* longest check of a file's structure when it is opened */
#define CHECK_ALWAYS_BYTES (4 << 20)
#define MEMORY_PAGES 8192 /* 32 MiB */
#define PAGE_BYTES 4096

#define TEXT_OF_(x) #x
#define TEXT_OF(x) TEXT_OF_(x)

int db_errno(sqlite3 *db, int rc)
{
	int sys = db == NULL ? 0 : sqlite3_system_errno(db);

	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_FORMAT:
	case SQLITE_SCHEMA:
		return -EUCLEAN;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_TOOBIG:
		return -E2BIG;
	case SQLITE_INTERRUPT:
		return -EINTR;
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return -EACCES;
	case SQLITE_CANTOPEN:
		return sys > 0 ? -sys : -EACCES;
	case SQLITE_IOERR:
		/* No room for the part of the file that is read next looks like this. */
		return sys > 0 ? -sys : -EIO;
	default:
		return -EIO;
	}
}

int db_exec(sqlite3 *db, const char *sql)
{
	return db_errno(db, sqlite3_exec(db, sql, NULL, NULL, NULL));
}

int db_int(sqlite3 *db, const char *sql, int64_t *ret)
{
	sqlite3_stmt *st;
	int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL), r;

	if (rc != SQLITE_OK)
		return db_errno(db, rc);
	rc = sqlite3_step(st);
	r = db_errno(db, rc);
	if (r == 0)
		*ret = rc == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;
	sqlite3_finalize(st);
	return r;
}

int db_path(char **ret, const char *dir, const char *name)
{
	/* Symbolic links in the path of the directory are the administrator's; below it none
	 * counts. */
	_cleanup_free_ char *real = realpath(dir, NULL);

	if (real == NULL)
		return -errno;
	if (strchr(name, '/') != NULL || name[0] == '\0')
		return -EINVAL;
	return asprintf(ret, "%s/%s", strcmp(real, "/") == 0 ? "" : real, name) < 0 ? -ENOMEM : 0;
}

/* What a file may ask of SQLite, whoever wrote it. */
static void confine(sqlite3 *db)
{
	static const int off[] = {SQLITE_DBCONFIG_TRUSTED_SCHEMA, SQLITE_DBCONFIG_ENABLE_TRIGGER,
		SQLITE_DBCONFIG_ENABLE_VIEW, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION,
		SQLITE_DBCONFIG_ENABLE_FKEY, SQLITE_DBCONFIG_DQS_DML, SQLITE_DBCONFIG_DQS_DDL};
	static const int limits[][2] = {
		{SQLITE_LIMIT_LENGTH, 1 << 20},
		{SQLITE_LIMIT_SQL_LENGTH, 1 << 14},
		{SQLITE_LIMIT_COLUMN, 32},
		{SQLITE_LIMIT_EXPR_DEPTH, 50},
		{SQLITE_LIMIT_COMPOUND_SELECT, 200},
		{SQLITE_LIMIT_VDBE_OP, 25000},
		{SQLITE_LIMIT_FUNCTION_ARG, 8},
		{SQLITE_LIMIT_ATTACHED, 0},
		{SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 50},
		{SQLITE_LIMIT_VARIABLE_NUMBER, 200},
		{SQLITE_LIMIT_TRIGGER_DEPTH, 1},
		{SQLITE_LIMIT_WORKER_THREADS, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		sqlite3_limit(db, limits[i][0], limits[i][1]);
	for (size_t i = 0; i < ARRAY_SIZE(off); i++)
		sqlite3_db_config(db, off[i], 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_extended_result_codes(db, 1);
}

/* Past its deadline (an int64_t) SQLite gives up what it is doing. */
static int is_late(void *arg)
{
	return clock_mono_us() > *(int64_t *)arg;
}

/* Finds malformed pages. Out of time, the file passes: what is met later is met later. */
static int check_pages(sqlite3 *db)
{
	int64_t deadline_us = clock_mono_us() + CHECK_LIMIT_US;
	sqlite3_stmt *st;
	int rc, r;

	sqlite3_progress_handler(db, 10000, is_late, &deadline_us);
	rc = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &st, NULL);
	if (rc == SQLITE_OK) {
		const char *text;

		rc = sqlite3_step(st);
		text = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(st, 0) : NULL;
		if (text != NULL && strcmp(text, "ok") != 0)
			rc = SQLITE_CORRUPT;
		sqlite3_finalize(st);
	}
	sqlite3_progress_handler(db, 0, NULL, NULL);
	r = db_errno(db, rc);
	return r == -EINTR ? 0 : r;
}

/* Is what the two statements give the same, row by row? */
static int same_rows(sqlite3_stmt *a, sqlite3_stmt *b)
{
	for (;;) {
		int ra = sqlite3_step(a), rb = sqlite3_step(b);

		if (ra != rb || (ra != SQLITE_ROW && ra != SQLITE_DONE))
			return -EUCLEAN;
		if (ra == SQLITE_DONE)
			return 0;
		for (int i = 0; i < sqlite3_column_count(a); i++) {
			const char *ta = (const char *)sqlite3_column_text(a, i);
			const char *tb = (const char *)sqlite3_column_text(b, i);

			if ((ta == NULL) != (tb == NULL) || (ta != NULL && strcmp(ta, tb) != 0))
				return -EUCLEAN;
		}
	}
}

/*
 * Exactly the tables and indexes of the version that it says it is: no views, triggers, computed
 * columns or others to be met later, and nothing that the steps to our version would stumble over.
 */
static int check_schema(sqlite3 *db)
{
	static const char sql[] =
		"SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name";
	sqlite3_stmt *a = NULL, *b = NULL;
	sqlite3 *ours = NULL;
	int64_t version = 0;
	int r = db_int(db, "PRAGMA user_version", &version);

	if (r == 0)
		r = db_errno(NULL, sqlite3_open(":memory:", &ours));
	for (int64_t v = 0; r == 0 && v < version && v < SCHEMA_VERSION; v++)
		r = db_exec(ours, schema_steps[v]);
	if (r == 0)
		r = db_errno(ours, sqlite3_prepare_v2(ours, sql, -1, &a, NULL));
	if (r == 0)
		r = db_errno(db, sqlite3_prepare_v2(db, sql, -1, &b, NULL));
	if (r == 0)
		r = same_rows(a, b);
	sqlite3_finalize(a);
	sqlite3_finalize(b);
	sqlite3_close(ours);
	return r;
}

/* An empty file, or one whose maker was stopped before it made anything. */
static int is_new(sqlite3 *db, bool *ret)
{
	int64_t application, version, objects;
	int r = db_int(db, "PRAGMA application_id", &application);

	if (r == 0)
		r = db_int(db, "PRAGMA user_version", &version);
	if (r == 0)
		r = db_int(db, "SELECT count(*) FROM sqlite_master", &objects);
	if (r == 0)
		*ret = application == 0 && version == 0 && objects == 0;
	return r;
}

/* Makes the schema, or brings an older one to ours. */
static int migrate(sqlite3 *db)
{
	int64_t version = 0;
	int r = db_int(db, "PRAGMA user_version", &version);

	if (r < 0 || version == SCHEMA_VERSION)
		return r;
	r = db_exec(db, "BEGIN IMMEDIATE");
	for (; r == 0 && version >= 0 && version < SCHEMA_VERSION; version++)
		r = db_exec(db, schema_steps[version]);
	if (r == 0)
		r = db_exec(db, "PRAGMA application_id=" SCHEMA_APPLICATION
				"; PRAGMA user_version=" SCHEMA_VERSION_TEXT "; COMMIT");
	if (r < 0 && !sqlite3_get_autocommit(db))
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return r;
}

/* -EUCLEAN: not ours. -EPROTO: ours, but from a later version. */
static int check_owner(sqlite3 *db)
{
	int64_t application, version, utf8;
	int r = db_int(db, "PRAGMA application_id", &application);

	if (r == 0)
		r = db_int(db, "PRAGMA user_version", &version);
	if (r == 0)
		r = db_int(db, "SELECT encoding = 'UTF-8' FROM pragma_encoding", &utf8);
	if (r < 0)
		return r;
	if (application != strtoll(SCHEMA_APPLICATION, NULL, 10) || version < 1 || utf8 != 1)
		return -EUCLEAN;
	return version > SCHEMA_VERSION ? -EPROTO : 0;
}

static int check_file(sqlite3 *db, bool unclean)
{
	int64_t bytes;
	int r = db_int(db, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
		&bytes);

	if (r == 0 && (unclean || bytes <= CHECK_ALWAYS_BYTES))
		r = check_pages(db);
	return r;
}

/*
 * Exclusive: guard is the only one who works on it, so the lock is taken once, and there is no
 * shared memory file that would have to be mapped (on a full disk that is a SIGBUS).
 */
static int set_up(sqlite3 *db, bool unclean)
{
	bool new = false;
	int r = db_exec(db,
		"PRAGMA locking_mode=EXCLUSIVE; PRAGMA temp_store=MEMORY; PRAGMA mmap_size=0;"
		"PRAGMA cell_size_check=ON; PRAGMA secure_delete=OFF; PRAGMA cache_size=-8192");

	if (r == 0)
		r = is_new(db, &new);
	if (r == 0 && !new)
		r = check_owner(db);
	/* Has to come before the first page is written, and that is what the mode of the journal
	 * is. */
	if (r == 0 && new)
		r = db_exec(db,
			"PRAGMA page_size=" TEXT_OF(PAGE_BYTES) "; PRAGMA auto_vacuum=INCREMENTAL");
	if (r == 0 && !new)
		r = check_file(db, unclean);
	if (r == 0)
		r = db_exec(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
				"PRAGMA journal_size_limit=16777216");
	if (r == 0)
		r = check_schema(db);
	return r == 0 ? migrate(db) : r;
}

static int open_once(sqlite3 **ret, const char *path, int busy_ms, bool unclean)
{
	sqlite3 *db = NULL;
	int r = db_errno(db,
		sqlite3_open_v2(path, &db,
			SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_NOMUTEX, NULL));

	if (r < 0 && db != NULL && sqlite3_system_errno(db) > 0)
		r = -sqlite3_system_errno(db);
	/* What cannot be written SQLite opens for reading. */
	if (r == 0 && sqlite3_db_readonly(db, "main") == 1)
		r = -EROFS;
	if (r == 0) {
		confine(db);
		sqlite3_busy_timeout(db, busy_ms);
		r = set_up(db, unclean);
	}
	if (r < 0) {
		sqlite3_close(db);
		return r;
	}
	*ret = db;
	return 0;
}

int db_open(sqlite3 **ret, const char *dir, const char *name, int busy_ms, bool *ret_moved)
{
	_cleanup_close_ int dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ char *path = NULL;
	bool unclean;
	int r;

	*ret_moved = false;
	if (dirfd < 0)
		return -errno;
	r = db_path(&path, dir, name);
	for (int tries = 0; r == 0 && tries < 2; tries++) {
		r = aside_prepare(dirfd, name, &unclean, ret_moved);
		if (r < 0)
			return r;
		r = open_once(ret, path, busy_ms, unclean);
		if (r != -EUCLEAN || tries > 0)
			return r;
		r = aside_move(dirfd, name);
		*ret_moved = *ret_moved || r == 0;
	}
	return r;
}

/* The file as it is, for reading only, without its log if it must be so. */
static int open_to_read(sqlite3 **ret, const char *path)
{
	_cleanup_free_ char *uri = NULL;
	struct buf b = {0};
	int r = -EIO;

	if (buf_adds(&b, "file:") < 0)
		return -ENOMEM;
	for (const char *p = path; *p != '\0'; p++)
		if ((strchr("?#%", *p) != NULL ? buf_addf(&b, "%%%02x", (unsigned)*p)
					       : buf_add(&b, p, 1)) < 0) {
			buf_done(&b);
			return -ENOMEM;
		}
	for (int immutable = 0; r < 0 && immutable <= 1; immutable++) {
		sqlite3 *db = NULL;

		free(uri);
		if (asprintf(&uri, "%s?immutable=%d", buf_text(&b), immutable) < 0) {
			uri = NULL;
			r = -ENOMEM;
			break;
		}
		r = db_errno(NULL, sqlite3_open_v2(uri, &db,
					   SQLITE_OPEN_READONLY | SQLITE_OPEN_NOFOLLOW |
						   SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI,
					   NULL));
		if (r == 0) {
			confine(db);
			r = check_owner(db);
		}
		if (r == 0)
			r = check_file(db, true);
		if (r == 0)
			r = check_schema(db);
		if (r == 0)
			*ret = db;
		else
			sqlite3_close(db);
	}
	buf_done(&b);
	return r;
}

static int copy(sqlite3 *to, const char *path)
{
	sqlite3 *from = NULL;
	sqlite3_backup *b;
	int64_t bytes = 0;
	int r = open_to_read(&from, path);

	if (r < 0)
		return r;
	r = db_int(from, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
		&bytes);
	if (r == 0 && bytes > MEMORY_PAGES * PAGE_BYTES)
		r = -EFBIG;
	if (r == 0) {
		b = sqlite3_backup_init(to, "main", from, "main");
		if (b == NULL) {
			r = -ENOMEM;
		} else {
			sqlite3_backup_step(b, -1);
			r = db_errno(to, sqlite3_backup_finish(b));
		}
	}
	sqlite3_close(from);
	return r;
}

static int memory_db(sqlite3 **ret)
{
	return db_errno(NULL, sqlite3_open_v2(":memory:", ret,
				      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
					      SQLITE_OPEN_MEMORY | SQLITE_OPEN_NOMUTEX,
				      NULL));
}

int db_open_memory(sqlite3 **ret, const char *dir, const char *name, bool *ret_copied)
{
	_cleanup_free_ char *path = NULL;
	struct stat st;
	sqlite3 *db = NULL;
	int r = memory_db(&db);

	*ret_copied = false;
	if (r == 0 && dir != NULL && db_path(&path, dir, name) == 0 && lstat(path, &st) == 0 &&
		S_ISREG(st.st_mode) && st.st_size > 0) {
		*ret_copied = copy(db, path) == 0;
		if (!*ret_copied) {
			sqlite3_close(db);
			db = NULL;
			r = memory_db(&db);
		}
	}
	if (r == 0) {
		confine(db);
		r = db_exec(db,
			"PRAGMA temp_store=MEMORY; PRAGMA max_page_count=" TEXT_OF(MEMORY_PAGES));
	}
	if (r == 0)
		r = migrate(db);
	if (r < 0) {
		sqlite3_close(db);
		return r;
	}
	*ret = db;
	return 0;
}
