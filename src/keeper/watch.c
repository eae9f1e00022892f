/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "keeper/watch.h"

#include "base/clock.h"
#include "base/util.h"
#include "keeper/watch_priv.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#define EVENT_BUF 65536
#define EVENT_READS 16 /* a turn, so that a flood of names leaves others their turn */

/* After a look that took long the next waits ten times that, up to a second: nobody who may write
 * to a log directory gets more than a tenth of the time. */
#define SLOW_US 1000
#define SLOW_FACTOR 10
#define WAIT_MAX_US USEC_PER_SEC
#define PLACE_KEEP_US (3600 * USEC_PER_SEC)
#define PLACES_WAIT_US (USEC_PER_SEC / 10) /* so that places are given away together */
#define RETRY_US USEC_PER_SEC /* for what no event will tell: memory or descriptors ran out */

static void entry_done(struct entry *e)
{
	free(e->path);
	free(e->real);
}

static void entries_done(struct entries *list)
{
	for (size_t i = 0; i < list->n; i++)
		entry_done(&list->items[i]);
	free(list->items);
	*list = (struct entries) {0};
}

static int entry_cmp(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->path, ((const struct entry *)b)->path);
}

struct entry *watch_find(const struct entries *list, const char *path)
{
	struct entry key = {.path = (char *)path};

	if (list->n == 0)
		return NULL;
	return bsearch(&key, list->items, list->n, sizeof(key), entry_cmp);
}

void watch_troubles_done(struct troubles *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->items[i].path);
		free(t->items[i].what);
	}
	t->n = 0;
}

static const struct trouble *trouble_with(const struct troubles *t, const char *path)
{
	for (size_t i = 0; i < t->n; i++) {
		if (strcmp(t->items[i].path, path) == 0)
			return &t->items[i];
	}
	return NULL;
}

int watch_note(struct watched *p, const char *path, const char *fmt, ...)
{
	struct trouble t;
	va_list ap;
	int n;

	if (p->now.n == WATCH_TROUBLES_MAX || trouble_with(&p->now, path) != NULL)
		return 0;
	t.path = strdup(path);
	va_start(ap, fmt);
	n = vasprintf(&t.what, fmt, ap);
	va_end(ap);
	if (t.path == NULL || n < 0) {
		free(t.path);
		if (n >= 0)
			free(t.what);
		return -ENOMEM;
	}
	p->now.items[p->now.n++] = t;
	return 0;
}

static void tell_left(struct watch *w, unsigned i, const struct entry *e)
{
	if (e->told)
		w->ops->left(w->arg, i, e->path, e->dev, e->ino);
}

/* What a walk that gave up did not come to is still there if it is still there. */
static bool still_there(const struct entry *e)
{
	struct stat st;

	return !e->replaced && stat(e->real, &st) == 0 && S_ISREG(st.st_mode) &&
	       st.st_dev == e->dev && st.st_ino == e->ino;
}

/* Keeps the entries the walk missed; -ENOMEM when they do not fit. */
static int keep_unseen(struct watched *p)
{
	struct entries *list = &p->found;
	size_t n = list->n;

	for (size_t i = 0; i < p->files.n; i++) {
		struct entry *e = &p->files.items[i], copy = *e, *items;
		struct entries seen = {.items = list->items, .n = n};

		if (watch_find(&seen, e->path) != NULL || !still_there(e))
			continue;
		items = reallocarray(list->items, list->n + 1, sizeof(*items));
		if (items == NULL)
			return -ENOMEM;
		list->items = items;
		list->room = list->n + 1;
		copy.path = strdup(e->path);
		copy.real = strdup(e->real);
		if (copy.path == NULL || copy.real == NULL) {
			entry_done(&copy);
			return -ENOMEM;
		}
		items[list->n++] = copy;
	}
	if (list->n > n)
		qsort(list->items, list->n, sizeof(*list->items), entry_cmp);
	return 0;
}

