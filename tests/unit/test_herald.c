/* SPDX-License-Identifier: GPL-2.0-or-later */
/* herald as a child, with a name server made up by the test that answers what it is told to. */
#include "herald/herald.h"

#include "ipc/messages.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* LeakSanitizer needs system calls that herald forbids itself. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

#define PATIENCE_MS 20000
#define PACKET_MAX 4096
#define TYPE_A 1
#define TYPE_PTR 12
#define TYPE_AAAA 28

struct head {
	uint32_t type, len;
};

static int channel = -1, server = -1;
static pid_t pid;
static char conf[] = "/tmp/test_herald.XXXXXX";
static uint32_t serial;

static int set_up_with(const char *options)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sin);
	FILE *f = fopen(conf, "w");
	int pair[2];

	server = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (server < 0 || f == NULL || bind(server, (struct sockaddr *)&sin, sizeof(sin)) < 0 ||
		getsockname(server, (struct sockaddr *)&sin, &len) < 0 ||
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	fprintf(f, "nameserver 127.0.0.1:%u\noptions %s\n", ntohs(sin.sin_port), options);
	fclose(f);
	channel = pair[0];
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		const struct rlimit none = {0};
		const struct herald_options o = {.fd = pair[1], .resolv_conf = conf};

		setrlimit(RLIMIT_CORE, &none);
		close(pair[0]);
		_exit(herald_run(&o));
	}
	close(pair[1]);
	return 0;
}

static int set_up(void **state)
{
	(void)state;
	return set_up_with("timeout:1 attempts:1");
}

/* Its questions get older than herald lets them. */
static int set_up_slow(void **state)
{
	(void)state;
	return set_up_with("timeout:60 attempts:1");
}

static int tear_down(void **state)
{
	int status;

	(void)state;
	close(channel);
	close(server);
	/* guard's end is closed: it goes by itself, and in order. */
	return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : -1;
}

static void question(const char *name, const char *addr)
{
	struct {
		struct head h;
		struct msg_lookup m;
	} out = {.h = {MSG_LOOKUP, sizeof(out.m)}, .m = {.serial = ++serial}};

	if (name != NULL)
		memcpy(out.m.name, name, strlen(name));
	else
		assert_int_equal(addr_parse(&out.m.addr, addr, strlen(addr)), 0);
	out.m.reverse = name == NULL;
	assert_int_equal(send(channel, &out, sizeof(out), 0), (ssize_t)sizeof(out));
}

static bool readable(int fd, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, ms) == 1;
}

static struct msg_found found(void)
{
	struct {
		struct head h;
		struct msg_found m;
	} in;

	assert_true(readable(channel, PATIENCE_MS));
	assert_int_equal(recv(channel, &in, sizeof(in), 0), (ssize_t)sizeof(in));
	assert_int_equal(in.h.type, MSG_FOUND);
	assert_true(message_check(FROM_HERALD, in.h.type, &in.m, in.h.len, false));
	return in.m;
}

/* One question that herald asked, and how it is answered. */
struct dns {
	struct sockaddr_storage from;
	socklen_t from_len;
	unsigned type;
	uint8_t packet[PACKET_MAX];
	size_t len;
};

static void receive(struct dns *d)
{
	ssize_t n;

	assert_true(readable(server, PATIENCE_MS));
	d->from_len = sizeof(d->from);
	n = recvfrom(server, d->packet, 512, 0, (struct sockaddr *)&d->from, &d->from_len);
	assert_true(n > 16);
	d->len = (size_t)n;
	d->type = d->packet[n - 3];
}

/* Appends an answer for the name asked for. */
static void answer(struct dns *d, unsigned type, const void *data, uint16_t len)
{
	const uint8_t rr[] = {
		0xc0, 12, 0, (uint8_t)type, 0, 1, 0, 0, 0, 60, (uint8_t)(len >> 8), (uint8_t)len};

	assert_true(d->len + sizeof(rr) + len <= sizeof(d->packet));
	memcpy(d->packet + d->len, rr, sizeof(rr));
	memcpy(d->packet + d->len + sizeof(rr), data, len);
	d->len += sizeof(rr) + len;
	d->packet[7]++;
}

static void reply(struct dns *d, unsigned rcode)
{
	d->packet[2] |= 0x80;
	d->packet[3] = (uint8_t)(0x80 | rcode);
	assert_int_equal(
		sendto(server, d->packet, d->len, 0, (struct sockaddr *)&d->from, d->from_len),
		(ssize_t)d->len);
}

/* Answers the two questions that one name makes. */
static void serve(const char *v4, const char *v6, unsigned rcode)
{
	for (unsigned i = 0; i < 2; i++) {
		struct dns d;
		uint8_t wire[16];

		receive(&d);
		if (d.type == TYPE_A && v4 != NULL) {
			assert_int_equal(inet_pton(AF_INET, v4, wire), 1);
			answer(&d, TYPE_A, wire, 4);
		} else if (d.type == TYPE_AAAA && v6 != NULL) {
			assert_int_equal(inet_pton(AF_INET6, v6, wire), 1);
			answer(&d, TYPE_AAAA, wire, 16);
		}
		reply(&d, rcode);
	}
}

