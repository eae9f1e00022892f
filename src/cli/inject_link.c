/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/inject_link.h"

#include "base/clock.h"
#include "base/util.h"
#include "cli/inject_resolve.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define FIRST_PAUSE_US (USEC_PER_SEC / 10)
#define LAST_PAUSE_US (5 * USEC_PER_SEC)
#define CONNECT_US (10 * USEC_PER_SEC)
#define STEADY_US (2 * USEC_PER_SEC)  /* up for so long, it was well */
#define GONE_MS (30 * 1000)           /* a connection that confirms nothing for so long */
#define A_BATCH 512                   /* datagrams */
#define MAX_DATAGRAM (65535 - 8 - 40) /* RFC 768 in RFC 8200 without jumbograms */
#define MIN_DATAGRAM 480              /* RFC 5426 3.2: everybody takes that */

void inject_link_init(struct inject_link *l, const struct inject_target *target)
{
	*l = (struct inject_link) {.target = target,
		.fd = -1,
		.socktype = target->kind == INJECT_UNIX_STREAM ? SOCK_STREAM : SOCK_DGRAM,
		.max_datagram = MAX_DATAGRAM};
}

void inject_link_done(struct inject_link *l)
{
	if (l->fd >= 0)
		close(l->fd);
	if (l->addrs != NULL)
		freeaddrinfo(l->addrs);
	l->fd = -1;
	l->addrs = l->next = NULL;
}

static bool is_stream(const struct inject_link *l)
{
	return l->target->kind == INJECT_TCP || l->socktype == SOCK_STREAM;
}

static void to_state(struct inject_link *l, enum inject_state state, int64_t at_us)
{
	l->state = state;
	l->at_us = at_us;
}

static void shut(struct inject_link *l)
{
	if (l->fd >= 0)
		close(TAKE_FD(l->fd));
}

static void wait_a_pause(struct inject_link *l, int64_t now_us)
{
	shut(l);
	l->pause_us = l->pause_us == 0                  ? FIRST_PAUSE_US
		      : l->pause_us * 2 > LAST_PAUSE_US ? LAST_PAUSE_US
							: l->pause_us * 2;
	to_state(l, INJECT_DOWN, now_us + l->pause_us);
}

static void is_up(struct inject_link *l, int64_t now_us)
{
	l->answered = l->peer_ended = l->ended = false;
	to_state(l, INJECT_UP, now_us);
}

/* Sockets need no permission of ours to say what became of what was sent. */
static void set_options(int fd, const struct addrinfo *a)
{
	const int on = 1, gone_ms = GONE_MS;

	if (a->ai_socktype == SOCK_STREAM) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
		setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &gone_ms, sizeof(gone_ms));
	} else if (a->ai_family == AF_INET6) {
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on));
	} else {
		setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
	}
}

/* The host's addresses one after the other; after the last one a pause. */
static void try_next(struct inject_link *l, int64_t now_us)
{
	shut(l);
	while (l->next != NULL) {
		const struct addrinfo *a = l->next;

		l->next = a->ai_next;
		l->fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
			a->ai_protocol);
		if (l->fd >= 0) {
			set_options(l->fd, a);
			if (connect(l->fd, a->ai_addr, a->ai_addrlen) == 0) {
				is_up(l, now_us);
				return;
			}
			if (errno == EINPROGRESS) {
				to_state(l, INJECT_CONNECTING, now_us + CONNECT_US);
				return;
			}
		}
		l->error = strerrordesc_np(errno);
		shut(l);
	}
	wait_a_pause(l, now_us);
}

static void take_addresses(struct inject_link *l, int error, struct addrinfo *addrs, int64_t now_us)
{
	if (error != 0) {
		l->error = gai_strerror(error);
		wait_a_pause(l, now_us);
		return;
	}
	if (l->addrs != NULL)
		freeaddrinfo(l->addrs);
	l->addrs = l->next = addrs;
	try_next(l, now_us);
}

