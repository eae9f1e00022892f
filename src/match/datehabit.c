/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/datehabit.h"

#include "base/clock.h"
#include "base/util.h"

#include <string.h>

#define DAY_SEC 86400
#define BEFORE_MAX 2048 /* the opener is looked for among so many bytes */
#define FRACTION_MAX 6

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
	return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_';
}

bool date_habit_eq(const struct date_habit *a, const struct date_habit *b)
{
	return a->template == b->template && a->base_sec == b->base_sec &&
	       memcmp(a->text, b->text, sizeof(a->text)) == 0 &&
	       memcmp(a->mask, b->mask, sizeof(a->mask)) == 0 && a->size == b->size &&
	       a->cut == b->cut && a->day == b->day && a->clock == b->clock &&
	       a->first_day == b->first_day && a->last_day == b->last_day && a->more == b->more &&
	       a->tail_len == b->tail_len && memcmp(a->tail, b->tail, sizeof(a->tail)) == 0 &&
	       a->opener == b->opener && a->blank_day == b->blank_day && a->weekday == b->weekday;
}

/* Two digits; more than any limit when they are none. */
static unsigned two(const char *s)
{
	unsigned a = (unsigned char)s[0] - '0', b = (unsigned char)s[1] - '0';

	return a <= 9 && b <= 9 ? a * 10 + b : 1000;
}

/* The seconds since base_sec that the text says; negative when it says none that are held. */
static int seconds_of(const struct date_habit *h, const char *text)
{
	const char *d = text + h->day, *c = text + h->clock;
	const char first = h->blank_day && d[0] == ' ' ? '0' : d[0];
	unsigned day = two((const char[]) {first, d[1]});
	unsigned hour = two(c), minute = two(c + 3), second = two(c + 6);

	if (day < h->first_day || day > h->last_day || hour > 23 || minute > 59 || second > 59)
		return -1;
	return (int)(day * DAY_SEC + hour * 3600 + minute * 60 + second);
}

static bool is_weekday(const char *text)
{
	static const char names[][4] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (memcmp(text, names[i], 3) == 0)
			return true;
	}
	return false;
}

/* Might a zone begin there, in any case? */
static bool may_be_zone(const char *s, const char *end)
{
	char next = s + 1 < end ? s[1] : '\0';

	if (s == end)
		return false;
	switch (s[0]) {
	case '+':
	case '-':
		return is_digit(next);
	case 'Z':
	case 'z':
		return !is_word(next);
	case 'U':
	case 'u':
		return (next | 0x20) == 't';
	case 'G':
	case 'g':
		return (next | 0x20) == 'm';
	default:
		return false;
	}
}

/* Is the date over at s, whatever follows? A word must not go on there. */
static bool ends_at(const struct date_habit *h, const char *s, const char *end)
{
	if (s == end)
		return true;
	if ((*s & 0x80) != 0 || is_word(*s))
		return false;
	if (h->tail_len > 0)
		return true;
	switch ((enum date_more)h->more) {
	case DATE_MORE_NOTHING:
	case DATE_MORE_FRACTION:
		return true;
	case DATE_MORE_YEAR:
		return *s != ' ' || end - s < 3 || s[1] != '2' || s[2] != '0';
	case DATE_MORE_ZONE:
		return *s != ' ' || !may_be_zone(s + 1, end);
	case DATE_MORE_ISO:
		/* Any space may stand before a zone. */
		if (*s == ' ' && ++s == end)
			return true;
		return *s > ' ' && *s < 0x7f && !may_be_zone(s, end);
	}
	return false;
}

/* Past the fraction of a second that begins at s; NULL if it has too many digits to be one. */
static const char *after_fraction(const struct date_habit *h, const char *s, const char *end)
{
	const char *digits = s + 1;

	if (h->more == DATE_MORE_NOTHING || end - s < 2 || !is_digit(*digits) ||
		(*s != '.' && (*s != ',' || h->more != DATE_MORE_ISO)))
		return s;
	for (s = digits; s < end && is_digit(*s); s++) {
		if (s - digits == FRACTION_MAX)
			return NULL;
	}
	return s;
}

/* Where the text begins in the line; NULL if it does not. */
static const char *text_in(const struct date_habit *h, const char *line, size_t len)
{
	const char *p;

	if (h->opener == '\0')
		return line;
	p = memchr(line, h->opener, len < BEFORE_MAX ? len : BEFORE_MAX);
	return p != NULL ? p + 1 : NULL;
}

bool date_habit_holds(const struct date_habit *h, const char *line, size_t len, struct stamp *ret)
{
	const char *text = text_in(h, line, len), *end = line + len, *s;
	uint64_t words[DATE_HABIT_TEXT / 8] = {0}, differ = 0;
	int sec;

	if (text == NULL || end - text < h->size)
		return false;
	if (end - text >= DATE_HABIT_TEXT)
		memcpy(words, text, DATE_HABIT_TEXT);
	else
		memcpy(words, text, (size_t)(end - text));
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		differ |= (words[i] ^ h->text[i]) & h->mask[i];
	if (differ != 0)
		return false;
	sec = seconds_of(h, text);
	if (sec < 0 || (h->weekday && !is_weekday(text + h->cut)))
		return false;
	s = after_fraction(h, text + h->size, end);
	if (s == NULL || end - s < h->tail_len || memcmp(s, h->tail, h->tail_len) != 0 ||
		!ends_at(h, s + h->tail_len, end))
		return false;
	ret->off = (size_t)(text - line) + h->cut;
	ret->len = (size_t)(s - text) + h->tail_len - h->cut;
	ret->time_us = (h->base_sec + sec) * USEC_PER_SEC;
	return true;
}
