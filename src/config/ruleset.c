/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/ruleset.h"

#include "config/expand.h"
#include "config/filter_file.h"
#include "config/jail.h"
#include "config/keys.h"
#include "config/merge.h"
#include "config/setname.h"
#include "config/settings.h"
#include "config/value.h"
#include "config/want.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* Some ten times what anybody has; an id must fit into 16 bits. */
#define JAILS_MAX 10000

bool conf_text_same(const struct conf_text *a, const struct conf_text *b)
{
	if (a->text == NULL || b->text == NULL)
		return a->text == b->text;
	return strcmp(a->text, b->text) == 0;
}

static bool check_dir(struct reader *r)
{
	enum overlay_dir wanted = r->overlay != NULL ? r->overlay->dir : OVERLAY_DIR_NEEDED;
	struct where where = {r->dir, 0};
	struct stat st;

	r->no_dir = wanted == OVERLAY_DIR_NONE ||
		    (wanted == OVERLAY_DIR_OPTIONAL && stat(r->dir, &st) < 0 && errno == ENOENT);
	if (r->no_dir)
		return true;
	if (stat(r->dir, &st) < 0)
		reader_error(r, where,
			"the configuration directory cannot be read: %s; write another after '-c'",
			strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		reader_error(r, where,
			"not a directory: write the configuration's directory after '-c', not a "
			"file of it");
	else
		return true;
	return false;
}

static void read_default_ignoreip(struct reader *r, const struct doc *d, struct ruleset *rs)
{
	static const char *const keys[] = {"ignoreip"};
	struct scope scope = {.r = r, .doc = d, .section = doc_section(d, "DEFAULT")};
	struct section values = {.name = "DEFAULT"};

	expand_keys(&scope, keys, 1, &values);
	value_prefixes(r, &values, "ignoreip", &rs->allow, &rs->allow_names);
}

/* Jails being put together; in keep. */
struct jail_list {
	struct jail *items;
	size_t n, room;
};

static bool add_jail(struct reader *r, const struct section *s, struct jail_list *l, struct jail *j)
{
	struct jail *old = l->items;

	if (l->n == JAILS_MAX) {
		reader_error(r, s->where, "more than %d jails are enabled: the rest was not read",
			JAILS_MAX);
		prefixset_done(&j->ignoreip);
		return false;
	}
	if (l->n == l->room) {
		l->room = l->room != 0 ? 2 * l->room : 64;
		l->items = arena_array(r->keep, l->room, sizeof(*l->items));
		if (l->n > 0)
			memcpy(l->items, old, l->n * sizeof(*old));
	}
	j->id = (unsigned)l->n;
	l->items[l->n++] = *j;
	return true;
}

/* A jail for each of its hosts. */
static bool add_split(struct reader *r, const struct doc *d, const struct section *s,
	struct jail_list *l, struct jail *whole)
{
	size_t n;
	struct jail *jails = want_split(r, whole, &n);
	bool good = true;

	for (size_t i = 0; i < n; i++) {
		if (doc_section(d, jails[i].name) != NULL)
			reader_error(r, doc_section(d, jails[i].name)->where,
				"jail '%s' has the name of that for one host of jail '%s': give it "
				"another",
				reader_show(r, jails[i].name), reader_show(r, s->name));
		if (good)
			good = add_jail(r, s, l, &jails[i]);
		else
			prefixset_done(&jails[i].ignoreip);
	}
	return good;
}

/* Those that are enabled, or the others. */
static struct jail *read_some(struct reader *r, const struct doc *d, bool enabled, size_t *ret_n)
{
	struct jail_list l = {0};
	bool good = true;

	for (size_t i = 0; good && i < d->sections.n; i++) {
		const struct section *s = (const struct section *)d->sections.items[i];
		struct jail j;

		if (strcmp(s->name, "DEFAULT") == 0 || strcmp(s->name, "INCLUDES") == 0)
			continue;
		if (jail_read(r, d, s, enabled, &j) != 1)
			prefixset_done(&j.ignoreip);
		else if (enabled && j.syslog.per_host)
			good = add_split(r, d, s, &l, &j);
		else
			good = add_jail(r, s, &l, &j);
	}
	*ret_n = l.n;
	return l.items;
}

/* A directory's files that no jail has asked for: can they be read at all? */
static void read_unused(struct reader *r, const char *dir)
{
	const char *path = arena_printf(r->scratch, "%s/%s", r->dir, dir);
	const char **names;
	size_t n, found;

	names = merge_names(r, path, &n);
	for (size_t i = 0; i < n; i++) {
		const char *base = arena_printf(r->scratch, "%s/%s", path, names[i]);

		if (names_get(&r->files, arena_printf(r->scratch, "%s.conf", base)) == NULL)
			merge_base(r, base, "[Definition]", &found);
	}
}

static void read_jails(struct reader *r, struct ruleset *rs)
{
	struct doc *d;
	size_t n;

	d = merge_dir(r, "jail", "[DEFAULT]", &n);
	if (n == 0 && (r->overlay == NULL || r->overlay->dir == OVERLAY_DIR_NEEDED))
		reader_error(r, (struct where) {r->dir, 0},
			"there is no jail.conf here: write the configuration's directory after "
			"'-c'");
	keys_check(r, d, KEYS_JAIL);
	overlay_apply(r->overlay, OVERLAY_JAIL, r, d);
	section_set(doc_add_section(d, r->scratch, "DEFAULT", (struct where) {NULL, 0}), r->scratch,
		"fail2ban_version", STOCKADE_VERSION, (struct where) {NULL, 0});
	section_set(doc_section(d, "DEFAULT"), r->scratch, "fail2ban_confpath", r->dir,
		(struct where) {NULL, 0});
	read_default_ignoreip(r, d, rs);
	rs->jails = read_some(r, d, true, &rs->n_jails);
	setname_assign(r->keep, rs->jails, rs->n_jails);
	if (!r->complete)
		return;
	if (rs->n_jails == 0 && n > 0 && r->n_errors == 0)
		reader_warn(r, (struct where) {r->dir, 0},
			"no jail is enabled, so nobody will ever be banned: write 'enabled = true' "
			"under "
			"the jails that you want, in jail.local");
	r->lenient = true;
	rs->disabled = read_some(r, d, false, &rs->n_disabled);
	if (!r->no_dir) {
		read_unused(r, "filter.d");
		read_unused(r, "action.d");
	}
	r->lenient = false;
}

int ruleset_read(struct ruleset **ret, const char *dir, const struct overlay *overlay,
	bool complete, struct faults *f)
{
	struct arena *arena = arena_new();
	size_t errors = f->n_errors;
	struct ruleset *rs;
	struct reader r;

	if (arena == NULL)
		return -ENOMEM;
	rs = arena_alloc(arena, sizeof(*rs));
	rs->arena = arena;
	if (reader_init(&r, arena, dir, f) < 0) {
		ruleset_free(rs);
		return -ENOMEM;
	}
	r.complete = complete;
	r.overlay = overlay;
	if (check_dir(&r)) {
		settings_read(&r, rs);
		read_jails(&r, rs);
	}
	reader_done(&r);
	if (f->n_errors > errors && !complete) {
		ruleset_free(rs);
		return -EINVAL;
	}
	*ret = rs;
	return 0;
}

int ruleset_load(struct ruleset **ret, const char *dir, struct faults *f)
{
	return ruleset_read(ret, dir, NULL, false, f);
}

int ruleset_load_filter(struct filter_def **ret, struct arena *arena, const char *dir,
	const char *spec, struct faults *f)
{
	struct conf_text text = {spec, {NULL, 0}};
	struct filter_def *def = NULL;
	struct scope scope;
	const char *name;
	struct reader r;

	if (reader_init(&r, arena, dir, f) < 0)
		return -ENOMEM;
	if (filter_file_open(&r, text, false, &scope, &name) == 0)
		def = filter_file_build(&r, &scope, NULL, name, text.where);
	reader_done(&r);
	if (def == NULL)
		return -EINVAL;
	*ret = def;
	return 0;
}

static bool is_called(const struct jail *j, const char *name)
{
	return strcmp(j->name, name) == 0 || strcmp(j->section, name) == 0;
}

static bool is_named(const struct jail *j, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (j->filter != NULL && is_called(j, names[i]))
			return true;
	return false;
}

void ruleset_pick(struct ruleset *rs, const char *const *names, size_t n, const struct jail **ret)
{
	size_t n_all = rs->n_jails + rs->n_disabled;
	struct jail *picked = arena_array(rs->arena, n_all, sizeof(*picked));
	struct jail *rest = arena_array(rs->arena, n_all, sizeof(*rest));
	size_t n_picked = 0, n_rest = 0;

	for (size_t i = 0; i < n_all; i++) {
		const struct jail *j =
			i < rs->n_jails ? &rs->jails[i] : &rs->disabled[i - rs->n_jails];
		bool is_picked = is_named(j, names, n);
		struct jail *to = is_picked ? &picked[n_picked++] : &rest[n_rest++];

		*to = *j;
		to->id = (unsigned)(is_picked ? n_picked - 1 : n_rest - 1);
	}
	rs->jails = picked;
	rs->n_jails = n_picked;
	rs->disabled = rest;
	rs->n_disabled = n_rest;
	for (size_t i = 0; i < n; i++)
		for (size_t k = n_picked; k-- > 0;)
			if (is_called(&picked[k], names[i]))
				ret[i] = &picked[k];
}

const struct jail *ruleset_jail(const struct ruleset *rs, const char *name)
{
	for (size_t i = 0; i < rs->n_jails; i++)
		if (strcmp(rs->jails[i].name, name) == 0)
			return &rs->jails[i];
	return NULL;
}

int64_t ruleset_bantime_sec(const struct jail *j, const struct rule_head *rule)
{
	return rule != NULL && rule->bantime_sec > 0 ? rule->bantime_sec : j->bantime_sec;
}

void ruleset_free(struct ruleset *rs)
{
	if (rs == NULL)
		return;
	for (size_t i = 0; i < rs->n_jails; i++)
		prefixset_done(&rs->jails[i].ignoreip);
	for (size_t i = 0; i < rs->n_disabled; i++)
		prefixset_done(&rs->disabled[i].ignoreip);
	prefixset_done(&rs->allow);
	prefixset_done(&rs->syslog.from);
	arena_free(rs->arena);
}
