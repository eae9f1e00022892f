/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/merge.h"

#include "base/text.h"
#include "base/util.h"
#include "config/expand.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_MAX (4u << 20)
#define INCLUDE_DEPTH 16
#define INCLUDE_FILES 1000

struct file {
	const char *name;
	struct doc *doc; /* NULL: could not be read */
};

/* Files in the order in which they are merged. */
struct plan {
	struct reader *r;
	const char *home;
	struct file *files[INCLUDE_FILES];
	bool included[INCLUDE_FILES];
	size_t n;
	bool full;
};

/* Which file is being looked at on behalf of which. */
struct chain {
	const char *path;
	const struct chain *up;
	unsigned depth;
};

static void read_failed(struct reader *r, struct where where, int error)
{
	if (error == ENOENT)
		reader_warn(r, where, "the link leads nowhere: mend or remove it");
	else
		reader_error(r, where, "the file cannot be read: %s", strerror(error));
}

char *merge_bytes(struct reader *r, const char *path, size_t *ret_len)
{
	struct where where = {path, 0};
	_cleanup_close_ int fd = -1;
	size_t len = 0, size;
	struct stat st;
	char *data;

	/* Without O_NONBLOCK a named pipe would hold us here for ever. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0) {
		read_failed(r, where, errno);
		return NULL;
	}
	if (!S_ISREG(st.st_mode)) {
		reader_error(r, where,
			"%s stands where a configuration file should: remove or rename it",
			S_ISDIR(st.st_mode) ? "a directory" : "something that is not a file");
		return NULL;
	}
	if (st.st_size > FILE_MAX) {
		reader_error(r, where,
			"the file is larger than 4 MiB, no configuration is: split or remove it");
		return NULL;
	}
	size = (size_t)st.st_size;
	data = arena_alloc(r->scratch, size + 1);
	while (len < size) {
		ssize_t n = read(fd, data + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			read_failed(r, where, errno);
			return NULL;
		}
		if (n == 0)
			break;
		len += (size_t)n;
	}
	*ret_len = len;
	return data;
}

static struct file *read_file(struct plan *p, const char *path)
{
	struct file *f = names_get(&p->r->files, path);
	size_t len;
	char *data;

	if (f != NULL)
		return f;
	f = arena_alloc(p->r->scratch, sizeof(*f));
	f->name = path;
	names_put(&p->r->files, p->r->scratch, f);
	data = merge_bytes(p->r, path, &len);
	if (data != NULL)
		f->doc = ini_parse(p->r, path, data, len, p->home);
	return f;
}

static bool exists(const char *path)
{
	struct stat st;

	/* A link that leads nowhere is there and cannot be read: that is told when it is tried. */
	return lstat(path, &st) == 0;
}

/* PATH with its extension changed to .local; NULL when that is what it has. */
static const char *local_of(struct reader *r, const char *path)
{
	const char *name = strrchr(path, '/'), *dot;

	name = name != NULL ? name + 1 : path;
	dot = strrchr(name, '.');
	if (dot == NULL || dot == name)
		dot = name + strlen(name);
	if (strcmp(dot, ".local") == 0)
		return NULL;
	return arena_printf(r->scratch, "%.*s.local", (int)(dot - path), path);
}

static void plan_file(struct plan *p, const char *path, const struct chain *up);

/* One file named in an [INCLUDES], and its .local. */
static void plan_include(
	struct plan *p, const char *from, struct conf_text line, const struct chain *up)
{
	const char *path = line.text, *slash = strrchr(from, '/'), *local;
	bool found = false;

