/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/dateform.h"

#include <string.h>

/* Where reading stands; every step checks the end itself. */
struct cursor {
	const char *p, *end;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The next byte, or NUL at the end. */
static char peek(const struct cursor *c, size_t ahead)
{
	return (size_t)(c->end - c->p) > ahead ? c->p[ahead] : '\0';
}

static bool eat(struct cursor *c, char want)
{
	if (peek(c, 0) != want || c->p == c->end)
		return false;
	c->p++;
	return true;
}

/* Exactly two digits. */
static bool two(struct cursor *c, int *ret)
{
	if (c->end - c->p < 2 || !is_digit(c->p[0]) || !is_digit(c->p[1]))
		return false;
	*ret = (c->p[0] - '0') * 10 + (c->p[1] - '0');
	c->p += 2;
	return true;
}

/* A year: four digits, 1970 to 2199, and no fifth. */
static bool year(struct cursor *c, int *ret)
{
	struct cursor t = *c;
	int hi, lo;

	if (!two(&t, &hi) || !two(&t, &lo) || is_digit(peek(&t, 0)))
		return false;
	if (hi * 100 + lo < 1970 || hi * 100 + lo > 2199)
		return false;
	*ret = hi * 100 + lo;
	*c = t;
	return true;
}

/* A day of the month in one or two digits; one may have a blank in front. */
static bool day(struct cursor *c, int *ret)
{
	if (two(c, ret))
		return true;
	if (peek(c, 0) == ' ' && is_digit(peek(c, 1)))
		c->p++;
	if (!is_digit(peek(c, 0)) || is_digit(peek(c, 1)))
		return false;
	*ret = *c->p++ - '0';
	return true;
}

static int name_of(const struct cursor *c, const char names[][3], int n)
{
	char w[3];

	if (c->end - c->p < 3)
		return -1;
	/* Letters fold to lower case by one bit; what is no letter matches no name. */
	for (int i = 0; i < 3; i++)
		w[i] = (char)(c->p[i] | 0x20);
	for (int i = 0; i < n; i++) {
		if (memcmp(w, names[i], 3) == 0)
			return i;
	}
	return -1;
}

static bool month_name(struct cursor *c, int *ret)
{
	static const char names[][3] = {{'j', 'a', 'n'}, {'f', 'e', 'b'}, {'m', 'a', 'r'},
		{'a', 'p', 'r'}, {'m', 'a', 'y'}, {'j', 'u', 'n'}, {'j', 'u', 'l'}, {'a', 'u', 'g'},
		{'s', 'e', 'p'}, {'o', 'c', 't'}, {'n', 'o', 'v'}, {'d', 'e', 'c'}};
	int i = name_of(c, names, 12);

	if (i < 0)
		return false;
	*ret = i + 1;
	c->p += 3;
	return true;
}

/* "Wed " or "Wed, ": is it there? */
static bool weekday(struct cursor *c)
{
	static const char names[][3] = {{'m', 'o', 'n'}, {'t', 'u', 'e'}, {'w', 'e', 'd'},
		{'t', 'h', 'u'}, {'f', 'r', 'i'}, {'s', 'a', 't'}, {'s', 'u', 'n'}};
	struct cursor t = *c;

	if (name_of(&t, names, 7) < 0)
		return false;
	t.p += 3;
	eat(&t, ',');
	if (!eat(&t, ' '))
		return false;
	*c = t;
	return true;
}

/* "." or "," and digits: as microseconds, digits past the sixth dropped. */
static void fraction(struct cursor *c, int *ret_usec)
{
	int usec = 0, unit = 100000;

	*ret_usec = 0;
	if ((peek(c, 0) != '.' && peek(c, 0) != ',') || !is_digit(peek(c, 1)))
		return;
	for (c->p++; is_digit(peek(c, 0)) && unit > 0; c->p++, unit /= 10)
		usec += (*c->p - '0') * unit;
	for (int i = 0; i < 3 && is_digit(peek(c, 0)); i++)
		c->p++;
	*ret_usec = usec;
}

/* "07:12:49" with an optional fraction. */
static bool clock_time(struct cursor *c, struct civil *t)
{
	if (!two(c, &t->hour) || !eat(c, ':') || !two(c, &t->minute) || !eat(c, ':') ||
		!two(c, &t->second))
		return false;
	fraction(c, &t->usec);
	return true;
}

/* Does a field of its own end here? "49 2026x" has no year in it but somebody's name. */
static bool at_field_end(const struct cursor *c)
{
	return c->p == c->end || strchr(" ])}:,;|\"\t", *c->p) != NULL;
}

/*
 * "Z", "+01:00", "+0100", "+01"; nothing is local time. After a blank, where it may as well be the
 * message that begins with a sign, only "+01:00" and "+0100".
 */
static void zone(struct cursor *c, struct civil *t)
{
	struct cursor z = *c;
	int hours, minutes = 0;
	bool west, blank, full = true;

	t->has_offset = false;
	if (eat(&z, 'Z')) {
		t->has_offset = true;
		t->offset_sec = 0;
		*c = z;
		return;
	}
	blank = eat(&z, ' ');
	west = peek(&z, 0) == '-';
	if (!eat(&z, '+') && !eat(&z, '-'))
		return;
	if (!two(&z, &hours))
		return;
	if (!eat(&z, ':') && !is_digit(peek(&z, 0)))
		full = false;
	else if (!two(&z, &minutes))
		return;
	if (is_digit(peek(&z, 0)) || hours > 15 || minutes > 59)
		return;
	if (blank && (!full || !at_field_end(&z)))
		return;
	t->has_offset = true;
	t->offset_sec = (hours * 3600 + minutes * 60) * (west ? -1 : 1);
	*c = z;
}

/* "Nov  3 07:12:49", "Wed Nov 03 07:12:49.123 2026", "Nov 3 2026 07:12:49". */
static size_t read_syslog(const char *line, size_t off, size_t len, struct dateform_result *ret)
{
	struct cursor c = {line + off, line + len}, t;
	struct civil *d = &ret->civil;
	bool has_weekday;

	*d = (struct civil) {0};
	has_weekday = weekday(&c);
	if (!month_name(&c, &d->month) || !eat(&c, ' ') || !day(&c, &d->day) || !eat(&c, ' '))
		return 0;
	t = c;
	if (year(&t, &d->year) && (eat(&t, ' ') || (eat(&t, ',') && eat(&t, ' '))))
		c = t;
	else
		d->year = 0;
	if (!clock_time(&c, d))
		return 0;
	t = c;
	if (d->year == 0 && eat(&t, ' ') && year(&t, &d->year)) {
		if (at_field_end(&t)) {
			ret->len_sans_year = has_weekday ? 0 : (size_t)(c.p - (line + off));
			c = t;
		} else {
			d->year = 0;
		}
	}
	return (size_t)(c.p - (line + off));
}

/* "2026-11-20T07:12:49.123456+01:00", "2026-11-20 07:12:49,123", "2026/11/20 07:12:49". */
static size_t read_iso(const char *line, size_t off, size_t len, struct dateform_result *ret)
{
	struct cursor c = {line + off, line + len};
	struct civil *d = &ret->civil;
	char sep;

	*d = (struct civil) {0};
	if (!year(&c, &d->year))
		return 0;
	sep = peek(&c, 0);
	if ((sep != '-' && sep != '/' && sep != '.') || !eat(&c, sep) || !two(&c, &d->month) ||
		!eat(&c, sep) || !two(&c, &d->day))
		return 0;
	if (!eat(&c, 'T') && !eat(&c, ' ') && !eat(&c, 't'))
		return 0;
	if (!clock_time(&c, d))
		return 0;
	zone(&c, d);
	return (size_t)(c.p - (line + off));
}

/* "20/Nov/2026:07:12:49 +0000", "20-Nov-2026 07:12:49.123", "Fri, 20 Nov 2026 07:12:49 +0000". */
static size_t read_day_first(const char *line, size_t off, size_t len, struct dateform_result *ret)
{
	struct cursor c = {line + off, line + len};
	struct civil *d = &ret->civil;
	char sep;

	*d = (struct civil) {0};
	weekday(&c);
	if (!is_digit(peek(&c, 0)) || !day(&c, &d->day))
		return 0;
	sep = peek(&c, 0);
	if ((sep != '/' && sep != '-' && sep != ' ') || !eat(&c, sep) ||
		!month_name(&c, &d->month) || !eat(&c, sep) || !year(&c, &d->year))
		return 0;
	if ((!eat(&c, ':') && !eat(&c, ' ')) || !clock_time(&c, d))
		return 0;
	zone(&c, d);
	return (size_t)(c.p - (line + off));
}

static size_t read_seconds(struct cursor c, struct dateform_result *ret)
{
	const char *start = c.p;
	int64_t sec = 0;
	int usec, n = 0;

	for (; is_digit(peek(&c, 0)) && n < 12; c.p++, n++)
		sec = sec * 10 + (*c.p - '0');
	/* Ten digits: 2001 to 2286. */
	if (n != 10 || sec < 1000000000)
		return 0;
	fraction(&c, &usec);
	ret->is_epoch = true;
	ret->epoch_us = sec * 1000000 + usec;
	return (size_t)(c.p - start);
}

/* "1732086769.123", "[1732086769]" (the brackets are not part of it). */
static size_t read_epoch(const char *line, size_t off, size_t len, struct dateform_result *ret)
{
	size_t n = read_seconds((struct cursor) {line + off, line + len}, ret);

	if (n > 0 && off > 0 && line[off - 1] == '[' && (off + n >= len || line[off + n] != ']'))
		return 0;
	return n;
}

/* "audit(1732086769.123:456)", as the kernel's audit writes it. */
static size_t read_audit(const char *line, size_t off, size_t len, struct dateform_result *ret)
{
	static const char intro[] = "audit(";
	const size_t n_intro = sizeof(intro) - 1;
	size_t n;

	if (off < n_intro || memcmp(line + off - n_intro, intro, n_intro) != 0)
		return 0;
	n = read_seconds((struct cursor) {line + off, line + len}, ret);
	return n > 0 && off + n < len && line[off + n] == ':' ? n : 0;
}

const struct dateform dateforms[DATEFORMS] = {
	{"syslog", false, read_syslog},
	{"ISO 8601", false, read_iso},
	{"day first", false, read_day_first},
	{"epoch", true, read_epoch},
	{"audit", false, read_audit},
};
