/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/text.h"

#include "base/util.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Length of the valid UTF-8 sequence at s, 0 if there is none (RFC 3629 section 4). */
static size_t utf8_len(const unsigned char *s, size_t len)
{
	size_t n;

	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		n = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		n = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		n = 4;
	else
		return 0;
	if (n > len)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong forms, surrogates, past U+10FFFF. */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
		(s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

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
		/* C1 controls are U+0080 to U+009F: c2 80 to c2 9f. */
		bool control = n == 1 ? s[i] < 0x20 || s[i] == 0x7f
				      : n == 2 && s[i] == 0xc2 && s[i + 1] < 0xa0;

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

/* One "12.5h"; the unit may be missing (seconds). Returns past it, or NULL. */
static const char *parse_part(const char *s, double *sum)
{
	double value = 0, scale = 1;
	const char *start = s;
	size_t len = 0;

	for (; isdigit((unsigned char)*s); s++)
		value = value * 10 + (*s - '0');
	if (s != start && *s == '.')
		for (s++; isdigit((unsigned char)*s); s++)
			value += (*s - '0') * (scale /= 10);
	if (s == start)
		return NULL;
	s = skip_space(s);
	while (isalpha((unsigned char)s[len]))
		len++;
	if (len == 0) {
		*sum += value;
		return s;
	}
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strlen(units[i].name) == len && strncasecmp(units[i].name, s, len) == 0) {
			*sum += value * units[i].seconds;
			return s + len;
		}
	}
	return NULL;
}

int text_parse_duration(int64_t *ret_sec, const char *s)
{
	bool negative = false;
	double sum = 0;

	s = skip_space(s);
	if (*s == '-' || *s == '+')
		negative = *s++ == '-';
	if (*s == '\0')
		return -EINVAL;
	while (*s != '\0') {
		s = parse_part(s, &sum);
		if (s == NULL)
			return -EINVAL;
		s = skip_space(s);
	}
	if (sum > 1e12)
		return -EINVAL;
	*ret_sec = (int64_t)(negative ? -floor(sum + 0.5) : floor(sum + 0.5));
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

/* Levenshtein distance; words past the bound are "far". */
static unsigned distance(const char *a, const char *b)
{
	enum { BOUND = 48 };
	unsigned row[BOUND + 1];
	size_t la = strlen(a), lb = strlen(b);

	if (la > BOUND || lb > BOUND)
		return BOUND;
	for (size_t j = 0; j <= lb; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= la; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= lb; j++) {
			unsigned best = diagonal + (tolower((unsigned char)a[i - 1]) !=
							   tolower((unsigned char)b[j - 1]));

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[lb];
}

const char *text_nearest(const char *word, const char *const *candidates, size_t n)
{
	unsigned limit = strlen(word) <= 4 ? 1 : 2, best = limit + 1;
	const char *found = NULL;

	for (size_t i = 0; i < n; i++) {
		unsigned d = distance(word, candidates[i]);

		if (d < best) {
			best = d;
			found = candidates[i];
		}
	}
	return found;
}
