/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/filter_file.h"

#include "base/text.h"
#include "base/util.h"
#include "config/filter_check.h"
#include "config/keys.h"
#include "config/merge.h"
#include "config/spec.h"
#include "config/value.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define MAXLINES_MAX 1000

bool filter_file_exists(struct reader *r, const char *name)
{
	return merge_exists(r, arena_printf(r->scratch, "%s/filter.d/%s", r->dir, name));
}

const char **filter_file_names(struct reader *r, size_t *ret_n)
{
	return merge_names(r, arena_printf(r->scratch, "%s/filter.d", r->dir), ret_n);
}

static const char *hint_filter(struct reader *r, const char *name)
{
	size_t n;
	const char **names = filter_file_names(r, &n);

	return reader_hint(r, name, names, n);
}

/* A path to a file, or to where NAME.conf and its like stand. */
static struct doc *read_path(struct reader *r, const char *path, bool is_file, size_t *ret_n)
{
	if (is_file || access(path, F_OK) == 0)
		return merge_file(r, path, "[Definition]", ret_n);
	return merge_base(r, path, "[Definition]", ret_n);
}

/* NAME in filter.d, or a path to a file. NULL with the fault noted. */
static struct doc *read_filter(struct reader *r, const char *name, struct where where)
{
	const char *dir = arena_printf(r->scratch, "%s/filter.d", r->dir);
	const char *dot = strrchr(name, '.');
	bool is_file = dot != NULL && strcmp(dot, ".conf") == 0;
	const char *base = name;
	struct doc *d = NULL;
	size_t n = 0;

	if (is_file)
		base = arena_strndup(r->scratch, name, (size_t)(dot - name));
	if (name[0] != '/')
		d = merge_base(r, arena_printf(r->scratch, "%s/%s", dir, base), "[Definition]", &n);
	if (n == 0 && strchr(name, '/') != NULL)
		d = read_path(r, name, is_file, &n);
	if (n > 0)
		return d;
	if (strchr(name, '/') != NULL)
		reader_error(r, where, "the filter file '%s' does not exist: correct its path",
			reader_show(r, name));
	else
		reader_error(r, where, "filter '%s' is unknown: there is no %s/%s.conf%s",
			reader_show(r, base), dir, reader_show(r, base), hint_filter(r, base));
	return NULL;
}

int filter_file_open(struct reader *r, struct conf_text spec, bool journal, struct scope *ret,
	const char **ret_name)
{
	struct section *opts, *definition;
	struct spec parsed;
	struct doc *d;

	if (spec_parse(r, spec.text, spec.where, "filter", &parsed) < 0)
		return -EINVAL;
	d = read_filter(r, parsed.name, spec.where);
	if (d == NULL)
		return -EINVAL;
	definition = doc_add_section(d, r->scratch, "Definition", spec.where);
	opts = arena_alloc(r->scratch, sizeof(*opts));
	*opts = parsed.opts;
	if (section_entry(opts, "logtype") == NULL && section_entry(definition, "logtype") == NULL)
		section_set(opts, r->scratch, "logtype", journal ? "journal" : "file", spec.where);
	*ret = (struct scope) {.r = r, .doc = d, .section = definition, .opts = opts};
	*ret_name = parsed.name;
	filter_check_options(r, ret, parsed.name, spec.where);
	return 0;
}

static const char *const joined_keys[] = {"failregex", "ignoreregex", "journalmatch"};
static const char *const option_keys[] = {"usedns", "maxlines", "prefregex"};

/* A value of the definition: the jail's, else the filter's. False when it has none, or a fault. */
static bool get(
	const struct scope *filter, const struct section *outer, const char *key, struct lines *ret)
{
	const struct entry *e = section_entry(outer, key);
	bool is_option = filter != NULL && section_entry(filter->opts, key) != NULL;

	/* Of what stands both in the jail and in the filter's options fail2ban takes some together,
	 * and some from the option. */
	if (e != NULL && is_option && text_is_one_of(key, joined_keys, ARRAY_SIZE(joined_keys))) {
		if (expand_tag(filter, key, ret) < 0)
			return false;
		for (size_t i = 0; i < e->lines.n; i++)
			lines_add(ret, filter->r->scratch, e->lines.items[i]);
		return true;
	}
	if (is_option && text_is_one_of(key, option_keys, ARRAY_SIZE(option_keys)))
		e = NULL;
	if (e != NULL) {
		*ret = e->lines;
		return true;
	}
	return filter != NULL && expand_tag(filter, key, ret) == 0;
}

