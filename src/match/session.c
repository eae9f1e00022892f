/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/session_priv.h"

#include "base/clock.h"
#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

#define LIFE_US (300 * USEC_PER_SEC)
#define SAYS_NO_FAILURE (UINT64_C(1) << FIELD_NOFAIL | UINT64_C(1) << FIELD_GAINED)

struct sessions *sessions_new(void)
{
	/* Zeroed pages that the kernel gives only when they are written. */
	struct sessions *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->key = hash_key_random();
	memset(s->buckets, 0xff, sizeof(s->buckets));
	s->oldest = s->newest = s->free = s->last = SESSION_NONE;
	s->max = SESSIONS_MAX;
	return s;
}

void sessions_imitate(struct sessions *s)
{
	s->imitates = true;
	s->max = FAIL2BAN_SESSIONS_MAX;
}

void sessions_free(struct sessions *s)
{
	free(s);
}

uint64_t sessions_pushed_out(const struct sessions *s)
{
	return s->pushed_out;
}

static void drop(struct sessions *s, uint16_t i)
{
	struct session *t = &s->pool[i];
	uint16_t *link = &s->buckets[t->hash % BUCKETS];

	while (*link != i)
		link = &s->pool[*link].next;
	*link = t->next;
	*(t->older == SESSION_NONE ? &s->oldest : &s->pool[t->older].newer) = t->newer;
	*(t->newer == SESSION_NONE ? &s->newest : &s->pool[t->newer].older) = t->older;
	t->next = s->free;
	s->free = i;
}

static uint16_t find(struct sessions *s, uint64_t hash, int64_t now_us)
{
	uint16_t i = s->buckets[hash % BUCKETS];

	while (i != SESSION_NONE && s->pool[i].hash != hash)
		i = s->pool[i].next;
	if (i == SESSION_NONE || s->pool[i].ends_us > now_us)
		return i;
	drop(s, i);
	return SESSION_NONE;
}

uint16_t session_add(struct sessions *s, uint64_t hash, int64_t ends_us, int64_t now_us)
{
	struct session *t;
	uint16_t i;

	if (s->free == SESSION_NONE && s->unused == s->max) {
		s->pushed_out += s->pool[s->oldest].ends_us > now_us;
		drop(s, s->oldest);
	}
	if (s->free != SESSION_NONE) {
		i = s->free;
		s->free = s->pool[i].next;
	} else {
		i = s->unused++;
	}
	t = &s->pool[i];
	memset(t, 0, offsetof(struct session, text));
	t->hash = hash;
	t->ends_us = ends_us;
	t->next = s->buckets[hash % BUCKETS];
	s->buckets[hash % BUCKETS] = i;
	t->newer = SESSION_NONE;
	t->older = s->newest;
	*(s->newest == SESSION_NONE ? &s->oldest : &s->pool[s->newest].newer) = i;
	s->newest = i;
	return i;
}

/* Leaves out what no value uses any more. */
static void tidy(struct session *t)
{
	char old[TEXT_MAX];
	uint64_t set = t->set;
	size_t n = 0;

	memcpy(old, t->text, t->n_text);
	for (size_t k = 0; set != 0 || k < t->n_users;) {
		struct place *p = set != 0 ? &t->v[fields_next(&set)] : &t->users[k++].name;

		memcpy(t->text + n, old + p->off, p->len);
		p->off = (uint16_t)n;
		n += p->len;
	}
	t->n_text = n;
}

/* The values that have their room for sure, and how much: the longest address, the longest name. */
static const uint16_t reserved[FIELD_USER] = {
	[FIELD_ID] = 255,
	[FIELD_IP4] = 51,
	[FIELD_IP6] = 51,
	[FIELD_DNS] = 255,
	[FIELD_CIDR] = 12,
	[FIELD_MLFID] = VALUE_MAX,
	[FIELD_NOFAIL] = 48,
	[FIELD_GAINED] = 48,
};
#define RESERVED_ALL (255 + 51 + 51 + 255 + 12 + VALUE_MAX + 48 + 48)

/* How much of the room left is kept for others. */
static size_t room_reserved(const struct session *t)
{
	size_t n = 0;

	for (size_t i = 0; i < FIELD_USER; i++)
		n += reserved[i] - session_value(t, i).len;
	return n;
}

static size_t room(const struct session *t, bool is_reserved)
{
	size_t left = TEXT_MAX - t->n_text, others = is_reserved ? 0 : room_reserved(t);

	return left > others ? left - others : 0;
}

/* Where to cut so that no character is. */
static size_t cut(struct span v, size_t most)
{
	if (v.len <= most)
		return v.len;
	while (most > 0 && ((unsigned char)v.text[most] & 0xc0) == 0x80)
		most--;
	return most;
}

/* Writes a text that has its room for sure, or is cut to what is left beside others. */
static struct place keep(struct session *t, struct span v, size_t most, bool is_reserved)
{
	size_t len = cut(v, most);
	struct place p;

	/* With so much room left nothing needs to be reckoned. */
	if (t->n_text + len + RESERVED_ALL > TEXT_MAX) {
		if (len > room(t, is_reserved))
			tidy(t);
		most = room(t, is_reserved);
		len = cut(v, len < most ? len : most);
	}
	p = (struct place) {(uint16_t)t->n_text, (uint16_t)len};
	if (len > 0)
		memcpy(t->text + t->n_text, v.text, len);
	t->n_text += len;
	return p;
}

void session_keep(struct session *t, size_t slot, struct span v)
{
	uint64_t bit = UINT64_C(1) << slot;
	bool is_reserved = slot < FIELD_USER;
	struct place *p = &t->v[slot];

	/* Most lines of a session say the same. */
	if ((t->set & bit) != 0 && p->len == v.len && memcmp(t->text + p->off, v.text, v.len) == 0)
		return;
	t->set &= ~bit;
	*p = keep(t, v, is_reserved ? reserved[slot] : VALUE_MAX, is_reserved);
	t->set |= bit;
}

