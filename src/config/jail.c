/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/jail.h"

#include "base/text.h"
#include "base/util.h"
#include "config/action.h"
#include "config/expand.h"
#include "config/filter_file.h"
#include "config/keys.h"
#include "config/lookup.h"
#include "config/option.h"
#include "config/ports.h"
#include "config/rules.h"
#include "config/spec.h"
#include "config/value.h"
#include "config/want.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#define MAXRETRY_MAX 1000000

/* Read first: they choose the filter, whose values the others may refer to. */
static const char *const first_keys[] = {"enabled", "backend", "filter"};

/* Read besides keys_jail; filters and actions do not see them. */
static const char *const own_keys[] = {
	"source", "port", "protocol", "banaction", "shadow", "rules", "ignorecountry"};

/* What a jail with rules has where it does not say otherwise itself, whatever [DEFAULT] says. */
#define RULES_MAXRETRY "1"
#define RULES_FINDTIME "60"

/*
 * "DATE HOST TAG[PID]: TEXT" without its date: rules see it from the tag on. What we have logged
 * ourselves is not news: it could go round for ever.
 */
#define RULES_PREFREGEX "^\\s*\\S+ +<F-CONTENT>(?!stockade\\[).+</F-CONTENT>$"
#define RULES_DATEPATTERN "{^LN-BEG}"
#define RULES_DATELESS "{NONE}"

/* What is being read. */
struct draft {
	struct reader *r;
	struct scope scope;
	struct section first;  /* finished: first_keys */
	struct section values; /* finished: what fail2ban's jails have */
	struct section own;    /* finished: own_keys */
	struct where where;
	bool has_rules;
	struct jail *jail;
};

static bool check_name(struct draft *d)
{
	const char *name = d->scope.section->name;
	bool plain = text_is_utf8(name, strlen(name));

	for (const char *p = name; *p != '\0'; p++)
		plain &= (unsigned char)*p >= 0x20 && *p != 0x7f && *p != '/';
	if (!plain)
		reader_error(d->r, d->where,
			"the jail's name '%s' holds '/', control characters or broken UTF-8: "
			"write letters, digits, '-', '_'",
			reader_show(d->r, name));
	else if (strlen(name) > JAIL_NAME_MAX)
		reader_error(d->r, d->where,
			"the jail's name is longer than %d bytes: write a shorter one",
			JAIL_NAME_MAX);
	else
		return true;
	return false;
}

static void check_backend(struct draft *d, const struct conf_text *backend)
{
	static const char *const names[] = {"auto", "systemd", "polling", "pyinotify", "gamin"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcasecmp(backend->text, names[i]) == 0)
			return;
	reader_error(d->r, backend->where,
		"backend '%s' is unknown: write 'auto' for files, 'systemd' for the journal%s",
		reader_show(d->r, backend->text),
		reader_hint(d->r, backend->text, names, ARRAY_SIZE(names)));
}

static void read_sources(struct draft *d)
{
	static const char *const names[] = {"file", "journal", "syslog"};
	static const unsigned bits[] = {SOURCE_FILE, SOURCE_JOURNAL, SOURCE_SYSLOG};
	struct words w = words_of(&d->own, "source");
	struct conf_text backend = {"", {NULL, 0}};
	struct spec spec;
	unsigned found = 0;

	while (words_next(&w, d->r, ", \t\r\n")) {
		unsigned bit = 0;

		for (size_t i = 0; i < ARRAY_SIZE(names); i++)
			if (strcasecmp(w.word.text, names[i]) == 0)
				bit = bits[i];
		if (bit == 0)
			reader_error(d->r, w.word.where,
				"source '%s' is unknown: write some of 'file', 'journal', "
				"'syslog'%s",
				reader_show(d->r, w.word.text),
				reader_hint(d->r, w.word.text, names, ARRAY_SIZE(names)));
		found |= bit;
	}
	if (value_text(d->r, &d->first, "backend", &backend) &&
		spec_parse(d->r, backend.text, backend.where, "backend", &spec) == 0) {
		d->jail->backend = reader_keep(d->r, (struct conf_text) {spec.name, backend.where});
		d->jail->backend_opts = option_keep(d->r, &spec.opts, &d->jail->n_backend_opts);
		check_backend(d, &d->jail->backend);
	}
	if (found == 0)
		found = strncasecmp(backend.text, "systemd", 7) == 0 ? SOURCE_JOURNAL : SOURCE_FILE;
	d->jail->sources = found;
}

