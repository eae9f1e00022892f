/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench-latency LOG RETRY N single|awake|burst: writes what sshd would log to LOG, a file or where
 * syslog messages go (endpoint.h), and listens for elements that come into any nft set of this
 * network namespace, whoever puts them there.
 *
 * single: N addresses one after the other. The clock runs from just before the write of the last
 * failing line until the kernel's notification of the element is here. Prints "got p50 p90 p99
 * max", microseconds. burst: RETRY lines of each of N addresses in one go. The clock runs from the
 * first write until all have come. Prints "got seconds".
 */
#include "endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <libnftnl/set.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BASE 0x0a320001u  /* 10.50.0.1 */
#define N_MAX 4000000u    /* stays within 10.0.0.0/8 */
#define PATIENCE_MS 60000 /* for one address, or for the next of a burst */
#define SETTLE_US 5000    /* between the lines before the last and the last */
#define LINE_MAX_LEN 160

struct bench {
	struct mnl_socket *nl;
	int log;
	bool message; /* lines are syslog messages, a call each */
	unsigned retry;
	uint32_t n;
	uint8_t *seen; /* a byte an address */
	uint32_t n_seen;
	int64_t *took_us;
};

static int64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000LL + ts.tv_nsec / 1000;
}

static void die(const char *what)
{
	fprintf(stderr, "bench-latency: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Appends one line to buf and returns its length. */
static size_t line(const struct bench *b, char *buf, uint32_t i)
{
	uint32_t ip = BASE + i;
	char stamp[32];
	time_t now = time(NULL);
	struct tm tm;

	strftime(stamp, sizeof(stamp), "%b %e %H:%M:%S", localtime_r(&now, &tm));
	return (size_t)snprintf(buf, LINE_MAX_LEN,
		"%s%s host sshd[%u]: Failed password for root from %u.%u.%u.%u port %u ssh2\n",
		b->message ? "<38>" : "", stamp, 1000 + i % 30000, ip >> 24, ip >> 16 & 255,
		ip >> 8 & 255, ip & 255, 1024 + i % 60000);
}

static void write_all(int fd, const char *buf, size_t len)
{
	while (len) {
		ssize_t n = write(fd, buf, len);

		if (n < 0)
			die("write");
		buf += n;
		len -= (size_t)n;
	}
}

static int on_elem(struct nftnl_set_elem *e, void *arg)
{
	struct bench *b = arg;
	const uint8_t *key;
	uint32_t len, ip;

	key = nftnl_set_elem_get(e, NFTNL_SET_ELEM_KEY, &len);
	if (!key || len != 4 ||
		(nftnl_set_elem_is_set(e, NFTNL_SET_ELEM_FLAGS) &&
			nftnl_set_elem_get_u32(e, NFTNL_SET_ELEM_FLAGS) &
				NFT_SET_ELEM_INTERVAL_END))
		return 0;
	ip = (uint32_t)key[0] << 24 | (uint32_t)key[1] << 16 | (uint32_t)key[2] << 8 | key[3];
	if (ip >= BASE && ip - BASE < b->n && !b->seen[ip - BASE]) {
		b->seen[ip - BASE] = 1;
		b->n_seen++;
	}
	return 0;
}

static int on_message(const struct nlmsghdr *nlh, void *arg)
{
	struct nftnl_set *set;

	if (nlh->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWSETELEM))
		return MNL_CB_OK;
	set = nftnl_set_alloc();
	if (!set)
		die("memory");
	if (nftnl_set_elems_nlmsg_parse(nlh, set) == 0)
		nftnl_set_elem_foreach(set, on_elem, arg);
	nftnl_set_free(set);
	return MNL_CB_OK;
}

/* Takes one batch of notifications; false when none came within PATIENCE_MS. */
static bool take(struct bench *b)
{
	static char buf[1 << 17] __attribute__((aligned(8)));
	struct pollfd p = {.fd = mnl_socket_get_fd(b->nl), .events = POLLIN};
	ssize_t n;

	if (poll(&p, 1, PATIENCE_MS) == 0)
		return false;
	n = mnl_socket_recvfrom(b->nl, buf, sizeof(buf));
	if (n < 0)
		die("netlink"); /* ENOBUFS would spoil the figures */
	mnl_cb_run(buf, (size_t)n, 0, 0, on_message, b);
	return true;
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void single(struct bench *b)
{
	char buf[LINE_MAX_LEN];
	uint32_t n = 0;

	for (uint32_t i = 0; i < b->n; i++) {
		int64_t start;
		size_t len;

		for (unsigned r = 1; r < b->retry; r++)
			write_all(b->log, buf, line(b, buf, i));
		usleep(SETTLE_US);
		len = line(b, buf, i);
		start = now_us();
		write_all(b->log, buf, len);
		while (!b->seen[i] && take(b))
			;
		if (b->seen[i])
			b->took_us[n++] = now_us() - start;
	}
	qsort(b->took_us, n, sizeof(*b->took_us), by_value);
	printf("%u", n);
	for (unsigned i = 0; n && i < 4; i++) {
		static const unsigned percent[] = {50, 90, 99, 100};
		uint32_t at = (uint32_t)((uint64_t)n * percent[i] / 100);

		printf(" %lld", (long long)b->took_us[at < n ? at : n - 1]);
	}
	putchar('\n');
}

static void burst(struct bench *b)
{
	char *buf = malloc((size_t)b->n * LINE_MAX_LEN);
	int64_t start;
	size_t len = 0;

	if (!buf)
		die("memory");
	for (uint32_t i = 0; i < b->n; i++)
		len += line(b, buf + len, i);
	start = now_us();
	for (unsigned r = 0; r < b->retry; r++)
		write_all(b->log, buf, len);
	while (b->n_seen < b->n && take(b))
		;
	printf("%u %.3f\n", b->n_seen, (double)(now_us() - start) / 1e6);
	free(buf);
}

static void *keep_awake(void *arg)
{
	struct sched_param none = {0};

	(void)arg;
	/* Whoever has work takes the processor from it at once. */
	if (sched_setscheduler(0, SCHED_IDLE, &none) < 0)
		die("SCHED_IDLE");
	for (;;)
		__asm__ volatile("" ::: "memory");
	return NULL;
}

static void keep_all_awake(void)
{
	for (long i = sysconf(_SC_NPROCESSORS_ONLN); i > 0; i--) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, keep_awake, NULL) != 0)
			die("thread");
	}
}

