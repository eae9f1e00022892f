/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which file is the one that was read before, and where to go on; predecessors that were rotated
 * away. */
#include "guard/internal.h"

#include "base/clock.h"
#include "guard/seek.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void resume_remember(struct guard *g, const struct store_position *p)
{
	struct saved_position *s = calloc(1, sizeof(*s));
	const char *mark = strchr(p->path, ROTATED_MARK);

	if (s == NULL)
		return;
	s->rotated = mark != NULL;
	s->path = mark != NULL ? strndup(p->path, (size_t)(mark - p->path)) : strdup(p->path);
	if (s->path == NULL) {
		free(s);
		return;
	}
	s->ino = p->inode;
	s->offset = p->offset;
	s->head_hash = p->head_hash;
	s->head_len = p->head_len;
	s->next = g->saved;
	g->saved = s;
}

static void forget(struct guard *g, struct saved_position *s)
{
	struct saved_position **link = &g->saved;

	while (*link != s)
		link = &(*link)->next;
	*link = s->next;
	free(s->path);
	free(s);
}

static struct saved_position *saved_at(struct guard *g, const char *path, bool rotated)
{
	for (struct saved_position *s = g->saved; s != NULL; s = s->next)
		if (s->rotated == rotated && strcmp(s->path, path) == 0)
			return s;
	return NULL;
}

/* Its key in the store. */
static char *key_of(const struct saved_position *s)
{
	char *key;

	if (!s->rotated)
		return strdup(s->path);
	if (asprintf(&key, "%s%c%llu", s->path, ROTATED_MARK, (unsigned long long)s->ino) < 0)
		return NULL;
	return key;
}

/* Does the file begin as the saved one did, and is it as long? (One begun later may begin alike.)
 */
static bool looks_like(const struct tail *t, const struct saved_position *s)
{
	int64_t size = tail_size(t);

	return tail_is(t, s->head_hash, s->head_len) && size >= 0 && (uint64_t)size >= s->offset;
}

static bool continues(const struct tail *t, const struct saved_position *s)
{
	return t->ino == s->ino && looks_like(t, s);
}

static void ask_siblings(struct guard *g, const char *path, uint64_t dev, uint64_t ino)
{
	struct msg_file_ref ask = {.dev = dev, .ino = ino};

	snprintf(ask.path, sizeof(ask.path), "%s", path);
	channel_send(g->keeper, MSG_SIBLINGS, &ask, sizeof(ask), -1);
}

void resume_settle(struct guard *g, struct file *f, const struct msg_file *m)
{
	struct saved_position *s = saved_at(g, f->source.name, false);
	int64_t findtime_us = source_findtime_us(g, &f->source);

	if (s != NULL && continues(&f->tail, s)) {
		file_resume(g, f, s->offset);
		forget(g, s);
		s = NULL;
	} else if (s == NULL && m->at_start && g->o->plan->patterns.items[m->pattern].tail) {
		file_seek_end(g, f);
	} else if (s == NULL && m->at_start && file_look(g, f) && f->unwrap.charset == NULL) {
		file_resume(g, f,
			seek_to(f->tail.fd, unwrap_detect(&f->unwrap, &f->tail, g->buffer),
				f->source.n_dates > 0 ? f->source.dates[0].finder : NULL,
				clock_wall_us() - findtime_us));
	}
	/* It was rotated while we were not there: what was left in it comes first. */
	f->asking = s != NULL || saved_at(g, f->source.name, true) != NULL;
	if (f->asking)
		ask_siblings(g, f->source.name, f->tail.dev, f->tail.ino);
}

int resume_sibling(struct guard *g, const struct msg_file *m, int fd)
{
	struct candidate *c;

	if (g->n_candidates == CANDIDATES_MAX || file_find(g, m->dev, m->ino) != NULL) {
		close(fd);
		return 0;
	}
	c = &g->candidates[g->n_candidates];
	*c = (struct candidate) {.fd = fd, .dev = m->dev, .ino = m->ino, .name = strdup(m->path)};
	if (c->name != NULL)
		g->n_candidates++;
	else
		close(fd);
	return 0;
}

/* The candidate that is the file of a saved position, or -1. */
static int match_candidate(const struct guard *g, const struct saved_position *s,
	bool (*is)(const struct tail *t, const struct saved_position *s))
{
	for (size_t i = 0; i < g->n_candidates; i++) {
		const struct candidate *c = &g->candidates[i];
		struct tail t = {.fd = c->fd, .dev = c->dev, .ino = c->ino};

		if (c->fd >= 0 && is(&t, s))
			return (int)i;
	}
	return -1;
}

