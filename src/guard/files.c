/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Log files as guard sees them: descriptors from keeper, where to begin, what is left to read. */
#include "guard/internal.h"

#include "base/clock.h"
#include "guard/seek.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define BUDGET (1 << 20)    /* bytes of one file a turn: others get theirs too */
#define RETIRE_QUIET_SEC 60 /* a rotated file may still be written to for a while */
#define WD_MAX 1000000

/* A rotated file's position is kept beside that of its successor at the same path. */
#define ROTATED_MARK '\x01'

char *files_key(const struct file *f)
{
	char *key;

	if (!f->retired && !f->catch_up)
		return strdup(f->source.name);
	if (asprintf(&key, "%s%c%llu", f->source.name, ROTATED_MARK,
		    (unsigned long long)f->tail.ino) < 0)
		return NULL;
	return key;
}

void files_remember(struct guard *g, const struct store_position *p)
{
	struct saved_position *s = calloc(1, sizeof(*s));
	const char *mark = strchr(p->path, ROTATED_MARK);

	if (s == NULL)
		return;
	s->rotated = mark != NULL;
	s->path = mark != NULL ? strndup(p->path, (size_t)(mark - p->path)) : strdup(p->path);
	s->ino = p->inode;
	s->offset = p->offset;
	s->head_hash = p->head_hash;
	s->head_len = p->head_len;
	s->next = g->saved;
	g->saved = s;
	if (s->path == NULL) {
		g->saved = s->next;
		free(s);
	}
}

/* The store shall forget what it knows under this file's present key. */
static void drop_key(struct guard *g, char *key)
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

static void forget_saved(struct guard *g, struct saved_position *s)
{
	struct saved_position **link = &g->saved;

	while (*link != s)
		link = &(*link)->next;
	*link = s->next;
	free(s->path);
	free(s);
}

static struct saved_position *find_saved(struct guard *g, const char *path, bool rotated)
{
	for (struct saved_position *s = g->saved; s != NULL; s = s->next)
		if (s->rotated == rotated && strcmp(s->path, path) == 0)
			return s;
	return NULL;
}

static struct file *find_file(struct guard *g, uint64_t dev, uint64_t ino)
{
	for (struct file *f = g->files; f != NULL; f = f->next)
		if (f->tail.ino == ino && f->tail.dev == dev)
			return f;
	return NULL;
}

static void wake(struct guard *g, struct file *f)
{
	f->pending = true;
	event_active(g->work, EV_TIMEOUT, 0);
}

