/* SPDX-License-Identifier: GPL-2.0-or-later */
/* porter as a child, guard's end in the test's hands, and senders of all kinds. */
#include "porter/porter.h"

#include "ipc/messages.h"
#include "porter/crowd.h"
#include "porter/peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tls_fixture.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

/* LeakSanitizer needs system calls that porter forbids itself. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

#define PATIENCE_MS 20000

static char dir[] = "/tmp/test_porter.XXXXXX";
static char cert_path[64], key_path[64], ca_path[64];
static struct identity ca, stranger_ca, server;
static struct listener listener = {.kind = LISTEN_TLS, .url = "tls://127.0.0.1:0"};
static const char *peers[4];
static struct syslog_settings settings = {.listen = &listener, .n_listen = 1, .peers = peers};
static int listen_fd = -1, channel = -1, life = -1;
static pid_t pid;
static struct sockaddr_in address;

static int set_up_all(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(cert_path, sizeof(cert_path), "%s/cert.pem", dir);
	snprintf(key_path, sizeof(key_path), "%s/key.pem", dir);
	snprintf(ca_path, sizeof(ca_path), "%s/ca.pem", dir);
	ca = identity_new(&(struct identity_of) {.cn = "our own", .is_ca = true});
	stranger_ca = identity_new(&(struct identity_of) {.cn = "our own", .is_ca = true});
	server = identity_new(&(struct identity_of) {
		.cn = "loghost", .san = "DNS:loghost", .usage = "serverAuth", .by = &ca});
	identity_write(&ca, ca_path, NULL);
	identity_write(&server, cert_path, key_path);
	return 0;
}

static int tear_down_all(void **state)
{
	(void)state;
	unlink(cert_path);
	unlink(key_path);
	unlink(ca_path);
	rmdir(dir);
	identity_done(&ca);
	identity_done(&stranger_ca);
	identity_done(&server);
	return 0;
}

static void configure(bool with_ca, const char *peer)
{
	settings.certificate = (struct conf_text) {.text = cert_path};
	settings.key = (struct conf_text) {.text = key_path};
	settings.ca = (struct conf_text) {.text = with_ca ? ca_path : NULL};
	peers[0] = peer;
	settings.n_peers = peer != NULL;
}

static void start(void)
{
	socklen_t len = sizeof(address);
	int pair[2], lives[2];

	address = (struct sockaddr_in) {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(listen_fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(getsockname(listen_fd, (struct sockaddr *)&address, &len), 0);
	assert_int_equal(listen(listen_fd, 1024), 0);
	listener.addr = addr_from4((const uint8_t *)&address.sin_addr);
	listener.port = ntohs(address.sin_port);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, lives), 0);
	channel = pair[0];
	life = lives[0];
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		const struct rlimit none = {0};
		const struct porter_options o = {.guard_fd = pair[1],
			.life_fd = lives[1],
			.settings = &settings,
			.listen_fds = &listen_fd};

		setrlimit(RLIMIT_CORE, &none);
		close(pair[0]);
		close(lives[0]);
		_exit(porter_run(&o));
	}
	close(pair[1]);
	close(lives[1]);
}

/* It is told to leave, and goes in order. */
static void stop(void)
{
	int status;

	close(life);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(channel);
	close(listen_fd);
}

/* Senders with addresses of their own: 127.0.0.1 and those after it. */
static uint32_t from_host = INADDR_LOOPBACK;

static int connect_plain(void)
{
	struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(from_host)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};

	assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

struct client {
	SSL_CTX *ctx;
	SSL *ssl;
	int fd;
	bool connected;
};

/* A sender with that certificate (NULL: none), of that version of TLS at most. */
static struct client client_new(const struct identity *who, int version)
{
	struct client c = {.ctx = SSL_CTX_new(TLS_client_method()), .fd = connect_plain()};

