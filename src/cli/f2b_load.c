/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/util.h"
#include "cli/f2b_regex.h"
#include "cli/f2b_room.h"
#include "config/filter_file.h"
#include "config/spec.h"
#include "match/pattern.h"

#include <ctype.h>
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <unistd.h>

/* A filter that REGEX names, found on disk. */
struct place {
	const char *dir;  /* the configuration it belongs to, or NULL: it stands anywhere */
	const char *name; /* "sshd", or an absolute path */
	const char *opts; /* "[mode=aggressive]" or "" */
};

bool f2b_set_datepattern(struct f2b *b, const struct conf_text *pattern)
{
	size_t n;

	if (b->has_datepattern)
		return true;
	b->has_datepattern = true;
	if (date_patterns_new(&b->patterns, pattern, &b->zone, &b->faults) < 0) {
		f2b_print(b, "ERROR: Failed to set datepattern '%s':", pattern->text);
		f2b_print_faults(b, "       ");
		return false;
	}
	b->finder.dates = f2b_got(date_finder_new(b->patterns));
	n = date_finder_count(b->finder.dates);
	if (pattern->text != NULL)
		f2b_tell(b, "Use      datepattern : %s : %s", pattern->text,
			n == 0 || n > 2 ? "Default Detectors"
					: date_finder_usage(b->finder.dates, 0).name);
	return true;
}

bool f2b_set_maxlines(struct f2b *b, long n)
{
	if (b->has_maxlines)
		return true;
	if (n < 1 || n > 100000) {
		f2b_print(b, "ERROR: maxlines must be a number greater than zero");
		return false;
	}
	b->has_maxlines = true;
	b->finder.maxlines = (unsigned)n;
	f2b_tell(b, "Use         maxlines : %ld", n);
	return true;
}

/* Words such as "sshd", "filter.d/sshd.conf", "sshd[opt=val]", alone on a line of it. */
static bool may_be_filter(const char *text)
{
	const char *line = text, *end;

	for (; line != NULL; line = end != NULL ? end + 1 : NULL) {
		const char *at = line;

		end = strchr(line, '\n');
		while (isalnum((unsigned char)*at) || (*at != '\0' && strchr("/_-.", *at) != NULL))
			at++;
		if (at == line)
			continue;
		if (*at == '\0' || *at == '\n')
			return true;
		/* The options may go over several lines. */
		if (*at == '[' && text[strlen(text) - 1] == ']')
			return true;
	}
	return false;
}

/* The suffixes to try: none when the name has one of its own. */
static bool find_file(struct f2b *b, const char *name, char *path, size_t size)
{
	static const char *const suffixes[] = {"", ".conf", ".local"};
	size_t len = strlen(name), tail = len > 6 ? len - 6 : 0;
	bool has_suffix = strchr(name + tail, '.') != NULL;
	const char *slash = strrchr(b->o.config, '/'), *middle = "/filter.d/";

	if (strcmp(slash != NULL ? slash + 1 : b->o.config, "filter.d") == 0)
		middle = "/";
	for (size_t i = 0; i < (has_suffix ? 1 : ARRAY_SIZE(suffixes)); i++) {
		if (strchr(name, '/') != NULL)
			snprintf(path, size, "%s%s", name, suffixes[i]);
		else
			snprintf(path, size, "%s%s%s%s", b->o.config, middle, name, suffixes[i]);
		if (f2b_is_file(path))
			return true;
	}
	return false;
}

/* Without its suffix, whatever that is. */
static char *stem(struct arena *arena, const char *name)
{
	char *copy = arena_strdup(arena, basename(arena_strdup(arena, name)));
	char *dot = strrchr(copy, '.');

	if (dot != NULL && dot != copy)
		*dot = '\0';
	return copy;
}

static bool find_place(struct f2b *b, const char *text, struct place *ret)
{
	size_t len = strcspn(text, "[");
	const char *name = arena_strndup(b->arena, text, len);
	const char *last = name + (len > 6 ? len - 6 : 0);
	char path[PATH_MAX], real[PATH_MAX];
	char *dir;

	if (!may_be_filter(text) || !find_file(b, name, path, sizeof(path)))
		return false;
	ret->opts = text + len;
	dir = arena_strdup(b->arena, b->o.config);
	if (strchr(name, '/') != NULL)
		dir = dirname(arena_strdup(b->arena, path));
	if (strchr(name, '/') == NULL ||
		strcmp(basename(arena_strdup(b->arena, dir)), "filter.d") == 0 ||
		(strchr(last, '.') == NULL && strchr(name, '/') == NULL)) {
		if (strcmp(basename(arena_strdup(b->arena, dir)), "filter.d") == 0)
			dir = dirname(dir);
		ret->dir = dir;
		ret->name = stem(b->arena, name);
		return true;
	}
	ret->dir = NULL;
	ret->name = arena_strdup(b->arena, realpath(path, real) != NULL ? real : path);
	return true;
}

