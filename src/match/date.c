/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/date.h"

#include "base/clock.h"
#include "match/dateform.h"

#include <stdlib.h>
#include <string.h>

#define SEARCH_MAX 512 /* a date that begins further back is not looked for */
#define START_MAX 2    /* so many signs ("[", "(") may stand before a date at the line's start */
#define CACHE_DATE_MAX 54
#define DAY_US (86400 * USEC_PER_SEC)

/* The line before: how it began, up to DATEFORM_LOOKAHEAD bytes past its date. */
struct last {
	bool is_set;
	size_t off, len;
	size_t n_text;
	bool at_end; /* the line ended there */
	char text[START_MAX + CACHE_DATE_MAX + DATEFORM_LOOKAHEAD];
	int64_t now_us, time_us;
};

struct date_finder {
	unsigned char order[DATEFORMS]; /* of dateforms, the last to hit first */
	struct civil_zone zone;
	struct last last;
};

struct date_finder *date_finder_new(void)
{
	struct date_finder *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	for (unsigned i = 0; i < DATEFORMS; i++)
		f->order[i] = (unsigned char)i;
	return f;
}

void date_finder_free(struct date_finder *f)
{
	free(f);
}

static bool is_word(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_';
}

/* Can a date begin with that byte? Digits, and the first letters of months and weekdays. */
static bool may_begin(char c)
{
	switch (c | 0x20) {
	case 'a':
	case 'd':
	case 'f':
	case 'j':
	case 'm':
	case 'n':
	case 'o':
	case 's':
	case 't':
	case 'w':
		return true;
	default:
		return c >= '0' && c <= '9';
	}
}

static int64_t civil_seconds(const struct civil *c)
{
	return civil_days(c->year, c->month, c->day) * 86400 + c->hour * 3600 + c->minute * 60 +
	       c->second;
}

static int64_t to_us(struct date_finder *f, const struct civil *c, int64_t now_us)
{
	int64_t sec = civil_seconds(c);

	if (c->has_offset)
		sec -= c->offset_sec;
	else
		sec = civil_zone_utc(&f->zone, sec, now_us / USEC_PER_SEC);
	return sec * USEC_PER_SEC + c->usec;
}

/*
 * The latest year in which the date is not in the future by more than a day (clocks and zones
 * differ by that much). Eight years back there is a 29 February for sure.
 */
static bool infer_year(struct date_finder *f, struct civil *c, int64_t now_us, int64_t *ret_us)
{
	int64_t limit_us = now_us + DAY_US;
	int newest = civil_year_of(limit_us / DAY_US);

	for (c->year = newest; c->year > newest - 9; c->year--) {
		if (!civil_is_valid(c))
			continue;
		*ret_us = to_us(f, c, now_us);
		if (*ret_us <= limit_us)
			return true;
	}
	return false;
}

static bool is_near_year(int year, int64_t now_us)
{
	return abs(year - civil_year_of(now_us / DAY_US)) <= 1;
}

static bool read_with(struct date_finder *f, const struct dateform *form, const char *line,
	size_t off, size_t len, int64_t now_us, struct stamp *ret)
{
	struct dateform_result r;
	int64_t us;
	size_t n;

	r.is_epoch = false;
	r.len_sans_year = 0;
	n = form->read(line, off, len, &r);
	if (r.len_sans_year > 0 && !is_near_year(r.civil.year, now_us)) {
		n = r.len_sans_year;
		r.civil.year = 0;
	}
	if (n == 0 || (off + n < len && is_word(line[off + n])))
		return false;
	if (r.is_epoch) {
		us = r.epoch_us;
	} else if (!civil_is_valid(&r.civil)) {
		return false;
	} else if (r.civil.year != 0) {
		us = to_us(f, &r.civil, now_us);
	} else if (!infer_year(f, &r.civil, now_us, &us)) {
		return false;
	}
	*ret = (struct stamp) {.time_us = us, .off = off, .len = n};
	return true;
}

static bool read_at(struct date_finder *f, const char *line, size_t off, size_t len, bool at_start,
	int64_t now_us, struct stamp *ret)
{
	for (unsigned i = 0; i < DATEFORMS; i++) {
		unsigned char which = f->order[i];

		if (dateforms[which].at_start_only && !at_start)
			continue;
		if (!read_with(f, &dateforms[which], line, off, len, now_us, ret))
			continue;
		memmove(f->order + 1, f->order, i);
		f->order[0] = which;
		return true;
	}
	return false;
}

static bool repeats_last(const struct last *l, const char *line, size_t len, int64_t now_us)
{
	return l->is_set && (l->at_end ? len == l->n_text : len >= l->n_text) &&
	       memcmp(line, l->text, l->n_text) == 0 && now_us >= l->now_us &&
	       now_us - l->now_us < DAY_US / 24;
}

static void remember(
	struct last *l, const char *line, size_t len, int64_t now_us, const struct stamp *s)
{
	size_t n = s->off + s->len + DATEFORM_LOOKAHEAD;

	l->is_set = s->len <= CACHE_DATE_MAX && s->off <= START_MAX;
	if (!l->is_set)
		return;
	l->off = s->off;
	l->len = s->len;
	l->at_end = len < n;
	l->n_text = len < n ? len : n;
	memcpy(l->text, line, l->n_text);
	l->now_us = now_us;
	l->time_us = s->time_us;
}

static bool search(
	struct date_finder *f, const char *line, size_t len, int64_t now_us, struct stamp *ret)
{
	bool at_start = true;

	for (size_t i = 0; i < len && i < SEARCH_MAX; i++) {
		if (i > START_MAX)
			at_start = false;
		if ((i == 0 || !is_word(line[i - 1])) && may_begin(line[i]) &&
			read_at(f, line, i, len, at_start, now_us, ret))
			return true;
		if (is_word(line[i]))
			at_start = false;
	}
	return false;
}

bool date_find(
	struct date_finder *f, const char *line, size_t len, int64_t now_us, struct stamp *ret)
{
	if (repeats_last(&f->last, line, len, now_us)) {
		*ret = (struct stamp) {f->last.time_us, f->last.off, f->last.len};
		return true;
	}
	if (!search(f, line, len, now_us, ret))
		return false;
	remember(&f->last, line, len, now_us, ret);
	return true;
}