static void resolve(struct inject_link *l, int64_t now_us)
{
	const struct addrinfo hints = {
		.ai_socktype = l->target->kind == INJECT_TCP ? SOCK_STREAM : SOCK_DGRAM,
		.ai_flags = AI_NUMERICHOST};
	struct addrinfo *addrs = NULL;
	int r = getaddrinfo(l->target->host, l->target->port, &hints, &addrs);

	if (r != EAI_NONAME) {
		take_addresses(l, r, addrs, now_us);
		return;
	}
	r = inject_resolve_start(l->target->host, l->target->port, hints.ai_socktype);
	if (r < 0) {
		l->error = strerrordesc_np(-r);
		wait_a_pause(l, now_us);
		return;
	}
	l->fd = r;
	to_state(l, INJECT_RESOLVING, 0);
}

static void connect_unix(struct inject_link *l, int64_t now_us)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};

	strcpy(sun.sun_path, l->target->path);
	for (unsigned tries = l->target->kind == INJECT_UNIX ? 2 : 1; tries > 0; tries--) {
		l->fd = socket(AF_UNIX, l->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (l->fd >= 0 && connect(l->fd, (struct sockaddr *)&sun, sizeof(sun)) == 0) {
			is_up(l, now_us);
			return;
		}
		l->error = strerrordesc_np(errno);
		if (errno != EPROTOTYPE || tries == 1)
			break;
		l->socktype = l->socktype == SOCK_DGRAM ? SOCK_STREAM : SOCK_DGRAM;
		shut(l);
	}
	wait_a_pause(l, now_us);
}

void inject_link_step(struct inject_link *l, int64_t now_us)
{
	if (l->state == INJECT_CONNECTING && now_us >= l->at_us) {
		l->error = strerrordesc_np(ETIMEDOUT);
		try_next(l, now_us);
	}
	if (l->state != INJECT_DOWN || now_us < l->at_us)
		return;
	if (l->target->kind == INJECT_UNIX || l->target->kind == INJECT_UNIX_STREAM)
		connect_unix(l, now_us);
	else
		resolve(l, now_us);
}

/* What a TCP socket has not had confirmed, even when it is broken by now. */
static size_t unconfirmed(const struct inject_link *l)
{
	int n = 0;

	if (l->target->kind != INJECT_TCP || ioctl(l->fd, SIOCOUTQ, &n) < 0 || n < 0)
		return 0;
	return (size_t)n;
}

static void lose(struct inject_link *l, struct inject_queue *q, int error, int64_t now_us)
{
	bool proven = l->answered || l->target->kind != INJECT_UDP;

	l->error = strerrordesc_np(error);
	if (now_us - l->at_us > STEADY_US)
		l->pause_us = 0;
	if (is_stream(l)) {
		/* It went with what the other side had not read yet, of which nobody knows. */
		l->lost += l->target->kind != INJECT_TCP && error == ECONNRESET;
		inject_queue_release(q, unconfirmed(l));
		inject_queue_rewind(q);
	}
	if (proven)
		wait_a_pause(l, now_us);
	else
		try_next(l, now_us);
}

