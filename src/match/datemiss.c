/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/datemiss.h"

#include <string.h>

#define EPOCH_DIGITS 10

bool date_miss_eq(const struct date_miss *a, const struct date_miss *b)
{
	return a->text == b->text && a->mask == b->mask && a->begins_address == b->begins_address &&
	       a->begins_no_number == b->begins_no_number && a->no_clock == b->no_clock &&
	       a->no_square_date == b->no_square_date && a->need_clock == b->need_clock &&
	       strcmp(a->need, b->need) == 0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool date_has_clock(const char *s, size_t len)
{
	const char *end = s + len;

	for (const char *p = s; (p = memchr(p, ':', (size_t)(end - p))) != NULL; p++) {
		if (p > s && p + 1 < end && is_digit(p[-1]) && is_digit(p[1]))
			return true;
	}
	return false;
}

bool date_has_text(const char *line, size_t len, const char *text, bool with_clock)
{
	size_t n = strlen(text);
	const char *end = line + len;

	for (const char *p = line; (p = memchr(p, *text, (size_t)(end - p))) != NULL; p++) {
		if ((size_t)(end - p) >= n && memcmp(p, text, n) == 0)
			return !with_clock || date_has_clock(p + n, (size_t)(end - p) - n);
	}
	return false;
}

bool date_begins_address(const char *line, size_t len)
{
	size_t n = 0;

	while (n < len && n < 4 && is_digit(line[n]))
		n++;
	return n > 0 && n < 4 && n < len && line[n] == '.';
}

/* Are there so many digits? */
static bool has_digits(const char *s, const char *end, int n)
{
	while (n > 0 && s < end && is_digit(*s)) {
		s++;
		n--;
	}
	return n == 0;
}

/* Where Epoch is looked for: at the beginning, in square brackets or not, and after "audit(". */
static bool has_number(const char *line, size_t len)
{
	const char *end = line + len;
	size_t square = len > 0 && line[0] == '[' ? 1 : 0;

	if (has_digits(line + square, end, EPOCH_DIGITS))
		return true;
	for (const char *p = line; (p = memchr(p, '(', (size_t)(end - p))) != NULL; p++) {
		if (p - line >= 5 && memcmp(p - 5, "audit", 5) == 0 &&
			has_digits(p + 1, end, EPOCH_DIGITS))
			return true;
	}
	return false;
}

/*
 * After the first "[": all default patterns have a clock in them but "Epoch" and "TAI64N", which
 * are plain words there, and one that begins with eight digits.
 */
static bool has_square_date(const char *line, size_t len)
{
	const char *end = line + len, *s = memchr(line, '[', len);

	if (s == NULL)
		return false;
	s++;
	return has_digits(s, end, 8) || (s < end && (*s == 'E' || *s == 'T')) ||
	       date_has_clock(s, (size_t)(end - s));
}

bool date_miss_holds(const struct date_miss *m, const char *line, size_t len)
{
	uint64_t word = 0;

	memcpy(&word, line, len < sizeof(word) ? len : sizeof(word));
	if (((word ^ m->text) & m->mask) != 0)
		return false;
	return !(m->need[0] != '\0' && date_has_text(line, len, m->need, m->need_clock)) &&
	       !(m->begins_address && !date_begins_address(line, len)) &&
	       !(m->begins_no_number && has_number(line, len)) &&
	       !(m->no_clock && date_has_clock(line, len)) &&
	       !(m->no_square_date && has_square_date(line, len));
}