static bool is_same(struct span a, struct span b)
{
	return a.len == b.len && memcmp(a.text, b.text, a.len) == 0;
}

void session_add_user(struct sessions *s, struct session *t, struct span user)
{
	uint64_t hash;

	if (!span_given(user))
		return;
	/* Most lines of a session name the one user; who was kept whole need not be hashed. */
	if (t->n_users > 0 && t->is_first_whole &&
		is_same(user, session_text(t, &t->users[0].name)))
		return;
	hash = hash_bytes(&s->key, user.text, user.len);
	for (size_t i = 0; i < t->n_users; i++)
		if (t->users[i].hash == hash)
			return;
	if (t->n_users == USERS_MAX)
		return;
	t->users[t->n_users] = (struct user) {hash, keep(t, user, VALUE_MAX, false)};
	if (t->n_users++ == 0)
		t->is_first_whole = t->users[0].name.len == user.len;
}

/* What one line says of how its session stands. */
struct standing {
	bool gained; /* somebody got in */
	bool nofail;
	bool forget;
	bool was_nofail; /* as the line before said */
};

/*
 * A process id may come back soon, with another client: who is named by another address has no part
 * in what was there before, though fail2ban would count users of both together, and prefer an IPv4
 * address of before. A name, which its owner may choose, takes no address's place.
 */
static bool is_anothers(const struct session *t, const struct fields *line)
{
	static const uint8_t addrs[] = {FIELD_IP4, FIELD_IP6};
	bool named = false, known = false, same = false;

	for (size_t i = 0; i < sizeof(addrs); i++) {
		struct span now = line->v[addrs[i]], before = session_value(t, addrs[i]);

		named |= now.text != NULL;
		known |= before.text != NULL;
		same |= now.text != NULL && before.text != NULL && is_same(now, before);
	}
	return named && known && !same;
}

static void take_up(
	struct sessions *s, struct session *t, const struct fields *line, struct standing *st)
{
	uint64_t set = line->set;

	session_add_user(s, t, line->v[FIELD_USER]);
	st->was_nofail = span_given(session_value(t, FIELD_NOFAIL)) ||
			 span_given(session_value(t, FIELD_GAINED));
	t->set &= ~SAYS_NO_FAILURE;
	if (st->gained)
		t->pending = false;
	if (!st->was_nofail && !t->pending)
		t->matches = 0;
	while (set != 0) {
		size_t slot = fields_next(&set);

		session_keep(t, slot, line->v[slot]);
	}
}

/* What is known of the session now, in the place of the line's fields. */
static void tell(const struct session *t, struct fields *fields, struct session_result *ret)
{
	uint64_t set = t->set, gone = fields->set & ~t->set;

	while (gone != 0)
		fields_put(fields, fields_next(&gone), (struct span) {NULL, 0});
	while (set != 0) {
		size_t slot = fields_next(&set);

		fields_put(fields, slot, session_text(t, &t->v[slot]));
	}
	ret->attempts = t->matches;
	ret->n_users = (unsigned)t->n_users;
	for (size_t i = 0; i < t->n_users; i++)
		ret->users[i] = session_text(t, &t->users[i].name);
}

/* The lines that count: those said to be none count after all when a failure follows. */
static void count(struct session *t, const struct standing *st, unsigned n_lines)
{
	if (!st->nofail) {
		t->matches += t->nofail_matches + (st->gained ? 0 : n_lines);
		t->nofail_matches = 0;
	} else if (!st->forget) {
		t->nofail_matches += n_lines;
	}
}

void sessions_merge(struct sessions *s, struct fields *line, unsigned n_lines, int64_t now_us,
	struct session_result *ret)
{
	struct span *v = line->v;
	struct standing st = {
		.gained = span_given(v[FIELD_GAINED]),
		.forget = span_given(v[FIELD_FORGET]),
	};
	uint64_t hash = hash_bytes(&s->key, v[FIELD_MLFID].text, v[FIELD_MLFID].len);
	uint16_t i = find(s, hash, now_us);
	struct session *t;
	bool is_known;

	if (i != SESSION_NONE && !s->imitates && is_anothers(&s->pool[i], line)) {
		drop(s, i);
		i = SESSION_NONE;
	}
	is_known = i != SESSION_NONE;

	if (st.gained && !span_given(v[FIELD_NOFAIL]))
		fields_put(line, FIELD_NOFAIL, v[FIELD_GAINED]);
	st.nofail = span_given(v[FIELD_NOFAIL]);
	fields_put(line, FIELD_FORGET, (struct span) {NULL, 0});
	s->last = SESSION_NONE;
	/* A line that ends a session nobody knew of stands for itself: nothing of it is kept. */
	if (!is_known && st.forget) {
		ret->attempts = st.nofail || st.gained ? 0 : n_lines;
		ret->n_users = 0;
		return;
	}
	if (!is_known)
		i = session_add(s, hash, now_us + LIFE_US, now_us);
	t = &s->pool[i];
	take_up(s, t, line, &st);
	/* A failure waiting for its address, or a second user: whatever the line says, it failed.
	 */
	if (t->pending || t->n_users > 1) {
		t->pending = false;
		t->set &= ~SAYS_NO_FAILURE;
		st.nofail = st.gained = false;
	}
	count(t, &st, n_lines);
	tell(t, line, ret);
	if (st.forget)
		drop(s, i);
	else
		s->last = i;
}

void sessions_pending(struct sessions *s)
{
	if (s->last != SESSION_NONE)
		s->pool[s->last].pending = true;
}
