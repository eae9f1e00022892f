/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/datelook.h"

#include "base/util.h"
#include "match/dateformat.h"

#include <string.h>
#include <strings.h>

#define SEP_MONTH_DAY "(?P<_sep>[-/.])%m(?P=_sep)%d"
#define INNER_MAX 200
#define WEEKDAY_SIZE 4 /* "Fri " */

static const struct date_look looks[] = {
	{"%ExY" SEP_MONTH_DAY "(?:T|  ?)%H:%M:%S(?:[.,]%f)?(?:\\s*%z)?", DATE_LAYOUT_ISO,
		DATE_MORE_ISO},
	{"%ExY" SEP_MONTH_DAY "[T ]%H:%M:%S(?:[.,]%f)?(?:\\s*%z)?", DATE_LAYOUT_ISO, DATE_MORE_ISO},
	{"%Y-%m-%d %H:%M:%S", DATE_LAYOUT_ISO, DATE_MORE_NOTHING},
	{"(?:%a )?%b %d %k:%M:%S(?:\\.%f)?(?: %ExY)?", DATE_LAYOUT_NAME, DATE_MORE_YEAR},
	{"(?:%a )?%b %d %H:%M:%S(?:\\.%f)?(?: %ExY)?", DATE_LAYOUT_NAME, DATE_MORE_YEAR},
	{"(?:%a )?%b %d %ExY %k:%M:%S(?:\\.%f)?", DATE_LAYOUT_NAMED, DATE_MORE_FRACTION},
	{"%d(?P<_sep>[-/])%b(?P=_sep)%ExY[ :]?%H:%M:%S(?:\\.%f)?(?: %z)?", DATE_LAYOUT_DAY,
		DATE_MORE_ZONE},
};

static const struct date_around arounds[] = {
	{.before = "{^LN-BEG}", .after = "", .signs = 2},
	{.before = "^", .after = ""},
	{.before = "^[^\\[]*\\[(", .after = ")", .opener = '['},
	{.before = "^[^\\[]*(\\[", .after = "\\s*\\])", .opener = '[', .outside = 1},
};

/* Is it the pattern between what stands around it? */
static bool is_put(const char *whole, const struct date_around *p, const struct date_look *l)
{
	size_t before = strlen(p->before), len = strlen(l->pattern);

	return strncmp(whole, p->before, before) == 0 &&
	       strncmp(whole + before, l->pattern, len) == 0 &&
	       strcmp(whole + before + len, p->after) == 0;
}

bool datelook_of(
	const char *pattern, const struct date_look **ret, const struct date_around **ret_around)
{
	for (size_t i = 0; i < ARRAY_SIZE(looks) * ARRAY_SIZE(arounds); i++) {
		const struct date_look *look = &looks[i / ARRAY_SIZE(arounds)];
		const struct date_around *around = &arounds[i % ARRAY_SIZE(arounds)];

		if (is_put(pattern, around, look)) {
			*ret = look;
			*ret_around = around;
			return true;
		}
	}
	return false;
}

/* Past a class that is nothing special; NULL if it is. */
static const char *after_class(const char *s)
{
	size_t n = strcspn(s + 1, "]()\\");

	return n > 0 && s[1] != '^' && s[1 + n] == ']' ? s + 2 + n : NULL;
}

/* Is each group that begins in it closed in it? No is a safe answer. */
static bool is_balanced(const char *s)
{
	int depth = 0;

	while (s != NULL && *s != '\0') {
		if (*s == ')' && --depth < 0)
			return false;
		depth += *s == '(' ? 1 : 0;
		if (*s == '[')
			s = after_class(s);
		else
			s += *s == '\\' && s[1] != '\0' ? 2 : 1;
	}
	return s != NULL && depth == 0;
}