static bool has(const struct msg_found *m, const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(&a, text, strlen(text)), 0);
	for (size_t i = 0; i < m->n; i++)
		if (addr_eq(&m->addrs[i], &a))
			return true;
	return false;
}

static void finds_addresses(void **state)
{
	struct msg_found m;

	(void)state;
	question("one.example.org", NULL);
	serve("192.0.2.1", "2001:db8::1", 0);
	m = found();
	assert_int_equal(m.result, LOOKUP_FOUND);
	assert_int_equal(m.serial, serial);
	assert_int_equal(m.n, 2);
	assert_true(has(&m, "192.0.2.1") && has(&m, "2001:db8::1"));
	question("four.example.org", NULL);
	serve("192.0.2.4", NULL, 0);
	m = found();
	assert_int_equal(m.result, LOOKUP_FOUND);
	assert_int_equal(m.n, 1);
}

static void finds_nothing(void **state)
{
	struct msg_found m;

	(void)state;
	question("none.example.org", NULL);
	serve(NULL, NULL, 3); /* no such name */
	m = found();
	assert_int_equal(m.result, LOOKUP_NONE);
	assert_int_equal(m.n, 0);
	question("failing.example.org", NULL);
	serve(NULL, NULL, 5); /* refused */
	assert_int_equal(found().result, LOOKUP_FAILED);
}

static void does_not_believe_many(void **state)
{
	struct msg_found m;

	(void)state;
	question("many.example.org", NULL);
	for (unsigned i = 0; i < 2; i++) {
		struct dns d;

		receive(&d);
		for (uint8_t k = 0; k <= LOOKUP_ADDRS_MAX && d.type == TYPE_A; k++)
			answer(&d, TYPE_A, (const uint8_t[]) {192, 0, 2, k}, 4);
		reply(&d, 0);
	}
	m = found();
	assert_int_equal(m.result, LOOKUP_MANY);
	assert_int_equal(m.n, 0);
}

static void finds_names(void **state)
{
	static const uint8_t name[] = "\4host\7example\3org";
	struct msg_found m;
	struct dns d;

	(void)state;
	question(NULL, "192.0.2.9");
	receive(&d);
	assert_int_equal(d.type, TYPE_PTR);
	answer(&d, TYPE_PTR, name, sizeof(name));
	reply(&d, 0);
	m = found();
	assert_int_equal(m.result, LOOKUP_FOUND);
	assert_string_equal(m.name, "host.example.org");
	question(NULL, "2001:db8::9");
	receive(&d);
	reply(&d, 3);
	assert_int_equal(found().result, LOOKUP_NONE);
}

/* Garbage is no answer; then the right one comes. */
static void bears_garbage(void **state)
{
	struct dns d[2];

	(void)state;
	question("noise.example.org", NULL);
	receive(&d[0]);
	receive(&d[1]);
	for (unsigned i = 0; i < 500; i++) {
		uint8_t noise[128];
		size_t n = 1 + (size_t)rand() % sizeof(noise);

		for (size_t k = 0; k < n; k++)
			noise[k] = (uint8_t)rand();
		if (n > 2 && i % 2 == 0)
			memcpy(noise, d[0].packet, 2); /* with the right number */
		if (n > 2 && i % 4 == 1)
			memcpy(noise, d[1].packet, n < d[1].len ? n : d[1].len);
		sendto(server, noise, n, 0, (struct sockaddr *)&d[0].from, d[0].from_len);
	}
	for (unsigned i = 0; i < 2; i++)
		reply(&d[i], 3);
	assert_int_not_equal(found().result, LOOKUP_FOUND);
	question("quiet.example.org", NULL);
	serve("192.0.2.77", NULL, 0);
	assert_int_equal(found().result, LOOKUP_FOUND);
}

/* More than may be asked at one time are refused at once. */
static void refuses_a_flood(void **state)
{
	unsigned busy = 0, n = 400;
	char name[64];

	(void)state;
	for (unsigned i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "n%u.example.org", i);
		question(name, NULL);
		/* Refusals are read as they come: nobody waits in vain for room. */
		while (readable(channel, 0))
			busy += found().result == LOOKUP_BUSY;
	}
	for (unsigned i = 0; busy == 0 && i < n; i++)
		busy += found().result == LOOKUP_BUSY;
	assert_true(busy > 0);
}

/* Nobody answers: herald says so itself, whatever evdns would still hope for. */
static void gives_up(void **state)
{
	struct msg_found m[2];

	(void)state;
	question("silent.example.org", NULL);
	question(NULL, "192.0.2.9");
	m[0] = found();
	m[1] = found();
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(m[i].result, LOOKUP_FAILED);
		assert_int_equal(m[i].n, 0);
	}
	assert_int_not_equal(m[0].serial, m[1].serial);
}

#define A_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		A_TEST(finds_addresses),
		A_TEST(finds_nothing),
		A_TEST(does_not_believe_many),
		A_TEST(finds_names),
		A_TEST(bears_garbage),
		A_TEST(refuses_a_flood),
		cmocka_unit_test_setup_teardown(gives_up, set_up_slow, tear_down),
	};
	int fd = mkstemp(conf), r;

	if (fd < 0)
		return 1;
	close(fd);
	r = cmocka_run_group_tests_name("herald", tests, NULL, NULL);
	unlink(conf);
	return r;
}
