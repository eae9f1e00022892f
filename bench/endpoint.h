/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>

/*
 * Where syslog messages go: udp://ADDRESS:PORT, tcp://ADDRESS:PORT, unix:///PATH (datagrams),
 * unix-stream:///PATH. Addresses are numeric, IPv6 ones in brackets.
 */

/* False: url is none of these. */
bool endpoint_is(const char *url);

/* Is it a stream, in which messages must be told apart? */
bool endpoint_is_stream(const char *url);

/* A connected socket, or -errno (-EINVAL: url is none of these). */
int endpoint_connect(const char *url);

/* A bound socket; of a stream a listening one. */
int endpoint_bind(const char *url);
