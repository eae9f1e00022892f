/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/charset.h"

#include "base/utf8.h"
#include "base/util.h"

#include <ctype.h>
#include <errno.h>
#include <iconv.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define NAME_LEN 40

enum order {
	ORDER_LITTLE,
	ORDER_BIG,
	ORDER_OPEN /* the byte order mark says; without one, little */
};

struct charset {
	char name[NAME_LEN + 1];
	uint8_t unit; /* bytes a code unit of UTF-16 or UTF-32; 1: iconv does it */
	enum order order;
	iconv_t cd; /* or NULL */
};

/* Upper case, '_' and blanks as '-'. False: that is no name. */
static bool normalise(char *dst, const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > NAME_LEN)
		return false;
	for (size_t i = 0; i <= len; i++) {
		char c = name[i];

		if (c == '_' || c == ' ')
			c = '-';
		if (c != '\0' && !isalnum((unsigned char)c) && strchr("-.:+", c) == NULL)
			return false;
		dst[i] = (char)toupper((unsigned char)c);
	}
	return true;
}

static bool is_one_of(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(name, list[i]) == 0)
			return true;
	return false;
}

/* Names of what is judged as it stands. */
static bool is_plain(const char *name)
{
	static const char *const names[] = {"AUTO", "UTF-8", "UTF8", "U8", "UTF", "CP65001",
		"UTF-8-SIG", "ASCII", "US-ASCII", "646", "ANSI-X3.4-1968"};

	return is_one_of(name, names, ARRAY_SIZE(names));
}

/* UTF-16 and UTF-32 under the names they go by. */
static bool is_wide(const char *name, uint8_t *ret_unit, enum order *ret_order)
{
	static const struct {
		const char *name;
		uint8_t unit;
	} families[] = {{"UTF-16", 2}, {"UTF16", 2}, {"U16", 2}, {"UCS-2", 2}, {"UCS2", 2},
		{"UTF-32", 4}, {"UTF32", 4}, {"U32", 4}, {"UCS-4", 4}, {"UCS4", 4}};

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		const char *rest = name + strlen(families[i].name);

		if (strncmp(name, families[i].name, (size_t)(rest - name)) != 0)
			continue;
		rest += *rest == '-';
		*ret_unit = families[i].unit;
		*ret_order = strcmp(rest, "LE") == 0   ? ORDER_LITTLE
			     : strcmp(rest, "BE") == 0 ? ORDER_BIG
						       : ORDER_OPEN;
		return *rest == '\0' || *ret_order != ORDER_OPEN;
	}
	return false;
}

static iconv_t try_iconv(const char *name)
{
	iconv_t cd = iconv_open("UTF-8", name);

	return (intptr_t)cd != -1 ? cd : NULL;
}

/* Python's names with and without dashes, where iconv has but one of them; NULL: none. */
static iconv_t open_iconv(const char *name)
{
	char other[NAME_LEN + 8];
	iconv_t cd = try_iconv(name);
	size_t n = 0;

	if (cd != NULL)
		return cd;
	for (const char *p = name; *p != '\0'; p++)
		if (*p != '-')
			other[n++] = *p;
	other[n] = '\0';
	cd = try_iconv(other);
	if (cd != NULL || strncmp(name, "ISO8859-", 8) != 0)
		return cd;
	snprintf(other, sizeof(other), "ISO-8859-%s", name + 8);
	return try_iconv(other);
}

/* Are line ends, digits and letters where ASCII has them? */
static bool has_ascii(iconv_t cd)
{
	for (int c = 0; c < 128; c++) {
		char in = (char)c, out[8], *from = &in, *to = out;
		size_t in_len = 1, out_len = sizeof(out);

		if (c != '\n' && c != '\r' && c != ' ' && !isalnum(c))
			continue;
		iconv(cd, NULL, NULL, NULL, NULL);
		if (iconv(cd, &from, &in_len, &to, &out_len) == (size_t)-1)
			return false;
		iconv(cd, NULL, NULL, &to, &out_len);
		if (to != out + 1 || out[0] != in)
			return false;
	}
	return true;
}

int charset_open(struct charset **ret, const char *name)
{
	struct charset *c;
	char known[NAME_LEN + 1];

	if (!normalise(known, name))
		return -EINVAL;
	if (is_plain(known)) {
		*ret = NULL;
		return 0;
	}
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return -ENOMEM;
	memcpy(c->name, known, sizeof(known));
	if (!is_wide(known, &c->unit, &c->order)) {
		c->unit = 1;
		c->cd = open_iconv(known);
		if (c->cd == NULL || !has_ascii(c->cd)) {
			bool known_name = c->cd != NULL;

			charset_close(c);
			return known_name ? -EOPNOTSUPP : -EINVAL;
		}
	}
	*ret = c;
	return 0;
}

