/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/dateformat.h"

#include "base/clock.h"
#include "base/util.h"
#include "match/civil.h"

#include <errno.h>
#include <string.h>

#define ABBREVIATION "[A-Z](?:[A-Z]{2,4})?"
#define OFFSET "[+-][01]\\d(?::?\\d{2})?"
#define DAY_NAME "(?P<a>mon|tue|wed|thu|fri|sat|sun)"
#define MONTH_NAME "(?P<b>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
/* The order of alternatives is that of what is tried first: in %d two digits, within %c one. */
#define C_DAY "(?P<d>3[01]|[12]\\d|0[1-9]|[1-9]| [1-9])"
#define C_CLOCK "(?P<H>2[0-3]|[01]\\d|\\d):(?P<M>[0-5]\\d|\\d):(?P<S>6[01]|[0-5]\\d|\\d)"

#define NEWEST_YEAR_MIN 2029 /* a clock that was never set must not hide today's years */
#define YEARS_AHEAD 3

/* regex NULL: made at run time. */
static const struct format {
	const char *key, *name, *regex;
} formats[] = {
	{"%", "%", "%"},
	{"ExY", "ExYear", NULL},
	{"Exy", "ExYear2", "(?P<y>\\d{2})"},
	{"Exm", "ExMonth", "(?P<m>0[1-9]|1[0-2])"},
	{"Exd", "ExDay", "(?P<d>[12]\\d|0[1-9]|3[01])"},
	{"ExH", "Ex24hour", "(?P<H>[01]\\d|2[0-3])"},
	{"Exk", "%Exk", " ?(?P<H>[01]?\\d|2[0-3])"},
	{"Exl", "Ex%l", " ?(?P<I>1[0-2]|\\d)"},
	{"ExM", "ExMinute", "(?P<M>[0-5]\\d)"},
	{"ExS", "ExSecond", "(?P<S>[0-5]\\d|6[01])"},
	{"Exz", "ExZone offset", "(?P<z>(?:" ABBREVIATION ")?" OFFSET "|" ABBREVIATION ")"},
	{"ExZ", "ExZone name", "(?P<Z>" ABBREVIATION ")"},
	{"Y", "Year", "(?P<Y>\\d{4})"},
	{"y", "Year2", "(?P<y>\\d\\d)"},
	{"m", "Month", "(?P<m>0?[1-9]|1[0-2])"},
	{"d", "Day", "(?P<d>[12]\\d|[ 0]?[1-9]|3[01])"},
	{"b", "MON", MONTH_NAME},
	{"B", "MONTH",
		"(?P<B>january|february|march|april|may|june|july|august|september|october|"
		"november|december)"},
	{"a", "DAY", DAY_NAME},
	{"A", "DAYNAME", "(?P<A>monday|tuesday|wednesday|thursday|friday|saturday|sunday)"},
	{"H", "24hour", "(?P<H>[01]?\\d|2[0-3])"},
	{"k", "%k", " ?(?P<H>[0-2]?\\d)"},
	{"I", "12hour", "(?P<I>1[0-2]|0[1-9]|[1-9])"},
	{"l", "%l", " ?(?P<I>1?\\d)"},
	{"M", "Minute", "(?P<M>[0-5]?\\d)"},
	{"S", "Second", "(?P<S>[0-5]?\\d|6[01])"},
	{"p", "AMPM", "(?P<p>am|pm)"},
	{"f", "Microseconds", "(?P<f>\\d{1,6})"},
	{"j", "Yearday",
		"(?P<j>36[0-6]|3[0-5]\\d|[12]\\d\\d|0[1-9]\\d|00[1-9]|[1-9]\\d|0[1-9]|[1-9])"},
	{"U", "Yearweek", "(?P<U>5[0-3]|[0-4]\\d|\\d)"},
	{"W", "Yearweek", "(?P<W>5[0-3]|[0-4]\\d|\\d)"},
	{"w", "Weekday", "(?P<w>[0-6])"},
	{"z", "Zone offset", "(?P<z>Z|UTC|GMT|" OFFSET ")"},
	{"Z", "Zone name", "(?P<Z>Z|[A-Z]{3,5})"},
	{"G", "%G", "(?P<G>\\d{4})"},
	{"V", "%V", "(?P<V>5[0-3]|0[1-9]|[1-4]\\d|\\d)"},
	{"u", "%u", "(?P<u>[1-7])"},
	{"c", "%c", DAY_NAME "\\s+" MONTH_NAME "\\s+" C_DAY "\\s+" C_CLOCK "\\s+(?P<Y>\\d{4})"},
	{"x", "%x", "(?P<m>1[0-2]|0[1-9]|[1-9])/" C_DAY "/(?P<y>\\d\\d)"},
	{"X", "%X", C_CLOCK},
};

/* By decades, as fail2ban has it: from 2000 to the one that will be in three years. */
static int add_year(struct buf *regex)
{
	int newest = civil_of(clock_wall_us() / USEC_PER_SEC / 86400).year + YEARS_AHEAD;

	if (newest < NEWEST_YEAR_MIN)
		newest = NEWEST_YEAR_MIN;
	if (newest < 2100)
		return buf_addf(regex, "(?P<Y>20[0-%d]\\d)", newest / 10 % 10);
	return buf_addf(regex, "(?P<Y>20\\d\\d|21[0-%d]\\d)", newest / 10 % 10);
}

