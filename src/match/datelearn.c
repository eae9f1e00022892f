/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/datelearn.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "match/datelook.h"
#include "match/zone.h"

#include <string.h>

#define DAY_SEC 86400
#define QUARTER_SEC 900
#define MONTH_ASKED 8 /* so many lines in a row before a month is looked into */
#define MONTH_SIZE 4
#define MISS_WAIT_MIN 4
#define MISS_WAIT_MAX 1024
#define YEAR_MIN 1973 /* before, some zones were off by odd seconds */
#define YEAR_MAX 9000

/* What is known of the date so far. */
struct lesson {
	const struct date_clock *clock;
	struct date_parts parts;
	bool has_offset; /* it says its zone, or logtimezone does */
	int offset_sec;
};

static int64_t div_floor(int64_t a, int64_t b)
{
	return a / b - (a % b < 0 ? 1 : 0);
}

static int days_of(int year, int month)
{
	return civil_is_day(year, month, 31)   ? 31
	       : civil_is_day(year, month, 30) ? 30
	       : civil_is_day(year, month, 29) ? 29
					       : 28;
}

/* A zone that no digit after it makes another: "Z", "UTC", "+0100", "+01:00". */
static bool read_zone(struct lesson *l, const char *s, size_t len)
{
	int minutes;

	if (len > 0 && *s == ' ') {
		s++;
		len--;
	}
	if (len != 1 && len != 3 && len != 5 && len != 6)
		return false;
	if ((len == 3 && (*s == '+' || *s == '-')) || zone_read(&minutes, s, len) < 0)
		return false;
	l->has_offset = true;
	l->offset_sec = minutes * 60;
	return true;
}

/* What follows the seconds and their fraction, up to where the date ends. */
static bool read_tail(struct date_habit *h, struct lesson *l, const char *s, size_t len)
{
	if (len > DATE_HABIT_TAIL)
		return false;
	h->tail_len = (uint8_t)len;
	for (size_t i = 0; i < len; i++) {
		h->tail |= (uint64_t)(unsigned char)s[i] << 8 * i;
		h->tail_mask |= UINT64_C(0xff) << 8 * i;
	}
	if (len == 0)
		return true;
	if (h->more == DATE_MORE_ISO || h->more == DATE_MORE_ZONE)
		return read_zone(l, s, len);
	if (h->more != DATE_MORE_YEAR || len != 5 || s[0] != ' ')
		return false;
	for (int i = 1; i < 5; i++)
		l->parts.year = l->parts.year * 10 + (s[i] - '0');
	return true;
}

/* The text and what of it is fixed. */
static void set_text(struct date_habit *h, const char *text, const struct date_parts *p)
{
	unsigned char bytes[DATE_HABIT_TEXT] = {0}, mask[DATE_HABIT_TEXT] = {0};

	h->size = (uint8_t)(h->cut + p->size);
	h->day = (uint8_t)(h->cut + p->day_at);
	h->clock = (uint8_t)(h->cut + p->clock_at);
	h->weekday = p->weekday;
	memcpy(bytes, text, h->size);
	memset(mask, 0xff, h->size);
	memset(mask + h->day, 0, 2);
	for (size_t i = 0; i < 3; i++)
		memset(mask + h->clock + i * 3, 0, 2);
	if (p->weekday)
		memset(mask + h->cut, 0, 3);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] &= mask[i];
	memcpy(h->text, bytes, sizeof(bytes));
	memcpy(h->mask, mask, sizeof(mask));
}

/* The date's text: what its parts say, what is fixed, what follows. */
static bool read_text(struct date_habit *h, struct lesson *l, const struct date_template *t,
	const char *line, const struct stamp *found)
{
	const struct date_around *around = t->around;
	const char *text = line, *date = line + found->off + around->outside, *s;
	const char *end = line + found->off + found->len - around->outside;

	h->template = t;
	h->more = (uint8_t)t->look->more;
	h->opener = around->opener;
	h->outside = (uint8_t)around->outside;
	if (h->opener != '\0') {
		text = memchr(line, h->opener, (size_t)(date - line));
		if (text == NULL || ++text != date)
			return false;
	}
	if (date > end || date - text > (ptrdiff_t)around->signs)
		return false;
	h->cut = (uint8_t)(date - text);
	if (utf8_ascii(text, h->cut) < h->cut)
		return false;
	if (!datelook_read(t->look->layout, date, (size_t)(end - date), &l->parts) ||
		h->cut + l->parts.size > DATE_HABIT_TEXT)
		return false;
	h->blank = l->parts.day_at > 0 && text[h->cut + l->parts.day_at - 1] == ' ' ? ' ' : '0';
	set_text(h, text, &l->parts);
	s = text + h->size;
	if (h->more != DATE_MORE_NOTHING && end - s > 1 && (*s == '.' || *s == ','))
		for (s++; s < end && *s >= '0' && *s <= '9'; s++)
			;
	return read_tail(h, l, s, (size_t)(end - s));
}

