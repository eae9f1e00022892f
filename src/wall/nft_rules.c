/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "wall/nft_rules.h"

#include <arpa/inet.h>
#include <endian.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"

#define NAMELESS "__set%d" /* the kernel puts a number in */

const char *nft_set_name(char buf[static NFT_SET_NAME_MAX], const char *base, struct nft_kind kind)
{
	size_t len = strnlen(base, SET_NAME_MAX);

	memcpy(buf, base, len);
	buf[len++] = kind.is6 ? '6' : '4';
	buf[len] = '\0';
	if (kind.len != NFT_HOST_LEN)
		snprintf(buf + len, NFT_SET_NAME_MAX - len, "_%u", kind.len);
	return buf;
}

/* One expression of a rule: {name, data {...}}. */
struct expr {
	struct nlattr *item, *data;
};

static struct expr expr_start(struct nlmsghdr *nlh, const char *name)
{
	struct expr e;

	e.item = mnl_attr_nest_start(nlh, NFTA_LIST_ELEM);
	mnl_attr_put_strz(nlh, NFTA_EXPR_NAME, name);
	e.data = mnl_attr_nest_start(nlh, NFTA_EXPR_DATA);
	return e;
}

static void expr_end(struct nlmsghdr *nlh, struct expr e)
{
	mnl_attr_nest_end(nlh, e.data);
	mnl_attr_nest_end(nlh, e.item);
}

static void put_value(struct nlmsghdr *nlh, uint16_t type, const void *value, size_t len)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, type);

	mnl_attr_put(nlh, NFTA_DATA_VALUE, len, value);
	mnl_attr_nest_end(nlh, nest);
}

static void expr_meta(struct nlmsghdr *nlh, uint32_t key)
{
	struct expr e = expr_start(nlh, "meta");

	nft_put_be32(nlh, NFTA_META_DREG, NFT_REG_1);
	nft_put_be32(nlh, NFTA_META_KEY, key);
	expr_end(nlh, e);
}

static void expr_equal(struct nlmsghdr *nlh, const void *value, size_t len)
{
	struct expr e = expr_start(nlh, "cmp");

	nft_put_be32(nlh, NFTA_CMP_SREG, NFT_REG_1);
	nft_put_be32(nlh, NFTA_CMP_OP, NFT_CMP_EQ);
	put_value(nlh, NFTA_CMP_DATA, value, len);
	expr_end(nlh, e);
}

static void expr_payload(struct nlmsghdr *nlh, uint32_t base, uint32_t offset, uint32_t len)
{
	struct expr e = expr_start(nlh, "payload");

	nft_put_be32(nlh, NFTA_PAYLOAD_DREG, NFT_REG_1);
	nft_put_be32(nlh, NFTA_PAYLOAD_BASE, base);
	nft_put_be32(nlh, NFTA_PAYLOAD_OFFSET, offset);
	nft_put_be32(nlh, NFTA_PAYLOAD_LEN, len);
	expr_end(nlh, e);
}

/* Keeps the first bits of an address. */
static void expr_mask(struct nlmsghdr *nlh, unsigned bits, uint32_t len)
{
	struct expr e = expr_start(nlh, "bitwise");
	uint8_t mask[16] = {0}, xor[16] = {
					0};

	for (unsigned i = 0; i < bits; i++)
		mask[i / 8] |= (uint8_t)(0x80U >> (i % 8));
	nft_put_be32(nlh, NFTA_BITWISE_SREG, NFT_REG_1);
	nft_put_be32(nlh, NFTA_BITWISE_DREG, NFT_REG_1);
	nft_put_be32(nlh, NFTA_BITWISE_LEN, len);
	put_value(nlh, NFTA_BITWISE_MASK, mask, len);
	put_value(nlh, NFTA_BITWISE_XOR, xor, len);
	expr_end(nlh, e);
}

static void expr_lookup(struct nlmsghdr *nlh, const char *set, uint32_t set_id)
{
	struct expr e = expr_start(nlh, "lookup");

	mnl_attr_put_strz(nlh, NFTA_LOOKUP_SET, set);
	if (set_id != 0)
		nft_put_be32(nlh, NFTA_LOOKUP_SET_ID, set_id);
	nft_put_be32(nlh, NFTA_LOOKUP_SREG, NFT_REG_1);
	expr_end(nlh, e);
}

