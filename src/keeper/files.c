/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Log paths: opened here, watched for guard in guard's own inotify, and handed over. */
#include "keeper/internal.h"

#include "base/util.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/resource.h>

#define DESCRIPTORS_RESERVED 256 /* rotated files, clients, sockets, the database */

/* A file in guard's inotify, until guard is done with it. */
struct watched {
	uint64_t dev, ino;
	int wd;
	uint32_t told; /* how often guard was told of it since it last said it was done */
	struct watched *next;
};

static void fill_path(char *dst, size_t size, const char *path)
{
	snprintf(dst, size, "%s", path);
}

static struct watched **find(struct keeper *k, uint64_t dev, uint64_t ino)
{
	struct watched **link = &k->watched;

	while (*link != NULL && ((*link)->ino != ino || (*link)->dev != dev))
		link = &(*link)->next;
	return link;
}

/* The very file behind fd, whatever its path names by now. */
static int watch_content(struct keeper *k, const struct watch_file *f)
{
	struct watched *w;
	char path[64];
	int wd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", f->fd);
	wd = inotify_add_watch(k->inotify_fd, path, IN_MODIFY);
	if (wd < 0 && errno == ENOENT) /* no /proc here */
		wd = inotify_add_watch(k->inotify_fd, f->path, IN_MODIFY);
	if (wd < 0)
		return -errno;
	w = *find(k, f->dev, f->ino);
	if (w == NULL) {
		w = calloc(1, sizeof(*w));
		if (w == NULL)
			return -ENOMEM;
		*w = (struct watched) {.dev = f->dev, .ino = f->ino, .next = k->watched};
		k->watched = w;
	}
	w->wd = wd;
	w->told++;
	return wd;
}

static void tell_readers(const struct keeper *k, unsigned pattern, char *buf, size_t size)
{
	const struct pattern *p = &k->plan->patterns.items[pattern];
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < p->n_jails && used < size; i++)
		used += (size_t)snprintf(buf + used, size - used, "%s[%s]", i > 0 ? " " : "",
			k->plan->rs->jails[p->jails[i]].name);
}

static void on_opened(void *arg, const struct watch_file *f)
{
	struct keeper *k = arg;
	struct msg_file m = {
		.dev = f->dev, .ino = f->ino, .pattern = f->pattern, .at_start = f->at_start};
	char readers[256];
	int wd, r;

	if (strlen(f->path) >= sizeof(m.path)) {
		log_error("%s: the path is too long", f->path);
		return;
	}
	wd = watch_content(k, f);
	if (wd < 0) {
		log_error("%s cannot be watched: %s%s", f->path, strerror(-wd),
			wd == -ENOSPC ? " (raise fs.inotify.max_user_watches)" : "");
		return;
	}
	m.wd = wd;
	fill_path(m.path, sizeof(m.path), f->path);
	r = channel_send(k->guard, MSG_FILE, &m, sizeof(m), f->fd);
	if (r < 0) {
		log_error("%s cannot be handed to guard: %s", f->path, strerror(-r));
		return;
	}
	if (f->at_start) {
		tell_readers(k, f->pattern, readers, sizeof(readers));
		log_info("watching %s for %s", f->path, readers);
	}
}

static void on_left(void *arg, unsigned pattern, const char *path, uint64_t dev, uint64_t ino)
{
	struct keeper *k = arg;
	struct msg_file_ref m = {.dev = dev, .ino = ino};

	(void)pattern;
	fill_path(m.path, sizeof(m.path), path);
	channel_send(k->guard, MSG_FILE_LEFT, &m, sizeof(m), -1);
}

static void on_trouble(void *arg, unsigned pattern, const char *path, const char *what)
{
	struct keeper *k = arg;
	struct msg_trouble m = {.pattern = pattern};
	char readers[256];

	if (what != NULL && strcmp(what, WATCH_COMPRESSED) == 0) {
		log_info("%s " WATCH_COMPRESSED, path);
		return;
	}
	fill_path(m.path, sizeof(m.path), path);
	fill_path(m.what, sizeof(m.what), what != NULL ? what : "");
	channel_send(k->guard, MSG_TROUBLE, &m, sizeof(m), -1);
	if (what == NULL)
		return;
	tell_readers(k, pattern, readers, sizeof(readers));
	/* Configurations name logs of several distributions: that one is missing is ordinary. */
	log_at(strncmp(what, "does not exist", 14) == 0 ? LOG_LV_INFO : LOG_LV_WARNING,
		"%s for %s: %s", path, readers, what);
}

static const struct watch_ops ops = {
	.opened = on_opened,
	.left = on_left,
	.trouble = on_trouble,
};

/* How many files of globs guard can hold open, beside those that have names and all else. */
static size_t files_that_fit(const struct keeper *k)
{
	size_t taken = k->plan->patterns.n + DESCRIPTORS_RESERVED + guard_streams_max(k->plan->rs);
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) < 0 || l.rlim_cur > taken + WATCH_FILES_MAX)
		return WATCH_FILES_MAX;
	return l.rlim_cur > taken ? l.rlim_cur - taken : 0;
}

int files_watch(struct keeper *k)
{
	int r = watch_new(
		&k->watch, k->base, k->plan->patterns.texts, k->plan->patterns.n, &ops, k);

	if (r < 0) {
		log_error("the log paths cannot be watched: %s%s", strerror(-r),
			r == -EMFILE ? " (raise fs.inotify.max_user_instances)" : "");
		return r;
	}
	watch_set_cap(k->watch, files_that_fit(k));
	watch_scan(k->watch);
	return 0;
}

void files_unwatch(struct keeper *k)
{
	struct watched *next;

	watch_free(k->watch);
	k->watch = NULL;
	for (struct watched *w = k->watched; w != NULL; w = next) {
		next = w->next;
		free(w);
	}
	k->watched = NULL;
}

void files_done_with(struct keeper *k, const struct msg_file_ref *m)
{
	struct watched **link = find(k, m->dev, m->ino), *w = *link;

	if (w == NULL)
		return;
	/* It may have been opened anew while guard said that it was done. */
	w->told -= m->told < w->told ? m->told : w->told;
	if (w->told > 0)
		return;
	inotify_rm_watch(k->inotify_fd, w->wd);
	*link = w->next;
	free(w);
}

static bool on_sibling(void *arg, int fd, uint64_t dev, uint64_t ino, const char *name)
{
	struct keeper *k = arg;
	struct msg_file m = {.dev = dev, .ino = ino, .wd = -1};

	fill_path(m.path, sizeof(m.path), name);
	channel_send(k->guard, MSG_SIBLING, &m, sizeof(m), fd);
	return true;
}

/* guard may ask only about paths that the configuration names. */
static bool is_configured(const struct keeper *k, const char *path)
{
	for (size_t i = 0; i < k->plan->patterns.n; i++)
		if (fnmatch(k->plan->patterns.items[i].text, path, FNM_PATHNAME | FNM_PERIOD) == 0)
			return true;
	return false;
}

void files_siblings(struct keeper *k, const struct msg_file_ref *m)
{
	if (k->watch != NULL && is_configured(k, m->path))
		watch_siblings(k->watch, m->path, on_sibling, k);
	channel_send(k->guard, MSG_SIBLINGS_END, m, sizeof(*m), -1);
}
