/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * A datagram socket on "udp://ADDRESS:PORT" ("udp://[::1]:5514" for IPv6), non-blocking, that
 * counts what the kernel drops. Returns the descriptor, or -errno (-EINVAL: no such form).
 */
int sockets_listen_udp(const char *url);

/*
 * The control socket at path, mode 0600, its directories made. Returns the descriptor; -EADDRINUSE
 * if a daemon answers there, -EEXIST if something else than a socket has that name; another -errno.
 */
int sockets_listen_control(const char *path);

/*
 * Accepts a connection from root or from who we run as; others are shown the door. Returns the
 * descriptor, -EAGAIN, -EPERM, or another -errno.
 */
int sockets_accept_control(int fd);

/* Makes the directories above path that are missing, as far as it may. */
void sockets_make_parents(const char *path);