static void listen_to_kernel(struct bench *b)
{
	int room = 1 << 28;

	b->nl = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (!b->nl || mnl_socket_bind(b->nl, 1u << (NFNLGRP_NFTABLES - 1), MNL_SOCKET_AUTOPID) < 0)
		die("netlink");
	if (setsockopt(mnl_socket_get_fd(b->nl), SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) <
		0)
		die("SO_RCVBUFFORCE");
}

static void open_log(struct bench *b, const char *log)
{
	b->message = endpoint_is(log);
	b->log = b->message ? endpoint_connect(log)
			    : open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	if (b->log < 0)
		die(log);
}

int main(int argc, char **argv)
{
	struct bench b = {0};

	if (argc != 5 || (strcmp(argv[4], "single") != 0 && strcmp(argv[4], "awake") != 0 &&
				 strcmp(argv[4], "burst") != 0)) {
		fprintf(stderr, "usage: bench-latency LOG RETRY N single|awake|burst\n");
		return 2;
	}
	b.retry = (unsigned)strtoul(argv[2], NULL, 10);
	b.n = (uint32_t)strtoul(argv[3], NULL, 10);
	if (!b.retry || !b.n || b.n > N_MAX) {
		fprintf(stderr, "bench-latency: RETRY and N must be numbers above 0\n");
		return 2;
	}
	open_log(&b, argv[1]);
	if (b.message && argv[4][0] == 'b') {
		fprintf(stderr, "bench-latency: a burst goes to a file\n");
		return 2;
	}
	b.seen = calloc(b.n, 1);
	b.took_us = calloc(b.n, sizeof(*b.took_us));
	if (!b.seen || !b.took_us)
		die("memory");
	listen_to_kernel(&b);
	if (argv[4][0] == 'a')
		keep_all_awake();
	if (argv[4][0] != 'b')
		single(&b);
	else
		burst(&b);
	mnl_socket_close(b.nl);
	free(b.seen);
	free(b.took_us);
	return 0;
}
