/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench-sink URL: takes what bench-sender sends and does nothing with it, so that one knows how
 * much the sender could send. Says "ready" when it listens; counts datagrams, of streams line
 * feeds, and prints "MESSAGES SECONDS" (from the first to the last) when none has come for a
 * second.
 */
#include "endpoint.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 1024
#define AT_ONCE 256
#define MESSAGE_MAX 2048
#define ROOM (8 << 20)
#define QUIET_MS 1000

struct sink {
	struct pollfd fds[CONNECTIONS_MAX]; /* of a stream, the first is the one that listens */
	nfds_t n;
	bool stream;
	uint64_t messages;
};

static char buffer[AT_ONCE * MESSAGE_MAX];

static void die(const char *what)
{
	fprintf(stderr, "bench-sink: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void take_datagrams(struct sink *s)
{
	static struct mmsghdr messages[AT_ONCE];
	static struct iovec parts[AT_ONCE];
	int n;

	for (unsigned i = 0; i < AT_ONCE; i++) {
		parts[i] = (struct iovec) {buffer + i * MESSAGE_MAX, MESSAGE_MAX};
		messages[i].msg_hdr = (struct msghdr) {.msg_iov = &parts[i], .msg_iovlen = 1};
	}
	n = recvmmsg(s->fds[0].fd, messages, AT_ONCE, MSG_DONTWAIT, NULL);
	if (n > 0)
		s->messages += (uint64_t)n;
}

static void welcome(struct sink *s)
{
	int fd = accept(s->fds[0].fd, NULL, NULL);

	if (fd < 0 || s->n == CONNECTIONS_MAX)
		die("accept");
	s->fds[s->n++] = (struct pollfd) {.fd = fd, .events = POLLIN};
}

static void take_stream(struct sink *s, nfds_t i)
{
	ssize_t n = read(s->fds[i].fd, buffer, sizeof(buffer));

	if (n <= 0) {
		close(s->fds[i].fd);
		s->fds[i] = s->fds[--s->n];
		return;
	}
	for (const char *p = buffer, *end = buffer + n;
		(p = memchr(p, '\n', (size_t)(end - p))) != NULL; p++)
		s->messages++;
}

static void take(struct sink *s)
{
	for (nfds_t i = s->n; i-- > 0;) {
		if (s->fds[i].revents == 0)
			continue;
		if (!s->stream)
			take_datagrams(s);
		else if (i == 0)
			welcome(s);
		else
			take_stream(s, i);
	}
}

int main(int argc, char **argv)
{
	static struct sink s;
	double first = 0, last = 0;
	int room = ROOM;

	if (argc != 2 || !endpoint_is(argv[1])) {
		fprintf(stderr, "usage: bench-sink URL\n");
		return 2;
	}
	s.stream = endpoint_is_stream(argv[1]);
	s.fds[s.n++] = (struct pollfd) {.fd = endpoint_bind(argv[1]), .events = POLLIN};
	if (s.fds[0].fd < 0)
		die(argv[1]);
	setsockopt(s.fds[0].fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	puts("ready");
	fflush(stdout);
	while (poll(s.fds, s.n, s.messages == 0 ? -1 : QUIET_MS) > 0) {
		take(&s);
		last = now();
		if (first == 0 && s.messages > 0)
			first = last;
	}
	printf("%llu %.3f\n", (unsigned long long)s.messages, last - first);
	return 0;
}
