/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipc/messages.h"

#include "base/util.h"
#include "ipc/channel.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

_Static_assert(sizeof(struct msg_ban) == 17 + 1 + 2 + 4 + 8, "a hole in msg_ban");
_Static_assert(sizeof(struct msg_elem) == 17 + 1 + 2 + 4 + 3 * 8, "a hole in msg_elem");
_Static_assert(
	sizeof(struct msg_file_ref) == 2 * 8 + 2 * 4 + MSG_PATH_MAX, "a hole in msg_file_ref");
_Static_assert(sizeof(struct msg_file) == 2 * 8 + 2 * 4 + MSG_PATH_MAX + 8, "a hole in msg_file");
_Static_assert(sizeof(struct msg_query_end) == 8 + 4 * 8 + 16 + 160, "a hole in msg_query_end");
_Static_assert(sizeof(struct msg_refused) == 17 + 1 + 2, "a hole in msg_refused");
_Static_assert(sizeof(struct msg_ignore) == 17 + 1 + 2 + 4, "a hole in msg_ignore");
_Static_assert(sizeof(struct msg_stream) == 16 + 4 + 4, "a hole in msg_stream");
_Static_assert(sizeof(struct msg_lookup) == 16 + 4 + 4 + LOOKUP_NAME_MAX, "a hole in msg_lookup");
_Static_assert(sizeof(struct msg_found) == 8 + 16 * LOOKUP_ADDRS_MAX + LOOKUP_NAME_MAX,
	"a hole in msg_found");
_Static_assert(sizeof(struct msg_connection) == 2 * 16 + 2 + 6, "a hole in msg_connection");
_Static_assert(
	sizeof(struct msg_tls_counts) == 16 + 2 + 6 + 4 * 8 + 256, "a hole in msg_tls_counts");

/* The shape a message must have. */
struct shape {
	enum message_side side; /* 0: there is no such message */
	size_t fixed;           /* bytes that must be there */
	size_t item;            /* then any number of these; 0: nothing more */
	bool fd;
	bool (*check)(const void *body, size_t len);
};

static bool terminated(const char *s, size_t size)
{
	return memchr(s, '\0', size) != NULL;
}

static bool good_prefix(const struct prefix *p)
{
	struct prefix canonical;

	if (p->len > 128)
		return false;
	canonical = prefix_of(&p->addr, p->len);
	return addr_eq(&canonical.addr, &p->addr);
}

static bool check_bans(const void *body, size_t len)
{
	const struct msg_ban *b = body;

	for (size_t i = 0; i < len / sizeof(*b); i++)
		if (!good_prefix(&b[i].prefix) || b[i].again > 1)
			return false;
	return true;
}

static bool check_elems(const void *body, size_t len)
{
	const struct msg_elem *e = body;

	for (size_t i = 0; i < len / sizeof(*e); i++)
		if (!good_prefix(&e[i].prefix))
			return false;
	return true;
}

static bool check_query(const void *body, size_t len)
{
	return check_elems(
		(const char *)body + sizeof(struct msg_query), len - sizeof(struct msg_query));
}

static bool check_file(const void *body, size_t len)
{
	const struct msg_file *f = body;

	(void)len;
	return terminated(f->path, sizeof(f->path)) && f->at_start <= 1;
}

static bool check_file_ref(const void *body, size_t len)
{
	const struct msg_file_ref *f = body;

	(void)len;
	return terminated(f->path, sizeof(f->path));
}

static bool check_trouble(const void *body, size_t len)
{
	const struct msg_trouble *t = body;

	(void)len;
	return terminated(t->path, sizeof(t->path)) && terminated(t->what, sizeof(t->what));
}

static bool check_query_end(const void *body, size_t len)
{
	const struct msg_query_end *q = body;

	(void)len;
	return terminated(q->backend, sizeof(q->backend)) &&
	       terminated(q->last_error, sizeof(q->last_error));
}

/* Names end, and so do values. */
static bool check_ignore_ask(const void *body, size_t len)
{
	const struct msg_ignore *m = body;
	const char *tags = (const char *)body + sizeof(*m);
	size_t n = len - sizeof(*m), ends = 0;

	for (size_t i = 0; i < n; i++)
		ends += tags[i] == '\0';
	return good_prefix(&m->prefix) && m->says == 0 && n <= MSG_TAGS_MAX && ends % 2 == 0 &&
	       (n == 0 || tags[n - 1] == '\0');
}

static bool check_ignore_says(const void *body, size_t len)
{
	const struct msg_ignore *m = body;

	(void)len;
	return good_prefix(&m->prefix) && m->says >= IGNORE_NO && m->says <= IGNORE_UNKNOWN;
}

static bool check_stream(const void *body, size_t len)
{
	const struct msg_stream *m = body;

	(void)len;
	return m->is_local <= 1 && m->spoke <= 1;
}

static bool check_lookup(const void *body, size_t len)
{
	const struct msg_lookup *m = body;

	(void)len;
	return terminated(m->name, sizeof(m->name)) && m->reverse <= 1;
}

static bool check_found(const void *body, size_t len)
{
	const struct msg_found *m = body;

	(void)len;
	return terminated(m->name, sizeof(m->name)) && m->n <= LOOKUP_ADDRS_MAX &&
	       m->result >= LOOKUP_FOUND && m->result <= LOOKUP_BUSY;
}

