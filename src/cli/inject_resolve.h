/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <netdb.h>

/*
 * Looks up a host's addresses in a thread, since that may take long and lines go on being read
 * meanwhile. Returns a descriptor that is readable when it is done, or -errno.
 */
int inject_resolve_start(const char *host, const char *port, int socktype);

/*
 * What came of it; closes the descriptor. 0 and addresses for freeaddrinfo, or an error for
 * gai_strerror.
 */
int inject_resolve_take(int fd, struct addrinfo **ret);
