/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/syslog.h"

#include <stdbool.h>
#include <string.h>

/* What is left to read of a message. */
struct rest {
	const char *p;
	size_t len;
};

static void skip(struct rest *r, size_t n)
{
	r->p += n;
	r->len -= n;
}

/* "<13>", at most three digits (RFC 5424 6.2.1, RFC 3164 4.1.1). */
static void skip_pri(struct rest *r)
{
	size_t i = 1;

	if (r->len < 3 || r->p[0] != '<')
		return;
	while (i < r->len && i < 4 && r->p[i] >= '0' && r->p[i] <= '9')
		i++;
	if (i > 1 && i < r->len && r->p[i] == '>')
		skip(r, i + 1);
}

/* A word and the one blank after it. False: there is none. */
static bool take_word(struct rest *r, struct rest *ret)
{
	const char *blank = memchr(r->p, ' ', r->len);

	if (blank == NULL || blank == r->p)
		return false;
	*ret = (struct rest) {r->p, (size_t)(blank - r->p)};
	skip(r, ret->len + 1);
	return true;
}

/* STRUCTURED-DATA (RFC 5424 6.3): "-", or elements in brackets with values in quotes. */
static bool skip_structured(struct rest *r)
{
	if (r->len > 0 && r->p[0] == '-') {
		skip(r, 1);
		return true;
	}
	if (r->len == 0 || r->p[0] != '[')
		return false;
	while (r->len > 0 && r->p[0] == '[') {
		bool quoted = false;

		for (; r->len > 0 && (quoted || r->p[0] != ']'); skip(r, 1)) {
			if (r->p[0] == '"')
				quoted = !quoted;
			else if (r->p[0] == '\\' && quoted && r->len > 1)
				skip(r, 1);
		}
		if (r->len == 0)
			return false;
		skip(r, 1);
	}
	return true;
}

/* A line being written. */
struct line {
	char *buf;
	size_t size, len;
};

static void put(struct line *l, const char *s, size_t len)
{
	size_t room = l->size - l->len;

	if (len > room)
		len = room;
	memcpy(l->buf + l->len, s, len);
	l->len += len;
}

/* VERSION 1 and its header; false if it is none, and nothing is written then. */
static bool put_5424(struct line *l, struct rest r)
{
	static const char bom[] = "\xef\xbb\xbf";
	struct rest version, when, host, app, pid, id;

	if (!take_word(&r, &version) || version.len != 1 || version.p[0] != '1' ||
		!take_word(&r, &when) || !take_word(&r, &host) || !take_word(&r, &app) ||
		!take_word(&r, &pid) || !take_word(&r, &id) || !skip_structured(&r))
		return false;
	if (r.len > 0 && r.p[0] == ' ')
		skip(&r, 1);
	if (r.len >= 3 && memcmp(r.p, bom, 3) == 0)
		skip(&r, 3);
	put(l, when.p, when.len);
	put(l, " ", 1);
	put(l, host.p, host.len);
	put(l, " ", 1);
	put(l, app.p, app.len);
	if (pid.len != 1 || pid.p[0] != '-') {
		put(l, "[", 1);
		put(l, pid.p, pid.len);
		put(l, "]", 1);
	}
	put(l, ": ", 2);
	put(l, r.p, r.len);
	return true;
}

static bool is_break(char c)
{
	return c == '\n' || c == '\r' || c == '\0';
}

size_t syslog_line(char *buf, size_t size, const char *msg, size_t len)
{
	struct line l = {.buf = buf, .size = size};
	struct rest r = {msg, len};

	skip_pri(&r);
	while (r.len > 0 && is_break(r.p[r.len - 1]))
		r.len--;
	if (!put_5424(&l, r))
		put(&l, r.p, r.len);
	for (size_t i = 0; i < l.len; i++)
		if (buf[i] == '\n' || buf[i] == '\r')
			buf[i] = ' ';
	return l.len;
}