/* The filter as it is read, key by key. */
struct source {
	struct f2b *b;
	struct reader reader;
	struct spec spec; /* the options given */
	struct scope scope;
};

/* A key's lines; none when the filter does not have it. */
static struct lines get(struct source *s, const char *key)
{
	struct lines lines = {0};

	if (expand_tag(&s->scope, key, &lines) < 0)
		return (struct lines) {0};
	return lines;
}

static struct conf_text get_text(struct source *s, const char *key, const char *separator)
{
	struct lines lines = get(s, key);
	struct conf_text text = {0};

	if (lines.n > 0) {
		text.text = arena_strdup(s->b->arena, lines_join(&lines, s->b->arena, separator));
		text.where = lines.items[0].where;
	}
	if (text.text != NULL && text.text[0] == '\0')
		text.text = NULL;
	return text;
}

static struct f2b_rule *get_rules(
	struct source *s, const char *key, struct conf_text **ret_texts, size_t *ret_n)
{
	struct lines lines = get(s, key);
	struct f2b_rule *rules = arena_array(s->b->arena, lines.n + 1, sizeof(*rules));

	*ret_n = 0;
	*ret_texts = arena_array(s->b->arena, lines.n + 1, sizeof(**ret_texts));
	for (size_t i = 0; i < lines.n; i++) {
		struct conf_text text = lines.items[i];

		text.text += strspn(text.text, " \t");
		if (text.text[0] == '\0')
			continue;
		text.text = arena_strdup(s->b->arena, text.text);
		(*ret_texts)[*ret_n] = text;
		rules[(*ret_n)++].text = text.text;
	}
	return rules;
}

static bool add_rule(struct f2b *b, struct f2b_search *s, const char *what, struct conf_text text,
	unsigned flags)
{
	struct f2b_finder *f = &b->finder;

	if (f->usedns == USEDNS_NO)
		flags |= PATTERN_NO_NAMES;
	if (f2b_search_init(s, f->engine, b->arena, what, text, flags, &b->faults) == 0)
		return true;
	f2b_print(b, "ERROR: Unable to compile regular expression '%s':", text.text);
	f2b_print_faults(b, "");
	return false;
}

static bool add_pref(struct f2b *b, struct conf_text text)
{
	struct f2b_search *pref = arena_alloc(b->arena, sizeof(*pref));

	if (!add_rule(b, pref, "prefregex", text, 0))
		return false;
	b->finder.pref = pref;
	return true;
}

static bool add_fail(struct f2b *b, const struct conf_text *texts, size_t n)
{
	struct f2b_finder *f = &b->finder;

	f->fail = arena_array(b->arena, n, sizeof(*f->fail));
	for (size_t i = 0; i < n; i++) {
		if (!add_rule(b, &f->fail[f->n_fail], "failregex", texts[i],
			    f->maxlines > 1 ? PATTERN_MULTILINE : 0))
			return false;
		f->n_fail++;
		if (!f2b_search_names(&f->fail[i], f->pref)) {
			f2b_print(b, "ERROR: No failure-id group in '%s'", texts[i].text);
			return false;
		}
	}
	return true;
}

/* Adds to those that there are. */
static bool add_ignore(
	struct f2b *b, const struct f2b_rule *rules, const struct conf_text *texts, size_t n)
{
	struct f2b_finder *f = &b->finder;
	struct f2b_search *all = arena_array(b->arena, f->n_ignore + n, sizeof(*all));
	struct f2b_rule *all_rules = arena_array(b->arena, f->n_ignore + n, sizeof(*all_rules));

	if (f->n_ignore > 0) {
		memcpy(all, f->ignore, f->n_ignore * sizeof(*all));
		memcpy(all_rules, b->ignore, f->n_ignore * sizeof(*all_rules));
	}
	f->ignore = all;
	b->ignore = all_rules;
	for (size_t i = 0; i < n; i++) {
		if (!add_rule(b, &all[f->n_ignore], "ignoreregex", texts[i], 0))
			return false;
		all_rules[f->n_ignore++] = rules[i];
	}
	return true;
}

/* {'name': 'value', ...} */
static void repr_option(struct buf *out, const char *name, const char *value)
{
	f2b_adds(out, out->len > 1 ? ", " : "");
	f2b_repr(name, strlen(name), out);
	f2b_adds(out, ": ");
	f2b_repr(value, strlen(value), out);
}

