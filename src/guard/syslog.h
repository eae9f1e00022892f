/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "guard/internal.h"

#include <sys/socket.h>

/*
 * Syslog messages, however they came: who may send, how many, and for which jails each is. They are
 * made lines of, and judged many at a time.
 */

/* Who sent a message. */
struct syslog_sender {
	bool is_local; /* by a Unix socket: addr says nothing */
	struct addr addr;
};

/* What was taken by one listener; also what was not, and why. */
struct syslog_counts {
	uint64_t messages;   /* judged */
	uint64_t refused;    /* from somebody who may not send */
	uint64_t over_rate;  /* more than a sender may send */
	uint64_t overflowed; /* that the kernel dropped: we were too slow */
	uint64_t cut;        /* longer than what is judged */
	/* Of connections (streams.c): */
	uint64_t connections;         /* now */
	uint64_t connections_refused; /* from somebody who may not send, or no room */
	uint64_t pushed_out;          /* closed to make room */
	uint64_t broken;              /* frames that did not end, or with an absurd count */
};

struct syslog_listener;

/* A listener each that the rule set has, g->listeners. 0 or -ENOMEM. */
int syslog_init(struct guard *g);
void syslog_done(struct guard *g);

/* For those who take messages, to count what is lost on the way to here. */
struct syslog_counts *syslog_listener_counts(struct syslog_listener *l);

/* Who that is, as recvmsg(2) or accept(2) has it; without an address it is a local program. */
struct syslog_sender syslog_sender_of(const struct sockaddr_storage *from);

/* May messages come from there? */
bool syslog_may_send(const struct guard *g, const struct syslog_sender *sender);

/*
 * Takes a message; it is judged at once or by syslog_flush. Who may not send is not asked for here.
 */
void syslog_take(
	struct syslog_listener *l, const struct syslog_sender *sender, const char *msg, size_t len);

/* Judges what was taken; to be called when there is nothing more to take at the moment. */
void syslog_flush(struct syslog_listener *l);

/* Where its lines go that are made in that way (SYSLOG_FORMS); NULL: no jail reads them. */
#define SYSLOG_FORMS 2
const struct source *syslog_listener_source(const struct syslog_listener *l, size_t form);
