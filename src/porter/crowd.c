/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "porter/crowd.h"

#include "base/hash.h"

#include <stdlib.h>

#define BUCKETS 1024

struct crowd {
	struct hash_key key;
	struct visitor *buckets[BUCKETS];
	size_t n[CROWD_ROOMS];
};

struct crowd *crowd_new(void)
{
	struct crowd *c = calloc(1, sizeof(*c));

	if (c != NULL)
		c->key = hash_key_random();
	return c;
}

void crowd_free(struct crowd *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < BUCKETS; i++) {
		struct visitor *next;

		for (struct visitor *v = c->buckets[i]; v != NULL; v = next) {
			next = v->next;
			free(v);
		}
	}
	free(c);
}

static size_t bucket_of(const struct crowd *c, const struct addr *who)
{
	return hash_bytes(&c->key, who->b, sizeof(who->b)) % BUCKETS;
}

struct visitor *crowd_find(const struct crowd *c, const struct addr *a)
{
	struct addr who = addr_owner(a);
	struct visitor *v = c->buckets[bucket_of(c, &who)];

	while (v != NULL && !addr_eq(&v->who, &who))
		v = v->next;
	return v;
}

struct visitor *crowd_enter(struct crowd *c, const struct addr *a)
{
	struct visitor *v = crowd_find(c, a);

	if (v == NULL) {
		struct visitor **bucket;

		v = calloc(1, sizeof(*v));
		if (v == NULL)
			return NULL;
		v->who = addr_owner(a);
		bucket = &c->buckets[bucket_of(c, &v->who)];
		v->next = *bucket;
		*bucket = v;
	}
	v->n[CROWD_SHAKING]++;
	c->n[CROWD_SHAKING]++;
	return v;
}

void crowd_open(struct crowd *c, struct visitor *v)
{
	v->n[CROWD_SHAKING]--;
	c->n[CROWD_SHAKING]--;
	v->n[CROWD_OPEN]++;
	c->n[CROWD_OPEN]++;
}

void crowd_leave(struct crowd *c, struct visitor *v, enum crowd_room room)
{
	struct visitor **link = &c->buckets[bucket_of(c, &v->who)];

	c->n[room]--;
	if (--v->n[room] > 0 || v->n[CROWD_SHAKING] + v->n[CROWD_OPEN] > 0)
		return;
	while (*link != v)
		link = &(*link)->next;
	*link = v->next;
	free(v);
}

size_t crowd_count(const struct crowd *c, enum crowd_room room)
{
	return c->n[room];
}
