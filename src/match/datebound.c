/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/datebound.h"

#include <ctype.h>
#include <string.h>

#define LINE_BEGIN "^(?:\\W{0,2})?"
#define WORD_BEGIN "(?=^|\\b|\\W)"
#define WORD_END "(?=\\b|\\W|$)"

/* Letters beyond ASCII, by and large, in bytes. */
#define LETTER                                                                                     \
	"\\xC2[\\xAA\\xB5\\xBA]|\\xC3[\\x80-\\x96\\x98-\\xB6\\xB8-\\xBF]|[\\xC4-\\xDF][\\x80-"     \
	"\\xBF]|"                                                                                  \
	"[\\xE0\\xE1\\xE4-\\xEE][\\x80-\\xBF][\\x80-\\xBF]|\\xE2[\\xB0-\\xBF][\\x80-\\xBF]|"       \
	"\\xE3[\\x81-\\xBF][\\x80-\\xBF]|\\xEF[\\xA4-\\xB7\\xB9\\xBA\\xBC\\xBD][\\x80-\\xBF]|"     \
	"\\xEF\\xBB[\\x80-\\xBC]|"                                                                 \
	"\\xF0[\\x90-\\x9E\\xA0-\\xAF][\\x80-\\xBF][\\x80-\\xBF]"

/* A sign beyond ASCII (a quote, a byte order mark), or a byte that is no UTF-8. */
#define SIGN "(?:(?!" LETTER ")[\\xC2-\\xF4][\\x80-\\xBF]{1,3}+|[\\x80-\\xC1\\xF5-\\xFF])"

/* Only where there is such a one among the first two is it looked for. */
#define LINE_BEGIN_BYTES                                                                           \
	"^(?:[^\\w\\x80-\\xFF]{0,2}|(?=[^\\w\\x80-\\xFF]?[\\x80-\\xFF])(?:[^\\w\\x80-\\xFF]|" SIGN \
	"){1,2})?"
#define WORD_BEGIN_BYTES WORD_BEGIN "(?!(?<=[\\x80-\\xBF])(?<=" LETTER ")\\w)"
#define WORD_END_BYTES WORD_END "(?!(?<=\\w)(?:" LETTER "))"

