/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/ini.h"

#include "base/buf.h"

#include <ctype.h>
#include <string.h>

/* After so many faults the rest of the file is noise. */
#define FILE_FAULTS_MAX 20

void lines_add(struct lines *l, struct arena *arena, struct conf_text line)
{
	if (l->n == l->room) {
		size_t room = l->room != 0 ? l->room * 2 : 2;
		struct conf_text *items = arena_array(arena, room, sizeof(*items));

		if (l->n > 0)
			memcpy(items, l->items, l->n * sizeof(*items));
		l->items = items;
		l->room = room;
	}
	l->items[l->n++] = line;
}

const char *lines_join(const struct lines *l, struct arena *arena, const char *sep)
{
	size_t size = 1, sep_len = strlen(sep);
	char *text, *at;

	for (size_t i = 0; i < l->n; i++)
		size += strlen(l->items[i].text) + sep_len;
	at = text = arena_alloc(arena, size);
	for (size_t i = 0; i < l->n; i++) {
		if (l->items[i].text[0] == '\0')
			continue;
		if (at != text)
			at = stpcpy(at, sep);
		at = stpcpy(at, l->items[i].text);
	}
	return text;
}

struct section *doc_section(const struct doc *d, const char *name)
{
	return names_get(&d->sections, name);
}

struct section *doc_add_section(
	struct doc *d, struct arena *arena, const char *name, struct where where)
{
	struct section *s = doc_section(d, name);

	if (s == NULL) {
		s = arena_alloc(arena, sizeof(*s));
		s->name = name;
		s->where = where;
		names_put(&d->sections, arena, s);
	}
	return s;
}

const struct entry *section_entry(const struct section *s, const char *key)
{
	return s != NULL ? names_get(&s->entries, key) : NULL;
}

void section_set(struct section *s, struct arena *arena, const char *key, const char *text,
	struct where where)
{
	struct entry *e = arena_alloc(arena, sizeof(*e));

	e->name = key;
	e->where = where;
	e->verbatim = true;
	lines_add(&e->lines, arena, (struct conf_text) {text, where});
	names_put(&s->entries, arena, e);
}

struct lexer {
	struct reader *r;
	struct doc *doc;
	struct where where;
	const char *home;
	struct section *section; /* NULL: none yet */
	struct entry *entry;     /* what a deeper line goes on with */
	size_t indent;           /* of the line that began it */
	bool homeless;           /* options before any section: said once */
	unsigned faults;
};

static bool is_blank(char c)
{
	return isspace((unsigned char)c);
}

/* Where the comment of a line begins, or its end; full lines by '#' and ';', inline by ' ;' alone.
 */
static size_t find_comment(const char *line, size_t len)
{
	size_t start = 0;

	while (start < len && is_blank(line[start]))
		start++;
	if (start < len && (line[start] == '#' || line[start] == ';'))
		return 0;
	for (size_t i = start + 1; i < len; i++)
		if (line[i] == ';' && is_blank(line[i - 1]))
			return i;
	return len;
}

static void trim(const char **s, size_t *len)
{
	while (*len > 0 && is_blank(**s))
		(*s)++, (*len)--;
	while (*len > 0 && is_blank((*s)[*len - 1]))
		(*len)--;
}

static const char *show(struct lexer *x, const char *s, size_t len)
{
	return reader_show(x->r, arena_strndup(x->r->scratch, s, len));
}

static void on_section(struct lexer *x, const char *s, size_t len)
{
	const char *name = arena_strndup(x->r->scratch, s, len);
	const struct section *old = doc_section(x->doc, name);
	const char *shown = reader_show(x->r, name);

	if (old != NULL && strcmp(x->home, "[DEFAULT]") == 0 && strcmp(name, "DEFAULT") != 0)
		reader_warn(x->r, x->where,
			"two jails of this file are named [%s], the first in line %u, and they are "
			"read "
			"as one: join or rename them",
			shown, old->where.line);
	else if (old != NULL && strcmp(name, "DEFAULT") != 0)
		reader_warn(x->r, x->where,
			"the section [%s] stands here a second time, after line %u, and the two "
			"are read "
			"as one: join them",
			shown, old->where.line);
	x->entry = NULL;
	x->section = doc_add_section(x->doc, x->r->scratch, name, x->where);
}

