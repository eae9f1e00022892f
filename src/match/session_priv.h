/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/hash.h"
#include "match/session.h"

/* How sessions are held: shared by session.c and session_disk.c alone. */

#define SESSIONS_MAX 2048 /* at one time */
#define FAIL2BAN_SESSIONS_MAX 100
#define BUCKETS 1024
#define VALUE_MAX 200 /* bytes kept of a value */
#define TEXT_MAX 1664 /* of all values of a session */
#define USERS_MAX 8
#define SESSION_NONE UINT16_MAX

/* A value in a session's text. */
struct place {
	uint16_t off, len;
};

struct user {
	uint64_t hash; /* of the whole name */
	struct place name;
};

struct session {
	uint64_t hash; /* of the whole id; the key is secret, so nobody can find two alike */
	int64_t ends_us;
	uint16_t next;         /* in its bucket, or in the list of free ones */
	uint16_t older, newer; /* by when they began */
	bool pending;          /* a failure with nobody to blame yet */
	unsigned matches, nofail_matches;
	size_t n_users;
	bool is_first_whole; /* the first user was not cut */
	struct user users[USERS_MAX];
	uint64_t set; /* which of v there are */
	struct place v[FIELDS_MAX];
	size_t n_text;
	char text[TEXT_MAX];
};

struct sessions {
	struct hash_key key;
	uint16_t buckets[BUCKETS];
	uint16_t oldest, newest, free;
	uint16_t max;    /* at one time */
	bool imitates;   /* fail2ban */
	uint16_t unused; /* from here on the pool has never been touched */
	uint16_t last;   /* merged into last, SESSION_NONE if it is forgotten */
	uint64_t pushed_out;
	struct session pool[SESSIONS_MAX];
};

/* A new one, of that id's hash; ends_us: when it is over. */
uint16_t session_add(struct sessions *s, uint64_t hash, int64_t ends_us, int64_t now_us);

/*
 * Keeps a value, cut where it is longer than there is room for. However long users' names and other
 * texts are, there is room for whom the session means and how it stands.
 */
void session_keep(struct session *t, size_t slot, struct span v);

/* One more user, if it is new. */
void session_add_user(struct sessions *s, struct session *t, struct span user);

static inline struct span session_text(const struct session *t, const struct place *p)
{
	return (struct span) {t->text + p->off, p->len};
}

static inline struct span session_value(const struct session *t, size_t slot)
{
	return (t->set >> slot & 1) != 0 ? session_text(t, &t->v[slot]) : (struct span) {NULL, 0};
}