static const struct format *find_format(const char *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		if (strncmp(s, formats[i].key, strlen(formats[i].key)) == 0)
			return &formats[i];
	}
	return NULL;
}

int dateformat_expand(const char *pattern, struct buf *regex, struct buf *name, size_t *ret_at)
{
	const char *p = pattern;
	int r = 0;

	while (r == 0 && *p != '\0') {
		size_t plain = strcspn(p, "%");
		const struct format *format = NULL;

		r = buf_add(regex, p, plain);
		r = r < 0 ? r : buf_add(name, p, plain);
		p += plain;
		if (r < 0 || *p == '\0')
			break;
		format = find_format(p + 1);
		if (format == NULL) {
			*ret_at = (size_t)(p - pattern);
			return -EINVAL;
		}
		r = format->regex != NULL ? buf_adds(regex, format->regex) : add_year(regex);
		r = r < 0 ? r : buf_adds(name, format->name);
		p += 1 + strlen(format->key);
	}
	return r;
}

/* Past what a backslash, a class or a group is: its length; 0 where it does not end. */
static size_t skip_part(const char *s)
{
	size_t i = 1, n;

	if (*s == '\\')
		return s[1] != '\0' ? 2 : 0;
	if (*s == '[') {
		i += s[i] == '^' ? 1 : 0;
		i += s[i] == ']' ? 1 : 0;
		while (s[i] != '\0' && s[i] != ']')
			i += s[i] == '\\' && s[i + 1] != '\0' ? 2 : 1;
		return s[i] != '\0' ? i + 1 : 0;
	}
	if (*s != '(')
		return 1;
	while (s[i] != '\0' && s[i] != ')') {
		n = skip_part(s + i);
		if (n == 0)
			return 0;
		i += n;
	}
	return s[i] != '\0' ? i + 1 : 0;
}

bool dateformat_needs_clock(const char *pattern)
{
	bool found = false;
	size_t n;

	for (const char *p = pattern; *p != '\0'; p += n) {
		n = skip_part(p);
		if (n == 0 || *p == '|')
			return false;
		if (*p != '%')
			continue;
		if (strncmp(p, "%H:%M", 5) == 0 || strncmp(p, "%k:%M", 5) == 0 ||
			strncmp(p, "%I:%M", 5) == 0)
			found |= p[5] == '\0' || strchr("?*{", p[5]) == NULL;
		n = p[1] != '\0' ? 2 : 1;
	}
	return found;
}

/* Are there signs in it that are not what they look like: spaced out, or part of an escape? */
static bool has_odd_signs(const char *pattern)
{
	for (const char *p = strchr(pattern, '\\'); p != NULL; p = strchr(p + 2, '\\')) {
		if (p[1] == '\0' || (((p[1] | 0x20) >= 'a' && (p[1] | 0x20) <= 'z') &&
					    strchr("dDsSwWbBAZ", p[1]) == NULL))
			return true;
	}
	for (const char *p = strstr(pattern, "(?"); p != NULL; p = strstr(p + 2, "(?")) {
		if (memchr(p + 2, 'x', strspn(p + 2, "aiLmsux-")) != NULL)
			return true;
	}
	return false;
}

/* Takes s[0..len) for what is needed if it says more than what was; *behind: what follows it. */
static void take_need(
	char need[static DATE_NEED_MAX], const char *s, size_t len, const char **behind)
{
	const char *end = s + len;

	/* Blanks at a pattern's ends do not count. */
	while (len > 0 && *s == ' ') {
		s++;
		len--;
	}
	len = len < DATE_NEED_MAX ? len : DATE_NEED_MAX - 1;
	while (len > 0 && s[len - 1] == ' ')
		len--;
	if (len <= strlen(need) || (len == 1 && strchr(":-.[]", *s) != NULL))
		return;
	memcpy(need, s, len);
	need[len] = '\0';
	*behind = end;
}

/* Is that sign itself, and all of it, what must be there? */
static bool is_plain_sign(const char *p)
{
	return *p >= ' ' && *p < 0x7f && strchr("\\[](){}.*+?|^$%", *p) == NULL &&
	       !((*p | 0x20) >= 'a' && (*p | 0x20) <= 'z') && !(*p >= '0' && *p <= '9') &&
	       (p[1] == '\0' || strchr("?*+{", p[1]) == NULL);
}

const char *dateformat_need(const char *pattern, char ret[static DATE_NEED_MAX])
{
	const char *behind = pattern, *p;
	size_t run = 0, n;

	*ret = '\0';
	if (has_odd_signs(pattern))
		return pattern;
	for (p = pattern; *p != '\0'; p += n) {
		n = skip_part(p);
		if (*p == '{')
			n = strcspn(p, "}") + 1;
		if (n == 0 || *p == '|' || n > strlen(p)) {
			*ret = '\0';
			return pattern;
		}
		if (n == 1 && is_plain_sign(p)) {
			run++;
			continue;
		}
		take_need(ret, p - run, run, &behind);
		run = 0;
		if (*p == '%')
			n = p[1] != '\0' ? 2 : 1;
	}
	take_need(ret, p - run, run, &behind);
	return behind;
}

bool dateformat_has_words(const char *pattern)
{
	for (const char *p = strchr(pattern, '%'); p != NULL; p = strchr(p + 1, '%')) {
		if (p[1] != '\0' && strchr("aAbBpc", p[1]) != NULL &&
			(p == pattern || p[-1] != '%'))
			return true;
	}
	return false;
}
