/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/words.h"
#include "match/words_cache.h"
#include "match/words_priv.h"

#include "base/util.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const struct words_engine *const engines[] = {
	&words_engine_plain,
#ifdef __x86_64__
	&words_engine_teddy,
#endif
#ifdef HAVE_HYPERSCAN
	&words_engine_hs,
#endif
};

#ifdef HAVE_HYPERSCAN
static const struct words_engine *const hs = &words_engine_hs;
#endif

/* Every engine takes so many. */
#define FEW 1000

static bool has_avx2(void)
{
#ifdef __x86_64__
	return __builtin_cpu_supports("avx2");
#else
	return true;
#endif
}

static uint64_t seed = 1;

static unsigned below(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed >> 32) % n;
}

/* A plain search of every word at every place, in order of ends. */
static size_t naive(const struct word *list, size_t n, const char *buf, size_t len,
	struct words_hit *hits, size_t max)
{
	size_t found = 0;

	for (size_t end = 1; end <= len; end++)
		for (size_t i = 0; i < n; i++) {
			bool same = list[i].len <= end;

			for (size_t j = 0; same && j < list[i].len; j++) {
				uint8_t a = (uint8_t)buf[end - list[i].len + j];
				uint8_t b = (uint8_t)list[i].text[j];

				same = list[i].nocase ? words_lower(a) == words_lower(b) : a == b;
			}
			if (!same)
				continue;
			assert_true(found < max);
			hits[found++] = (struct words_hit) {(uint32_t)i, (uint32_t)end};
		}
	return found;
}

static int by_end(const void *a, const void *b)
{
	const struct words_hit *x = a, *y = b;

	if (x->end != y->end)
		return x->end < y->end ? -1 : 1;
	return x->word < y->word ? -1 : x->word > y->word;
}

#define HITS_MAX 65536
static struct words_hit expected[HITS_MAX], hits[HITS_MAX];

/* In a block of its own size, so that a read past the end is seen; with any room for hits. */
static void compare(struct words *w, struct words_scanner *s, const char *text, size_t len,
	size_t n_expected, size_t max)
{
	char *buf = malloc(len > 0 ? len : 1);
	size_t n, upto, complete = 0;

	assert_non_null(buf);
	memcpy(buf, text, len);
	n = words_scan(w, s, buf, len, hits, max, &upto);
	assert_true(n <= max);
	if (max == 0)
		assert_int_equal(upto, 0);
	else if (n_expected <= max)
		assert_int_equal(upto, len);
	else
		assert_true(upto < len);
	while (complete < n_expected && expected[complete].end <= upto)
		complete++;
	assert_int_equal(n, complete);
	/* As much as there was room for. */
	if (upto < len && max > 0) {
		size_t next = complete;

		while (next < n_expected && expected[next].end == expected[complete].end)
			next++;
		assert_true(next > max);
	}
	for (size_t i = 1; i < n; i++)
		assert_true(hits[i - 1].end <= hits[i].end);
	qsort(hits, n, sizeof(*hits), by_end);
	assert_memory_equal(hits, expected, n * sizeof(*hits));
	free(buf);
}

/* Some versions of the library refuse some lists; then plain C finds the same. */
static unsigned n_taken, n_refused;

static void note_engine(const struct words *w, const struct words_engine *wanted)
{
	if (strcmp(wanted->name, "hyperscan") != 0 || strcmp(words_engine(w), "plain") != 0)
		assert_string_equal(words_engine(w), wanted->name);
	n_taken += strcmp(words_engine(w), "hyperscan") == 0;
	n_refused += strcmp(words_engine(w), wanted->name) != 0;
}

static void compare_all(const struct word *list, size_t n, const char *text, size_t len)
{
	size_t n_expected = naive(list, n, text, len, expected, HITS_MAX);

	for (size_t e = 0; e < ARRAY_SIZE(engines); e++) {
		struct words_scanner *s;
		struct words *w;

		assert_int_equal(words_new_with(&w, list, n, NULL, &engines[e], 1), 0);
		assert_int_equal(words_scanner_new(&s, w), 0);
		if (n > 0 && n <= FEW && has_avx2())
			note_engine(w, engines[e]);
		compare(w, s, text, len, n_expected, HITS_MAX);
		compare(w, s, text, len, n_expected, n_expected);
		compare(w, s, text, len, n_expected, below((unsigned)n_expected + 1));
		compare(w, s, text, len, n_expected, 1);
		compare(w, s, text, len, n_expected, 0);
		assert_int_equal(words_scanner_failures(s), 0);
		words_scanner_free(s);
		words_free(w);
	}
}

