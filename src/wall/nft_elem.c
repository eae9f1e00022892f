/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/util.h"
#include "wall/nft.h"

#define CHUNK 16000    /* elements a transaction */
#define ELEM_BYTES 160 /* what one may take in it: deleted, added again with its counters */
#define ASK_CHUNK 256  /* questions at a time */
#define SWITCHES 64    /* above this many changes of the set, sorting pays */
#define NEAR_MS 1000
#define NEAR_FROM_MS 600000
#define SHUT_FROM 64 /* from that many on, shutting the ears pays */
#define TRIES 5

/*
 * A refused transaction makes the kernel wait for all of its processors, some 16 ms. Up to so many
 * elements it is cheaper to ask first, 2 us each, than to risk that.
 */
#define ASK_FIRST 256

/* Above this the kernel's conversion to its clock ticks refuses (nf_msecs_to_jiffies64). */
#define TIMEOUT_MAX_MS (UINT64_MAX / 1000000 - 1)

/* The set that a prefix belongs to. 0, or -EINVAL if it cannot be in any. */
static int kind_of(struct nft_kind *ret, const struct prefix *p)
{
	bool is6 = !addr_is4(&p->addr);

	if (p->len > 128 || (!is6 && p->len < 96))
		return -EINVAL;
	ret->is6 = is6;
	ret->len = p->len == 128 ? NFT_HOST_LEN : (uint8_t)prefix_family_len(p);
	return 0;
}

static bool same_set(const struct nft_item *a, const struct nft_item *b)
{
	return a->elem->jail == b->elem->jail && a->kind.is6 == b->kind.is6 &&
	       a->kind.len == b->kind.len;
}

static int by_set(const struct nft_item *a, const struct nft_item *b)
{
	if (a->elem->jail != b->elem->jail)
		return a->elem->jail < b->elem->jail ? -1 : 1;
	if (a->kind.is6 != b->kind.is6)
		return a->kind.is6 ? 1 : -1;
	return (int)a->kind.len - (int)b->kind.len;
}

static int by_set_addr_place(const void *a, const void *b)
{
	const struct nft_item *x = a, *y = b;
	int r = by_set(x, y);

	if (r == 0)
		r = addr_cmp(&x->elem->prefix.addr, &y->elem->prefix.addr);
	return r != 0 ? r : (x->elem > y->elem) - (x->elem < y->elem);
}

static void sort(struct nft_item *items, size_t n)
{
	qsort(items, n, sizeof(*items), by_set_addr_place);
}

/* Sorts, and of several for one element leaves the last. Returns how many are left. */
static size_t sort_unique(struct nft_item *items, size_t n)
{
	size_t kept = 0;

	sort(items, n);
	for (size_t i = 0; i < n; i++) {
		if (kept > 0 && same_set(&items[kept - 1], &items[i]) &&
			addr_eq(&items[kept - 1].elem->prefix.addr, &items[i].elem->prefix.addr))
			kept--;
		items[kept++] = items[i];
	}
	return kept;
}

/* Adds those that are there (or all) to the transaction, a message a run of the same set. */
static void write_items(
	struct wall *w, const struct nft_item *items, size_t n, uint16_t type, bool only_there)
{
	struct nft_elems e = {.batch = &w->batch,
		.type = type,
		.flags = type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE | NLM_F_EXCL : 0};
	const struct nft_item *last = NULL;
	char name[NFT_SET_NAME_MAX];

	for (size_t i = 0; i < n; i++) {
		const struct nft_item *it = &items[i];
		struct nft_elem elem = {.counted = false};
		size_t len;

		if (only_there && !it->there)
			continue;
		if (last == NULL || !same_set(last, it)) {
			nft_elems_end(&e);
			e.set = nft_set_name(name, w->rs->jails[it->elem->jail].set, it->kind);
		}
		last = it;
		elem.key = addr_wire(&it->elem->prefix.addr, &len);
		elem.key_len = (uint16_t)len;
		if (type == NFT_MSG_NEWSETELEM) {
			elem.timeout_ms = it->timeout_ms;
			elem.counted = it->there;
			elem.packets = it->packets;
			elem.bytes = it->bytes;
		}
		nft_elems_add(&e, &elem);
	}
	nft_elems_end(&e);
}