/* Looks at a pattern anew. On -ENOMEM everything stays as it was and it stays dirty. */
static int look(struct watch *w, unsigned i)
{
	struct watched *p = &w->patterns[i];
	int r = watch_walk(w, i);

	if (r == 0 && p->found.n > 0)
		qsort(p->found.items, p->found.n, sizeof(*p->found.items), entry_cmp);
	if (r == 0 && p->partial)
		r = keep_unseen(p);
	if (r < 0) {
		entries_done(&p->found);
		watch_troubles_done(&p->now);
		return r;
	}
	p->dirty = false;
	p->fresh = true;
	return 0;
}

/* Found becomes the files there are; what is gone or another file now is told. */
static void tell_gone(struct watch *w, unsigned i)
{
	struct watched *p = &w->patterns[i];

	for (size_t k = 0; k < p->files.n; k++) {
		const struct entry *e = &p->files.items[k];
		struct entry *now = watch_find(&p->found, e->path);

		if (now != NULL && now->dev == e->dev && now->ino == e->ino && !e->replaced)
			now->told = e->told;
		else
			tell_left(w, i, e);
	}
	watch_places_keep(w, p);
	entries_done(&p->files);
	p->files = p->found;
	p->n_new = 0;
	p->found = (struct entries) {0};
}

static void open_one(struct watch *w, unsigned i, struct entry *e)
{
	struct watched *p = &w->patterns[i];
	struct watch_file f = {.pattern = i, .path = e->path, .at_start = w->at_start};
	struct stat st, dir;
	_cleanup_close_ int fd = watch_open(e->real, O_RDONLY | O_NONBLOCK | O_NOCTTY, &dir);

	if (fd < 0) {
		p->dirty |= fd != -EACCES && fd != -EPERM;
		if (fd != -ENOENT && fd != -ENOTDIR && fd != -ELOOP &&
			watch_note(p, e->path, "cannot be read: %s", strerror(-fd)) < 0)
			p->dirty = true;
		return;
	}
	/* It may have become something else since the walk, which judged by its owner; then there
	 * is an event of it to come, too. */
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_dev != e->dev ||
		st.st_ino != e->ino || st.st_uid != e->uid) {
		p->dirty = true;
		return;
	}
	if (watch_smuggled(&dir, &st)) {
		if (watch_note(p, e->path,
			    "has another name (a hard link) and may be another's file: not read") <
			0)
			p->dirty = true;
		return;
	}
	f.fd = fd;
	f.dev = e->dev;
	f.ino = e->ino;
	e->told = true;
	w->ops->opened(w->arg, &f);
}

static void tell_troubles(struct watch *w, unsigned i)
{
	struct watched *p = &w->patterns[i];

	if (p->files.n == 0 && p->now.n == 0 && p->waits_for != NULL &&
		watch_note(p, p->text,
			p->glob ? "matches nothing yet; waiting for %s to get it"
				: "does not exist yet; waiting for %s to get it",
			p->waits_for) < 0)
		p->dirty = true;
	for (size_t k = 0; k < p->troubles.n; k++) {
		if (trouble_with(&p->now, p->troubles.items[k].path) == NULL)
			w->ops->trouble(w->arg, i, p->troubles.items[k].path, NULL);
	}
	for (size_t k = 0; k < p->now.n; k++) {
		const struct trouble *t = &p->now.items[k];
		const struct trouble *before = trouble_with(&p->troubles, t->path);

		if (before == NULL || strcmp(before->what, t->what) != 0)
			w->ops->trouble(w->arg, i, t->path, t->what);
	}
	watch_troubles_done(&p->troubles);
	p->troubles = p->now;
	p->now.n = 0;
}

static void add_timer(struct event *timer, int64_t us)
{
	struct timeval tv = {.tv_sec = us / USEC_PER_SEC, .tv_usec = us % USEC_PER_SEC};

	evtimer_add(timer, &tv);
}

static void wake_in(struct watch *w, int64_t us)
{
	add_timer(w->timer, us);
}

/* Files wait for places, perhaps: then there is a timer for the next that is to be had. */
static void places_expire(struct watch *w)
{
	int64_t next_us, wait_us;

	watch_places_expire(w, &next_us);
	if (next_us < 0) {
		evtimer_del(w->places_event);
		return;
	}
	wait_us = next_us - clock_mono_us();
	add_timer(w->places_event, wait_us > PLACES_WAIT_US ? wait_us : PLACES_WAIT_US);
}