static int map_wd(struct guard *g, int wd, struct file *f)
{
	if (wd < 0 || wd > WD_MAX)
		return -EINVAL;
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

static int add_ref(struct guard *g, struct file *f, uint32_t pattern, const char *path)
{
	const struct pattern *p = &g->o->plan->patterns.items[pattern];
	struct file_ref *refs;

	for (size_t i = 0; i < p->n_jails; i++)
		if (source_add_jail(&f->source, p->jails[i]) < 0)
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
	return 0;
}

static void file_free(struct file *f)
{
	if (f->retire != NULL)
		event_free(f->retire);
	for (size_t i = 0; i < f->n_refs; i++)
		free(f->refs[i].path);
	free(f->refs);
	tail_done(&f->tail);
	source_done(&f->source);
	free(f);
}

/* Nothing more comes from it: the store forgets its position, keeper its watch. */
static void file_close(struct guard *g, struct file *f)
{
	struct msg_file_ref done = {.dev = f->tail.dev, .ino = f->tail.ino};
	struct file **link = &g->files;

	snprintf(done.path, sizeof(done.path), "%s", f->source.name);
	channel_send(g->keeper, MSG_FILE_DONE, &done, sizeof(done), -1);
	drop_key(g, files_key(f));
	if (f->wd >= 0 && (size_t)f->wd < g->n_by_wd && g->by_wd[f->wd] == f)
		g->by_wd[f->wd] = NULL;
	while (*link != f)
		link = &(*link)->next;
	*link = f->next;
	file_free(f);
}

static struct file *file_new(
	struct guard *g, const char *path, int fd, uint64_t dev, uint64_t ino, int wd)
{
	struct file *f = calloc(1, sizeof(*f));

	if (f == NULL) {
		close(fd);
		return NULL;
	}
	tail_init(&f->tail, fd, dev, ino);
	f->guard = g;
	f->wd = wd;
	if (source_init(&f->source, path) < 0 || (wd >= 0 && map_wd(g, wd, f) < 0)) {
		file_free(f);
		return NULL;
	}
	return f;
}

static void append(struct guard *g, struct file *f)
{
	struct file **link = &g->files;

	while (*link != NULL)
		link = &(*link)->next;
	*link = f;
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

static int64_t longest_findtime_us(const struct guard *g, const struct file *f)
{
	int64_t sec = 0;

	for (size_t i = 0; i < f->source.n_jails; i++)
		if (g->rs->jails[f->source.jails[i]].findtime_sec > sec)
			sec = g->rs->jails[f->source.jails[i]].findtime_sec;
	return sec * USEC_PER_SEC;
}

/* Where to begin: where we were, or at what a file never seen before is to be read from. */
static void settle_start(struct guard *g, struct file *f, const struct msg_file *m)
{
	struct saved_position *s = find_saved(g, f->source.name, false);

	if (s != NULL && continues(&f->tail, s)) {
		tail_resume(&f->tail, s->offset);
		forget_saved(g, s);
		s = NULL;
	} else if (s == NULL && m->at_start && g->o->plan->patterns.items[m->pattern].tail) {
		tail_seek_end(&f->tail);
	} else if (s == NULL && m->at_start) {
		tail_resume(&f->tail, seek_to(f->tail.fd, f->source.dates,
					      clock_wall_us() - longest_findtime_us(g, f)));
	}
	f->started = true;
	if (s != NULL || find_saved(g, f->source.name, true) != NULL) {
		struct msg_file_ref ask = {.dev = f->tail.dev, .ino = f->tail.ino};

		/* It was rotated while we were not there: what was left in it comes first. */
		snprintf(ask.path, sizeof(ask.path), "%s", f->source.name);
		f->asking = s != NULL;
		channel_send(g->keeper, MSG_SIBLINGS, &ask, sizeof(ask), -1);
	}
}

int files_opened(struct guard *g, const struct msg_file *m, int fd)
{
	struct file *f;

	if (m->pattern >= g->o->plan->patterns.n) {
		close(fd);
		return -EINVAL;
	}
	f = find_file(g, m->dev, m->ino);
	if (f != NULL) {
		close(fd);
		if (f->retired) {
			/* Moved back, or linked anew. */
			drop_key(g, files_key(f));
			f->retired = false;
			f->dirty = true;
			event_del(f->retire);
		}
		if (add_ref(g, f, m->pattern, m->path) < 0)
			g->losses.no_memory++;
		wake(g, f);
		return 0;
	}
	f = file_new(g, m->path, fd, m->dev, m->ino, m->wd);
	if (f == NULL || add_ref(g, f, m->pattern, m->path) < 0) {
		if (f != NULL)
			file_free(f);
		g->losses.no_memory++;
		return 0;
	}
	append(g, f);
	settle_start(g, f, m);
	f->dirty = true;
	wake(g, f);
	persist_plan(g);
	if (g->reading)
		log_info("%s is there now and watched", m->path);
	return 0;
}

static void on_quiet(evutil_socket_t fd, short what, void *arg);

static void start_quiet(struct file *f)
{
	struct timeval tv = {.tv_sec = RETIRE_QUIET_SEC};

	if (f->retire == NULL)
		f->retire = evtimer_new(f->guard->base, on_quiet, f);
	if (f->retire != NULL)
		evtimer_add(f->retire, &tv);
}

/* The name under which its position is kept has gone; another path to it takes over. */
static void rename_to_next_ref(struct guard *g, struct file *f)
{
	char *name;

	if (f->n_refs == 0 || strcmp(f->refs[0].path, f->source.name) == 0)
		return;
	name = strdup(f->refs[0].path);
	if (name == NULL)
		return;
	drop_key(g, files_key(f));
	free(f->source.name);
	f->source.name = name;
	f->dirty = true;
}

int files_left(struct guard *g, const struct msg_file_ref *m)
{
	struct file *f = find_file(g, m->dev, m->ino);

	if (f == NULL || f->retired)
		return 0;
	for (size_t i = 0; i < f->n_refs;) {
		if (strcmp(f->refs[i].path, m->path) != 0) {
			i++;
			continue;
		}
		free(f->refs[i].path);
		memmove(&f->refs[i], &f->refs[i + 1], (--f->n_refs - i) * sizeof(*f->refs));
	}
	if (f->n_refs > 0) {
		rename_to_next_ref(g, f);
		return 0;
	}
	drop_key(g, files_key(f));
	f->retired = true;
	f->dirty = true;
	log_info("%s was moved away or removed; reading it to its end", f->source.name);
	start_quiet(f);
	wake(g, f);
	return 0;
}

int files_sibling(struct guard *g, const struct msg_file *m, int fd)
{
	struct candidate *c;

	if (g->n_candidates == CANDIDATES_MAX || find_file(g, m->dev, m->ino) != NULL) {
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

static struct file *current_at(struct guard *g, const char *path)
{
	for (struct file *f = g->files; f != NULL; f = f->next)
		if (!f->catch_up && !f->retired && strcmp(f->source.name, path) == 0)
			return f;
	return NULL;
}

/* Reads a candidate from an offset to its end, before the files already in the list. */
static void catch_up(
	struct guard *g, struct candidate *c, const struct saved_position *s, uint64_t offset)
{
	const struct file *current = current_at(g, s->path);
	struct file *f;

	f = file_new(g, s->path, TAKE_FD(c->fd), c->dev, c->ino, -1);
	if (f == NULL) {
		g->losses.no_memory++;
		return;
	}
	/* Who reads the path reads its past; if nothing is there now, the patterns tell. */
	for (size_t i = 0; current != NULL && i < current->source.n_jails; i++)
		source_add_jail(&f->source, current->source.jails[i]);
	for (size_t i = 0; current == NULL && i < g->o->plan->patterns.n; i++)
		if (strcmp(g->o->plan->patterns.items[i].text, s->path) == 0)
			for (size_t k = 0; k < g->o->plan->patterns.items[i].n_jails; k++)
				source_add_jail(&f->source, g->o->plan->patterns.items[i].jails[k]);
	f->catch_up = f->started = f->dirty = true;
	tail_resume(&f->tail, offset);
	f->next = g->files;
	g->files = f;
	log_info("%s: going on in %s at byte %llu", s->path, c->name, (unsigned long long)offset);
	wake(g, f);
}

static void resolve(struct guard *g, struct saved_position *s)
{
	struct file *current = current_at(g, s->path);
	int at = match_candidate(g, s, continues);
	int64_t left;

	if (at < 0 && !s->rotated && current != NULL && s->head_len > 0 &&
		looks_like(&current->tail, s)) {
		/* The same log in another inode: restored, or moved to another disk. */
		tail_resume(&current->tail, s->offset);
		return;
	}
	if (at < 0 && s->head_len > 0)
		at = match_candidate(g, s, looks_like); /* copied aside, then truncated */
	if (at < 0) {
		log_warning(
			"%s was rotated while it was not read, and the file it was is not found "
			"beside it: what was written there after byte %llu was not judged",
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

int files_siblings_end(struct guard *g, const struct msg_file_ref *m)
{
	struct saved_position *s, *next;

	for (s = g->saved; s != NULL; s = next) {
		next = s->next;
		if (strcmp(s->path, m->path) != 0)
			continue;
		resolve(g, s);
		if (s->rotated) {
			char *key;

			if (asprintf(&key, "%s%c%llu", s->path, ROTATED_MARK,
				    (unsigned long long)s->ino) >= 0)
				drop_key(g, key);
		}
		forget_saved(g, s);
	}
	for (size_t i = 0; i < g->n_candidates; i++) {
		if (g->candidates[i].fd >= 0)
			close(g->candidates[i].fd);
		free(g->candidates[i].name);
	}
	g->n_candidates = 0;
	for (struct file *f = g->files; f != NULL; f = f->next) {
		if (f->asking && strcmp(f->source.name, m->path) == 0) {
			f->asking = false;
			wake(g, f);
		}
	}
	return 0;
}

int files_trouble(struct guard *g, const struct msg_trouble *m)
{
	struct trouble **link = &g->troubles, *t;

	while (*link != NULL &&
		((*link)->pattern != m->pattern || strcmp((*link)->path, m->path) != 0))
		link = &(*link)->next;
	t = *link;
	if (t != NULL) {
		*link = t->next;
		free(t->path);
		free(t->what);
		free(t);
	}
	if (m->what[0] == '\0')
		return 0;
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return 0;
	t->pattern = m->pattern;
	t->path = strdup(m->path);
	t->what = strdup(m->what);
	t->next = g->troubles;
	g->troubles = t;
	return 0;
}

struct reading {
	struct guard *g;
	struct file *f;
};

static void on_line(void *arg, const char *line, size_t len, uint64_t off, bool cut)
{
	const struct reading *r = arg;
	struct guard_mark *mark = r->g->o->mark;

	if (cut)
		r->g->losses.long_lines++;
	if (mark->poison_ino == r->f->tail.ino && mark->poison_offset == off &&
		mark->poison_ino != 0) {
		r->g->losses.poison++;
		return;
	}
	mark->ino = r->f->tail.ino;
	mark->offset = off;
	mark->judging = 1;
	source_line(r->g, &r->f->source, line, len, NULL);
	mark->judging = 0;
}

/* A rotated file to which nothing was written for a while: its last line needs no newline any more.
 */
static void on_quiet(evutil_socket_t fd, short what, void *arg)
{
	struct file *f = arg;
	struct guard *g = f->guard;
	struct reading reading = {g, f};

	(void)fd;
	(void)what;
	tail_finish(&f->tail, g->buffer, on_line, &reading);
	file_close(g, f);
	guard_turn_end(g);
}

/* Reads a turn's worth of one file. */
static void read_file(struct guard *g, struct file *f)
{
	struct reading reading = {g, f};
	uint64_t restarts = f->tail.restarts;
	int r = tail_read(&f->tail, g->buffer, BUDGET, on_line, &reading);

	f->dirty = true;
	f->pending = r == 1;
	if (f->tail.restarts != restarts)
		log_info("%s was truncated or written anew: reading it from its start",
			f->source.name);
	if (r < 0 && !f->failing)
		log_error("%s: cannot read: %s", f->source.name, strerror(-r));
	f->failing = r < 0;
	f->source.live |= r == 0;
	if (f->retired && r == 0)
		start_quiet(f);
	if (f->catch_up && r <= 0) {
		tail_finish(&f->tail, g->buffer, on_line, &reading);
		file_close(g, f);
	}
}

static void on_work(evutil_socket_t fd, short what, void *arg)
{
	struct guard *g = arg;
	struct file *next;
	bool more = false;

	(void)fd;
	(void)what;
	if (!g->reading)
		return;
	for (struct file *f = g->files; f != NULL; f = next) {
		next = f->next;
		if (!f->pending || !f->started || f->asking)
			continue;
		read_file(g, f);
	}
	for (struct file *f = g->files; f != NULL; f = f->next)
		more |= f->pending && f->started && !f->asking;
	guard_turn_end(g);
	if (more) {
		struct timeval now = {0};

		/* Not event_active: descriptors that are ready get their turn in between. */
		evtimer_add(g->work, &now);
	}
}

static void on_inotify(evutil_socket_t fd, short what, void *arg)
{
	struct guard *g = arg;
	_Alignas(struct inotify_event) char buf[16384];
	const struct inotify_event *e;
	ssize_t n;

	(void)what;
	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		for (char *p = buf; p < buf + n; p += sizeof(*e) + e->len) {
			e = (const struct inotify_event *)p;
			if ((e->mask & IN_Q_OVERFLOW) != 0)
				for (struct file *f = g->files; f != NULL; f = f->next)
					f->pending = true;
			else if (e->wd >= 0 && (size_t)e->wd < g->n_by_wd &&
				 g->by_wd[e->wd] != NULL)
				g->by_wd[e->wd]->pending = true;
		}
		if ((size_t)n < sizeof(buf) / 2)
			break;
	}
	on_work(-1, 0, g);
}

void files_start(struct guard *g)
{
	g->reading = true;
	/* Positions whose path names nothing now: their files may still lie beside it. */
	for (struct saved_position *s = g->saved; s != NULL; s = s->next) {
		struct msg_file_ref ask = {0};
		bool open = false;

		for (struct file *f = g->files; f != NULL; f = f->next)
			open |= strcmp(f->source.name, s->path) == 0;
		if (open)
			continue; /* asked for already */
		snprintf(ask.path, sizeof(ask.path), "%s", s->path);
		channel_send(g->keeper, MSG_SIBLINGS, &ask, sizeof(ask), -1);
	}
	event_active(g->work, EV_TIMEOUT, 0);
}

int files_init(struct guard *g)
{
	g->buffer = malloc(TAIL_BUFFER);
	g->inotify = event_new(g->base, g->o->inotify_fd, EV_READ | EV_PERSIST, on_inotify, g);
	g->work = evtimer_new(g->base, on_work, g);
	if (g->buffer == NULL || g->inotify == NULL || g->work == NULL)
		return -ENOMEM;
	return event_add(g->inotify, NULL) < 0 ? -ENOMEM : 0;
}

void files_done(struct guard *g)
{
	struct file *next;

	for (struct file *f = g->files; f != NULL; f = next) {
		next = f->next;
		file_free(f);
	}
	while (g->saved != NULL)
		forget_saved(g, g->saved);
	if (g->inotify != NULL)
		event_free(g->inotify);
	if (g->work != NULL)
		event_free(g->work);
	free(g->by_wd);
	free(g->buffer);
}