/* --- Which of them are there --- */

struct lookup {
	struct nft_item *items;
	uint32_t first_seq;
	size_t n, answered;
	int error;
};

static bool on_seen(void *arg, const struct nft_seen *seen)
{
	struct nft_item *it = arg;

	it->there = true;
	it->left_ms = seen->left_ms;
	it->packets = seen->packets;
	it->bytes = seen->bytes;
	return false;
}

static void on_reply(void *arg, const struct nlmsghdr *nlh)
{
	struct lookup *l = arg;
	size_t i = nlh->nlmsg_seq - l->first_seq;
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);

	if (i >= l->n)
		return;
	l->answered++;
	if (nlh->nlmsg_type != NLMSG_ERROR)
		nft_elem_read(nlh, on_seen, &l->items[i]);
	else if (mnl_nlmsg_get_payload_len(nlh) < sizeof(e->error))
		l->error = -EBADMSG;
	else if (e->error != -ENOENT && e->error != 0)
		l->error = e->error;
}

/* A question an element, all in one datagram; each is answered by the element or by -ENOENT. */
static int ask_some(struct wall *w, struct nft_item *items, size_t n)
{
	struct lookup l = {.items = items, .first_seq = w->conn.seq + 1, .n = n};
	char *at = w->batch.data, name[NFT_SET_NAME_MAX];
	int r;

	for (size_t i = 0; i < n; i++) {
		struct nlmsghdr *nlh = nft_msg_start(at, NFT_MSG_GETSETELEM, 0, ++w->conn.seq);
		struct nlattr *list, *elem, *key;
		size_t len;
		const uint8_t *wire = addr_wire(&items[i].elem->prefix.addr, &len);

		items[i].there = false;
		nft_set_name(name, w->rs->jails[items[i].elem->jail].set, items[i].kind);
		mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, name);
		list = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_LIST_ELEMENTS);
		elem = mnl_attr_nest_start(nlh, NFTA_LIST_ELEM);
		key = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_KEY);
		mnl_attr_put(nlh, NFTA_DATA_VALUE, len, wire);
		mnl_attr_nest_end(nlh, key);
		mnl_attr_nest_end(nlh, elem);
		mnl_attr_nest_end(nlh, list);
		at += MNL_ALIGN(nlh->nlmsg_len);
	}
	r = nft_conn_send(&w->conn, w->batch.data, (size_t)(at - w->batch.data));
	while (r == 0 && l.answered < n) {
		r = nft_conn_recv(&w->conn, on_reply, &l);
		r = r > 0 ? 0 : r == 0 ? -EIO : r;
	}
	return r < 0 ? r : l.error;
}

/* Finds out which are there; *ret_n gets how many. */
static int ask_all(struct wall *w, struct nft_item *items, size_t n, size_t *ret_n)
{
	size_t found = 0;

	for (size_t at = 0; at < n; at += ASK_CHUNK) {
		int r = ask_some(w, items + at, n - at < ASK_CHUNK ? n - at : ASK_CHUNK);

		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < n; i++)
		found += items[i].there;
	*ret_n = found;
	return 0;
}

