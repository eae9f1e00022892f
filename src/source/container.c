/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/container.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "base/util.h"
#include "match/civil.h"

#include <stdlib.h>
#include <string.h>

/* How far a line's date and its container's runtime may be apart: to agree; to be of another day.
 */
#define AGREED_US (300 * USEC_PER_SEC)
#define REPEATED_US (86400 * USEC_PER_SEC)
#define DEPTH_MAX 16 /* of objects and lists in what is passed over */

/* What is left to read. */
struct rest {
	const char *p, *end;
};

static bool take(struct rest *r, char c)
{
	if (r->p == r->end || *r->p != c)
		return false;
	r->p++;
	return true;
}

static bool take_text(struct rest *r, const char *text)
{
	size_t len = strlen(text);

	if ((size_t)(r->end - r->p) < len || memcmp(r->p, text, len) != 0)
		return false;
	r->p += len;
	return true;
}

/* So many digits as a number. */
static bool take_number(struct rest *r, unsigned digits, int *ret)
{
	int n = 0;

	if ((size_t)(r->end - r->p) < digits)
		return false;
	for (; digits > 0; digits--, r->p++) {
		if (*r->p < '0' || *r->p > '9')
			return false;
		n = n * 10 + (*r->p - '0');
	}
	*ret = n;
	return true;
}

/* The fraction of a second, cut to microseconds; none is fine. */
static bool take_fraction(struct rest *r, int *ret_us)
{
	int us = 0, digits = 0;

	if (take(r, '.')) {
		for (; r->p < r->end && *r->p >= '0' && *r->p <= '9'; r->p++, digits++)
			if (digits < 6)
				us = us * 10 + (*r->p - '0');
		if (digits == 0 || digits > 9)
			return false;
	}
	for (; digits < 6; digits++)
		us *= 10;
	*ret_us = us;
	return true;
}

/* "Z" or "+01:00". */
static bool take_zone(struct rest *r, int *ret_sec)
{
	int hour, minute, sign;

	*ret_sec = 0;
	if (take(r, 'Z'))
		return true;
	sign = take(r, '+') ? 1 : take(r, '-') ? -1 : 0;
	if (sign == 0 || !take_number(r, 2, &hour) || !take(r, ':') ||
		!take_number(r, 2, &minute) || hour > 23 || minute > 59)
		return false;
	*ret_sec = sign * (hour * 3600 + minute * 60);
	return true;
}

/* RFC 3339, as Go writes it. */
static bool take_time(struct rest *r, int64_t *ret_us)
{
	struct civil c = {0};
	int offset_sec;
	int64_t sec;

	if (!take_number(r, 4, &c.year) || !take(r, '-') || !take_number(r, 2, &c.month) ||
		!take(r, '-') || !take_number(r, 2, &c.day) || !take(r, 'T') ||
		!take_number(r, 2, &c.hour) || !take(r, ':') || !take_number(r, 2, &c.minute) ||
		!take(r, ':') || !take_number(r, 2, &c.second) || !take_fraction(r, &c.usec) ||
		!take_zone(r, &offset_sec) || c.year < 1970 || !civil_is_valid(&c))
		return false;
	sec = civil_days(c.year, c.month, c.day) * 86400 + c.hour * 3600 + c.minute * 60 +
	      c.second - offset_sec;
	*ret_us = sec * USEC_PER_SEC + c.usec;
	return true;
}

/* A message being unescaped. */
struct out {
	char *buf;
	size_t size, len;
	bool cut;
	bool breaks; /* its last character is a line end, held back */
};

static void put_bytes(struct out *o, const char *bytes, size_t n)
{
	size_t room = o->cut ? 0 : o->size - o->len;

	if (n > room) {
		o->cut = true;
		n = room;
	}
	if (n > 0)
		memcpy(o->buf + o->len, bytes, n);
	o->len += n;
}

static void put(struct out *o, const char *bytes, size_t n)
{
	if (o->breaks)
		put_bytes(o, " ", 1);
	o->breaks = n == 1 && bytes[0] == '\n';
	if (!o->breaks)
		put_bytes(o, bytes, n);
}

static bool take_hex4(struct rest *r, uint32_t *ret)
{
	uint32_t v = 0;

	if (r->end - r->p < 4)
		return false;
	for (unsigned i = 0; i < 4; i++, r->p++) {
		char c = *r->p;
		int digit = c >= '0' && c <= '9'   ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
			    : c >= 'A' && c <= 'F' ? c - 'A' + 10
						   : -1;

		if (digit < 0)
			return false;
		v = v << 4 | (uint32_t)digit;
	}
	*ret = v;
	return true;
}

