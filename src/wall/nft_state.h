/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "wall/nft_msg.h"
#include "wall/nft_rules.h"

/* What stands in the kernel under our table's name. */

struct nft_state_set {
	char name[NFT_SET_NAME_MAX];
	uint32_t flags, key_type, key_len;
	bool counter;
	bool special; /* limited, a map, with a timeout of its own, ...: not as we make them */
	bool wanted;  /* for the caller */
};

struct nft_state {
	bool table;
	uint64_t table_handle;
	uint32_t table_flags;
	bool chain;
	bool chain_good;            /* hooked where we want it, policy accept */
	struct nft_state_set *sets; /* sorted by name, nameless ones left out */
	size_t n_sets, sets_room;
	int error;
};

/* 0 or -errno. What is not there is no error. */
int nft_state_table(struct nft_state *st, struct nft_conn *c);
int nft_state_chain(struct nft_state *st, struct nft_conn *c);
int nft_state_sets(struct nft_state *st, struct nft_conn *c);

void nft_state_done(struct nft_state *st);

/* The set of that name, or NULL. */
struct nft_state_set *nft_state_find(struct nft_state *st, const char *name);

/* Would we have made it the same way? */
bool nft_state_is_ban_set(const struct nft_state_set *set, bool is6);
bool nft_state_is_allow_set(const struct nft_state_set *set, bool is6);

/* A rule as the kernel tells it. `nft replace rule` keeps the handle, so the text counts too. */
struct nft_rule {
	uint64_t handle;
	uint64_t print; /* fingerprint of its expressions */
};

/* Reads NFT_MSG_NEWRULE; false if it is something else or not in our chain. */
bool nft_state_rule(struct nft_rule *ret, const struct nlmsghdr *nlh);

/* A table's handle out of NFT_MSG_NEWTABLE, or 0. */
uint64_t nft_state_table_handle(const struct nlmsghdr *nlh);