/* Which syslog messages. Where none are read these keys may be values of somebody's own. */
static void read_wants(struct draft *d)
{
	if ((d->jail->sources & SOURCE_SYSLOG) != 0) {
		expand_keys(&d->scope, want_keys, want_keys_n, &d->own);
		want_read(d->r, &d->own, d->jail);
	} else {
		want_check_use(d->r, d->scope.doc, d->scope.section, d->jail);
	}
}

/* Which filter: "NAME[options]" and where that stands. False: "filter =", the jail says it all. */
static bool find_filter(struct draft *d, struct conf_text *ret)
{
	*ret = (struct conf_text) {d->scope.section->name, d->where};
	if (section_entry(&d->first, "filter") == NULL)
		return true;
	if (!value_text(d->r, &d->first, "filter", ret))
		return false;
	/* A default such as "%(__name__)s" is wrong for this jail, not for the others. */
	if (section_entry(d->scope.section, "filter") == NULL)
		ret->where = d->where;
	return true;
}

/* Does any value take something from the section: %(section/key)s? */
static bool is_referred_to(const struct doc *doc, const char *section, struct arena *scratch)
{
	const char *wanted = arena_printf(scratch, "%%(%s/", section);

	for (size_t i = 0; i < doc->sections.n; i++) {
		const struct section *s = (const struct section *)doc->sections.items[i];

		for (size_t k = 0; k < s->entries.n; k++) {
			const struct entry *e = (const struct entry *)s->entries.items[k];

			for (size_t l = 0; l < e->lines.n; l++)
				if (strcasestr(e->lines.items[l].text, wanted) != NULL)
					return true;
		}
	}
	return false;
}

/* A jail that is called like no filter: its name is likely to be a slip of the pen. */
static void tell_nameless(struct draft *d)
{
	const char *name = d->scope.section->name, *hint;
	const struct names *sections = &d->scope.doc->sections;
	const char **names = arena_array(d->r->scratch, sections->n + 1, sizeof(*names));
	size_t n = 0;

	names[n++] = "DEFAULT";
	for (size_t i = 0; i < sections->n; i++)
		if (strcmp(sections->items[i]->name, name) != 0)
			names[n++] = sections->items[i]->name;
	hint = text_nearest(name, names, n);
	if (hint == NULL) {
		names = filter_file_names(d->r, &n);
		hint = text_nearest(name, names, n);
	}
	reader_error(d->r, d->where,
		"jail '%s' names no filter, and there is no %s/filter.d/%s.conf: write 'filter = "
		"NAME' in it%s%s%s",
		reader_show(d->r, name), d->r->dir, reader_show(d->r, name),
		hint != NULL ? "; did you mean [" : "", hint != NULL ? reader_show(d->r, hint) : "",
		hint != NULL ? "]?" : "");
}

/* Is the filter that the jail would have only by its name there? If not, that is told. */
static bool has_filter(struct draft *d, struct conf_text spec)
{
	const char *name = d->scope.section->name;
	size_t len = strcspn(spec.text, "[");

	if (section_entry(d->scope.section, "filter") != NULL || strlen(name) != len ||
		strncmp(spec.text, name, len) != 0 || strchr(name, '/') != NULL ||
		filter_file_exists(d->r, name))
		return true;
	/* Sections may be mere places for values. */
	if (!d->r->lenient || !is_referred_to(d->scope.doc, name, d->r->scratch))
		tell_nameless(d);
	return false;
}

/* An option that only passes on what the jail says ("mode=%(mode)s") comes from where that stands.
 */
static void place_options(struct draft *d, const struct section *opts)
{
	for (size_t i = 0; i < opts->entries.n; i++) {
		struct entry *e = (struct entry *)opts->entries.items[i];
		const struct entry *own = lookup_in(d->scope.doc, d->scope.section, e->name);

		if (own != NULL && strcmp(lines_join(&own->lines, d->r->scratch, "\n"),
					   lines_join(&e->lines, d->r->scratch, "\n")) == 0)
			e->where = own->where;
	}
}

/* The filter, and all the jail's values, which may refer to it. */
static void read_filter(struct draft *d)
{
	const char *name = d->scope.section->name;
	struct conf_text spec;
	struct scope filter;
	bool wanted = find_filter(d, &spec), opened = false;

	if (wanted && has_filter(d, spec))
		opened = filter_file_open(d->r, spec, d->jail->sources == SOURCE_JOURNAL, &filter,
				 &name) == 0;
	if (opened) {
		place_options(d, filter.opts);
		filter.outer = filter.first = &d->first;
		d->scope.filter = &filter;
	}
	expand_keys(&d->scope, keys_jail, keys_jail_n, &d->values);
	d->scope.filter = NULL;
	if (opened) {
		filter.outer = &d->values;
		filter.init = doc_section(filter.doc, "Init");
	}
	if (opened || !wanted)
		d->jail->filter = filter_file_build(
			d->r, opened ? &filter : NULL, &d->values, name, spec.where);
}