	if (version < TLS1_2_VERSION)
		SSL_CTX_set_security_level(c.ctx, 0);
	SSL_CTX_set_min_proto_version(c.ctx, TLS1_VERSION);
	SSL_CTX_set_max_proto_version(c.ctx, version);
	if (who != NULL) {
		assert_int_equal(SSL_CTX_use_certificate(c.ctx, who->cert), 1);
		assert_int_equal(SSL_CTX_use_PrivateKey(c.ctx, who->key), 1);
	}
	c.ssl = SSL_new(c.ctx);
	SSL_set_fd(c.ssl, c.fd);
	c.connected = SSL_connect(c.ssl) == 1;
	return c;
}

static void client_done(struct client *c)
{
	SSL_free(c->ssl);
	SSL_CTX_free(c->ctx);
	close(c->fd);
	ERR_clear_error();
}

struct head {
	uint32_t type, len;
};

/* The next message of porter's that is of the type; *ret_fd is the caller's. */
static void take(uint32_t type, void *body, size_t size, int *ret_fd)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	char in[4096];

	for (;;) {
		struct iovec iov = {in, sizeof(in)};
		struct msghdr m = {.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = &control,
			.msg_controllen = sizeof(control)};
		struct pollfd p = {.fd = channel, .events = POLLIN};
		struct head h;
		ssize_t n;
		int fd = -1;

		assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
		n = recvmsg(channel, &m, MSG_CMSG_CLOEXEC);
		assert_true(n >= (ssize_t)sizeof(h));
		memcpy(&h, in, sizeof(h));
		if (CMSG_FIRSTHDR(&m) != NULL)
			memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
		assert_true(message_check(FROM_PORTER, h.type, in + sizeof(h), h.len, fd >= 0));
		if (h.type == type) {
			assert_int_equal(h.len, size);
			memcpy(body, in + sizeof(h), size);
			if (ret_fd != NULL)
				*ret_fd = fd;
			return;
		}
		if (fd >= 0)
			close(fd);
	}
}

/* guard's end of the connection that came last. */
static int take_connection(void)
{
	struct msg_connection m;
	char sender[ADDR_STRLEN];
	int fd;

	take(MSG_CONNECTION, &m, sizeof(m), &fd);
	assert_int_equal(from_host - INADDR_LOOPBACK, m.sender.b[15] - 1);
	assert_memory_equal(addr_format(&m.sender, sender), "127.0.0.", 8);
	assert_true(addr_eq(&m.listen, &listener.addr));
	assert_int_equal(m.port, listener.port);
	return fd;
}

static void assert_failure(const char *why)
{
	struct msg_tls_counts m;

	do
		take(MSG_TLS_COUNTS, &m, sizeof(m), NULL);
	while (m.failed == 0);
	assert_int_equal(m.failed, 1);
	if (strstr(m.why, why) == NULL)
		fail_msg("'%s' is not about '%s'", m.why, why);
}

/* In TLS 1.3 a sender hears only later that its certificate is not good. */
static void assert_refused(const struct identity *who, int version, const char *why)
{
	struct client c = client_new(who, version);
	char byte;

	if (c.connected)
		assert_true(SSL_read(c.ssl, &byte, 1) <= 0);
	assert_failure(why);
	client_done(&c);
}

static void read_exactly(int fd, char *buf, size_t len)
{
	for (size_t done = 0; done < len;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t n;

		assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
		n = read(fd, buf + done, len - done);
		assert_true(n > 0);
		done += (size_t)n;
	}
}

static void assert_closed(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char byte;

	assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
	assert_int_equal(read(fd, &byte, 1), 0);
}

static void test_what_is_said_comes_through(void **state)
{
	struct identity web = identity_new(
		&(struct identity_of) {.cn = "web1", .usage = "clientAuth", .by = &ca});
	char said[] = "<38>sshd[1]: hello\n", heard[sizeof(said)];
	struct client c;
	int fd;

	(void)state;
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		configure(true, "web*");
		start();
		c = client_new(&web, version);
		assert_true(c.connected);
		fd = take_connection();
		assert_int_equal(SSL_write(c.ssl, said, sizeof(said)), sizeof(said));
		read_exactly(fd, heard, sizeof(heard));
		assert_string_equal(heard, said);
		SSL_shutdown(c.ssl);
		assert_closed(fd);
		client_done(&c);
		close(fd);
		stop();
	}
	identity_done(&web);
}

