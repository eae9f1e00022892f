/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/filter_check.h"

#include "base/text.h"
#include "base/util.h"
#include "config/keys.h"
#include "config/lookup.h"

#include <ctype.h>
#include <string.h>

void filter_check_sections(struct reader *r, const struct doc *d)
{
	static const char *const names[] = {"Definition", "Init", "INCLUDES", "DEFAULT"};

	for (size_t i = 0; i < d->sections.n; i++) {
		const struct section *s = (const struct section *)d->sections.items[i];
		const char *near = text_nearest(s->name, names, ARRAY_SIZE(names));

		if (near != NULL && strcmp(near, s->name) != 0)
			reader_warn(r, s->where,
				"nothing reads the section [%s]; did you mean [%s]?",
				reader_show(r, s->name), near);
	}
}

bool filter_check_missing(struct reader *r, const struct doc *d, const char *key, const char *name)
{
	const struct section *definition = doc_section(d, "Definition");
	const char *section_name = "Definition";

	for (size_t i = 0; definition != NULL && i < definition->entries.n; i++) {
		const struct entry *e = (const struct entry *)definition->entries.items[i];

		if (strcmp(e->name, key) == 0 || text_nearest(e->name, &key, 1) == NULL)
			continue;
		reader_error(r, e->where, "filter '%s' has no %s, but '%s': did you mean '%s'?",
			reader_show(r, name), key, reader_show(r, e->name), key);
		return true;
	}
	for (size_t i = 0; i < d->sections.n; i++) {
		const struct section *s = (const struct section *)d->sections.items[i];

		if (s == definition || section_entry(s, key) == NULL ||
			text_nearest(s->name, &section_name, 1) == NULL)
			continue;
		reader_error(r, s->where,
			"nothing reads the section [%s], so filter '%s' has no %s: write "
			"[Definition]",
			reader_show(r, s->name), reader_show(r, name), key);
		return true;
	}
	return false;
}

static bool is_filter_key(const char *name)
{
	return text_is_one_of(name, keys_filter, keys_filter_n) || strcmp(name, "logtype") == 0;
}

static bool is_set(const struct doc *d, const char *name)
{
	for (size_t i = 0; i < d->sections.n; i++)
		if (section_entry((const struct section *)d->sections.items[i], name) != NULL)
			return true;
	return false;
}

void filter_check_options(
	struct reader *r, const struct scope *filter, const char *name, struct where where)
{
	for (size_t i = 0; i < filter->opts->entries.n; i++) {
		const struct entry *e = (const struct entry *)filter->opts->entries.items[i];

		/* Every jail of fail2ban's passes its mode on, whether the filter has any or not.
		 */
		if (is_filter_key(e->name) || is_set(filter->doc, e->name) ||
			keys_are_mentioned(filter->doc, e->name) ||
			(strcmp(e->name, "mode") == 0 &&
				strcmp(lines_join(&e->lines, r->scratch, "\n"), "normal") == 0))
			continue;
		reader_warn(r, where, "filter '%s' has no option '%s', so it changes nothing%s",
			reader_show(r, name), reader_show(r, e->name),
			lookup_hint(r, filter->doc, NULL, e->name));
	}
}

/* The tag's name at p, right after '<', or NULL; only such as somebody may have meant for one. */
static const char *tag_name(struct reader *r, const char *text, const char *p)
{
	size_t len = 0;

	/* (?P<name>, (?<name>, \k<name>, and a '<' that is escaped */
	if (p - text >= 2 && strchr("?PkKgG\\", p[-2]) != NULL)
		return NULL;
	if (!isalpha((unsigned char)*p) && *p != '_')
		return NULL;
	while (isalnum((unsigned char)p[len]) || strchr("_-./", p[len]) != NULL) {
		if (p[len] == '\0')
			return NULL;
		len++;
	}
	return p[len] == '>' ? arena_strndup(r->scratch, p, len) : NULL;
}

/* A tag that an option's value is part of: it stands at `at` of its name. */
struct choice {
	const struct entry *option;
	const char *value;
	size_t at;
};

static bool find_choice(
	struct reader *r, const struct section *opts, const char *tag, struct choice *ret)
{
	for (size_t i = 0; opts != NULL && i < opts->entries.n; i++) {
		const struct entry *e = (const struct entry *)opts->entries.items[i];
		const char *value = lines_join(&e->lines, r->scratch, "\n"), *found;

		found = value[0] != '\0' ? strcasestr(tag, value) : NULL;
		if (found == NULL || found == tag)
			continue;
		*ret = (struct choice) {e, value, (size_t)(found - tag)};
		return true;
	}
	return false;
}

/* The values with which there is such a tag: "'normal' or 'more'"; "" when there are none. */
static const char *list_values(
	struct reader *r, const struct doc *d, const char *tag, const struct choice *c)
{
	const char *tail = tag + c->at + strlen(c->value), *list = "";
	const struct section *s = doc_section(d, "Definition");
	unsigned n = 0;

	for (size_t i = 0; s != NULL && i < s->entries.n && n < 10; i++) {
		const char *key = s->entries.items[i]->name;
		size_t len = strlen(key), tail_len = strlen(tail);

		if (strncasecmp(key, tag, c->at) != 0 || len <= c->at + tail_len ||
			strcasecmp(key + len - tail_len, tail) != 0)
			continue;
		list = arena_printf(r->scratch, "%s%s'%s'", list, n++ > 0 ? " or " : "",
			reader_show(
				r, arena_strndup(r->scratch, key + c->at, len - tail_len - c->at)));
	}
	return list;
}

static void tell_tag(struct reader *r, struct conf_text regex, const char *tag, const char *hint)
{
	reader_warn(r, regex.where, "tag '<%s>' has no value, so it stands for itself%s",
		reader_show(r, tag), hint[0] != '\0' ? hint : " (if that is meant, write '\\<')");
}

/* Tells of a tag that would have a value, had an option another one. */
static bool tell_choice(
	struct reader *r, const struct scope *filter, const char *tag, const char *name)
{
	struct choice c;
	const char *values;

	if (filter == NULL || !find_choice(r, filter->opts, tag, &c))
		return false;
	values = list_values(r, filter->doc, tag, &c);
	if (values[0] == '\0')
		return false;
	/* Of a jail that is not enabled only errors are told. */
	reader_fault(r, r->lenient ? FAULT_ERROR : FAULT_WARNING, c.option->where,
		"filter '%s' has no %s '%s' (no value for '<%s>'): write %s", reader_show(r, name),
		reader_show(r, c.option->name), reader_show(r, c.value), reader_show(r, tag),
		values);
	return true;
}

bool filter_check_tags(
	struct reader *r, const struct scope *filter, struct conf_text regex, const char *name)
{
	const char *tag, *hint;

	for (const char *p = regex.text; (p = strchr(p, '<')) != NULL;) {
		tag = tag_name(r, regex.text, ++p);
		if (tag == NULL || keys_is_line_tag(tag))
			continue;
		if (tell_choice(r, filter, tag, name))
			return false;
		hint = reader_hint(r, tag, keys_line_tags, keys_line_tags_n);
		if (hint[0] == '\0' && filter != NULL)
			hint = lookup_hint(r, filter->doc, NULL, lookup_key(r->scratch, tag));
		/* In capitals it may well be what the log says. */
		if (hint[0] != '\0' || strcspn(tag, "abcdefghijklmnopqrstuvwxyz") < strlen(tag))
			tell_tag(r, regex, tag, hint);
	}
	return true;
}