int nft_elem_look(struct wall *w, struct wall_elem *elems, size_t n)
{
	struct nft_item items[ASK_CHUNK];
	int r = 0;

	for (size_t at = 0, taken; r == 0 && at < n;) {
		for (taken = 0; at < n && taken < ASK_CHUNK; at++) {
			struct nft_item *it = &items[taken];

			elems[at].there = false;
			*it = (struct nft_item) {.elem = &elems[at]};
			if (elems[at].jail >= w->rs->n_jails ||
				kind_of(&it->kind, &elems[at].prefix) < 0)
				return -EINVAL;
			taken += nft_has_set(w, elems[at].jail, it->kind);
		}
		r = taken > 0 ? ask_some(w, items, taken) : 0;
		for (size_t i = 0; r == 0 && i < taken; i++) {
			struct wall_elem *e = &elems[items[i].elem - elems];

			e->there = items[i].there;
			e->timeout_ms = items[i].left_ms;
			e->packets = items[i].packets;
			e->bytes = items[i].bytes;
		}
	}
	return r;
}

/* --- Bans --- */

/* Many are usually all new. */
static int add_new(struct wall *w, const struct nft_item *items, size_t n)
{
	nft_batch_begin(&w->batch, &w->conn);
	write_items(w, items, n, NFT_MSG_NEWSETELEM, false);
	return nft_commit(w, NULL, NULL);
}

/*
 * Does it end within a second of when it should, an hour or so from now? After a restart that is so
 * for all of them, and there is nothing to do.
 */
static bool as_wanted(const struct nft_item *it)
{
	uint64_t want = it->timeout_ms, left = it->left_ms;

	if (!it->there || want == 0 || left == 0)
		return it->there && want == left;
	return want >= NEAR_FROM_MS && (want > left ? want - left : left - want) <= NEAR_MS;
}

/* Leaves out what is in the kernel as it should be. Returns how many are left. */
static size_t drop_done(struct nft_item *items, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (!as_wanted(&items[i]))
			items[kept++] = items[i];
	return kept;
}

/*
 * Those that are there are taken out and put in anew with their counters, in one transaction: only
 * kernels from 6.12 on can change a timeout. One may end between question and transaction, or
 * somebody may put one in: then once more.
 */
static int replace(struct wall *w, struct nft_item *items, size_t n)
{
	size_t found = 0;
	int r = 0;

	n = sort_unique(items, n);
	for (unsigned tries = 0; tries < TRIES; tries++) {
		r = ask_all(w, items, n, &found);
		if (r < 0)
			return r;
		n = drop_done(items, n);
		if (n == 0)
			return 0;
		nft_batch_begin(&w->batch, &w->conn);
		write_items(w, items, n, NFT_MSG_DELSETELEM, true);
		write_items(w, items, n, NFT_MSG_NEWSETELEM, false);
		r = nft_commit(w, NULL, NULL);
		if (r != -EEXIST && (r != -ENOENT || found == 0))
			break;
	}
	return r;
}

static bool all_fresh(const struct nft_item *items, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!items[i].elem->fresh)
			return false;
	return true;
}

static int ban_items(struct wall *w, struct nft_item *items, size_t n)
{
	if (!w->ask_first && (n > ASK_FIRST || all_fresh(items, n))) {
		int r = add_new(w, items, n);

		/* When an answer got lost, what is in the kernel decides what is left to do. */
		if (r != -EEXIST && r != -EIO && r != -ENOBUFS)
			return r;
		w->ask_first = true;
	}
	return replace(w, items, n);
}

/* What is to be done with some elements at a time. */
typedef int work_fn(struct wall *w, struct nft_item *items, size_t n);

/* The caller's time left, less what has passed since the call began; never 0 by that. */
static uint64_t time_left_ms(uint64_t timeout_ms, uint64_t passed_ms)
{
	if (timeout_ms == 0)
		return 0;
	if (timeout_ms > TIMEOUT_MAX_MS)
		timeout_ms = TIMEOUT_MAX_MS;
	return timeout_ms > passed_ms ? timeout_ms - passed_ms : 1;
}

/*
 * The next elements as items, those of jails that never enforce left out. Returns how many they are
 * and moves *at behind them, or -EINVAL.
 */
static ssize_t take(struct wall *w, const struct wall_elem *elems, size_t n, size_t *at,
	struct nft_item *items, size_t max, uint64_t passed_ms)
{
	size_t taken = 0, switches = 0;