/* Does not end before the sender does, so it has to be a process of its own. */
static pid_t send_much(size_t len)
{
	pid_t sender;

	fflush(NULL);
	sender = fork();
	if (sender == 0) {
		struct client c = client_new(NULL, TLS1_3_VERSION);
		char block[1000];

		for (size_t i = 0; i < len / sizeof(block); i++) {
			memset(block, 'a' + (int)(i % 26), sizeof(block));
			if (SSL_write(c.ssl, block, sizeof(block)) != sizeof(block))
				_exit(1);
		}
		SSL_shutdown(c.ssl);
		_exit(0);
	}
	return sender;
}

static void test_slow_guard_loses_nothing(void **state)
{
	const size_t len = 4000000;
	char block[1000], wanted[1000];
	pid_t sender;
	int fd, status;

	(void)state;
	configure(false, NULL);
	start();
	sender = send_much(len);
	fd = take_connection();
	usleep(200000);
	for (size_t i = 0; i < len / sizeof(block); i++) {
		memset(wanted, 'a' + (int)(i % 26), sizeof(wanted));
		read_exactly(fd, block, sizeof(block));
		assert_memory_equal(block, wanted, sizeof(block));
	}
	assert_closed(fd);
	assert_int_equal(waitpid(sender, &status, 0), sender);
	assert_int_equal(status, 0);
	close(fd);
	stop();
}

static void test_certificates_are_looked_at(void **state)
{
	const struct identity_of senders[] = {
		{.cn = "web1", .by = &stranger_ca},
		{.cn = "web1", .by = &ca, .from_sec = -7200, .until_sec = -3600},
		{.cn = "db1", .by = &ca},
		{.cn = "web1", .san = "DNS:db1", .by = &ca},
		{.cn = "web1\0.evil", .cn_len = 10, .by = &ca},
		{.cn = "web1", .usage = "serverAuth", .by = &ca},
		{.cn = "web1"},
	};
	const char *const why[] = {"is for web1", "expired", "db1: that name", "db1: that name",
		"by name: that name", "purpose", "self"};

	(void)state;
	configure(true, "WEB*");
	start();
	for (size_t i = 0; i < sizeof(senders) / sizeof(senders[0]); i++) {
		struct identity who = identity_new(&senders[i]);

		assert_refused(&who, TLS1_2_VERSION, why[i]);
		assert_refused(&who, TLS1_3_VERSION, why[i]);
		identity_done(&who);
	}
	assert_refused(NULL, TLS1_2_VERSION, "no certificate");
	assert_refused(NULL, TLS1_3_VERSION, "no certificate");
	stop();
}

static void test_fingerprint(void **state)
{
	struct identity own = identity_new(&(struct identity_of) {.cn = "router"});
	struct identity other = identity_new(&(struct identity_of) {.cn = "router"});
	unsigned char digest[EVP_MAX_MD_SIZE];
	char text[128] = "sha256:";
	struct client c;
	unsigned len;

	(void)state;
	assert_int_equal(X509_digest(own.cert, EVP_sha256(), digest, &len), 1);
	for (unsigned i = 0; i < len; i++)
		sprintf(text + strlen(text), "%s%02X", i > 0 ? ":" : "", digest[i]);
	for (int with_ca = 0; with_ca < 2; with_ca++) {
		configure(with_ca, text);
		start();
		c = client_new(&own, TLS1_3_VERSION);
		assert_true(c.connected);
		close(take_connection());
		client_done(&c);
		assert_refused(&other, TLS1_3_VERSION, "router");
		assert_refused(NULL, TLS1_3_VERSION, "no certificate");
		stop();
	}
	identity_done(&own);
	identity_done(&other);
}

