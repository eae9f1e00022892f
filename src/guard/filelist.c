/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The open log files: made, found by inode or watch, known by one or more paths, closed. */
#include "guard/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WD_MAX 100000 /* inotify's numbers only go up; those beyond are looked for */

char *file_key(const struct file *f)
{
	char *key;

	if (!f->retired && !f->catch_up)
		return strdup(f->source.name);
	if (asprintf(&key, "%s%c%llu", f->source.name, ROTATED_MARK,
		    (unsigned long long)f->tail.ino) < 0)
		return NULL;
	return key;
}

void file_drop_key(struct guard *g, char *key)
{
	struct dropped_key *d = calloc(1, sizeof(*d));

	if (d == NULL || key == NULL) {
		free(d);
		free(key);
		return;
	}
	d->key = key;
	d->next = g->dropped;
	g->dropped = d;
	persist_plan(g);
}

struct file *file_find(struct guard *g, uint64_t dev, uint64_t ino)
{
	for (struct file *f = g->files; f != NULL; f = f->next)
		if (f->tail.ino == ino && f->tail.dev == dev)
			return f;
	return NULL;
}

struct file *file_at(struct guard *g, const char *path)
{
	for (struct file *f = g->files; f != NULL; f = f->next)
		if (!f->catch_up && !f->retired && strcmp(f->source.name, path) == 0)
			return f;
	return NULL;
}

struct file *file_of_wd(struct guard *g, int wd)
{
	if (wd >= 0 && (size_t)wd < g->n_by_wd)
		return g->by_wd[wd];
	for (struct file *f = g->files; f != NULL; f = f->next)
		if (f->wd == wd)
			return f;
	return NULL;
}

int file_set_wd(struct guard *g, struct file *f, int wd)
{
	f->wd = wd;
	if (wd < 0 || wd > WD_MAX)
		return 0;
	if ((size_t)wd >= g->n_by_wd) {
		size_t n = (size_t)wd + 64;
		struct file **by_wd = reallocarray(g->by_wd, n, sizeof(struct file *));

		if (by_wd == NULL)
			return -ENOMEM;
		memset(by_wd + g->n_by_wd, 0, (n - g->n_by_wd) * sizeof(struct file *));
		g->by_wd = by_wd;
		g->n_by_wd = n;
	}
	g->by_wd[wd] = f;
	return 0;
}

static bool is_glob(const char *pattern)
{
	return strpbrk(pattern, "*?[") != NULL;
}

static void note_globbed(const struct guard *g, struct file *f)
{
	f->globbed = f->n_refs > 0;
	for (size_t i = 0; i < f->n_refs; i++)
		f->globbed &= is_glob(g->o->plan->patterns.items[f->refs[i].pattern].text);
}

void file_set_format(struct file *f, const struct pattern *p)
{
	if (f->unwrap.looked)
		return;
	if (f->unwrap.named == NULL)
		f->unwrap.named = p->charset;
	f->unwrap.as_is |= p->as_is;
}

int file_add_ref(struct guard *g, struct file *f, uint32_t pattern, const char *path)
{
	const struct pattern *p = &g->o->plan->patterns.items[pattern];
	struct file_ref *refs;

	file_set_format(f, p);
	for (size_t i = 0; i < p->n_jails; i++)
		if (source_add_jail(g, &f->source, p->jails[i]) < 0)
			return -ENOMEM;
	for (size_t i = 0; i < f->n_refs; i++)
		if (f->refs[i].pattern == pattern && strcmp(f->refs[i].path, path) == 0)
			return 0;
	refs = reallocarray(f->refs, f->n_refs + 1, sizeof(*refs));
	if (refs == NULL)
		return -ENOMEM;
	f->refs = refs;
	refs[f->n_refs] = (struct file_ref) {.pattern = pattern, .path = strdup(path)};
	if (refs[f->n_refs].path == NULL)
		return -ENOMEM;
	f->n_refs++;
	note_globbed(g, f);
	return 0;
}

