/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Failures of names and blocks, and bans that wait for ignorecommand: guard as a child, with keeper
 * and herald made up by the test. */
#include "base/clock.h"
#include "guard/guard.h"
#include "ipc/channel.h"
#include "ipc/messages.h"

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
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* LeakSanitizer needs system calls that guard forbids itself. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

#define PATIENCE_MS 20000

enum { YES, WARN, NO, BLOCK, ASK, CACHE };

struct head {
	uint32_t type, len;
};

static char dir[] = "/tmp/test_guard_names.XXXXXX";
static struct plan *plan;
static struct guard_mark *mark;
static int keeper = -1, herald = -1, inotify = -1, log_in = -1;
static pid_t pid;
static _Alignas(max_align_t) char body[CHANNEL_BODY_MAX];
static size_t body_len;

static void put(const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int make_config(void **state)
{
	static const char *const folders[] = {"filter.d", "state"};
	struct faults f = {0};
	char path[256];

	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, folders[i]);
		mkdir(path, 0700);
	}
	put("jail.conf",
		"[DEFAULT]\nmaxretry = 2\nsource = syslog\nenabled = true\nport = 22\n"
		"[yes]\nusedns = yes\n[warn]\nignoreip = Friend.Example.ORG. other.example.org\n"
		"[no]\nusedns = no\n[block]\n[ask]\nignorecommand = ask <ip> <F-USER>\n"
		"[cache]\nignorecommand = ask <ip-host>\n"
		"ignorecache = key=\"<F-USER>\", max-count=10, max-time=1h\n");
	for (size_t i = 0; i < 3; i++) {
		static const char *const names[] = {"yes", "warn", "no"};
		char text[128];

		snprintf(path, sizeof(path), "filter.d/%s.conf", names[i]);
		snprintf(text, sizeof(text), "[Definition]\nfailregex = ^ %s <HOST>$\n", names[i]);
		put(path, text);
	}
	put("filter.d/block.conf", "[Definition]\nfailregex = ^ block <SUBNET>$\n");
	put("filter.d/ask.conf", "[Definition]\nfailregex = ^ ask <ADDR> <F-USER>.*</F-USER>$\n");
	put("filter.d/cache.conf",
		"[Definition]\nfailregex = ^ cache <ADDR> <F-USER>.*</F-USER>$\n");
	put("stockade.conf", "[syslog]\nlisten = udp://127.0.0.1:1\n");
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

static void tell(int channel, uint32_t type, const void *data, size_t len)
{
	struct head h = {type, (uint32_t)len};
	struct iovec iov[2] = {{&h, sizeof(h)}, {(void *)data, len}};

	assert_int_equal(writev(channel, iov, 2), (ssize_t)(sizeof(h) + len));
}

/* The next message of that type; keeper passes over all others. False: none came in time. */
static bool await_in(int channel, uint32_t type, int ms)
{
	static _Alignas(max_align_t) char packet[sizeof(struct head) + CHANNEL_BODY_MAX];
	int64_t deadline = clock_mono_us() + ms * 1000LL;

	while (clock_mono_us() < deadline) {
		struct pollfd p = {.fd = channel, .events = POLLIN};
		struct head h;
		ssize_t n;

		if (poll(&p, 1, 20) <= 0)
			continue;
		n = recv(channel, packet, sizeof(packet), 0);
		assert_true(n >= (ssize_t)sizeof(h));
		memcpy(&h, packet, sizeof(h));
		assert_true(message_check(channel == keeper ? TO_KEEPER : TO_HERALD, h.type,
			packet + sizeof(h), h.len, false));
		if (h.type != type)
			continue;
		body_len = h.len;
		memcpy(body, packet + sizeof(h), h.len);
		return true;
	}
	return false;
}

static void await(int channel, uint32_t type)
{
	assert_true(await_in(channel, type, PATIENCE_MS));
}

static void launch(void)
{
	int k[2], h[2], udp[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, k), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, h), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, udp), 0);
	inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	keeper = k[0];
	herald = h[0];
	log_in = udp[0];
	memset(mark, 0, sizeof(*mark));
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		const struct rlimit none = {0};
		char state[64];
		struct guard_options o = {
			.plan = plan,
			.confdir = dir,
			.statedir = state,
			.keeper_fd = k[1],
			.herald_fd = h[1],
			.porter_fd = -1,
			.inotify_fd = inotify,
			.listen_fds = &udp[1],
			.n_listen = 1,
			.mark = mark,
		};

		setrlimit(RLIMIT_CORE, &none);
		close(k[0]);
		close(h[0]);
		snprintf(state, sizeof(state), "%s/state", dir);
		_exit(guard_run(&o));
	}
	close(k[1]);
	close(h[1]);
	close(udp[1]);
}

