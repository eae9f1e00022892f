/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "wall/nft_rules.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
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

/* Running out of memory shows when the transaction is committed. */
static bool enough(struct nft_batch *b, bool memory)
{
	if (!memory)
		b->error = -ENOMEM;
	return memory;
}

/* A rule while it is put together. */
struct rule {
	struct nft_batch *batch;
	struct nftnl_rule *nftnl; /* or NULL */
};

/* An expression's attribute: a number, or that many bytes of data. */
struct attr {
	uint16_t type;
	uint32_t number;
	const void *data;
};

#define ADD(rule, name, ...) add_expr(rule, name, (const struct attr[]) {__VA_ARGS__, {0}})

static void add_expr(struct rule *r, const char *name, const struct attr *attrs)
{
	struct nftnl_expr *e = r->nftnl != NULL ? nftnl_expr_alloc(name) : NULL;

	if (!enough(r->batch, e != NULL))
		return;
	for (const struct attr *a = attrs; a->type != 0; a++)
		if (a->data == NULL)
			nftnl_expr_set_u32(e, a->type, a->number);
		else
			enough(r->batch, nftnl_expr_set(e, a->type, a->data, a->number) == 0);
	nftnl_rule_add_expr(r->nftnl, e);
}

static void add_meta(struct rule *r, uint32_t key)
{
	ADD(r, "meta", {NFTNL_EXPR_META_DREG, NFT_REG_1}, {NFTNL_EXPR_META_KEY, key});
}

static void add_equal(struct rule *r, const void *value, uint32_t len)
{
	ADD(r, "cmp", {NFTNL_EXPR_CMP_SREG, NFT_REG_1}, {NFTNL_EXPR_CMP_OP, NFT_CMP_EQ},
		{NFTNL_EXPR_CMP_DATA, len, value});
}

static void add_payload(struct rule *r, uint32_t base, uint32_t offset, uint32_t len)
{
	ADD(r, "payload", {NFTNL_EXPR_PAYLOAD_DREG, NFT_REG_1}, {NFTNL_EXPR_PAYLOAD_BASE, base},
		{NFTNL_EXPR_PAYLOAD_OFFSET, offset}, {NFTNL_EXPR_PAYLOAD_LEN, len});
}

/* Keeps the first bits of an address. */
static void add_mask(struct rule *r, unsigned bits, uint32_t len)
{
	static const uint8_t xor [16];
	uint8_t mask[16] = {0};

	for (unsigned i = 0; i < bits; i++)
		mask[i / 8] |= (uint8_t)(0x80U >> (i % 8));
	ADD(r, "bitwise", {NFTNL_EXPR_BITWISE_SREG, NFT_REG_1},
		{NFTNL_EXPR_BITWISE_DREG, NFT_REG_1}, {NFTNL_EXPR_BITWISE_LEN, len},
		{NFTNL_EXPR_BITWISE_MASK, len, mask}, {NFTNL_EXPR_BITWISE_XOR, len, xor});
}

static void add_lookup(struct rule *r, const char *set)
{
	ADD(r, "lookup", {NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1},
		{NFTNL_EXPR_LOOKUP_SET, (uint32_t)strlen(set) + 1, set});
}

/* In a nameless set of this transaction. */
static void add_nameless_lookup(struct rule *r, uint32_t set_id)
{
	ADD(r, "lookup", {NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1},
		{NFTNL_EXPR_LOOKUP_SET, sizeof(NAMELESS), NAMELESS},
		{NFTNL_EXPR_LOOKUP_SET_ID, set_id});
}

static void add_family(struct rule *r, bool is6)
{
	uint8_t family = is6 ? NFPROTO_IPV6 : NFPROTO_IPV4;

	add_meta(r, NFT_META_NFPROTO);
	add_equal(r, &family, sizeof(family));
}

/* The packet's source address, masked for a set of prefixes, is in the set. */
static void add_source(struct rule *r, const char *set, struct nft_kind kind)
{
	uint32_t len = kind.is6 ? 16 : 4;

	add_payload(r, NFT_PAYLOAD_NETWORK_HEADER,
		kind.is6 ? offsetof(struct ip6_hdr, ip6_src) : offsetof(struct iphdr, saddr), len);
	if (kind.len != NFT_HOST_LEN)
		add_mask(r, kind.len, len);
	add_lookup(r, set);
}

