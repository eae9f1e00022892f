/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/util.h"
#include "keeper/watch_priv.h"

#include <errno.h>
#include <string.h>
#include <sys/inotify.h>

#define EVENT_MASK                                                                                 \
	(IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB | IN_DELETE_SELF |        \
		IN_MOVE_SELF | IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK)

/* The place of wd in the sorted list: where it is or would be. */
static size_t dir_place(const struct watch *w, int wd)
{
	size_t lo = 0, hi = w->n_dirs;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (w->dirs[mid]->wd < wd)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct wdir *watch_dir_find(const struct watch *w, int wd)
{
	size_t i = dir_place(w, wd);

	return i < w->n_dirs && w->dirs[i]->wd == wd ? w->dirs[i] : NULL;
}

static struct wdir *dir_add(struct watch *w, int wd)
{
	size_t i = dir_place(w, wd);
	struct wdir *d;

	if (i < w->n_dirs && w->dirs[i]->wd == wd)
		return w->dirs[i];
	if (w->n_dirs == w->dirs_room) {
		size_t room = w->dirs_room > 0 ? 2 * w->dirs_room : 16;
		struct wdir **dirs = reallocarray(w->dirs, room, sizeof(*dirs));

		if (dirs == NULL)
			return NULL;
		w->dirs = dirs;
		w->dirs_room = room;
	}
	d = calloc(1, sizeof(*d));
	if (d == NULL)
		return NULL;
	d->wd = wd;
	memmove(w->dirs + i + 1, w->dirs + i, (w->n_dirs - i) * sizeof(struct wdir *));
	w->dirs[i] = d;
	w->n_dirs++;
	return d;
}

static void dir_free(struct wdir *d)
{
	for (size_t i = 0; i < d->n; i++)
		free(d->items[i].comp);
	free(d->items);
	free(d);
}

int watch_want(struct watch *w, const char *dir, unsigned pattern, const char *comp, bool glob)
{
	int wd = inotify_add_watch(w->fd, dir, EVENT_MASK);
	struct interest in = {.pattern = pattern, .turn = w->turn, .glob = glob};
	struct wdir *d;

	if (wd < 0)
		return -errno;
	if (w->n_dirs >= WATCH_DIRS_MAX && watch_dir_find(w, wd) == NULL) {
		inotify_rm_watch(w->fd, wd);
		return -E2BIG;
	}
	d = dir_add(w, wd);
	if (d == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < d->n; i++) {
		if (d->items[i].pattern == pattern && d->items[i].glob == glob &&
			strcmp(d->items[i].comp, comp) == 0) {
			d->items[i].turn = w->turn;
			return wd;
		}
	}
	if (d->n == d->room) {
		size_t room = d->room > 0 ? 2 * d->room : 1;
		struct interest *items = reallocarray(d->items, room, sizeof(*items));

		if (items == NULL)
			return -ENOMEM;
		d->items = items;
		d->room = room;
	}
	in.comp = strdup(comp);
	if (in.comp == NULL)
		return -ENOMEM;
	d->items[d->n++] = in;
	return wd;
}

void watch_dirs_sweep(struct watch *w)
{
	size_t kept = 0;

	for (size_t i = 0; i < w->n_dirs; i++) {
		struct wdir *d = w->dirs[i];
		size_t n = 0;

		for (size_t k = 0; k < d->n; k++) {
			struct interest *in = &d->items[k];

			if (w->patterns[in->pattern].fresh && in->turn != w->turn)
				free(in->comp);
			else
				d->items[n++] = *in;
		}
		d->n = n;
		if (n > 0) {
			w->dirs[kept++] = d;
		} else {
			inotify_rm_watch(w->fd, d->wd);
			dir_free(d);
		}
	}
	w->n_dirs = kept;
}

void watch_dir_drop(struct watch *w, struct wdir *d)
{
	size_t i = dir_place(w, d->wd);

	memmove(w->dirs + i, w->dirs + i + 1, (--w->n_dirs - i) * sizeof(struct wdir *));
	dir_free(d);
}

void watch_dirs_done(struct watch *w)
{
	for (size_t i = 0; i < w->n_dirs; i++)
		dir_free(w->dirs[i]);
	free(w->dirs);
}

size_t watch_dirs(const struct watch *w)
{
	return w->n_dirs;
}
