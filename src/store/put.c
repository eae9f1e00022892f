/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"
#include "store/db.h"
#include "store/stmt.h"

#include <errno.h>
#include <string.h>

#define PURGE_ROWS 10000
#define PURGE_PAGES "2000"
#define SIZE_MAX_BYTES (1LL << 30)

/* The values stay with the caller until the statement is done with. */
static void put_text(sqlite3_stmt *st, int i, const char *text)
{
	sqlite3_bind_text(st, i, text, -1, SQLITE_STATIC);
}

static void put_addr(sqlite3_stmt *st, int i, const struct addr *a)
{
	sqlite3_bind_blob(st, i, a->b, sizeof(a->b), SQLITE_STATIC);
}

static bool name_fits(const char *name, size_t max)
{
	size_t len = strnlen(name, max + 1);

	return len > 0 && len <= max;
}

/* The last lines that fit. */
static const char *cut_evidence(const char *text)
{
	size_t len = text == NULL ? 0 : strlen(text);
	const char *cut, *line;

	if (len <= EVIDENCE_MAX)
		return text;
	cut = text + len - EVIDENCE_MAX;
	/* A newline just before the cut makes it a clean one. */
	line = strchr(cut - 1, '\n');
	return line != NULL && line[1] != '\0' ? line + 1 : cut;
}

static int add_ban(struct store *s, const struct store_ban *b, const char *origin, int64_t over_us)
{
	sqlite3_stmt *st;
	int r = stmt_get(s, STMT_BAN_ADD, &st);

	if (r < 0)
		return r;
	put_text(st, 1, b->jail);
	put_addr(st, 2, &b->prefix.addr);
	sqlite3_bind_int(st, 3, b->prefix.len);
	sqlite3_bind_int64(st, 4, b->since_us);
	sqlite3_bind_int64(st, 5, b->until_us);
	sqlite3_bind_int64(st, 6, b->failures);
	put_text(st, 7, origin);
	put_text(st, 8, cut_evidence(b->evidence));
	put_text(st, 9, b->rule);
	sqlite3_bind_int64(st, 10, over_us);
	return stmt_run(s, st);
}

static int update_ban(
	struct store *s, const struct store_ban *b, const char *origin, int64_t id, int64_t over_us)
{
	sqlite3_stmt *st;
	int r = stmt_get(s, STMT_BAN_UPDATE, &st);

	if (r < 0)
		return r;
	sqlite3_bind_int64(st, 1, id);
	sqlite3_bind_int64(st, 2, b->until_us);
	sqlite3_bind_int64(st, 3, b->failures);
	sqlite3_bind_int64(st, 4, over_us);
	put_text(st, 5, cut_evidence(b->evidence));
	put_text(st, 6, origin);
	put_text(st, 7, b->rule);
	return stmt_run(s, st);
}

/* The row of a ban that b goes on with: *ret_id, 0 if there is none. */
static int find_ban(struct store *s, const struct store_ban *b, int64_t *ret_id)
{
	int64_t id = 0, until_us = 0, since_us = 0;
	sqlite3_stmt *st;
	int rc, r = stmt_get(s, STMT_BAN_FIND, &st);

	*ret_id = 0;
	if (r < 0)
		return r;
	put_addr(st, 1, &b->prefix.addr);
	sqlite3_bind_int(st, 2, b->prefix.len);
	put_text(st, 3, b->jail);
	sqlite3_bind_int64(st, 4, b->since_us);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		id = sqlite3_column_int64(st, 0);
		until_us = sqlite3_column_int64(st, 1);
		since_us = sqlite3_column_int64(st, 2);
	}
	r = stmt_end(s, st, rc);
	if (r < 0 || id == 0)
		return r;
	if (until_us == 0 || until_us > b->since_us || since_us == b->since_us) {
		*ret_id = id;
		return 0;
	}
	/* It ran out before this one began, and nobody said so. */
	r = stmt_get(s, STMT_BAN_OVER, &st);
	if (r < 0)
		return r;
	sqlite3_bind_int64(st, 1, id);
	return stmt_run(s, st);
}

int store_put_ban(struct store *s, const struct store_ban *b)
{
	const char *origin = b->origin != NULL ? b->origin : "";
	int64_t over_us = b->until_us == 0 ? INT64_MAX : b->until_us, id;
	int r;

	if (!name_fits(b->jail, JAIL_MAX) || strnlen(origin, ORIGIN_MAX + 1) > ORIGIN_MAX ||
		(b->rule != NULL && strnlen(b->rule, RULE_MAX + 1) > RULE_MAX) ||
		b->prefix.len > 128 || b->since_us < 0 || b->until_us < 0)
		return -EINVAL;
	r = find_ban(s, b, &id);
	if (r < 0)
		return r;
	return id != 0 ? update_ban(s, b, origin, id, over_us) : add_ban(s, b, origin, over_us);
}

