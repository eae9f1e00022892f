/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/util.h"
#include "keeper/watch_priv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/*
 * Path resolution done by hand, component by component, because a watch is needed on every
 * directory it goes through: there something may appear, go or turn into something else.
 */

#define WALK_LINKS_MAX 40    /* symbolic links on one way, as the kernel has it */
#define WALK_DEPTH_MAX 200   /* components on one way, those of links included */
#define WALK_STEPS_MAX 65536 /* names looked at in one walk */

/* Components still to go; when text is used up, it goes on with up. */
struct rest {
	const char *text;
	bool pattern; /* the pattern's own text, not a link's */
	const struct rest *up;
};

struct walk {
	struct watch *w;
	struct watched *p;
	unsigned i;
	unsigned steps;
	int error;
};

/* Where a walk stands. */
struct spot {
	const char *dir;   /* without links and final slash: "" is the root */
	const char *shown; /* the part of the pattern that led here, globs filled in */
	unsigned depth, links;
};

static void walk_dir(struct walk *k, struct spot at, struct rest rest);

static const char *root_or(const char *dir)
{
	return *dir != '\0' ? dir : "/";
}

static char *join(struct walk *k, const char *dir, const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", dir, name) < 0) {
		k->error = -ENOMEM;
		return NULL;
	}
	return path;
}

/* Skips slashes and "." components; false when nothing is left. */
static bool rest_next(struct rest *r)
{
	for (;;) {
		const char *t = r->text;

		if (*t == '/' || (*t == '.' && (t[1] == '/' || t[1] == '\0')))
			r->text++;
		else if (*t != '\0')
			return true;
		else if (r->up == NULL)
			return false;
		else
			*r = *r->up;
	}
}

static void note(struct walk *k, const char *path, const char *what)
{
	if (watch_note(k->p, path, "%s", what) < 0)
		k->error = -ENOMEM;
}

/* What one literal path stumbles over is told; what a glob happens to match is not what was meant.
 */
static void note_literal(struct walk *k, const char *path, const char *what)
{
	if (!k->p->glob)
		note(k, path, what);
}

static void missing(struct walk *k, const struct spot *at)
{
	char *dir;

	if (k->p->waits_for != NULL && k->p->waits_depth >= at->depth)
		return;
	dir = strdup(root_or(at->dir));
	if (dir == NULL) {
		k->error = -ENOMEM;
		return;
	}
	free(k->p->waits_for);
	k->p->waits_for = dir;
	k->p->waits_depth = at->depth;
}

static void found(
	struct walk *k, const char *shown, const char *real, int wd, const struct stat *st)
{
	struct entries *list = &k->p->found;
	struct entry e = {.wd = wd, .dev = st->st_dev, .ino = st->st_ino};

	if (k->p->glob && watch_find(&k->p->files, shown) == NULL) {
		/* Those known already keep their place, whoever fills a directory with names. */
		if (k->w->n_globbed + k->w->n_new >= WATCH_FILES_MAX) {
			k->p->capped = true;
			return;
		}
		k->w->n_new++;
	}
	if (list->n == list->room) {
		size_t room = list->room > 0 ? 2 * list->room : 4;
		struct entry *items = reallocarray(list->items, room, sizeof(*items));

		if (items == NULL) {
			k->error = -ENOMEM;
			return;
		}
		list->items = items;
		list->room = room;
	}
	e.path = strdup(shown);
	e.real = strdup(real);
	if (e.path == NULL || e.real == NULL) {
		free(e.path);
		free(e.real);
		k->error = -ENOMEM;
		return;
	}
	list->items[list->n++] = e;
}

/*
 * The kernel's own rule (fs.protected_symlinks, proc_sys_fs(5)) does not see links that are read
 * and followed by hand: where all may write only links of the directory's owner or our own count.
 */
static bool link_trusted(const char *dir, const struct stat *link)
{
	struct stat st;

	if (link->st_uid == geteuid())
		return true;
	if (lstat(root_or(dir), &st) < 0)
		return false;
	return (st.st_mode & S_IWOTH) == 0 || st.st_uid == link->st_uid;
}

static void follow(struct walk *k, struct spot at, const char *path, const struct stat *st,
	const struct rest *rest)
{
	char target[PATH_MAX];
	ssize_t n;

	if (at.links >= WALK_LINKS_MAX) {
		note_literal(k, k->p->text, "too many symbolic links, or one that leads to itself");
		return;
	}
	if (!link_trusted(at.dir, st)) {
		note_literal(k, path,
			"is somebody else's symbolic link in a directory where all may write: not "
			"followed");
		return;
	}
	n = readlink(path, target, sizeof(target) - 1);
	if (n <= 0) {
		/* Replaced meanwhile: the directory's watch will tell. */
		missing(k, &at);
		return;
	}
	target[n] = '\0';
	at.links++;
	if (target[0] == '/')
		at.dir = "";
	walk_dir(k, at, (struct rest) {.text = target, .up = rest});
}

