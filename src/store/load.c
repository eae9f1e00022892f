/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/db.h"
#include "store/stmt.h"

#include <string.h>

/* A text of min to max bytes without NUL, or NULL. */
static const char *get_text(sqlite3_stmt *st, int i, size_t min, size_t max)
{
	const char *text;
	size_t len;

	if (sqlite3_column_type(st, i) != SQLITE_TEXT)
		return NULL;
	text = (const char *)sqlite3_column_text(st, i);
	len = (size_t)sqlite3_column_bytes(st, i);
	return text != NULL && len >= min && len <= max && strlen(text) == len ? text : NULL;
}

static bool get_int(sqlite3_stmt *st, int i, int64_t min, int64_t max, int64_t *ret)
{
	*ret = sqlite3_column_int64(st, i);
	return sqlite3_column_type(st, i) == SQLITE_INTEGER && *ret >= min && *ret <= max;
}

/* A text as get_text has it, or NULL for SQL's NULL. False when it is neither. */
static bool get_optional(sqlite3_stmt *st, int i, size_t max, const char **ret)
{
	*ret = get_text(st, i, 0, max);
	return *ret != NULL || sqlite3_column_type(st, i) == SQLITE_NULL;
}

static bool get_addr(sqlite3_stmt *st, int i, struct addr *ret)
{
	const void *blob;

	if (sqlite3_column_type(st, i) != SQLITE_BLOB)
		return false;
	blob = sqlite3_column_blob(st, i);
	if (blob == NULL || sqlite3_column_bytes(st, i) != sizeof(ret->b))
		return false;
	memcpy(ret->b, blob, sizeof(ret->b));
	return true;
}

/* More rows than a file of this size can hold: its pages point to one another in circles. */
static int rows_max(struct store *s, int64_t *ret)
{
	int r;

	if (s->broken != 0)
		return s->broken;
	r = db_int(s->db, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
		ret);
	*ret /= 16;
	return store_note(s, r);
}

int stmt_each_row(struct store *s, sqlite3_stmt *st,
	bool (*row)(sqlite3_stmt *st, const void *fn, void *arg), const void *fn, void *arg)
{
	int64_t left = 0;
	int rc, r = rows_max(s, &left);

	if (r < 0) {
		stmt_end(s, st, SQLITE_OK);
		return r;
	}
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		if (left-- == 0) {
			rc = SQLITE_CORRUPT;
			break;
		}
		if (!row(st, fn, arg))
			s->skipped++;
	}
	r = stmt_end(s, st, rc);
	/* A million rows went through the page cache: no need to sit on it. */
	sqlite3_db_release_memory(s->db);
	return r;
}

static bool get_ban(sqlite3_stmt *st, struct store_ban *ret)
{
	struct prefix p;
	int64_t len, failures;

	*ret = (struct store_ban) {
		.jail = get_text(st, 0, 1, JAIL_MAX), .origin = get_text(st, 6, 0, ORIGIN_MAX)};
	if (ret->jail == NULL || ret->origin == NULL || !get_addr(st, 1, &p.addr) ||
		!get_int(st, 2, 0, 128, &len) || !get_int(st, 3, 0, INT64_MAX, &ret->since_us) ||
		!get_int(st, 4, 0, INT64_MAX, &ret->until_us) ||
		!get_int(st, 5, 0, UINT32_MAX, &failures) ||
		!get_optional(st, 7, EVIDENCE_MAX, &ret->evidence) ||
		!get_optional(st, 8, RULE_MAX, &ret->rule))
		return false;
	ret->failures = (uint32_t)failures;
	ret->prefix = prefix_of(&p.addr, (uint8_t)len);
	return addr_eq(&ret->prefix.addr, &p.addr);
}

struct ban_fn {
	void (*fn)(void *, const struct store_ban *);
};

static bool ban_row(sqlite3_stmt *st, const void *fn, void *arg)
{
	struct store_ban b;

	if (!get_ban(st, &b))
		return false;
	((const struct ban_fn *)fn)->fn(arg, &b);
	return true;
}

int store_load_bans(
	struct store *s, int64_t now_us, void (*fn)(void *, const struct store_ban *), void *arg)
{
	struct ban_fn f = {fn};
	sqlite3_stmt *st;
	int r = stmt_get(s, STMT_LOAD_BANS, &st);

	if (r < 0)
		return r;
	sqlite3_bind_int64(st, 1, now_us);
	return stmt_each_row(s, st, ban_row, &f, arg);
}

struct history_fn {
	void (*fn)(void *, const struct store_ban *, int64_t ended_us);
};