	for (; *at < n && taken < max; (*at)++) {
		const struct wall_elem *e = &elems[*at];
		struct nft_item *it = &items[taken];

		*it = (struct nft_item) {
			.elem = e, .timeout_ms = time_left_ms(e->timeout_ms, passed_ms)};
		if (e->jail >= w->rs->n_jails || kind_of(&it->kind, &e->prefix) < 0)
			return -EINVAL;
		if (w->rs->jails[e->jail].shadow)
			continue;
		switches += taken > 0 && !same_set(it - 1, it);
		taken++;
	}
	if (switches > SWITCHES)
		sort(items, taken);
	return (ssize_t)taken;
}

/* Cuts the array into transactions. */
static int in_chunks(struct wall *w, const struct wall_elem *elems, size_t n, work_fn *fn)
{
	size_t most = w->conn.send_max / ELEM_BYTES, chunk = most < CHUNK ? most : CHUNK, at = 0;
	struct nft_item one, *items = &one;
	struct nft_watch_pause pause = {.shut = false};
	int64_t start_us = n > chunk ? clock_mono_us() : 0;
	int r = 0;

	if (n > 1)
		items = malloc((n < chunk ? n : chunk) * sizeof(*items));
	if (items == NULL)
		return -ENOMEM;
	if (n >= SHUT_FROM)
		nft_watch_shut(w, &pause);
	while (r == 0 && at < n) {
		int64_t passed_us = at > 0 ? clock_mono_us() - start_us : 0;
		ssize_t taken = take(w, elems, n, &at, items, chunk, (uint64_t)passed_us / 1000);

		r = taken > 0 ? fn(w, items, (size_t)taken) : (int)taken;
	}
	nft_watch_reopen(w, &pause);
	if (items != &one)
		free(items);
	nft_batch_trim(&w->batch);
	return r;
}

static bool lacks_set(const struct wall *w, const struct nft_item *items, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!nft_has_set(w, items[i].elem->jail, items[i].kind))
			return true;
	return false;
}

static int ban_some(struct wall *w, struct nft_item *items, size_t n)
{
	int r = 0;

	for (unsigned tries = 0; tries < 2; tries++) {
		r = lacks_set(w, items, n) ? nft_setup_prefix_sets(w, items, n) : 0;
		if (r == 0)
			r = ban_items(w, items, n);
		if ((r != -ENOENT && r != -EEXIST) || tries > 0)
			break;
		/* Somebody flushed the rules and the notification has not been read yet. */
		r = nft_setup_repair(w);
		if (r < 0)
			break;
		w->repaired = true;
		nft_watch_wake(w);
	}
	if (r == 0)
		w->stats.banned += n;
	return r;
}

int nft_elem_ban(struct wall *w, const struct wall_elem *elems, size_t n)
{
	w->ask_first = false;
	return in_chunks(w, elems, n, ban_some);
}

/* --- Unbans --- */

static int unban_some(struct wall *w, struct nft_item *items, size_t n)
{
	size_t found = 0;
	int r = -ENOENT;

	if (n > ASK_FIRST) {
		nft_batch_begin(&w->batch, &w->conn);
		write_items(w, items, n, NFT_MSG_DELSETELEM, false);
		r = nft_commit(w, NULL, NULL);
	}
	n = sort_unique(items, n);
	for (unsigned tries = 0; tries < TRIES; tries++) {
		if (r != -ENOENT && r != -EIO && r != -ENOBUFS)
			break;
		r = ask_all(w, items, n, &found);
		if (r < 0 || found == 0)
			break;
		nft_batch_begin(&w->batch, &w->conn);
		write_items(w, items, n, NFT_MSG_DELSETELEM, true);
		r = nft_commit(w, NULL, NULL);
	}
	return r;
}

int nft_elem_unban(struct wall *w, const struct wall_elem *elems, size_t n)
{
	return in_chunks(w, elems, n, unban_some);
}