	if (path[0] != '/' && slash != NULL)
		path = arena_printf(p->r->scratch, "%.*s/%s", (int)(slash - from), from, path);
	for (const struct chain *c = up; c != NULL; c = c->up) {
		if (strcmp(c->path, path) == 0) {
			reader_warn(p->r, line.where,
				"include loop: '%s' is being read already; remove one of the two "
				"includes",
				reader_show(p->r, line.text));
			return;
		}
	}
	if (up->depth >= INCLUDE_DEPTH) {
		reader_error(p->r, line.where, "includes go more than %d files deep: flatten them",
			INCLUDE_DEPTH);
		return;
	}
	if (exists(path)) {
		plan_file(p, path, up);
		found = true;
	}
	local = local_of(p->r, path);
	if (local != NULL && exists(local)) {
		plan_file(p, local, up);
		found = true;
	}
	/* A .local that is not there is an invitation, not a mistake. */
	if (!found && local != NULL)
		reader_warn(p->r, line.where,
			"the included file '%s' does not exist: correct the name or remove the "
			"line",
			reader_show(p->r, path));
}

static void plan_includes(
	struct plan *p, const struct file *f, const char *key, const struct chain *up)
{
	struct scope scope = {.r = p->r, .doc = f->doc, .section = doc_section(f->doc, "INCLUDES")};
	const struct entry *e = section_entry(scope.section, key);
	struct lines lines = {0};

	if (e == NULL || expand_entry(&scope, e, &lines) < 0)
		return;
	for (size_t i = 0; i < lines.n; i++)
		if (lines.items[i].text[0] != '\0')
			plan_include(p, f->name, lines.items[i], up);
}

static void plan_file(struct plan *p, const char *path, const struct chain *up)
{
	struct chain here = {path, up, up != NULL ? up->depth + 1 : 0};
	struct file *f;

	if (p->n >= INCLUDE_FILES) {
		if (!p->full)
			reader_error(p->r, (struct where) {path, 0},
				"more than %d files are included: the rest was not read",
				INCLUDE_FILES);
		p->full = true;
		return;
	}
	f = read_file(p, path);
	if (f->doc == NULL)
		return;
	plan_includes(p, f, "before", &here);
	if (p->n < INCLUDE_FILES) {
		p->included[p->n] = up != NULL;
		p->files[p->n++] = f;
	}
	plan_includes(p, f, "after", &here);
}

static void merge_entry(struct reader *r, struct section *into, const struct entry *from,
	const char *condition, bool included)
{
	struct entry *e = arena_alloc(r->scratch, sizeof(*e));

	*e = *from;
	e->included = included;
	if (condition != NULL)
		e->name = arena_printf(r->scratch, "%s%s", from->name, condition);
	e->prev = section_entry(into, e->name);
	names_put(&into->entries, r->scratch, e);
}

/* "[Init?family=inet6]" goes to [Init] as keys "NAME?family=inet6". */
static void merge_section(
	struct reader *r, struct doc *into, const struct section *from, bool included)
{
	const char *condition = strchr(from->name, '?'), *name = from->name;
	struct section *s;

	if (condition == from->name)
		condition = NULL;
	if (condition != NULL)
		name = arena_strndup(r->scratch, name, (size_t)(condition - name));
	s = doc_section(into, name);
	if (s != NULL)
		s->again = true;
	s = doc_add_section(into, r->scratch, name, from->where);
	for (size_t i = 0; i < from->entries.n; i++)
		merge_entry(
			r, s, (const struct entry *)from->entries.items[i], condition, included);
}

static struct doc *merge_plan(struct plan *p)
{
	struct doc *d = arena_alloc(p->r->scratch, sizeof(*d));

	for (size_t i = 0; i < p->n; i++) {
		const struct names *sections = &p->files[i]->doc->sections;

		d->faulty |= p->files[i]->doc->faulty;
		for (size_t k = 0; k < sections->n; k++)
			merge_section(p->r, d, (const struct section *)sections->items[k],
				p->included[i]);
	}
	return d;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The directory's files with that suffix, sorted. */
static struct lines list_dir(struct reader *r, const char *dir, const char *suffix)
{
	struct where where = {dir, 0};
	struct lines found = {0};
	struct dirent *e;
	DIR *d = opendir(dir);