#define WORD(text, nocase)                                                                         \
	{                                                                                          \
		text, sizeof(text) - 1, nocase                                                     \
	}

static void some(void **state)
{
	static const struct word list[] = {WORD("Failed", false), WORD("failed", true),
		WORD("ed p", false), WORD("Failed password", false), WORD("password", true),
		WORD("\n\0\xff", false), WORD("aa", false), WORD("aaaa", false), WORD("AAA", true),
		WORD("12:", true), WORD("12:", false), WORD("@[`{", true), WORD("\xc4\xe4", true),
		WORD("aa", false)};
	static const char *const texts[] = {"", "a", "aa", "aaa", "AaAaAaAaAaAaAaAaA",
		"Failed password", "xFAILED PASSWORDx", "Failed passwor",
		"ailed password 12:", "@[`{`{@[ \xc4\xe4\xe4\xc4\xc4\xc4",
		"12:12:12:Failed passwordaaaaaaaa"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		compare_all(list, ARRAY_SIZE(list), texts[i], strlen(texts[i]));
	compare_all(list, ARRAY_SIZE(list), "\n\0\xff\n\n\0\xff", 7);
	compare_all(list, 1, "Failed Failed", 13);
	compare_all(list, 0, "Failed", 6);
}

/* Of few letters, so that words overlap, or of all bytes; often with a word put in. */
static size_t random_text(
	char *text, size_t len, const struct word *list, size_t n, unsigned letters)
{
	static const char few[] = "abABa:@`\xe1\xc1\0 ";

	for (size_t i = 0; i < len; i++)
		text[i] = letters == 256 ? (char)below(256) : few[below(letters)];
	for (unsigned k = below(1 + (unsigned)len / 8); n > 0 && k > 0; k--) {
		const struct word *w = &list[below((unsigned)n)];

		if (w->len <= len) {
			char *at = text + below((unsigned)(len - w->len) + 1);

			memcpy(at, w->text, w->len);
			if (below(2) == 0)
				at[below(w->len)] ^= 0x20;
		}
	}
	return len;
}

static void random_list(struct word *list, char (*texts)[WORD_LEN_MAX], size_t n)
{
	unsigned shortest = WORD_LEN_MIN + below(12), letters = below(3) > 0 ? 2 + below(10) : 256;

	for (size_t i = 0; i < n; i++) {
		list[i].len = (uint8_t)(shortest + below(WORD_LEN_MAX + 1 - shortest));
		list[i].len = below(2) > 0 ? (uint8_t)shortest : list[i].len;
		list[i].nocase = below(3) == 0;
		list[i].text = texts[i];
		random_text(texts[i], list[i].len, NULL, 0, letters);
	}
}

static void at_random(void **state)
{
	static char texts[2000][WORD_LEN_MAX], text[3000];
	static struct word list[2000];

	(void)state;
	for (unsigned round = 0; round < 700; round++) {
		size_t n = round % 100 == 99 ? 2000 : 1 + below(round % 2 ? 6 : 60);
		size_t len = below(round % 3 == 0 ? 2500 : 100);

		random_list(list, texts, n);
		random_text(text, len, list, n, below(3) > 0 ? 2 + below(10) : 256);
		compare_all(list, n, text, len);
	}
	assert_true(n_refused == 0 || n_taken > n_refused);
}

/* Longer than what an engine takes at once. */
static void long_buffer(void **state)
{
	static const struct word list[] = {WORD("Failed password", false), WORD("passwORD", true),
		WORD("invalid user root from 192.0.2.1", false), WORD("rootroot", false)};
	size_t len = 1 << 20, n;
	char *text = malloc(len);

	(void)state;
	assert_non_null(text);
	memset(text, '.', len);
	for (size_t at = 0; at + 64 < len; at += 64 + below(2000)) {
		const struct word *w = &list[below(ARRAY_SIZE(list))];

		memcpy(text + at, w->text, w->len);
	}
	/* Over each place where one block may end and the next begin. */
	for (size_t at = 4096; at < len; at += 4096)
		memcpy(text + at - 1 - below(31), list[2].text, list[2].len);
	n = naive(list, ARRAY_SIZE(list), text, len, expected, HITS_MAX);
	for (size_t e = 0; e < ARRAY_SIZE(engines); e++) {
		struct words_scanner *s;
		struct words *w;

		assert_int_equal(
			words_new_with(&w, list, ARRAY_SIZE(list), NULL, &engines[e], 1), 0);
		assert_int_equal(words_scanner_new(&s, w), 0);
		compare(w, s, text, len, n, HITS_MAX);
		compare(w, s, text, len, n, n - 1);
		compare(w, s, text, len, n, n / 2);
		words_scanner_free(s);
		words_free(w);
	}
	free(text);
}

static void refused(void **state)
{
	static struct word many[WORDS_MAX + 1];
	const struct word wrong[] = {WORD("a", false), WORD("", false),
		WORD("123456789012345678901234567890123", false)};
	struct words *w = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(words_new(&w, &wrong[i], 1, NULL), -EINVAL);
	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = (struct word)WORD("ab", false);
	assert_int_equal(words_new(&w, many, ARRAY_SIZE(many), NULL), -EINVAL);
	assert_null(w);
	words_free(NULL);
	words_scanner_free(NULL);
	compare_all(many, WORDS_MAX, "abababab", 8);
}

struct scan_job {
	struct words *w;
	const char *text;
	size_t len, n;
	bool same;
};

static void *scan_often(void *arg)
{
	struct scan_job *j = arg;
	struct words_hit *own = calloc(j->n + 1, sizeof(*own));
	struct words_scanner *s;
	size_t upto;

	j->same = own != NULL && words_scanner_new(&s, j->w) == 0;
	if (!j->same)
		return NULL;
	for (unsigned i = 0; j->same && i < 50; i++) {
		size_t n = words_scan(j->w, s, j->text, j->len, own, j->n + 1, &upto);

		qsort(own, n, sizeof(*own), by_end);
		j->same =
			n == j->n && upto == j->len && memcmp(own, expected, n * sizeof(*own)) == 0;
	}
	words_scanner_free(s);
	free(own);
	return NULL;
}

static void threads(void **state)
{
	static char texts[40][WORD_LEN_MAX], text[30000];
	static struct word list[40];

	(void)state;
	random_list(list, texts, ARRAY_SIZE(list));
	random_text(text, sizeof(text), list, ARRAY_SIZE(list), 256);
	for (size_t e = 0; e < ARRAY_SIZE(engines); e++) {
		struct scan_job jobs[2] = {{.text = text, .len = sizeof(text)}};
		pthread_t ids[2];

		assert_int_equal(
			words_new_with(&jobs[0].w, list, ARRAY_SIZE(list), NULL, &engines[e], 1),
			0);
		jobs[0].n = naive(list, ARRAY_SIZE(list), text, sizeof(text), expected, HITS_MAX);
		jobs[1] = jobs[0];
		for (size_t i = 0; i < 2; i++)
			assert_int_equal(pthread_create(&ids[i], NULL, scan_often, &jobs[i]), 0);
		for (size_t i = 0; i < 2; i++) {
			pthread_join(ids[i], NULL);
			assert_true(jobs[i].same);
		}
		words_free(jobs[0].w);
	}
}

#ifdef HAVE_HYPERSCAN
/* Without its scratch the library fails, and our own engine takes over. */
static void library_fails(void **state)
{
	static const struct word list[] = {WORD("Failed", false), WORD("password", true)};
	struct words_scanner s = {0};
	struct words *w;
	size_t upto;

	(void)state;
	assert_int_equal(words_new_with(&w, list, 2, NULL, &hs, 1), 0);
	assert_int_equal(words_scan(w, &s, "Failed PASSWORD", 15, hits, 9, &upto), 2);
	assert_int_equal(upto, 15);
	assert_int_equal(hits[1].end, 15);
	assert_int_equal(words_scanner_failures(&s), 1);
	words_free(w);
}
#endif

/* A directory for the cache, and the one file that is expected there. */
struct cache_dir {
	char path[64];
	int fd;
};

static int make_dir(void **state)
{
	static struct cache_dir d;

	strcpy(d.path, "/tmp/test_words.XXXXXX");
	if (mkdtemp(d.path) == NULL)
		return -1;
	d.fd = open(d.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = &d;
	return d.fd < 0 ? -1 : 0;
}

static size_t each_file(int dir_fd, bool remove, char name[64])
{
	DIR *dir = fdopendir(openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *e;
	size_t n = 0;

	assert_non_null(dir);
	while ((e = readdir(dir)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		n++;
		assert_true(strlen(e->d_name) < 64);
		strcpy(name, e->d_name);
		if (remove)
			unlinkat(dir_fd, e->d_name, 0);
	}
	closedir(dir);
	return n;
}

static int remove_dir(void **state)
{
	struct cache_dir *d = *state;
	char name[64];

	each_file(d->fd, true, name);
	close(d->fd);
	return rmdir(d->path);
}

static const char cache_key[] = "a key", cache_data[] = "what was made of it";

static int load(const struct cache_dir *d, const char *key)
{
	size_t len = 0;
	void *data = NULL;
	int r = words_cache_load(d->fd, key, strlen(key), &data, &len);

	if (r == 0) {
		assert_int_equal(len, sizeof(cache_data));
		assert_memory_equal(data, cache_data, len);
	} else {
		assert_null(data);
	}
	free(data);
	return r;
}

static int store(const struct cache_dir *d, const char *key)
{
	return words_cache_store(d->fd, key, strlen(key), cache_data, sizeof(cache_data));
}

static void cache_round_trip(void **state)
{
	const struct cache_dir *d = *state;
	struct stat before, after;
	char name[64], key[16];

	assert_int_equal(load(d, cache_key), -ENOENT);
	assert_int_equal(store(d, cache_key), 0);
	assert_int_equal(load(d, cache_key), 0);
	assert_int_equal(load(d, "another"), -ENOENT);
	assert_int_equal(each_file(d->fd, false, name), 1);
	assert_int_equal(fstatat(d->fd, name, &before, 0), 0);
	assert_int_equal(before.st_mode & 07777, 0600);
	assert_int_equal(store(d, cache_key), 0);
	assert_int_equal(fstatat(d->fd, name, &after, 0), 0);
	assert_int_not_equal(before.st_ino, after.st_ino);
	/* The newest stay; of other people's files there is no talk. */
	assert_int_equal(close(openat(d->fd, "other", O_WRONLY | O_CREAT, 0600)), 0);
	for (unsigned i = 0; i < 20; i++) {
		snprintf(key, sizeof(key), "key %u", i);
		assert_int_equal(store(d, key), 0);
		assert_int_equal(load(d, key), 0);
		usleep(11000); /* the kernel's clock for files ticks every 10 ms at worst */
	}
	assert_int_equal(load(d, cache_key), -ENOENT);
	assert_int_equal(load(d, "key 3"), -ENOENT);
	assert_int_equal(load(d, "key 4"), 0);
	assert_int_equal(each_file(d->fd, false, name), WORDS_CACHE_FILES + 1);
	assert_int_equal(words_cache_load(-1, "", 0, NULL, NULL), -EBADF);
}

static void put_file(const struct cache_dir *d, const char *name, const void *data, size_t len)
{
	int fd = openat(d->fd, name, O_WRONLY | O_TRUNC);

	assert_int_equal(write(fd, data, len), len);
	close(fd);
}

static size_t get_file(const struct cache_dir *d, const char *name, char *data, size_t size)
{
	int fd = openat(d->fd, name, O_RDONLY);
	ssize_t n = read(fd, data, size);

	assert_true(n > 0 && (size_t)n < size);
	close(fd);
	return (size_t)n;
}

static void cache_broken(void **state)
{
	const struct cache_dir *d = *state;
	char name[64], file[512];
	size_t len;

	assert_int_equal(store(d, cache_key), 0);
	assert_int_equal(each_file(d->fd, false, name), 1);
	len = get_file(d, name, file, sizeof(file));
	for (size_t i = 0; i < len * 8; i++) {
		file[i / 8] ^= (char)(1 << i % 8);
		put_file(d, name, file, len);
		assert_int_equal(load(d, cache_key), -EBADMSG);
		file[i / 8] ^= (char)(1 << i % 8);
	}
	for (size_t i = 0; i < len; i++) {
		put_file(d, name, file, i);
		assert_int_equal(load(d, cache_key), -EBADMSG);
	}
	put_file(d, name, file, len + 1);
	assert_int_equal(load(d, cache_key), -EBADMSG);
	put_file(d, name, file, len);
	assert_int_equal(load(d, cache_key), 0);
	/* A file that is right, under another key's name. */
	assert_int_equal(unlinkat(d->fd, name, 0), 0);
	assert_int_equal(store(d, "no key"), 0);
	assert_int_equal(each_file(d->fd, false, name), 1);
	put_file(d, name, file, len);
	assert_int_equal(load(d, "no key"), -EBADMSG);
}

static void cache_not_ours(void **state)
{
	const struct cache_dir *d = *state;
	char name[64];

	assert_int_equal(store(d, cache_key), 0);
	assert_int_equal(each_file(d->fd, false, name), 1);
	assert_int_equal(fchmodat(d->fd, name, 0620, 0), 0);
	assert_int_equal(load(d, cache_key), -EPERM);
	assert_int_equal(fchmodat(d->fd, name, 0644, 0), 0);
	assert_int_equal(load(d, cache_key), 0);
	assert_int_equal(fchmod(d->fd, 0770), 0);
	assert_int_equal(load(d, cache_key), -EPERM);
	assert_int_equal(store(d, cache_key), -EPERM);
	assert_int_equal(fchmod(d->fd, 0755), 0);
	assert_int_equal(load(d, cache_key), 0);
	if (geteuid() == 0) {
		assert_int_equal(fchownat(d->fd, name, 12345, 0, 0), 0);
		assert_int_equal(load(d, cache_key), -EPERM);
		assert_int_equal(fchownat(d->fd, name, 0, 0, 0), 0);
		assert_int_equal(fchown(d->fd, 12345, 0), 0);
		assert_int_equal(load(d, cache_key), -EPERM);
		assert_int_equal(store(d, cache_key), -EPERM);
		assert_int_equal(fchown(d->fd, 0, 0), 0);
	}
	/* Neither what a link leads to, nor a directory, nor a pipe, for which nobody waits. */
	assert_int_equal(renameat(d->fd, name, d->fd, "file"), 0);
	assert_int_equal(symlinkat("file", d->fd, name), 0);
	assert_int_equal(load(d, cache_key), -ELOOP);
	assert_int_equal(unlinkat(d->fd, name, 0), 0);
	assert_int_equal(mkfifoat(d->fd, name, 0600), 0);
	assert_int_equal(load(d, cache_key), -EPERM);
	assert_int_equal(store(d, cache_key), 0);
	assert_int_equal(load(d, cache_key), 0);
}

#ifdef HAVE_HYPERSCAN
static ino_t find_cached(const struct cache_dir *d, size_t n_files)
{
	static const struct word list[] = {WORD("password", true), WORD("Failed", false)};
	static const struct word turned[] = {WORD("Failed", false), WORD("password", true)};
	const struct words_cache cache = {.dir_fd = d->fd};
	struct words_scanner *s;
	struct words *w;
	struct stat st;
	char name[64];
	size_t upto;

	/* The order of the list is not in the key. */
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(words_new_with(&w, i ? turned : list, 2, &cache, &hs, 1), 0);
		assert_string_equal(words_engine(w), "hyperscan");
		assert_int_equal(words_scanner_new(&s, w), 0);
		assert_int_equal(words_scan(w, s, "Failed PASSWORD", 15, hits, 9, &upto), 2);
		assert_int_equal(hits[0].word, 1 - i);
		assert_int_equal(hits[1].word, i);
		assert_int_equal(words_scanner_failures(s), 0);
		words_scanner_free(s);
		words_free(w);
	}
	assert_int_equal(each_file(d->fd, false, name), n_files);
	if (n_files == 0)
		return 0;
	assert_int_equal(fstatat(d->fd, name, &st, 0), 0);
	return st.st_ino;
}

static void cache_of_words(void **state)
{
	const struct cache_dir *d = *state;
	static char file[1 << 20];
	char name[64];
	ino_t first;
	size_t len;

	first = find_cached(d, 1);
	assert_true(find_cached(d, 1) == first);
	each_file(d->fd, false, name);
	len = get_file(d, name, file, sizeof(file));
	for (size_t at = 0; at < len; at += 97) {
		file[at] ^= 0x10;
		put_file(d, name, file, len);
		file[at] ^= 0x10;
		/* Broken, so compiled and written again. */
		assert_true(find_cached(d, 1) != first);
		put_file(d, name, file, len);
		first = find_cached(d, 1);
	}
	each_file(d->fd, true, name);
	assert_int_equal(fchmod(d->fd, 0777), 0);
	find_cached(d, 0);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(some),
		cmocka_unit_test(at_random),
		cmocka_unit_test(long_buffer),
		cmocka_unit_test(refused),
		cmocka_unit_test(threads),
		cmocka_unit_test_setup_teardown(cache_round_trip, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(cache_broken, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(cache_not_ours, make_dir, remove_dir),
#ifdef HAVE_HYPERSCAN
		cmocka_unit_test_setup_teardown(cache_of_words, make_dir, remove_dir),
		cmocka_unit_test(library_fails),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
