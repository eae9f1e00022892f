/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/journals.h"

#include "base/buf.h"
#include "base/text.h"
#include "base/util.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define NAMESPACE_MAX 64 /* systemd's */

static const char *const names[] = {"journalpath", "journalfiles", "journalflags", "namespace"};

/* What one jail says. */
struct wanted {
	const struct conf_text *path, *files, *flags, *name_space; /* NULL: not given */
	int flag_bits;
};

/* As it may be shown. */
struct shown {
	char text[160];
};

static struct shown show(const char *text, size_t len)
{
	struct shown s;

	text_escape(s.text, sizeof(s.text), text, len);
	return s;
}

static struct shown show_all(const struct conf_text *t)
{
	return show(t->text, strlen(t->text));
}

/* An option's value cannot be; returns false. */
static bool refuse(const struct conf_text *t, const char *name, const char *why, struct faults *f)
{
	fault_add(f, FAULT_ERROR, t->where, "%s '%s' %s", name, show_all(t).text, why);
	return false;
}

static bool read_path(const struct conf_text *t, struct faults *f)
{
	if (t->text[0] == '/')
		return true;
	return refuse(t, "journalpath",
		"does not begin at the root: write the directory whole, such as "
		"'/var/log/journal/remote'",
		f);
}

static bool read_files(const struct conf_text *t, struct faults *f)
{
	for (const char *p = t->text; *p != '\0'; p += strcspn(p, ", \t\n")) {
		p += strspn(p, ", \t\n");
		if (*p == '/' || *p == '\0')
			continue;
		fault_add(f, FAULT_ERROR, t->where,
			"journalfiles: '%s' does not begin at the root: write each path whole",
			show(p, strcspn(p, ", \t\n")).text);
		return false;
	}
	return true;
}

static bool read_flags(const struct conf_text *t, int *ret, struct faults *f)
{
	char *end;
	long flags = strtol(t->text, &end, 10);

	if (isdigit((unsigned char)t->text[0]) && *end == '\0' && (flags & ~JOURNAL_FLAGS) == 0) {
		*ret = (int)flags;
		return true;
	}
	return refuse(t, "journalflags",
		"is none: write the sum of 1 (this machine only), 2 (since booted), 4 (of the "
		"system), 8 (of its user), 32 (all namespaces), 64 (none, too)",
		f);
}

static bool read_namespace(const struct conf_text *t, struct faults *f)
{
	bool good = strlen(t->text) <= NAMESPACE_MAX;

	for (const char *p = t->text; *p != '\0'; p++)
		good &= isalnum((unsigned char)*p) || strchr("-_:", *p) != NULL;
	return good ||
	       refuse(t, "namespace", "is none: write its name in letters, digits, '-' and '_'", f);
}

static bool read_options(const struct jail *j, struct wanted *w, struct faults *f)
{
	const struct conf_text **places[] = {&w->path, &w->files, &w->flags, &w->name_space};
	bool good = true;

	for (size_t i = 0; i < j->n_backend_opts; i++) {
		const struct conf_option *o = &j->backend_opts[i];
		const char *near = text_nearest(o->name, names, ARRAY_SIZE(names));
		bool known = false;

		for (size_t k = 0; k < ARRAY_SIZE(names); k++) {
			if (strcmp(o->name, names[k]) != 0)
				continue;
			known = true;
			*places[k] = o->value.text != NULL && o->value.text[0] != '\0' ? &o->value
										       : NULL;
		}
		if (!known)
			fault_add(f, FAULT_ERROR, o->value.where,
				"backend: option '%s' is unknown; write 'journalpath', "
				"'journalfiles', 'journalflags' or 'namespace'%s%s%s",
				o->name, near != NULL ? "; did you mean '" : "",
				near != NULL ? near : "", near != NULL ? "'?" : "");
		good &= known;
	}
	if (w->path != NULL)
		good &= read_path(w->path, f);
	if (w->files != NULL)
		good &= read_files(w->files, f);
	/* Of the machine's own, what fail2ban asks for. */
	w->flag_bits = w->path == NULL && w->files == NULL ? JOURNAL_SYSTEM : 0;
	if (w->flags != NULL)
		good &= read_flags(w->flags, &w->flag_bits, f);
	if (w->name_space != NULL)
		good &= read_namespace(w->name_space, f);
	if (good && w->path != NULL && w->files != NULL) {
		fault_add(f, FAULT_ERROR, w->files->where,
			"backend: journalpath and journalfiles exclude each other: write one");
		good = false;
	}
	return good;
}

/* What tells this journal from others, and its positions on disk. */
static char *name_of(const struct wanted *w)
{
	struct buf b = {0};
	int r = buf_adds(&b, "journal");

	if (w->path != NULL)
		r |= buf_addf(&b, "[path=%s]", w->path->text);
	if (w->files != NULL)
		r |= buf_addf(&b, "[files=%s]", w->files->text);
	if (w->flags != NULL)
		r |= buf_addf(&b, "[flags=%d]", w->flag_bits);
	if (w->name_space != NULL)
		r |= buf_addf(&b, "[namespace=%s]", w->name_space->text);
	for (size_t i = 0; i < b.len; i++)
		if (b.data[i] == '\n')
			b.data[i] = ' ';
	if (r < 0)
		buf_done(&b);
	return b.data;
}