/* A value of the jail, unless it has one itself. */
static void put_default(struct draft *d, const char *key, const char *text)
{
	if (section_entry(d->scope.section, key) == NULL)
		section_set(&d->values, d->r->scratch, key, text, d->where);
}

/* The filter that a rules file is. */
static void read_rules(struct draft *d, struct conf_text path)
{
	struct entry *e = arena_alloc(d->r->scratch, sizeof(*e));
	struct filter_def *filter;
	struct rules rules;

	if (section_entry(d->scope.section, "filter") != NULL ||
		section_entry(d->scope.section, "failregex") != NULL)
		reader_error(d->r, path.where,
			"jail '%s' has rules beside a filter of its own: make two jails of it",
			reader_show(d->r, d->scope.section->name));
	expand_keys(&d->scope, keys_jail, keys_jail_n, &d->values);
	put_default(d, "maxretry", RULES_MAXRETRY);
	put_default(d, "findtime", RULES_FINDTIME);
	/* Of a message's text alone everything is shown to them, whatever looks like a date. */
	if (!d->jail->syslog.text_only)
		put_default(d, "prefregex", RULES_PREFREGEX);
	put_default(
		d, "datepattern", d->jail->syslog.text_only ? RULES_DATELESS : RULES_DATEPATTERN);
	section_set(&d->values, d->r->scratch, "usedns", "no", d->where);
	if (rules_read(d->r, path.text, path.where, &rules) < 0)
		return;
	*e = (struct entry) {
		.name = "failregex", .where = path.where, .lines = rules.regexes, .verbatim = true};
	names_put(&d->values.entries, d->r->scratch, e);
	filter = filter_file_build(d->r, NULL, &d->values, path.text, path.where);
	if (filter != NULL)
		filter->heads = rules.heads;
	d->jail->filter = filter;
}

/* What is wrong with a word of logpath, if it is; told once a line, for the rest is of a kind. */
static bool check_logpath(struct draft *d, struct conf_text path, unsigned *told)
{
	const char *shown = reader_show(d->r, path.text);
	struct conf_text all;

	if (*told != 0 && *told == path.where.line)
		return false;
	*told = path.text[0] != '/' || strlen(path.text) >= PATH_MAX ? path.where.line : 0;
	if (path.text[0] == '#')
		reader_error(
			d->r, path.where, "logpath '%s' is no path%s", shown, value_hint(" #"));
	else if (path.text[0] != '/')
		reader_error(d->r, path.where,
			"logpath '%s' does not begin at the root: write it whole, such as "
			"'%s%s'%s",
			shown, strchr(shown, '/') != NULL ? "/" : "/var/log/", shown,
			value_text(d->r, &d->values, "logpath", &all) ? value_hint(all.text) : "");
	else if (strlen(path.text) >= PATH_MAX)
		reader_error(d->r, path.where, "logpath '%s' is longer than %d bytes: shorten it",
			shown, PATH_MAX - 1);
	else
		return true;
	return false;
}

static void read_logpaths(struct draft *d)
{
	struct words w = words_of(&d->values, "logpath");
	struct jail *j = d->jail;
	unsigned told = 0;
	size_t room = 0;
	bool any = false;

	for (; words_next(&w, d->r, " \t\r\n"); any = true) {
		const char *text = w.word.text;

		if (any && (strcasecmp(text, "tail") == 0 || strcasecmp(text, "head") == 0)) {
			if (j->n_logpaths > 0)
				j->logpaths[j->n_logpaths - 1].tail = strcasecmp(text, "tail") == 0;
			continue;
		}
		if (!check_logpath(d, w.word, &told))
			continue;
		if (j->n_logpaths == room) {
			struct logpath *old = j->logpaths;

			room = room != 0 ? room * 2 : 4;
			j->logpaths = arena_array(d->r->keep, room, sizeof(*old));
			if (old != NULL)
				memcpy(j->logpaths, old, j->n_logpaths * sizeof(*old));
		}
		j->logpaths[j->n_logpaths++] =
			(struct logpath) {.pattern = arena_strdup(d->r->keep, text),
				.where = reader_keep_where(d->r, w.word.where)};
	}
	if (any || (j->sources & SOURCE_FILE) == 0)
		return;
	/* It is there, but was no good: that has been told. */
	if (w.lines == NULL && lookup_in(d->scope.doc, d->scope.section, "logpath") != NULL)
		return;
	if (j->sources != SOURCE_FILE)
		j->sources &= ~(unsigned)SOURCE_FILE;
	else
		reader_error(d->r, d->where,
			"jail '%s' has no log to read: write 'logpath = /var/log/FILE' or "
			"'source = journal'",
			reader_show(d->r, d->scope.section->name));
}

