/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/spec.h"

#include "config/lookup.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

static const char *skip_blank(const char *s)
{
	while (isspace((unsigned char)*s))
		s++;
	return s;
}

static bool is_option_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '.';
}

static const char *cut(struct arena *arena, const char *from, const char *to)
{
	from = skip_blank(from);
	while (to > from && isspace((unsigned char)to[-1]))
		to--;
	return arena_strndup(arena, from, (size_t)(to > from ? to - from : 0));
}

/* An option's value, quoted or plain, in lines; returns what is past it, or NULL: a quote is open.
 */
static const char *read_value(
	struct reader *r, const char *at, struct where where, struct entry *into)
{
	const char *end, *text;

	at = skip_blank(at);
	if (*at == '"' || *at == '\'') {
		end = strchr(at + 1, *at);
		if (end == NULL)
			return NULL;
		text = cut(r->scratch, at + 1, end++);
	} else {
		end = at + strcspn(at, ",]");
		text = cut(r->scratch, at, end);
	}
	for (;;) {
		const char *newline = strchrnul(text, '\n');

		lines_add(&into->lines, r->scratch,
			(struct conf_text) {cut(r->scratch, text, newline), where});
		if (*newline == '\0')
			return skip_blank(end);
		text = newline + 1;
	}
}

/* One "opt=value"; returns what is past it, or NULL with *ret_why set. */
static const char *read_option(struct reader *r, const char *at, struct where where,
	struct spec *ret, const char **ret_why)
{
	struct entry *e = arena_alloc(r->scratch, sizeof(*e));
	const char *name = at;

	while (is_option_char(*at))
		at++;
	e->name = lookup_key(r->scratch, arena_strndup(r->scratch, name, (size_t)(at - name)));
	e->where = where;
	e->verbatim = true;
	at = skip_blank(at);
	if (e->name[0] == '\0' || *at != '=') {
		*ret_why = "an option reads NAME=VALUE";
		return NULL;
	}
	at = read_value(r, at + 1, where, e);
	if (at == NULL) {
		*ret_why = "a quote is not closed";
		return NULL;
	}
	if (*at == '\0') {
		*ret_why = "the ']' at the end is missing";
		return NULL;
	}
	if (*at != ',' && *at != ']') {
		*ret_why = "a ',' belongs between two options";
		return NULL;
	}
	names_put(&ret->opts.entries, r->scratch, e);
	return at;
}

/* What stands between '[' and its ']'; returns what is past it, or NULL with *ret_why set. */
static const char *read_group(struct reader *r, const char *at, struct where where,
	struct spec *ret, const char **ret_why)
{
	at = skip_blank(at);
	while (*at != ']') {
		if (*at == '\0') {
			*ret_why = "the ']' at the end is missing";
			return NULL;
		}
		at = read_option(r, at, where, ret, ret_why);
		if (at == NULL)
			return NULL;
		if (*at == ',')
			at = skip_blank(at + 1);
	}
	return skip_blank(at + 1);
}

int spec_parse(
	struct reader *r, const char *text, struct where where, const char *what, struct spec *ret)
{
	const char *at = text + strcspn(text, "["), *why = NULL;

	*ret = (struct spec) {.name = cut(r->scratch, text, at)};
	if (ret->name[0] == '\0')
		why = "the name is missing";
	while (why == NULL && *at != '\0') {
		if (*at != '[')
			why = "nothing may follow the ']'";
		else
			at = read_group(r, at + 1, where, ret, &why);
	}
	if (why == NULL)
		return 0;
	reader_error(r, where, "%s '%s': %s; write 'NAME' or 'NAME[opt=value, opt2=\"a, b\"]'",
		what, reader_show(r, text), why);
	return -EINVAL;
}

const char *spec_next(struct reader *r, const char **at)
{
	const char *start = skip_blank(*at), *p = start;
	unsigned depth = 0;
	char quote = '\0';

	if (*start == '\0')
		return NULL;
	for (; *p != '\0'; p++) {
		if (quote != '\0') {
			if (*p == quote)
				quote = '\0';
		} else if (depth > 0 && (*p == '"' || *p == '\'')) {
			quote = *p;
		} else if (*p == '[') {
			depth = 1;
		} else if (*p == ']') {
			depth = 0;
		} else if (depth == 0 && isspace((unsigned char)*p) && *skip_blank(p) != '[') {
			break;
		}
	}
	*at = p;
	return arena_strndup(r->scratch, start, (size_t)(p - start));
}
