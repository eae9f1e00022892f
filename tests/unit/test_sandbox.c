/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/confine.h"
#include "guard/sandbox.h"
#include "match/words.h"
#include "match/words_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define CHANNEL 100 /* what would be the descriptor to keeper */

/* Seals a child, has it do fn, and returns the signal that ended it, or 0 and its status. */
static int in_sealed_child(int (*fn)(void), bool herald, int *ret_status)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		struct rlimit none = {0};
		const int channels[] = {CHANNEL, -1};

		setrlimit(RLIMIT_CORE, &none);
		if ((herald ? sandbox_seal_herald(CHANNEL) : sandbox_seal(channels, 2)) < 0)
			_exit(99);
		_exit(fn());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	*ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static int make_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) < 0;
}

static int execute(void)
{
	char *argv[] = {(char *)"/bin/true", NULL};

	execv(argv[0], argv);
	return 1;
}

static int make_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
	       MAP_FAILED;
}

static int trace(void)
{
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0;
}

static int kill_parent(void)
{
	return kill(getppid(), 0) != 0;
}

static int send_elsewhere(void)
{
	return send(CHANNEL + 1, "x", 1, 0) != 1;
}

static int lend_user(void)
{
	return fchmod(CHANNEL, 04755) != 0;
}

static int open_lending(void)
{
	return open("/tmp/test_sandbox_suid", O_WRONLY | O_CREAT, 04755) < 0;
}

static int work(void)
{
	char *p = malloc(1 << 20);
	int fd = open("/", O_RDONLY | O_DIRECTORY);

	if (p == NULL || fd < 0)
		return 1;
	memset(p, 1, 1 << 20);
	free(p);
	return close(fd) == 0 ? 42 : 1;
}

static void sealed(void **state)
{
	int (*const forbidden[])(void) = {make_socket, execute, make_code, trace, kill_parent,
		send_elsewhere, lend_user, open_lending};
	int status;

	(void)state;
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
		assert_int_equal(in_sealed_child(forbidden[i], false, &status), SIGSYS);
	assert_int_equal(in_sealed_child(work, false, &status), 0);
	assert_int_equal(status, 42);
}

static char words_dir[] = "/tmp/test_sandbox.XXXXXX";

/* Sets of words are compiled and kept by a process that is sealed. */
static int find_words(void)
{
	struct words_cache cache = {.dir_fd = open(words_dir, O_RDONLY | O_DIRECTORY)};
	static char texts[800][8];
	static struct word list[800];
	struct words_scanner *s;
	struct words_hit hit;
	struct words *w;
	size_t upto;

	for (unsigned i = 0; i < 800; i++) {
		snprintf(texts[i], sizeof(texts[i]), "word%03u", i);
		list[i] = (struct word) {texts[i], 7, i % 2 != 0};
	}
	/* More sets than are kept. */
	for (size_t n = 800; n > 800 - WORDS_CACHE_FILES - 2; n--) {
		if (words_new(&w, list, n, &cache) < 0 || words_scanner_new(&s, w) < 0)
			return 1;
		if (words_scan(w, s, "A WORD001", 9, &hit, 1, &upto) != 1 || hit.word != 1)
			return 2;
		words_scanner_free(s);
		words_free(w);
	}
	return 42;
}

static void sealed_words(void **state)
{
	char command[64];
	int status;

	(void)state;
	assert_non_null(mkdtemp(words_dir));
	assert_int_equal(in_sealed_child(find_words, false, &status), 0);
	assert_int_equal(status, 42);
	assert_int_equal(in_sealed_child(find_words, false, &status), 0);
	assert_int_equal(status, 42);
	snprintf(command, sizeof(command), "rm -r %s", words_dir);
	assert_int_equal(system(command), 0);
}

static int open_file(void)
{
	return open("/etc/hosts", O_RDONLY) < 0 && errno == EACCES ? 42 : 1;
}

static int deny_socket(void)
{
	return socket(AF_INET, SOCK_DGRAM, 0) < 0 && errno == EACCES ? 42 : 1;
}

static int connect_somewhere(void)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};

	return connect(CHANNEL + 1, (struct sockaddr *)&sin, sizeof(sin)) != 0;
}

static int send_message(void)
{
	struct msghdr m = {0};

	return sendmsg(CHANNEL + 1, &m, 0) != 0;
}

static int remove_file(void)
{
	return unlink("/tmp/test_sandbox_none") != 0;
}

