/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The whole of guard as a child, with a keeper made up by the test: sealed, but not dropped to
 * another user. */
#include "guard/guard.h"

#include "base/clock.h"
#include "ipc/channel.h"
#include "ipc/messages.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* LeakSanitizer needs system calls that guard forbids itself. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

#define PATIENCE_MS 20000

struct head {
	uint32_t type, len;
};

static char dir[64], log_path[128];
static struct plan *plan;
static struct guard_mark *mark;
static struct guard_line poison;
static size_t n_poison;
static int keeper = -1, inotify = -1, listener = -1, datagram_in = -1;
static pid_t pid;
static char body[CHANNEL_BODY_MAX];
static size_t body_len;

static void put(const char *name, const char *text)
{
	char path[160];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int make_config(void **state)
{
	struct faults f = {0};
	char text[512], path[160];

	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/test_guard.XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(log_path, sizeof(log_path), "%s/auth.log", dir);
	snprintf(path, sizeof(path), "%s/filter.d", dir);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/state", dir);
	mkdir(path, 0700);
	snprintf(text, sizeof(text),
		"[DEFAULT]\nignoreip = 127.0.0.0/8\nmaxretry = 3\nfindtime = 600\nbantime = 600\n"
		"[one]\nenabled = true\nport = 22\nfilter = f\nsource = file, syslog\nlogpath = "
		"%s\n"
		"[two]\nenabled = true\nport = 80\nfilter = f\nsource = file\nmaxretry = 5\n"
		"logpath = %s\n",
		log_path, log_path);
	put("jail.conf", text);
	put("filter.d/f.conf", "[Definition]\nfailregex = ^ bad from <HOST>$\n"
			       "            ^ slow (?:a|aa)+b from <HOST>$\n");
	put("stockade.conf",
		"[Definition]\nloglevel = INFO\n[syslog]\nlisten = unix:///nowhere/log\n");
	put("auth.log", "");
	if (plan_load(&plan, dir, NULL, &f) < 0) {
		for (size_t i = 0; i < f.n; i++)
			fprintf(stderr, "%s\n", f.items[i].message);
		return -1;
	}
	faults_done(&f);
	mark = mmap(NULL, sizeof(*mark), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return 0;
}

static int drop_config(void **state)
{
	char command[96];

	(void)state;
	plan_free(plan);
	munmap(mark, sizeof(*mark));
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static void tell(uint32_t type, const void *data, size_t len, int fd)
{
	struct head h = {type, (uint32_t)len};
	struct iovec iov[2] = {{&h, sizeof(h)}, {(void *)data, len}};
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
	struct msghdr m = {.msg_iov = iov, .msg_iovlen = 2};

	if (fd >= 0) {
		struct cmsghdr *c;

		m.msg_control = control;
		m.msg_controllen = sizeof(control);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	assert_int_equal(sendmsg(keeper, &m, MSG_NOSIGNAL), (ssize_t)(sizeof(h) + len));
}

/* The next message of that type; log lines and others before it are passed over. */
static void await(uint32_t type)
{
	static char packet[sizeof(struct head) + CHANNEL_BODY_MAX];
	int64_t deadline = clock_mono_us() + PATIENCE_MS * 1000LL;

	for (;;) {
		struct pollfd p = {.fd = keeper, .events = POLLIN};
		struct head h;
		ssize_t n;

		assert_true(clock_mono_us() < deadline);
		if (poll(&p, 1, 100) <= 0)
			continue;
		n = recv(keeper, packet, sizeof(packet), 0);
		assert_true(n >= (ssize_t)sizeof(h));
		memcpy(&h, packet, sizeof(h));
		assert_true(message_check(TO_KEEPER, h.type, packet + sizeof(h), h.len, false));
		if (h.type != type)
			continue;
		body_len = h.len;
		memcpy(body, packet + sizeof(h), h.len);
		return;
	}
}

static void tell_file(const char *path, bool at_start)
{
	struct msg_file *m = calloc(1, sizeof(*m));
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	m->dev = st.st_dev;
	m->ino = st.st_ino;
	m->wd = inotify_add_watch(inotify, path, IN_MODIFY);
	m->at_start = at_start;
	snprintf(m->path, sizeof(m->path), "%s", log_path);
	tell(MSG_FILE, m, sizeof(*m), fd);
	close(fd);
	free(m);
}

static void tell_left(uint64_t dev, uint64_t ino)
{
	struct msg_file_ref *m = calloc(1, sizeof(*m));

	m->dev = dev;
	m->ino = ino;
	snprintf(m->path, sizeof(m->path), "%s", log_path);
	tell(MSG_FILE_LEFT, m, sizeof(*m), -1);
	free(m);
}

static void start_guard(void)
{
	int pair[2], udp[2];
	char state[96];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, udp), 0);
	inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	keeper = pair[0];
	listener = udp[1];
	datagram_in = udp[0];
	memset(mark, 0, sizeof(*mark));
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		struct rlimit none = {0};
		struct guard_options o = {
			.plan = plan,
			.confdir = dir,
			.statedir = state,
			.keeper_fd = pair[1],
			.herald_fd = -1,
			.porter_fd = -1,
			.inotify_fd = inotify,
			.listen_fds = &listener,
			.n_listen = 1,
			.mark = mark,
			.poison = &poison,
			.n_poison = n_poison,
		};

		setrlimit(RLIMIT_CORE, &none);
		close(pair[0]);
		snprintf(state, sizeof(state), "%s/state", dir);
		_exit(guard_run(&o));
	}
	close(pair[1]);
	close(listener);
	tell(MSG_WALL_END, NULL, 0, -1);
}

static void begin(void)
{
	tell(MSG_START_END, NULL, 0, -1);
	await(MSG_READY);
}

/* Ends it, in order or by force, and returns the wait status. */
static int end_guard(bool in_order)
{
	int status;

	if (in_order) {
		tell(MSG_LEAVE, NULL, 0, -1);
		await(MSG_LEFT);
	} else {
		kill(pid, SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(keeper);
	close(inotify);
	close(datagram_in);
	return status;
}

static void append(const char *path, const char *addr, unsigned times, time_t when)
{
	char stamp[64];
	struct tm tm;
	FILE *f = fopen(path, "a");

	assert_non_null(f);
	localtime_r(&when, &tm);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S%z", &tm);
	for (unsigned i = 0; i < times; i++)
		fprintf(f, "%s bad from %s\n", stamp, addr);
	fclose(f);
}

static void expect_ban(const char *addr, unsigned jail)
{
	const struct msg_ban *b = (const void *)body;
	char text[PREFIX_STRLEN];

	await(MSG_BAN);
	assert_int_equal(body_len, sizeof(*b));
	assert_string_equal(prefix_format(&b->prefix, text), addr);
	assert_int_equal(b->jail, jail);
}

/* Asks as a client does and returns the answer's lines. */
static const char *ask(const char *request)
{
	static char answer[1 << 16];
	struct msg_query_end *q = calloc(1, sizeof(*q));
	size_t used = 0;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	tell(MSG_CLIENT, NULL, 0, pair[0]);
	close(pair[0]);
	assert_int_equal(write(pair[1], request, strlen(request)), (ssize_t)strlen(request));
	await(MSG_QUERY_WALL);
	memcpy(&q->serial, body, sizeof(q->serial));
	q->healthy = 1;
	tell(MSG_QUERY_END, q, sizeof(*q), -1);
	free(q);
	for (;;) {
		ssize_t n;

		n = read(pair[1], answer + used, sizeof(answer) - 1 - used);
		assert_true(n > 0);
		used += (size_t)n;
		answer[used] = '\0';
		if (strstr(answer, "{\"end\":") != NULL || strstr(answer, "{\"error\":") != NULL)
			break;
	}
	close(pair[1]);
	return answer;
}

static int fresh(void **state)
{
	char command[160];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s/state/* %s/auth.log*", dir, dir);
	if (system(command) != 0)
		return -1;
	put("auth.log", "");
	return 0;
}

static void counts_and_bans(void **state)
{
	time_t now = time(NULL);

	(void)state;
	append(log_path, "192.0.2.9", 5, now - 700); /* older than findtime */
	start_guard();
	tell_file(log_path, true);
	begin();
	append(log_path, "192.0.2.1", 2, now);
	append(log_path, "127.0.0.1", 9, now); /* ignored */
	append(log_path, "::ffff:192.0.2.1", 1, now);
	expect_ban("192.0.2.1", 0);
	append(log_path, "192.0.2.1", 2, now);
	expect_ban("192.0.2.1", 1); /* the other jail, at five */
	assert_non_null(strstr(ask("{\"cmd\":\"banned\"}\n"), "192.0.2.1"));
	assert_null(strstr(ask("{\"cmd\":\"explain\",\"addr\":\"192.0.2.9\"}\n"), "bad from"));
	assert_int_equal(end_guard(true), 0);
}

static void datagrams_are_judged(void **state)
{
	(void)state;
	start_guard();
	begin();
	for (unsigned i = 0; i < 3; i++) {
		const char *text = "<38>Jan  1 00:00:00 bad from 192.0.2.3\n";

		if (i > 0)
			text = "<38>Jan  1 00:00:00 bad from 192.0.2.3";
		assert_int_equal(send(datagram_in, text, strlen(text), 0), (ssize_t)strlen(text));
	}
	/* A line break does not make two lines of one datagram. */
	assert_int_equal(send(datagram_in, "x\n bad from 192.0.2.3", 21, 0), 21);
	append(log_path, "192.0.2.4", 1, time(NULL));
	assert_int_equal(send(datagram_in, "Jan  1 00:00:00 bad from 192.0.2.3", 34, 0), 34);
	expect_ban("192.0.2.3", 0);
	assert_int_equal(end_guard(true), 0);
}

static unsigned guards_files(void)
{
	char path[64];
	unsigned n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	d = opendir(path);
	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

/* Anybody may send to a Unix socket, but nobody gives us files by it. */
static void files_are_not_taken(void **state)
{
	char text[] = "Jan  1 00:00:00 bad from 192.0.2.6";
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec iov = {text, sizeof(text) - 1};
	struct msghdr m = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	unsigned before;

	(void)state;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	start_guard();
	begin();
	before = guards_files();
	memcpy(CMSG_DATA(c), &datagram_in, sizeof(int));
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(sendmsg(datagram_in, &m, 0), (ssize_t)iov.iov_len);
	expect_ban("192.0.2.6", 0);
	assert_int_equal(guards_files(), before);
	assert_int_equal(end_guard(true), 0);
}

static void goes_on_after(bool in_order)
{
	time_t now = time(NULL);

	start_guard();
	tell_file(log_path, true);
	begin();
	append(log_path, "192.0.2.1", 2, now);
	append(log_path, "192.0.2.2", 3, now);
	expect_ban("192.0.2.2", 0);
	/* Long enough for a save, so that going on from it is what is tested. */
	if (!in_order)
		usleep(600000);
	end_guard(in_order);
	append(log_path, "192.0.2.1", 1, now);
	start_guard();
	tell_file(log_path, true);
	tell(MSG_START_END, NULL, 0, -1);
	/* The ban that the kernel does not hold is said again, then the third failure counts. */
	expect_ban("192.0.2.2", 0);
	expect_ban("192.0.2.1", 0);
	assert_non_null(strstr(ask("{\"cmd\":\"status\",\"jail\":\"one\"}\n"), "\"failures\":6"));
	assert_int_equal(end_guard(true), 0);
}

static void goes_on_after_leaving(void **state)
{
	(void)state;
	goes_on_after(true);
}

static void goes_on_after_a_kill(void **state)
{
	(void)state;
	goes_on_after(false);
}

static void rotated_while_running(void **state)
{
	char rotated[160];
	time_t now = time(NULL);
	struct stat st;

	(void)state;
	snprintf(rotated, sizeof(rotated), "%s.1", log_path);
	start_guard();
	tell_file(log_path, true);
	begin();
	append(log_path, "192.0.2.1", 1, now);
	assert_int_equal(rename(log_path, rotated), 0);
	assert_int_equal(stat(rotated, &st), 0);
	append(rotated, "192.0.2.1", 1, now); /* the writer has not noticed */
	append(log_path, "192.0.2.1", 1, now);
	tell_left(st.st_dev, st.st_ino);
	tell_file(log_path, false);
	expect_ban("192.0.2.1", 0);
	assert_int_equal(end_guard(true), 0);
}

static void rotated_while_away(void **state)
{
	char rotated[160];
	time_t now = time(NULL);
	struct msg_file *m = calloc(1, sizeof(*m));
	struct stat st;
	int fd;

	(void)state;
	snprintf(rotated, sizeof(rotated), "%s.1", log_path);
	start_guard();
	tell_file(log_path, true);
	begin();
	append(log_path, "192.0.2.1", 1, now);
	assert_non_null(strstr(ask("{\"cmd\":\"status\",\"jail\":\"one\"}\n"), "one"));
	end_guard(true);
	append(log_path, "192.0.2.1", 1, now);
	assert_int_equal(rename(log_path, rotated), 0);
	append(log_path, "192.0.2.1", 1, now);
	start_guard();
	tell_file(log_path, true);
	await(MSG_SIBLINGS);
	fd = open(rotated, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	m->dev = st.st_dev;
	m->ino = st.st_ino;
	m->wd = -1;
	snprintf(m->path, sizeof(m->path), "%s", rotated);
	tell(MSG_SIBLING, m, sizeof(*m), fd);
	close(fd);
	free(m);
	tell(MSG_SIBLINGS_END, body, body_len, -1);
	tell(MSG_START_END, NULL, 0, -1);
	expect_ban("192.0.2.1", 0);
	assert_int_equal(end_guard(true), 0);
}

/* A log of four lines, of which that one, or a block from there on, has ended two guards. */
static void start_poisoned(unsigned line, bool is_block)
{
	struct stat st;

	append(log_path, "192.0.2.1", 4, time(NULL));
	assert_int_equal(stat(log_path, &st), 0);
	poison = (struct guard_line) {
		.ino = st.st_ino,
		.offset = (uint64_t)st.st_size / 4 * line,
		.is_block = is_block,
	};
	n_poison = 1;
	start_guard();
	n_poison = 0;
	tell_file(log_path, true);
}

static void poison_is_left_out(void **state)
{
	(void)state;
	start_poisoned(0, false);
	begin();
	expect_ban("192.0.2.1", 0);
	assert_non_null(strstr(ask("{\"cmd\":\"status\"}\n"), "\"poison_lines\":1"));
	assert_int_equal(end_guard(true), 0);
}

static const char *status(void)
{
	return ask("{\"cmd\":\"status\"}\n");
}

static void poison_among_others(void **state)
{
	(void)state;
	/* The third of four. */
	start_poisoned(2, false);
	begin();
	expect_ban("192.0.2.1", 0);
	assert_non_null(strstr(status(), "\"poison_lines\":1"));
	assert_non_null(strstr(status(), "\"failures\":3"));
	assert_null(strstr(status(), "\"prefilter\":null"));
	assert_int_equal(end_guard(true), 0);
}

/* What could not be looked at together is, line by line, and nothing is lost. */
static void poison_of_many(void **state)
{
	(void)state;
	start_poisoned(1, true);
	begin();
	expect_ban("192.0.2.1", 0);
	assert_non_null(strstr(status(), "\"poison_lines\":0"));
	assert_non_null(strstr(status(), "\"failures\":4"));
	assert_int_equal(end_guard(true), 0);
}

#define SLOW_LINES 4

/* Lines in which nothing is found, after a long while. Returns how long each is. */
static size_t append_slow(void)
{
	time_t now = time(NULL);
	char stamp[64], as[3000];
	struct tm tm;
	FILE *f = fopen(log_path, "a");
	int len = 0;

	assert_non_null(f);
	memset(as, 'a', sizeof(as));
	localtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S%z", &tm);
	for (unsigned i = 0; i < SLOW_LINES; i++)
		len = fprintf(
			f, "%s slow %.*s, not ab from 192.0.2.9\n", stamp, (int)sizeof(as), as);
	fclose(f);
	return (size_t)len;
}

/* The end comes while a regex is tried on a line in which nothing is found. */
static void names_the_line_it_dies_of(void **state)
{
	int64_t deadline = clock_mono_us() + PATIENCE_MS * 1000LL;
	struct stat st;
	size_t len;
	int status_was;

	(void)state;
	append(log_path, "192.0.2.1", 4, time(NULL));
	assert_int_equal(stat(log_path, &st), 0);
	start_guard();
	tell_file(log_path, true);
	begin();
	expect_ban("192.0.2.1", 0);
	len = append_slow();
	while (!mark->judging || mark->line.is_block || mark->line.offset < (uint64_t)st.st_size) {
		assert_true(clock_mono_us() < deadline);
		usleep(100);
	}
	kill(pid, SIGABRT);
	assert_int_equal(waitpid(pid, &status_was, 0), pid);
	assert_true(WIFSIGNALED(status_was) && mark->judging);
	assert_false(mark->line.is_block);
	assert_int_equal((mark->line.offset - (uint64_t)st.st_size) % len, 0);
	poison = mark->line;
	close(keeper);
	close(inotify);
	close(datagram_in);
	n_poison = 1;
	start_guard();
	n_poison = 0;
	tell_file(log_path, true);
	begin();
	while (strstr(status(), "\"lag_bytes\":0") == NULL)
		assert_true(clock_mono_us() < deadline);
	assert_non_null(strstr(status(), "\"poison_lines\":1"));
	assert_int_equal(end_guard(true), 0);
}

static void nonsense_ends_it(void **state)
{
	int status;

	(void)state;
	start_guard();
	begin();
	tell(MSG_BAN, NULL, 0, -1); /* not for guard to hear */
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	close(keeper);
	close(inotify);
	close(datagram_in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(counts_and_bans, fresh),
		cmocka_unit_test_setup(datagrams_are_judged, fresh),
		cmocka_unit_test_setup(files_are_not_taken, fresh),
		cmocka_unit_test_setup(goes_on_after_leaving, fresh),
		cmocka_unit_test_setup(goes_on_after_a_kill, fresh),
		cmocka_unit_test_setup(rotated_while_running, fresh),
		cmocka_unit_test_setup(rotated_while_away, fresh),
		cmocka_unit_test_setup(poison_is_left_out, fresh),
		cmocka_unit_test_setup(poison_among_others, fresh),
		cmocka_unit_test_setup(poison_of_many, fresh),
		cmocka_unit_test_setup(names_the_line_it_dies_of, fresh),
		cmocka_unit_test_setup(nonsense_ends_it, fresh),
	};

	return cmocka_run_group_tests_name("guard", tests, make_config, drop_config);
}
