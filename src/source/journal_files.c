/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/journal_files.h"

#include "base/util.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define FILES_MAX 7168 /* as libsystemd has it */
#define ID_LEN 32      /* hexadecimal digits of a machine's id */

/* Where the machine's journal lies: systemd-journald.service(8). */
static const char *const system_dirs[] = {"/run/log/journal", "/var/log/journal"};

static bool has_suffix(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n > m && strcmp(s + n - m, suffix) == 0;
}

/* "system.journal", "system@….journal"; journald puts a '~' behind what it found damaged. */
static bool is_journal(const char *name)
{
	return has_suffix(name, ".journal") || has_suffix(name, ".journal~");
}

/* Looks for a journal's file in a directory, and in those below it. */
static bool dir_has_journal(int at, const char *name, unsigned depth)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	bool has = false;
	struct dirent *e;

	if (d == NULL) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	while (!has && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		has = is_journal(e->d_name) ||
		      (depth > 0 && e->d_type != DT_REG &&
			      dir_has_journal(dirfd(d), e->d_name, depth - 1));
	}
	closedir(d);
	return has;
}

bool journal_available_in(const char *dir)
{
	/* DIR/MACHINE-ID/system.journal */
	return dir_has_journal(AT_FDCWD, dir, 1);
}

/* Are files of that name asked for? (sd_journal_open(3)) */
static bool is_wanted(const struct journal_conf *conf, const char *name)
{
	char user[32];
	size_t len;

	if (!is_journal(name))
		return false;
	if ((conf->flags & (JOURNAL_SYSTEM | JOURNAL_CURRENT_USER)) == 0)
		return true;
	if ((conf->flags & JOURNAL_SYSTEM) != 0 && strncmp(name, "system", 6) == 0 &&
		(name[6] == '.' || name[6] == '@'))
		return true;
	snprintf(user, sizeof(user), "user-%u", (unsigned)getuid());
	len = strlen(user);
	return (conf->flags & JOURNAL_CURRENT_USER) != 0 && strncmp(name, user, len) == 0 &&
	       (name[len] == '.' || name[len] == '@');
}

/* A machine's own directory, "ID" or "ID.NAMESPACE": is it asked for? */
static bool is_machine_dir(const struct journal_files *fs, const char *name, bool local_only)
{
	const char *wanted = fs->conf->name_space;
	size_t hex = strspn(name, "0123456789abcdefABCDEF");

	if (hex != ID_LEN || (name[hex] != '\0' && name[hex] != '.'))
		return false;
	if (local_only && fs->machine[0] != '\0' && strncmp(name, fs->machine, ID_LEN) != 0)
		return false;
	if ((fs->conf->flags & JOURNAL_ALL_NAMESPACES) != 0)
		return true;
	if (name[hex] == '\0')
		return wanted == NULL || (fs->conf->flags & JOURNAL_INCLUDE_DEFAULT_NAMESPACE) != 0;
	return wanted != NULL && strcmp(name + hex + 1, wanted) == 0;
}

/* What rotation leaves of a file's name. */
static size_t stem_len(const char *name)
{
	const char *end = strchr(name, '@');

	if (end == NULL)
		end = strrchr(name, '.');
	return end != NULL ? (size_t)(end - name) : strlen(name);
}

static int add_file(struct journal_files *fs, const struct journal_dir *d, const char *name)
{
	struct journal_file f = {0};

	if (fs->n == FILES_MAX)
		return 0;
	if (fs->n == fs->room) {
		size_t room = fs->room > 0 ? 2 * fs->room : 16;
		struct journal_file *items = reallocarray(fs->items, room, sizeof(*items));

		if (items == NULL)
			return -ENOMEM;
		fs->items = items;
		fs->room = room;
	}
	if (asprintf(&f.stream, "%s/%.*s", d->prefix, (int)stem_len(name), name) < 0 ||
		asprintf(&f.path, "%s/%s", d->path, name) < 0) {
		free(f.stream);
		return -ENOMEM;
	}
	if (strlen(f.stream) > JOURNAL_STREAM_MAX) {
		free(f.stream);
		free(f.path);
		return 0;
	}
	fs->items[fs->n++] = f;
	return 0;
}

