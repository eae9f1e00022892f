/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/addr.h"

/*
 * How many connections each sender has, so that none takes the place of all others. A sender is an
 * address, of IPv6 a block of 64 bits, since who has one has all of it.
 */
struct crowd;

enum crowd_room {
	CROWD_SHAKING, /* has not shown who it is */
	CROWD_OPEN,
	CROWD_ROOMS,
};

/* One sender, there as long as it has a connection. */
struct visitor {
	struct visitor *next;
	struct addr who;
	unsigned n[CROWD_ROOMS];
};

/* NULL when out of memory. */
struct crowd *crowd_new(void);
/* Takes NULL. */
void crowd_free(struct crowd *c);

/* Whoever has that address, or NULL: he has no connection. */
struct visitor *crowd_find(const struct crowd *c, const struct addr *a);

/* One more connection from there, shaking hands. NULL when out of memory. */
struct visitor *crowd_enter(struct crowd *c, const struct addr *a);
/* It has shaken hands. */
void crowd_open(struct crowd *c, struct visitor *v);
/* It is gone; v too, if it was his last. */
void crowd_leave(struct crowd *c, struct visitor *v, enum crowd_room room);

/* Connections of all. */
size_t crowd_count(const struct crowd *c, enum crowd_room room);
