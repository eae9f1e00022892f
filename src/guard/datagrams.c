/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Syslog messages that arrive as datagrams, on sockets keeper opened. */
#include "base/clock.h"
#include "guard/syslog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 64          /* datagrams a call */
#define TURN_MESSAGES 512 /* then the others get their turn */
#define TURN_US 5000      /* or after so long: a message may take a tenth of a second */
#define LOOK_BYTES 2048   /* so much is read between two looks at the clock */

struct datagrams {
	struct guard *g;
	struct syslog_listener *listener;
	struct event *readable;
	struct event *go_on;  /* more is in the room than there was time for */
	uint32_t *overflowed; /* the kernel's count so far, also of guards before */
	bool is_local;        /* a Unix socket: nothing is dropped, but descriptors may come */
};

/*
 * Where datagrams are put: of most of it nothing is ever touched. One for all: whoever is next
 * takes what is there first, whose it may be.
 */
struct datagram_room {
	struct datagrams *whose; /* NULL: nothing is there */
	bool is_local;           /* the headers are made for a Unix socket */
	int next;                /* the first that was not taken yet */
	int n_used;              /* headers that the last call has changed */
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
			/* Who has no room for descriptors is given none. */
			.msg_control = room->is_local ? NULL : room->control[i],
			.msg_controllen = room->is_local ? 0 : sizeof(room->control[i]),
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
		syslog_listener_counts(d->listener)->overflowed += total - *d->overflowed;
		*d->overflowed = total;
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

/* False: there is none to be read. */
static bool receive(struct datagrams *d, struct datagram_room *room)
{
	int n;

	if (room->is_local != d->is_local)
		room->n_used = BATCH;
	room->is_local = d->is_local;
	prepare(room);
	n = recvmmsg(event_get_fd(d->readable), room->headers, BATCH, MSG_DONTWAIT, NULL);
	room->n_used = n > 0 ? n : 0;
	room->next = 0;
	room->whose = n > 0 ? d : NULL;
	return n > 0;
}

static size_t take_next(struct datagram_room *room)
{
	struct mmsghdr *m = &room->headers[room->next++];

	take(room->whose, m);
	if (room->next == room->n_used)
		room->whose = NULL;
	return m->msg_len;
}

/* What is left of another's turn comes first, but one's own comes in any case. */
static void take_some(struct datagrams *d, struct datagram_room *room)
{
	int64_t end_us = clock_mono_us() + TURN_US;
	bool received = false;
	size_t since = 0;

	for (unsigned n = 0; n < TURN_MESSAGES; n++) {
		if (room->whose == NULL) {
			if ((received && room->n_used < BATCH) || !receive(d, room))
				return;
			received = true;
		}
		since += take_next(room);
		if (since < LOOK_BYTES)
			continue;
		if (clock_mono_us() >= end_us && (room->whose != NULL || received))
			return;
		since = 0;
	}
}

static void take_turn(struct datagrams *d)
{
	static const struct timeval soon;
	struct datagram_room *room = d->g->datagram_room;
	struct datagrams *other = room->whose != d ? room->whose : NULL;

	take_some(d, room);
	syslog_flush(d->listener);
	if (other != NULL)
		syslog_flush(other->listener);
	if (room->whose != NULL)
		evtimer_add(room->whose->go_on, &soon);
	guard_turn_end(d->g);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	take_turn(arg);
}

void datagrams_finish(struct guard *g)
{
	struct datagram_room *room = g->datagram_room;

	while (room != NULL && room->whose != NULL) {
		struct datagrams *d = room->whose;

		take_next(room);
		if (room->whose == NULL)
			syslog_flush(d->listener);
	}
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
		d->is_local = kind == LISTEN_UNIX;
		d->overflowed = &g->o->mark->overflowed[i];
		d->readable = event_new(
			g->base, g->o->listen_fds[i], EV_READ | EV_PERSIST, on_readable, d);
		d->go_on = evtimer_new(g->base, on_readable, d);
		if (d->readable == NULL || d->go_on == NULL)
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
		struct datagrams *d = g->datagrams[i];

		if (d != NULL && d->readable != NULL)
			event_free(d->readable);
		if (d != NULL && d->go_on != NULL)
			event_free(d->go_on);
		free(d);
	}
	free(g->datagram_room);
}