/*
 * The present: a year that is left out is its year or the one before, by which days are to come.
 * What is learnt holds for a quarter of an hour at most, for which it is known how far local time
 * is from UTC, and until the day is over. Returns that day, *ret_sec what the local clock shows
 * then.
 */
static int64_t settle_present(const struct date_clock *clock, struct date_learner *at)
{
	int64_t now_sec = div_floor(clock->now_us, USEC_PER_SEC);
	int64_t offset = civil_zone_local(clock->zone, now_sec) - now_sec;
	int64_t today = div_floor(now_sec + offset, DAY_SEC);
	int64_t quarter = div_floor(now_sec, QUARTER_SEC) * QUARTER_SEC;
	int64_t from = today * DAY_SEC - offset, to = from + DAY_SEC;

	at->from_us = (from > quarter ? from : quarter) * USEC_PER_SEC;
	at->to_us = (to < quarter + QUARTER_SEC ? to : quarter + QUARTER_SEC) * USEC_PER_SEC;
	return today;
}

/* Holds those days of which it is the same year from their beginning to their end. */
static bool settle_year(struct date_habit *h, struct lesson *l, int64_t today)
{
	int year = civil_of(today).year;
	/* Which day of the month it is; before its first or behind its last in another month. */
	int64_t day = today - civil_days(year, l->parts.month, 1) + 1;
	int n_days = days_of(year, l->parts.month);

	/* Compared are times of day, whatever their zones: west of ours it is later. */
	if (l->has_offset && (l->offset_sec < 0 || l->parts.day > day))
		return false;
	l->parts.year = year;
	if (l->parts.day <= day) {
		h->last_day = (uint8_t)(day < n_days ? day : n_days);
		return true;
	}
	if (l->parts.day < day + 2)
		return false;
	l->parts.year = year - 1;
	if (days_of(year - 1, l->parts.month) < n_days)
		n_days--;
	h->first_day = (uint8_t)(day + 2 > 1 ? day + 2 : 1);
	h->last_day = (uint8_t)n_days;
	return true;
}

/* Looks for the days about `day` throughout which the clocks are not changed. */
static void look_into(struct date_month *m, int day)
{
	int first = day, last = day, offset;

	m->looked_at = day;
	m->first_day = 0;
	if (!civil_is_plain_day(m->begin + day - 1, &m->offset_sec))
		return;
	while (first > 1 && civil_is_plain_day(m->begin + first - 2, &offset) &&
		offset == m->offset_sec)
		first--;
	while (last < 31 && civil_is_plain_day(m->begin + last, &offset) && offset == m->offset_sec)
		last++;
	m->first_day = first;
	m->last_day = last;
}

/* Local time: how far it is from UTC in that month, or the part of it for which that is so. */
static bool settle_zone(struct date_habit *h, struct lesson *l, struct date_month *m)
{
	int64_t begin = civil_days(l->parts.year, l->parts.month, 1);
	int day = l->parts.day;

	if (l->has_offset)
		return true;
	if (m->begin != begin)
		*m = (struct date_month) {.begin = begin};
	/* Not for a line between others: it is not cheap. */
	if (m->asked < MONTH_ASKED && ++m->asked < MONTH_ASKED)
		return false;
	if (m->looked_at != day && (day < m->first_day || day > m->last_day || m->first_day == 0))
		look_into(m, day);
	if (m->first_day == 0)
		return false;
	l->offset_sec = m->offset_sec;
	h->first_day = h->first_day > m->first_day ? h->first_day : (uint8_t)m->first_day;
	h->last_day = h->last_day < m->last_day ? h->last_day : (uint8_t)m->last_day;
	return true;
}