static void start(void)
{
	launch();
	tell(keeper, MSG_WALL_END, NULL, 0);
	tell(keeper, MSG_START_END, NULL, 0);
	await(keeper, MSG_READY);
}

static void stop(void)
{
	int status;

	tell(keeper, MSG_LEAVE, NULL, 0);
	await(keeper, MSG_LEFT);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(keeper);
	close(herald);
	close(inotify);
	close(log_in);
}

/* As a daemon on this machine would say it. */
static void logged(const char *text, unsigned times)
{
	char line[512];
	int len = snprintf(line, sizeof(line), "<38>Jan  1 00:00:00%s", text);

	for (unsigned i = 0; i < times; i++)
		assert_int_equal(send(log_in, line, (size_t)len, 0), len);
}

/* What herald is asked; the serial to answer with. */
static uint32_t asked(const char *name)
{
	const struct msg_lookup *m = (const void *)body;

	await(herald, MSG_LOOKUP);
	assert_int_equal(m->reverse, 0);
	assert_string_equal(m->name, name);
	return m->serial;
}

static void answer(uint32_t serial, enum lookup_result result, const char *a, const char *b)
{
	struct msg_found m = {.serial = serial, .result = (uint8_t)result};

	if (a != NULL)
		assert_int_equal(addr_parse(&m.addrs[m.n++], a, strlen(a)), 0);
	if (b != NULL)
		assert_int_equal(addr_parse(&m.addrs[m.n++], b, strlen(b)), 0);
	tell(herald, MSG_FOUND, &m, sizeof(m));
}

/* The names in ignoreip of the jail "warn" are asked for at every start. */
static void settle_friends(const char *friend)
{
	uint32_t serial = asked("friend.example.org");

	answer(serial, friend != NULL ? LOOKUP_FOUND : LOOKUP_FAILED, friend, NULL);
	answer(asked("other.example.org"), LOOKUP_NONE, NULL, NULL);
}

static void expect_ban_of(const struct msg_ban *b, const char *addr, unsigned jail)
{
	char text[PREFIX_STRLEN];

	assert_string_equal(prefix_format(&b->prefix, text), addr);
	assert_int_equal(b->jail, jail);
}

static void expect_ban(const char *addr, unsigned jail)
{
	await(keeper, MSG_BAN);
	assert_int_equal(body_len, sizeof(struct msg_ban));
	expect_ban_of((const void *)body, addr, jail);
}

static int fresh(void **state)
{
	char command[96];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s/state/*", dir);
	if (system(command) != 0)
		return -1;
	start();
	return 0;
}

static int over(void **state)
{
	(void)state;
	stop();
	return 0;
}

static void names_are_looked_up(void **state)
{
	uint32_t serial;

	(void)state;
	settle_friends("192.0.2.99");
	logged(" yes Bad.Example.org", 1);
	serial = asked("bad.example.org");
	logged(" yes bad.example.ORG", 1);                    /* waits with the other */
	answer(serial + 1, LOOKUP_FOUND, "192.0.2.50", NULL); /* an answer to nothing */
	answer(serial, LOOKUP_FOUND, "192.0.2.1", "2001:db8::1");
	await(keeper, MSG_BAN);
	assert_int_equal(body_len, 2 * sizeof(struct msg_ban));
	expect_ban_of((const struct msg_ban *)(const void *)body, "192.0.2.1", YES);
	expect_ban_of((const struct msg_ban *)(const void *)body + 1, "2001:db8::1", YES);
	answer(serial, LOOKUP_FOUND, "192.0.2.51", NULL); /* it has been answered */
	logged(" warn bad.example.org", 2);               /* known by now */
	await(keeper, MSG_BAN);
	expect_ban_of((const void *)body, "192.0.2.1", WARN);
	logged(" no bad.example.org", 2);
	logged(" yes 1.2.3", 2);
	logged(" yes none.example.org", 2);
	answer(asked("none.example.org"), LOOKUP_NONE, NULL, NULL);
	logged(" yes none.example.org", 2); /* that is known too */
	logged(" yes 192.0.2.7", 2);
	expect_ban("192.0.2.7", YES);
	assert_false(await_in(herald, MSG_LOOKUP, 0));
}

