/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "ipc/messages.h"
#include "porter/crowd.h"
#include "porter/material.h"
#include "porter/peer.h"
#include "porter/porter.h"

#include <event2/event.h>
#include <openssl/ssl.h>
#include <sys/queue.h>

/* What the files of this room share. Nobody outside includes it. */

#define WHY_MAX 200

struct door;
struct link;
TAILQ_HEAD(links, link);

struct porter {
	const struct porter_options *o;
	struct event_base *base;
	struct channel *guard;
	struct crowd *crowd;
	struct peers peers;
	SSL_CTX *tls;
	struct door *doors; /* in the order of the settings' listeners */
	size_t links_max;
	struct links rooms[CROWD_ROOMS]; /* whoever has been silent longest first */
	struct event *overdue;           /* the first of those who shake hands has had its time */
	struct event *life, *tell, *reopen, *limit;
	bool leaving;
	char noted[WHY_MAX]; /* what is wrong with the certificate looked at now */
	char buffer[16384];  /* of whoever is being read: a whole record of TLS */
};

/* A tls:// listener; those of other kinds are not open. */
struct door {
	struct porter *porter;
	const struct listener *listener;
	struct event *knock;        /* NULL: not open */
	struct msg_tls_counts news; /* what guard was not told yet */
};

/* porter.c */
void porter_tell_later(struct porter *p);                                /* news are there */
int porter_hand_over(struct door *d, const struct addr *sender, int fd); /* to guard */
void porter_link_gone(struct porter *p);                                 /* a link was ended */

/* context.c: how to speak TLS. NULL: it cannot be made, and that was logged. */
SSL_CTX *context_new(struct porter *p);

/* link.c: a connection */
void link_new(struct door *d, int fd, const struct addr *sender, struct visitor *v);
/* For want of room: of the sender who has most of these, the one silent longest. */
void link_push_out(struct porter *p, enum crowd_room room);
void link_leave_all(struct porter *p); /* says good-bye to all; they end when they answer */
void link_end_all(struct porter *p);
