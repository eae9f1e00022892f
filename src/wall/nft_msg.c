/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "wall/nft_msg.h"

#include <endian.h>
#include <errno.h>
#include <libnftnl/common.h>
#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/util.h"

#define ANSWER_ROOM 32768 /* the kernel's largest part of a dump */
#define LIST_MAX 60000    /* an attribute's length is 16 bits wide */
#define MSG_ROOM 65536    /* what one message may grow to */
#define BATCH_KEEP (2 * MSG_ROOM)
#define SEND_ROOM (8 << 20)

static int set_buffers(struct nft_conn *c)
{
	static const int room = SEND_ROOM, on = 1;
	socklen_t size = sizeof(int);
	int sndbuf = 0;

	if (setsockopt(c->fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)) < 0)
		setsockopt(c->fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	if (setsockopt(c->fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) < 0)
		setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	/* An error's answer then has the request's header alone, not all of it. */
	if (setsockopt(c->fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on)) < 0)
		return -errno;
	if (getsockopt(c->fd, SOL_SOCKET, SO_SNDBUF, &sndbuf, &size) < 0)
		return -errno;
	if (sndbuf < 4096)
		return -ENOBUFS;
	/* The kernel counts double what was asked for; it takes datagrams up to all of it. */
	c->send_max = (size_t)sndbuf - 1024;
	return 0;
}

int nft_conn_open(struct nft_conn *ret)
{
	struct sockaddr_nl self = {.nl_family = AF_NETLINK};
	socklen_t size = sizeof(self);
	struct nft_conn c = {.fd = -1};
	int r;

	c.answer = malloc(ANSWER_ROOM);
	if (c.answer == NULL)
		return -ENOMEM;
	c.fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	if (c.fd < 0 || bind(c.fd, (struct sockaddr *)&self, sizeof(self)) < 0 ||
		getsockname(c.fd, (struct sockaddr *)&self, &size) < 0)
		r = -errno;
	else
		r = set_buffers(&c);
	c.portid = self.nl_pid;
	if (r < 0) {
		nft_conn_close(&c);
		return r;
	}
	*ret = c;
	return 0;
}

void nft_conn_close(struct nft_conn *c)
{
	if (c->answer == NULL)
		return;
	if (c->fd >= 0)
		close(c->fd);
	free(c->answer);
	*c = (struct nft_conn) {.fd = -1};
}

int nft_conn_recv(struct nft_conn *c, nft_reply_fn *fn, void *arg)
{
	struct sockaddr_nl from = {0};
	struct iovec iov = {.iov_base = c->answer, .iov_len = ANSWER_ROOM};
	struct msghdr msg = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1};
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)c->answer;
	ssize_t n;
	int left;

	do
		n = recvmsg(c->fd, &msg, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	if (msg.msg_namelen != sizeof(from) || from.nl_pid != 0)
		return 1; /* not from the kernel */
	if (msg.msg_flags & MSG_TRUNC)
		return -ENOBUFS;
	left = (int)n;
	for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left))
		fn(arg, nlh);
	return 1;
}

int nft_conn_send(struct nft_conn *c, const void *data, size_t len)
{
	static const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	ssize_t n;

	do
		n = sendto(c->fd, data, len, 0, (const struct sockaddr *)&kernel, sizeof(kernel));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

struct nlmsghdr *nft_msg_start(void *buf, uint16_t type, uint16_t flags, uint32_t seq)
{
	struct nlmsghdr *nlh = nftnl_nlmsg_build_hdr(buf, type, NFPROTO_INET, flags, seq);

	/* The table's name has the same number in every kind of message. */
	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, NFT_TABLE);
	return nlh;
}

/* The code of an NLMSG_ERROR or NLMSG_DONE: 0 or -errno. */
static int reply_error(const struct nlmsghdr *nlh)
{
	const int *error = mnl_nlmsg_get_payload(nlh);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*error))
		return nlh->nlmsg_type == NLMSG_DONE ? 0 : -EBADMSG;
	return *error > 0 ? -EBADMSG : *error;
}