static const char *lower(struct lexer *x, const char *s, size_t len)
{
	char *key = arena_strndup(x->r->scratch, s, len);

	for (char *p = key; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	return key;
}

static void on_option(
	struct lexer *x, const char *s, size_t key_len, const char *value, size_t value_len)
{
	struct arena *arena = x->r->scratch;
	struct entry *e = arena_alloc(arena, sizeof(*e));
	const struct entry *old;

	e->name = lower(x, s, key_len);
	e->where = x->where;
	lines_add(&e->lines, arena,
		(struct conf_text) {arena_strndup(arena, value, value_len), x->where});
	x->entry = e;
	if (x->section == NULL) {
		if (!x->homeless)
			reader_error(x->r, x->where,
				"option '%s' stands before any section: put '%s' on a line above "
				"it",
				show(x, s, key_len), x->home);
		x->homeless = true;
		return;
	}
	old = names_put(&x->section->entries, arena, e);
	if (old != NULL)
		reader_warn(x->r, x->where,
			"'%s' is set twice in [%s], first in line %u, and the later one counts: "
			"remove one of them",
			reader_show(x->r, e->name), reader_show(x->r, x->section->name),
			old->where.line);
}

/* A line that begins neither a section nor an option. */
static void on_nonsense(struct lexer *x, const char *s, size_t len)
{
	x->faults++;
	if (s[0] == '[' && len > 1 && memchr(s, ']', len) == NULL) {
		reader_error(x->r, x->where, "the section's name is not closed: write '%s]'",
			show(x, s, len));
		/* What follows is meant for it. */
		on_section(x, s + 1, len - 1);
	} else if (s[0] == '[')
		reader_error(
			x->r, x->where, "the section has no name: write one between '[' and ']'");
	else if (s[0] == '=' || s[0] == ':')
		reader_error(x->r, x->where,
			"no option's name stands before '%c': write 'NAME = VALUE'", s[0]);
	else
		reader_error(x->r, x->where,
			"'%s' is neither 'NAME = VALUE' nor '[SECTION]': write one of these, "
			"indent the line if it goes on the value above, or put '#' before it",
			show(x, s, len));
}

/* A line with its comment and outer blanks gone; indent is the column where its text began. */
static void on_line(struct lexer *x, const char *s, size_t len, size_t indent)
{
	size_t key_len = 0;
	const char *value, *close;

	if (x->entry != NULL && indent > x->indent) {
		lines_add(&x->entry->lines, x->r->scratch,
			(struct conf_text) {arena_strndup(x->r->scratch, s, len), x->where});
		return;
	}
	x->indent = indent;
	close = s[0] == '[' ? memrchr(s, ']', len) : NULL;
	if (close != NULL && close > s + 1) {
		on_section(x, s + 1, (size_t)(close - s) - 1);
		return;
	}
	while (key_len < len && s[key_len] != '=' && s[key_len] != ':')
		key_len++;
	if (key_len == 0 || key_len == len) {
		on_nonsense(x, s, len);
		return;
	}
	value = s + key_len + 1;
	len -= key_len + 1;
	trim(&value, &len);
	while (is_blank(s[key_len - 1]))
		key_len--;
	on_option(x, s, key_len, value, len);
}

struct doc *ini_parse(
	struct reader *r, const char *file, const char *data, size_t len, const char *home)
{
	struct lexer x = {.r = r, .where = {file, 0}, .home = home};
	size_t at = 0, errors = r->n_errors;

	x.doc = arena_alloc(r->scratch, sizeof(*x.doc));
	if (len >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0)
		at = 3;
	while (at < len) {
		const char *line = data + at, *end = memchr(line, '\n', len - at);
		size_t line_len = end != NULL ? (size_t)(end - line) : len - at;
		const char *text = line;

		at += line_len + 1;
		x.where.line++;
		if (memchr(line, '\0', line_len) != NULL) {
			reader_error(r, x.where,
				"a NUL byte stands here: a configuration file holds text only; "
				"the rest of it was not read");
			break;
		}
		line_len = find_comment(line, line_len);
		trim(&text, &line_len);
		if (line_len > 0)
			on_line(&x, text, line_len, (size_t)(text - line));
		if (x.faults >= FILE_FAULTS_MAX) {
			reader_error(r, x.where,
				"%u lines were not understood and the rest was not read: is this "
				"a configuration file?",
				x.faults);
			break;
		}
	}
	x.doc->faulty = r->n_errors > errors;
	return x.doc;
}