/* Who reads the path reads its past. False: nobody does any more. */
static bool add_readers(struct guard *g, struct file *f, const char *path)
{
	const struct patterns *p = &g->o->plan->patterns;

	for (size_t i = 0; i < p->n; i++) {
		if (fnmatch(p->items[i].text, path, FNM_PATHNAME | FNM_PERIOD) != 0)
			continue;
		file_set_format(f, &p->items[i]);
		for (size_t k = 0; k < p->items[i].n_jails; k++)
			if (source_add_jail(g, &f->source, p->items[i].jails[k]) < 0)
				g->losses.no_memory++;
	}
	return f->source.n_jails > 0;
}

/* Reads a candidate from an offset to its end, before the files already in the list. */
static void catch_up(
	struct guard *g, struct candidate *c, const struct saved_position *s, uint64_t offset)
{
	struct file *f = file_new(g, s->path, TAKE_FD(c->fd), c->dev, c->ino, -1);

	if (f == NULL) {
		g->losses.no_memory++;
		return;
	}
	if (!add_readers(g, f, s->path)) {
		file_free(f);
		return;
	}
	f->catch_up = f->dirty = true;
	file_resume(g, f, offset);
	f->next = g->files;
	g->files = f;
	log_info("%s: going on in %s at byte %llu", s->path, c->name, (unsigned long long)offset);
	file_wake(g, f);
}

static void resolve(struct guard *g, struct saved_position *s)
{
	struct file *current = file_at(g, s->path);
	int at = match_candidate(g, s, continues);
	int64_t left;

	file_drop_key(g, key_of(s));
	if (at < 0 && !s->rotated && current != NULL && s->head_len > 0 &&
		looks_like(&current->tail, s)) {
		/* The same log in another inode: restored, or moved to another disk. */
		file_resume(g, current, s->offset);
		return;
	}
	if (at < 0 && s->head_len > 0)
		at = match_candidate(g, s, looks_like); /* copied aside, then truncated */
	if (at < 0) {
		/* One that had left its path before was read to its end then, as far as it went. */
		if (!s->rotated && s->offset > 0 && files_may_tell(g))
			log_warning(
				"%s was rotated while it was not read, and the file it was is not "
				"found beside it: what was written there after byte %llu was not "
				"judged",
				s->path, (unsigned long long)s->offset);
		return;
	}
	left = tail_size(&(struct tail) {.fd = g->candidates[at].fd});
	/* Whole files that came and went in between; pushed to the front, so newest first. */
	for (int i = 0; !s->rotated && i < at; i++)
		if (g->candidates[i].fd >= 0)
			catch_up(g, &g->candidates[i], s, 0);
	if (left > (int64_t)s->offset)
		catch_up(g, &g->candidates[at], s, s->offset);
}

/* The last to be resolved is the first to be read: those that were rotated before we left. */
static void resolve_all(struct guard *g, const char *path, bool rotated)
{
	struct saved_position *next;

	for (struct saved_position *s = g->saved; s != NULL; s = next) {
		next = s->next;
		if (s->rotated != rotated || strcmp(s->path, path) != 0)
			continue;
		resolve(g, s);
		forget(g, s);
	}
}

static void drop_candidates(struct guard *g)
{
	for (size_t i = 0; i < g->n_candidates; i++) {
		if (g->candidates[i].fd >= 0)
			close(g->candidates[i].fd);
		free(g->candidates[i].name);
	}
	g->n_candidates = 0;
}

int resume_siblings_end(struct guard *g, const struct msg_file_ref *m)
{
	struct file *f;

	resolve_all(g, m->path, false);
	resolve_all(g, m->path, true);
	drop_candidates(g);
	f = file_at(g, m->path);
	if (f != NULL && f->asking) {
		f->asking = false;
		file_wake(g, f);
	}
	return 0;
}

static bool is_configured(const struct guard *g, const char *path)
{
	const struct patterns *p = &g->o->plan->patterns;

	for (size_t i = 0; i < p->n; i++)
		if (fnmatch(p->items[i].text, path, FNM_PATHNAME | FNM_PERIOD) == 0)
			return true;
	return false;
}

void resume_leftovers(struct guard *g)
{
	struct saved_position *next;

	for (struct saved_position *s = g->saved; s != NULL; s = next) {
		next = s->next;
		if (!is_configured(g, s->path)) {
			file_drop_key(g, key_of(s));
			forget(g, s);
		} else if (file_at(g, s->path) == NULL) {
			ask_siblings(g, s->path, 0, 0);
		}
	}
}

void resume_done(struct guard *g)
{
	drop_candidates(g);
	while (g->saved != NULL)
		forget(g, g->saved);
}