struct question {
	uint32_t seq;
	nft_reply_fn *fn;
	void *arg;
	bool answered, changed;
	int error;
};

static void on_answer(void *arg, const struct nlmsghdr *nlh)
{
	struct question *q = arg;

	if (nlh->nlmsg_seq != q->seq || q->answered)
		return;
	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		q->changed = true;
	if (nlh->nlmsg_type == NLMSG_ERROR || nlh->nlmsg_type == NLMSG_DONE) {
		q->answered = true;
		q->error = reply_error(nlh);
	} else if (nlh->nlmsg_type >= NLMSG_MIN_TYPE) {
		q->fn(q->arg, nlh);
	}
}

int nft_conn_ask(struct nft_conn *c, struct nlmsghdr *nlh, nft_reply_fn *fn, void *arg)
{
	struct question q = {.fn = fn, .arg = arg};
	int r;

	q.seq = nlh->nlmsg_seq = ++c->seq;
	/* With ACK the answer to a question for one object has an end of its own too. */
	if ((nlh->nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP)
		nlh->nlmsg_flags |= NLM_F_ACK;
	r = nft_conn_send(c, nlh, nlh->nlmsg_len);
	while (r == 0 && !q.answered) {
		r = nft_conn_recv(c, on_answer, &q);
		if (r == 0)
			return -EIO;
		r = r > 0 ? 0 : r;
	}
	if (r == 0)
		r = q.error;
	if (r == -EINTR)
		return 1;
	return r < 0 ? r : q.changed;
}

/* Where the next message goes, with room for the largest. */
static void *next_place(struct nft_batch *b)
{
	char *data;

	if (b->room - b->len >= MSG_ROOM)
		return b->data + b->len;
	data = realloc(b->data, b->room * 2);
	if (data == NULL) {
		/* Go on writing over what is there; commit will tell. */
		b->error = -ENOMEM;
		b->len = 0;
		return b->data;
	}
	b->data = data;
	b->room *= 2;
	return b->data + b->len;
}

static void close_msg(struct nft_batch *b)
{
	if (b->open != NULL)
		b->len += MNL_ALIGN(b->open->nlmsg_len);
	b->open = NULL;
}

int nft_batch_init(struct nft_batch *b)
{
	*b = (struct nft_batch) {.data = malloc(BATCH_KEEP), .room = BATCH_KEEP};
	return b->data != NULL ? 0 : -ENOMEM;
}

void nft_batch_begin(struct nft_batch *b, struct nft_conn *c)
{
	b->open = NULL;
	b->len = 0;
	b->error = 0;
	b->seq = &c->seq;
	b->first_seq = c->seq + 1;
	b->open = nftnl_batch_begin(next_place(b), ++c->seq);
	close_msg(b);
}

struct nlmsghdr *nft_batch_msg(struct nft_batch *b, uint16_t type, uint16_t flags)
{
	close_msg(b);
	b->open = nft_msg_start(next_place(b), type, flags, ++*b->seq);
	return b->open;
}

struct outcome {
	uint32_t first, last;
	bool confirmed;
	int error;
	nft_reply_fn *fn;
	void *arg;
};

/* Which of two errors tells more: what a retry cannot mend, then a missing set, then the rest. */
static int worse(int a, int b)
{
	if (a == 0 || a == -EEXIST)
		return b;
	if (b == 0 || b == -EEXIST)
		return a;
	return a == -ENOENT ? b : a;
}

static void on_outcome(void *arg, const struct nlmsghdr *nlh)
{
	struct outcome *o = arg;
	int error;

	if (nlh->nlmsg_seq - o->first > o->last - o->first)
		return;
	if (nlh->nlmsg_type != NLMSG_ERROR) {
		if (o->fn != NULL && nlh->nlmsg_type >= NLMSG_MIN_TYPE)
			o->fn(o->arg, nlh);
		return;
	}
	error = reply_error(nlh);
	if (error < 0)
		o->error = worse(o->error, error);
	else if (nlh->nlmsg_seq == o->last)
		o->confirmed = true;
}

int nft_batch_commit(struct nft_batch *b, struct nft_conn *c, nft_reply_fn *fn, void *arg)
{
	struct outcome o = {.first = b->first_seq, .fn = fn, .arg = arg};
	int r;

	if (b->open == NULL)
		return b->error;
	/* Refusals are answered in order, so the last message's confirmation ends the answers. */
	b->open->nlmsg_flags |= NLM_F_ACK;
	o.last = b->open->nlmsg_seq;
	close_msg(b);
	b->open = nftnl_batch_end(next_place(b), ++c->seq);
	close_msg(b);
	if (b->error < 0)
		return b->error;
	r = nft_conn_send(c, b->data, b->len);
	if (r < 0)
		return r;
	while (!o.confirmed) {
		r = nft_conn_recv(c, on_outcome, &o);
		if (r == 0)
			break;
		if (r < 0)
			o.error = worse(o.error, r);
	}
	if (o.error < 0)
		return o.error;
	return o.confirmed ? 0 : -EIO;
}

void nft_batch_trim(struct nft_batch *b)
{
	char *data = b->room > BATCH_KEEP ? realloc(b->data, BATCH_KEEP) : NULL;

	if (data != NULL) {
		b->data = data;
		b->room = BATCH_KEEP;
		b->len = 0;
	}
}

void nft_batch_done(struct nft_batch *b)
{
	free(b->data);
	*b = (struct nft_batch) {0};
}

static void put_counters(struct nlmsghdr *nlh, const struct nft_elem *elem)
{
	struct nlattr *expr = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_EXPR), *data;

	mnl_attr_put_strz(nlh, NFTA_EXPR_NAME, "counter");
	data = mnl_attr_nest_start(nlh, NFTA_EXPR_DATA);
	mnl_attr_put_u64(nlh, NFTA_COUNTER_BYTES, htobe64(elem->bytes));
	mnl_attr_put_u64(nlh, NFTA_COUNTER_PACKETS, htobe64(elem->packets));
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, expr);
}