/* On a file system of a network others may write without our kernel's knowing. */
static bool is_network(const char *path)
{
	struct statfs st;

	if (statfs(path, &st) < 0)
		return false;
	switch ((unsigned long)st.f_type) {
	case NFS_SUPER_MAGIC:
	case SMB_SUPER_MAGIC:
	case CIFS_SUPER_MAGIC:
	case SMB2_SUPER_MAGIC:
	case CEPH_SUPER_MAGIC:
	case FUSE_SUPER_MAGIC:
	case V9FS_MAGIC:
	case AFS_SUPER_MAGIC:
	case CODA_SUPER_MAGIC:
		return true;
	default:
		return false;
	}
}

/* Watches a directory. 1 with *ret in dirs, 0: it is not there, or -ENOMEM. */
static int watch_dir(struct journal_files *fs, const char *path, const char *prefix, size_t *ret)
{
	int wd = inotify_add_watch(fs->fd, path,
		IN_MODIFY | IN_ATTRIB | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |
			IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR);
	struct journal_dir *dirs;

	if (wd < 0) {
		fs->denied |= errno == EACCES;
		return 0;
	}
	fs->is_unwatched |= is_network(path);
	for (size_t i = 0; i < fs->n_dirs; i++) {
		if (fs->dirs[i].wd == wd && strcmp(fs->dirs[i].prefix, prefix) == 0) {
			fs->dirs[i].seen = true;
			*ret = i;
			return 1;
		}
	}
	dirs = reallocarray(fs->dirs, fs->n_dirs + 1, sizeof(*dirs));
	if (dirs == NULL)
		return -ENOMEM;
	fs->dirs = dirs;
	dirs += fs->n_dirs;
	*dirs = (struct journal_dir) {
		.wd = wd, .path = strdup(path), .prefix = strdup(prefix), .seen = true};
	*ret = fs->n_dirs++;
	return dirs->path != NULL && dirs->prefix != NULL ? 1 : -ENOMEM;
}

/* The files of a directory, and of machines' own below it if it is a root. */
static int list_dir(struct journal_files *fs, const char *path, const char *prefix, bool is_root,
	bool local_only)
{
	size_t at;
	int r = watch_dir(fs, path, prefix, &at);
	DIR *d = r > 0 ? opendir(path) : NULL;
	struct dirent *e;

	if (d == NULL)
		return r < 0 ? r : 0;
	r = 0;
	while (r == 0 && (e = readdir(d)) != NULL) {
		_cleanup_free_ char *below = NULL;

		if (is_root && is_machine_dir(fs, e->d_name, local_only)) {
			if (asprintf(&below, "%s/%s", path, e->d_name) < 0)
				r = -ENOMEM;
			else
				r = list_dir(fs, below, e->d_name, false, false);
		} else if (is_wanted(fs->conf, e->d_name)) {
			r = add_file(fs, &fs->dirs[at], e->d_name);
		}
	}
	closedir(d);
	return r;
}

/* Every existing directory above path: what is not there yet is waited for in the ones above. */
static void watch_above(struct journal_files *fs, const char *path)
{
	_cleanup_free_ char *above = strdup(path);
	char *slash;

	while (above != NULL && (slash = strrchr(above, '/')) != NULL) {
		*slash = '\0';
		if (inotify_add_watch(fs->fd, *above != '\0' ? above : "/",
			    IN_CREATE | IN_MOVED_TO | IN_ONLYDIR | IN_MASK_ADD) < 0 &&
			errno == EACCES)
			fs->is_unwatched |= access(path, F_OK) < 0;
	}
}