static struct rule rule_start(struct nft_batch *b, uint64_t after)
{
	struct rule r = {.batch = b, .nftnl = nftnl_rule_alloc()};

	if (!enough(b, r.nftnl != NULL))
		return r;
	enough(b, nftnl_rule_set_str(r.nftnl, NFTNL_RULE_CHAIN, NFT_CHAIN) == 0);
	if (after != 0)
		nftnl_rule_set_u64(r.nftnl, NFTNL_RULE_POSITION, after);
	return r;
}

static void rule_end(struct rule *r, uint32_t verdict)
{
	ADD(r, "immediate", {NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT},
		{NFTNL_EXPR_IMM_VERDICT, verdict});
	if (r->nftnl == NULL)
		return;
	nftnl_rule_nlmsg_build_payload(
		nft_batch_msg(r->batch, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND | NLM_F_ECHO),
		r->nftnl);
	nftnl_rule_free(r->nftnl);
}

/* id: by which the same transaction's rule finds a nameless set; the kernel insists on some id. */
static void put_set(
	struct nft_batch *b, const char *name, uint32_t id, uint32_t flags, uint32_t key_type)
{
	static const uint8_t key_len[] = {
		[NFT_TYPE_IPV4_ADDR] = 4, [NFT_TYPE_IPV6_ADDR] = 16, [NFT_TYPE_INET_SERVICE] = 2};
	struct nftnl_set *set = nftnl_set_alloc();
	struct nftnl_expr *counter;

	if (!enough(b, set != NULL))
		return;
	enough(b, nftnl_set_set_str(set, NFTNL_SET_NAME, name) == 0);
	nftnl_set_set_u32(set, NFTNL_SET_FLAGS, flags);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_TYPE, key_type);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_LEN, key_len[key_type]);
	nftnl_set_set_u32(set, NFTNL_SET_ID, id);
	/* What times out is a ban, and bans count. */
	if (flags & NFT_SET_TIMEOUT) {
		counter = nftnl_expr_alloc("counter");
		if (enough(b, counter != NULL))
			nftnl_set_add_expr(set, counter);
	}
	nftnl_set_nlmsg_build_payload(
		nft_batch_msg(b, NFT_MSG_NEWSET, NLM_F_CREATE | NLM_F_EXCL), set);
	nftnl_set_free(set);
}

void nft_rules_ban_set(struct nft_batch *b, const char *name, bool is6)
{
	/* With timeouts and without a size the kernel's only choice is the hash that grows. */
	put_set(b, name, 0, NFT_SET_TIMEOUT, is6 ? NFT_TYPE_IPV6_ADDR : NFT_TYPE_IPV4_ADDR);
}

void nft_rules_allow_set(struct nft_batch *b, const char *name, bool is6)
{
	put_set(b, name, 0, NFT_SET_INTERVAL, is6 ? NFT_TYPE_IPV6_ADDR : NFT_TYPE_IPV4_ADDR);
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
	struct nftnl_chain *chain = nftnl_chain_alloc();

	if (!enough(b, chain != NULL))
		return;
	enough(b, nftnl_chain_set_str(chain, NFTNL_CHAIN_NAME, NFT_CHAIN) == 0);
	enough(b, nftnl_chain_set_str(chain, NFTNL_CHAIN_TYPE, "filter") == 0);
	nftnl_chain_set_u32(chain, NFTNL_CHAIN_HOOKNUM, NF_INET_PRE_ROUTING);
	nftnl_chain_set_s32(chain, NFTNL_CHAIN_PRIO, NFT_PRIORITY);
	nftnl_chain_set_u32(chain, NFTNL_CHAIN_POLICY, NF_ACCEPT);
	nftnl_chain_nlmsg_build_payload(nft_batch_msg(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE), chain);
	nftnl_chain_free(chain);
}

