/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "wall/nft_msg.h"
#include "wall/nft_rules.h"
#include "wall/nft_state.h"
#include "wall/wall.h"

/* The nft back end's inside, shared by its files. */

/* Which prefix sets a jail has: a bit a length. */
struct nft_jail {
	uint32_t prefix4;
	uint64_t prefix6[2];
};

struct wall {
	const struct ruleset *rs;
	struct nft_jail *jails; /* as rs->jails */
	struct nft_conn conn;
	struct nft_batch batch;
	uint64_t table_handle;
	struct nft_rule *rules; /* ours, by ascending handle */
	size_t n_rules, rules_room;
	int watch_fd;
	uint32_t watch_portid;
	bool deaf;      /* could not take up listening again */
	bool torn_down; /* on purpose: nothing to repair */
	bool damaged;   /* a repair failed: try again */
	bool ask_first; /* what is banned now is mostly there already */
	bool repaired;  /* in passing: notice still has to say so */
	struct wall_stats stats;
};

/* An element in work. */
struct nft_item {
	const struct wall_elem *elem;
	struct nft_kind kind;
	uint64_t timeout_ms; /* as the kernel shall have it now */
	bool there;          /* in the kernel, so: */
	uint64_t left_ms;    /* 0: for ever */
	uint64_t packets, bytes;
};

/* One transaction, with the statistics. */
int nft_commit(struct wall *w, nft_reply_fn *fn, void *arg);

/* --- nft_setup.c --- */

/* Brings the kernel's table to the ruleset. On an error the old table and w->rs stand. */
int nft_setup(struct wall *w, const struct ruleset *rs);

/* The same for the ruleset that is in force, after somebody's change. */
int nft_setup_repair(struct wall *w);

/* The prefix sets that these need and their rules, where missing. 0 or -errno. */
int nft_setup_prefix_sets(struct wall *w, const struct nft_item *items, size_t n);

/* Has the jail such a prefix set? */
bool nft_has_set(const struct wall *w, unsigned jail, struct nft_kind kind);

/* Does the kernel still have what we made? 1, 0, or -errno. */
int nft_setup_stands(struct wall *w);

/* --- nft_elem.c --- */

int nft_elem_ban(struct wall *w, const struct wall_elem *elems, size_t n);
int nft_elem_unban(struct wall *w, const struct wall_elem *elems, size_t n);
int nft_elem_look(struct wall *w, struct wall_elem *elems, size_t n);

/* --- nft_dump.c --- */

/* What the kernel says of an element. */
struct nft_seen {
	const uint8_t *key;
	size_t key_len;
	uint64_t left_ms; /* 0: for ever */
	uint64_t packets, bytes;
};

/* Called for each element of a message; returning false ends it. */
typedef bool nft_seen_fn(void *arg, const struct nft_seen *seen);

/* Reads the elements of an NFT_MSG_NEWSETELEM; what is malformed is left out. */
void nft_elem_read(const struct nlmsghdr *nlh, nft_seen_fn *fn, void *arg);

int nft_dump(struct wall *w, wall_dump_fn *fn, void *arg);

/* --- nft_watch.c --- */

/* A socket that becomes readable when another than portid changes the rules. fd or -errno. */
int nft_watch_open(uint32_t *ret_portid, uint32_t portid);

/* Reads it empty. 1 if there was something, 0, or -errno. */
int nft_watch_read(struct wall *w);

/* Makes it readable. */
void nft_watch_wake(struct wall *w);

/* The number of changes to the rules so far. 0 or -errno. */
int nft_watch_generation(struct wall *w, uint32_t *ret);

/* Ears shut between these two. */
struct nft_watch_pause {
	bool shut;
	uint32_t generation;
	uint64_t transactions;
};
void nft_watch_shut(struct wall *w, struct nft_watch_pause *ret);
void nft_watch_reopen(struct wall *w, const struct nft_watch_pause *pause);