static bool check_tls_counts(const void *body, size_t len)
{
	const struct msg_tls_counts *m = body;

	(void)len;
	return terminated(m->why, sizeof(m->why));
}

static const struct shape shapes[] = {
	[MSG_READY] = {TO_KEEPER},
	[MSG_BAN] = {TO_KEEPER, 0, sizeof(struct msg_ban), false, check_bans},
	[MSG_UNBAN] = {TO_KEEPER, 0, sizeof(struct msg_ban), false, check_bans},
	[MSG_LOG] = {TO_KEEPER, 1, 1},
	[MSG_SIBLINGS] = {TO_KEEPER, sizeof(struct msg_file_ref), 0, false, check_file_ref},
	[MSG_FILE_DONE] = {TO_KEEPER, sizeof(struct msg_file_ref), 0, false, check_file_ref},
	[MSG_QUERY_WALL] = {TO_KEEPER, sizeof(struct msg_query), sizeof(struct msg_elem), false,
		check_query},
	[MSG_RELOAD] = {TO_KEEPER, sizeof(struct msg_query)},
	[MSG_STOP] = {TO_KEEPER},
	[MSG_LEFT] = {TO_KEEPER},
	[MSG_PONG] = {TO_KEEPER},
	[MSG_IGNORE_ASK] = {TO_KEEPER, sizeof(struct msg_ignore), 1, false, check_ignore_ask},
	[MSG_STREAM] = {TO_KEEPER, sizeof(struct msg_stream), 1, true, check_stream},
	[MSG_FILE] = {TO_GUARD, sizeof(struct msg_file), 0, true, check_file},
	[MSG_FILE_LEFT] = {TO_GUARD, sizeof(struct msg_file_ref), 0, false, check_file_ref},
	[MSG_SIBLING] = {TO_GUARD, sizeof(struct msg_file), 0, true, check_file},
	[MSG_SIBLINGS_END] = {TO_GUARD, sizeof(struct msg_file_ref), 0, false, check_file_ref},
	[MSG_TROUBLE] = {TO_GUARD, sizeof(struct msg_trouble), 0, false, check_trouble},
	[MSG_START_END] = {TO_GUARD},
	[MSG_WALL_ELEMS] = {TO_GUARD, 0, sizeof(struct msg_elem), false, check_elems},
	[MSG_WALL_END] = {TO_GUARD},
	[MSG_OWN] = {TO_GUARD, 0, sizeof(struct addr)},
	[MSG_CLIENT] = {TO_GUARD, 0, 0, true},
	[MSG_REFUSED] = {TO_GUARD, 0, sizeof(struct msg_refused)},
	[MSG_RESTORE] = {TO_GUARD},
	[MSG_QUERY_ELEMS] = {TO_GUARD, 0, sizeof(struct msg_elem), false, check_elems},
	[MSG_QUERY_END] = {TO_GUARD, sizeof(struct msg_query_end), 0, false, check_query_end},
	[MSG_RELOADED] = {TO_GUARD, sizeof(struct msg_query), 1},
	[MSG_LEAVE] = {TO_GUARD},
	[MSG_PING] = {TO_GUARD},
	[MSG_JOURNAL] = {TO_GUARD, sizeof(struct msg_journal), 0, true},
	[MSG_IGNORE_SAYS] = {TO_GUARD, sizeof(struct msg_ignore), 0, false, check_ignore_says},
	[MSG_LOOKUP] = {TO_HERALD, sizeof(struct msg_lookup), 0, false, check_lookup},
	[MSG_FOUND] = {FROM_HERALD, sizeof(struct msg_found), 0, false, check_found},
	[MSG_CONNECTION] = {FROM_PORTER, sizeof(struct msg_connection), 0, true},
	[MSG_TLS_COUNTS] = {FROM_PORTER, sizeof(struct msg_tls_counts), 0, false, check_tls_counts},
};

bool message_check(enum message_side side, uint32_t type, const void *body, size_t len, bool has_fd)
{
	const struct shape *s;
	size_t rest;

	if (type >= ARRAY_SIZE(shapes))
		return false;
	s = &shapes[type];
	if (s->side != side || s->fd != has_fd || len < s->fixed)
		return false;
	rest = len - s->fixed;
	if (s->item == 0 ? rest != 0 : rest % s->item != 0)
		return false;
	return s->check == NULL || s->check(body, len);
}

int message_admit(enum message_side side, uint32_t type, const void *body, size_t len, int fd)
{
	if (message_check(side, type, body, len, fd != -1))
		return 0;
	if (fd >= 0)
		close(fd);
	return -EPROTO;
}

const char *refusal_text(enum refusal why)
{
	switch (why) {
	case REFUSED_ALLOWED:
		return "it is on the allow list (allow, ignoreip)";
	case REFUSED_OWN:
		return "it is an address of this machine";
	case REFUSED_WIDE:
		return "the block is wider than policy allows (IPv4 /8, IPv6 /16)";
	case REFUSED_RATE:
		return "more bans a second than is sane";
	case REFUSED_JAIL:
		return "there is no such jail";
	case REFUSED_KERNEL:
		return "the kernel refused it";
	}
	return "for no known reason";
}
