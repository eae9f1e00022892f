/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "wall/nft_msg.h"
#include "wall/nft_rules.h"

/* What stands in the kernel under our table's name. */

struct nftnl_set;
struct nftnl_set_list;

struct nft_state {
	bool table;
	uint64_t table_handle;
	uint32_t table_flags;
	bool chain;
	bool chain_good;             /* hooked where we want it, policy accept */
	struct nftnl_set_list *sets; /* nameless ones left out */
	int error;
};

/* 0 or -errno. What is not there is no error. */
int nft_state_table(struct nft_state *st, struct nft_conn *c);
int nft_state_chain(struct nft_state *st, struct nft_conn *c);
int nft_state_sets(struct nft_state *st, struct nft_conn *c);

/* As if there were none. 0 or -ENOMEM. */
int nft_state_no_sets(struct nft_state *st);

void nft_state_done(struct nft_state *st);

/* Would we have made it the same way? */
bool nft_state_is_ban_set(const struct nftnl_set *set, bool is6);
bool nft_state_is_allow_set(const struct nftnl_set *set, bool is6);

/* A rule as the kernel tells it. `nft replace rule` keeps the handle, so the text counts too. */
struct nft_rule {
	uint64_t handle;
	uint64_t print; /* fingerprint of its expressions */
};

/* Reads NFT_MSG_NEWRULE; false if it is something else. */
bool nft_state_rule(struct nft_rule *ret, const struct nlmsghdr *nlh);

/* Reads NFT_MSG_NEWTABLE into a struct nft_state; nothing else. */
nft_reply_fn nft_state_on_table;
