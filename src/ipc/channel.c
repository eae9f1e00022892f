/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipc/channel.h"

#include "base/clock.h"
#include "base/util.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <stdalign.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* Messages read in one turn of the loop, so that a talkative peer cannot starve the rest. */
#define MESSAGES_A_TURN 64

struct head {
	uint32_t type;
	uint32_t len;
};

struct queued {
	struct queued *next;
	int fd;
	struct head head;
	char body[];
};

struct channel {
	int fd;
	struct event *readable, *writable;
	channel_fn *fn;
	channel_end_fn *end;
	void *arg;
	struct queued *first, **last;
	size_t queued, queued_fds;
	bool full; /* too much was queued: ended at the next turn */
	bool ended;
	bool *freed; /* set by channel_free when it is called from within a handler */
	alignas(max_align_t) char in[sizeof(struct head) + CHANNEL_BODY_MAX];
};

static void end(struct channel *c, const char *why)
{
	if (c->ended)
		return;
	c->ended = true;
	event_del(c->readable);
	event_del(c->writable);
	c->end(c->arg, why);
}

/* One sendmsg; 0, -EAGAIN, or another -errno. */
static int send_one(int sock, const struct head *head, const void *body, int fd)
{
	struct iovec iov[2] = {
		{.iov_base = (void *)head, .iov_len = sizeof(*head)},
		{.iov_base = (void *)body, .iov_len = head->len},
	};
	alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
	struct msghdr m = {.msg_iov = iov, .msg_iovlen = 2};
	ssize_t n;

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
	do
		n = sendmsg(sock, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/* Sends what waits; 0 when the queue is empty, -EAGAIN when the other side is full, or -errno. */
static int drain(struct channel *c)
{
	while (c->first != NULL) {
		struct queued *q = c->first;
		int r = send_one(c->fd, &q->head, q->body, q->fd);

		/* ETOOMANYREFS: descriptors in flight are limited; they land once the peer reads.
		 */
		if (r == -EAGAIN || r == -ENOBUFS || r == -ETOOMANYREFS)
			return -EAGAIN;
		if (r < 0)
			return r;
		c->first = q->next;
		if (c->first == NULL)
			c->last = &c->first;
		c->queued -= sizeof(*q) + q->head.len;
		if (q->fd >= 0) {
			close(q->fd);
			c->queued_fds--;
		}
		free(q);
	}
	return 0;
}

static void on_writable(evutil_socket_t sock, short what, void *arg)
{
	struct channel *c = arg;
	int r = c->full ? -ENOBUFS : drain(c);

	(void)sock;
	(void)what;
	if (c->full)
		end(c, "it does not read what is sent");
	else if (r == 0)
		event_del(c->writable);
	else if (r != -EAGAIN)
		end(c, strerror(-r));
}

/* Takes the one descriptor of a message; more than one is a fault of the peer: all are closed. */
static int take_fd(struct msghdr *m, int *ret_fd)
{
	int found = 0, fd;

	*ret_fd = -1;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (found++ == 0)
				*ret_fd = fd;
			else
				close(fd);
		}
	}
	if (found > 1) {
		close(*ret_fd);
		*ret_fd = -1;
		return -EPROTO;
	}
	return 0;
}

/* Reads and hands on one message: 1 one was handled, 0 nothing there, <0 the channel has ended. */
static int receive_one(struct channel *c)
{
	struct iovec iov = {.iov_base = c->in, .iov_len = sizeof(c->in)};
	alignas(struct cmsghdr) char control[CMSG_SPACE(4 * sizeof(int))];
	struct msghdr m = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	struct head head;
	ssize_t n;
	int fd;

	do
		n = recvmsg(c->fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n <= 0) {
		end(c, n == 0 ? "closed" : strerror(errno));
		return -EPIPE;
	}
	if (take_fd(&m, &fd) < 0 || (m.msg_flags & MSG_TRUNC) != 0 || (size_t)n < sizeof(head)) {
		if (fd >= 0)
			close(fd);
		end(c, "ill-formed message");
		return -EPROTO;
	}
	memcpy(&head, c->in, sizeof(head));
	if (head.len != (size_t)n - sizeof(head)) {
		if (fd >= 0)
			close(fd);
		end(c, "ill-sized message");
		return -EPROTO;
	}
	/* No room in our table of descriptors: that is no fault of the sender's. */
	if (fd < 0 && (m.msg_flags & MSG_CTRUNC) != 0)
		fd = CHANNEL_FD_LOST;
	if (c->fn(c->arg, head.type, c->in + sizeof(head), head.len, fd) < 0) {
		/* The handler may not free the channel when it refuses: end() is for that. */
		end(c, "message not permitted");
		return -EPROTO;
	}
	return 1;
}

