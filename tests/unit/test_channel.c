/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipc/channel.h"
#include "ipc/messages.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct end {
	unsigned messages, ended;
	uint32_t type;
	size_t len;
	int fd;
	int answer; /* what the handler returns */
	struct channel *free_me;
	char body[CHANNEL_BODY_MAX];
};

static int on_message(void *arg, uint32_t type, const void *body, size_t len, int fd)
{
	struct end *e = arg;

	e->messages++;
	e->type = type;
	e->len = len;
	if (len > 0)
		memcpy(e->body, body, len);
	e->fd = fd;
	return e->answer;
}

static void on_end(void *arg, const char *why)
{
	struct end *e = arg;

	(void)why;
	e->ended++;
	channel_free(e->free_me);
	e->free_me = NULL;
}

static struct event_base *base;
static int pair[2];
static struct end *ea, *eb;
static struct channel *a, *b;

static int set_up(void **state)
{
	(void)state;
	base = event_base_new();
	ea = calloc(1, sizeof(*ea));
	eb = calloc(1, sizeof(*eb));
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	a = channel_new(base, pair[0], on_message, on_end, ea);
	b = channel_new(base, pair[1], on_message, on_end, eb);
	return a == NULL || b == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	channel_free(a);
	channel_free(b);
	free(ea);
	free(eb);
	event_base_free(base);
	return 0;
}

static void turn(void)
{
	event_base_loop(base, EVLOOP_NONBLOCK);
}

static void said_and_heard(void **state)
{
	(void)state;
	assert_int_equal(channel_send(a, 7, "hello", 5, -1), 0);
	assert_int_equal(channel_send(a, 8, NULL, 0, -1), 0);
	turn();
	assert_int_equal(eb->messages, 2);
	assert_int_equal(eb->type, 8);
	assert_int_equal(eb->len, 0);
	assert_int_equal(channel_send(a, 1, eb->body, CHANNEL_BODY_MAX + 1, -1), -EMSGSIZE);
}

static void descriptors(void **state)
{
	int fds[2];
	char c = 0;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(channel_send(a, 9, "x", 1, fds[1]), 0);
	close(fds[1]);
	turn();
	assert_true(eb->fd >= 0);
	assert_true((fcntl(eb->fd, F_GETFD) & FD_CLOEXEC) != 0);
	assert_int_equal(write(eb->fd, "y", 1), 1);
	assert_int_equal(read(fds[0], &c, 1), 1);
	assert_int_equal(c, 'y');
	close(eb->fd);
	close(fds[0]);
}

/* A slow reader: everything arrives, in order, once it reads. */
static void queued(void **state)
{
	static char big[60000];

	(void)state;
	for (unsigned i = 0; i < 200; i++)
		assert_int_equal(channel_send(a, 100 + i, big, sizeof(big), -1), 0);
	assert_true(channel_queued(a) > 0);
	for (unsigned i = 0; i < 1000 && eb->messages < 200; i++)
		turn();
	assert_int_equal(eb->messages, 200);
	assert_int_equal(eb->type, 299);
	assert_int_equal(channel_queued(a), 0);
}

/* One that never reads is given up, not queued for without end. */
static void never_read(void **state)
{
	static char big[60000];
	int r = 0;

	(void)state;
	channel_free(b);
	b = NULL;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	channel_free(a);
	a = channel_new(base, pair[0], on_message, on_end, ea);
	for (unsigned i = 0; i < 3000 && r == 0; i++)
		r = channel_send(a, 1, big, sizeof(big), -1);
	assert_int_equal(r, -ENOBUFS);
	assert_true(channel_queued(a) <= CHANNEL_QUEUE_MAX + 1000000);
	assert_int_equal(ea->ended, 0);
	turn();
	assert_int_equal(ea->ended, 1);
	close(pair[1]);
}

