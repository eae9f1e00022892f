/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/util.h"
#include "keeper/watch_priv.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

struct sibling {
	struct timespec mtime;
	char name[NAME_MAX + 1];
};

struct siblings {
	struct sibling items[WATCH_SIBLINGS_MAX]; /* newest first */
	size_t n;
};

bool watch_is_compressed(const char *name)
{
	static const char *const ends[] = {
		".gz", ".xz", ".zst", ".bz2", ".lz4", ".lzma", ".Z", ".zip"};
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot != NULL && i < ARRAY_SIZE(ends); i++) {
		if (strcmp(dot, ends[i]) == 0)
			return true;
	}
	return false;
}

/* Is it what rotation makes of the name: auth.log.1, auth.log-20261120, auth.log.old? Not mail.err
 * of mail. */
static bool is_rotated(const char *name, const char *base)
{
	size_t len = strlen(base);
	const char *rest = name + len;

	if (strncmp(name, base, len) != 0 || (*rest != '.' && *rest != '-' && *rest != '_'))
		return false;
	return isdigit((unsigned char)rest[1]) || strcmp(rest, ".old") == 0 ||
	       strcmp(rest, ".bak") == 0;
}

static bool newer(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec > b->tv_nsec;
}

static void consider(struct siblings *s, const char *name, const struct timespec *mtime)
{
	size_t i = s->n;

	while (i > 0 && newer(mtime, &s->items[i - 1].mtime))
		i--;
	if (i == WATCH_SIBLINGS_MAX)
		return;
	if (s->n < WATCH_SIBLINGS_MAX)
		s->n++;
	memmove(&s->items[i + 1], &s->items[i], (s->n - 1 - i) * sizeof(s->items[0]));
	s->items[i].mtime = *mtime;
	snprintf(s->items[i].name, sizeof(s->items[i].name), "%s", name);
}

/* The entry of the path, if it leads to a file just now. */
static const struct entry *entry_of(const struct watch *w, const char *path)
{
	const struct entry *e = NULL;

	for (size_t i = 0; i < w->n_patterns && e == NULL; i++)
		e = watch_find(&w->patterns[i].files, path);
	return e;
}

/* Opens the directory the path's file lies in, or would. ret_base is the file's name there. */
static DIR *open_dir(
	struct watch *w, const char *path, const struct entry *e, const char **ret_base)
{
	const char *named = e != NULL ? e->real : path, *slash = strrchr(named, '/');
	_cleanup_free_ char *dir = NULL, *real = NULL;
	DIR *d;
	int fd;

	if (slash == NULL || slash[1] == '\0')
		return NULL;
	dir = slash > named ? strndup(named, (size_t)(slash - named)) : strdup("/");
	real = dir != NULL && e == NULL ? watch_resolve(w, dir) : TAKE_PTR(dir);
	if (real == NULL)
		return NULL;
	fd = watch_open(real, O_RDONLY | O_DIRECTORY, NULL);
	d = fd >= 0 ? fdopendir(fd) : NULL;
	if (d == NULL && fd >= 0)
		close(fd);
	*ret_base = slash + 1;
	return d;
}

static void collect(struct siblings *s, DIR *d, const char *base)
{
	struct dirent *e;
	struct stat st;

	while ((e = readdir(d)) != NULL) {
		if (is_rotated(e->d_name, base) && !watch_is_compressed(e->d_name) &&
			fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			S_ISREG(st.st_mode))
			consider(s, e->d_name, &st.st_mtim);
	}
}

/* Where a user's link leads only to what is his, so do the names beside. */
static bool may_be_read(const struct entry *e, const struct stat *dir, const struct stat *st)
{
	return S_ISREG(st->st_mode) && !watch_smuggled(dir, st) &&
	       (e == NULL || !e->by_user || st->st_uid == e->uid);
}

void watch_siblings(struct watch *w, const char *path, watch_sibling_fn *fn, void *arg)
{
	_cleanup_free_ struct siblings *s = calloc(1, sizeof(*s));
	const struct entry *e = entry_of(w, path);
	const char *base;
	DIR *d = s != NULL ? open_dir(w, path, e, &base) : NULL;
	bool more;
	struct stat dir;

	if (d == NULL)
		return;
	collect(s, d, base);
	more = fstat(dirfd(d), &dir) == 0;
	for (size_t i = 0; i < s->n && more; i++) {
		_cleanup_close_ int fd = openat(dirfd(d), s->items[i].name,
			O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC);
		struct stat st;

		if (fd >= 0 && fstat(fd, &st) == 0 && may_be_read(e, &dir, &st))
			more = fn(arg, fd, st.st_dev, st.st_ino, s->items[i].name);
	}
	closedir(d);
}
