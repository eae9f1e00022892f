/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/journal_dirs.h"

#include "base/util.h"
#include "source/journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/inotify.h>

const char *const journal_system_dirs[] = {"/run/log/journal", "/var/log/journal", NULL};

static bool is_journal(const char *name)
{
	size_t len = strlen(name);

	return len > 8 && strcmp(name + len - 8, ".journal") == 0;
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

int journal_dirs_open(void)
{
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	return fd >= 0 ? fd : -errno;
}

void journal_dirs_watch(int fd, const char *const *dirs)
{
	for (; *dirs != NULL; dirs++) {
		_cleanup_free_ char *path = strdup(*dirs);
		char *slash;

		while (path != NULL && (slash = strrchr(path, '/')) != NULL) {
			*slash = '\0';
			/* Those that are not there are waited for in the ones above. */
			inotify_add_watch(fd, *path != '\0' ? path : "/",
				IN_CREATE | IN_MOVED_TO | IN_ONLYDIR);
		}
	}
}

static bool on_the_way(const char *dir, const char *name)
{
	size_t len = strlen(name);
	const char *at = dir;

	while ((at = strstr(at, name)) != NULL) {
		if (at > dir && at[-1] == '/' && (at[len] == '/' || at[len] == '\0'))
			return true;
		at++;
	}
	return false;
}

bool journal_dirs_changed(int fd, const char *const *dirs)
{
	_Alignas(struct inotify_event) char buf[4096];
	const struct inotify_event *ev;
	bool changed = false;
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		for (ssize_t at = 0; at < n; at += (ssize_t)(sizeof(*ev) + ev->len)) {
			ev = (const struct inotify_event *)(buf + at);
			if ((ev->mask & IN_Q_OVERFLOW) != 0)
				changed = true;
			for (size_t i = 0; ev->len > 0 && dirs[i] != NULL; i++)
				changed |= on_the_way(dirs[i], ev->name);
		}
	}
	return changed;
}
