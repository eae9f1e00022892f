/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/schema.h"

/*
 * Addresses are the 16 bytes of struct addr, times microseconds since 1970 unless they are called
 * sec. ban.over is when a ban was or will be over: `ended` if it was ended, `until`, or the largest
 * number for one that is for ever. failures.data is a page of the failure table as failures.c
 * writes it, session.data a filter's own.
 */
const char *const schema_steps[SCHEMA_VERSION] = {
	"CREATE TABLE ban(id INTEGER PRIMARY KEY, jail TEXT NOT NULL, addr BLOB NOT NULL,"
	" len INTEGER NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL, ended INTEGER,"
	" over INTEGER NOT NULL, failures INTEGER NOT NULL, origin TEXT NOT NULL, evidence TEXT);"
	"CREATE INDEX ban_addr ON ban(addr, len);"
	"CREATE INDEX ban_over ON ban(over);"
	"CREATE TABLE position(path TEXT PRIMARY KEY, dev INTEGER NOT NULL, inode INTEGER NOT NULL,"
	" offset INTEGER NOT NULL, head_hash INTEGER NOT NULL, head_len INTEGER NOT NULL,"
	" cursor TEXT) WITHOUT ROWID;"
	"CREATE TABLE total(jail TEXT PRIMARY KEY, lines INTEGER NOT NULL,"
	" failures INTEGER NOT NULL, bans INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE track(addr BLOB NOT NULL, jail TEXT NOT NULL, newest_sec INTEGER NOT NULL,"
	" goal INTEGER NOT NULL, slots BLOB NOT NULL, PRIMARY KEY(addr, jail)) WITHOUT ROWID;"
	"CREATE INDEX track_newest ON track(newest_sec);",
	"CREATE TABLE session(jail TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;",
	/* The old rows are not taken over: they were of a few minutes. */
	("DROP TABLE track;"
	 "CREATE TABLE failures(page INTEGER PRIMARY KEY, data BLOB NOT NULL);"),
	"ALTER TABLE ban ADD COLUMN rule TEXT;",
};