static bool starts(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

/* The length of "(?flags)" at s, or 0. */
static size_t flags_at(const char *s)
{
	size_t n = 2;

	if (!starts(s, "(?"))
		return 0;
	while (isalnum((unsigned char)s[n]) || s[n] == '_')
		n++;
	return n > 2 && s[n] == ')' ? n + 1 : 0;
}

/* "^", "(^", "(?:^" or "**" in front, whatever groups are opened before. */
static bool begin_is_given(const char *s)
{
	size_t parens = strspn(s, "("), flags, more;
	const char *p = s + parens;

	if (*p == '^' || starts(p, "**"))
		return true;
	if (parens == 0)
		return false;
	if (starts(p, "?:^"))
		return true;
	flags = flags_at(p - 1);
	if (flags == 0)
		return false;
	p += flags - 1;
	more = strspn(p, "(");
	if (p[more] == '^')
		return more <= 1;
	return starts(p + more, "**") || (more == 1 && starts(p + more, "?:^"));
}

/* Is there no backslash right before s[at]? */
static bool is_plain(const char *s, size_t at)
{
	return at == 0 || s[at - 1] != '\\';
}

/* Where "**", perhaps with parentheses after it, ends the text; len when it does not. */
static size_t stars_at_end(const char *s, size_t len)
{
	size_t at = len;

	while (at > 0 && s[at - 1] == ')')
		at--;
	if (at < 2 || s[at - 1] != '*' || s[at - 2] != '*' || !is_plain(s, at - 2))
		return len;
	return at - 2;
}

/* Where "$" or "$)" ends the text; len when it does not. */
static size_t dollar_at_end(const char *s, size_t len)
{
	size_t at = len > 0 && s[len - 1] == ')' ? len - 1 : len;

	return at > 0 && s[at - 1] == '$' ? at - 1 : len;
}

static bool end_is_given(const char *s)
{
	size_t len = strlen(s), dollar = dollar_at_end(s, len);

	if (dollar < len && is_plain(s, dollar))
		return true;
	if (stars_at_end(s, len) < len)
		return true;
	return len >= 2 && s[len - 2] == '\\' && (s[len - 1] == 'b' || s[len - 1] == 's') &&
	       is_plain(s, len - 2);
}

/* Is there a "(" that opens a group without "?"? */
static bool has_group(const char *s)
{
	for (size_t i = 0; s[i] != '\0'; i++) {
		if (s[i] == '(' && s[i + 1] != '?' && is_plain(s, i) &&
			(i < 2 || s[i - 2] != '(' || s[i - 1] != '?'))
			return true;
	}
	return false;
}

/* The whole of it as a group, but for "^" and flags in front and "$" at the end. */
static int add_group(struct buf *out, const char *s)
{
	size_t front = flags_at(s), len = strlen(s), end = len;
	int r;

	front += s[front] == '^' ? 1 : 0;
	front += flags_at(s + front);
	if (end > front && s[end - 1] == '$')
		end--;
	r = buf_add(out, s, front);
	r = r < 0 ? r : buf_adds(out, "(");
	r = r < 0 ? r : buf_add(out, s + front, end - front);
	r = r < 0 ? r : buf_adds(out, ")");
	return r < 0 ? r : buf_add(out, s + end, len - end);
}

static unsigned line_flags(const char *s)
{
	const char *p = s + flags_at(s);
	size_t len = strlen(s), dollar = dollar_at_end(s, len);
	unsigned flags = 0;

	if (*p == '^' || (starts(p, "(^") && p[2] != '|') || (starts(p, "(?:^") && p[4] != '|'))
		flags |= DATE_LINE_BEGIN;
	if (dollar < len && is_plain(s, dollar) && (dollar == 0 || s[dollar - 1] != '|'))
		flags |= DATE_LINE_END;
	return flags;
}

/* Without "**" in front and at the end. */
static int add_without_stars(struct buf *out, const char *s)
{
	size_t len = strlen(s), front = strspn(s, "("), end;
	size_t flags = front > 0 ? flags_at(s + front - 1) : 0;
	int r = 0;

	if (flags > 0) {
		front += flags - 1;
		front += strspn(s + front, "(");
	}
	if (starts(s + front, "**")) {
		r = buf_add(out, s, front);
		s += front + 2;
		len -= front + 2;
	}
	end = stars_at_end(s, len);
	r = r < 0 ? r : buf_add(out, s, end);
	return r < 0 || end == len ? r : buf_adds(out, s + end + 2);
}

/* Flags for the whole, "(?iu)", wherever they stand: the first of them, *ret_len 0 if none. */
static const char *global_flags(const char *s, size_t *ret_len)
{
	for (size_t i = 0; s[i] != '\0'; i++) {
		size_t n;

		if (!starts(s + i, "(?") || !is_plain(s, i))
			continue;
		n = strspn(s + i + 2, "abcdefghijklmnopqrstuvwxyz");
		if (n > 0 && s[i + 2 + n] == ')') {
			*ret_len = n + 3;
			return s + i;
		}
	}
	*ret_len = 0;
	return s;
}

/* The regex without blanks around it and without its global flags, which go to out. */
static int take_flags(struct buf *out, struct buf *ret, const char *regex)
{
	size_t len, n;
	const char *flags;
	int r;

	while (isspace((unsigned char)*regex))
		regex++;
	len = strlen(regex);
	while (len > 0 && isspace((unsigned char)regex[len - 1]))
		len--;
	flags = global_flags(regex, &n);
	r = buf_add(out, flags, n);
	r = r < 0 ? r : buf_add(ret, regex, (size_t)(flags - regex));
	return r < 0 ? r : buf_add(ret, flags + n, len - n - (size_t)(flags - regex));
}

int datebound_apply(struct buf *out, const char *regex, enum date_begin begin, bool end,
	unsigned *ret_flags, bool *ret_at_line)
{
	struct buf s = {0}, bound = {0};
	int r = take_flags(out, &s, regex);
	bool bind_begin = begin != DATE_ANYWHERE && !begin_is_given(buf_text(&s));
	bool bind_end = end && !end_is_given(buf_text(&s));
	unsigned flags = 0;

	*ret_at_line = bind_begin && begin == DATE_AT_LINE;
	if (bind_begin)
		flags |= begin == DATE_AT_LINE ? DATE_LINE_BEGIN : DATE_WORD_BEGIN;
	if (bind_end)
		flags |= DATE_WORD_END;
	if (r == 0 && bind_begin)
		r = buf_adds(&bound, begin == DATE_AT_LINE ? LINE_BEGIN : WORD_BEGIN);
	if (r == 0)
		r = has_group(buf_text(&s)) ? buf_adds(&bound, buf_text(&s))
					    : add_group(&bound, buf_text(&s));
	if (r == 0 && bind_end)
		r = buf_adds(&bound, WORD_END);
	*ret_flags = flags | line_flags(buf_text(&bound));
	r = r < 0 ? r : add_without_stars(out, buf_text(&bound));
	buf_done(&s);
	buf_done(&bound);
	return r;
}

/* Does a class begin that does not end? Then what stands behind it is in it. */
static bool is_class_open(const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '\\' && s[1] != '\0') {
			s++;
		} else if (*s == '[') {
			s += s[1] == '^' ? 2 : 1;
			s += *s == ']' ? 1 : 0;
			for (; *s != '\0' && *s != ']'; s++)
				s += *s == '\\' && s[1] != '\0' ? 1 : 0;
			if (*s == '\0')
				return true;
		}
	}
	return false;
}

int datebound_bytes(struct buf *out, const char *regex, unsigned flags)
{
	size_t len = strlen(regex), front = 0, n;
	int r;

	/*
	 * What was put in front stands behind the flags for the whole. A "?" right after it is what
	 * taking away the blanks around a regex left of "%k": it is not bound by that, and stays
	 * so.
	 */
	global_flags(regex, &n);
	if (starts(regex, "(?") && n > 0)
		front = n;
	r = buf_add(out, regex, front);
	regex += front;
	len -= front;
	if (starts(regex, LINE_BEGIN) && (flags & DATE_LINE_BEGIN) != 0) {
		r = r < 0 ? r : buf_adds(out, LINE_BEGIN_BYTES);
		regex += strlen(LINE_BEGIN);
		len -= strlen(LINE_BEGIN);
	} else if (starts(regex, WORD_BEGIN) && (flags & DATE_WORD_BEGIN) != 0 &&
		   regex[strlen(WORD_BEGIN)] != '?') {
		r = r < 0 ? r : buf_adds(out, WORD_BEGIN_BYTES);
		regex += strlen(WORD_BEGIN);
		len -= strlen(WORD_BEGIN);
	}
	if ((flags & DATE_WORD_END) == 0 || len < strlen(WORD_END) || is_class_open(regex) ||
		!is_plain(regex, len - strlen(WORD_END)) ||
		strcmp(regex + len - strlen(WORD_END), WORD_END) != 0)
		return r < 0 ? r : buf_add(out, regex, len);
	r = r < 0 ? r : buf_add(out, regex, len - strlen(WORD_END));
	return r < 0 ? r : buf_adds(out, WORD_END_BYTES);
}
