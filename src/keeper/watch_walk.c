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
	bool by_user; /* the text of a link that belongs to a user: */
	uid_t owner;  /* to him */
	const struct rest *up;
};

struct walk {
	struct watch *w;
	struct watched *p;
	unsigned i;
	unsigned steps;
	int error;
	char **ret_dir; /* not for files, but for where this directory is; nothing is watched */
};

/* Where a walk stands. */
struct spot {
	const char *dir;   /* without links and final slash: "" is the root */
	const char *shown; /* the part of the pattern that led here, globs filled in */
	unsigned depth, links;
	bool by_user; /* dir is where it is by a user's choice: */
	uid_t owner;  /* his */
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

/* Past slashes and "." components. */
static const char *next_comp(const char *t)
{
	while (*t == '/' || (*t == '.' && (t[1] == '/' || t[1] == '\0')))
		t++;
	return t;
}

/* Goes to the next component; false when nothing is left. */
static bool rest_next(struct rest *r)
{
	for (;;) {
		r->text = next_comp(r->text);
		if (*r->text != '\0')
			return true;
		if (r->up == NULL)
			return false;
		*r = *r->up;
	}
}

/* The innermost link of a user's whose text is used up, or NULL. */
static const struct rest *user_link(const struct rest *r)
{
	for (; r != NULL && *next_comp(r->text) == '\0'; r = r->up) {
		if (r->by_user)
			return r;
	}
	return NULL;
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

static void found(struct walk *k, const char *shown, const char *real, int wd,
	const struct stat *st, bool by_user)
{
	struct entries *list = &k->p->found;
	struct entry e = {.wd = wd,
		.dev = st->st_dev,
		.ino = st->st_ino,
		.uid = st->st_uid,
		.by_user = by_user};

	if (!watch_place_take(k->w, k->p, shown))
		return;
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

static void note_anothers(struct walk *k, const struct spot *at, uid_t user, const char *what)
{
	if (watch_note(k->p, at->shown, "is a link of user %u to a %s of another: not followed",
		    user, what) < 0)
		k->error = -ENOMEM;
}

/*
 * We read what its owner may not: so what a user's link leads to must be his. False, and told: it
 * is another's. rest is what comes after it, st the file or directory itself.
 */
static bool arrive(struct walk *k, struct spot *at, const struct rest *rest, const struct stat *st)
{
	for (const struct rest *r = user_link(rest); r != NULL; r = user_link(r->up)) {
		if (r->owner != st->st_uid) {
			note_anothers(k, at, r->owner, S_ISDIR(st->st_mode) ? "directory" : "file");
			return false;
		}
		at->by_user = true;
		at->owner = r->owner;
	}
	return true;
}

/*
 * The kernel's own rule (fs.protected_symlinks, proc_sys_fs(5)) does not see links that are read
 * and followed by hand: where all may write only links of the directory's owner or our own count.
 */
static bool link_trusted(const struct stat *dir, const struct stat *link)
{
	return link->st_uid == geteuid() || (dir->st_mode & S_IWOTH) == 0 ||
	       dir->st_uid == link->st_uid;
}

static void follow(struct walk *k, struct spot at, const char *path, const struct rest *rest)
{
	char target[PATH_MAX];
	struct rest next = {.text = target, .up = rest};
	struct stat st, dir;
	_cleanup_close_ int fd = watch_open(path, O_PATH, &dir);
	ssize_t n;

	if (at.links >= WALK_LINKS_MAX) {
		note_literal(k, k->p->text, "too many symbolic links, or one that leads to itself");
		return;
	}
	n = fd >= 0 && fstat(fd, &st) == 0 && S_ISLNK(st.st_mode)
		    ? readlinkat(fd, "", target, sizeof(target) - 1)
		    : -1;
	if (n <= 0) {
		/* Replaced meanwhile: the directory's watch will tell. */
		missing(k, &at);
		return;
	}
	if (!link_trusted(&dir, &st)) {
		note_literal(k, path,
			"is somebody else's symbolic link in a directory where all may write: not "
			"followed");
		return;
	}
	if (watch_smuggled(&dir, &st)) {
		note(k, path, "has another name (a hard link) and may be another's: not followed");
		return;
	}
	target[n] = '\0';
	next.by_user = st.st_uid != 0 && st.st_uid != geteuid();
	next.owner = st.st_uid;
	at.links++;
	if (target[0] == '/') {
		at.dir = "";
		at.by_user = false;
	}
	walk_dir(k, at, next);
}

/* The name exists, perhaps. */
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
		follow(k, at, path, rest);
	} else if (S_ISDIR(st.st_mode)) {
		at.dir = path;
		walk_dir(k, at, *rest);
	} else if (!last) {
		note_literal(k, path, "is not a directory");
	} else if (S_ISREG(st.st_mode)) {
		if (k->ret_dir == NULL && arrive(k, &at, rest, &st))
			found(k, at.shown, path, wd, &st, user_link(rest) != NULL);
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
		struct rest ahead = *rest;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
			fnmatch(glob, e->d_name, FNM_PERIOD | FNM_NOESCAPE) != 0)
			continue;
		if (++k->steps > WALK_STEPS_MAX)
			break;
		if (watch_is_compressed(e->d_name) && e->d_type != DT_DIR && !rest_next(&ahead))
			note(k, k->p->text, WATCH_COMPRESSED);
		else
			walk_name(k, at, e->d_name, wd, true, rest);
	}
	closedir(d);
	missing(k, &at);
}

