/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/connections.h"

#include "base/hash.h"
#include "base/util.h"

#include <errno.h>

#define SLOTS 1024

/* The longest quiet first; the list is a ring, in which prev of the first is the last. */
struct ring {
	struct connection *first;
};

/* Who has connections. */
struct holder {
	struct addr who;
	size_t n;
	struct ring silent; /* never a whole message: in the order in which they came */
	struct ring heard;  /* in the order of their last message */
	struct holder *next;
};

struct connections {
	struct hash_key key;
	size_t n, max;
	uint64_t serial;
	struct holder *slots[SLOTS];
};

static void ring_append(struct ring *r, struct connection *one)
{
	if (r->first == NULL) {
		one->prev = one->next = one;
		r->first = one;
		return;
	}
	one->next = r->first;
	one->prev = r->first->prev;
	one->prev->next = one->next->prev = one;
}

static void ring_remove(struct ring *r, struct connection *one)
{
	if (one->next == one) {
		r->first = NULL;
		return;
	}
	one->prev->next = one->next;
	one->next->prev = one->prev;
	if (r->first == one)
		r->first = one->next;
}

static struct ring *ring_of(struct connection *one)
{
	return one->spoke ? &one->holder->heard : &one->holder->silent;
}

struct connections *connections_new(size_t max)
{
	struct connections *c = calloc(1, sizeof(*c));

	if (c != NULL) {
		c->key = hash_key_random();
		c->max = max;
	}
	return c;
}

void connections_free(struct connections *c)
{
	free(c);
}

size_t connections_count(const struct connections *c)
{
	return c->n;
}

/* Where the holder is, or would be. */
static struct holder **find(struct connections *c, const struct addr *whose)
{
	struct addr who = addr_owner(whose);
	struct holder **link = &c->slots[hash_bytes(&c->key, &who, sizeof(who)) % SLOTS];

	while (*link != NULL && !addr_eq(&(*link)->who, &who))
		link = &(*link)->next;
	return link;
}

/*
 * Who has more than whoever comes would have then, and most of all: if nobody, himself, or NULL if
 * he has none yet. ret_silent: of all, the connection that has been silent longest, or NULL.
 */
static struct holder *who_has_most(
	const struct connections *c, struct holder *whose, struct connection **ret_silent)
{
	size_t most_n = whose != NULL ? whose->n + 1 : 1;
	struct holder *most = whose;

	*ret_silent = NULL;
	for (size_t i = 0; i < SLOTS; i++) {
		for (struct holder *h = c->slots[i]; h != NULL; h = h->next) {
			struct connection *silent = h->silent.first;

			if (h->n > most_n) {
				most = h;
				most_n = h->n;
			}
			if (silent != NULL &&
				(*ret_silent == NULL || silent->serial < (*ret_silent)->serial))
				*ret_silent = silent;
		}
	}
	return most;
}

int connections_admit(struct connections *c, const struct addr *whose, struct connection **ret_out)
{
	struct connection *silent;
	struct holder *h;

	*ret_out = NULL;
	if (c->n < c->max)
		return 0;
	h = who_has_most(c, *find(c, whose), &silent);
	if (h == NULL)
		*ret_out = silent;
	else
		*ret_out = h->silent.first != NULL ? h->silent.first : h->heard.first;
	return *ret_out != NULL ? 0 : -ENFILE;
}

int connections_add(struct connections *c, const struct addr *whose, struct connection *one)
{
	struct holder **link = find(c, whose);

	if (*link == NULL) {
		*link = calloc(1, sizeof(**link));
		if (*link == NULL)
			return -ENOMEM;
		(*link)->who = addr_owner(whose);
	}
	one->holder = *link;
	one->serial = c->serial++;
	one->holder->n++;
	c->n++;
	ring_append(ring_of(one), one);
	return 0;
}

void connections_remove(struct connections *c, struct connection *one)
{
	struct holder *h = one->holder, **link;

	ring_remove(ring_of(one), one);
	one->holder = NULL;
	c->n--;
	if (--h->n > 0)
		return;
	link = find(c, &h->who);
	*link = h->next;
	free(h);
}

void connections_spoke(struct connections *c, struct connection *one)
{
	(void)c;
	ring_remove(ring_of(one), one);
	one->spoke = true;
	ring_append(ring_of(one), one);
}

struct connection *connections_any(const struct connections *c)
{
	for (size_t i = 0; i < SLOTS; i++) {
		struct holder *h = c->slots[i];

		if (h != NULL)
			return h->silent.first != NULL ? h->silent.first : h->heard.first;
	}
	return NULL;
}
