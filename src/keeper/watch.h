/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;

/*
 * keeper's eye on the log paths: knows at every moment which files they name. inotify(7) on every
 * directory a pattern goes through (those a symbolic link leads through included), and the kernel's
 * notice of a changed mount table; nothing is polled and no timer runs while nothing happens.
 *
 * A pattern is an absolute path; any of its components may be a glob of *, ? and [...], without
 * escapes; hidden names must be asked for by a leading dot. Only regular files are logs; nothing
 * else is ever opened. Of compressed ones a glob finds (by their names) there is nothing to read.
 *
 * Of symbolic links those that root (or we) made are followed anywhere; a user's only to a file or
 * directory that is his own. A file with several names (link(2)) in a directory of a user's is
 * opened only if it is his, too. So the owner of a log directory has nothing read that is not his.
 *
 * A file named by two patterns is told twice, once for each.
 */
struct watch;

/* A file under one of its names. */
struct watch_file {
	unsigned pattern; /* index in the array given to watch_new */
	const char *path; /* as the pattern names it: globs filled in, links not resolved */
	int fd; /* open for reading at offset 0; closed after the call, dup it to keep it */
	uint64_t dev, ino;
	bool at_start; /* was there when watch_scan was called */
};

/* The functions may not call watch_scan or watch_free; watch_siblings is fine. */
struct watch_ops {
	/* The path names this file from now on. */
	void (*opened)(void *arg, const struct watch_file *f);

	/*
	 * The path does not name this file any more: renamed, deleted, replaced. Of all that
	 * changed in one turn everything that left is told before anything that was opened. A file
	 * that was away between two looks (moved away and back, deleted and its inode number given
	 * to another) is told as left and opened with the same dev and ino.
	 */
	void (*left)(void *arg, unsigned pattern, const char *path, uint64_t dev, uint64_t ino);

	/*
	 * Why there is nothing (or not all) to read: told once when it begins or changes, and with
	 * what = NULL when it is over. path is what the trouble is with, the pattern itself when it
	 * is the whole of it. At most WATCH_TROUBLES_MAX a pattern at one time.
	 */
	void (*trouble)(void *arg, unsigned pattern, const char *path, const char *what);
};

#define WATCH_TROUBLES_MAX 16

/* The one trouble that is none: what a glob finds but nobody means. */
#define WATCH_COMPRESSED "matches compressed files, too, which are not read"

/*
 * How many files globs may match in all; a path without globs always has room. None can take all
 * from the others: one glob alone may have all of it, two a half each, of more one a quarter at
 * most; and half of it is shared out among them evenly, for each alone. A path that left keeps its
 * place for an hour.
 */
#define WATCH_FILES_MAX 4096

/*
 * A watch over n patterns (copied). Nothing is looked at yet. Returns 0, -EINVAL for a pattern that
 * is not an absolute path, -EMFILE when the kernel has no inotify instance left
 * (fs.inotify.max_user_instances), or another -errno. ops and arg must outlive it.
 */
int watch_new(struct watch **ret, struct event_base *base, const char *const *patterns, size_t n,
	const struct watch_ops *ops, void *arg);

/*
 * So many files globs may match instead of WATCH_FILES_MAX, for who has fewer descriptors, or
 * more. To be called before watch_scan.
 */
void watch_set_cap(struct watch *w, size_t files);

/* The first look: tells of all files and troubles before it returns. */
void watch_scan(struct watch *w);

/* Says nothing more. Takes NULL. */
void watch_free(struct watch *w);

/*
 * Where may a rotated predecessor of path (as given to opened) be? Opens the regular files in the
 * same directory (that of the target, for a link) whose names are what rotation makes of it
 * (auth.log.1, auth.log-20261120), the most recently written first, at most WATCH_SIBLINGS_MAX,
 * compressed ones left out. fd is closed after each call; fn returning false stops it.
 */
#define WATCH_SIBLINGS_MAX 8
typedef bool watch_sibling_fn(void *arg, int fd, uint64_t dev, uint64_t ino, const char *name);
void watch_siblings(struct watch *w, const char *path, watch_sibling_fn *fn, void *arg);

/* Directories watched at present, for status and tests. */
size_t watch_dirs(const struct watch *w);
