/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/bans.h"

#include "base/hash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NOWHERE UINT32_MAX /* neither in the heap nor among the dirty */
#define JAILS_MAX 65536
#define EVIDENCE_BYTES_MAX 16000000
#define ENDS_MAX 1000000 /* beyond it ends are told by time alone: the store purges by until */

struct bans {
	struct hash_key key;
	struct ban **buckets;
	size_t n_buckets; /* a power of two */
	size_t n;
	struct ban **heap; /* those that end, soonest first */
	size_t n_heap;
	struct ban_end *ends;
	size_t n_ends, ends_room;
	struct ban **dirty;
	size_t n_dirty;
	size_t room; /* in both lists */
	size_t evidence_bytes;
	uint32_t by_jail[JAILS_MAX];
	uint32_t by_len[129]; /* which prefix lengths are in use */
};

struct bans *bans_new(void)
{
	struct bans *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	b->key = hash_key_random();
	b->n_buckets = 256;
	b->buckets = calloc(b->n_buckets, sizeof(struct ban *));
	if (b->buckets == NULL) {
		free(b);
		return NULL;
	}
	return b;
}

static void drop_evidence(struct bans *b, struct ban *ban)
{
	if (ban->evidence != NULL)
		b->evidence_bytes -= strlen(ban->evidence) + 1;
	free(ban->evidence);
	ban->evidence = NULL;
}

static void ban_free(struct bans *b, struct ban *ban)
{
	drop_evidence(b, ban);
	free(ban);
}

bool bans_set_evidence(struct bans *b, struct ban *ban, char *text)
{
	size_t bytes = text != NULL ? strlen(text) + 1 : 0;

	drop_evidence(b, ban);
	if (bytes > EVIDENCE_BYTES_MAX - b->evidence_bytes) {
		free(text);
		return false;
	}
	ban->evidence = text;
	b->evidence_bytes += bytes;
	return true;
}

void bans_free(struct bans *b)
{
	if (b == NULL)
		return;
	for (size_t i = 0; i < b->n_buckets; i++) {
		struct ban *next;

		for (struct ban *ban = b->buckets[i]; ban != NULL; ban = next) {
			next = ban->next;
			ban_free(b, ban);
		}
	}
	free(b->buckets);
	free(b->heap);
	free(b->dirty);
	free(b->ends);
	free(b);
}

static size_t bucket_of(const struct bans *b, unsigned jail, const struct prefix *p)
{
	uint8_t bytes[19];

	memcpy(bytes, p->addr.b, 16);
	bytes[16] = p->len;
	bytes[17] = (uint8_t)jail;
	bytes[18] = (uint8_t)(jail >> 8);
	return hash_bytes(&b->key, bytes, sizeof(bytes)) & (b->n_buckets - 1);
}

struct ban *bans_find(const struct bans *b, unsigned jail, const struct prefix *p)
{
	for (struct ban *ban = b->buckets[bucket_of(b, jail, p)]; ban != NULL; ban = ban->next)
		if (ban->jail == jail && ban->prefix.len == p->len &&
			addr_eq(&ban->prefix.addr, &p->addr))
			return ban;
	return NULL;
}

/* Doubles the table; without memory it goes on with longer chains. */
static void grow(struct bans *b)
{
	size_t old = b->n_buckets;
	struct ban **from = b->buckets, **to = calloc(old * 2, sizeof(*to)), *next;

	if (to == NULL)
		return;
	b->buckets = to;
	b->n_buckets = old * 2;
	for (size_t i = 0; i < old; i++) {
		for (struct ban *ban = from[i]; ban != NULL; ban = next) {
			size_t slot = bucket_of(b, ban->jail, &ban->prefix);

			next = ban->next;
			ban->next = to[slot];
			to[slot] = ban;
		}
	}
	free(from);
}

/* Room in both lists is made with the ban, so that its end and its saving cannot fail later. */
static int make_room(struct bans *b)
{
	size_t room = b->room != 0 ? b->room * 2 : 64;
	struct ban **list = reallocarray(b->heap, room, sizeof(*list));

	if (list == NULL)
		return -ENOMEM;
	b->heap = list;
	list = reallocarray(b->dirty, room, sizeof(*list));
	if (list == NULL)
		return -ENOMEM;
	b->dirty = list;
	b->room = room;
	return 0;
}

struct ban *bans_put(struct bans *b, unsigned jail, const struct prefix *p, bool *ret_new)
{
	struct ban *ban = bans_find(b, jail, p);
	size_t slot;

	*ret_new = ban == NULL;
	if (ban != NULL)
		return ban;
	if (b->n >= b->room && make_room(b) < 0)
		return NULL;
	ban = calloc(1, sizeof(*ban));
	if (ban == NULL)
		return NULL;
	if (b->n >= b->n_buckets)
		grow(b);
	ban->prefix = *p;
	ban->jail = (uint16_t)jail;
	ban->heap = ban->dirty = NOWHERE;
	slot = bucket_of(b, jail, p);
	ban->next = b->buckets[slot];
	b->buckets[slot] = ban;
	b->n++;
	b->by_jail[ban->jail]++;
	b->by_len[p->len]++;
	return ban;
}

static void heap_place(struct bans *b, size_t at, struct ban *ban)
{
	b->heap[at] = ban;
	ban->heap = (uint32_t)at;
}