void nft_rules_allow(struct nft_batch *b, const char *set, bool is6)
{
	struct rule r = rule_start(b, 0);

	add_family(&r, is6);
	add_source(&r, set, (struct nft_kind) {.is6 = is6, .len = NFT_HOST_LEN});
	rule_end(&r, NF_ACCEPT);
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

	put_set(b, NAMELESS, set_id,
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

/* How many of the jail's own destinations are of the family; *ret_first is one. */
static size_t count_to(const struct jail *j, bool is6, const struct addr **ret_first)
{
	size_t n = 0;

	for (size_t i = j->n_to; i-- > 0;) {
		if (addr_is4(&j->to[i]) == is6)
			continue;
		*ret_first = &j->to[i];
		n++;
	}
	return n;
}

/* The packet goes to one of the jail's. */
static void add_destination(struct rule *r, const struct jail *j, bool is6, uint32_t *set_id)
{
	struct nft_elems e = {.batch = r->batch,
		.set = NAMELESS,
		.type = NFT_MSG_NEWSETELEM,
		.flags = NLM_F_CREATE};
	const struct addr *first = NULL;
	size_t n = count_to(j, is6, &first), len = is6 ? 16 : 4;

	add_payload(r, NFT_PAYLOAD_NETWORK_HEADER,
		is6 ? offsetof(struct ip6_hdr, ip6_dst) : offsetof(struct iphdr, daddr),
		(uint32_t)len);
	if (n == 1) {
		add_equal(r, addr_wire(first, &len), (uint32_t)len);
		return;
	}
	e.set_id = ++*set_id;
	put_set(r->batch, NAMELESS, e.set_id, NFT_SET_ANONYMOUS | NFT_SET_CONSTANT,
		is6 ? NFT_TYPE_IPV6_ADDR : NFT_TYPE_IPV4_ADDR);
	for (size_t i = 0; i < j->n_to; i++)
		if (addr_is4(&j->to[i]) != is6)
			nft_elems_add(&e, &(struct nft_elem) {.key = addr_wire(&j->to[i], &len),
						  .key_len = (uint16_t)len});
	nft_elems_end(&e);
	add_nameless_lookup(r, e.set_id);
}

static void drop_rule(struct nft_batch *b, const struct jail *j, struct nft_kind kind,
	uint8_t proto, uint64_t after, uint32_t *set_id)
{
	struct rule r = rule_start(b, after);
	char set[NFT_SET_NAME_MAX];
	struct ports ports;

	ports_read(&ports, j);
	if (proto != 0) {
		add_meta(&r, NFT_META_L4PROTO);
		add_equal(&r, &proto, sizeof(proto));
	}
	if (proto != 0 && ports.n > 0) {
		uint16_t port = htons((uint16_t)ports_next(&ports, 0, true));

		/* TCP and UDP have the destination port at the same place. */
		add_payload(&r, NFT_PAYLOAD_TRANSPORT_HEADER, 2, sizeof(port));
		if (ports.n == 1)
			add_equal(&r, &port, sizeof(port));
	}
	if (proto != 0 && ports.n > 1) {
		ports_set(b, &ports, ++*set_id);
		add_nameless_lookup(&r, *set_id);
	}
	add_family(&r, kind.is6);
	if (j->n_to > 0)
		add_destination(&r, j, kind.is6, set_id);
	add_source(&r, nft_set_name(set, j->set, kind), kind);
	rule_end(&r, NF_DROP);
}

void nft_rules_drop(struct nft_batch *b, const struct jail *j, struct nft_kind kind, uint64_t after,
	uint32_t *set_id)
{
	const struct addr *first;

	/* Without the restriction it would close what is not the jail's. */
	if (j->n_to > 0 && count_to(j, kind.is6, &first) == 0)
		return;
	if ((j->protocols & PROTO_ALL) == PROTO_ALL) {
		drop_rule(b, j, kind, 0, after, set_id);
		return;
	}
	if (j->protocols & PROTO_TCP)
		drop_rule(b, j, kind, IPPROTO_TCP, after, set_id);
	if (j->protocols & PROTO_UDP)
		drop_rule(b, j, kind, IPPROTO_UDP, after, set_id);
}
