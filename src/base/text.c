/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/text.h"

#include "base/utf8.h"
#include "base/util.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

bool text_is_utf8(const char *s, size_t len)
{
	const unsigned char *p = (const unsigned char *)s;

	for (size_t i = 0, n; i < len; i += n) {
		n = utf8_len(p + i, len - i);
		if (n == 0 || p[i] == 0)
			return false;
	}
	return true;
}

/* Would a plain backslash here read as one of our escapes? */
static bool looks_escaped(const unsigned char *s, size_t len)
{
	return len >= 2 && (s[1] == 'x' || s[1] == '\\');
}

bool text_is_control(const char *text, size_t n)
{
	const unsigned char *s = (const unsigned char *)text;

	if (n == 1)
		return s[0] < 0x20 || s[0] == 0x7f;
	/* C1, which is U+0080 to U+009F: c2 80 to c2 9f. */
	if (n == 2)
		return s[0] == 0xc2 && s[1] < 0xa0;
	/* Ends of lines, U+2028 and U+2029; what turns the direction, to U+202E, U+2066 to U+2069.
	 */
	return n == 3 && s[0] == 0xe2 &&
	       ((s[1] == 0x80 && s[2] >= 0xa8 && s[2] <= 0xae) ||
		       (s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9));
}

size_t text_escape(char *dst, size_t size, const char *src, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *s = (const unsigned char *)src;
	size_t out = 0, fits = 0, step;

	if (size == 0)
		return 0;
	for (size_t i = 0; i < len; i += step) {
		char piece[8];
		size_t n = utf8_len(s + i, len - i);
		bool control = text_is_control(src + i, n);

		step = n != 0 && !control ? n : 1;
		if (n == 0 || control) {
			piece[0] = '\\', piece[1] = 'x';
			piece[2] = hex[s[i] >> 4], piece[3] = hex[s[i] & 15];
			n = 4;
		} else if (s[i] == '\\' && looks_escaped(s + i, len - i)) {
			piece[0] = piece[1] = '\\';
			n = 2;
		} else {
			memcpy(piece, s + i, n);
		}
		if (out + n >= size) {
			/* Cut where the mark still fits. */
			out = fits;
			for (const char *dots = "..."; *dots != '\0' && out + 1 < size; dots++)
				dst[out++] = *dots;
			break;
		}
		memcpy(dst + out, piece, n);
		out += n;
		if (out + 3 < size)
			fits = out;
	}
	dst[out] = '\0';
	return out;
}

struct unit {
	const char *name;
	double seconds;
};

static const struct unit units[] = {
	{"s", 1},
	{"ss", 1},
	{"sec", 1},
	{"second", 1},
	{"seconds", 1},
	{"m", 60},
	{"mm", 60},
	{"min", 60},
	{"minute", 60},
	{"minutes", 60},
	{"h", 3600},
	{"hh", 3600},
	{"hou", 3600},
	{"hour", 3600},
	{"hours", 3600},
	{"d", 86400},
	{"dd", 86400},
	{"da", 86400},
	{"day", 86400},
	{"days", 86400},
	{"w", 604800},
	{"ww", 604800},
	{"wee", 604800},
	{"week", 604800},
	{"weeks", 604800},
	{"mo", 2629800},
	{"mon", 2629800},
	{"month", 2629800},
	{"months", 2629800},
	{"y", 31557600},
	{"yy", 31557600},
	{"yea", 31557600},
	{"year", 31557600},
	{"years", 31557600},
};

static const char *skip_space(const char *s)
{
	while (isspace((unsigned char)*s))
		s++;
	return s;
}

/* A sum being read; at is NULL once it turned out to be none. */
struct sum {
	const char *at;
	unsigned depth;
};

#define SUM_DEPTH_MAX 16

static double read_sum(struct sum *s);

static double no_sum(struct sum *s)
{
	s->at = NULL;
	return 0;
}

static double read_number(struct sum *s)
{
	double value = 0, scale = 1;
	const char *start = s->at;

	for (; isdigit((unsigned char)*s->at); s->at++)
		value = value * 10 + (*s->at - '0');
	if (s->at != start && *s->at == '.')
		for (s->at++; isdigit((unsigned char)*s->at); s->at++)
			value += (*s->at - '0') * (scale /= 10);
	return s->at != start ? value : no_sum(s);
}

/* "12.5", "-3", "(1h + 2m)" */
static double read_operand(struct sum *s)
{
	double value;

	s->at = skip_space(s->at);
	if (++s->depth > SUM_DEPTH_MAX)
		return no_sum(s);
	if (*s->at == '-' || *s->at == '+') {
		bool negative = *s->at++ == '-';

		value = read_operand(s);
		if (negative)
			value = -value;
	} else if (*s->at == '(') {
		s->at++;
		value = read_sum(s);
		if (s->at == NULL || *s->at++ != ')')
			return no_sum(s);
	} else {
		value = read_number(s);
	}
	s->depth--;
	return value;
}

