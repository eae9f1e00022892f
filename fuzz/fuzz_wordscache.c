/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A compiled set's file: the first byte says whether the rest is the file itself ('f'), or places
 * to write over in a good one ('p': 16-bit offset, length 1 to 8, bytes). Whatever it is, the words
 * are found.
 */
#include "base/util.h"
#include "match/words_cache.h"
#include "match/words_priv.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define IMAGE_MAX 65535

#ifdef HAVE_HYPERSCAN
#define ENGINE &words_engine_hs
#else
#define ENGINE &words_engine_plain
#endif

static const struct words_engine *const engine = ENGINE;
static const struct word list[] = {{"Failed", 6, false}, {"password", 8, true}};
static const char key[] = "a key", text[] = "Failed Password";
static char dir[64], name[64];
static struct words_cache cache;
static uint8_t image[IMAGE_MAX];
static size_t image_len;

static void die(const char *what)
{
	perror(what);
	abort();
}

static void remove_dir(void)
{
	if (unlinkat(cache.dir_fd, name, 0) < 0 || rmdir(dir) < 0)
		perror(dir);
}

static void find(void)
{
	struct words_hit hits[4];
	struct words_scanner *s;
	struct words *w;
	size_t upto;

	if (words_new_with(&w, list, ARRAY_SIZE(list), &cache, &engine, 1) < 0 ||
		words_scanner_new(&s, w) < 0)
		abort();
	if (words_scan(w, s, text, sizeof(text), hits, 4, &upto) != 2 || hits[1].end != 15 ||
		words_scanner_failures(s) > 0)
		abort();
	words_scanner_free(s);
	words_free(w);
}

/* The name of the only file there, which the key decides. */
static void find_name(void)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	if (d == NULL)
		die(dir);
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.' && strlen(e->d_name) < sizeof(name))
			strcpy(name, e->d_name);
	closedir(d);
}

static void make_image(void)
{
	const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	ssize_t n;
	int fd;

	snprintf(dir, sizeof(dir), "%s/fuzz_words.XXXXXX", base);
	if (mkdtemp(dir) == NULL)
		die(dir);
	cache.dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	atexit(remove_dir);
	find();
	/* Without the library nothing has been kept: then it is a file of the same form. */
	find_name();
	if (name[0] == '\0') {
		words_cache_store(cache.dir_fd, key, sizeof(key), text, sizeof(text));
		find_name();
	}
	fd = openat(cache.dir_fd, name, O_RDONLY);
	n = fd < 0 ? -1 : read(fd, image, sizeof(image));
	if (n <= 0 || n == IMAGE_MAX)
		die(name);
	image_len = (size_t)n;
	close(fd);
}

static void write_file(const uint8_t *data, size_t len)
{
	int fd = openat(cache.dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, data, len) != (ssize_t)len)
		die(name);
	close(fd);
}

static void write_patched(const uint8_t *data, size_t size)
{
	static uint8_t copy[IMAGE_MAX];

	memcpy(copy, image, image_len);
	while (size >= 4) {
		size_t at = (size_t)(data[0] | data[1] << 8), len = data[2] % 8 + 1;

		data += 3;
		size -= 3;
		if (len > size || at + len > image_len)
			break;
		memcpy(copy + at, data, len);
		data += len;
		size -= len;
	}
	write_file(copy, image_len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	void *kept;
	size_t len;

	if (image_len == 0)
		make_image();
	if (size == 0 || size > IMAGE_MAX)
		return 0;
	if (data[0] == 'f')
		write_file(data + 1, size - 1);
	else
		write_patched(data + 1, size - 1);
	if (words_cache_load(cache.dir_fd, key, sizeof(key), &kept, &len) == 0)
		free(kept);
	find();
	return 0;
}