/* The directories that a path with globs leads through, as far as they are there. */
static int watch_glob_dirs(struct journal_files *fs, const char *dir)
{
	glob_t g;
	int r = 0;

	if (glob(dir, GLOB_ONLYDIR, NULL, &g) != 0)
		return 0;
	for (size_t i = 0; i < g.gl_pathc && r >= 0; i++) {
		size_t at;

		r = watch_dir(fs, g.gl_pathv[i], g.gl_pathv[i], &at);
	}
	globfree(&g);
	return r < 0 ? r : 0;
}

/* Files by name; each directory's are a stream of their own. */
static int list_glob(struct journal_files *fs, const char *pattern)
{
	_cleanup_free_ char *dir = strdup(pattern);
	char *slash = dir != NULL ? strrchr(dir, '/') : NULL;
	glob_t g;
	int r;

	if (slash == NULL)
		return dir == NULL ? -ENOMEM : 0;
	*slash = '\0';
	watch_above(fs, pattern);
	r = watch_glob_dirs(fs, dir);
	if (r < 0 || glob(pattern, 0, NULL, &g) != 0)
		return r;
	for (size_t i = 0; i < g.gl_pathc && r >= 0; i++) {
		char *name = strrchr(g.gl_pathv[i], '/');
		size_t at;

		*name++ = '\0';
		r = watch_dir(fs, g.gl_pathv[i], g.gl_pathv[i], &at);
		if (r > 0)
			r = add_file(fs, &fs->dirs[at], name);
	}
	globfree(&g);
	return r < 0 ? r : 0;
}

static int list_roots(struct journal_files *fs)
{
	bool is_own = fs->conf->dir != NULL;
	bool runtime_only = !is_own && (fs->conf->flags & JOURNAL_RUNTIME_ONLY) != 0;
	bool local_only = !is_own && (fs->conf->flags & JOURNAL_LOCAL_ONLY) != 0;
	const char *const *roots = is_own ? &fs->conf->dir : system_dirs;
	size_t n = is_own || runtime_only ? 1 : ARRAY_SIZE(system_dirs);
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		watch_above(fs, roots[i]);
		r = list_dir(fs, roots[i], "", true, local_only);
	}
	return r;
}

static int compare(const void *a, const void *b)
{
	const struct journal_file *x = a, *y = b;
	int c = strcmp(x->stream, y->stream);

	return c != 0 ? c : strcmp(x->path, y->path);
}

static void clear_files(struct journal_files *fs)
{
	for (size_t i = 0; i < fs->n; i++) {
		free(fs->items[i].stream);
		free(fs->items[i].path);
	}
	fs->n = 0;
}

static void free_dir(struct journal_dir *d)
{
	free(d->path);
	free(d->prefix);
}

/* Directories that are not asked for any more, or gone. */
static void drop_unseen(struct journal_files *fs)
{
	size_t kept = 0;

	for (size_t i = 0; i < fs->n_dirs; i++) {
		if (fs->dirs[i].seen)
			fs->dirs[kept++] = fs->dirs[i];
		else
			free_dir(&fs->dirs[i]);
	}
	fs->n_dirs = kept;
}

/* Two patterns may find one file. */
static void drop_doubles(struct journal_files *fs)
{
	size_t kept = 0;

	for (size_t i = 0; i < fs->n; i++) {
		if (kept > 0 && compare(&fs->items[kept - 1], &fs->items[i]) == 0) {
			free(fs->items[i].stream);
			free(fs->items[i].path);
		} else {
			fs->items[kept++] = fs->items[i];
		}
	}
	fs->n = kept;
}

int journal_files_scan(struct journal_files *fs)
{
	int r = 0;

	clear_files(fs);
	fs->denied = fs->is_unwatched = false;
	for (size_t i = 0; i < fs->n_dirs; i++)
		fs->dirs[i].seen = false;
	if (fs->conf->files != NULL) {
		for (size_t i = 0; fs->conf->files[i] != NULL && r == 0; i++)
			r = list_glob(fs, fs->conf->files[i]);
	} else {
		r = list_roots(fs);
	}
	drop_unseen(fs);
	if (fs->n > 1)
		qsort(fs->items, fs->n, sizeof(*fs->items), compare);
	drop_doubles(fs);
	return r;
}

