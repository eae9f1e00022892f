/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>

/*
 * Talking to nf_tables: a socket, questions, and transactions (linux/netfilter/nfnetlink.h,
 * nf_tables.h). The kernel works a request off within send(), so every answer is in the socket's
 * queue when send() returns: nothing here ever waits.
 *
 * What stands (chain, sets, rules) is written and read by libnftnl; elements, thousands at a time,
 * attribute by attribute, without an object each.
 */

#define NFT_TABLE "stockade"
#define NFT_CHAIN "early"

struct nft_conn {
	int fd;
	uint32_t portid;
	uint32_t seq;    /* of the last message sent */
	size_t send_max; /* bytes a transaction may have */
	char *answer;    /* what was received last */
};

/* A transaction while it is written. Running out of memory shows when it is committed. */
struct nft_batch {
	char *data;
	size_t len, room;
	struct nlmsghdr *open; /* the message being written, or NULL */
	uint32_t first_seq;
	uint32_t *seq;
	int error;
};

/* One set element. */
struct nft_elem {
	const void *key;
	uint16_t key_len;
	uint32_t flags;      /* NFT_SET_ELEM_ */
	uint64_t timeout_ms; /* 0: for ever */
	bool counted;        /* start with these counters */
	uint64_t packets, bytes;
};

/* Elements of one set, spread over as many messages as they need. */
struct nft_elems {
	struct nft_batch *batch;
	const char *set;
	uint32_t set_id; /* for a set without a name of its own, else 0 */
	uint16_t type;   /* NFT_MSG_NEWSETELEM or NFT_MSG_DELSETELEM */
	uint16_t flags;
	struct nlattr *list;
};

typedef void nft_reply_fn(void *arg, const struct nlmsghdr *nlh);

/* 0 or -errno; -EPROTONOSUPPORT when the kernel has no nfnetlink. */
int nft_conn_open(struct nft_conn *ret);

/* Takes a zeroed or closed one. */
void nft_conn_close(struct nft_conn *c);

/*
 * Receives one datagram and hands its messages to fn. Returns 1, 0 when there is none, or -errno;
 * -ENOBUFS when answers were lost.
 */
int nft_conn_recv(struct nft_conn *c, nft_reply_fn *fn, void *arg);

/* Sends what is at data. 0 or -errno. */
int nft_conn_send(struct nft_conn *c, const void *data, size_t len);

/*
 * Starts a message about our table at buf: header, family, table's name. The caller's buffer has
 * room for what it puts.
 */
struct nlmsghdr *nft_msg_start(void *buf, uint16_t type, uint16_t flags, uint32_t seq);

/*
 * Asks one question (NLM_F_DUMP or a single object) and hands every object of the answer to fn.
 * Returns 0, the kernel's -errno, or 1 when the rules changed while they were listed.
 */
int nft_conn_ask(struct nft_conn *c, struct nlmsghdr *nlh, nft_reply_fn *fn, void *arg);

/* 0 or -ENOMEM. */
int nft_batch_init(struct nft_batch *b);

/* Starts a transaction; its messages are numbered by the connection. */
void nft_batch_begin(struct nft_batch *b, struct nft_conn *c);

/* Ends the open message and starts the next one; never NULL. */
struct nlmsghdr *nft_batch_msg(struct nft_batch *b, uint16_t type, uint16_t flags);

/*
 * Sends it. Objects that were asked back with NLM_F_ECHO go to fn (or NULL). Returns 0 only if the
 * kernel confirmed the last message and refused none. Of several errors the one that nobody can
 * repair comes first, then -ENOENT, then -EEXIST. -EIO, -ENOBUFS: unknown whether it happened.
 */
int nft_batch_commit(struct nft_batch *b, struct nft_conn *c, nft_reply_fn *fn, void *arg);

/* Gives memory back after a large transaction. */
void nft_batch_trim(struct nft_batch *b);

void nft_batch_done(struct nft_batch *b);

/* Adds an element to the transaction, in a new message when needed. */
void nft_elems_add(struct nft_elems *e, const struct nft_elem *elem);

/* Closes the list; further elements open a new message. */
void nft_elems_end(struct nft_elems *e);

static inline void nft_put_be32(struct nlmsghdr *nlh, uint16_t type, uint32_t value)
{
	mnl_attr_put_u32(nlh, type, __builtin_bswap32(value));
}
