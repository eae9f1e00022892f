/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/inject_queue.h"
#include "cli/inject_target.h"

#include <netdb.h>
#include <poll.h>

/* The way to the other side: goes down, and is tried again with growing pauses. */

enum inject_state {
	INJECT_DOWN,
	INJECT_RESOLVING,
	INJECT_CONNECTING,
	INJECT_UP, /* for datagrams: nothing is known to the contrary */
};

struct inject_link {
	const struct inject_target *target;
	enum inject_state state;
	int fd;                        /* of the socket or, while resolving, of the answer */
	int socktype;                  /* of a Unix socket: what was found last */
	struct addrinfo *addrs, *next; /* next: to be tried after this one */
	int64_t pause_us;
	int64_t at_us; /* when it is tried again, or given up, or since when it is up */
	const char *error;
	bool answered;       /* something was sent since it is up, and not refused */
	bool peer_ended;     /* it sends no more; that may be all, or it is gone */
	bool ended;          /* we said that this is all */
	size_t max_datagram; /* as far as it is known */
	uint64_t bytes;      /* sent in all */
	uint64_t lost; /* messages that were refused when it was too late to send them again */
	uint64_t cut;  /* messages that were too long for a datagram */
};

void inject_link_init(struct inject_link *l, const struct inject_target *target);
void inject_link_done(struct inject_link *l);

/* Tries again if it is time. */
void inject_link_step(struct inject_link *l, int64_t now_us);

/* What to wait for: these events of l->fd (0: none), no longer than until *ret_until_us. */
short inject_link_events(
	const struct inject_link *l, const struct inject_queue *q, int64_t *ret_until_us);

/* Something of that happened. */
void inject_link_ready(struct inject_link *l, struct inject_queue *q, short events, int64_t now_us);

/* Sends as much as can be without waiting, and makes room of what has been confirmed. */
void inject_link_send(struct inject_link *l, struct inject_queue *q, int64_t now_us);

/*
 * To be asked when all was sent and there will be no more: has it arrived, as far as that can be
 * known? It may also turn out that some is to be sent again.
 */
bool inject_link_finished(struct inject_link *l, struct inject_queue *q, int64_t now_us);

/* Messages of which it is not known that they arrived. */
uint64_t inject_link_missing(const struct inject_link *l, struct inject_queue *q);