/* How many datagrams of late are known to have been refused (ip(7), IP_RECVERR). */
static uint64_t take_refusals(struct inject_link *l, int *ret_error)
{
	_Alignas(struct cmsghdr) char control[512];
	uint64_t n = 0;

	for (unsigned i = 0; l->target->kind == INJECT_UDP && i < A_BATCH; i++) {
		struct msghdr m = {.msg_control = control, .msg_controllen = sizeof(control)};
		struct cmsghdr *c;

		if (recvmsg(l->fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
			break;
		for (c = CMSG_FIRSTHDR(&m); c != NULL; c = CMSG_NXTHDR(&m, c)) {
			struct sock_extended_err e;

			if (c->cmsg_len < CMSG_LEN(sizeof(e)))
				continue;
			memcpy(&e, CMSG_DATA(c), sizeof(e));
			if (e.ee_origin == SO_EE_ORIGIN_NONE || e.ee_errno == EMSGSIZE)
				continue;
			*ret_error = (int)e.ee_errno;
			n++;
		}
	}
	return n;
}

/* True: it is down now. */
static bool check_refusals(struct inject_link *l, struct inject_queue *q, int64_t now_us)
{
	int error = 0;
	uint64_t n = take_refusals(l, &error), kept = q->sent_msg - q->head_msg;

	if (n == 0)
		return false;
	if (n > kept)
		l->lost += n - kept;
	inject_queue_rewind_last(q, n);
	lose(l, q, error, now_us);
	return true;
}

/* A datagram that is too long for the way: true if it is worth another try. */
static bool shorten(struct inject_link *l, size_t len)
{
	if (len > MIN_DATAGRAM) {
		l->max_datagram = len / 2 > MIN_DATAGRAM ? len / 2 : MIN_DATAGRAM;
		return true;
	}
	return false;
}

/* What a message is in a datagram: a newline ends it if it could have been a stream's. */
static size_t datagram_len(const struct inject_link *l, size_t len)
{
	return l->target->kind == INJECT_UNIX ? len - 1 : len;
}

static size_t fill_batch(const struct inject_link *l, const struct inject_queue *q,
	struct iovec *iov, struct mmsghdr *msgs)
{
	size_t n = inject_queue_pieces(q, iov, l->answered ? A_BATCH : 1);

	for (size_t i = 0; i < n; i++) {
		iov[i].iov_len = datagram_len(l, iov[i].iov_len);
		if (iov[i].iov_len > l->max_datagram)
			iov[i].iov_len = l->max_datagram;
		msgs[i] = (struct mmsghdr) {.msg_hdr = {.msg_iov = &iov[i], .msg_iovlen = 1}};
	}
	return n;
}

static void count_sent(struct inject_link *l, struct inject_queue *q, size_t n)
{
	for (; n > 0; n--) {
		struct iovec piece;

		inject_queue_pieces(q, &piece, 1);
		l->cut += datagram_len(l, piece.iov_len) > l->max_datagram;
		l->bytes += piece.iov_len;
		inject_queue_sent(q, piece.iov_len);
	}
}

static bool is_full(int error)
{
	return error == EAGAIN || error == ENOBUFS || error == ENOMEM || error == EINTR;
}

static void send_datagrams(struct inject_link *l, struct inject_queue *q, int64_t now_us)
{
	struct iovec iov[A_BATCH];
	struct mmsghdr msgs[A_BATCH];

	while (l->state == INJECT_UP && inject_queue_unsent(q) > 0) {
		size_t n = fill_batch(l, q, iov, msgs);
		int sent, error;

		/* Those before went well; these are kept until that is known of them. */
		if (check_refusals(l, q, now_us))
			continue;
		inject_queue_release(q, 0);
		sent = sendmmsg(l->fd, msgs, (unsigned)n, MSG_DONTWAIT | MSG_NOSIGNAL);
		error = errno;
		if (sent > 0)
			count_sent(l, q, (size_t)sent);
		if (check_refusals(l, q, now_us))
			continue;
		l->answered |= sent > 0;
		if (sent >= 0)
			continue;
		if (is_full(error))
			return;
		if (error != EMSGSIZE) {
			lose(l, q, error, now_us);
		} else if (!shorten(l, iov[0].iov_len)) {
			l->lost++;
			count_sent(l, q, 1);
		}
	}
}

static void send_stream(struct inject_link *l, struct inject_queue *q, int64_t now_us)
{
	while (inject_queue_unsent(q) > 0) {
		size_t len;
		const char *p = inject_queue_bytes(q, &len);
		ssize_t n = send(l->fd, p, len, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && !is_full(errno)) {
			lose(l, q, errno, now_us);
			return;
		}
		if (n < 0)
			break;
		l->answered = true;
		l->bytes += (size_t)n;
		inject_queue_sent(q, (size_t)n);
	}
	inject_queue_release(q, unconfirmed(l));
}

void inject_link_send(struct inject_link *l, struct inject_queue *q, int64_t now_us)
{
	if (l->state != INJECT_UP || l->ended || inject_queue_used(q) == 0)
		return;
	if (is_stream(l))
		send_stream(l, q, now_us);
	else
		send_datagrams(l, q, now_us);
}

short inject_link_events(
	const struct inject_link *l, const struct inject_queue *q, int64_t *ret_until_us)
{
	if (l->state == INJECT_DOWN || l->state == INJECT_CONNECTING)
		*ret_until_us = l->at_us;
	switch (l->state) {
	case INJECT_DOWN:
		return 0;
	case INJECT_RESOLVING:
		return POLLIN;
	case INJECT_CONNECTING:
		return POLLOUT;
	case INJECT_UP:
		break;
	}
	if (l->ended && l->peer_ended)
		return 0;
	/* Nobody has anything to say to us, but for the end of a connection. */
	return (short)(POLLERR | (inject_queue_unsent(q) > 0 ? POLLOUT : 0) |
		       (is_stream(l) && !l->peer_ended ? POLLIN : 0));
}

/* What the other side sends is thrown away, some at a time. */
static void hear(struct inject_link *l, struct inject_queue *q, int64_t now_us)
{
	char heard[4096];
	ssize_t n = recv(l->fd, heard, sizeof(heard), MSG_DONTWAIT);

	if (n == 0)
		l->peer_ended = true;
	else if (n < 0 && !is_full(errno))
		lose(l, q, errno, now_us);
}

static void connected(struct inject_link *l, int64_t now_us)
{
	int error = 0;
	socklen_t len = sizeof(error);

	getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error == 0) {
		is_up(l, now_us);
		return;
	}
	l->error = strerrordesc_np(error);
	try_next(l, now_us);
}

static void broken(struct inject_link *l, struct inject_queue *q, int64_t now_us)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (check_refusals(l, q, now_us))
		return;
	getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	/* Both sides said that this is all: that is no fault. */
	if (error == 0 && l->ended)
		l->peer_ended = true;
	else if (error != 0 || is_stream(l))
		lose(l, q, error != 0 ? error : EPIPE, now_us);
}