static void test_no_tls(void **state)
{
	int fd;

	(void)state;
	configure(false, NULL);
	start();
	assert_refused(NULL, TLS1_1_VERSION, "old version");
	fd = connect_plain();
	assert_int_equal(write(fd, "<38>sshd[1]: hello\n", 19), 19);
	assert_failure("no TLS");
	close(fd);
	fd = connect_plain();
	assert_int_equal(write(fd, "\x16\x03\x01", 3), 3);
	close(fd);
	assert_failure("middle");
	stop();
}

static void test_from(void **state)
{
	struct prefix p;
	struct msg_tls_counts m;
	int fd;

	(void)state;
	assert_int_equal(prefix_parse(&p, "192.0.2.0/24", 12), 0);
	assert_int_equal(prefixset_add(&settings.from, &p), 0);
	configure(false, NULL);
	start();
	fd = connect_plain();
	take(MSG_TLS_COUNTS, &m, sizeof(m), NULL);
	assert_int_equal(m.refused, 1);
	close(fd);
	stop();
	prefixset_done(&settings.from);
}

/* guard closes: the sender hears it. porter is to leave: so does he. */
static void test_ends(void **state)
{
	struct client c;
	char byte;
	int fd;

	(void)state;
	configure(false, NULL);
	start();
	c = client_new(NULL, TLS1_3_VERSION);
	close(take_connection());
	assert_int_equal(SSL_get_error(c.ssl, SSL_read(c.ssl, &byte, 1)), SSL_ERROR_ZERO_RETURN);
	client_done(&c);
	c = client_new(NULL, TLS1_2_VERSION);
	fd = take_connection();
	close(life);
	assert_int_equal(SSL_get_error(c.ssl, SSL_read(c.ssl, &byte, 1)), SSL_ERROR_ZERO_RETURN);
	/* What he says meanwhile is not lost. */
	assert_int_equal(SSL_write(c.ssl, "x", 1), 1);
	read_exactly(fd, &byte, 1);
	client_done(&c);
	assert_closed(fd);
	close(fd);
	life = -1;
	stop();
}

static uint64_t take_crowded(uint64_t wanted)
{
	struct msg_tls_counts m;
	uint64_t n = 0;

	while (n < wanted) {
		take(MSG_TLS_COUNTS, &m, sizeof(m), NULL);
		n += m.crowded;
	}
	return n;
}

/* Hundreds who connect and say nothing: one of them does not take all places, nor do many. */
static void test_silent_crowd(void **state)
{
	static int fds[4 * 400];
	struct rlimit l;
	struct client c;
	size_t n = 0;

	(void)state;
	getrlimit(RLIMIT_NOFILE, &l);
	if (l.rlim_max < 2000)
		skip();
	l.rlim_cur = l.rlim_max;
	setrlimit(RLIMIT_NOFILE, &l);
	configure(false, NULL);
	start();
	for (; n < 600; n++)
		fds[n] = connect_plain();
	assert_int_equal(take_crowded(600 - 512), 600 - 512);
	for (from_host++; n < 1200; n++)
		fds[n] = connect_plain();
	/* All that may be are there, and now and then the oldest of whoever has most makes room. */
	assert_int_equal(take_crowded(600 - 512), 600 - 512);
	from_host++;
	c = client_new(NULL, TLS1_3_VERSION);
	assert_true(c.connected);
	close(take_connection());
	client_done(&c);
	assert_true(take_crowded(1) >= 1);
	from_host = INADDR_LOOPBACK;
	while (n > 0)
		close(fds[--n]);
	stop();
}

static void assert_fault(const struct faults *f, enum severity severity, const char *part)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->items[i].severity == severity && strstr(f->items[i].message, part) != NULL)
			return;
	fail_msg("no fault has '%s'; the first is '%s'", part,
		f->n > 0 ? f->items[0].message : "none");
}