/* The unit that stands here as a factor, or 1; an unknown one ends the reading. */
static double read_unit(struct sum *s)
{
	size_t len = 0;

	s->at = skip_space(s->at);
	while (isalpha((unsigned char)s->at[len]))
		len++;
	if (len == 0)
		return 1;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strlen(units[i].name) == len && strncasecmp(units[i].name, s->at, len) == 0) {
			s->at = skip_space(s->at + len);
			return units[i].seconds;
		}
	}
	return no_sum(s);
}

/* "2 * 1h", "1d / 2" */
static double read_product(struct sum *s)
{
	double value = read_operand(s);

	if (s->at != NULL)
		value *= read_unit(s);
	while (s->at != NULL && (*s->at == '*' || *s->at == '/')) {
		bool divides = *s->at++ == '/';
		double other = read_operand(s);

		value = divides ? value / other : value * other;
		if (s->at != NULL)
			value *= read_unit(s);
	}
	return value;
}

/* Parts between which nothing stands are added. */
static double read_sum(struct sum *s)
{
	double value = read_product(s);

	while (s->at != NULL && *s->at != '\0' && *s->at != ')') {
		bool less = *s->at == '-';

		if (*s->at == '-' || *s->at == '+')
			s->at++;
		else if (!isdigit((unsigned char)*s->at))
			return no_sum(s);
		value += less ? -read_product(s) : read_product(s);
	}
	return value;
}

int text_parse_duration(int64_t *ret_sec, const char *s)
{
	struct sum sum = {s, 0};
	double value = read_sum(&sum);

	if (sum.at == NULL || *sum.at != '\0' || !isfinite(value) || fabs(value) > 1e12)
		return -EINVAL;
	*ret_sec = (int64_t)floor(value + 0.5);
	return 0;
}

const char *text_duration(int64_t sec, char *buf, size_t size)
{
	if (sec < 0)
		snprintf(buf, size, "for ever");
	else if (sec < 60)
		snprintf(buf, size, "%lld s", (long long)sec);
	else if (sec < 3600 && sec % 60 != 0 && sec < 600)
		snprintf(buf, size, "%lld min %lld s", (long long)sec / 60, (long long)sec % 60);
	else if (sec < 3600)
		snprintf(buf, size, "%lld min", (long long)sec / 60);
	else if (sec < 86400 && sec / 60 % 60 != 0)
		snprintf(buf, size, "%lld h %lld min", (long long)sec / 3600,
			(long long)sec / 60 % 60);
	else if (sec < 86400)
		snprintf(buf, size, "%lld h", (long long)sec / 3600);
	else if (sec / 3600 % 24 != 0)
		snprintf(buf, size, "%lld d %lld h", (long long)sec / 86400,
			(long long)sec / 3600 % 24);
	else
		snprintf(buf, size, "%lld d", (long long)sec / 86400);
	return buf;
}

int text_parse_bool(bool *ret, const char *s)
{
	static const char *const yes[] = {"yes", "true", "on", "1"};
	static const char *const no[] = {"no", "false", "off", "0"};

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		if (strcasecmp(s, yes[i]) == 0) {
			*ret = true;
			return 0;
		}
		if (strcasecmp(s, no[i]) == 0) {
			*ret = false;
			return 0;
		}
	}
	return -EINVAL;
}

bool text_ends_with(const char *s, const char *end)
{
	size_t len = strlen(s), end_len = strlen(end);

	return len > end_len && strcmp(s + len - end_len, end) == 0;
}

bool text_is_one_of(const char *word, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(word, words[i]) == 0)
			return true;
	return false;
}

#define DISTANCE_MAX 48

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Levenshtein distance in which two letters changed over count once; words past the bound are
 * "far". */
static unsigned distance(const char *a, const char *b)
{
	unsigned rows[3][DISTANCE_MAX + 1];
	unsigned *older = rows[0], *old = rows[1], *row = rows[2];
	size_t la = strlen(a), lb = strlen(b);

	if (la > DISTANCE_MAX || lb > DISTANCE_MAX)
		return DISTANCE_MAX;
	for (size_t j = 0; j <= lb; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= la; i++) {
		unsigned *free_row = older;
		int x = tolower((unsigned char)a[i - 1]);

		older = old;
		old = row;
		row = free_row;
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= lb; j++) {
			int y = tolower((unsigned char)b[j - 1]);

			row[j] = least(old[j - 1] + (x != y), least(old[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) &&
				y == tolower((unsigned char)a[i - 2]))
				row[j] = least(row[j], older[j - 2] + 1);
		}
	}
	return row[lb];
}

const char *text_nearest(const char *word, const char *const *candidates, size_t n)
{
	unsigned limit = strlen(word) <= 4 ? 1 : 2, best = limit + 1;
	const char *found = NULL;

	for (size_t i = 0; i < n; i++) {
		const char *one = candidates[i];
		unsigned d = distance(word, one);
		/* Of two as near, the first letter is the likelier to be right. */
		bool begins =
			found != NULL && d == best && found[0] != word[0] && one[0] == word[0];

		if (d < best || begins) {
			best = d;
			found = one;
		}
	}
	return found;
}
