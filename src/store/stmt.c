/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/stmt.h"

#include "base/buf.h"
#include "store/db.h"

#define BAN_COLUMNS "jail, addr, len, since, until, failures, origin, evidence, rule"

static const char *const texts[STMT_N] = {
	[STMT_BAN_FIND] = "SELECT id, until, since FROM ban WHERE addr=?1 AND len=?2 AND jail=?3"
			  " AND (ended IS NULL OR since=?4) ORDER BY since DESC LIMIT 1",
	[STMT_BAN_ADD] = "INSERT INTO ban(" BAN_COLUMNS ", over) VALUES(?,?,?,?,?,?,?,?,?,?)",
	[STMT_BAN_UPDATE] = "UPDATE ban SET until=?2, failures=?3, over=?4, origin=?6, ended=NULL,"
			    " evidence=coalesce(?5, evidence), rule=coalesce(?7, rule) WHERE id=?1",
	[STMT_BAN_OVER] = "UPDATE ban SET ended=until WHERE id=?1",
	[STMT_BAN_END] = "UPDATE ban SET ended=?4, over=?4 WHERE addr=?1 AND len=?2 AND jail=?3"
			 " AND ended IS NULL",
	[STMT_POSITION_PUT] = "INSERT OR REPLACE INTO position(path, dev, inode, offset, head_hash,"
			      " head_len, cursor) VALUES(?,?,?,?,?,?,?)",
	[STMT_POSITION_DROP] = "DELETE FROM position WHERE path=?",
	[STMT_TOTAL_PUT] =
		"INSERT OR REPLACE INTO total(jail, lines, failures, bans) VALUES(?,?,?,?)",
	[STMT_FAILURES_PUT] = "INSERT OR REPLACE INTO failures(page, data) VALUES(?,?)",
	[STMT_FAILURES_CUT] = "DELETE FROM failures WHERE page>=?",
	[STMT_SESSIONS_PUT] = "INSERT OR REPLACE INTO session(jail, data) VALUES(?,?)",
	[STMT_SESSIONS_DROP] = "DELETE FROM session",
	[STMT_LOAD_BANS] = "SELECT " BAN_COLUMNS " FROM ban WHERE over>? AND ended IS NULL",
	[STMT_LOAD_POSITIONS] =
		"SELECT path, dev, inode, offset, head_hash, head_len, cursor FROM position",
	[STMT_LOAD_TOTALS] = "SELECT jail, lines, failures, bans FROM total",
	[STMT_LOAD_FAILURES] = "SELECT page, data FROM failures ORDER BY page",
	[STMT_LOAD_SESSIONS] = "SELECT jail, data FROM session",
	[STMT_HISTORY] = NULL, /* made by history_sql */
};

void stmt_forget(struct store *s)
{
	for (size_t i = 0; i < STMT_N; i++) {
		sqlite3_finalize(s->stmt[i]);
		s->stmt[i] = NULL;
	}
}

/* All bans of an address and of the blocks around it, ?(L + 1) being the block of length L. */
static int history_sql(struct buf *b)
{
	/* A cross join is done in the order written: 129 looks into the index. */
	int r = buf_adds(b, "SELECT " BAN_COLUMNS ", ended FROM (VALUES");

	for (unsigned len = 0; r == 0 && len <= 128; len++)
		r = buf_addf(b, "%s(?%u,%u)", len > 0 ? "," : "", len + 1, len);
	return r < 0 ? r
		     : buf_adds(b, ") AS b CROSS JOIN ban ON addr=b.column1 AND len=b.column2"
				   " ORDER BY since DESC LIMIT ?130");
}

int stmt_get(struct store *s, enum store_stmt which, sqlite3_stmt **ret)
{
	struct buf b = {0};
	int r = 0;

	if (s->broken != 0)
		return s->broken;
	if (s->stmt[which] == NULL) {
		const char *sql = texts[which];

		if (sql == NULL) {
			r = history_sql(&b);
			sql = buf_text(&b);
		}
		if (r == 0)
			r = db_errno(
				s->db, sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
					       &s->stmt[which], NULL));
		buf_done(&b);
	}
	*ret = s->stmt[which];
	return store_note(s, r);
}

int stmt_end(struct store *s, sqlite3_stmt *st, int rc)
{
	int r = db_errno(s->db, rc);

	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return store_note(s, r);
}

int stmt_run(struct store *s, sqlite3_stmt *st)
{
	if (s->memory)
		s->changed = true;
	return stmt_end(s, st, sqlite3_step(st));
}
