/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/addr.h"

/*
 * How much each sender has sent of late. Bounded: when there is no room for another, the one that
 * has sent least is forgotten, so that nobody gains anything by coming with many addresses.
 */
struct senders;

/* a_sec: messages a second that each may send, with as many at once. NULL when out of memory. */
struct senders *senders_new(unsigned a_sec);
void senders_free(struct senders *s);

/* One more message from there, at that monotonic time: may it be taken? */
bool senders_take(struct senders *s, const struct addr *sender, int64_t now_us);
