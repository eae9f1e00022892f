/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Syslog messages that arrive as datagrams, on sockets keeper opened. */
#include "guard/syslog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 64     /* datagrams a call */
#define TURN_CALLS 8 /* then the others get their turn */

struct datagrams {
	struct guard *g;
	struct syslog_listener *listener;
	struct event *readable;
	uint32_t overflowed; /* the kernel's count so far */
};

/* Where datagrams are put: of most of it nothing is ever touched. One for all, as one reads at a
 * time. */
struct datagram_room {
	int n_used; /* headers that the last call has changed */
	struct mmsghdr headers[BATCH];
	struct iovec parts[BATCH];
	struct sockaddr_storage senders[BATCH];
	_Alignas(struct cmsghdr) char control[BATCH][CMSG_SPACE(sizeof(uint32_t))];
	char data[BATCH][TAIL_LINE_MAX];
};

static struct datagram_room *new_room(void)
{
	struct datagram_room *room = calloc(1, sizeof(*room));

	if (room != NULL)
		room->n_used = BATCH;
	return room;
}

static void prepare(struct datagram_room *room)
{
	for (int i = 0; i < room->n_used; i++) {
		room->senders[i].ss_family = AF_UNSPEC; /* who has no name leaves it so */
		room->parts[i] = (struct iovec) {room->data[i], sizeof(room->data[i])};
		room->headers[i].msg_hdr = (struct msghdr) {
			.msg_name = &room->senders[i],
			.msg_namelen = sizeof(room->senders[i]),
			.msg_iov = &room->parts[i],
			.msg_iovlen = 1,
			.msg_control = room->control[i],
			.msg_controllen = sizeof(room->control[i]),
		};
	}
}

/* The kernel tells with a message how many it had to drop before it. */
static void count_overflows(struct datagrams *d, struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		uint32_t total;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SO_RXQ_OVFL)
			continue;
		memcpy(&total, CMSG_DATA(c), sizeof(total));
		syslog_listener_counts(d->listener)->overflowed += total - d->overflowed;
		d->overflowed = total;
	}
}

static void take(struct datagrams *d, struct mmsghdr *m)
{
	struct syslog_counts *counts = syslog_listener_counts(d->listener);
	struct syslog_sender sender = syslog_sender_of(m->msg_hdr.msg_name);

	count_overflows(d, &m->msg_hdr);
	if (!syslog_may_send(d->g, &sender)) {
		counts->refused++;
		return;
	}
	if ((m->msg_hdr.msg_flags & MSG_TRUNC) != 0)
		counts->cut++;
	syslog_take(d->listener, &sender, m->msg_hdr.msg_iov->iov_base, m->msg_len);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct datagrams *d = arg;
	struct datagram_room *room = d->g->datagram_room;
	int n = BATCH;

	(void)what;
	for (unsigned i = 0; i < TURN_CALLS && n == BATCH; i++) {
		prepare(room);
		n = recvmmsg(fd, room->headers, BATCH, MSG_DONTWAIT, NULL);
		room->n_used = n > 0 ? n : 0;
		for (int k = 0; k < n; k++)
			take(d, &room->headers[k]);
	}
	syslog_flush(d->listener);
	guard_turn_end(d->g);
}

int datagrams_init(struct guard *g)
{
	for (size_t i = 0; i < g->o->n_listen; i++) {
		enum listen_kind kind = g->rs->syslog.listen[i].kind;
		struct datagrams *d;

		if (g->o->listen_fds[i] < 0 || (kind != LISTEN_UDP && kind != LISTEN_UNIX))
			continue;
		if (g->datagram_room == NULL)
			g->datagram_room = new_room();
		d = g->datagrams[i] = calloc(1, sizeof(*d));
		if (g->datagram_room == NULL || d == NULL)
			return -ENOMEM;
		d->g = g;
		d->listener = g->listeners[i];
		d->readable = event_new(
			g->base, g->o->listen_fds[i], EV_READ | EV_PERSIST, on_readable, d);
		if (d->readable == NULL)
			return -ENOMEM;
	}
	return 0;
}

void datagrams_start(struct guard *g)
{
	for (size_t i = 0; i < g->o->n_listen; i++)
		if (g->datagrams[i] != NULL)
			event_add(g->datagrams[i]->readable, NULL);
}

void datagrams_done(struct guard *g)
{
	for (size_t i = 0; i < g->o->n_listen; i++) {
		if (g->datagrams[i] != NULL && g->datagrams[i]->readable != NULL)
			event_free(g->datagrams[i]->readable);
		free(g->datagrams[i]);
	}
	free(g->datagram_room);
}
