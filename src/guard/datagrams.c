/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Syslog messages that arrive as datagrams, one line each, on sockets keeper opened. */
#include "guard/internal.h"
#include "source/syslog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define A_TURN 256 /* messages; then the others get their turn */

struct datagram_source {
	struct source source;
	struct event *readable;
	struct guard *guard;
	uint32_t dropped_seen; /* the kernel's count so far */
};

/* The kernel tells with a message how many it had to drop before it. */
static void count_drops(struct datagram_source *d, struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		uint32_t total;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SO_RXQ_OVFL)
			continue;
		memcpy(&total, CMSG_DATA(c), sizeof(total));
		d->guard->losses.syslog_dropped += total - d->dropped_seen;
		d->dropped_seen = total;
	}
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct datagram_source *d = arg;
	struct guard *g = d->guard;
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(uint32_t)) * 2];
	char line[TAIL_LINE_MAX];
	size_t len;

	(void)what;
	for (unsigned i = 0; i < A_TURN; i++) {
		struct iovec iov = {.iov_base = g->buffer, .iov_len = TAIL_LINE_MAX};
		struct msghdr m = {.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control)};
		ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT);

		if (n < 0)
			break;
		count_drops(d, &m);
		if ((m.msg_flags & MSG_TRUNC) != 0)
			g->losses.long_lines++;
		len = syslog_line(line, sizeof(line), g->buffer, (size_t)n);
		judge_line(g, &d->source, line, len, NULL);
	}
	guard_turn_end(g);
}

static int open_one(struct guard *g, struct datagram_source *d, const char *name, int fd)
{
	d->guard = g;
	if (source_init(&d->source, name) < 0)
		return -ENOMEM;
	d->source.live = true;
	for (size_t i = 0; i < g->rs->n_jails; i++)
		if ((g->rs->jails[i].sources & SOURCE_SYSLOG) != 0 &&
			source_add_jail(g, &d->source, (uint16_t)i) < 0)
			return -ENOMEM;
	d->readable = event_new(g->base, fd, EV_READ | EV_PERSIST, on_readable, d);
	return d->readable == NULL ? -ENOMEM : 0;
}

int datagrams_init(struct guard *g)
{
	g->datagrams = calloc(g->o->n_listen + 1, sizeof(*g->datagrams));
	if (g->datagrams == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < g->o->n_listen; i++) {
		if (g->o->listen_fds[i] < 0)
			continue;
		if (open_one(g, &g->datagrams[g->n_datagrams++], g->rs->listen[i],
			    g->o->listen_fds[i]) < 0)
			return -ENOMEM;
	}
	return 0;
}

void datagrams_start(struct guard *g)
{
	for (size_t i = 0; i < g->n_datagrams; i++)
		event_add(g->datagrams[i].readable, NULL);
}

void datagrams_done(struct guard *g)
{
	for (size_t i = 0; i < g->n_datagrams; i++) {
		if (g->datagrams[i].readable != NULL)
			event_free(g->datagrams[i].readable);
		source_done(&g->datagrams[i].source);
	}
	free(g->datagrams);
}

const struct source *datagrams_source(const struct guard *g, size_t i)
{
	return &g->datagrams[i].source;
}