/* Is name a component of the path? (The rest of it may hold globs.) */
static bool on_the_way(const char *path, const char *name)
{
	size_t len = strlen(name);
	const char *at = path;

	if (strpbrk(path, "*?[") != NULL)
		return true;
	while ((at = strstr(at, name)) != NULL) {
		if (at > path && at[-1] == '/' && (at[len] == '/' || at[len] == '\0'))
			return true;
		at++;
	}
	return false;
}

static bool leads_there(const struct journal_files *fs, const char *name)
{
	const struct journal_conf *conf = fs->conf;
	bool leads = false;

	if (conf->files != NULL)
		for (size_t i = 0; conf->files[i] != NULL && !leads; i++)
			leads = on_the_way(conf->files[i], name);
	else if (conf->dir != NULL)
		leads = on_the_way(conf->dir, name);
	else
		for (size_t i = 0; i < ARRAY_SIZE(system_dirs) && !leads; i++)
			leads = on_the_way(system_dirs[i], name);
	return leads;
}

static bool has_file(const struct journal_files *fs, const char *stream)
{
	for (size_t i = 0; i < fs->n; i++)
		if (strcmp(fs->items[i].stream, stream) == 0)
			return true;
	return false;
}

/* One event: was a stream written to, or did a file come or go? */
static bool on_event(
	struct journal_files *fs, const struct inotify_event *e, journal_touched_fn *fn, void *arg)
{
	const char *name = e->len > 0 ? e->name : "";
	bool came = (e->mask & (IN_CREATE | IN_MOVED_TO)) != 0;
	bool changed = (e->mask & IN_Q_OVERFLOW) != 0 || (came && leads_there(fs, name));

	for (size_t i = 0; i < fs->n_dirs; i++) {
		const struct journal_dir *d = &fs->dirs[i];
		_cleanup_free_ char *stream = NULL;

		if (d->wd != e->wd)
			continue;
		changed |= (e->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED)) != 0 ||
			   (e->mask & IN_ISDIR) != 0;
		if (fs->conf->files == NULL && !is_journal(name))
			continue;
		changed |= (e->mask & (IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |
					      IN_ATTRIB)) != 0;
		if (asprintf(&stream, "%s/%.*s", d->prefix, (int)stem_len(name), name) < 0) {
			stream = NULL;
			changed = true;
		} else if (has_file(fs, stream)) {
			fn(arg, stream);
		}
	}
	return changed;
}

bool journal_files_changed(struct journal_files *fs, journal_touched_fn *fn, void *arg)
{
	_Alignas(struct inotify_event) char buf[16384];
	bool changed = false;
	ssize_t n;

	while ((n = read(fs->fd, buf, sizeof(buf))) > 0) {
		const struct inotify_event *e;

		for (ssize_t at = 0; at < n; at += (ssize_t)(sizeof(*e) + e->len)) {
			e = (const struct inotify_event *)(buf + at);
			changed |= on_event(fs, e, fn, arg);
		}
	}
	return changed;
}

static void read_machine_id(struct journal_files *fs)
{
	_cleanup_close_ int fd = open("/etc/machine-id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, fs->machine, ID_LEN) : -1;

	fs->machine[n > 0 ? n : 0] = '\0';
}

int journal_files_init(struct journal_files *fs, const struct journal_conf *conf)
{
	*fs = (struct journal_files) {.conf = conf};
	fs->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	read_machine_id(fs);
	return fs->fd >= 0 ? 0 : -errno;
}

void journal_files_done(struct journal_files *fs)
{
	clear_files(fs);
	free(fs->items);
	for (size_t i = 0; i < fs->n_dirs; i++)
		free_dir(&fs->dirs[i]);
	free(fs->dirs);
	if (fs->fd >= 0)
		close(fs->fd);
	fs->fd = -1;
}
