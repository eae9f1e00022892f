/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>
#include <sys/un.h>

/* Where messages go. */

enum inject_kind {
	INJECT_UDP,
	INJECT_TCP,
	INJECT_TLS,  /* for other programs to speak: the injector itself does not */
	INJECT_UNIX, /* datagrams or a stream, whichever the socket has */
	INJECT_UNIX_STREAM,
};

#define INJECT_PORT "514"
#define INJECT_TLS_PORT "6514" /* RFC 5425 4.1 */
#define INJECT_SOCKET "/dev/log"

struct inject_target {
	enum inject_kind kind;
	char host[256]; /* a name or an address, without brackets */
	char port[32];  /* a number or a service's name */
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	char shown[320]; /* as people write it */
};

/*
 * Reads "HOST:PORT" or "HOST" (UDP), "udp://HOST:PORT", "tcp://HOST:PORT", "tls://HOST:PORT",
 * "unix:///PATH", "unix-stream:///PATH" or "/PATH"; an IPv6 address stands in brackets where a port
 * follows. 0 or -EINVAL.
 */
int inject_target_parse(struct inject_target *ret, const char *s);