static void refused_is_asked_again(void **state)
{
	(void)state;
	settle_friends(NULL);
	logged(" yes busy.example.org", 2);
	answer(asked("busy.example.org"), LOOKUP_BUSY, NULL, NULL);
	/* What was logged before the refusal was read goes with it. */
	for (unsigned i = 0; i < 100; i++) {
		logged(" yes busy.example.org", 2);
		if (await_in(herald, MSG_LOOKUP, 200))
			break;
	}
	answer(((const struct msg_lookup *)(const void *)body)->serial, LOOKUP_FOUND, "192.0.2.1",
		NULL);
	expect_ban("192.0.2.1", YES);
}

static void friends_are_ignored(void **state)
{
	uint32_t serial;

	(void)state;
	serial = asked("friend.example.org");
	/* Until it is known who the friends are nobody is banned where they are welcome. */
	logged(" warn 192.0.2.1", 2);
	logged(" warn 192.0.2.2", 2);
	logged(" yes 192.0.2.2", 2);
	expect_ban("192.0.2.2", YES);
	answer(asked("other.example.org"), LOOKUP_NONE, NULL, NULL);
	answer(serial, LOOKUP_FOUND, "192.0.2.1", NULL);
	expect_ban("192.0.2.2", WARN);
	logged(" warn 192.0.2.1", 4);
	logged(" warn friend.example.org", 4); /* by name, without asking */
	logged(" yes 192.0.2.1", 2);           /* not on the list of this jail */
	expect_ban("192.0.2.1", YES);
	assert_false(await_in(herald, MSG_LOOKUP, 0));
}

/* Banned when he was no friend yet: let out when it is known that he is one. */
static void friends_are_let_out(void **state)
{
	(void)state;
	settle_friends(NULL);
	logged(" warn 192.0.2.1", 2);
	expect_ban("192.0.2.1", WARN);
	stop();
	start();
	settle_friends("192.0.2.1");
	await(keeper, MSG_UNBAN);
	expect_ban_of((const void *)body, "192.0.2.1", WARN);
}

static void leaves_with_names_known(void **state)
{
	uint32_t serial;

	(void)state;
	settle_friends(NULL);
	logged(" yes late.example.org", 2);
	serial = asked("late.example.org");
	tell(keeper, MSG_LEAVE, NULL, 0);
	answer(serial, LOOKUP_FOUND, "192.0.2.1", NULL);
	expect_ban("192.0.2.1", YES);
	await(keeper, MSG_LEFT);
	waitpid(pid, NULL, 0);
	start();
	settle_friends(NULL);
}

static void nonsense_ends_the_channel_only(void **state)
{
	(void)state;
	settle_friends(NULL);
	tell(herald, MSG_FOUND, "x", 1);
	logged(" yes bad.example.org", 2);
	logged(" yes 192.0.2.1", 2);
	expect_ban("192.0.2.1", YES);
}

static void blocks_are_banned(void **state)
{
	(void)state;
	settle_friends(NULL);
	logged(" block 192.0.2.77/24", 2);
	expect_ban("192.0.2.0/24", BLOCK);
	logged(" block 2001:db8::/48", 2);
	expect_ban("2001:db8::/48", BLOCK);
	logged(" block 198.51.100.1", 2);
	expect_ban("198.51.100.1", BLOCK);
}

/* The question keeper is asked. */
static struct msg_ignore ignore_asked(const char *addr, const char *user)
{
	struct msg_ignore m;
	char text[PREFIX_STRLEN];

	await(keeper, MSG_IGNORE_ASK);
	memcpy(&m, body, sizeof(m));
	assert_string_equal(prefix_format(&m.prefix, text), addr);
	if (user == NULL) {
		assert_int_equal(body_len, sizeof(m));
		return m;
	}
	assert_string_equal(body + sizeof(m), "F-USER");
	assert_string_equal(body + sizeof(m) + sizeof("F-USER"), user);
	return m;
}

static void ignore_says(struct msg_ignore m, enum ignore_says says)
{
	m.says = (uint8_t)says;
	tell(keeper, MSG_IGNORE_SAYS, &m, sizeof(m));
}