/* Looks at every dirty pattern and tells what changed. True: something is left to be looked at. */
static bool turn(struct watch *w)
{
	bool again = false;

	w->turn++;
	for (unsigned i = 0; i < w->n_patterns; i++) {
		struct watched *p = &w->patterns[i];

		p->fresh = false;
		free(TAKE_PTR(p->waits_for));
		p->waits_depth = 0;
		if (p->dirty)
			look(w, i);
	}
	for (unsigned i = 0; i < w->n_patterns; i++) {
		if (w->patterns[i].fresh)
			tell_gone(w, i);
	}
	for (unsigned i = 0; i < w->n_patterns; i++) {
		struct watched *p = &w->patterns[i];

		for (size_t k = 0; p->fresh && k < p->files.n; k++) {
			if (!p->files.items[k].told)
				open_one(w, i, &p->files.items[k]);
		}
	}
	for (unsigned i = 0; i < w->n_patterns; i++) {
		if (w->patterns[i].fresh)
			tell_troubles(w, i);
	}
	watch_dirs_sweep(w);
	places_expire(w);
	for (size_t i = 0; i < w->n_patterns; i++)
		again |= w->patterns[i].dirty;
	return again;
}

/* A turn now, or when it is time for it. */
static void turn_when_due(struct watch *w)
{
	int64_t start = clock_mono_us(), took, wait = 0;
	bool dirty = false, again;

	for (size_t i = 0; i < w->n_patterns && !dirty; i++)
		dirty = w->patterns[i].dirty;
	if (!dirty)
		return;
	if (start < w->not_before_us) {
		if (!evtimer_pending(w->timer, NULL))
			wake_in(w, w->not_before_us - start);
		return;
	}
	evtimer_del(w->timer);
	again = turn(w);
	took = clock_mono_us() - start;
	if (took > SLOW_US)
		wait = took < WAIT_MAX_US / SLOW_FACTOR ? took * SLOW_FACTOR : WAIT_MAX_US;
	w->not_before_us = start + took + wait;
	if (again)
		wake_in(w, wait > RETRY_US ? wait : RETRY_US);
}

static void all_dirty(struct watch *w)
{
	for (size_t i = 0; i < w->n_patterns; i++)
		w->patterns[i].dirty = true;
}

/* A name went away: should it come back at once with the same inode number, it is told all the
 * same. */
static void mark_replaced(struct watched *p, int wd, const char *name)
{
	for (size_t i = 0; i < p->files.n; i++) {
		struct entry *e = &p->files.items[i];

		if (e->wd == wd && strcmp(strrchr(e->real, '/') + 1, name) == 0)
			e->replaced = true;
	}
}

static void on_name(struct watch *w, const struct wdir *d, uint32_t mask, const char *name)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct interest *in = &d->items[i];
		struct watched *p = &w->patterns[in->pattern];

		if (in->glob ? fnmatch(in->comp, name, FNM_PERIOD | FNM_NOESCAPE) != 0
			     : strcmp(in->comp, name) != 0)
			continue;
		p->dirty = true;
		if ((mask & (IN_DELETE | IN_MOVED_FROM)) != 0)
			mark_replaced(p, d->wd, name);
	}
}

static void on_event(struct watch *w, const struct inotify_event *ev)
{
	struct wdir *d;

	if ((ev->mask & IN_Q_OVERFLOW) != 0) {
		all_dirty(w);
		return;
	}
	d = watch_dir_find(w, ev->wd);
	if (d == NULL)
		return;
	if (ev->len > 0) {
		on_name(w, d, ev->mask, ev->name);
		return;
	}
	for (size_t i = 0; i < d->n; i++)
		w->patterns[d->items[i].pattern].dirty = true;
	if ((ev->mask & IN_IGNORED) != 0)
		watch_dir_drop(w, d);
}