bool datelook_is_square(const char *pattern)
{
	static const char *const around[][2] = {
		{"^[^\\[]*\\[(", ")"}, {"^[^\\[]*(\\[", "\\s*\\])"}};
	/* Those that have no clock. */
	static const char *const others[] = {
		"Epoch", "TAI64N", "%ExY%Exm%Exd(?:T|  ?)%ExH%ExM%ExS(?:[.,]%f)?(?:\\s*%z)?"};
	char inner[INNER_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(around); i++) {
		size_t len = strlen(pattern), before = strlen(around[i][0]),
		       after = strlen(around[i][1]);

		if (len < before + after || len - before - after >= sizeof(inner) ||
			strncmp(pattern, around[i][0], before) != 0 ||
			strcmp(pattern + len - after, around[i][1]) != 0)
			continue;
		len -= before + after;
		memcpy(inner, pattern + before, len);
		inner[len] = '\0';
		for (size_t k = 0; k < ARRAY_SIZE(others); k++) {
			if (strcmp(inner, others[k]) == 0)
				return true;
		}
		return is_balanced(inner) && dateformat_needs_clock(inner);
	}
	return false;
}

static bool read_digits(int *ret, const char *s, int n)
{
	*ret = 0;
	for (int i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		*ret = *ret * 10 + (s[i] - '0');
	}
	return true;
}

static bool read_month(int *ret, const char *s)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int i = 0; i < 12; i++) {
		if (strncasecmp(s, names + (size_t)i * 3, 3) == 0) {
			*ret = i + 1;
			return true;
		}
	}
	return false;
}

/* "20", or " 1" where that is usual. */
static bool read_day(int *ret, const char *s, bool blank)
{
	return blank && *s == ' ' ? read_digits(ret, s + 1, 1) : read_digits(ret, s, 2);
}

/* "2026-11-20T13:40:45" */
static bool read_iso(const char *s, struct date_parts *p)
{
	p->day_at = 8;
	p->clock_at = 11;
	return read_digits(&p->year, s, 4) && read_digits(&p->month, s + 5, 2) &&
	       read_day(&p->day, s + 8, false) && s[4] == s[7];
}

/* "Nov 20 13:40:45" and "Nov 20 2026 13:40:45", a weekday before or not */
static bool read_named(const char *s, bool has_year, struct date_parts *p)
{
	size_t at = 0;

	if (s[3] == ' ' && !(s[4] == ' ' || (s[4] >= '0' && s[4] <= '9'))) {
		p->weekday = true;
		at = WEEKDAY_SIZE;
	}
	p->day_at = at + 4;
	p->clock_at = at + (has_year ? 12 : 7);
	return read_month(&p->month, s + at) && s[at + 3] == ' ' &&
	       read_day(&p->day, s + at + 4, true) && s[at + 6] == ' ' &&
	       (!has_year || (read_digits(&p->year, s + at + 7, 4) && s[at + 11] == ' '));
}

/* "20/Nov/2026:13:40:45" */
static bool read_day_first(const char *s, struct date_parts *p)
{
	p->day_at = 0;
	p->clock_at = 12;
	return read_day(&p->day, s, false) && read_month(&p->month, s + 3) &&
	       read_digits(&p->year, s + 7, 4) && s[2] == s[6] && (s[11] == ' ' || s[11] == ':');
}

bool datelook_read(enum date_layout layout, const char *text, size_t len, struct date_parts *ret)
{
	char s[DATE_HABIT_TEXT] = {0};
	struct date_parts p = {0};
	bool ok = false;
	const char *c;
	int n;

	memcpy(s, text, len < sizeof(s) ? len : sizeof(s));
	switch (layout) {
	case DATE_LAYOUT_ISO:
		ok = read_iso(s, &p);
		break;
	case DATE_LAYOUT_NAME:
	case DATE_LAYOUT_NAMED:
		ok = read_named(s, layout == DATE_LAYOUT_NAMED, &p);
		break;
	case DATE_LAYOUT_DAY:
		ok = read_day_first(s, &p);
		break;
	}
	p.size = p.clock_at + strlen("HH:MM:SS");
	if (!ok || p.size > len)
		return false;
	c = s + p.clock_at;
	if (!read_digits(&n, c, 2) || c[2] != ':' || !read_digits(&n, c + 3, 2) || c[5] != ':' ||
		!read_digits(&n, c + 6, 2))
		return false;
	*ret = p;
	return true;
}