/* What follows "\u": one character, of which a second escape may be the other half. */
static bool take_unicode(struct rest *r, struct out *o)
{
	char bytes[UTF8_MAX];
	uint32_t code, low, whole = 0;
	struct rest after;

	if (!take_hex4(r, &code))
		return false;
	after = *r;
	if (take_text(&after, "\\u") && take_hex4(&after, &low))
		whole = utf8_join(code, low);
	if (whole != 0) {
		code = whole;
		*r = after;
	}
	put(o, bytes, utf8_put(bytes, code));
	return true;
}

static bool take_escape(struct rest *r, struct out *o)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at;

	if (r->p == r->end)
		return false;
	if (*r->p == 'u') {
		r->p++;
		return take_unicode(r, o);
	}
	at = memchr(from, *r->p, sizeof(from) - 1);
	if (at == NULL)
		return false;
	put(o, &to[at - from], 1);
	r->p++;
	return true;
}

/* A string (RFC 8259 7), unescaped to o. */
static bool take_string(struct rest *r, struct out *o)
{
	if (!take(r, '"'))
		return false;
	while (r->p < r->end) {
		const char *start = r->p;

		while (r->p < r->end && *r->p != '"' && *r->p != '\\' &&
			(unsigned char)*r->p >= 0x20)
			r->p++;
		if (r->p > start)
			put(o, start, (size_t)(r->p - start));
		if (take(r, '"'))
			return true;
		if (!take(r, '\\') || !take_escape(r, o))
			return false;
	}
	return false;
}

static void skip_blanks(struct rest *r)
{
	while (r->p < r->end && (*r->p == ' ' || *r->p == '\t'))
		r->p++;
}

/* A value nobody asked for, by its brackets and quotation marks alone. */
static bool skip_value(struct rest *r)
{
	struct out nowhere = {.cut = true};
	unsigned depth = 0;

	do {
		skip_blanks(r);
		if (r->p == r->end)
			return false;
		if (*r->p == '"') {
			if (!take_string(r, &nowhere))
				return false;
		} else if (*r->p == '{' || *r->p == '[') {
			if (++depth > DEPTH_MAX)
				return false;
			r->p++;
		} else if (*r->p == '}' || *r->p == ']') {
			if (depth-- == 0)
				return false;
			r->p++;
		} else {
			r->p++; /* of a number, a word, or what separates */
		}
		skip_blanks(r);
	} while (depth > 0 || (r->p < r->end && *r->p != ',' && *r->p != '}'));
	return true;
}

/* A short string: a key, a stream, a time. */
struct word {
	char text[64];
	size_t len;
};

static bool take_word(struct rest *r, struct word *ret)
{
	struct out o = {.buf = ret->text, .size = sizeof(ret->text)};

	if (!take_string(r, &o) || o.cut || o.breaks)
		return false;
	ret->len = o.len;
	return true;
}

static bool is_word(const struct word *w, const char *text)
{
	return w->len == strlen(text) && memcmp(w->text, text, w->len) == 0;
}

static bool stream_of(const char *text, size_t len, uint8_t *ret)
{
	if (len != 6 || memcmp(text, "std", 3) != 0)
		return false;
	*ret = memcmp(text, "stderr", 6) == 0 ? CONTAINER_STDERR : CONTAINER_STDOUT;
	return *ret == CONTAINER_STDERR || memcmp(text, "stdout", 6) == 0;
}

enum { HAS_LOG = 1, HAS_STREAM = 2, HAS_TIME = 4, HAS_ALL = 7 };

/* The value of one key, which may be there once. */
static bool read_member(struct rest *r, const struct word *key, unsigned *has, struct out *log,
	struct container_piece *p)
{
	unsigned bit = is_word(key, "log")      ? HAS_LOG
		       : is_word(key, "stream") ? HAS_STREAM
		       : is_word(key, "time")   ? HAS_TIME
						: 0;
	struct word value;
	struct rest time;

	if (bit == 0)
		return skip_value(r);
	if ((*has & bit) != 0)
		return false;
	*has |= bit;
	if (bit == HAS_LOG)
		return take_string(r, log);
	if (!take_word(r, &value))
		return false;
	if (bit == HAS_STREAM)
		return stream_of(value.text, value.len, &p->stream);
	time = (struct rest) {value.text, value.text + value.len};
	return take_time(&time, &p->time_us) && time.p == time.end;
}

