/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sessions on disk, one behind the other:
 *
 *   int64 ends_us   uint32 matches   uint32 nofail_matches   uint8 pending
 *   uint8 number of users, of values; then texts: the users, and of each value its name and itself
 *
 * A text is a uint16 length and so many bytes.
 */
#include "match/session_priv.h"

#include <errno.h>
#include <string.h>

struct head {
	int64_t ends_us;
	uint32_t matches, nofail_matches;
	uint8_t pending, n_users, n_values;
} __attribute__((packed));

static int put_text(struct buf *b, const char *text, size_t len)
{
	uint16_t n = (uint16_t)len;
	int r = buf_add(b, &n, sizeof(n));

	return r < 0 ? r : buf_add(b, text, len);
}

static int put(struct buf *b, const struct session *t, const struct field_names *names)
{
	struct head h = {
		.ends_us = t->ends_us,
		.matches = t->matches,
		.nofail_matches = t->nofail_matches,
		.pending = t->pending,
		.n_users = (uint8_t)t->n_users,
	};
	int r;

	h.n_values = (uint8_t)__builtin_popcountll(t->set);
	r = buf_add(b, &h, sizeof(h));
	for (size_t i = 0; r == 0 && i < t->n_users; i++) {
		struct span v = session_text(t, &t->users[i].name);

		r = put_text(b, v.text, v.len);
	}
	for (size_t i = 0; r == 0 && i < names->n; i++) {
		struct span v = session_value(t, i);

		if (v.text == NULL)
			continue;
		r = put_text(b, names->name[i], strlen(names->name[i]));
		r = r < 0 ? r : put_text(b, v.text, v.len);
	}
	return r;
}

int sessions_save(const struct sessions *s, const struct field_names *names, struct buf *ret)
{
	size_t len = ret->len;
	int r = 0;

	for (uint16_t i = s->oldest; r == 0 && i != SESSION_NONE; i = s->pool[i].newer) {
		const struct session *t = &s->pool[i];
		struct span id = session_value(t, FIELD_MLFID);

		/* An id that was too long to be kept whole cannot be recognised again. */
		if (id.text != NULL && hash_bytes(&s->key, id.text, id.len) == t->hash)
			r = put(ret, t, names);
	}
	if (r < 0)
		ret->len = len;
	return r;
}

/* What is left to read. */
struct input {
	const char *p, *end;
};

static bool get_text(struct input *in, struct span *ret)
{
	uint16_t n;

	if ((size_t)(in->end - in->p) < sizeof(n))
		return false;
	memcpy(&n, in->p, sizeof(n));
	in->p += sizeof(n);
	if ((size_t)(in->end - in->p) < n)
		return false;
	*ret = (struct span) {in->p, n};
	in->p += n;
	return true;
}

/* Reads the values into their slots. */
static bool get_values(
	struct input *in, const struct field_names *names, unsigned n, struct fields *ret)
{
	*ret = (struct fields) {0};
	for (unsigned i = 0; i < n; i++) {
		struct span name, value;

		if (!get_text(in, &name) || !get_text(in, &value))
			return false;
		for (size_t k = 0; k < names->n; k++)
			if (strlen(names->name[k]) == name.len &&
				memcmp(names->name[k], name.text, name.len) == 0)
				ret->v[k] = value;
	}
	return true;
}

static bool get(struct input *in, struct sessions *s, const struct field_names *names)
{
	struct span users[USERS_MAX];
	struct fields values;
	struct session *t;
	struct head h;
	uint64_t hash;

	if ((size_t)(in->end - in->p) < sizeof(h))
		return false;
	memcpy(&h, in->p, sizeof(h));
	in->p += sizeof(h);
	if (h.n_users > USERS_MAX)
		return false;
	for (unsigned i = 0; i < h.n_users; i++)
		if (!get_text(in, &users[i]))
			return false;
	if (!get_values(in, names, h.n_values, &values) || values.v[FIELD_MLFID].text == NULL)
		return false;
	hash = hash_bytes(&s->key, values.v[FIELD_MLFID].text, values.v[FIELD_MLFID].len);
	/* By a clock at zero none of those read before has ended. */
	t = &s->pool[session_add(s, hash, h.ends_us, 0)];
	t->matches = h.matches;
	t->nofail_matches = h.nofail_matches;
	t->pending = h.pending != 0;
	for (unsigned i = 0; i < h.n_users; i++)
		session_add_user(s, t, users[i]);
	for (size_t i = 0; i < names->n; i++)
		if (values.v[i].text != NULL)
			session_keep(t, i, values.v[i]);
	return true;
}

int sessions_load(struct sessions *s, const struct field_names *names, const void *data, size_t len)
{
	struct input in = {data, (const char *)data + len};

	while (in.p < in.end)
		if (!get(&in, s, names))
			return -EINVAL;
	return 0;
}