/* The value as one text, or text NULL. */
static struct conf_text get_text(struct reader *r, const struct scope *filter,
	const struct section *outer, const char *key, const char *separator)
{
	struct conf_text t = {NULL, {NULL, 0}};
	struct lines lines = {0};

	if (!get(filter, outer, key, &lines))
		return t;
	t.text = lines_join(&lines, r->scratch, separator);
	for (size_t i = 0; i < lines.n; i++) {
		if (lines.items[i].text[0] != '\0') {
			t.where = lines.items[i].where;
			return reader_keep(r, t);
		}
	}
	t.text = NULL;
	return t;
}

/* The value's lines that are not empty. */
static struct conf_text *get_lines(struct reader *r, const struct scope *filter,
	const struct section *outer, const char *key, size_t *ret_n)
{
	struct lines lines = {0};
	struct conf_text *kept;

	*ret_n = 0;
	if (!get(filter, outer, key, &lines))
		return NULL;
	kept = arena_array(r->keep, lines.n, sizeof(*kept));
	for (size_t i = 0; i < lines.n; i++) {
		struct conf_text line = lines.items[i];

		if (line.text[0] != '\0')
			kept[(*ret_n)++] = reader_keep(r, line);
	}
	return kept;
}

static unsigned get_maxlines(
	struct reader *r, const struct scope *filter, const struct section *outer)
{
	struct section s = {.name = "Definition"};
	struct lines lines = {0};
	struct entry e = {.name = "maxlines", .verbatim = true};
	long long n = 1;

	if (!get(filter, outer, "maxlines", &lines) || lines.n == 0)
		return 1;
	e.lines = lines;
	e.where = lines.items[0].where;
	names_put(&s.entries, r->scratch, &e);
	value_number(r, &s, "maxlines", 1, MAXLINES_MAX, &n);
	return (unsigned)n;
}

/* An option of the filter that says what kind of lines it will be given. */
static bool get_is_journal(const struct scope *filter)
{
	struct lines lines = {0};

	return filter != NULL && expand_tag(filter, "logtype", &lines) == 0 && lines.n == 1 &&
	       strcmp(lines.items[0].text, "journal") == 0;
}

static void check_tags(struct reader *r, const struct scope *filter, const struct filter_def *def)
{
	bool good = true;

	if (def->prefregex.text != NULL)
		good = filter_check_tags(r, filter, def->prefregex, def->name);
	for (size_t i = 0; i < def->n_failregex && good; i++)
		good = filter_check_tags(r, filter, def->failregex[i], def->name);
	for (size_t i = 0; i < def->n_ignoreregex && good; i++)
		good = filter_check_tags(r, filter, def->ignoreregex[i], def->name);
}

static void check_names(struct reader *r, const struct doc *d)
{
	keys_check(r, d, KEYS_FILTER);
	filter_check_sections(r, d);
}

/* Why a filter has no failregex. */
static void tell_empty(struct reader *r, const struct scope *filter, const struct section *outer,
	const char *name, struct where where)
{
	const struct entry *e = section_entry(outer, "failregex");
	const char *place = "the jail";

	if (filter != NULL && e == NULL) {
		/* That has been told, or is told now. */
		if (filter->doc->faulty || filter_check_missing(r, filter->doc, "failregex", name))
			return;
		place = "the filter's [Definition]";
		e = section_entry(filter->section, "failregex");
		check_names(r, filter->doc);
	}
	reader_error(r, e != NULL ? e->where : where,
		"filter '%s' has no failregex, so it would never find anything: write 'failregex "
		"= REGEX' in %s",
		reader_show(r, name), place);
}

struct filter_def *filter_file_build(struct reader *r, const struct scope *filter,
	const struct section *outer, const char *name, struct where where)
{
	struct filter_def *def = arena_alloc(r->keep, sizeof(*def));
	size_t errors = r->n_errors;

	def->name = arena_strdup(r->keep, name);
	def->prefregex = get_text(r, filter, outer, "prefregex", "\n");
	def->failregex = get_lines(r, filter, outer, "failregex", &def->n_failregex);
	def->ignoreregex = get_lines(r, filter, outer, "ignoreregex", &def->n_ignoreregex);
	def->datepattern = get_text(r, filter, outer, "datepattern", "\n");
	def->journalmatch = get_text(r, filter, outer, "journalmatch", " + ");
	check_tags(r, filter, def);
	def->usedns = get_text(r, filter, outer, "usedns", "\n");
	def->maxlines = get_maxlines(r, filter, outer);
	def->is_journal = get_is_journal(filter);
	if (r->n_errors == errors && def->n_failregex == 0)
		tell_empty(r, filter, outer, name, where);
	else if (filter != NULL)
		check_names(r, filter->doc);
	return r->n_errors == errors && def->n_failregex > 0 ? def : NULL;
}
