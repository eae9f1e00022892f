/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/aside.h"

#include "base/clock.h"
#include "base/util.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define KEEP 3
#define MARK ".corrupt-"

static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};

/* 0 with *ret filled, -ENOENT, or another -errno. */
static int look(int dirfd, const char *name, struct stat *ret)
{
	return fstatat(dirfd, name, ret, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

int aside_prepare(int dirfd, const char *name, bool *ret_unclean, bool *ret_moved)
{
	char file[NAME_MAX + 1];
	struct stat st;
	int fd, r;

	*ret_unclean = false;
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		if ((size_t)snprintf(file, sizeof(file), "%s%s", name, suffixes[i]) >= sizeof(file))
			return -ENAMETOOLONG;
		r = look(dirfd, file, &st);
		if (r == 0 && !S_ISREG(st.st_mode)) {
			r = aside_move(dirfd, name);
			if (r < 0)
				return r;
			*ret_moved = true;
			*ret_unclean = false;
			break;
		}
		if (r == 0 && st.st_size > 0 && i > 0)
			*ret_unclean = true;
		if (r < 0 && r != -ENOENT)
			return r;
	}
	/* Made here and not by SQLite, whose files anybody may read. */
	fd = openat(dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno == EEXIST ? 0 : -errno;
	close(fd);
	return 0;
}

/* The number in NAME.corrupt-NUMBER, or -1 for any other name. */
static int64_t number_of(const char *file, const char *name)
{
	size_t len = strlen(name), digits;
	const char *p;

	if (strncmp(file, name, len) != 0 || strncmp(file + len, MARK, strlen(MARK)) != 0)
		return -1;
	p = file + len + strlen(MARK);
	digits = strspn(p, "0123456789");
	return digits > 0 && digits <= 18 && p[digits] == '\0' ? strtoll(p, NULL, 10) : -1;
}

/* How many sets there are, and the number of the oldest. */
static unsigned count_sets(int dirfd, const char *name, int64_t *ret_oldest)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	unsigned n = 0;

	if (d == NULL) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	*ret_oldest = INT64_MAX;
	while ((e = readdir(d)) != NULL) {
		int64_t number = number_of(e->d_name, name);

		if (number < 0)
			continue;
		n++;
		*ret_oldest = number < *ret_oldest ? number : *ret_oldest;
	}
	closedir(d);
	return n;
}

static int set_name(char *buf, const char *name, int64_t number, const char *suffix)
{
	return snprintf(buf, NAME_MAX + 1, "%s" MARK "%" PRId64 "%s", name, number, suffix) >
			       NAME_MAX
		       ? -ENAMETOOLONG
		       : 0;
}

static void prune(int dirfd, const char *name)
{
	char file[NAME_MAX + 1];
	int64_t oldest;

	while (count_sets(dirfd, name, &oldest) > KEEP) {
		for (size_t i = ARRAY_SIZE(suffixes); i-- > 0;) {
			if (set_name(file, name, oldest, suffixes[i]) < 0)
				return;
			/* What cannot be deleted (a directory, say) ends the search for more. */
			if (unlinkat(dirfd, file, 0) < 0 && i == 0)
				return;
		}
	}
}

int aside_move(int dirfd, const char *name)
{
	char from[NAME_MAX + 1], to[NAME_MAX + 1];
	int64_t number = clock_wall_us() / USEC_PER_SEC;
	struct stat st;
	int r = 0;

	do {
		r = set_name(to, name, number++, "");
		if (r < 0)
			return r;
	} while (look(dirfd, to, &st) == 0);
	number--;

	/* Companions first: a database without its log is taken for whole, the log alone for
	 * nothing. */
	for (size_t i = ARRAY_SIZE(suffixes); i-- > 0;) {
		if (set_name(to, name, number, suffixes[i]) < 0 ||
			(size_t)snprintf(from, sizeof(from), "%s%s", name, suffixes[i]) >=
				sizeof(from))
			return -ENAMETOOLONG;
		if (renameat(dirfd, from, dirfd, to) < 0 && errno != ENOENT)
			return -errno;
	}
	prune(dirfd, name);
	return 0;
}
