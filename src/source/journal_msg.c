/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/journal_msg.h"

#include <errno.h>
#include <string.h>

_Static_assert(sizeof(struct journal_msg) == 24, "no padding goes over the wire");
_Static_assert(sizeof(struct journal_msg) % _Alignof(uint16_t) == 0, "jails follow aligned");

static bool one_line(const char *s, size_t len)
{
	return memchr(s, '\n', len) == NULL;
}

/* What becomes a C string and a key on disk. */
static bool is_name(const char *s, size_t len)
{
	return one_line(s, len) && memchr(s, '\0', len) == NULL;
}

int journal_msg_parse(const void *buf, size_t len, struct journal_entry *ret)
{
	struct journal_entry e = {0};
	struct journal_msg m;

	if (len < sizeof(m))
		return -EBADMSG;
	memcpy(&m, buf, sizeof(m));
	if (m.n_jails > JOURNAL_JAILS_MAX || m.stream_len > JOURNAL_STREAM_MAX ||
		m.cursor_len > JOURNAL_CURSOR_MAX || m.text_len > JOURNAL_TEXT_MAX ||
		len != sizeof(m) + 2 * (size_t)m.n_jails + m.stream_len + m.cursor_len + m.text_len)
		return -EBADMSG;
	if (m.n_jails > 0 && (m.cursor_len == 0 || m.stream_len == 0))
		return -EBADMSG;
	e.time_us = m.time_us;
	e.jails = (const uint16_t *)((const char *)buf + sizeof(m));
	e.n_jails = m.n_jails;
	e.stream = (const char *)(e.jails + m.n_jails);
	e.stream_len = m.stream_len;
	e.cursor = e.stream + m.stream_len;
	e.cursor_len = m.cursor_len;
	e.text = e.cursor + m.cursor_len;
	e.text_len = m.text_len;
	if (!is_name(e.stream, e.stream_len) || !is_name(e.cursor, e.cursor_len) ||
		!one_line(e.text, e.text_len))
		return -EBADMSG;
	*ret = e;
	return 0;
}

static char *put(char *p, const void *data, size_t len)
{
	if (len > 0)
		memcpy(p, data, len);
	return p + len;
}

long journal_msg_write(void *buf, size_t size, const struct journal_entry *e)
{
	struct journal_msg m = {.time_us = e->time_us,
		.n_jails = e->n_jails,
		.stream_len = e->stream_len,
		.cursor_len = e->cursor_len,
		.text_len = e->text_len};
	char *p = buf;

	if (e->n_jails > JOURNAL_JAILS_MAX || e->stream_len > JOURNAL_STREAM_MAX ||
		e->cursor_len > JOURNAL_CURSOR_MAX || e->text_len > JOURNAL_TEXT_MAX ||
		size < sizeof(m) + 2 * (size_t)e->n_jails + e->stream_len + e->cursor_len +
				e->text_len)
		return -EMSGSIZE;
	p = put(p, &m, sizeof(m));
	p = put(p, e->jails, 2 * (size_t)e->n_jails);
	p = put(p, e->stream, e->stream_len);
	p = put(p, e->cursor, e->cursor_len);
	p = put(p, e->text, e->text_len);
	return p - (char *)buf;
}

/* In front of a start message's texts. */
struct head {
	int64_t since_us;
	uint32_t stream_len, cursor_len;
};

_Static_assert(sizeof(struct head) == 16, "JOURNAL_START_MAX counts on it");

long journal_start_write(void *buf, size_t size, const struct journal_start *s)
{
	struct head h = {.since_us = s->since_us,
		.stream_len = (uint32_t)strnlen(s->stream, sizeof(s->stream)),
		.cursor_len = (uint32_t)strnlen(s->cursor, sizeof(s->cursor))};
	char *p = buf;

	if (h.stream_len > JOURNAL_STREAM_MAX || h.cursor_len > JOURNAL_CURSOR_MAX ||
		size < sizeof(h) + h.stream_len + h.cursor_len)
		return -EMSGSIZE;
	p = put(p, &h, sizeof(h));
	p = put(p, s->stream, h.stream_len);
	p = put(p, s->cursor, h.cursor_len);
	return p - (char *)buf;
}

int journal_start_parse(const void *buf, size_t len, struct journal_start *ret)
{
	struct journal_start s = {0};
	const char *text = (const char *)buf + sizeof(struct head);
	struct head h;

	if (len < sizeof(h))
		return -EBADMSG;
	memcpy(&h, buf, sizeof(h));
	if (h.stream_len > JOURNAL_STREAM_MAX || h.cursor_len > JOURNAL_CURSOR_MAX ||
		len != sizeof(h) + h.stream_len + h.cursor_len ||
		!is_name(text, h.stream_len + h.cursor_len))
		return -EBADMSG;
	s.since_us = h.since_us;
	memcpy(s.stream, text, h.stream_len);
	memcpy(s.cursor, text + h.stream_len, h.cursor_len);
	*ret = s;
	return 0;
}
