/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/addr.h"
#include "source/frames.h"

/*
 * The connections of those who send streams: whose they are, and which has to go when there is room
 * for no more. Who has many makes room himself; nobody's go for somebody who has more.
 */

struct holder;

/* 80 bytes each, and what has come of a frame that is not whole. */
struct connection {
	struct frames frames;
	struct holder *holder;
	struct connection *prev, *next; /* of its holder's: who has been quiet longest first */
	uint64_t serial;                /* later ones have higher ones */
	struct addr sender;
	bool is_local; /* sender says nothing */
	bool spoke;    /* a whole message has come */
	uint8_t listener;
	int fd;
};

struct connections;

/* max: how many there may be. NULL when out of memory. */
struct connections *connections_new(size_t max);

/* There must be none left. Takes NULL. */
void connections_free(struct connections *c);

size_t connections_count(const struct connections *c);

/*
 * May another come that is whose? IPv6 addresses count by their /64. 0: yes, and *ret_out is NULL,
 * or who has to go first, which is for the caller to remove; -ENFILE: no.
 */
int connections_admit(struct connections *c, const struct addr *whose, struct connection **ret_out);

/* Borrows it until it is removed. 0 or -ENOMEM. */
int connections_add(struct connections *c, const struct addr *whose, struct connection *one);
void connections_remove(struct connections *c, struct connection *one);

/* A whole message has come: who says something goes last. */
void connections_spoke(struct connections *c, struct connection *one);

/* Any one, or NULL if there is none. */
struct connection *connections_any(const struct connections *c);
