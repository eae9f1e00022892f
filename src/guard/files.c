/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What keeper tells of log files, and reading them: each its turn, none at the cost of the others.
 */
#include "guard/internal.h"

#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>

#define A_PIECE TAIL_BUFFER /* of one file, then the next has its turn */
/* Files that globs find may be many, and anybody's: all of them together get so long a turn. */
#define GLOBBED_US 5000
#define QUIET_SEC 60   /* a rotated file may still be written to for a while */
#define RETIRED_MAX 64 /* rotated files kept open for that */
#define TELL_A_MINUTE 60

struct reading {
	struct guard *g;
	struct file *f;
};

static void on_logged(void *arg, const struct unwrap_line *line)
{
	const struct reading *r = arg;

	if (line->cut)
		r->g->losses.long_lines++;
	if (!source_begin(r->g, r->f->tail.ino, line->off))
		return;
	r->f->source.carried_us = line->has_time ? line->time_us : 0;
	judge_line(r->g, &r->f->source, line->text, line->len, NULL);
	source_end(r->g);
}

static void on_line(void *arg, const struct tail_line *line)
{
	const struct reading *r = arg;

	unwrap_take(&r->f->unwrap, &r->f->tail, line, on_logged, arg);
}

static size_t on_block(void *arg, const struct tail_block *block, uint64_t *ret_lines)
{
	const struct reading *r = arg;
	struct file *f = r->f;

	if (!unwrap_is_plain(&f->unwrap, &f->tail, block->off))
		return 0;
	f->source.carried_us = 0;
	return judge_block(r->g, &f->source, f->tail.ino, block, ret_lines);
}

/* The file from which this one took over its path. */
static const struct file *file_before(const struct guard *g, const struct file *f)
{
	const struct file *before = NULL;

	for (const struct file *o = g->files; o != NULL; o = o->next)
		if ((o->retired || o->catch_up) && strcmp(o->source.name, f->source.name) == 0)
			before = o;
	return before;
}

static void on_quiet(evutil_socket_t fd, short what, void *arg);

static void start_quiet(struct file *f)
{
	struct timeval tv = {.tv_sec = QUIET_SEC};

	if (f->quiet == NULL)
		f->quiet = evtimer_new(f->guard->base, on_quiet, f);
	if (f->quiet != NULL)
		evtimer_add(f->quiet, &tv);
}

/* Reads a piece of one file. */
static void read_piece(struct guard *g, struct file *f)
{
	struct reading reading = {g, f};
	uint64_t restarts = f->tail.restarts;
	const struct file *before;
	int r = 0;

	if (file_look(g, f)) {
		before = f->tail.offset == 0 ? file_before(g, f) : NULL;
		if (before != NULL)
			unwrap_follow(&f->unwrap, &before->tail, g->buffer);
		r = tail_read_blocks(&f->tail, g->buffer, A_PIECE, on_block, on_line, &reading);
	}
	f->dirty = f->unfit == NULL;
	f->pending = r == 1;
	if (f->tail.restarts != restarts) {
		f->unwrap.looked = false;
		if (files_may_tell(g))
			log_info("%s was truncated or written anew: reading it from its start",
				f->source.name);
	}
	if (r < 0 && !f->failing)
		log_error("%s: cannot read: %s", f->source.name, strerror(-r));
	f->failing = r < 0;
	f->source.live |= r == 0;
	if (f->catch_up && r <= 0) {
		/* Its writer may not have noticed that it was rotated. */
		f->catch_up = false;
		f->retired = true;
	}
	if (f->retired && r <= 0)
		start_quiet(f);
}

/* A rotated file to which nothing was written for a while: its last line needs no newline any more.
 */
static void on_quiet(evutil_socket_t fd, short what, void *arg)
{
	struct file *f = arg;
	struct guard *g = f->guard;
	struct reading reading = {g, f};
	uint64_t before = f->tail.offset;

	(void)fd;
	(void)what;
	read_piece(g, f);
	if (!f->pending && f->tail.offset == before) {
		if (f->unfit == NULL) {
			tail_finish(&f->tail, g->buffer, on_line, &reading);
			unwrap_finish(&f->unwrap, &f->tail, on_logged, &reading);
		}
		file_close(g, f);
	} else if (f->pending) {
		file_wake(g, f);
	}
	guard_turn_end(g);
}

/* Too many wait for their last line: the one that was rotated first waits no longer. */
static void limit_retired(struct guard *g)
{
	struct file *oldest = NULL;
	size_t n = 0;

	for (struct file *f = g->files; f != NULL; f = f->next) {
		if (!f->retired)
			continue;
		n++;
		if (oldest == NULL)
			oldest = f;
	}
	if (n <= RETIRED_MAX)
		return;
	for (unsigned i = 0; i < 16 && oldest->pending; i++)
		read_piece(g, oldest);
	if (oldest->pending)
		g->losses.files++;
	file_close(g, oldest);
}

static void append(struct guard *g, struct file *f)
{
	struct file **link = &g->files;

	while (*link != NULL)
		link = &(*link)->next;
	*link = f;
}

