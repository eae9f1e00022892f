/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "replay/tally.h"

#include "base/hash.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define ENTRIES_MAX 1000000

struct tally {
	struct hash_key key;
	struct tally_entry **buckets;
	size_t n_buckets; /* a power of two */
	size_t n;
	struct tally_sums sums;
};

struct tally *tally_new(void)
{
	struct tally *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->key = hash_key_random();
	t->n_buckets = 1024;
	t->buckets = calloc(t->n_buckets, sizeof(struct tally_entry *));
	if (t->buckets == NULL) {
		free(t);
		return NULL;
	}
	return t;
}

void tally_free(struct tally *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->n_buckets; i++) {
		struct tally_entry *next;

		for (struct tally_entry *e = t->buckets[i]; e != NULL; e = next) {
			next = e->next;
			free(e);
		}
	}
	free(t->buckets);
	free(t);
}

static struct tally_entry **bucket_of(const struct tally *t, const struct prefix *who)
{
	return &t->buckets[hash_bytes(&t->key, who, sizeof(*who)) & (t->n_buckets - 1)];
}

/* Without memory it goes on with longer chains. */
static void grow(struct tally *t)
{
	size_t n = t->n_buckets;
	struct tally_entry **from = t->buckets, **to = calloc(n * 2, sizeof(*to)), *next;

	if (to == NULL)
		return;
	t->buckets = to;
	t->n_buckets = n * 2;
	for (size_t i = 0; i < n; i++) {
		for (struct tally_entry *e = from[i]; e != NULL; e = next) {
			struct tally_entry **slot = bucket_of(t, &e->who);

			next = e->next;
			e->next = *slot;
			*slot = e;
		}
	}
	free(from);
}

/* NULL: there is no room, which is counted. */
static struct tally_entry *entry_of(struct tally *t, const struct prefix *who)
{
	struct tally_entry *e = *bucket_of(t, who);

	while (e != NULL && (e->who.len != who->len || !addr_eq(&e->who.addr, &who->addr)))
		e = e->next;
	if (e != NULL)
		return e;
	e = t->n < ENTRIES_MAX ? calloc(1, sizeof(*e)) : NULL;
	if (e == NULL) {
		t->sums.lost++;
		return NULL;
	}
	if (++t->n > t->n_buckets)
		grow(t);
	e->who = *who;
	e->next = *bucket_of(t, who);
	*bucket_of(t, who) = e;
	return e;
}

void tally_ban(struct tally *t, unsigned side, const struct court_ban *ban)
{
	struct tally_entry *e = entry_of(t, &ban->who);

	t->sums.bans[side]++;
	if (e == NULL)
		return;
	if (e->side[side].bans++ == 0) {
		e->side[side].jail = ban->jail;
		e->side[side].first_us = ban->since_us;
	}
	e->side[side].failures += ban->failures;
}

void tally_login(struct tally *t, const struct addr *a, const char *user, size_t len)
{
	const struct prefix who = prefix_of(a, 128);
	struct tally_entry *e = entry_of(t, &who);

	if (e == NULL)
		return;
	e->logins++;
	if (user != NULL)
		text_escape(e->user, sizeof(e->user), user, len);
}

static int64_t first_us(const struct tally_entry *e)
{
	return e->side[e->side[TALLY_OLD].bans > 0 ? TALLY_OLD : TALLY_NEW].first_us;
}

static int by_time(const void *x, const void *y)
{
	const struct tally_entry *a = *(const struct tally_entry *const *)x;
	const struct tally_entry *b = *(const struct tally_entry *const *)y;

	if (first_us(a) != first_us(b))
		return first_us(a) < first_us(b) ? -1 : 1;
	if (!addr_eq(&a->who.addr, &b->who.addr))
		return addr_cmp(&a->who.addr, &b->who.addr);
	return (int)a->who.len - (int)b->who.len;
}

static int by_addr(const void *x, const void *y)
{
	const struct tally_entry *a = *(const struct tally_entry *const *)x;
	const struct tally_entry *b = *(const struct tally_entry *const *)y;

	return addr_cmp(&a->who.addr, &b->who.addr);
}

/* The addresses from which somebody got in, ascending: blocks may be as many. */
static const struct tally_entry **list_logins(const struct tally *t, size_t *ret_n)
{
	const struct tally_entry **list = calloc(t->n + 1, sizeof(*list));

	*ret_n = 0;
	if (list == NULL)
		return NULL;
	for (size_t i = 0; i < t->n_buckets; i++)
		for (const struct tally_entry *e = t->buckets[i]; e != NULL; e = e->next)
			if (e->who.len == 128 && e->logins > 0)
				list[(*ret_n)++] = e;
	qsort(list, *ret_n, sizeof(struct tally_entry *), by_addr);
	return list;
}

/* Who got in from an address of a block got in from the block; its first one's user is shown. */
static void add_logins(
	struct tally_entry *block, const struct tally_entry *const *logins, size_t n_logins)
{
	size_t first = 0, end = n_logins;

	while (first < end) {
		size_t mid = first + (end - first) / 2;

		if (addr_cmp(&logins[mid]->who.addr, &block->who.addr) < 0)
			first = mid + 1;
		else
			end = mid;
	}
	for (size_t i = first; i < n_logins && prefix_contains(&block->who, &logins[i]->who.addr);
		i++) {
		if (i == first)
			memcpy(block->user, logins[i]->user, sizeof(block->user));
		block->logins += logins[i]->logins;
	}
}

const struct tally_entry **tally_differences(struct tally *t, size_t *ret_n, struct tally_sums *ret)
{
	const struct tally_entry **list = calloc(t->n + 1, sizeof(*list)), **logins;
	struct tally_sums sums = t->sums;
	size_t n = 0, n_logins;

	logins = list != NULL ? list_logins(t, &n_logins) : NULL;
	if (logins == NULL) {
		free(list);
		return NULL;
	}
	for (size_t i = 0; i < t->n_buckets; i++) {
		for (struct tally_entry *e = t->buckets[i]; e != NULL; e = e->next) {
			bool old = e->side[TALLY_OLD].bans > 0, new = e->side[TALLY_NEW].bans > 0;

			sums.both += old && new;
			if (old == new)
				continue;
			if (e->who.len < 128)
				add_logins(e, logins, n_logins);
			sums.only[new]++;
			sums.logged_in[new] += e->logins > 0;
			list[n++] = e;
		}
	}
	free(logins);
	qsort(list, n, sizeof(struct tally_entry *), by_time);
	*ret_n = n;
	*ret = sums;
	return list;
}