static void sealed_herald(void **state)
{
	int (*const forbidden[])(void) = {execute, make_code, trace, kill_parent, lend_user,
		connect_somewhere, send_message, remove_file};
	int status;

	(void)state;
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
		assert_int_equal(in_sealed_child(forbidden[i], true, &status), SIGSYS);
	assert_int_equal(in_sealed_child(open_file, true, &status), 0);
	assert_int_equal(status, 42);
	assert_int_equal(in_sealed_child(deny_socket, true, &status), 0);
	assert_int_equal(status, 42);
}

/* "Name:\tvalue" of /proc/self/status, opened before the root changed. */
static int has_line(FILE *f, const char *want)
{
	char line[256];

	rewind(f);
	while (fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, want, strlen(want)) == 0)
			return 1;
	fprintf(stderr, "not so: %s\n", want);
	return 0;
}

static void dropped(void **state)
{
	char dir[] = "/tmp/test_sandbox.XXXXXX";
	int status = 0;
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_non_null(mkdtemp(dir));
	pid = fork();
	if (pid == 0) {
		const struct sandbox_identity who = {.root = dir, .uid = 65534, .gid = 65534};
		const char *step = "";
		char path[64];
		int proc, fd;
		FILE *f;

		proc = open("/proc", O_RDONLY | O_DIRECTORY);
		if (sandbox_drop(&who, &step) < 0) {
			fprintf(stderr, "%s\n", step);
			_exit(2);
		}
		snprintf(path, sizeof(path), "%d/status", (int)getpid());
		fd = openat(proc, path, O_RDONLY);
		f = fdopen(fd, "r");
		if (f == NULL || !has_line(f, "Uid:\t65534\t65534\t65534\t65534") ||
			!has_line(f, "Gid:\t65534\t65534\t65534\t65534") ||
			!has_line(f, "Groups:\t \n") || !has_line(f, "CapPrm:\t0000000000000000") ||
			!has_line(f, "CapEff:\t0000000000000000") ||
			!has_line(f, "CapBnd:\t0000000000000000") ||
			!has_line(f, "CapAmb:\t0000000000000000") || !has_line(f, "NoNewPrivs:\t1"))
			_exit(3);
		if (access("/etc", F_OK) == 0)
			_exit(4);
		_exit(42);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	rmdir(dir);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 42);
}

/* Who reads all, beneath a directory: that and nothing else. */
static int read_confined(const char *dir)
{
	const struct sandbox_identity who = {.uid = 65534, .gid = 65534, .reads_all = true};
	char good[128], way_round[160];
	const char *step;

	snprintf(good, sizeof(good), "%s/journal", dir);
	snprintf(way_round, sizeof(way_round), "%s/../../etc/shadow", dir);
	if (sandbox_drop(&who, &step) < 0)
		return 1;
	if (access("/etc/shadow", F_OK) < 0 || open("/etc/shadow", O_RDONLY) < 0)
		return 2;
	if (confine_reading(&dir, 1) < 0)
		return 3;
	if (open(good, O_RDONLY) < 0 || open(dir, O_RDONLY | O_DIRECTORY) < 0)
		return 4;
	if (open("/etc/shadow", O_RDONLY) >= 0 || open(way_round, O_RDONLY) >= 0 ||
		open("/proc/self/mem", O_RDONLY) >= 0 || open("/", O_RDONLY | O_DIRECTORY) >= 0)
		return 5;
	if (open(good, O_WRONLY) >= 0 || socket(AF_INET, SOCK_DGRAM, 0) >= 0 || setuid(0) == 0)
		return 6;
	execute();
	return 42;
}

static void reading_is_confined(void **state)
{
	char dir[] = "/tmp/test_sandbox-XXXXXX", file[64];
	const char *none = "/nonexistent";
	int status, fd;
	pid_t pid;

	(void)state;
	if (geteuid() != 0 || confine_reading(&none, 1) == -EOPNOTSUPP) {
		print_message("# not root, or no landlock here: skipped\n");
		return;
	}
	assert_int_equal(confine_reading(&none, 1), -ENOENT);
	assert_non_null(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/journal", dir);
	fd = open(file, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
	pid = fork();
	if (pid == 0)
		_exit(read_confined(dir));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	unlink(file);
	rmdir(dir);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 42);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reading_is_confined),
		cmocka_unit_test(sealed),
		cmocka_unit_test(sealed_words),
		cmocka_unit_test(sealed_herald),
		cmocka_unit_test(dropped),
	};

	return cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
}
