/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "base/util.h"
#include "wall/nft.h"

#define RUN 256
#define TRIES 3

/* An attribute's big-endian number; 0 if it is not of that size. */
static uint64_t be64(const struct nlattr *attr)
{
	return mnl_attr_get_payload_len(attr) == 8 ? be64toh(mnl_attr_get_u64(attr)) : 0;
}

static void read_counter(struct nft_seen *seen, const struct nlattr *expr)
{
	const struct nlattr *attr, *inner;

	mnl_attr_for_each_nested(attr, expr)
	{
		if (mnl_attr_get_type(attr) == NFTA_EXPR_NAME &&
			(mnl_attr_get_payload_len(attr) != sizeof("counter") ||
				memcmp(mnl_attr_get_payload(attr), "counter", sizeof("counter"))))
			return;
		if (mnl_attr_get_type(attr) != NFTA_EXPR_DATA)
			continue;
		mnl_attr_for_each_nested(inner, attr)
		{
			if (mnl_attr_get_type(inner) == NFTA_COUNTER_PACKETS)
				seen->packets = be64(inner);
			else if (mnl_attr_get_type(inner) == NFTA_COUNTER_BYTES)
				seen->bytes = be64(inner);
		}
	}
}

static bool read_elem(struct nft_seen *seen, const struct nlattr *elem)
{
	const struct nlattr *attr, *value;
	bool ends = false;
	uint64_t left = 0;

	*seen = (struct nft_seen) {0};
	mnl_attr_for_each_nested(attr, elem)
	{
		switch (mnl_attr_get_type(attr)) {
		case NFTA_SET_ELEM_KEY:
			value = mnl_attr_get_payload(attr);
			if (!mnl_attr_ok(value, mnl_attr_get_payload_len(attr)))
				return false;
			seen->key = mnl_attr_get_payload(value);
			seen->key_len = mnl_attr_get_payload_len(value);
			break;
		case NFTA_SET_ELEM_TIMEOUT:
			ends |= be64(attr) != 0;
			break;
		case NFTA_SET_ELEM_EXPIRATION:
			ends = true;
			left = be64(attr);
			break;
		case NFTA_SET_ELEM_EXPR:
			read_counter(seen, attr);
			break;
		}
	}
	/* 0 would mean for ever: one that is just about to end has a last moment left. */
	if (ends && left != UINT64_MAX)
		seen->left_ms = left != 0 ? left : 1;
	return seen->key != NULL;
}

void nft_elem_read(const struct nlmsghdr *nlh, nft_seen_fn *fn, void *arg)
{
	const struct nlattr *attr, *elem;
	struct nft_seen seen;

	if (nlh->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWSETELEM) ||
		mnl_nlmsg_get_payload_len(nlh) < sizeof(struct nfgenmsg))
		return;
	mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(attr) != NFTA_SET_ELEM_LIST_ELEMENTS)
			continue;
		mnl_attr_for_each_nested(elem, attr)
		{
			if (read_elem(&seen, elem) && !fn(arg, &seen))
				return;
		}
	}
}

struct dump {
	wall_dump_fn *fn;
	void *arg;
	unsigned jail;
	struct nft_kind kind;
	struct wall_elem run[RUN];
	size_t n;
	int error;
};

static int flush(struct dump *d)
{
	size_t n = d->n;

	d->n = 0;
	if (n > 0 && d->error == 0)
		d->error = d->fn(d->arg, d->run, n);
	if (d->error > 0)
		d->error = 0;
	return d->error;
}

static bool on_seen(void *arg, const struct nft_seen *seen)
{
	struct dump *d = arg;
	struct wall_elem *e = &d->run[d->n];

	if (seen->key_len != (d->kind.is6 ? 16 : 4))
		return true;
	*e = (struct wall_elem) {.jail = (uint16_t)d->jail,
		.timeout_ms = seen->left_ms,
		.packets = seen->packets,
		.bytes = seen->bytes};
	if (d->kind.is6)
		memcpy(e->prefix.addr.b, seen->key, 16);
	else
		e->prefix.addr = addr_from4(seen->key);
	e->prefix.len = 128;
	if (d->kind.len != NFT_HOST_LEN)
		e->prefix =
			prefix_of(&e->prefix.addr, (uint8_t)(d->kind.len + (d->kind.is6 ? 0 : 96)));
	return ++d->n < RUN || flush(d) == 0;
}

static void on_part(void *arg, const struct nlmsghdr *nlh)
{
	struct dump *d = arg;

	if (d->error == 0)
		nft_elem_read(nlh, on_seen, d);
}

static int dump_set(struct dump *d, struct nft_conn *c, const struct wall *w)
{
	char name[NFT_SET_NAME_MAX], buf[512];
	int r = 1;

	nft_set_name(name, w->rs->jails[d->jail].set, d->kind);
	for (unsigned tries = 0; r == 1 && tries < TRIES; tries++) {
		struct nlmsghdr *nlh = nft_msg_start(buf, NFT_MSG_GETSETELEM, NLM_F_DUMP, 0);

		mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, name);
		r = nft_conn_ask(c, nlh, on_part, d);
		if (flush(d) < 0)
			return d->error;
	}
	/* A set that is not there has no elements; one that never holds still was read thrice. */
	return r == -ENOENT || r == 1 ? 0 : r;
}

int nft_dump(struct wall *w, wall_dump_fn *fn, void *arg)
{
	struct dump d = {.fn = fn, .arg = arg};
	/* One of its own: the callback may ban meanwhile, or stop in the middle of an answer. */
	struct nft_conn c = {.fd = -1};
	int r = nft_conn_open(&c);

	for (d.jail = 0; r == 0 && d.jail < w->rs->n_jails; d.jail++)
		for (unsigned is6 = 0; r == 0 && is6 < 2; is6++) {
			d.kind = (struct nft_kind) {.is6 = is6, .len = NFT_HOST_LEN};
			if (nft_has_set(w, d.jail, d.kind))
				r = dump_set(&d, &c, w);
			for (d.kind.len = 0; r == 0 && d.kind.len < (is6 ? 128 : 32); d.kind.len++)
				if (nft_has_set(w, d.jail, d.kind))
					r = dump_set(&d, &c, w);
		}
	nft_conn_close(&c);
	return r;
}