static bool read_json(char *buf, size_t size, struct rest r, struct container_piece *ret)
{
	struct out log = {.buf = buf, .size = size};
	struct container_piece p = {0};
	unsigned has = 0;

	if (!take(&r, '{'))
		return false;
	do {
		struct word key;

		skip_blanks(&r);
		if (!take_word(&r, &key))
			return false;
		skip_blanks(&r);
		if (!take(&r, ':'))
			return false;
		skip_blanks(&r);
		if (!read_member(&r, &key, &has, &log, &p))
			return false;
		skip_blanks(&r);
	} while (take(&r, ','));
	if (!take(&r, '}'))
		return false;
	skip_blanks(&r);
	if (r.p != r.end || has != HAS_ALL)
		return false;
	p.text = buf;
	p.len = log.len;
	p.open = !log.breaks;
	p.cut = log.cut;
	*ret = p;
	return true;
}

static bool read_cri(struct rest r, struct container_piece *ret)
{
	struct container_piece p = {0};
	const char *blank;

	if (!take_time(&r, &p.time_us) || !take(&r, ' ') || r.end - r.p < 7 ||
		!stream_of(r.p, 6, &p.stream))
		return false;
	r.p += 6;
	if (!take(&r, ' '))
		return false;
	/* Tags, the first of which is P or F; more may follow after colons. */
	p.open = take(&r, 'P');
	if (!p.open && !take(&r, 'F'))
		return false;
	if (r.p < r.end && *r.p != ' ' && *r.p != ':')
		return false;
	blank = memchr(r.p, ' ', (size_t)(r.end - r.p));
	p.text = blank != NULL ? blank + 1 : r.end;
	p.len = (size_t)(r.end - p.text);
	*ret = p;
	return true;
}

/* A terminal's line end. */
static void trim(struct container_piece *p)
{
	while (!p->open && !p->cut && p->len > 0 && p->text[p->len - 1] == '\r')
		p->len--;
}

bool container_read(enum container kind, char *buf, size_t size, const char *line, size_t len,
	struct container_piece *ret)
{
	struct rest r = {line, line + len};
	bool read = kind == CONTAINER_JSON  ? read_json(buf, size, r, ret)
		    : kind == CONTAINER_CRI ? read_cri(r, ret)
					    : false;

	if (read)
		trim(ret);
	return read;
}

enum container container_detect(const char *line, size_t len)
{
	struct container_piece p;
	char buf[1];

	if (len > 0 && line[0] == '{')
		return container_read(CONTAINER_JSON, buf, sizeof(buf), line, len, &p)
			       ? CONTAINER_JSON
			       : CONTAINER_NONE;
	return container_read(CONTAINER_CRI, buf, sizeof(buf), line, len, &p) ? CONTAINER_CRI
									      : CONTAINER_NONE;
}

int64_t container_time(int64_t runtime_us, int64_t own_us, size_t own_off)
{
	int64_t apart_us = llabs(own_us - runtime_us);

	return apart_us <= AGREED_US || (apart_us > REPEATED_US && own_off <= 1) ? own_us
										 : runtime_us;
}

static bool names_wrapping(const struct conf_text *regex)
{
	static const char *const words[] = {"\"log\"", "\"log\\", "\"stream\"", "\"stream\\",
		" stdout ", " stderr ", "stdout|stderr", "stdout\\s", "stderr\\s", "std(?:out|err)",
		"std(out|err)"};

	for (size_t i = 0; regex->text != NULL && i < ARRAY_SIZE(words); i++)
		if (strstr(regex->text, words[i]) != NULL)
			return true;
	return false;
}

bool container_is_meant(const struct filter_def *def)
{
	bool meant = names_wrapping(&def->prefregex);

	for (size_t i = 0; i < def->n_failregex; i++)
		meant |= names_wrapping(&def->failregex[i]);
	return meant;
}

const char *container_name(enum container kind)
{
	return kind == CONTAINER_JSON ? "docker" : kind == CONTAINER_CRI ? "cri" : NULL;
}

enum container_joined container_add(struct container_join *j, const struct container_piece *p,
	uint64_t off, uint64_t end, size_t max, uint64_t *ret_start)
{
	__typeof__(&j->streams[0]) s = &j->streams[p->stream];

	if (s->skip) {
		s->skip = p->open;
		return JOINED_NOTHING;
	}
	if (!s->open && !p->open)
		return JOINED_ALONE;
	if (!s->open) {
		s->start = off;
		s->len = 0;
	}
	*ret_start = s->start;
	s->open = p->open;
	s->len += p->len;
	if (!p->open)
		return JOINED_LINE;
	if (s->len < max && !p->cut && end - s->start < CONTAINER_REACH)
		return JOINED_NOTHING;
	s->open = false;
	s->skip = true;
	return JOINED_CUT;
}
