/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/senders.h"

#include "base/clock.h"
#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

#define WAYS 4
#define SETS 1024

struct sender {
	struct addr addr;
	int64_t at_us; /* when used was true; 0: nobody */
	double used;
};

struct senders {
	struct hash_key key;
	double a_sec;
	struct sender slots[SETS][WAYS];
};

struct senders *senders_new(unsigned a_sec)
{
	struct senders *s = calloc(1, sizeof(*s));

	if (s != NULL) {
		s->key = hash_key_random();
		s->a_sec = a_sec;
	}
	return s;
}

void senders_free(struct senders *s)
{
	free(s);
}

static double used_now(const struct senders *s, const struct sender *one, int64_t now_us)
{
	double left = one->used - (double)(now_us - one->at_us) / USEC_PER_SEC * s->a_sec;

	return one->at_us == 0 || left < 0 ? 0 : left;
}

bool senders_take(struct senders *s, const struct addr *sender, int64_t now_us)
{
	struct addr who = addr_owner(sender);
	struct sender *set = s->slots[hash_bytes(&s->key, &who, sizeof(who)) % SETS];
	struct sender *one = &set[0];
	double used;

	for (unsigned i = 0; i < WAYS; i++) {
		if (set[i].at_us != 0 && addr_eq(&set[i].addr, &who)) {
			one = &set[i];
			break;
		}
		if (used_now(s, &set[i], now_us) < used_now(s, one, now_us))
			one = &set[i];
	}
	if (one->at_us == 0 || !addr_eq(&one->addr, &who))
		*one = (struct sender) {.addr = who};
	used = used_now(s, one, now_us);
	one->at_us = now_us;
	one->used = used;
	if (used + 1 > s->a_sec)
		return false;
	one->used = used + 1;
	return true;
}