static void expr_verdict(struct nlmsghdr *nlh, uint32_t code)
{
	struct expr e = expr_start(nlh, "immediate");
	struct nlattr *data, *verdict;

	nft_put_be32(nlh, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	data = mnl_attr_nest_start(nlh, NFTA_IMMEDIATE_DATA);
	verdict = mnl_attr_nest_start(nlh, NFTA_DATA_VERDICT);
	nft_put_be32(nlh, NFTA_VERDICT_CODE, code);
	mnl_attr_nest_end(nlh, verdict);
	mnl_attr_nest_end(nlh, data);
	expr_end(nlh, e);
}

/* The packet's source address, masked for a set of prefixes, is in the set. */
static void match_source(struct nlmsghdr *nlh, const char *set, struct nft_kind kind)
{
	uint8_t family = kind.is6 ? NFPROTO_IPV6 : NFPROTO_IPV4;
	uint32_t len = kind.is6 ? 16 : 4;

	expr_meta(nlh, NFT_META_NFPROTO);
	expr_equal(nlh, &family, sizeof(family));
	expr_payload(nlh, NFT_PAYLOAD_NETWORK_HEADER,
		kind.is6 ? offsetof(struct ip6_hdr, ip6_src) : offsetof(struct iphdr, saddr), len);
	if (kind.len != NFT_HOST_LEN)
		expr_mask(nlh, kind.len, len);
	expr_lookup(nlh, set, 0);
}

/* id: by which the same transaction's rule finds a nameless set; the kernel insists on some id. */
static struct nlmsghdr *set_start(
	struct nft_batch *b, const char *name, uint32_t id, uint32_t flags, uint32_t key_type)
{
	struct nlmsghdr *nlh = nft_batch_msg(b, NFT_MSG_NEWSET, NLM_F_CREATE | NLM_F_EXCL);
	uint32_t key_len = key_type == NFT_TYPE_INET_SERVICE ? 2
			   : key_type == NFT_TYPE_IPV4_ADDR  ? 4
							     : 16;

	mnl_attr_put_strz(nlh, NFTA_SET_NAME, name);
	nft_put_be32(nlh, NFTA_SET_FLAGS, flags);
	nft_put_be32(nlh, NFTA_SET_KEY_TYPE, key_type);
	nft_put_be32(nlh, NFTA_SET_KEY_LEN, key_len);
	nft_put_be32(nlh, NFTA_SET_ID, id);
	return nlh;
}

void nft_rules_ban_set(struct nft_batch *b, const char *name, bool is6)
{
	/* With timeouts and without a size the kernel's only choice is the hash that grows. */
	struct nlmsghdr *nlh = set_start(
		b, name, 0, NFT_SET_TIMEOUT, is6 ? NFT_TYPE_IPV6_ADDR : NFT_TYPE_IPV4_ADDR);
	struct nlattr *expr = mnl_attr_nest_start(nlh, NFTA_SET_EXPR);

	mnl_attr_put_strz(nlh, NFTA_EXPR_NAME, "counter");
	mnl_attr_nest_end(nlh, mnl_attr_nest_start(nlh, NFTA_EXPR_DATA));
	mnl_attr_nest_end(nlh, expr);
}

void nft_rules_allow_set(struct nft_batch *b, const char *name, bool is6)
{
	set_start(b, name, 0, NFT_SET_INTERVAL, is6 ? NFT_TYPE_IPV6_ADDR : NFT_TYPE_IPV4_ADDR);
}

/* Adds 1 to a number in network order; false if it was all ones. */
static bool increment(uint8_t *key, size_t len)
{
	for (size_t i = len; i-- > 0;)
		if (++key[i] != 0)
			return true;
	return false;
}

/* [first, last] as the kernel's intervals want it: the start, and where it is over. */
static void add_range(struct nft_elems *e, const uint8_t *first, const uint8_t *last, uint16_t len)
{
	uint8_t end[16];

	nft_elems_add(e, &(struct nft_elem) {.key = first, .key_len = len});
	memcpy(end, last, len);
	if (increment(end, len))
		nft_elems_add(
			e, &(struct nft_elem) {
				   .key = end, .key_len = len, .flags = NFT_SET_ELEM_INTERVAL_END});
}

static const struct prefix mapped_all = {.addr.b = {[10] = 0xff, [11] = 0xff}, .len = 96};

/*
 * An item's first and last address in the family, if it has a share in it: ::/0 has IPv4 inside,
 * as the allow list is asked in the 128-bit space too.
 */
static bool family_share(
	const struct prefix *p, bool is6, struct prefix *ret_share, struct addr *ret_last)
{
	*ret_share = *p;
	if (is6 && p->len >= 96 && prefix_overlaps(p, &mapped_all))
		return false;
	if (!is6 && !prefix_overlaps(p, &mapped_all))
		return false;
	if (!is6 && p->len < 96)
		*ret_share = mapped_all;
	*ret_last = ret_share->addr;
	for (unsigned i = ret_share->len; i < 128; i++)
		ret_last->b[i / 8] |= (uint8_t)(0x80U >> (i % 8));
	return true;
}

void nft_rules_allow_elems(
	struct nft_batch *b, const char *name, const struct prefixset *allow, bool is6)
{
	struct nft_elems e = {
		.batch = b, .set = name, .type = NFT_MSG_NEWSETELEM, .flags = NLM_F_CREATE};
	size_t skip = is6 ? 0 : 12, len = 16 - skip;
	struct addr first = {0}, last = {0}, next_last;
	struct prefix share;
	bool any = false;

	for (size_t i = 0; i < allow->n; i++) {
		struct addr after = last;

		if (!family_share(&allow->items[i], is6, &share, &next_last))
			continue;
		/* Neighbours become one range. */
		if (any && increment(after.b, 16) && addr_eq(&after, &share.addr)) {
			last = next_last;
			continue;
		}
		if (any)
			add_range(&e, first.b + skip, last.b + skip, (uint16_t)len);
		first = share.addr;
		last = next_last;
		any = true;
	}
	if (any)
		add_range(&e, first.b + skip, last.b + skip, (uint16_t)len);
	nft_elems_end(&e);
}

void nft_rules_chain(struct nft_batch *b)
{
	struct nlmsghdr *nlh = nft_batch_msg(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	struct nlattr *hook;

	mnl_attr_put_strz(nlh, NFTA_CHAIN_NAME, NFT_CHAIN);
	hook = mnl_attr_nest_start(nlh, NFTA_CHAIN_HOOK);
	nft_put_be32(nlh, NFTA_HOOK_HOOKNUM, NF_INET_PRE_ROUTING);
	nft_put_be32(nlh, NFTA_HOOK_PRIORITY, (uint32_t)NFT_PRIORITY);
	mnl_attr_nest_end(nlh, hook);
	nft_put_be32(nlh, NFTA_CHAIN_POLICY, NF_ACCEPT);
	mnl_attr_put_strz(nlh, NFTA_CHAIN_TYPE, "filter");
}

struct rule {
	struct nlmsghdr *nlh;
	struct nlattr *exprs;
};

static struct rule rule_start(struct nft_batch *b, uint64_t after)
{
	struct rule r;

	r.nlh = nft_batch_msg(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND | NLM_F_ECHO);
	mnl_attr_put_strz(r.nlh, NFTA_RULE_CHAIN, NFT_CHAIN);
	if (after != 0)
		mnl_attr_put_u64(r.nlh, NFTA_RULE_POSITION, htobe64(after));
	r.exprs = mnl_attr_nest_start(r.nlh, NFTA_RULE_EXPRESSIONS);
	return r;
}

static void rule_end(struct rule r, uint32_t verdict)
{
	expr_verdict(r.nlh, verdict);
	mnl_attr_nest_end(r.nlh, r.exprs);
}

void nft_rules_allow(struct nft_batch *b, const char *set, bool is6)
{
	struct rule r = rule_start(b, 0);

	match_source(r.nlh, set, (struct nft_kind) {.is6 = is6, .len = NFT_HOST_LEN});
	rule_end(r, NF_ACCEPT);
}

/* A jail's ports, sorted and without doubles. */
struct ports {
	uint64_t bits[65536 / 64];
	unsigned n;
	bool ranges; /* some were written as a range */
};

static void ports_read(struct ports *p, const struct jail *j)
{
	memset(p, 0, sizeof(*p));
	for (size_t i = 0; i < j->n_ports; i++) {
		unsigned hi = j->ports[i].hi;

		p->ranges |= j->ports[i].lo < hi;
		for (unsigned port = j->ports[i].lo; port <= hi; port++)
			p->bits[port / 64] |= 1ULL << (port % 64);
	}
	for (size_t i = 0; i < ARRAY_SIZE(p->bits); i++)
		p->n += (unsigned)__builtin_popcountll(p->bits[i]);
}

/* The first port from there on that is in (or is not), 65536 if none. */
static unsigned ports_next(const struct ports *p, unsigned from, bool in)
{
	while (from < 65536) {
		uint64_t word = (in ? p->bits[from / 64] : ~p->bits[from / 64]) >> (from % 64);

		if (word != 0)
			return from + (unsigned)__builtin_ctzll(word);
		from = (from / 64 + 1) * 64;
	}
	return from;
}

/* The ports as a nameless set for the rule to come. */
static void ports_set(struct nft_batch *b, const struct ports *p, uint32_t set_id)
{
	struct nft_elems e = {.batch = b,
		.set = NAMELESS,
		.set_id = set_id,
		.type = NFT_MSG_NEWSETELEM,
		.flags = NLM_F_CREATE};
	unsigned port = 0;

	set_start(b, NAMELESS, set_id,
		NFT_SET_ANONYMOUS | NFT_SET_CONSTANT | (p->ranges ? NFT_SET_INTERVAL : 0U),
		NFT_TYPE_INET_SERVICE);
	while ((port = ports_next(p, port, true)) < 65536) {
		uint16_t lo = htons((uint16_t)port), hi;

		if (p->ranges) {
			port = ports_next(p, port, false);
			hi = htons((uint16_t)(port - 1));
			add_range(&e, (uint8_t *)&lo, (uint8_t *)&hi, sizeof(lo));
		} else {
			port++;
			nft_elems_add(&e, &(struct nft_elem) {.key = &lo, .key_len = sizeof(lo)});
		}
	}
	nft_elems_end(&e);
}

static void drop_rule(struct nft_batch *b, const struct jail *j, struct nft_kind kind,
	uint8_t proto, uint64_t after, uint32_t *set_id)
{
	char set[NFT_SET_NAME_MAX];
	struct ports ports;
	struct rule r;

	ports_read(&ports, j);
	if (proto != 0 && ports.n > 1)
		ports_set(b, &ports, ++*set_id);
	r = rule_start(b, after);
	if (proto != 0) {
		expr_meta(r.nlh, NFT_META_L4PROTO);
		expr_equal(r.nlh, &proto, sizeof(proto));
	}
	if (proto != 0 && ports.n > 0) {
		uint16_t port = htons((uint16_t)ports_next(&ports, 0, true));

		/* TCP and UDP have the destination port at the same place. */
		expr_payload(r.nlh, NFT_PAYLOAD_TRANSPORT_HEADER, 2, sizeof(port));
		if (ports.n > 1)
			expr_lookup(r.nlh, NAMELESS, *set_id);
		else
			expr_equal(r.nlh, &port, sizeof(port));
	}
	match_source(r.nlh, nft_set_name(set, j->set, kind), kind);
	rule_end(r, NF_DROP);
}

void nft_rules_drop(struct nft_batch *b, const struct jail *j, struct nft_kind kind, uint64_t after,
	uint32_t *set_id)
{
	if ((j->protocols & PROTO_ALL) == PROTO_ALL) {
		drop_rule(b, j, kind, 0, after, set_id);
		return;
	}
	if (j->protocols & PROTO_TCP)
		drop_rule(b, j, kind, IPPROTO_TCP, after, set_id);
	if (j->protocols & PROTO_UDP)
		drop_rule(b, j, kind, IPPROTO_UDP, after, set_id);
}