/* A file that is open already has got another path, or is back under one. */
static void known_again(struct guard *g, struct file *f, const struct msg_file *m)
{
	if (f->retired || f->catch_up) {
		file_drop_key(g, file_key(f));
		f->retired = f->catch_up = false;
		f->dirty = true;
		if (f->quiet != NULL)
			event_del(f->quiet);
	}
	if (file_set_wd(g, f, m->wd) < 0 || file_add_ref(g, f, m->pattern, m->path) < 0)
		g->losses.no_memory++;
	file_rename(g, f);
	file_wake(g, f);
}

int files_opened(struct guard *g, const struct msg_file *m, int fd)
{
	struct file *f;

	if (m->pattern >= g->o->plan->patterns.n) {
		close(fd);
		return -EINVAL;
	}
	f = file_find(g, m->dev, m->ino);
	if (f != NULL) {
		close(fd);
		f->told++;
		known_again(g, f, m);
		return 0;
	}
	f = file_new(g, m->path, fd, m->dev, m->ino, m->wd);
	if (f == NULL || file_add_ref(g, f, m->pattern, m->path) < 0) {
		if (f != NULL)
			file_free(f);
		g->losses.no_memory++;
		return 0;
	}
	f->told = 1;
	append(g, f);
	resume_settle(g, f, m);
	f->dirty = true;
	file_wake(g, f);
	persist_plan(g);
	if (g->reading && files_may_tell(g))
		log_info("%s is there now and watched", m->path);
	return 0;
}

int files_left(struct guard *g, const struct msg_file_ref *m)
{
	struct file *f = file_find(g, m->dev, m->ino);

	if (f == NULL || f->retired)
		return 0;
	file_drop_refs(g, f, m->path);
	if (f->n_refs > 0) {
		file_rename(g, f);
		return 0;
	}
	if (!f->catch_up)
		file_drop_key(g, file_key(f));
	f->catch_up = false;
	f->retired = true;
	f->dirty = true;
	if (files_may_tell(g))
		log_info("%s was moved away or removed; reading it to its end", f->source.name);
	start_quiet(f);
	file_wake(g, f);
	limit_retired(g);
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
	if (t->path == NULL || t->what == NULL) {
		free(t->path);
		free(t->what);
		free(t);
		return 0;
	}
	t->next = g->troubles;
	g->troubles = t;
	return 0;
}

static bool is_ready(const struct file *f)
{
	return f->pending && !f->asking;
}

/* Goes round those that globs found, from where it stopped, for as long as the turn lasts. */
static void read_globbed(struct guard *g)
{
	int64_t end_us = clock_mono_us() + GLOBBED_US;
	struct file *f = g->next_globbed, *first;

	if (f == NULL)
		f = g->files;
	first = f;
	while (f != NULL) {
		if (f->globbed && is_ready(f)) {
			if (clock_mono_us() > end_us)
				break;
			read_piece(g, f);
		}
		f = f->next != NULL ? f->next : g->files;
		if (f == first)
			break;
	}
	g->next_globbed = f;
}

static void on_work(evutil_socket_t fd, short what, void *arg)
{
	struct guard *g = arg;
	bool more = false;

	(void)fd;
	(void)what;
	if (!g->reading)
		return;
	for (struct file *f = g->files; f != NULL; f = f->next)
		if (!f->globbed && is_ready(f))
			read_piece(g, f);
	read_globbed(g);
	for (struct file *f = g->files; f != NULL; f = f->next)
		more |= is_ready(f);
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
			struct file *f;

			e = (const struct inotify_event *)p;
			if ((e->mask & IN_Q_OVERFLOW) != 0)
				for (f = g->files; f != NULL; f = f->next)
					f->pending = true;
			else if ((f = file_of_wd(g, e->wd)) != NULL)
				f->pending = true;
		}
		if ((size_t)n < sizeof(buf) / 2)
			break;
	}
	on_work(-1, 0, g);
}

void files_start(struct guard *g)
{
	g->reading = true;
	resume_leftovers(g);
	event_active(g->work, EV_TIMEOUT, 0);
}

int files_init(struct guard *g)
{
	g->file_limit.burst = TELL_A_MINUTE;
	g->buffer = malloc(TAIL_BUFFER);
	g->inotify = event_new(g->base, g->o->inotify_fd, EV_READ | EV_PERSIST, on_inotify, g);
	g->work = evtimer_new(g->base, on_work, g);
	if (g->buffer == NULL || g->inotify == NULL || g->work == NULL)
		return -ENOMEM;
	return event_add(g->inotify, NULL) < 0 ? -ENOMEM : 0;
}

void files_done(struct guard *g)
{
	struct trouble *next_trouble;
	struct file *next;

	for (struct file *f = g->files; f != NULL; f = next) {
		next = f->next;
		file_free(f);
	}
	for (struct trouble *t = g->troubles; t != NULL; t = next_trouble) {
		next_trouble = t->next;
		free(t->path);
		free(t->what);
		free(t);
	}
	resume_done(g);
	if (g->inotify != NULL)
		event_free(g->inotify);
	if (g->work != NULL)
		event_free(g->work);
	free(g->by_wd);
	free(g->buffer);
}
