/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/f2b_python.h"

#include "cli/f2b_fail.h"
#include "cli/f2b_room.h"
#include "match/pattern.h"

#include <ctype.h>

#define TAG_MAX 64

/* "<F-USER>", "</F-USER>", "<HOST>" at s: the bytes it takes, or 0 when it is no tag. */
static size_t read_tag(const char *s, char *ret, bool *ret_closes)
{
	const char *at = s + 1;
	size_t n = 0;

	*ret_closes = *at == '/';
	at += *ret_closes;
	while ((isalnum((unsigned char)*at) || *at == '_' || *at == '-') && n < TAG_MAX - 2)
		ret[n++] = *at++;
	if (n > 0 && *at == '/')
		ret[n++] = *at++;
	ret[n] = '\0';
	return n > 0 && *at == '>' ? (size_t)(at - s) + 1 : 0;
}

/* Is "</tag>" further on preceded by "<tag>"? Asked at the closing one. */
static bool was_opened(const char *source, const char *at, const char *tag)
{
	char open[TAG_MAX + 4];
	const char *found;

	snprintf(open, sizeof(open), "<%s>", tag);
	found = strstr(source, open);
	return found != NULL && found < at;
}

static bool put_custom(
	const char *source, const char *at, const char *tag, bool closes, struct buf *out)
{
	char name[TAG_MAX];
	size_t n = 0;

	if (strncmp(tag, "F-", 2) != 0 || strpbrk(tag, "abcdefghijklmnopqrstuvwxyz/") != NULL)
		return false;
	if (closes) {
		if (!was_opened(source, at, tag))
			return false;
		f2b_adds(out, ")");
		return true;
	}
	for (tag += 2; *tag != '\0'; tag++)
		name[n++] = (char)tolower((unsigned char)*tag);
	name[n] = '\0';
	f2b_adds(out, "(?P<");
	f2b_adds(out, f2b_field_name(name));
	f2b_adds(out, ">");
	return true;
}

/* A tag that means an expression. */
static bool put_known(const char *tag, bool with_names, struct buf *out)
{
	struct pattern_error error;
	struct pattern p = {0};
	char whole[TAG_MAX + 4];
	bool known;

	snprintf(whole, sizeof(whole), "<%s>", tag);
	known = pattern_expand(&p, whole, with_names ? 0 : PATTERN_NO_NAMES, &error) == 0 &&
		strcmp(buf_text(&p.text), whole) != 0;
	if (known)
		f2b_add(out, p.text.data, p.text.len);
	pattern_done(&p);
	return known;
}

/* "((?i)...": the flags hold for the group alone. Returns the bytes taken. */
static size_t put_flags(const char *s, struct buf *out)
{
	const char *at = s + 1;
	size_t n;

	if (at[0] == '?' && at[1] == ':')
		at += 2;
	if (at[0] != '(' || at[1] != '?')
		return 0;
	n = strspn(at + 2, "aiLmsux");
	if (n == 0 || at[2 + n] != ')')
		return 0;
	f2b_add(out, at, 2 + n);
	f2b_adds(out, ":");
	return (size_t)(at - s) + n + 3;
}

void f2b_python(const char *source, bool with_names, struct buf *out)
{
	char tag[TAG_MAX], number[16];
	unsigned skips = 0;
	bool closes;

	for (const char *at = source; *at != '\0';) {
		size_t n = 0;

		if (*at == '<')
			n = read_tag(at, tag, &closes);
		if (n > 0 && !closes && strcmp(tag, "SKIPLINES") == 0) {
			snprintf(number, sizeof(number), "%u", skips++);
			f2b_adds(out, "\\n(?P<skiplines");
			f2b_adds(out, number);
			f2b_adds(out, ">(?:(?:.*\\n)*?))");
		} else if (n > 0 && put_custom(source, at, tag, closes, out)) {
			;
		} else if (n > 0 && !closes && put_known(tag, with_names, out)) {
			;
		} else if (*at == '(' && (at == source || at[-1] != '\\') &&
			   (n = put_flags(at, out)) > 0) {
			;
		} else {
			n = 1;
			f2b_add(out, at, 1);
		}
		at += n;
	}
}

void f2b_python_quote(const char *s, size_t len, struct buf *out)
{
	for (size_t i = 0; i < len; i++) {
		char escape[4];

		if (isalnum((unsigned char)s[i]) || (s[i] != '\0' && strchr("_.-~", s[i]) != NULL))
			snprintf(escape, sizeof(escape), "%c", s[i]);
		else if (s[i] == ' ')
			snprintf(escape, sizeof(escape), "+");
		else
			snprintf(escape, sizeof(escape), "%%%02X", (unsigned char)s[i]);
		f2b_adds(out, escape);
	}
}