static bool settle(struct date_habit *h, struct lesson *l, struct date_learner *at)
{
	at->from_us = INT64_MIN;
	at->to_us = INT64_MAX;
	h->first_day = 1;
	if (!l->has_offset && l->clock->has_offset) {
		l->has_offset = true;
		l->offset_sec = l->clock->offset_min * 60;
	}
	if (l->parts.year == 0) {
		if (!settle_year(h, l, settle_present(l->clock, at)))
			return false;
	} else if (l->parts.year < YEAR_MIN || l->parts.year > YEAR_MAX) {
		return false;
	} else {
		h->last_day = (uint8_t)days_of(l->parts.year, l->parts.month);
	}
	if (!settle_zone(h, l, &at->month))
		return false;
	h->base_sec = (civil_days(l->parts.year, l->parts.month, 1) - 1) * DAY_SEC - l->offset_sec;
	return true;
}

void datelearn(struct date_learner *learner, const struct date_template *t, const char *line,
	size_t len, const struct stamp *found, const struct date_clock *clock)
{
	struct date_learner next = *learner;
	struct lesson l = {.clock = clock};
	struct date_habit h = {0};
	struct stamp again;
	bool learnt = read_text(&h, &l, t, line, found) && settle(&h, &l, &next);

	learner->month = next.month;
	if (!learnt || !date_habit_holds(&h, line, len, &again) || again.off != found->off ||
		again.len != found->len || again.time_us != found->time_us)
		return;
	next.habit = h;
	*learner = next;
}

/* By how many of the line's first bytes, from k on and up to max, is it not that template's? 0:
 * none.
 */
static size_t wrong_start(
	const struct date_template *t, const char *line, size_t len, size_t k, size_t max)
{
	/* Of no byte at all nothing can be said. */
	for (k = k > 0 ? k : 1; k <= len && k <= max; k++) {
		if (!datetemplate_may_find(t, line, k))
			return k;
	}
	return 0;
}

/* Lacks the line a text that the template needs, and is no other one looked for already? */
static bool lacks_need(
	struct date_miss *m, const struct date_template *t, const char *line, size_t len)
{
	if (t->need[0] == '\0' || date_has_text(line, len, t->need, t->clock_after_need) ||
		(m->need[0] != '\0' &&
			(strcmp(m->need, t->need) != 0 || m->need_clock != t->clock_after_need)))
		return false;
	m->need_clock = t->clock_after_need;
	memcpy(m->need, t->need, sizeof(m->need));
	return true;
}

static bool has_wrong_start(
	struct date_miss *m, const struct date_template *t, const char *line, size_t len, size_t *k)
{
	size_t wrong;

	if (date_begins_address(line, len) && !datetemplate_may_find_address(t)) {
		m->begins_address = true;
		return true;
	}
	/* The first few bytes are those of a month's lines; the next are of a day's. */
	wrong = wrong_start(t, line, len, *k, MONTH_SIZE);
	if (wrong == 0 && lacks_need(m, t, line, len))
		return true;
	if (wrong == 0)
		wrong = wrong_start(t, line, len, *k, sizeof(m->text));
	*k = wrong > *k ? wrong : *k;
	return wrong > 0;
}

/* What of the line says that it has no date by that template. *k: so many of its first bytes. */
static bool say_no(
	struct date_miss *m, const struct date_template *t, const char *line, size_t len, size_t *k)
{
	switch (t->sought) {
	case DATE_SOUGHT_START:
		return has_wrong_start(m, t, line, len, k);
	case DATE_SOUGHT_NUMBER:
		m->begins_no_number = true;
		return true;
	case DATE_SOUGHT_SQUARE:
		m->no_square_date = true;
		return true;
	case DATE_SOUGHT_CLOCK:
		if (lacks_need(m, t, line, len))
			return true;
		m->no_clock = true;
		return true;
	case DATE_SOUGHT_ANYHOW:
		return lacks_need(m, t, line, len);
	}
	return false;
}

void datelearn_miss(
	struct date_learner *l, const struct date_patterns *p, const char *line, size_t len)
{
	struct date_miss m = {0};
	size_t k = 0;

	if (l->n_missed++ < l->miss_wait)
		return;
	l->n_missed = 0;
	l->miss_wait = l->miss_wait < MISS_WAIT_MIN   ? MISS_WAIT_MIN
		       : l->miss_wait < MISS_WAIT_MAX ? l->miss_wait * 2
						      : MISS_WAIT_MAX;
	for (size_t i = 0; i < p->n; i++) {
		if (!say_no(&m, p->choices[i].template, line, len, &k))
			return;
	}
	/* A shorter line is as one that goes on with NUL. */
	if (len < k || memchr(line, '\0', k) != NULL)
		return;
	memcpy(&m.text, line, k);
	memset(&m.mask, 0xff, k);
	if (date_miss_holds(&m, line, len)) {
		l->miss = m;
		l->has_miss = true;
	}
}
