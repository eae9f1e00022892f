/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/sockaddr.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

int sockaddr_get(const struct sockaddr *sa, struct addr *ret)
{
	struct sockaddr_in in;

	switch (sa->sa_family) {
	case AF_INET:
		memcpy(&in, sa, sizeof(in));
		*ret = addr_from4((const uint8_t *)&in.sin_addr);
		return 0;
	case AF_INET6:
		memcpy(ret->b, (const char *)sa + offsetof(struct sockaddr_in6, sin6_addr),
			sizeof(ret->b));
		return 0;
	default:
		return -EAFNOSUPPORT;
	}
}

socklen_t sockaddr_set(struct sockaddr_storage *ret, const struct addr *a, uint16_t port)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	socklen_t len = addr_is4(a) ? sizeof(in) : sizeof(in6);

	memcpy(&in.sin_addr, a->b + 12, sizeof(in.sin_addr));
	memcpy(&in6.sin6_addr, a->b, sizeof(in6.sin6_addr));
	memcpy(ret, addr_is4(a) ? (const void *)&in : (const void *)&in6, len);
	return len;
}
