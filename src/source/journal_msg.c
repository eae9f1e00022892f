/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/journal_msg.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

_Static_assert(sizeof(struct journal_msg) == 24, "no padding goes over the wire");
_Static_assert(sizeof(struct journal_msg) % _Alignof(uint16_t) == 0, "jails follow aligned");

static bool one_line(const char *s, size_t len)
{
	return memchr(s, '\n', len) == NULL && memchr(s, '\r', len) == NULL &&
	       memchr(s, '\0', len) == NULL;
}

int journal_msg_parse(const void *buf, size_t len, struct journal_entry *ret)
{
	struct journal_entry e = {0};
	struct journal_msg m;

	if (len < sizeof(m))
		return -EBADMSG;
	memcpy(&m, buf, sizeof(m));
	if (m.n_jails == 0 || m.n_jails > JOURNAL_JAILS_MAX || m.cursor_len == 0 ||
		m.cursor_len > JOURNAL_CURSOR_MAX || m.text_len > JOURNAL_TEXT_MAX || m.zero != 0 ||
		len != sizeof(m) + 2 * (size_t)m.n_jails + m.cursor_len + m.text_len)
		return -EBADMSG;
	e.time_us = m.time_us;
	e.jails = (const uint16_t *)((const char *)buf + sizeof(m));
	e.n_jails = m.n_jails;
	e.cursor = (const char *)(e.jails + m.n_jails);
	e.cursor_len = m.cursor_len;
	e.text = e.cursor + m.cursor_len;
	e.text_len = m.text_len;
	if (!one_line(e.cursor, e.cursor_len) || !one_line(e.text, e.text_len))
		return -EBADMSG;
	*ret = e;
	return 0;
}

long journal_msg_write(void *buf, size_t size, const struct journal_entry *e)
{
	struct journal_msg m = {.time_us = e->time_us,
		.n_jails = e->n_jails,
		.cursor_len = e->cursor_len,
		.text_len = e->text_len};
	char *p = buf;

	if (e->n_jails > JOURNAL_JAILS_MAX || e->cursor_len > JOURNAL_CURSOR_MAX ||
		e->text_len > JOURNAL_TEXT_MAX ||
		size < sizeof(m) + 2 * (size_t)e->n_jails + e->cursor_len + e->text_len)
		return -EMSGSIZE;
	memcpy(p, &m, sizeof(m));
	p += sizeof(m);
	memcpy(p, e->jails, 2 * (size_t)e->n_jails);
	p += 2 * (size_t)e->n_jails;
	memcpy(p, e->cursor, e->cursor_len);
	p += e->cursor_len;
	memcpy(p, e->text, e->text_len);
	return p + e->text_len - (char *)buf;
}

long journal_start_write(void *buf, size_t size, const struct journal_start *s)
{
	size_t len = strnlen(s->cursor, sizeof(s->cursor));

	if (len > JOURNAL_CURSOR_MAX || size < sizeof(s->since_us) + len)
		return -EMSGSIZE;
	memcpy(buf, &s->since_us, sizeof(s->since_us));
	memcpy((char *)buf + sizeof(s->since_us), s->cursor, len);
	return (long)(sizeof(s->since_us) + len);
}

int journal_start_parse(const void *buf, size_t len, struct journal_start *ret)
{
	struct journal_start s = {0};
	const char *cursor = (const char *)buf + sizeof(s.since_us);

	if (len < sizeof(s.since_us) || len - sizeof(s.since_us) > JOURNAL_CURSOR_MAX)
		return -EBADMSG;
	len -= sizeof(s.since_us);
	if (!one_line(cursor, len))
		return -EBADMSG;
	memcpy(&s.since_us, buf, sizeof(s.since_us));
	memcpy(s.cursor, cursor, len);
	*ret = s;
	return 0;
}
