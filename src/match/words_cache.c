/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/words_cache.h"

#include "base/hash.h"
#include "base/util.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * A file is a header, the key, zeros up to a multiple of ALIGN, the data, and a sum of all that
 * comes before it.
 */
#define MAGIC "stkwords"
#define VERSION 1
#define ALIGN 16
#define KEY_MAX (1u << 20)
#define NAME_SIZE 64

struct header {
	char magic[8];
	uint32_t version, key_len;
	uint64_t data_len, reserved;
};

struct sum {
	uint64_t part[2];
};

/* The keys are known to all and the same for ever. */
static struct sum sum_of(const void *data, size_t len)
{
	static const struct hash_key keys[] = {
		{0x6b656570732077a1, 0x6f726473207768a2}, {0x656e207468657963, 0x6f6d6520626163d4}};

	return (struct sum) {{hash_bytes(&keys[0], data, len), hash_bytes(&keys[1], data, len)}};
}

static size_t data_offset(size_t key_len)
{
	return (sizeof(struct header) + key_len + ALIGN - 1) / ALIGN * ALIGN;
}

static void file_name(char name[NAME_SIZE], const void *key, size_t key_len)
{
	struct sum s = sum_of(key, key_len);

	snprintf(name, NAME_SIZE, WORDS_CACHE_PREFIX "%016" PRIx64 "%016" PRIx64, s.part[0],
		s.part[1]);
}

/* Nobody else could have written there. */
static int check_ours(const struct stat *st)
{
	if ((st->st_uid != geteuid() && st->st_uid != 0) ||
		(st->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return -EPERM;
	return 0;
}

static int check_dir(int dir_fd)
{
	struct stat st;

	if (fstat(dir_fd, &st) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) ? check_ours(&st) : -ENOTDIR;
}

static int read_all(int fd, char *to, size_t len)
{
	while (len > 0) {
		ssize_t n = read(fd, to, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EBADMSG;
		to += n;
		len -= (size_t)n;
	}
	return 0;
}

static int write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* The whole file, of a size that is believable. */
static int read_file(int dir_fd, const char *name, char **ret, size_t *ret_len)
{
	_cleanup_close_ int fd =
		openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	_cleanup_free_ char *file = NULL;
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	r = S_ISREG(st.st_mode) ? check_ours(&st) : -EPERM;
	if (r < 0)
		return r;
	if (st.st_size < (off_t)(sizeof(struct header) + sizeof(struct sum)) ||
		st.st_size > (off_t)WORDS_CACHE_MAX)
		return -EBADMSG;
	file = malloc((size_t)st.st_size);
	if (file == NULL)
		return -ENOMEM;
	r = read_all(fd, file, (size_t)st.st_size);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(file);
	*ret_len = (size_t)st.st_size;
	return 0;
}

/* Where the data is in a file that is whole and has this key. */
static int check_file(
	const char *file, size_t len, const void *key, size_t key_len, size_t *ret_data_len)
{
	size_t body = len - sizeof(struct sum), at = data_offset(key_len);
	struct header h;
	struct sum want, is;

	memcpy(&h, file, sizeof(h));
	if (memcmp(h.magic, MAGIC, sizeof(h.magic)) != 0 || h.version != VERSION ||
		h.key_len != key_len || at > body || h.data_len != body - at)
		return -EBADMSG;
	memcpy(&want, file + body, sizeof(want));
	is = sum_of(file, body);
	if (memcmp(&want, &is, sizeof(want)) != 0 || memcmp(file + sizeof(h), key, key_len) != 0)
		return -EBADMSG;
	*ret_data_len = (size_t)h.data_len;
	return 0;
}

int words_cache_load(int dir_fd, const void *key, size_t key_len, void **ret, size_t *ret_len)
{
	_cleanup_free_ char *file = NULL;
	char name[NAME_SIZE];
	size_t len = 0, data_len = 0;
	int r = key_len > KEY_MAX ? -E2BIG : check_dir(dir_fd);

	if (r < 0)
		return r;
	file_name(name, key, key_len);
	r = read_file(dir_fd, name, &file, &len);
	if (r == 0)
		r = check_file(file, len, key, key_len, &data_len);
	if (r < 0)
		return r;
	memmove(file, file + data_offset(key_len), data_len);
	*ret = TAKE_PTR(file);
	*ret_len = data_len;
	return 0;
}

static bool is_ours(const char *name)
{
	return strncmp(name, WORDS_CACHE_PREFIX, strlen(WORDS_CACHE_PREFIX)) == 0;
}

/* How many files there are, and which is the oldest. */
static size_t count_files(DIR *dir, char oldest[NAME_SIZE])
{
	struct timespec least = {0};
	struct dirent *e;
	size_t n = 0;

	rewinddir(dir);
	while ((e = readdir(dir)) != NULL) {
		struct stat st;

		if (!is_ours(e->d_name) || strlen(e->d_name) >= NAME_SIZE ||
			fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (n++ == 0 || st.st_mtim.tv_sec < least.tv_sec ||
			(st.st_mtim.tv_sec == least.tv_sec && st.st_mtim.tv_nsec < least.tv_nsec)) {
			least = st.st_mtim;
			strcpy(oldest, e->d_name);
		}
	}
	return n;
}

/* Also what a writer that was killed has left. */
static void remove_oldest(int dir_fd)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	char oldest[NAME_SIZE];

	if (dir == NULL) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while (count_files(dir, oldest) > WORDS_CACHE_FILES)
		if (unlinkat(dir_fd, oldest, 0) < 0)
			break;
	closedir(dir);
}

static char *make_file(
	const void *key, size_t key_len, const void *data, size_t len, size_t *ret_size)
{
	size_t at = data_offset(key_len), size = at + len + sizeof(struct sum);
	struct header h = {.version = VERSION, .key_len = (uint32_t)key_len, .data_len = len};
	struct sum sum;
	char *file = calloc(1, size);

	if (file == NULL)
		return NULL;
	memcpy(h.magic, MAGIC, sizeof(h.magic));
	memcpy(file, &h, sizeof(h));
	memcpy(file + sizeof(h), key, key_len);
	memcpy(file + at, data, len);
	sum = sum_of(file, at + len);
	memcpy(file + at + len, &sum, sizeof(sum));
	*ret_size = size;
	return file;
}

int words_cache_store(int dir_fd, const void *key, size_t key_len, const void *data, size_t len)
{
	_cleanup_free_ char *file = NULL;
	char name[NAME_SIZE], temporary[NAME_SIZE];
	size_t size;
	uint64_t nonce;
	int r, fd;

	if (key_len > KEY_MAX || len > WORDS_CACHE_MAX - 2 * KEY_MAX)
		return -E2BIG;
	r = check_dir(dir_fd);
	if (r < 0)
		return r;
	file = make_file(key, key_len, data, len, &size);
	if (file == NULL)
		return -ENOMEM;
	if (getrandom(&nonce, sizeof(nonce), 0) != (ssize_t)sizeof(nonce))
		return -EIO;
	file_name(name, key, key_len);
	snprintf(temporary, sizeof(temporary), WORDS_CACHE_PREFIX "new-%016" PRIx64, nonce);
	fd = openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = write_all(fd, file, size);
	close(fd);
	/* No fsync: what a power cut leaves has a wrong sum. */
	if (r == 0 && renameat(dir_fd, temporary, dir_fd, name) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(dir_fd, temporary, 0);
	remove_oldest(dir_fd);
	return r;
}
