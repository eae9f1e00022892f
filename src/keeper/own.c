/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "keeper/own.h"

#include "base/sockaddr.h"
#include "base/util.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>

struct own {
	int fd;
	struct addr *list;
	size_t n;
};

static int listen_to_changes(void)
{
	struct sockaddr_nl sa = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
	};
	_cleanup_close_ int fd =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		return -errno;
	return TAKE_FD(fd);
}

static int look(struct addr **ret, size_t *ret_n)
{
	struct ifaddrs *all;
	struct addr *list;
	size_t n = 0;

	if (getifaddrs(&all) < 0)
		return -errno;
	for (struct ifaddrs *i = all; i != NULL; i = i->ifa_next)
		n++;
	list = calloc(n + 1, sizeof(*list));
	n = 0;
	for (struct ifaddrs *i = all; list != NULL && i != NULL; i = i->ifa_next)
		if (i->ifa_addr != NULL && sockaddr_get(i->ifa_addr, &list[n]) == 0)
			n++;
	freeifaddrs(all);
	if (list == NULL)
		return -ENOMEM;
	*ret = list;
	*ret_n = n;
	return 0;
}

bool own_refresh(struct own *o)
{
	char scrap[8192];
	struct addr *list;
	size_t n;
	bool changed;

	while (o->fd >= 0 && recv(o->fd, scrap, sizeof(scrap), MSG_DONTWAIT) > 0)
		;
	if (look(&list, &n) < 0)
		return false;
	changed = n != o->n || memcmp(list, o->list, n * sizeof(*list)) != 0;
	free(o->list);
	o->list = list;
	o->n = n;
	return changed;
}

int own_new(struct own **ret)
{
	struct own *o = calloc(1, sizeof(*o));
	int r;

	if (o == NULL)
		return -ENOMEM;
	/* Without notice of changes the list of the start still serves. */
	o->fd = listen_to_changes();
	r = look(&o->list, &o->n);
	if (r < 0) {
		own_free(o);
		return r;
	}
	*ret = o;
	return 0;
}

void own_free(struct own *o)
{
	if (o == NULL)
		return;
	if (o->fd >= 0)
		close(o->fd);
	free(o->list);
	free(o);
}

int own_fd(const struct own *o)
{
	return o->fd;
}

const struct addr *own_list(const struct own *o, size_t *ret_n)
{
	*ret_n = o->n;
	return o->list;
}
