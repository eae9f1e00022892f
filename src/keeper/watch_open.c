/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/util.h"
#include "keeper/watch_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* The next component of a path, or NULL. */
static char *next_name(char **path)
{
	char *name;

	do
		name = strsep(path, "/");
	while (name != NULL && *name == '\0');
	return name;
}

int watch_open(const char *path, int flags, struct stat *ret_dir)
{
	const int always = O_NOFOLLOW | O_CLOEXEC;
	_cleanup_free_ char *copy = strdup(path);
	_cleanup_close_ int dir = open("/", O_PATH | O_DIRECTORY | always);
	char *rest = copy, *name, *after;
	int fd;

	if (copy == NULL)
		return -ENOMEM;
	if (dir < 0)
		return -errno;
	name = next_name(&rest);
	while (name != NULL && (after = next_name(&rest)) != NULL) {
		fd = openat(dir, name, O_PATH | O_DIRECTORY | always);
		if (fd < 0)
			return -errno;
		close(dir);
		dir = fd;
		name = after;
	}
	if (ret_dir != NULL && fstat(dir, ret_dir) < 0)
		return -errno;
	fd = openat(dir, name != NULL ? name : ".", flags | always);
	return fd >= 0 ? fd : -errno;
}

bool watch_smuggled(const struct stat *dir, const struct stat *st)
{
	if (st->st_nlink <= 1)
		return false;
	if ((dir->st_mode & S_IWOTH) != 0)
		return true;
	return dir->st_uid != 0 && dir->st_uid != geteuid() && dir->st_uid != st->st_uid;
}
