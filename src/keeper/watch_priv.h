/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "keeper/watch.h"

/* What watch.c (events, what is told) and watch_walk.c (which files a pattern names) share. */

struct event;
struct stat;

#define WATCH_DIRS_MAX 16384 /* directories watched in all */

/* A pattern wants to hear of names in a directory. */
struct interest {
	char *comp;
	unsigned pattern;
	uint32_t turn; /* when it was last wanted */
	bool glob;
};

struct wdir {
	int wd;
	struct interest *items;
	size_t n, room;
};

struct entry {
	char *path; /* as the pattern names it */
	char *real; /* without symbolic links */
	int wd;     /* of the directory real lies in, -1: not watched */
	uint64_t dev, ino;
	uint32_t uid;  /* the file's owner */
	bool by_user;  /* a link to it belongs to a user: only what is his may be read by it */
	bool told;     /* opened was called for it */
	bool replaced; /* its name was away for a moment */
};

struct entries {
	struct entry *items; /* sorted by path, save while they are found */
	size_t n, room;
};

struct trouble {
	char *path;
	char *what;
};

struct troubles {
	struct trouble items[WATCH_TROUBLES_MAX];
	size_t n;
};

/* A path that had a file a while ago. */
struct place {
	char *path;
	int64_t until_us; /* monotonic: so long it is kept */
};

struct places {
	struct place *items; /* sorted by path */
	size_t n;
};

struct watched {
	char *text;
	bool glob;
	bool dirty;   /* to be looked at again */
	bool fresh;   /* was looked at in this turn */
	bool capped;  /* there was no room for all its files */
	bool partial; /* the walk gave up before it had seen everything */
	struct entries files;
	struct places kept; /* none of them in files */
	struct troubles troubles;
	/* Of the present turn: */
	struct entries found;
	size_t n_new; /* of found, those that took a place */
	struct troubles now;
	char *waits_for; /* the directory nearest to what is missing */
	unsigned waits_depth;
};

struct watch {
	const struct watch_ops *ops;
	void *arg;
	int fd; /* inotify */
	int mounts_fd;
	struct event *event, *mounts_event, *timer;
	struct event *places_event; /* a kept place is to be had by others */
	struct wdir **dirs;         /* sorted by wd */
	size_t n_dirs, dirs_room;
	struct watched *patterns;
	size_t n_patterns, n_globs;
	uint32_t turn;
	size_t cap; /* files that globs may match */
	int64_t place_keep_us;
	int64_t not_before_us; /* monotonic: the next look, after one that took long */
	bool at_start;
	char *buf; /* for events */
};

/*
 * Walks the file system for pattern i, watching each directory before looking into it, and fills
 * found, now and waits_for of the pattern. Returns 0 or -ENOMEM (what is filled in is then worth
 * nothing).
 */
int watch_walk(struct watch *w, unsigned i);

/* The directory a path leads to, by the same rules, without symbolic links; NULL: to none. */
char *watch_resolve(struct watch *w, const char *path);

/* Is that the name of what rotation has compressed? */
bool watch_is_compressed(const char *name);

/*
 * Opens a path of watch_walk, which is without symbolic links and stays so: where one has taken a
 * component's place since, nothing is opened. ret_dir (may be NULL) is what fstat(2) says of the
 * directory in which it lies. The descriptor or -errno.
 */
int watch_open(const char *path, int flags, struct stat *ret_dir);

/*
 * Places: how many files a glob may match (watch.h).
 */

/* The most that one glob may match. */
size_t watch_places_max(const struct watch *w);

/* May a pattern have a file of that path? Takes a place for it, or marks the pattern as capped. */
bool watch_place_take(struct watch *w, struct watched *p, const char *path);

/* Keeps the places of files that are not found any more, just before found takes their stead. */
void watch_places_keep(struct watch *w, struct watched *p);

/*
 * Gives away places kept for too long, and has the patterns looked at again that wait for some.
 * ret_next_us is when the next will be due, if there is one who waits for it, or -1.
 */
void watch_places_expire(struct watch *w, int64_t *ret_next_us);

void watch_places_done(struct places *list);

/*
 * Watches dir for names that match comp. The wd, or -errno of inotify_add_watch(2), -E2BIG with
 * WATCH_DIRS_MAX watched, or -ENOMEM.
 */
int watch_want(struct watch *w, const char *dir, unsigned pattern, const char *comp, bool glob);

struct wdir *watch_dir_find(const struct watch *w, int wd);

/* Forgets a watch that the kernel has removed. */
void watch_dir_drop(struct watch *w, struct wdir *d);

/* Lets go of what the patterns looked at in this turn did not ask for again. */
void watch_dirs_sweep(struct watch *w);

void watch_dirs_done(struct watch *w);

/* Notes a trouble of this turn; of two with one path the first stays. 0 or -ENOMEM. */
int watch_note(struct watched *p, const char *path, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * May this be another's, given a name in that directory (link(2)) by its owner, or by anybody where
 * all may write? Not if it has no other name, or is the owner's own; and root's directories have
 * only names that root gave.
 */
bool watch_smuggled(const struct stat *dir, const struct stat *st);

void watch_troubles_done(struct troubles *t);

/* The entry of that path in a sorted list, or NULL. */
struct entry *watch_find(const struct entries *list, const char *path);