	if (d == NULL) {
		if (errno != ENOENT)
			reader_error(r, where, "the directory cannot be read: %s", strerror(errno));
		return found;
	}
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.' && text_ends_with(e->d_name, suffix))
			lines_add(&found, r->scratch,
				(struct conf_text) {
					arena_printf(r->scratch, "%s/%s", dir, e->d_name), where});
	closedir(d);
	if (found.n > 1)
		qsort(found.items, found.n, sizeof(found.items[0]), by_name);
	return found;
}

bool merge_exists(struct reader *r, const char *base)
{
	return exists(arena_printf(r->scratch, "%s.conf", base)) ||
	       exists(arena_printf(r->scratch, "%s.local", base));
}

const char **merge_names(struct reader *r, const char *dir, size_t *ret_n)
{
	const char **names = arena_array(r->scratch, MERGE_NAMES_MAX, sizeof(*names));
	DIR *d = opendir(dir);
	struct dirent *e;
	size_t n = 0;

	while (d != NULL && (e = readdir(d)) != NULL && n < MERGE_NAMES_MAX) {
		size_t len = strlen(e->d_name);

		if (text_ends_with(e->d_name, ".conf") && e->d_name[0] != '.')
			names[n++] = arena_strndup(r->scratch, e->d_name, len - 5);
	}
	if (d != NULL)
		closedir(d);
	*ret_n = n;
	return names;
}

/*
 * Tells of a file that somebody may have meant to be read. What editors and packages leave beside
 * a file is no such thing.
 */
static void check_name(struct reader *r, const char *dir, const char *name)
{
	static const char *const known[] = {".conf", ".local", "~", ".bak", ".orig", ".swp",
		".dpkg-old", ".dpkg-new", ".dpkg-dist", ".ucf-old", ".ucf-dist", ".rpmnew",
		".rpmsave", ".rpmorig"};
	const char *path = arena_printf(r->scratch, "%s/%s", dir, name);
	struct stat st;

	if (name[0] == '.' || strncmp(name, "README", 6) == 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (text_ends_with(name, known[i]))
			return;
	if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
		reader_warn(r, (struct where) {path, 0},
			"the file is not read, only such as end in '.conf' or '.local' are: rename "
			"or remove it");
}

static void check_dir_names(struct reader *r, const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL)
		check_name(r, dir, e->d_name);
	closedir(d);
}

struct doc *merge_base(struct reader *r, const char *base, const char *home, size_t *ret_n)
{
	static const char *const suffixes[] = {".conf", ".local"};
	struct plan *p = arena_alloc(r->scratch, sizeof(*p));
	const char *dir = arena_printf(r->scratch, "%s.d", base);

	p->r = r;
	p->home = home;
	*ret_n = 0;
	check_dir_names(r, dir);
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		const char *path = arena_printf(r->scratch, "%s%s", base, suffixes[i]);
		struct lines found = list_dir(r, dir, suffixes[i]);

		if (exists(path)) {
			plan_file(p, path, NULL);
			++*ret_n;
		}
		for (size_t k = 0; k < found.n; k++, ++*ret_n)
			plan_file(p, found.items[k].text, NULL);
	}
	return merge_plan(p);
}

struct doc *merge_dir(struct reader *r, const char *name, const char *home, size_t *ret_n)
{
	*ret_n = 0;
	if (r->no_dir)
		return arena_alloc(r->scratch, sizeof(struct doc));
	return merge_base(r, arena_printf(r->scratch, "%s/%s", r->dir, name), home, ret_n);
}

struct doc *merge_file(struct reader *r, const char *path, const char *home, size_t *ret_n)
{
	struct plan *p = arena_alloc(r->scratch, sizeof(*p));
	const char *local = local_of(r, path);

	p->r = r;
	p->home = home;
	*ret_n = 0;
	if (exists(path)) {
		plan_file(p, path, NULL);
		++*ret_n;
	}
	if (local != NULL && exists(local)) {
		plan_file(p, local, NULL);
		++*ret_n;
	}
	return merge_plan(p);
}