static void on_readable(evutil_socket_t sock, short what, void *arg)
{
	struct channel *c = arg;
	bool freed = false;

	(void)sock;
	(void)what;
	c->freed = &freed;
	for (unsigned i = 0; i < MESSAGES_A_TURN; i++) {
		int r = receive_one(c);

		if (freed)
			return;
		if (r <= 0 || c->ended)
			break;
	}
	c->freed = NULL;
}

struct channel *channel_new(
	struct event_base *base, int fd, channel_fn *fn, channel_end_fn *end_fn, void *arg)
{
	struct channel *c = calloc(1, sizeof(*c));
	int size = 1 << 20;

	if (c == NULL)
		return NULL;
	c->fd = fd;
	c->fn = fn;
	c->end = end_fn;
	c->arg = arg;
	c->last = &c->first;
	c->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, c);
	c->writable = event_new(base, fd, EV_WRITE | EV_PERSIST, on_writable, c);
	if (c->readable == NULL || c->writable == NULL || event_add(c->readable, NULL) < 0) {
		c->fd = -1;
		channel_free(c);
		return NULL;
	}
	/* A wish: the kernel caps it. */
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	return c;
}

void channel_free(struct channel *c)
{
	struct queued *next;

	if (c == NULL)
		return;
	if (c->freed != NULL)
		*c->freed = true;
	for (struct queued *q = c->first; q != NULL; q = next) {
		next = q->next;
		if (q->fd >= 0)
			close(q->fd);
		free(q);
	}
	if (c->readable != NULL)
		event_free(c->readable);
	if (c->writable != NULL)
		event_free(c->writable);
	if (c->fd >= 0)
		close(c->fd);
	free(c);
}

int channel_send(struct channel *c, uint32_t type, const void *body, size_t len, int fd)
{
	struct head head = {.type = type, .len = (uint32_t)len};
	struct queued *q;
	int r;

	if (c->ended)
		return -EPIPE;
	if (c->full)
		return -ENOBUFS;
	if (len > CHANNEL_BODY_MAX)
		return -EMSGSIZE;
	if (c->first == NULL) {
		r = send_one(c->fd, &head, body, fd);
		if (r == 0)
			return 0;
		if (r != -EAGAIN && r != -ENOBUFS && r != -ETOOMANYREFS)
			return r; /* the reading side sees the end and tells the owner */
	}
	if (c->queued + len > CHANNEL_QUEUE_MAX ||
		(fd >= 0 && c->queued_fds >= CHANNEL_QUEUE_FDS_MAX)) {
		c->full = true;
		event_active(c->writable, EV_WRITE, 0);
		return -ENOBUFS;
	}
	q = malloc(sizeof(*q) + len);
	if (q == NULL)
		return -ENOMEM;
	q->next = NULL;
	q->head = head;
	q->fd = -1;
	if (fd >= 0 && (q->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3)) < 0) {
		free(q);
		return -errno;
	}
	if (len > 0)
		memcpy(q->body, body, len);
	*c->last = q;
	c->last = &q->next;
	c->queued += sizeof(*q) + len;
	c->queued_fds += q->fd >= 0;
	event_add(c->writable, NULL);
	return 0;
}

int channel_flush(struct channel *c, int timeout_ms)
{
	int64_t deadline = clock_mono_us() + (int64_t)timeout_ms * 1000;

	while (!c->ended) {
		struct pollfd p = {.fd = c->fd, .events = POLLOUT};
		int64_t left = deadline - clock_mono_us();
		int r = drain(c);

		if (r == 0)
			return 0;
		if (r != -EAGAIN)
			return -EPIPE;
		if (left <= 0)
			return -ETIMEDOUT;
		poll(&p, 1, (int)(left / 1000) + 1);
	}
	return -EPIPE;
}

void channel_hold(struct channel *c, bool hold)
{
	if (c->ended || hold)
		event_del(c->readable);
	else
		event_add(c->readable, NULL);
}

size_t channel_queued(const struct channel *c)
{
	return c->queued;
}
