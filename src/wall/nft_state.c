/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "wall/nft_state.h"

#include <endian.h>
#include <errno.h>
#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "base/hash.h"

#define ASK_ROOM 512
#define TRIES 5

static bool is(const struct nlmsghdr *nlh, uint16_t type)
{
	return nlh->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | type);
}

void nft_state_on_table(void *arg, const struct nlmsghdr *nlh)
{
	struct nft_state *st = arg;
	struct nftnl_table *table;

	if (!is(nlh, NFT_MSG_NEWTABLE))
		return;
	table = nftnl_table_alloc();
	if (table == NULL) {
		st->error = -ENOMEM;
		return;
	}
	st->table = nftnl_table_nlmsg_parse(nlh, table) == 0;
	st->table_handle = nftnl_table_get_u64(table, NFTNL_TABLE_HANDLE);
	st->table_flags = nftnl_table_get_u32(table, NFTNL_TABLE_FLAGS);
	nftnl_table_free(table);
}

bool nft_state_rule(struct nft_rule *ret, const struct nlmsghdr *nlh)
{
	const struct nlattr *attr;

	if (!is(nlh, NFT_MSG_NEWRULE))
		return false;
	*ret = (struct nft_rule) {0};
	/* Not by libnftnl: that would drop what it does not know of somebody's expressions. */
	mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg))
	{
		const void *data = mnl_attr_get_payload(attr);
		size_t len = mnl_attr_get_payload_len(attr);

		if (mnl_attr_get_type(attr) == NFTA_RULE_HANDLE && len == sizeof(ret->handle))
			ret->handle = be64toh(mnl_attr_get_u64(attr));
		else if (mnl_attr_get_type(attr) == NFTA_RULE_EXPRESSIONS)
			ret->print = hash_fingerprint(data, len);
	}
	return true;
}

static void on_chain(void *arg, const struct nlmsghdr *nlh)
{
	struct nft_state *st = arg;
	struct nftnl_chain *chain = nftnl_chain_alloc();
	const char *type;

	if (chain == NULL) {
		st->error = -ENOMEM;
		return;
	}
	st->chain = true;
	if (nftnl_chain_nlmsg_parse(nlh, chain) == 0) {
		type = nftnl_chain_get_str(chain, NFTNL_CHAIN_TYPE);
		/* One that is not hooked has no type. */
		st->chain_good =
			type != NULL && strcmp(type, "filter") == 0 &&
			nftnl_chain_get_u32(chain, NFTNL_CHAIN_HOOKNUM) == NF_INET_PRE_ROUTING &&
			nftnl_chain_get_s32(chain, NFTNL_CHAIN_PRIO) == NFT_PRIORITY &&
			nftnl_chain_get_u32(chain, NFTNL_CHAIN_POLICY) == NF_ACCEPT;
	}
	nftnl_chain_free(chain);
}

static void on_set(void *arg, const struct nlmsghdr *nlh)
{
	struct nft_state *st = arg;
	struct nftnl_set *set = nftnl_set_alloc();
	const char *name;

	if (set == NULL) {
		st->error = -ENOMEM;
		return;
	}
	errno = 0;
	if (nftnl_set_nlmsg_parse(nlh, set) < 0) {
		if (errno == ENOMEM)
			st->error = -ENOMEM;
		/* Else an expression that libnftnl does not know: not as we make them. */
		nftnl_set_unset(set, NFTNL_SET_KEY_LEN);
	}
	name = nftnl_set_get_str(set, NFTNL_SET_NAME);
	if (name != NULL && strlen(name) < NFT_SET_NAME_MAX &&
		!(nftnl_set_get_u32(set, NFTNL_SET_FLAGS) & NFT_SET_ANONYMOUS))
		nftnl_set_list_add_tail(set, st->sets);
	else
		nftnl_set_free(set);
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
	return ask(st, c, nft_msg_start(buf, NFT_MSG_GETTABLE, 0, 0), nft_state_on_table);
}

int nft_state_chain(struct nft_state *st, struct nft_conn *c)
{
	char buf[ASK_ROOM];
	struct nlmsghdr *nlh = nft_msg_start(buf, NFT_MSG_GETCHAIN, 0, 0);

	st->chain = st->chain_good = false;
	mnl_attr_put_strz(nlh, NFTA_CHAIN_NAME, NFT_CHAIN);
	return ask(st, c, nlh, on_chain);
}

int nft_state_no_sets(struct nft_state *st)
{
	if (st->sets != NULL)
		nftnl_set_list_free(st->sets);
	st->sets = nftnl_set_list_alloc();
	return st->sets != NULL ? 0 : -ENOMEM;
}

int nft_state_sets(struct nft_state *st, struct nft_conn *c)
{
	char buf[ASK_ROOM];
	int r = 1;

	for (unsigned tries = 0; r == 1 && tries < TRIES; tries++) {
		r = nft_state_no_sets(st);
		if (r == 0)
			r = ask(st, c, nft_msg_start(buf, NFT_MSG_GETSET, NLM_F_DUMP, 0), on_set);
	}
	return r == 1 ? -EAGAIN : r;
}

void nft_state_done(struct nft_state *st)
{
	if (st->sets != NULL)
		nftnl_set_list_free(st->sets);
	*st = (struct nft_state) {0};
}

static bool is_plain_set(const struct nftnl_set *set, bool is6, uint32_t flags)
{
	return nftnl_set_get_u32(set, NFTNL_SET_FLAGS) == flags &&
	       nftnl_set_get_u32(set, NFTNL_SET_KEY_LEN) == (is6 ? 16 : 4) &&
	       nftnl_set_get_u32(set, NFTNL_SET_KEY_TYPE) ==
		       (is6 ? NFT_TYPE_IPV6_ADDR : NFT_TYPE_IPV4_ADDR) &&
	       nftnl_set_get_u32(set, NFTNL_SET_DESC_SIZE) == 0 &&
	       nftnl_set_get_u64(set, NFTNL_SET_TIMEOUT) == 0 &&
	       !nftnl_set_is_set(set, NFTNL_SET_EXPRESSIONS);
}

bool nft_state_is_ban_set(const struct nftnl_set *set, bool is6)
{
	const struct nftnl_expr *e = nftnl_set_get(set, NFTNL_SET_EXPR);

	return is_plain_set(set, is6, NFT_SET_TIMEOUT) && e != NULL &&
	       strcmp(nftnl_expr_get_str(e, NFTNL_EXPR_NAME), "counter") == 0;
}

bool nft_state_is_allow_set(const struct nftnl_set *set, bool is6)
{
	return is_plain_set(set, is6, NFT_SET_INTERVAL) && !nftnl_set_is_set(set, NFTNL_SET_EXPR);
}