static bool history_row(sqlite3_stmt *st, const void *fn, void *arg)
{
	struct store_ban b;
	int64_t ended_us;

	if (!get_ban(st, &b))
		return false;
	if (!get_int(st, 9, 0, INT64_MAX, &ended_us)) {
		if (sqlite3_column_type(st, 9) != SQLITE_NULL)
			return false;
		ended_us = 0;
	}
	((const struct history_fn *)fn)->fn(arg, &b, ended_us);
	return true;
}

int store_history(struct store *s, const struct addr *a, unsigned max,
	void (*fn)(void *, const struct store_ban *, int64_t ended_us), void *arg)
{
	struct history_fn f = {fn};
	struct prefix blocks[129];
	sqlite3_stmt *st;
	int r = stmt_get(s, STMT_HISTORY, &st);

	if (r < 0)
		return r;
	for (unsigned len = 0; len <= 128; len++) {
		blocks[len] = prefix_of(a, (uint8_t)len);
		sqlite3_bind_blob(st, (int)len + 1, blocks[len].addr.b, sizeof(blocks[len].addr.b),
			SQLITE_STATIC);
	}
	sqlite3_bind_int64(st, 130, max);
	return stmt_each_row(s, st, history_row, &f, arg);
}

struct position_fn {
	void (*fn)(void *, const struct store_position *);
};

static bool position_row(sqlite3_stmt *st, const void *fn, void *arg)
{
	struct store_position p = {.path = get_text(st, 0, 1, PATH_LEN_MAX)};
	int64_t dev, inode, offset, hash, len;

	if (p.path == NULL || !get_int(st, 1, INT64_MIN, INT64_MAX, &dev) ||
		!get_int(st, 2, INT64_MIN, INT64_MAX, &inode) ||
		!get_int(st, 3, 0, INT64_MAX, &offset) ||
		!get_int(st, 4, INT64_MIN, INT64_MAX, &hash) ||
		!get_int(st, 5, 0, UINT32_MAX, &len) || !get_optional(st, 6, CURSOR_MAX, &p.cursor))
		return false;
	p.dev = (uint64_t)dev;
	p.inode = (uint64_t)inode;
	p.offset = (uint64_t)offset;
	p.head_hash = (uint64_t)hash;
	p.head_len = (uint32_t)len;
	((const struct position_fn *)fn)->fn(arg, &p);
	return true;
}

int store_load_positions(
	struct store *s, void (*fn)(void *, const struct store_position *), void *arg)
{
	struct position_fn f = {fn};
	sqlite3_stmt *st;
	int r = stmt_get(s, STMT_LOAD_POSITIONS, &st);

	return r < 0 ? r : stmt_each_row(s, st, position_row, &f, arg);
}

struct total_fn {
	void (*fn)(void *, const struct store_total *);
};

static bool total_row(sqlite3_stmt *st, const void *fn, void *arg)
{
	struct store_total t = {.jail = get_text(st, 0, 1, JAIL_MAX)};
	int64_t lines, failures, bans;

	if (t.jail == NULL || !get_int(st, 1, 0, INT64_MAX, &lines) ||
		!get_int(st, 2, 0, INT64_MAX, &failures) || !get_int(st, 3, 0, INT64_MAX, &bans))
		return false;
	t.lines = (uint64_t)lines;
	t.failures = (uint64_t)failures;
	t.bans = (uint64_t)bans;
	((const struct total_fn *)fn)->fn(arg, &t);
	return true;
}

int store_load_totals(struct store *s, void (*fn)(void *, const struct store_total *), void *arg)
{
	struct total_fn f = {fn};
	sqlite3_stmt *st;
	int r = stmt_get(s, STMT_LOAD_TOTALS, &st);

	return r < 0 ? r : stmt_each_row(s, st, total_row, &f, arg);
}

struct sessions_fn {
	void (*fn)(void *, const char *jail, const void *data, size_t len);
};

static bool sessions_row(sqlite3_stmt *st, const void *fn, void *arg)
{
	const char *jail = get_text(st, 0, 1, JAIL_MAX);
	const void *data;
	int len;

	if (jail == NULL || sqlite3_column_type(st, 1) != SQLITE_BLOB)
		return false;
	data = sqlite3_column_blob(st, 1);
	len = sqlite3_column_bytes(st, 1);
	if (data == NULL || len > SESSIONS_BYTES_MAX)
		return false;
	((const struct sessions_fn *)fn)->fn(arg, jail, data, (size_t)len);
	return true;
}

int store_load_sessions(struct store *s,
	void (*fn)(void *, const char *jail, const void *data, size_t len), void *arg)
{
	struct sessions_fn f = {fn};
	sqlite3_stmt *st;
	int r = stmt_get(s, STMT_LOAD_SESSIONS, &st);

	return r < 0 ? r : stmt_each_row(s, st, sessions_row, &f, arg);
}