void file_drop_refs(struct guard *g, struct file *f, const char *path)
{
	for (size_t i = 0; i < f->n_refs;) {
		if (strcmp(f->refs[i].path, path) != 0) {
			i++;
			continue;
		}
		free(f->refs[i].path);
		memmove(&f->refs[i], &f->refs[i + 1], (--f->n_refs - i) * sizeof(*f->refs));
	}
	note_globbed(g, f);
}

void file_rename(struct guard *g, struct file *f)
{
	char *name;

	for (size_t i = 0; i < f->n_refs; i++)
		if (strcmp(f->refs[i].path, f->source.name) == 0)
			return;
	name = f->n_refs > 0 ? strdup(f->refs[0].path) : NULL;
	if (name == NULL)
		return;
	file_drop_key(g, file_key(f));
	free(f->source.name);
	f->source.name = name;
	f->dirty = true;
}

void file_free(struct file *f)
{
	if (f->quiet != NULL)
		event_free(f->quiet);
	for (size_t i = 0; i < f->n_refs; i++)
		free(f->refs[i].path);
	free(f->refs);
	tail_done(&f->tail);
	source_done(&f->source);
	free(f);
}

void file_close(struct guard *g, struct file *f)
{
	struct msg_file_ref done = {.dev = f->tail.dev, .ino = f->tail.ino, .told = f->told};
	struct file **link = &g->files;

	snprintf(done.path, sizeof(done.path), "%s", f->source.name);
	if (f->told > 0)
		channel_send(g->keeper, MSG_FILE_DONE, &done, sizeof(done), -1);
	file_drop_key(g, file_key(f));
	if (f->wd >= 0 && (size_t)f->wd < g->n_by_wd && g->by_wd[f->wd] == f)
		g->by_wd[f->wd] = NULL;
	if (g->next_globbed == f)
		g->next_globbed = f->next;
	while (*link != f)
		link = &(*link)->next;
	*link = f->next;
	file_free(f);
}

struct file *file_new(struct guard *g, const char *path, int fd, uint64_t dev, uint64_t ino, int wd)
{
	struct file *f = calloc(1, sizeof(*f));

	if (f == NULL) {
		close(fd);
		return NULL;
	}
	tail_init(&f->tail, fd, dev, ino);
	f->guard = g;
	if (source_init(&f->source, path) < 0 || file_set_wd(g, f, wd) < 0) {
		file_free(f);
		return NULL;
	}
	return f;
}

bool file_look(struct guard *g, struct file *f)
{
	bool packed;

	/* Shorter than it was: it may have been begun anew, as a log. */
	if (f->unfit != NULL && tail_size(&f->tail) < f->unfit_size)
		f->unwrap.looked = false;
	if (f->unwrap.looked)
		return f->unfit == NULL;
	f->unfit = unwrap_look(&f->unwrap, &f->tail, f->globbed);
	if (f->unfit == NULL)
		return f->unwrap.looked;
	f->unfit_size = tail_size(&f->tail);
	packed = strcmp(f->unfit, "binary") != 0;
	if (files_may_tell(g))
		log_notice("%s is %s%s and not read as a log%s", f->source.name, f->unfit,
			packed ? " data" : "",
			packed ? "" : "; if it is one in another encoding, name it as logencoding");
	return false;
}

void file_resume(struct guard *g, struct file *f, uint64_t offset)
{
	file_look(g, f);
	tail_resume(&f->tail, offset);
	unwrap_resume(&f->unwrap, &f->tail, g->buffer);
}

void file_seek_end(struct guard *g, struct file *f)
{
	file_look(g, f);
	tail_seek_end(&f->tail);
	unwrap_resume(&f->unwrap, &f->tail, g->buffer);
}

void file_wake(struct guard *g, struct file *f)
{
	f->pending = true;
	event_active(g->work, EV_TIMEOUT, 0);
}

bool files_may_tell(struct guard *g)
{
	unsigned held;

	if (!log_limit_pass(&g->file_limit, &held)) {
		g->losses.log_held++;
		return false;
	}
	if (held > 0)
		log_info("%u notices about log files were held back", held);
	return true;
}