/* A jail that lets in whom it finds would do harm if it dropped them. */
static void check_blocktype(struct draft *d, const struct action_def *a)
{
	const struct conf_option *o = action_option(a, "blocktype");

	if (o == NULL || (strcasecmp(o->value.text, "RETURN") != 0 &&
				 strcasecmp(o->value.text, "ACCEPT") != 0))
		return;
	reader_warn(d->r, a->where,
		"jail '%s' lets in whom it finds (blocktype = %s), which is not done here: it "
		"decides and logs, and nothing is enforced",
		reader_show(d->r, d->scope.section->name), reader_show(d->r, o->value.text));
	d->jail->shadow = true;
}

/* What only passes on a key of the jail (port="%(port)s") comes from where the jail has that. */
static struct conf_text placed(struct draft *d, const char *key, struct conf_text value)
{
	struct conf_text own;

	return section_entry(&d->own, key) != NULL && value_text(d->r, &d->own, key, &own) &&
			       strcmp(own.text, value.text) == 0
		       ? own
		       : value;
}

/* The ports and protocols that one action names. */
static bool add_action(
	struct draft *d, const struct action_def *a, struct ports *ports, unsigned *protocols)
{
	const struct conf_option *protocol = action_option(a, "protocol");
	const struct conf_option *type = action_option(a, "type");
	const struct conf_option *actiontype = action_option(a, "actiontype");
	const struct conf_option *port = action_option(a, "port");

	if (!a->is_wall)
		return false;
	check_blocktype(d, a);
	if (protocol != NULL)
		ports_protocols(d->r, placed(d, "protocol", protocol->value), protocols);
	if (text_ends_with(a->name, "allports") ||
		(type != NULL && strcmp(type->value.text, "allports") == 0) ||
		(actiontype != NULL && strcmp(actiontype->value.text, "<allports>") == 0))
		ports->all = true;
	else if (port != NULL && port->value.text[0] != '\0')
		ports_add(d->r, placed(d, "port", port->value), ports);
	else
		return false;
	return true;
}

/*
 * Which ports a ban closes: what the dropping actions say, and the jail's own keys for what they
 * leave open.
 */
static void read_ports(struct draft *d)
{
	static const char *const keys[] = {"port", "protocol", "banaction", "action"};
	struct jail *j = d->jail;
	struct action_def *banaction = NULL;
	struct ports ports = {0};
	struct conf_text t, base;
	bool said = false, own = false, based = value_text(d->r, &d->own, "banaction", &base);
	size_t n;

	action_read_list(d->r, &d->values, "action", &d->values, based ? &base : NULL, &j->actions,
		&j->n_actions);
	for (size_t i = 0; i < j->n_actions; i++)
		said |= add_action(d, &j->actions[i], &ports, &j->protocols);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		own |= section_entry(d->scope.section, keys[i]) != NULL;
	/* A blacklist closes everything. */
	if (d->has_rules && !own) {
		j->protocols = PROTO_ALL;
		return;
	}
	if (!said) {
		action_read_list(d->r, &d->own, "banaction", &d->values, NULL, &banaction, &n);
		for (size_t i = 0; i < n; i++)
			said |= add_action(d, &banaction[i], &ports, &j->protocols);
	}
	if (!said && value_text(d->r, &d->own, "port", &t))
		ports_add(d->r, t, &ports);
	if (j->protocols == 0 && value_text(d->r, &d->own, "protocol", &t))
		ports_protocols(d->r, t, &j->protocols);
	if (j->protocols == 0)
		j->protocols = PROTO_TCP;
	ports_finish(d->r, &ports, &j->ports, &j->n_ports);
}

static bool is_same(struct draft *d, const char *key, const char *other)
{
	struct conf_text a, b;

	return value_text(d->r, &d->values, key, &a) && value_text(d->r, &d->values, other, &b) &&
	       strcmp(a.text, b.text) == 0;
}

