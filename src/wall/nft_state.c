/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "wall/nft_state.h"

#include <endian.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define ATTR_MAX 31
#define ASK_ROOM 512

/* The attributes of a message or nest by number; a size too small for its kind makes it absent. */
struct attrs {
	const struct nlattr *at[ATTR_MAX + 1];
};

static int on_attr(const struct nlattr *attr, void *arg)
{
	struct attrs *a = arg;

	if (mnl_attr_get_type(attr) <= ATTR_MAX)
		a->at[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

static void attrs_of_msg(struct attrs *a, const struct nlmsghdr *nlh)
{
	memset(a, 0, sizeof(*a));
	if (mnl_nlmsg_get_payload_len(nlh) >= sizeof(struct nfgenmsg))
		mnl_attr_parse(nlh, sizeof(struct nfgenmsg), on_attr, a);
}

static void attrs_of_nest(struct attrs *a, const struct nlattr *nest)
{
	memset(a, 0, sizeof(*a));
	if (nest != NULL)
		mnl_attr_parse_nested(nest, on_attr, a);
}

static uint32_t get_be32(const struct attrs *a, unsigned type)
{
	if (a->at[type] == NULL || mnl_attr_get_payload_len(a->at[type]) < sizeof(uint32_t))
		return 0;
	return be32toh(mnl_attr_get_u32(a->at[type]));
}

static uint64_t get_be64(const struct attrs *a, unsigned type)
{
	if (a->at[type] == NULL || mnl_attr_get_payload_len(a->at[type]) < sizeof(uint64_t))
		return 0;
	return be64toh(mnl_attr_get_u64(a->at[type]));
}

static const char *get_text(const struct attrs *a, unsigned type)
{
	const char *s;
	size_t len;

	if (a->at[type] == NULL)
		return "";
	s = mnl_attr_get_payload(a->at[type]);
	len = mnl_attr_get_payload_len(a->at[type]);
	return len > 0 && s[len - 1] == '\0' ? s : "";
}

static bool is(const struct nlmsghdr *nlh, uint16_t type)
{
	return nlh->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | type);
}

uint64_t nft_state_table_handle(const struct nlmsghdr *nlh)
{
	struct attrs a;

	attrs_of_msg(&a, nlh);
	return is(nlh, NFT_MSG_NEWTABLE) ? get_be64(&a, NFTA_TABLE_HANDLE) : 0;
}

bool nft_state_rule(struct nft_rule *ret, const struct nlmsghdr *nlh)
{
	const struct nlattr *exprs;
	struct attrs a;

	if (!is(nlh, NFT_MSG_NEWRULE))
		return false;
	attrs_of_msg(&a, nlh);
	exprs = a.at[NFTA_RULE_EXPRESSIONS];
	if (strcmp(get_text(&a, NFTA_RULE_CHAIN), NFT_CHAIN) != 0)
		return false;
	ret->handle = get_be64(&a, NFTA_RULE_HANDLE);
	ret->print = exprs == NULL ? 0
				   : hash_fingerprint(mnl_attr_get_payload(exprs),
					     mnl_attr_get_payload_len(exprs));
	return true;
}

static void on_table(void *arg, const struct nlmsghdr *nlh)
{
	struct nft_state *st = arg;
	struct attrs a;

	if (!is(nlh, NFT_MSG_NEWTABLE))
		return;
	attrs_of_msg(&a, nlh);
	st->table = true;
	st->table_handle = get_be64(&a, NFTA_TABLE_HANDLE);
	st->table_flags = get_be32(&a, NFTA_TABLE_FLAGS);
}

static void on_chain(void *arg, const struct nlmsghdr *nlh)
{
	struct nft_state *st = arg;
	struct attrs a, hook;

	if (!is(nlh, NFT_MSG_NEWCHAIN))
		return;
	attrs_of_msg(&a, nlh);
	attrs_of_nest(&hook, a.at[NFTA_CHAIN_HOOK]);
	st->chain = true;
	st->chain_good = a.at[NFTA_CHAIN_HOOK] != NULL && hook.at[NFTA_HOOK_HOOKNUM] != NULL &&
			 get_be32(&hook, NFTA_HOOK_HOOKNUM) == NF_INET_PRE_ROUTING &&
			 get_be32(&hook, NFTA_HOOK_PRIORITY) == (uint32_t)NFT_PRIORITY &&
			 get_be32(&a, NFTA_CHAIN_POLICY) == NF_ACCEPT &&
			 strcmp(get_text(&a, NFTA_CHAIN_TYPE), "filter") == 0;
}

static void on_set(void *arg, const struct nlmsghdr *nlh)
{
	struct nft_state *st = arg;
	struct nft_state_set *set;
	struct attrs a, desc, expr;
	const char *name;

	attrs_of_msg(&a, nlh);
	name = get_text(&a, NFTA_SET_NAME);
	if (!is(nlh, NFT_MSG_NEWSET) || *name == '\0' || strlen(name) >= NFT_SET_NAME_MAX ||
		get_be32(&a, NFTA_SET_FLAGS) & NFT_SET_ANONYMOUS)
		return;
	if (st->n_sets == st->sets_room) {
		size_t room = st->sets_room != 0 ? st->sets_room * 2 : 64;
		struct nft_state_set *sets = reallocarray(st->sets, room, sizeof(*sets));

		if (sets == NULL) {
			st->error = -ENOMEM;
			return;
		}
		st->sets = sets;
		st->sets_room = room;
	}
	set = &st->sets[st->n_sets++];
	*set = (struct nft_state_set) {.flags = get_be32(&a, NFTA_SET_FLAGS),
		.key_type = get_be32(&a, NFTA_SET_KEY_TYPE),
		.key_len = get_be32(&a, NFTA_SET_KEY_LEN)};
	strcpy(set->name, name);
	attrs_of_nest(&desc, a.at[NFTA_SET_DESC]);
	attrs_of_nest(&expr, a.at[NFTA_SET_EXPR]);
	set->counter = strcmp(get_text(&expr, NFTA_EXPR_NAME), "counter") == 0;
	set->special = get_be32(&desc, NFTA_SET_DESC_SIZE) != 0 ||
		       get_be64(&a, NFTA_SET_TIMEOUT) != 0 || a.at[NFTA_SET_EXPRESSIONS] != NULL;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(
		((const struct nft_state_set *)a)->name, ((const struct nft_state_set *)b)->name);
}

/* Asks; what is not there has no answer. */
static int ask(struct nft_state *st, struct nft_conn *c, struct nlmsghdr *nlh, nft_reply_fn *fn)
{
	int r = nft_conn_ask(c, nlh, fn, st);

	if (r == 0)
		r = st->error;
	return r == -ENOENT ? 0 : r;
}

int nft_state_table(struct nft_state *st, struct nft_conn *c)
{
	char buf[ASK_ROOM];

	st->table = false;
	return ask(st, c, nft_msg_start(buf, NFT_MSG_GETTABLE, 0, 0), on_table);
}

int nft_state_chain(struct nft_state *st, struct nft_conn *c)
{
	char buf[ASK_ROOM];
	struct nlmsghdr *nlh = nft_msg_start(buf, NFT_MSG_GETCHAIN, 0, 0);

	st->chain = st->chain_good = false;
	mnl_attr_put_strz(nlh, NFTA_CHAIN_NAME, NFT_CHAIN);
	return ask(st, c, nlh, on_chain);
}

int nft_state_sets(struct nft_state *st, struct nft_conn *c)
{
	char buf[ASK_ROOM];
	int r = 1;

	for (unsigned tries = 0; r == 1 && tries < 5; tries++) {
		st->n_sets = 0;
		r = ask(st, c, nft_msg_start(buf, NFT_MSG_GETSET, NLM_F_DUMP, 0), on_set);
	}
	if (st->n_sets > 0)
		qsort(st->sets, st->n_sets, sizeof(*st->sets), by_name);
	return r == 1 ? -EAGAIN : r;
}

void nft_state_done(struct nft_state *st)
{
	free(st->sets);
	*st = (struct nft_state) {0};
}

struct nft_state_set *nft_state_find(struct nft_state *st, const char *name)
{
	struct nft_state_set key;

	if (st->n_sets == 0 || strlen(name) >= sizeof(key.name))
		return NULL;
	strcpy(key.name, name);
	return bsearch(&key, st->sets, st->n_sets, sizeof(key), by_name);
}

bool nft_state_is_ban_set(const struct nft_state_set *set, bool is6)
{
	return set->flags == NFT_SET_TIMEOUT && set->key_len == (is6 ? 16 : 4) &&
	       set->key_type == (is6 ? NFT_TYPE_IPV6_ADDR : NFT_TYPE_IPV4_ADDR) && set->counter &&
	       !set->special;
}

bool nft_state_is_allow_set(const struct nft_state_set *set, bool is6)
{
	return set->flags == NFT_SET_INTERVAL && set->key_len == (is6 ? 16 : 4) &&
	       set->key_type == (is6 ? NFT_TYPE_IPV6_ADDR : NFT_TYPE_IPV4_ADDR) && !set->counter &&
	       !set->special;
}
