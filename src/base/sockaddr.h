/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/addr.h"

#include <sys/socket.h>

/* The address in it. 0, or -EAFNOSUPPORT: it is neither IPv4 nor IPv6 (*ret is untouched). */
int sockaddr_get(const struct sockaddr *sa, struct addr *ret);

/* Of an address and port, IPv4's as AF_INET; returns how long it is. */
socklen_t sockaddr_set(struct sockaddr_storage *ret, const struct addr *a, uint16_t port);