/* Without room for its descriptor a message still arrives, and says so. */
static void descriptor_lost(void **state)
{
	struct rlimit old, low;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(channel_send(a, 9, "x", 1, fds[0]), 0);
	low = (struct rlimit) {.rlim_cur = (rlim_t)fds[1] + 1, .rlim_max = old.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	turn();
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(eb->messages, 1);
	assert_int_equal(eb->fd, CHANNEL_FD_LOST);
	assert_int_equal(eb->ended, 0);
	close(fds[0]);
	close(fds[1]);
}

static void raw(const void *data, size_t len)
{
	assert_int_equal(send(pair[0], data, len, 0), (ssize_t)len);
	turn();
}

static void nonsense_ends_it(void **state)
{
	uint32_t head[2] = {1, 99};

	(void)state;
	raw(head, sizeof(head)); /* says 99 bytes, brings none */
	assert_int_equal(eb->messages, 0);
	assert_int_equal(eb->ended, 1);
	assert_int_equal(channel_send(b, 1, NULL, 0, -1), -EPIPE);
}

static void short_head_ends_it(void **state)
{
	(void)state;
	raw("abc", 3);
	assert_int_equal(eb->ended, 1);
}

static void refused_ends_it(void **state)
{
	(void)state;
	eb->answer = -1;
	channel_send(a, 1, NULL, 0, -1);
	channel_send(a, 2, NULL, 0, -1);
	turn();
	assert_int_equal(eb->messages, 1);
	assert_int_equal(eb->ended, 1);
}

/* The owner frees the channel from within the notice of its end, as keeper does. */
static void freed_at_its_end(void **state)
{
	(void)state;
	eb->free_me = b;
	channel_free(a);
	a = NULL;
	turn();
	b = NULL;
	assert_int_equal(eb->ended, 1);
}

static void checks_porter(void **state)
{
	struct msg_connection c = {.port = 6514};
	struct msg_tls_counts t = {.why = "x"};

	(void)state;
	assert_true(message_check(FROM_PORTER, MSG_CONNECTION, &c, sizeof(c), true));
	assert_false(message_check(FROM_PORTER, MSG_CONNECTION, &c, sizeof(c), false));
	assert_true(message_check(FROM_PORTER, MSG_TLS_COUNTS, &t, sizeof(t), false));
	assert_false(message_check(TO_GUARD, MSG_TLS_COUNTS, &t, sizeof(t), false));
	memset(t.why, 'a', sizeof(t.why)); /* without its end */
	assert_false(message_check(FROM_PORTER, MSG_TLS_COUNTS, &t, sizeof(t), false));
	for (uint32_t type = 0; type < 256; type++)
		assert_false(message_check(TO_PORTER, type, NULL, 0, false));
}

static void shapes(void **state)
{
	struct msg_ban ban = {.prefix = {.len = 128}};
	struct msg_file_ref *ref = calloc(1, sizeof(*ref));

	(void)state;
	assert_true(message_check(TO_KEEPER, MSG_BAN, &ban, sizeof(ban), false));
	assert_true(message_check(TO_KEEPER, MSG_BAN, NULL, 0, false));
	assert_false(message_check(TO_KEEPER, MSG_BAN, &ban, sizeof(ban), true));
	assert_false(message_check(TO_GUARD, MSG_BAN, &ban, sizeof(ban), false));
	assert_false(message_check(TO_KEEPER, MSG_BAN, &ban, sizeof(ban) - 1, false));
	ban.prefix.len = 129;
	assert_false(message_check(TO_KEEPER, MSG_BAN, &ban, sizeof(ban), false));
	ban.prefix.len = 8;
	ban.prefix.addr.b[15] = 1; /* host bits */
	assert_false(message_check(TO_KEEPER, MSG_BAN, &ban, sizeof(ban), false));
	assert_true(message_check(TO_KEEPER, MSG_SIBLINGS, ref, sizeof(*ref), false));
	memset(ref->path, 'a', sizeof(ref->path)); /* without its end */
	assert_false(message_check(TO_KEEPER, MSG_SIBLINGS, ref, sizeof(*ref), false));
	assert_false(message_check(TO_KEEPER, 150, NULL, 0, false));
	assert_false(message_check(TO_GUARD, MSG_FOUND, NULL, 0, false));
	assert_false(message_check(TO_KEEPER, 0, NULL, 0, false));
	assert_false(message_check(TO_KEEPER, 50, NULL, 0, false));
	assert_false(message_check(TO_KEEPER, UINT32_MAX, NULL, 0, false));
	assert_false(message_check(TO_KEEPER, MSG_READY, "x", 1, false));
	free(ref);
}

static void checks_streams(void **state)
{
	static struct {
		struct msg_stream m;
		char kept[65536 /* TAIL_LINE_MAX */];
	} s;

	(void)state;
	assert_true(sizeof(s) <= CHANNEL_BODY_MAX);
	assert_true(message_check(TO_KEEPER, MSG_STREAM, &s, sizeof(s.m), true));
	assert_true(message_check(TO_KEEPER, MSG_STREAM, &s, sizeof(s), true));
	assert_false(message_check(TO_KEEPER, MSG_STREAM, &s, sizeof(s.m), false));
	assert_false(message_check(TO_KEEPER, MSG_STREAM, &s, sizeof(s.m) - 1, true));
	assert_false(message_check(TO_GUARD, MSG_STREAM, &s, sizeof(s.m), true));
	s.m.is_local = 2;
	assert_false(message_check(TO_KEEPER, MSG_STREAM, &s, sizeof(s.m), true));
	s.m.is_local = 1;
	s.m.spoke = 2;
	assert_false(message_check(TO_KEEPER, MSG_STREAM, &s, sizeof(s.m), true));
}

/* What a hijacked process could say about names and ignorecommand. */
static void checks_answers(void **state)
{
	struct msg_found found = {.result = LOOKUP_FOUND, .n = LOOKUP_ADDRS_MAX};
	struct msg_lookup lookup = {.reverse = 1};
	struct {
		struct msg_ignore m;
		char tags[8];
	} ignore = {.m = {.prefix = {.len = 128}}, .tags = "a\0b"};
	const size_t whole = sizeof(ignore.m) + 4;

	(void)state;
	assert_true(message_check(FROM_HERALD, MSG_FOUND, &found, sizeof(found), false));
	assert_false(message_check(TO_HERALD, MSG_FOUND, &found, sizeof(found), false));
	found.n++;
	assert_false(message_check(FROM_HERALD, MSG_FOUND, &found, sizeof(found), false));
	found.n = 0;
	memset(found.name, 'x', sizeof(found.name));
	assert_false(message_check(FROM_HERALD, MSG_FOUND, &found, sizeof(found), false));
	assert_true(message_check(TO_HERALD, MSG_LOOKUP, &lookup, sizeof(lookup), false));
	memset(lookup.name, 'x', sizeof(lookup.name));
	assert_false(message_check(TO_HERALD, MSG_LOOKUP, &lookup, sizeof(lookup), false));
	assert_true(message_check(TO_KEEPER, MSG_IGNORE_ASK, &ignore, whole, false));
	assert_true(message_check(TO_KEEPER, MSG_IGNORE_ASK, &ignore, sizeof(ignore.m), false));
	assert_false(message_check(TO_KEEPER, MSG_IGNORE_ASK, &ignore, whole - 1, false));
	assert_false(message_check(TO_KEEPER, MSG_IGNORE_ASK, &ignore, whole - 2, false));
	assert_false(message_check(TO_GUARD, MSG_IGNORE_SAYS, &ignore.m, sizeof(ignore.m), false));
	ignore.m.says = IGNORE_YES;
	assert_true(message_check(TO_GUARD, MSG_IGNORE_SAYS, &ignore.m, sizeof(ignore.m), false));
	assert_false(message_check(TO_KEEPER, MSG_IGNORE_ASK, &ignore, whole, false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checks_answers),
		cmocka_unit_test_setup_teardown(said_and_heard, set_up, tear_down),
		cmocka_unit_test_setup_teardown(descriptors, set_up, tear_down),
		cmocka_unit_test_setup_teardown(queued, set_up, tear_down),
		cmocka_unit_test_setup_teardown(never_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(descriptor_lost, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nonsense_ends_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(short_head_ends_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(refused_ends_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(freed_at_its_end, set_up, tear_down),
		cmocka_unit_test(shapes),
		cmocka_unit_test(checks_porter),
		cmocka_unit_test(checks_streams),
	};

	return cmocka_run_group_tests_name("channel", tests, NULL, NULL);
}
