/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "guard/syslog.h"

/*
 * Syslog messages over connections: accepted on the sockets that keeper opened, or handed over by
 * somebody else who has. Each is read in its turn, a piece at a time; one that says nothing costs a
 * descriptor and its struct connection.
 */

/* Listens, once streams_start is called. 0 or -ENOMEM or another -errno. */
int streams_init(struct guard *g);

/* Start-up is over: what the guard before has left goes on, others may come. */
void streams_start(struct guard *g);

void streams_done(struct guard *g);

/*
 * Takes over fd, a connected and non-blocking stream socket, on which that sender's messages come
 * in for that listener (its place in the rule set's list); it is closed when the other side is.
 * Closed at once, and counted: from somebody who may not send, or when there are too many.
 */
void streams_add(struct guard *g, size_t listener, const struct syslog_sender *sender, int fd);

/* All connections to keeper, for the next guard. */
void streams_hand_over(struct guard *g);