/* The name exists, perhaps; last: nothing comes after it. */
static void walk_name(struct walk *k, struct spot at, const char *name, int wd, bool pattern,
	const struct rest *rest)
{
	_cleanup_free_ char *path = join(k, at.dir, name);
	_cleanup_free_ char *shown = pattern ? join(k, at.shown, name) : NULL;
	struct rest ahead = *rest;
	bool last = !rest_next(&ahead);
	struct stat st;

	if (path == NULL || (pattern && shown == NULL))
		return;
	if (lstat(path, &st) < 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			missing(k, &at);
		else
			note(k, errno == EACCES ? root_or(at.dir) : path,
				errno == EACCES ? "permission denied" : strerror(errno));
		return;
	}
	if (pattern)
		at.shown = shown;
	if (S_ISLNK(st.st_mode)) {
		follow(k, at, path, &st, &ahead);
	} else if (S_ISDIR(st.st_mode)) {
		at.dir = path;
		if (!last)
			walk_dir(k, at, ahead);
		else
			note_literal(k, at.shown, "is a directory, not a log");
	} else if (!last) {
		note_literal(k, path, "is not a directory");
	} else if (S_ISREG(st.st_mode)) {
		found(k, at.shown, path, wd, &st);
	} else {
		note_literal(k, at.shown,
			S_ISFIFO(st.st_mode)   ? "is a named pipe, not a log"
			: S_ISSOCK(st.st_mode) ? "is a socket, not a log"
					       : "is a device, not a log");
	}
}

static void walk_list(
	struct walk *k, struct spot at, const char *glob, int wd, const struct rest *rest)
{
	int fd = open(root_or(at.dir), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;

	if (d == NULL) {
		if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)
			missing(k, &at);
		else
			note(k, root_or(at.dir),
				errno == EACCES ? "permission denied" : strerror(errno));
		if (fd >= 0)
			close(fd);
		return;
	}
	while (k->error == 0 && (e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
			fnmatch(glob, e->d_name, FNM_PERIOD | FNM_NOESCAPE) != 0)
			continue;
		if (++k->steps > WALK_STEPS_MAX)
			break;
		walk_name(k, at, e->d_name, wd, true, rest);
	}
	closedir(d);
	missing(k, &at);
}

/* ".." from a directory: it has no links in it, so its text tells the parent. */
static void walk_up(struct walk *k, struct spot at, bool pattern, struct rest rest)
{
	const char *slash = strrchr(at.dir, '/');
	_cleanup_free_ char *parent = strndup(at.dir, slash != NULL ? (size_t)(slash - at.dir) : 0);
	_cleanup_free_ char *shown = pattern ? join(k, at.shown, "..") : NULL;

	if (parent == NULL || (pattern && shown == NULL)) {
		k->error = -ENOMEM;
		return;
	}
	at.dir = parent;
	if (pattern)
		at.shown = shown;
	walk_dir(k, at, rest);
}

/* Watches a directory for a component. False: there is no use in looking into it. */
static bool want(struct walk *k, const struct spot *at, const char *comp, bool glob, int *ret_wd)
{
	int wd = watch_want(k->w, root_or(at->dir), k->i, comp, glob);

	*ret_wd = wd;
	if (wd >= 0)
		return true;
	/* Unwatched, what is there now is still better than nothing. */
	switch (wd) {
	case -ENOSPC:
		note(k, root_or(at->dir),
			"cannot be watched: inotify limit reached, raise "
			"fs.inotify.max_user_watches");
		return true;
	case -EACCES:
		note(k, root_or(at->dir), "cannot be watched: permission denied");
		return true;
	case -E2BIG:
		note(k, root_or(at->dir), "cannot be watched: too many directories");
		k->steps = WALK_STEPS_MAX + 1;
		return !glob;
	case -ENOMEM:
		k->error = wd;
		return false;
	default:
		missing(k, at);
		return false;
	}
}

/* Goes one component on from a directory. */
static void walk_dir(struct walk *k, struct spot at, struct rest rest)
{
	_cleanup_free_ char *comp = NULL;
	bool pattern, glob;
	int wd;

	if (k->error < 0)
		return;
	if (!rest_next(&rest)) {
		/* A link to "/" or "..", where a file should be. */
		note_literal(k, at.shown, "is a directory, not a log");
		return;
	}
	if (++at.depth > WALK_DEPTH_MAX || ++k->steps > WALK_STEPS_MAX) {
		note(k, k->p->text, "leads through too many directories");
		return;
	}
	pattern = rest.pattern;
	comp = strndup(rest.text, strcspn(rest.text, "/"));
	if (comp == NULL) {
		k->error = -ENOMEM;
		return;
	}
	rest.text += strlen(comp);
	if (strcmp(comp, "..") == 0) {
		walk_up(k, at, pattern, rest);
		return;
	}
	glob = pattern && strpbrk(comp, "*?[") != NULL;
	if (!want(k, &at, comp, glob, &wd))
		return;
	if (glob)
		walk_list(k, at, comp, wd, &rest);
	else
		walk_name(k, at, comp, wd, pattern, &rest);
}

int watch_walk(struct watch *w, unsigned i)
{
	struct walk k = {.w = w, .p = &w->patterns[i], .i = i};

	k.p->capped = k.p->partial = false;
	walk_dir(&k, (struct spot) {.dir = "", .shown = ""},
		(struct rest) {.text = k.p->text, .pattern = true});
	k.p->partial = k.steps > WALK_STEPS_MAX;
	if (k.p->partial)
		note(&k, k.p->text, "matches too many names: not all were looked at");
	if (k.p->capped &&
		watch_note(k.p, k.p->text, "matches too many files: of all such %d are read",
			WATCH_FILES_MAX) < 0)
		k.error = -ENOMEM;
	return k.error;
}