/* The directory in which a path lies, or all that its globs match. */
static int add_dir(struct journal_def *d, const char *path)
{
	size_t len = strcspn(path, "*?[");
	char *dir, *slash;
	char **dirs = reallocarray(d->dirs, d->n_dirs + 1, sizeof(*dirs));

	if (dirs == NULL)
		return -ENOMEM;
	d->dirs = dirs;
	dir = strndup(path, len);
	slash = dir != NULL ? strrchr(dir, '/') : NULL;
	if (slash == NULL) {
		free(dir);
		return -ENOMEM;
	}
	slash[slash == dir] = '\0';
	dirs[d->n_dirs++] = dir;
	return 0;
}

/* The words of journalfiles, as journal_conf has them. */
static int split_files(struct journal_def *d, const char *text)
{
	char *rest, *word;
	size_t n = 0;

	d->words = rest = strdup(text);
	d->files = calloc(strlen(text) / 2 + 2, sizeof(*d->files));
	if (d->words == NULL || d->files == NULL)
		return -ENOMEM;
	d->conf.files = d->files;
	while ((word = strsep(&rest, ", \t\n")) != NULL) {
		if (*word == '\0')
			continue;
		d->files[n++] = word;
		if (add_dir(d, word) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* The journal of that name, made if there is none. */
static int find_or_add(struct journals *js, const struct wanted *w, struct journal_def **ret)
{
	char *name = name_of(w);
	struct journal_def *items;

	if (name == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < js->n; i++) {
		if (strcmp(js->items[i].name, name) == 0) {
			free(name);
			*ret = &js->items[i];
			return 0;
		}
	}
	items = reallocarray(js->items, js->n + 1, sizeof(*items));
	if (items == NULL) {
		free(name);
		return -ENOMEM;
	}
	js->items = items;
	items += js->n++;
	*items = (struct journal_def) {.name = name, .conf.flags = w->flag_bits};
	items->conf.dir = w->path != NULL ? w->path->text : NULL;
	items->conf.name_space = w->name_space != NULL ? w->name_space->text : NULL;
	items->is_elsewhere = w->path != NULL || w->files != NULL;
	*ret = items;
	if (w->files != NULL)
		return split_files(items, w->files->text);
	if (w->path == NULL)
		return 0;
	items->dirs = calloc(1, sizeof(*items->dirs));
	if (items->dirs == NULL || (items->dirs[0] = strdup(w->path->text)) == NULL)
		return -ENOMEM;
	items->n_dirs = 1;
	return 0;
}

/* Many jails have theirs from [DEFAULT]: what is wrong there is told once. */
static bool is_told(const struct ruleset *rs, const struct jail *j)
{
	for (size_t i = 0; i < j->id; i++) {
		const struct where *a = &rs->jails[i].backend.where, *b = &j->backend.where;

		if (a->line == b->line && a->file != NULL && b->file != NULL &&
			strcmp(a->file, b->file) == 0)
			return true;
	}
	return false;
}

static int add_jail(
	struct journals *js, const struct ruleset *rs, const struct jail *j, struct faults *f)
{
	struct faults again = {0};
	struct wanted w = {0};
	struct journal_def *d;
	struct journal_jail *jails;
	bool good = read_options(j, &w, is_told(rs, j) ? &again : f);
	int r;

	faults_done(&again);
	if (!good)
		return 0;
	r = find_or_add(js, &w, &d);
	if (r < 0)
		return r;
	jails = reallocarray(d->jails, d->conf.n_jails + 1, sizeof(*jails));
	if (jails == NULL)
		return -ENOMEM;
	d->jails = jails;
	d->conf.jails = jails;
	jails[d->conf.n_jails++] = (struct journal_jail) {
		.id = (uint16_t)j->id, .match = j->filter->journalmatch.text};
	if (js->n > JOURNALS_MAX)
		fault_add(f, FAULT_ERROR, j->backend.where,
			"more than %d different journals are read: have jails share them",
			JOURNALS_MAX);
	return 0;
}

int journals_init(struct journals *js, const struct ruleset *rs, struct faults *f)
{
	size_t errors = f->n_errors;
	int r = 0;

	*js = (struct journals) {0};
	for (size_t i = 0; i < rs->n_jails && r == 0; i++)
		if ((rs->jails[i].sources & SOURCE_JOURNAL) != 0)
			r = add_jail(js, rs, &rs->jails[i], f);
	if (r == 0 && f->n_errors > errors)
		r = -EINVAL;
	if (r < 0)
		journals_done(js);
	return r;
}

void journals_check_jail(const struct jail *j, struct faults *f)
{
	struct wanted w = {0};

	if ((j->sources & SOURCE_JOURNAL) != 0 && read_options(j, &w, f) && w.path != NULL &&
		!journal_available_in(w.path->text))
		fault_add(f, FAULT_WARNING, w.path->where,
			"journalpath '%s' has no journal in it yet: it is waited for",
			show_all(w.path).text);
}

void journals_done(struct journals *js)
{
	for (size_t i = 0; i < js->n; i++) {
		free(js->items[i].name);
		free(js->items[i].jails);
		free(js->items[i].files);
		free(js->items[i].words);
		for (size_t k = 0; k < js->items[i].n_dirs; k++)
			free(js->items[i].dirs[k]);
		free(js->items[i].dirs);
	}
	free(js->items);
	*js = (struct journals) {0};
}