void inject_link_ready(struct inject_link *l, struct inject_queue *q, short events, int64_t now_us)
{
	struct addrinfo *addrs = NULL;
	int r;

	switch (l->state) {
	case INJECT_DOWN:
		break;
	case INJECT_RESOLVING:
		r = inject_resolve_take(TAKE_FD(l->fd), &addrs);
		take_addresses(l, r, addrs, now_us);
		break;
	case INJECT_CONNECTING:
		connected(l, now_us);
		break;
	case INJECT_UP:
		if ((events & (POLLERR | POLLHUP)) != 0)
			broken(l, q, now_us);
		else if ((events & POLLIN) != 0 && is_stream(l))
			hear(l, q, now_us);
		break;
	}
}

bool inject_link_finished(struct inject_link *l, struct inject_queue *q, int64_t now_us)
{
	if (l->state != INJECT_UP || inject_queue_unsent(q) > 0)
		return false;
	if (!is_stream(l))
		return !check_refusals(l, q, now_us);
	if (!l->ended)
		shutdown(l->fd, SHUT_WR);
	l->ended = true;
	return unconfirmed(l) == 0;
}

uint64_t inject_link_missing(const struct inject_link *l, struct inject_queue *q)
{
	if (l->state == INJECT_UP && is_stream(l))
		inject_queue_release(q, unconfirmed(l));
	else if (l->state == INJECT_UP)
		inject_queue_release(q, 0);
	return q->tail_msg - q->head_msg;
}