static void heap_up(struct bans *b, size_t at, struct ban *ban)
{
	while (at > 0 && b->heap[(at - 1) / 2]->until_us > ban->until_us) {
		heap_place(b, at, b->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	heap_place(b, at, ban);
}

static void heap_down(struct bans *b, size_t at, struct ban *ban)
{
	for (;;) {
		size_t child = at * 2 + 1;

		if (child >= b->n_heap)
			break;
		if (child + 1 < b->n_heap &&
			b->heap[child + 1]->until_us < b->heap[child]->until_us)
			child++;
		if (b->heap[child]->until_us >= ban->until_us)
			break;
		heap_place(b, at, b->heap[child]);
		at = child;
	}
	heap_place(b, at, ban);
}

static void heap_remove(struct bans *b, struct ban *ban)
{
	size_t at = ban->heap;
	struct ban *last;

	if (ban->heap == NOWHERE)
		return;
	ban->heap = NOWHERE;
	last = b->heap[--b->n_heap];
	if (last == ban)
		return;
	heap_up(b, at, last);
	heap_down(b, last->heap, last);
}

void bans_set_until(struct bans *b, struct ban *ban, int64_t until_us)
{
	heap_remove(b, ban);
	ban->until_us = until_us;
	if (until_us != 0)
		heap_up(b, b->n_heap++, ban);
}

void bans_touch(struct bans *b, struct ban *ban)
{
	if (ban->dirty != NOWHERE)
		return;
	ban->dirty = (uint32_t)b->n_dirty;
	b->dirty[b->n_dirty++] = ban;
}

static void untouch(struct bans *b, struct ban *ban)
{
	if (ban->dirty == NOWHERE)
		return;
	b->dirty[ban->dirty] = b->dirty[--b->n_dirty];
	b->dirty[ban->dirty]->dirty = ban->dirty;
	ban->dirty = NOWHERE;
}

static void unlink_ban(struct bans *b, struct ban *ban)
{
	struct ban **link = &b->buckets[bucket_of(b, ban->jail, &ban->prefix)];

	while (*link != ban)
		link = &(*link)->next;
	*link = ban->next;
	heap_remove(b, ban);
	b->n--;
	b->by_jail[ban->jail]--;
	b->by_len[ban->prefix.len]--;
	untouch(b, ban);
}

static void remember_end(struct bans *b, const struct ban *ban, int64_t at_us)
{
	if (b->n_ends >= ENDS_MAX)
		return;
	if (b->n_ends == b->ends_room) {
		size_t room = b->ends_room != 0 ? b->ends_room * 2 : 64;
		struct ban_end *ends = reallocarray(b->ends, room, sizeof(*ends));

		if (ends == NULL)
			return;
		b->ends = ends;
		b->ends_room = room;
	}
	b->ends[b->n_ends++] =
		(struct ban_end) {.prefix = ban->prefix, .jail = ban->jail, .at_us = at_us};
}

void bans_end(struct bans *b, struct ban *ban, int64_t at_us)
{
	remember_end(b, ban, at_us);
	unlink_ban(b, ban);
	ban_free(b, ban);
}

void bans_drop(struct bans *b, struct ban *ban)
{
	/* It may be on disk from before: then its end must be told there too. */
	bans_end(b, ban, 0);
}

struct ban *bans_first_end(const struct bans *b)
{
	return b->n_heap > 0 ? b->heap[0] : NULL;
}

size_t bans_count(const struct bans *b)
{
	return b->n;
}

size_t bans_jail_count(const struct bans *b, unsigned jail)
{
	return jail < JAILS_MAX ? b->by_jail[jail] : 0;
}

void bans_each(struct bans *b, void (*fn)(void *arg, struct ban *ban), void *arg)
{
	for (size_t i = 0; i < b->n_buckets; i++)
		for (struct ban *ban = b->buckets[i]; ban != NULL; ban = ban->next)
			fn(arg, ban);
}

struct ban *bans_covering(const struct bans *b, unsigned jail, const struct addr *a)
{
	size_t left = b->n; /* of those lengths that were not asked for */

	for (int len = 128; len >= 0 && left > 0; len--) {
		struct prefix p;
		struct ban *ban;

		if (b->by_len[len] == 0)
			continue;
		left -= b->by_len[len];
		p = prefix_of(a, (uint8_t)len);
		ban = bans_find(b, jail, &p);
		if (ban != NULL)
			return ban;
	}
	return NULL;
}

bool bans_is_dirty(const struct bans *b)
{
	return b->n_dirty > 0 || b->n_ends > 0;
}

int bans_each_dirty(struct bans *b, int (*fn)(void *arg, struct ban *ban), void *arg)
{
	for (size_t i = 0; i < b->n_dirty; i++) {
		int r = fn(arg, b->dirty[i]);

		if (r < 0)
			return r;
	}
	return 0;
}

int bans_each_end(struct bans *b, int (*fn)(void *arg, const struct ban_end *e), void *arg)
{
	for (size_t i = 0; i < b->n_ends; i++) {
		int r = fn(arg, &b->ends[i]);

		if (r < 0)
			return r;
	}
	return 0;
}

void bans_saved(struct bans *b)
{
	for (size_t i = 0; i < b->n_dirty; i++) {
		b->dirty[i]->dirty = NOWHERE;
		drop_evidence(b, b->dirty[i]);
	}
	b->n_dirty = 0;
	b->n_ends = 0;
}

void bans_touch_all(struct bans *b)
{
	for (size_t i = 0; i < b->n_buckets; i++)
		for (struct ban *ban = b->buckets[i]; ban != NULL; ban = ban->next)
			bans_touch(b, ban);
}
