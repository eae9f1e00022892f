/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>

#include "base/util.h"
#include "wall/nft.h"

/*
 * The kernel tells every change of the rules to a multicast group: many messages a transaction, and
 * at its end, in a datagram of its own, NFT_MSG_NEWGEN with the port of who did it. That one alone
 * is of interest, and only when it was not ourselves: the filter sees to it that a burst of our own
 * bans neither wakes us nor fills the queue.
 */

#define NEWGEN (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWGEN)

static int attach_filter(int fd, uint32_t portid)
{
	/* Loads are from network order, netlink's headers are in the host's. */
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_type)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(NEWGEN), 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_pid)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(portid), 1, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog prog = {.len = ARRAY_SIZE(code), .filter = code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) < 0 ? -errno : 0;
}

static int membership(int fd, int option)
{
	static const int group = NFNLGRP_NFTABLES;

	return setsockopt(fd, SOL_NETLINK, option, &group, sizeof(group)) < 0 ? -errno : 0;
}

int nft_watch_open(uint32_t *ret_portid, uint32_t portid)
{
	struct sockaddr_nl self = {.nl_family = AF_NETLINK};
	socklen_t size = sizeof(self);
	_cleanup_close_ int fd = -1;
	int r;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);
	if (fd < 0)
		return -errno;
	r = attach_filter(fd, portid);
	if (r < 0)
		return r;
	if (bind(fd, (struct sockaddr *)&self, sizeof(self)) < 0 ||
		getsockname(fd, (struct sockaddr *)&self, &size) < 0)
		return -errno;
	r = membership(fd, NETLINK_ADD_MEMBERSHIP);
	if (r < 0)
		return r;
	*ret_portid = self.nl_pid;
	return TAKE_FD(fd);
}

int nft_watch_read(struct wall *w)
{
	char byte;
	int changed = w->deaf;

	/* Before the look that follows, so that no change after it goes unheard. */
	if (w->deaf)
		w->deaf = membership(w->watch_fd, NETLINK_ADD_MEMBERSHIP) < 0;

	/* What it says does not matter: the filter has let pass only others' changes. */
	for (;;) {
		ssize_t n = recv(w->watch_fd, &byte, sizeof(byte), MSG_DONTWAIT);

		if (n >= 0 || errno == ENOBUFS)
			changed = 1;
		else if (errno == EAGAIN)
			return changed;
		else if (errno != EINTR)
			return -errno;
	}
}

void nft_watch_wake(struct wall *w)
{
	struct sockaddr_nl to = {.nl_family = AF_NETLINK, .nl_pid = w->watch_portid};
	/* It looks like somebody's change, which is what the filter lets pass. */
	struct nlmsghdr nlh = {.nlmsg_len = sizeof(nlh), .nlmsg_type = NEWGEN};

	sendto(w->watch_fd, &nlh, sizeof(nlh), MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to));
}

static void on_generation(void *arg, const struct nlmsghdr *nlh)
{
	uint32_t *generation = arg;
	const struct nlattr *attr;

	if (nlh->nlmsg_type != NEWGEN || mnl_nlmsg_get_payload_len(nlh) < sizeof(struct nfgenmsg))
		return;
	mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(attr) == NFTA_GEN_ID &&
			mnl_attr_get_payload_len(attr) == sizeof(uint32_t))
			*generation = ntohl(mnl_attr_get_u32(attr));
	}
}

int nft_watch_generation(struct wall *w, uint32_t *ret)
{
	char buf[256];

	return nft_conn_ask(&w->conn, nft_msg_start(buf, NFT_MSG_GETGEN, 0, 0), on_generation, ret);
}

/*
 * As long as anybody listens, the kernel writes a notification an element, filter or not, and that
 * takes as long as the adding. So ears are shut for a large transaction, and the number of changes
 * that the kernel counts tells afterwards whether all of them were ours.
 */
void nft_watch_shut(struct wall *w, struct nft_watch_pause *ret)
{
	*ret = (struct nft_watch_pause) {.transactions = w->stats.transactions};
	ret->shut = nft_watch_generation(w, &ret->generation) == 0 &&
		    membership(w->watch_fd, NETLINK_DROP_MEMBERSHIP) == 0;
}

void nft_watch_reopen(struct wall *w, const struct nft_watch_pause *pause)
{
	uint32_t ours = (uint32_t)(w->stats.transactions - pause->transactions), generation = 0;

	if (!pause->shut)
		return;
	w->deaf = membership(w->watch_fd, NETLINK_ADD_MEMBERSHIP) < 0;
	if (w->deaf || nft_watch_generation(w, &generation) < 0 ||
		generation - pause->generation != ours)
		nft_watch_wake(w);
}