static void read_counts(struct draft *d)
{
	struct jail *j = d->jail;
	long long maxretry = 3, maxmatches;
	size_t errors = d->r->n_errors;

	j->findtime_sec = 600;
	j->bantime_sec = 600;
	j->ignoreself = true;
	value_number(d->r, &d->values, "maxretry", 1, MAXRETRY_MAX, &maxretry);
	maxmatches = maxretry;
	/* By default it is maxretry: what is wrong with that has been told. */
	if (d->r->n_errors == errors || !is_same(d, "maxmatches", "maxretry"))
		value_number(d->r, &d->values, "maxmatches", 0, MAXRETRY_MAX, &maxmatches);
	value_duration(d->r, &d->values, "findtime", 1, false, &j->findtime_sec);
	value_duration(d->r, &d->values, "bantime", 1, true, &j->bantime_sec);
	value_bool(d->r, &d->values, "ignoreself", &j->ignoreself);
	if (!j->shadow)
		value_bool(d->r, &d->own, "shadow", &j->shadow);
	value_prefixes(d->r, &d->values, "ignoreip", &j->ignoreip, &j->ignorenames);
	j->maxretry = (unsigned)maxretry;
	j->maxmatches = (unsigned)maxmatches;
}

static void read_countries(struct draft *d)
{
	struct words w = words_of(&d->own, "ignorecountry");
	struct jail *j = d->jail;

	while (words_next(&w, d->r, ", \t\r\n")) {
		const char *code = w.word.text;
		char *to;

		if (strlen(code) != 2 || !isalpha((unsigned char)code[0]) ||
			!isalpha((unsigned char)code[1])) {
			reader_error(d->r, w.word.where,
				"ignorecountry: '%s' is no country's code: write its two letters, "
				"such as 'DK' (ISO 3166)",
				reader_show(d->r, code));
			continue;
		}
		if (j->n_countries == COUNTRIES_MAX) {
			reader_error(d->r, w.word.where, "ignorecountry: more than %d countries",
				COUNTRIES_MAX);
			return;
		}
		if (j->countries == NULL) {
			j->countries =
				arena_array(d->r->keep, COUNTRIES_MAX, sizeof(*j->countries));
			j->countries_where = reader_keep_where(d->r, w.word.where);
		}
		to = j->countries[j->n_countries++].code;
		to[0] = (char)toupper((unsigned char)code[0]);
		to[1] = (char)toupper((unsigned char)code[1]);
	}
}

static void read_options(struct draft *d)
{
	struct jail *j = d->jail;

	option_text(d->r, &d->values, "logencoding", "auto", &j->logencoding);
	option_text(d->r, &d->values, "logtimezone", "", &j->logtimezone);
	option_text(d->r, &d->values, "ignorecommand", "", &j->ignorecommand);
	if (j->filter != NULL)
		option_usedns(d->r, j->filter, &j->usedns);
	option_ignorecache(d->r, &d->values, &j->ignorecache);
	option_growth(d->r, &d->values, &j->growth);
}

int jail_read(struct reader *r, const struct doc *doc, const struct section *s, bool enabled,
	struct jail *ret)
{
	struct draft d = {.r = r, .where = s->where, .jail = ret, .values.name = s->name};
	size_t errors = r->n_errors;
	struct conf_text rules;
	bool is_enabled = false;

	*ret = (struct jail) {0};
	d.scope = (struct scope) {.r = r, .doc = doc, .section = s};
	expand_keys(&d.scope, first_keys, 1, &d.first);
	value_bool(r, &d.first, "enabled", &is_enabled);
	if (is_enabled != enabled)
		return r->n_errors > errors ? -EINVAL : 0;
	if (!check_name(&d))
		return -EINVAL;
	ret->name = ret->section = arena_strdup(r->keep, s->name);
	ret->where = reader_keep_where(r, s->where);
	expand_keys(&d.scope, first_keys, ARRAY_SIZE(first_keys), &d.first);
	expand_keys(&d.scope, own_keys, ARRAY_SIZE(own_keys), &d.own);
	read_sources(&d);
	read_wants(&d);
	d.has_rules = value_text(r, &d.own, "rules", &rules);
	if (d.has_rules)
		read_rules(&d, rules);
	else
		read_filter(&d);
	read_logpaths(&d);
	read_ports(&d);
	read_counts(&d);
	read_countries(&d);
	read_options(&d);
	/* Who looks for faults looks on at what could be read. */
	return ret->filter != NULL && (r->complete || r->n_errors == errors) ? 1 : -EINVAL;
}