static void check(enum severity severity, const char *part)
{
	struct faults f = {0};
	uint8_t digest[PORTER_DIGEST];
	int r = porter_check(&settings, &f, digest);

	assert_fault(&f, severity, part);
	assert_int_equal(r, severity == FAULT_ERROR ? -EINVAL : 0);
	faults_done(&f);
}

static void write_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_true(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0 && chmod(path, 0600) == 0);
}

static void test_check(void **state)
{
	struct identity old = identity_new(&(struct identity_of) {
		.cn = "old", .from_sec = -7200, .until_sec = -3600, .usage = "clientAuth"});
	uint8_t a[PORTER_DIGEST], b[PORTER_DIGEST];
	struct faults f = {0};
	FILE *out;

	(void)state;
	configure(true, NULL);
	assert_int_equal(porter_check(&settings, &f, a), 0);
	assert_int_equal(f.n, 0);
	assert_int_equal(porter_check(&settings, &f, b), 0);
	assert_memory_equal(a, b, sizeof(a));
	configure(true, "x");
	assert_int_equal(porter_check(&settings, &f, b), 0);
	assert_memory_not_equal(a, b, sizeof(a));

	identity_write(&old, cert_path, NULL);
	check(FAULT_ERROR, "not the key of the certificate");
	identity_write(&old, cert_path, key_path);
	check(FAULT_WARNING, "expired");
	check(FAULT_WARNING, "serverAuth");
	chmod(key_path, 0644);
	check(FAULT_ERROR, "0644");
	write_text(key_path, "no key");
	check(FAULT_ERROR, "has no key");
	out = fopen(key_path, "w");
	assert_true(out != NULL &&
		    PEM_write_PrivateKey(out, old.key, EVP_aes_256_cbc(),
			    (const unsigned char *)"secret", 6, NULL, NULL) == 1 &&
		    fclose(out) == 0);
	check(FAULT_ERROR, "password");
	unlink(key_path);
	check(FAULT_ERROR, "not there");
	write_text(cert_path, "");
	check(FAULT_ERROR, "has no certificate");
	unlink(ca_path);
	assert_int_equal(mkdir(ca_path, 0700), 0);
	check(FAULT_ERROR, "directory");
	rmdir(ca_path);
	identity_write(&ca, ca_path, NULL);
	identity_write(&server, cert_path, key_path);
	identity_done(&old);
	faults_done(&f);
}

static struct addr parse(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(&a, text, strlen(text)), 0);
	return a;
}

static void test_crowd(void **state)
{
	struct addr a = parse("2001:db8::1"), same = parse("2001:db8::2"),
		    other = parse("2001:db8:0:1::1"), four = parse("192.0.2.1");
	struct crowd *c = crowd_new();
	struct visitor *v;

	(void)state;
	v = crowd_enter(c, &a);
	assert_ptr_equal(crowd_enter(c, &same), v);
	assert_ptr_not_equal(crowd_enter(c, &other), v);
	assert_ptr_not_equal(crowd_enter(c, &four), crowd_find(c, &other));
	assert_int_equal(v->n[CROWD_SHAKING], 2);
	assert_int_equal(crowd_count(c, CROWD_SHAKING), 4);
	crowd_open(c, v);
	assert_int_equal(crowd_count(c, CROWD_OPEN), 1);
	crowd_leave(c, v, CROWD_SHAKING);
	assert_ptr_equal(crowd_find(c, &a), v);
	crowd_leave(c, v, CROWD_OPEN);
	assert_null(crowd_find(c, &a));
	assert_int_equal(crowd_count(c, CROWD_SHAKING), 2);
	crowd_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crowd),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_what_is_said_comes_through),
		cmocka_unit_test(test_slow_guard_loses_nothing),
		cmocka_unit_test(test_certificates_are_looked_at),
		cmocka_unit_test(test_fingerprint),
		cmocka_unit_test(test_no_tls),
		cmocka_unit_test(test_from),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_silent_crowd),
	};

	return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