static bool stat_dir(struct walk *k, const struct spot *at, struct stat *ret)
{
	_cleanup_close_ int fd = watch_open(root_or(at->dir), O_PATH | O_DIRECTORY, NULL);

	if (fd >= 0 && fstat(fd, ret) == 0)
		return true;
	missing(k, at);
	return false;
}

/* ".." from a directory: it has no links in it, so its text tells the parent. */
static void walk_up(struct walk *k, struct spot at, struct rest rest)
{
	const char *slash = strrchr(at.dir, '/');
	_cleanup_free_ char *parent = strndup(at.dir, slash != NULL ? (size_t)(slash - at.dir) : 0);
	_cleanup_free_ char *shown = rest.pattern ? join(k, at.shown, "..") : NULL;
	struct stat st;

	if (parent == NULL || (rest.pattern && shown == NULL)) {
		k->error = -ENOMEM;
		return;
	}
	at.dir = parent;
	if (rest.pattern)
		at.shown = shown;
	/* Who chose the directory has chosen its parent. */
	if (at.by_user && !rest.by_user) {
		if (!stat_dir(k, &at, &st))
			return;
		if (st.st_uid != at.owner) {
			note_anothers(k, &at, at.owner, "directory");
			return;
		}
	}
	rest.text += 2;
	walk_dir(k, at, rest);
}

/* Watches a directory for a component. False: there is no use in looking into it. */
static bool want(struct walk *k, const struct spot *at, const char *comp, bool glob, int *ret_wd)
{
	int wd = k->ret_dir == NULL ? watch_want(k->w, root_or(at->dir), k->i, comp, glob) : 0;

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

/* There is no component left where a directory is. */
static void at_end(struct walk *k, const struct spot *at)
{
	if (k->ret_dir == NULL) {
		note_literal(k, at->shown, "is a directory, not a log");
		return;
	}
	*k->ret_dir = strdup(root_or(at->dir));
}

/* Goes one component on from a directory. */
static void walk_dir(struct walk *k, struct spot at, struct rest rest)
{
	_cleanup_free_ char *comp = NULL;
	struct stat st;
	bool glob;
	int wd;

	if (k->error < 0)
		return;
	if (user_link(&rest) != NULL && (!stat_dir(k, &at, &st) || !arrive(k, &at, &rest, &st)))
		return;
	if (!rest_next(&rest)) {
		at_end(k, &at);
		return;
	}
	if (++at.depth > WALK_DEPTH_MAX || ++k->steps > WALK_STEPS_MAX) {
		note(k, k->p->text, "leads through too many directories");
		return;
	}
	comp = strndup(rest.text, strcspn(rest.text, "/"));
	if (comp == NULL) {
		k->error = -ENOMEM;
		return;
	}
	if (strcmp(comp, "..") == 0) {
		walk_up(k, at, rest);
		return;
	}
	rest.text += strlen(comp);
	glob = rest.pattern && strpbrk(comp, "*?[") != NULL;
	if (!want(k, &at, comp, glob, &wd))
		return;
	if (glob)
		walk_list(k, at, comp, wd, &rest);
	else
		walk_name(k, at, comp, wd, rest.pattern, &rest);
}

int watch_walk(struct watch *w, unsigned i)
{
	struct walk k = {.w = w, .p = &w->patterns[i], .i = i};

	k.p->capped = k.p->partial = false;
	k.p->n_new = 0;
	walk_dir(&k, (struct spot) {.dir = "", .shown = ""},
		(struct rest) {.text = k.p->text, .pattern = true});
	k.p->partial = k.steps > WALK_STEPS_MAX;
	if (k.p->partial)
		note(&k, k.p->text, "matches too many names: not all were looked at");
	if (k.p->capped &&
		watch_note(k.p, k.p->text, "matches too many files: at most %zu are read",
			watch_places_max(w)) < 0)
		k.error = -ENOMEM;
	return k.error;
}

char *watch_resolve(struct watch *w, const char *path)
{
	char *dir = NULL;
	/* As a glob it has no troubles of its own. */
	struct watched p = {.text = (char *)path, .glob = true};
	struct walk k = {.w = w, .p = &p, .ret_dir = &dir};

	walk_dir(&k, (struct spot) {.dir = "", .shown = ""}, (struct rest) {.text = path});
	watch_troubles_done(&p.now);
	free(p.waits_for);
	return dir;
}
