/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "config/ruleset.h"
#include "wall/nft_msg.h"

/* The words of our table: sets, the chain, its rules, written into a transaction. */

/* The longest set name: a jail's, family, "_128", NUL. */
#define NFT_SET_NAME_MAX (SET_NAME_MAX + 8)

/* What nft calls a key's type; the kernel only keeps the number for it. */
#define NFT_TYPE_IPV4_ADDR 7
#define NFT_TYPE_IPV6_ADDR 8
#define NFT_TYPE_INET_SERVICE 13

/* Before conntrack (-200) and destination NAT (-100), after defragmentation (-400). */
#define NFT_PRIORITY (-310)

#define NFT_HOST_LEN UINT8_MAX /* in the place of a prefix length: the set of single hosts */

/* Which of our sets: family and prefix length in the family's own count. */
struct nft_kind {
	bool is6;
	uint8_t len;
};

/* "sshd4", "sshd6_64". */
const char *nft_set_name(char buf[static NFT_SET_NAME_MAX], const char *base, struct nft_kind kind);

/* A set for bans: timeouts, counters, no limit in size. */
void nft_rules_ban_set(struct nft_batch *b, const char *name, bool is6);

/* A set for address ranges, and what is in it: one family's share of the allow list. */
void nft_rules_allow_set(struct nft_batch *b, const char *name, bool is6);
void nft_rules_allow_elems(
	struct nft_batch *b, const char *name, const struct prefixset *allow, bool is6);

/* The chain; one that stands already is brought to policy accept. */
void nft_rules_chain(struct nft_batch *b);

/* What the set has is accepted, before all else. Asks for an echo, as does the next. */
void nft_rules_allow(struct nft_batch *b, const char *set, bool is6);

/*
 * What the set has, coming to the jail's ports, and to its addresses if it has any, is dropped: a
 * rule a protocol; none for a family of which it has no address. They go to the end
 * of the chain, or after the rule with the handle if that is not 0. *set_id is the last number used
 * for a nameless set in this transaction.
 */
void nft_rules_drop(struct nft_batch *b, const struct jail *j, struct nft_kind kind, uint64_t after,
	uint32_t *set_id);
