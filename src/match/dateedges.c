/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/dateedges.h"

#include "base/utf8.h"

#include <stdint.h>

#define NO_CHAR (-1)
#define INVALID 0xfffd
#define NOWHERE 0x7fffffff /* further than any line */

static bool goes_on(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

size_t dateedges_place(const char *line, size_t off)
{
	size_t n = utf8_ascii(line, off);

	for (size_t i = n; i < off; n++)
		i += utf8_step((const unsigned char *)line + i, off - i);
	return n;
}

/* The byte at which the character of that number begins; SIZE_MAX when there are not so many. */
static size_t offset_of(const char *line, size_t len, size_t place)
{
	size_t most = place < len ? place : len;
	size_t i = utf8_ascii(line, most), n = i;

	for (; i < len && n < place; n++)
		i += utf8_step((const unsigned char *)line + i, len - i);
	return n == place ? i : SIZE_MAX;
}

static int char_at(const char *line, size_t len, size_t off)
{
	const unsigned char *s = (const unsigned char *)line + off;
	size_t n;
	int c;

	if (off >= len)
		return NO_CHAR;
	if (s[0] < 0x80)
		return s[0];
	n = utf8_len(s, len - off);
	if (n == 0)
		return INVALID;
	c = s[0] & (0x7f >> n);
	for (size_t i = 1; i < n; i++)
		c = c << 6 | (s[i] & 0x3f);
	return c;
}

static int char_before(const char *line, size_t len, size_t off)
{
	size_t i = off - 1;

	if (off == 0 || off > len)
		return NO_CHAR;
	while (i > 0 && off - i < 4 && goes_on(line[i]))
		i--;
	return i + utf8_step((const unsigned char *)line + i, off - i) == off
		       ? char_at(line, off, i)
		       : INVALID;
}

/* No letter and no digit: by such a character a date can be told from what it stands in. */
static bool is_sign(int c)
{
	if (c >= 0x80)
		return c == INVALID || c < 0xc0 || (c >= 0x2000 && c < 0x2070) ||
		       (c >= 0x3000 && c < 0x3040);
	return c != NO_CHAR && !(c >= '0' && c <= '9') && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

void dateedges_init(struct date_edges *e)
{
	*e = (struct date_edges) {1, NOWHERE, NO_CHAR, NO_CHAR, NO_CHAR, NO_CHAR};
}

void dateedges_set_ascii(struct date_edges *e, const char *line, size_t len, size_t end)
{
	*e = (struct date_edges) {
		.end = end,
		.before = NO_CHAR,
		.first = line[0],
		.last = line[end - 1],
		.after = char_at(line, len, end),
	};
}

void dateedges_set(struct date_edges *e, const char *line, size_t len, size_t start, size_t end)
{
	size_t place = dateedges_place(line, start);

	*e = (struct date_edges) {
		.start = place,
		.end = place + dateedges_place(line + start, end - start),
		.before = char_before(line, len, start),
		.first = char_at(line, len, start),
		.last = char_before(line, len, end),
		.after = char_at(line, len, end),
	};
}

bool dateedges_same(const struct date_edges *e, const char *line, size_t len, size_t *ret_start,
	size_t *ret_end)
{
	size_t start = offset_of(line, len, e->start), end = offset_of(line, len, e->end);
	int first = char_at(line, len, start), last = char_before(line, len, end);

	*ret_start = start;
	*ret_end = end;
	return (char_before(line, len, start) == e->before ||
		       (first == e->first && is_sign(first))) &&
	       (char_at(line, len, end) == e->after || (last == e->last && is_sign(last)));
}