static void commands_are_asked(void **state)
{
	struct msg_ignore m, other;

	(void)state;
	settle_friends(NULL);
	logged(" ask 192.0.2.1 root $(x)", 3);
	m = ignore_asked("192.0.2.1", "root $(x)");
	assert_int_equal(m.jail, ASK);
	assert_int_equal(m.failures, 2);
	logged(" ask 192.0.2.2 b", 2);
	other = ignore_asked("192.0.2.2", "b");
	ignore_says(m, IGNORE_NO);
	expect_ban("192.0.2.1", ASK);
	ignore_says(m, IGNORE_NO); /* said before */
	ignore_says(other, IGNORE_YES);
	logged(" ask 192.0.2.2 c", 2); /* asked about anew: nothing is remembered */
	other = ignore_asked("192.0.2.2", "c");
	ignore_says(other, IGNORE_UNKNOWN);
	expect_ban("192.0.2.2", ASK);
}

/* However many names are in logs, there is room to ask for another purpose. */
static void names_leave_room(void **state)
{
	struct msg_found m = {.result = LOOKUP_NONE};
	unsigned n = 0;

	(void)state;
	settle_friends(NULL);
	for (unsigned i = 0; i < 200; i++) {
		char line[64];

		snprintf(line, sizeof(line), " yes n%u.example.org", i);
		logged(line, 1);
	}
	logged(" cache 192.0.2.7 u", 2);
	for (;; n++) {
		const struct msg_lookup *q = (const void *)body;

		await(herald, MSG_LOOKUP);
		m.serial = q->serial;
		if (q->reverse)
			break;
	}
	assert_in_range(n, 90, 100);
	tell(herald, MSG_FOUND, &m, sizeof(m));
	ignore_says(ignore_asked("192.0.2.7", "u"), IGNORE_NO);
	expect_ban("192.0.2.7", CACHE);
}

static void asks_again_after_a_restart(void **state)
{
	(void)state;
	settle_friends(NULL);
	logged(" ask 192.0.2.1 root", 2);
	ignore_asked("192.0.2.1", "root");
	stop();
	launch();
	ignore_says(ignore_asked("192.0.2.1", NULL), IGNORE_NO);
	expect_ban("192.0.2.1", ASK);
}

static void answers_are_remembered(void **state)
{
	const struct msg_lookup *q = (const void *)body;
	struct msg_found m = {.result = LOOKUP_FOUND, .name = "host.example.org"};
	struct msg_ignore i;

	(void)state;
	settle_friends(NULL);
	logged(" cache 192.0.2.1 alice", 2);
	await(herald, MSG_LOOKUP);
	assert_int_equal(q->reverse, 1);
	assert_int_equal(q->addr.b[15], 1);
	m.serial = q->serial;
	tell(herald, MSG_FOUND, &m, sizeof(m));
	i = ignore_asked("192.0.2.1", "alice");
	assert_memory_equal(body + sizeof(i) + sizeof("F-USER") + sizeof("alice"),
		"ip-host\0host.example.org", sizeof("ip-host\0host.example.org"));
	ignore_says(i, IGNORE_YES);
	logged(" cache 192.0.2.2 alice", 2); /* ignored without a question */
	await(herald, MSG_LOOKUP);
	m.serial = q->serial;
	tell(herald, MSG_FOUND, &m, sizeof(m));
	logged(" cache 192.0.2.3 bob", 2);
	await(herald, MSG_LOOKUP);
	m.serial = q->serial;
	tell(herald, MSG_FOUND, &m, sizeof(m));
	ignore_says(ignore_asked("192.0.2.3", "bob"), IGNORE_NO);
	expect_ban("192.0.2.3", CACHE);
}

#define A_TEST(f) cmocka_unit_test_setup_teardown(f, fresh, over)

int main(void)
{
	const struct CMUnitTest tests[] = {
		A_TEST(names_are_looked_up),
		A_TEST(refused_is_asked_again),
		A_TEST(friends_are_ignored),
		A_TEST(friends_are_let_out),
		A_TEST(leaves_with_names_known),
		A_TEST(nonsense_ends_the_channel_only),
		A_TEST(names_leave_room),
		A_TEST(blocks_are_banned),
		A_TEST(commands_are_asked),
		A_TEST(asks_again_after_a_restart),
		A_TEST(answers_are_remembered),
	};

	return cmocka_run_group_tests_name("guard_names", tests, make_config, drop_config);
}