void charset_close(struct charset *c)
{
	if (c == NULL)
		return;
	if (c->cd != NULL)
		iconv_close(c->cd);
	free(c);
}

bool charset_same(const struct charset *a, const struct charset *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a->name, b->name) == 0);
}

const struct charset *charset_of(const struct charset *c, const char *head, size_t len)
{
	static const struct charset little = {.name = "UTF-16LE", .unit = 2, .order = ORDER_LITTLE};
	static const struct charset big = {.name = "UTF-16BE", .unit = 2, .order = ORDER_BIG};
	static const struct charset big32 = {.name = "UTF-32BE", .unit = 4, .order = ORDER_BIG};
	static const struct charset little32 = {
		.name = "UTF-32LE", .unit = 4, .order = ORDER_LITTLE};
	const struct charset *marked = NULL;

	/* The shorter mark begins like the longer one. */
	if (len >= 4 && memcmp(head, "\xff\xfe\0\0", 4) == 0)
		marked = &little32;
	else if (len >= 4 && memcmp(head, "\0\0\xfe\xff", 4) == 0)
		marked = &big32;
	else if (len >= 2 && memcmp(head, "\xff\xfe", 2) == 0)
		marked = &little;
	else if (len >= 2 && memcmp(head, "\xfe\xff", 2) == 0)
		marked = &big;
	if (marked == NULL)
		return c;
	return c == NULL || (c->order == ORDER_OPEN && c->unit == marked->unit) ? marked : c;
}

void charset_apply(const struct charset *c, struct tail *t)
{
	t->unit = c != NULL ? c->unit : 1;
	t->big_endian = c != NULL && c->order == ORDER_BIG;
	t->line_max =
		TAIL_LINE_MAX * t->unit < TAIL_RAW_MAX ? TAIL_LINE_MAX * t->unit : TAIL_RAW_MAX;
}

/* What is being written. */
struct out {
	char *buf;
	size_t size, len;
};

/* False: there is no room for it. */
static bool put(struct out *o, uint32_t code)
{
	char bytes[UTF8_MAX];
	size_t n = utf8_put(bytes, code);

	if (n > o->size - o->len)
		return false;
	memcpy(o->buf + o->len, bytes, n);
	o->len += n;
	return true;
}

static uint32_t unit_at(const struct charset *c, const char *p)
{
	const unsigned char *b = (const unsigned char *)p;
	uint32_t v = 0;

	for (unsigned i = 0; i < c->unit; i++)
		v = v << 8 | b[c->order == ORDER_BIG ? i : c->unit - 1u - i];
	return v;
}

/* The character at the beginning of text; *ret_used: how many bytes it takes. */
static uint32_t wide_char(const struct charset *c, const char *text, size_t len, size_t *ret_used)
{
	uint32_t code, whole;

	*ret_used = len < c->unit ? len : c->unit;
	if (len < c->unit)
		return UTF8_REPLACEMENT;
	code = unit_at(c, text);
	whole = c->unit == 2 && len >= 4 ? utf8_join(code, unit_at(c, text + 2)) : 0;
	if (whole != 0) {
		*ret_used = 4;
		return whole;
	}
	return code; /* a lone surrogate or nonsense: utf8_put replaces it */
}

static bool decode_wide(const struct charset *c, struct out *o, const char *text, size_t len)
{
	while (len > 0) {
		size_t used;

		if (!put(o, wide_char(c, text, len, &used)))
			return false;
		text += used;
		len -= used;
	}
	return true;
}

static bool decode_iconv(const struct charset *c, struct out *o, const char *text, size_t len)
{
	char *from = (char *)text;

	iconv(c->cd, NULL, NULL, NULL, NULL);
	while (len > 0) {
		char *to = o->buf + o->len;
		size_t room = o->size - o->len;
		size_t r = iconv(c->cd, &from, &len, &to, &room);
		int error = errno;

		o->len = o->size - room;
		if (r != (size_t)-1)
			return true;
		if (error == E2BIG || len == 0 || !put(o, UTF8_REPLACEMENT))
			return false;
		from++;
		len--;
	}
	return true;
}

size_t charset_decode(const struct charset *c, char *buf, size_t size, const char *text, size_t len,
	bool first, bool *ret_cut)
{
	struct out o = {.buf = buf, .size = size};

	if (first && c->unit > 1 && len >= c->unit && unit_at(c, text) == 0xfeff) {
		text += c->unit;
		len -= c->unit;
	}
	*ret_cut = !(c->unit > 1 ? decode_wide(c, &o, text, len) : decode_iconv(c, &o, text, len));
	return o.len;
}