void nft_elems_add(struct nft_elems *e, const struct nft_elem *elem)
{
	struct nlmsghdr *nlh = e->batch->open;
	struct nlattr *item, *key;

	if (e->list != NULL && (char *)mnl_nlmsg_get_payload_tail(nlh) - (char *)e->list > LIST_MAX)
		nft_elems_end(e);
	if (e->list == NULL) {
		nlh = nft_batch_msg(e->batch, e->type, e->flags);
		mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, e->set);
		if (e->set_id != 0)
			nft_put_be32(nlh, NFTA_SET_ELEM_LIST_SET_ID, e->set_id);
		e->list = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_LIST_ELEMENTS);
	}
	item = mnl_attr_nest_start(nlh, NFTA_LIST_ELEM);
	if (elem->flags != 0)
		nft_put_be32(nlh, NFTA_SET_ELEM_FLAGS, elem->flags);
	key = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_KEY);
	mnl_attr_put(nlh, NFTA_DATA_VALUE, elem->key_len, elem->key);
	mnl_attr_nest_end(nlh, key);
	if (elem->timeout_ms != 0)
		mnl_attr_put_u64(nlh, NFTA_SET_ELEM_TIMEOUT, htobe64(elem->timeout_ms));
	if (elem->counted)
		put_counters(nlh, elem);
	mnl_attr_nest_end(nlh, item);
}

void nft_elems_end(struct nft_elems *e)
{
	if (e->list != NULL)
		mnl_attr_nest_end(e->batch->open, e->list);
	e->list = NULL;
}