static void on_inotify(evutil_socket_t fd, short what, void *arg)
{
	struct watch *w = arg;

	(void)what;
	for (unsigned reads = 0; reads < EVENT_READS; reads++) {
		ssize_t n = read((int)fd, w->buf, EVENT_BUF);
		const struct inotify_event *ev;

		if (n <= 0)
			break;
		for (ssize_t at = 0; at < n; at += (ssize_t)(sizeof(*ev) + ev->len)) {
			ev = (const struct inotify_event *)(w->buf + at);
			on_event(w, ev);
		}
	}
	turn_when_due(w);
}

static void on_mounts(evutil_socket_t fd, short what, void *arg)
{
	struct watch *w = arg;

	(void)fd;
	(void)what;
	all_dirty(w);
	turn_when_due(w);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	turn_when_due(arg);
}

static void on_places(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	places_expire(arg);
	turn_when_due(arg);
}

void watch_set_cap(struct watch *w, size_t files)
{
	w->cap = files;
}

void watch_scan(struct watch *w)
{
	all_dirty(w);
	w->at_start = true;
	if (turn(w))
		wake_in(w, RETRY_US);
	w->at_start = false;
}

/* inotify says nothing of a file system mounted over a directory; proc(5) does, on the edge. */
static void watch_mounts(struct watch *w, struct event_base *base)
{
	w->mounts_fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	/* Without edges it would be readable all the time. */
	if (w->mounts_fd < 0 || (event_base_get_features(base) & EV_FEATURE_ET) == 0)
		return;
	w->mounts_event = event_new(base, w->mounts_fd, EV_READ | EV_ET | EV_PERSIST, on_mounts, w);
	if (w->mounts_event != NULL)
		event_add(w->mounts_event, NULL);
}

int watch_new(struct watch **ret, struct event_base *base, const char *const *patterns, size_t n,
	const struct watch_ops *ops, void *arg)
{
	struct watch *w = calloc(1, sizeof(*w));
	int r = -ENOMEM;

	if (w == NULL)
		return -ENOMEM;
	w->ops = ops;
	w->arg = arg;
	w->cap = WATCH_FILES_MAX;
	w->place_keep_us = PLACE_KEEP_US;
	w->mounts_fd = -1;
	w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (w->fd < 0) {
		r = -errno;
		goto fail;
	}
	w->buf = malloc(EVENT_BUF);
	w->patterns = calloc(n > 0 ? n : 1, sizeof(*w->patterns));
	if (w->buf == NULL || w->patterns == NULL)
		goto fail;
	for (; w->n_patterns < n; w->n_patterns++) {
		struct watched *p = &w->patterns[w->n_patterns];

		if (patterns[w->n_patterns][0] != '/') {
			r = -EINVAL;
			goto fail;
		}
		p->text = strdup(patterns[w->n_patterns]);
		if (p->text == NULL)
			goto fail;
		p->glob = strpbrk(p->text, "*?[") != NULL;
		w->n_globs += p->glob;
	}
	w->event = event_new(base, w->fd, EV_READ | EV_PERSIST, on_inotify, w);
	w->timer = evtimer_new(base, on_timer, w);
	w->places_event = evtimer_new(base, on_places, w);
	if (w->event == NULL || w->timer == NULL || w->places_event == NULL ||
		event_add(w->event, NULL) < 0)
		goto fail;
	watch_mounts(w, base);
	*ret = w;
	return 0;
fail:
	watch_free(w);
	return r;
}

void watch_free(struct watch *w)
{
	if (w == NULL)
		return;
	if (w->event != NULL)
		event_free(w->event);
	if (w->mounts_event != NULL)
		event_free(w->mounts_event);
	if (w->timer != NULL)
		event_free(w->timer);
	if (w->places_event != NULL)
		event_free(w->places_event);
	watch_dirs_done(w);
	for (size_t i = 0; i < w->n_patterns; i++) {
		entries_done(&w->patterns[i].files);
		watch_places_done(&w->patterns[i].kept);
		watch_troubles_done(&w->patterns[i].troubles);
		free(w->patterns[i].waits_for);
		free(w->patterns[i].text);
	}
	free(w->patterns);
	free(w->buf);
	if (w->fd >= 0)
		close(w->fd);
	if (w->mounts_fd >= 0)
		close(w->mounts_fd);
	free(w);
}
