/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/datehabit.h"

#include "base/clock.h"
#include "base/util.h"

#include <endian.h>
#include <string.h>

#define DAY_SEC 86400
#define BEFORE_MAX 2048 /* the opener is looked for among so many bytes */
#define FRACTION_MAX 6
#define NEAR                                                                                       \
	(DATE_HABIT_TEXT + 32) /* what is looked at: text, fraction, tail, and some bytes more */
#define EACH UINT64_C(0x0101010101010101) /* times a byte: eight of it */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Letters, digits and "_"; bytes beyond ASCII, which may be part of a letter. */
static const bool word_bytes[256] = {
	['0' ... '9'] = true,
	['A' ... 'Z'] = true,
	['_'] = true,
	['a' ... 'z'] = true,
	[0x80 ... 0xff] = true,
};

static bool is_word(char c)
{
	return word_bytes[(unsigned char)c];
}

/* Eight bytes, the first of them the lowest. */
static uint64_t eight(const char *s)
{
	uint64_t word;

	memcpy(&word, s, sizeof(word));
	return le64toh(word);
}

size_t date_habit_reach(const struct date_habit *h, const struct stamp *stamp, size_t len)
{
	/* Behind a date with an end of its own three bytes more may be looked at. */
	size_t end = stamp->off + stamp->len;
	bool is_short = h->opener == '\0' && end == (size_t)h->size + h->tail_len;

	return is_short && end + 3 <= len ? end + 3 : 0;
}

bool date_habit_eq(const struct date_habit *a, const struct date_habit *b)
{
	return a->template == b->template && a->base_sec == b->base_sec &&
	       memcmp(a->text, b->text, sizeof(a->text)) == 0 &&
	       memcmp(a->mask, b->mask, sizeof(a->mask)) == 0 && a->size == b->size &&
	       a->cut == b->cut && a->day == b->day && a->clock == b->clock &&
	       a->first_day == b->first_day && a->last_day == b->last_day && a->more == b->more &&
	       a->tail_len == b->tail_len && a->tail_mask == b->tail_mask && a->tail == b->tail &&
	       a->opener == b->opener && a->blank == b->blank && a->outside == b->outside &&
	       a->weekday == b->weekday;
}

static bool has_text(const struct date_habit *h, const char *s)
{
	uint64_t word, differ = 0;

	for (size_t i = 0; i < ARRAY_SIZE(h->text); i++) {
		memcpy(&word, s + i * sizeof(word), sizeof(word));
		differ |= (word ^ h->text[i]) & h->mask[i];
	}
	return differ == 0;
}

/* The seconds since base_sec that the text says; negative when that is no time, or not held. */
static int seconds_of(const struct date_habit *h, const char *s)
{
	/* What each of "HH:MM:SS" may be at most, and from where on a byte shows it. */
	const uint64_t most = UINT64_C(0x0905000905000902), shown = 0x7f * EACH - most;
	uint64_t digits = eight(s + h->clock) ^ UINT64_C(0x30303a30303a3030);
	unsigned tens = s[h->day] == h->blank ? 0 : (unsigned char)s[h->day] - '0';
	unsigned ones = (unsigned char)s[h->day + 1] - '0', day = tens * 10 + ones;
	unsigned hour;

	if (((digits | (digits + shown)) & 0x80 * EACH) != 0 || tens > 9 || ones > 9 ||
		day < h->first_day || day > h->last_day)
		return -1;
	digits = digits * 10 + (digits >> 8);
	hour = digits & 0xff;
	if (hour > 23)
		return -1;
	return (int)(day * DAY_SEC + hour * 3600 + (digits >> 24 & 0xff) * 60 +
		     (digits >> 48 & 0xff));
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
		return !is_word(next) || (next & 0x80) != 0;
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
	if (is_word(*s))
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

	if ((*s != '.' && *s != ',') || h->more == DATE_MORE_NOTHING ||
		(*s == ',' && h->more != DATE_MORE_ISO) || end - s < 2 || !is_digit(*digits))
		return s;
	for (s = digits + 1; s < end && is_digit(*s); s++) {
		if (s - digits == FRACTION_MAX)
			return NULL;
	}
	return s;
}

/* For the text that begins `at` in the line; NEAR bytes of it can be read, whatever the end. */
static bool holds_at(
	const struct date_habit *h, const char *text, const char *end, size_t at, struct stamp *ret)
{
	const char *s;
	int sec;

	if (!has_text(h, text) || (sec = seconds_of(h, text)) < 0 ||
		(h->weekday && !is_weekday(text + h->cut)))
		return false;
	s = after_fraction(h, text + h->size, end);
	if (s == NULL)
		return false;
	if (h->tail_len > 0) {
		if (end - s < h->tail_len || (eight(s) & h->tail_mask) != h->tail)
			return false;
		s += h->tail_len;
	}
	if (!ends_at(h, s, end) || (h->outside > 0 && (s == end || *s != ']')))
		return false;
	*ret = (struct stamp) {
		.time_us = (h->base_sec + sec) * USEC_PER_SEC,
		.off = at + h->cut - h->outside,
		.len = (size_t)(s - text) - h->cut + 2u * h->outside,
	};
	return true;
}

/* Apart, so that the others need not pay for its buffer. */
__attribute__((noinline)) static bool holds_near_end(
	const struct date_habit *h, const char *text, size_t len, size_t at, struct stamp *ret)
{
	char near[NEAR] = {0};

	memcpy(near, text, len);
	return len >= h->size && holds_at(h, near, near + len, at, ret);
}

bool date_habit_holds(const struct date_habit *h, const char *line, size_t len, struct stamp *ret)
{
	const char *text = line;

	if (h->opener != '\0') {
		text = memchr(line, h->opener, len < BEFORE_MAX ? len : BEFORE_MAX);
		if (text == NULL)
			return false;
		text++;
		len -= (size_t)(text - line);
	}
	if (len < NEAR)
		return holds_near_end(h, text, len, (size_t)(text - line), ret);
	return holds_at(h, text, text + len, (size_t)(text - line), ret);
}