int store_end_ban(struct store *s, const char *jail, const struct prefix *p, int64_t at_us)
{
	sqlite3_stmt *st;
	int r;

	if (!name_fits(jail, JAIL_MAX) || at_us < 0)
		return -EINVAL;
	r = stmt_get(s, STMT_BAN_END, &st);
	if (r < 0)
		return r;
	put_addr(st, 1, &p->addr);
	sqlite3_bind_int(st, 2, p->len);
	put_text(st, 3, jail);
	sqlite3_bind_int64(st, 4, at_us);
	return stmt_run(s, st);
}

int store_put_position(struct store *s, const struct store_position *p)
{
	sqlite3_stmt *st;
	int r;

	if (!name_fits(p->path, PATH_LEN_MAX) || p->offset > INT64_MAX ||
		(p->cursor != NULL && strnlen(p->cursor, CURSOR_MAX + 1) > CURSOR_MAX))
		return -EINVAL;
	r = stmt_get(s, STMT_POSITION_PUT, &st);
	if (r < 0)
		return r;
	put_text(st, 1, p->path);
	sqlite3_bind_int64(st, 2, (int64_t)p->dev);
	sqlite3_bind_int64(st, 3, (int64_t)p->inode);
	sqlite3_bind_int64(st, 4, (int64_t)p->offset);
	sqlite3_bind_int64(st, 5, (int64_t)p->head_hash);
	sqlite3_bind_int64(st, 6, p->head_len);
	put_text(st, 7, p->cursor);
	return stmt_run(s, st);
}

int store_drop_position(struct store *s, const char *path)
{
	sqlite3_stmt *st;
	int r = stmt_get(s, STMT_POSITION_DROP, &st);

	if (r < 0)
		return r;
	put_text(st, 1, path);
	return stmt_run(s, st);
}

int store_put_total(struct store *s, const struct store_total *t)
{
	sqlite3_stmt *st;
	int r;

	if (!name_fits(t->jail, JAIL_MAX) || t->lines > INT64_MAX || t->failures > INT64_MAX ||
		t->bans > INT64_MAX)
		return -EINVAL;
	r = stmt_get(s, STMT_TOTAL_PUT, &st);
	if (r < 0)
		return r;
	put_text(st, 1, t->jail);
	sqlite3_bind_int64(st, 2, (int64_t)t->lines);
	sqlite3_bind_int64(st, 3, (int64_t)t->failures);
	sqlite3_bind_int64(st, 4, (int64_t)t->bans);
	return stmt_run(s, st);
}

int store_put_sessions(struct store *s, const char *jail, const void *data, size_t len)
{
	sqlite3_stmt *st;
	int r;

	if (!name_fits(jail, JAIL_MAX) || len > SESSIONS_BYTES_MAX)
		return -EINVAL;
	r = stmt_get(s, STMT_SESSIONS_PUT, &st);
	if (r < 0)
		return r;
	put_text(st, 1, jail);
	sqlite3_bind_blob(st, 2, data, (int)len, SQLITE_STATIC);
	return stmt_run(s, st);
}

int store_drop_sessions(struct store *s)
{
	sqlite3_stmt *st;
	int r = stmt_get(s, STMT_SESSIONS_DROP, &st);

	return r < 0 ? r : stmt_run(s, st);
}

/* Runs SQL with a number for its ?1 and at most PURGE_ROWS rows. How many went, or -errno. */
static int purge_some(struct store *s, const char *sql, int64_t before)
{
	sqlite3_stmt *st;
	int r = db_errno(s->db, sqlite3_prepare_v2(s->db, sql, -1, &st, NULL));

	if (r == 0) {
		sqlite3_bind_int64(st, 1, before);
		sqlite3_bind_int(st, 2, PURGE_ROWS);
		r = db_errno(s->db, sqlite3_step(st));
		sqlite3_finalize(st);
	}
	return r < 0 ? store_note(s, r) : sqlite3_changes(s->db);
}

int store_purge(struct store *s, int64_t before_us)
{
	static const char old_bans[] = "DELETE FROM ban WHERE id IN"
				       " (SELECT id FROM ban WHERE over<?1 ORDER BY over LIMIT ?2)";
	int64_t used = 0;
	bool more;
	int r;

	if (s->broken != 0)
		return s->broken;
	r = purge_some(s, old_bans, before_us);
	if (r < 0)
		return r;
	more = r == PURGE_ROWS;
	r = store_note(s,
		db_int(s->db,
			"SELECT (page_count - freelist_count) * page_size FROM pragma_page_count,"
			" pragma_freelist_count, pragma_page_size",
			&used));
	if (r == 0 && used > SIZE_MAX_BYTES) {
		r = purge_some(s, old_bans, clock_wall_us());
		more |= r == PURGE_ROWS;
	}
	if (r >= 0)
		r = store_note(s, db_exec(s->db, "PRAGMA incremental_vacuum(" PURGE_PAGES ")"));
	return r < 0 ? r : more;
}
