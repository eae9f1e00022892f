/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/addr.h"
#include "track/track.h"

/*
 * guard's memory across restarts, in SQLite (WAL). One writer. Everything that belongs together
 * (bans, failures, read positions, totals) is written in one transaction, so that after kill -9
 * reading goes on at exactly the line up to which failures were counted.
 *
 * Jails are named, not numbered, on disk. The caller keeps what could not be written and tries
 * again.
 */
struct store;

struct store_ban {
	const char *jail;
	struct prefix prefix;
	int64_t since_us, until_us; /* wall clock; until 0: for ever */
	uint32_t failures;
	const char *origin;   /* "log", "manual", "kernel", ... */
	const char *evidence; /* matched lines joined by newline, or NULL */
	const char *rule;     /* the title of the rule that found it, or NULL */
};

struct store_position {
	const char *path; /* or a journal's or socket's name */
	uint64_t dev, inode;
	uint64_t offset;
	uint64_t head_hash; /* hash_fingerprint of the file's first head_len bytes */
	uint32_t head_len;
	const char *cursor; /* journal cursor, or NULL */
};

struct store_total {
	const char *jail;
	uint64_t lines, failures, bans; /* since the database was made */
};

/*
 * Opens or makes the database file `name` in directory dir, of which nothing outside is touched,
 * and holds its lock until it is closed, waiting up to 5 s for somebody else's. A file that is
 * corrupt or not ours is renamed to NAME.corrupt-SECONDS with its companions (*ret_moved = true)
 * and made anew; the last three such are kept.
 *
 * When it cannot be had (no such directory, not writable, disk full, locked) the store is in
 * memory, 32 MiB at most, with what the file holds if that can be read: see store_trouble and
 * store_retry.
 *
 * Returns 0 or -errno. -EPROTO: the file was made by a newer version and is left alone; *ret is
 * then a store in memory all the same, for the caller to use or to close.
 */
int store_open(struct store **ret, const char *dir, const char *name, bool *ret_moved);

/* NULL-safe. */
void store_close(struct store *s);

/*
 * A transaction. store_commit returns 0 or -errno; on an error it is rolled back as a whole and
 * nothing of it is on disk. The puts return -errno likewise; after one failed the transaction can
 * only be rolled back. -ENOSPC, -EROFS, -EIO ...: the disk; -EUCLEAN: the file is corrupt; -ESTALE:
 * somebody removed or replaced it (for these two only store_retry helps); -EINVAL: a jail's or
 * file's name is empty or too long (255, 4,095 bytes).
 */
int store_begin(struct store *s);
int store_commit(struct store *s);
void store_rollback(struct store *s);

/*
 * A new ban, or the same jail and prefix prolonged (the active row gets until, failures, and
 * evidence unless that is NULL). Of evidence at most the last 8 KiB are kept, whole lines.
 */
int store_put_ban(struct store *s, const struct store_ban *b);

/* The active ban ended before its time (unban) or was found expired; none there is no error. */
int store_end_ban(struct store *s, const char *jail, const struct prefix *p, int64_t at_us);

int store_put_position(struct store *s, const struct store_position *p);

/* Forgets the position kept under that path; none there is no error. */
int store_drop_position(struct store *s, const char *path);

int store_put_total(struct store *s, const struct store_total *t);

/*
 * A page of the failure table, as track_flush tells it; n 0: it and all after it are gone. jails[i]
 * is the name of e[i].jail.
 */
int store_put_failures(struct store *s, uint32_t page, const char *const *jails,
	const struct track_entry *e, size_t n);

/*
 * The sessions under way in a jail's filter, as the filter wrote them (filter_save); they are kept
 * between one guard and the next. Dropping forgets those of all jails.
 */
int store_put_sessions(struct store *s, const char *jail, const void *data, size_t len);
int store_drop_sessions(struct store *s);

/*
 * Deletes bans that were over before before_us, and gives free pages back to the disk. Above 1 GiB
 * the oldest of the bans that are over go too. A bounded piece of work: 1 when there is more to do,
 * 0 when not, or -errno.
 */
int store_purge(struct store *s, int64_t before_us);

/*
 * Loading; each calls fn a row, in no order but history (newest first). fn's texts are borrowed,
 * and it must not use the store. Rows that make no sense are left out and counted (store_skipped).
 * 0 or -errno; -EUCLEAN: the file is corrupt, what came before that was good.
 */
int store_load_bans(struct store *s, int64_t now_us, void (*fn)(void *, const struct store_ban *),
	void *arg); /* the active ones */
int store_load_positions(
	struct store *s, void (*fn)(void *, const struct store_position *), void *arg);
int store_load_totals(struct store *s, void (*fn)(void *, const struct store_total *), void *arg);
/* In order of place, which is page * TRACK_PAGE and the number in the page; e->jail is not set. */
int store_load_failures(struct store *s,
	void (*fn)(void *, uint32_t place, const char *jail, const struct track_entry *e),
	void *arg);

int store_load_sessions(struct store *s,
	void (*fn)(void *, const char *jail, const void *data, size_t len), void *arg);

/* Past and present bans of an address (any jail), at most max. */
int store_history(struct store *s, const struct addr *a, unsigned max,
	void (*fn)(void *, const struct store_ban *, int64_t ended_us), void *arg);

/* Rows left out by the loads so far because what they hold cannot be. */
uint64_t store_skipped(const struct store *s);

/* "" when the last transaction went well and is on disk, else what is wrong: "disk full", ... */
const char *store_trouble(const struct store *s);

/*
 * Tries to get from memory back to disk, or to reopen; a corrupt file is moved aside. 0: the store
 * is on disk and writable and holds what was committed; 1: the same, but it is empty or older than
 * what was committed: the caller puts everything it knows again, in one transaction; else -errno,
 * and what was open stays so or the store is in memory.
 */
int store_retry(struct store *s);
