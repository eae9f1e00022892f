/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/setup_write.h"

#include "base/util.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_MAX_BYTES (1U << 20)

static char *read_fd(int fd)
{
	_cleanup_free_ char *text = malloc(FILE_MAX_BYTES + 1);
	size_t len = 0;
	ssize_t n;

	if (text == NULL)
		return NULL;
	while ((n = read(fd, text + len, FILE_MAX_BYTES - len)) > 0)
		len += (size_t)n;
	if (n < 0)
		return NULL;
	text[len] = '\0';
	return TAKE_PTR(text);
}

char *setup_read(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	return fd < 0 ? NULL : read_fd(fd);
}

enum setup_there setup_there(const char *path, const char *text, size_t len, const char *mark)
{
	/* A link may lead to somebody's. */
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	_cleanup_free_ char *old = NULL;
	struct stat st;

	if (fd < 0)
		return errno == ENOENT ? SETUP_ABSENT : SETUP_OTHERS;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return SETUP_OTHERS;
	old = read_fd(fd);
	if (old == NULL)
		return SETUP_OTHERS;
	if (strlen(old) == len && memcmp(old, text, len) == 0)
		return SETUP_SAME;
	return strncmp(old, mark, strlen(mark)) == 0 ? SETUP_OURS : SETUP_OTHERS;
}

static int fill(int fd, const char *text, size_t len)
{
	for (size_t at = 0; at < len;) {
		ssize_t n = write(fd, text + at, len - at);

		if (n < 0)
			return -errno;
		at += (size_t)n;
	}
	return fchmod(fd, 0644) < 0 || fsync(fd) < 0 ? -errno : 0;
}

int setup_write(const char *path, const char *text, size_t len, int replace)
{
	char temp[PATH_MAX], dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	_cleanup_close_ int fd = -1;
	int r;

	if (slash == NULL || strlen(path) + 8 > sizeof(temp))
		return -ENAMETOOLONG;
	snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path), path);
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return -errno;
	/* None of the three daemons reads a file of this name. */
	snprintf(temp, sizeof(temp), "%s.XXXXXX", path);
	fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = fill(fd, text, len);
	if (r == 0 && renameat2(AT_FDCWD, temp, AT_FDCWD, path, replace ? 0 : RENAME_NOREPLACE) < 0)
		r = -errno;
	if (r < 0)
		unlink(temp);
	return r;
}