static void tell_options(struct source *s)
{
	static const char *const always[] = {"logtype", "datepattern"};
	const struct names *opts = &s->spec.opts.entries;
	struct buf real = {0}, given = {0};

	f2b_adds(&given, "{");
	f2b_adds(&real, "{");
	for (size_t i = 0; i < ARRAY_SIZE(always); i++) {
		struct conf_text text = get_text(s, always[i], "\n");

		if (text.text != NULL)
			repr_option(&real, always[i], text.text);
	}
	for (size_t i = 0; i < opts->n; i++) {
		const struct entry *e = (const struct entry *)(const void *)opts->items[i];
		const char *value = lines_join(&e->lines, s->b->arena, "\n");

		repr_option(&given, e->name, value);
		if (strcmp(e->name, always[0]) != 0 && strcmp(e->name, always[1]) != 0)
			repr_option(&real, e->name, value);
	}
	f2b_adds(&given, "}");
	f2b_adds(&real, "}");
	if (opts->n > 0)
		f2b_tell(s->b, "Use   filter options : %s", buf_text(&given));
	if (s->b->o.verbose > 1 || s->b->o.log_level <= 10)
		f2b_tell(s->b, "Real  filter options : %s", buf_text(&real));
	buf_done(&given);
	buf_done(&real);
}

/* What the filter says, in the order in which fail2ban takes it. */
static bool take(struct source *s)
{
	struct conf_text maxlines = get_text(s, "maxlines", ""), pref, date, *texts;
	struct f2b *b = s->b;
	struct f2b_rule *rules;
	size_t n, n_ignore;

	if (maxlines.text != NULL && !f2b_set_maxlines(b, strtol(maxlines.text, NULL, 10)))
		return false;
	pref = get_text(s, "prefregex", "\n");
	if (pref.text != NULL && !add_pref(b, pref))
		return false;
	date = get_text(s, "datepattern", "\n");
	if (date.text != NULL && !f2b_set_datepattern(b, &date))
		return false;
	b->journalmatch = get_text(s, "journalmatch", " + ").text;
	rules = get_rules(s, "ignoreregex", &texts, &n_ignore);
	if (!add_ignore(b, rules, texts, n_ignore))
		return false;
	b->fail = get_rules(s, "failregex", &texts, &n);
	return add_fail(b, texts, n);
}

static bool open_filter(struct source *s, const struct place *place, struct conf_text text)
{
	struct f2b *b = s->b;
	const char *name;

	if (spec_parse(&s->reader, text.text, text.where, "filter", &s->spec) < 0) {
		f2b_print_faults(b, "ERROR: Wrong filter name or options: ");
		f2b_print(b, "       while parsing: %s", b->o.regex);
		return false;
	}
	if (place->dir != NULL)
		f2b_tell(b, "Use   failregex filter file : %s, basedir: %s", place->name,
			place->dir);
	else
		f2b_tell(b, "Use   failregex file : %s", place->name);
	if (filter_file_open(&s->reader, text, f2b_is_journal(b), &s->scope, &name) == 0)
		return true;
	f2b_print_faults(b, "Wrong config file: ");
	f2b_print(b, "ERROR: failed to load filter %s", b->o.regex);
	return false;
}

static bool load_filter(struct f2b *b, const struct place *place)
{
	const char *dir = place->dir != NULL ? place->dir : b->o.config;
	struct conf_text text = {
		arena_printf(b->arena, "%s%s", place->name, place->opts), {NULL, 0}};
	struct source s = {.b = b};
	bool good;

	if (reader_init(&s.reader, b->arena, dir, &b->faults) < 0)
		f2b_got(NULL);
	good = open_filter(&s, place, text);
	if (good) {
		tell_options(&s);
		good = take(&s);
	}
	if (good && b->faults.n_errors > 0) {
		f2b_print_faults(b, "Wrong config file: ");
		f2b_print(b, "ERROR: failed to load filter %s", b->o.regex);
		good = false;
	}
	reader_done(&s.reader);
	return good;
}

static bool load_line(struct f2b *b, const char *what, const char *text)
{
	struct f2b_rule *rule = arena_alloc(b->arena, sizeof(*rule));
	struct conf_text source = {text, {NULL, 0}};
	char buf[4 * F2B_SHORT_MAX];

	rule->text = text;
	f2b_tell(b, "Use %11s line : %s", what, f2b_short(text, buf));
	if (text[strspn(text, " \t\r\n")] == '\0') {
		f2b_print(b, "ERROR: Cannot add empty regex");
		return false;
	}
	if (what[0] == 'i')
		return add_ignore(b, rule, &source, 1);
	b->fail = rule;
	return add_fail(b, &source, 1);
}

bool f2b_load(struct f2b *b)
{
	struct place place;
	bool good;

	if (find_place(b, b->o.regex, &place))
		good = load_filter(b, &place);
	else
		good = load_line(b, "failregex", b->o.regex);
	if (good && b->o.ignoreregex != NULL)
		good = load_line(b, "ignoreregex", b->o.ignoreregex);
	return good;
}
