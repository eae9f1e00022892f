/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "config/ruleset.h"

/*
 * A socket for syslog, non-blocking: one for datagrams counts what the kernel drops, one for
 * streams listens. A path may be written to by all, as /dev/log. Returns the descriptor, or -errno
 * (-EADDRINUSE: somebody else reads there; -EEXIST: the path is something else than a socket).
 */
int sockets_listen(const struct listener *l);

/* Closes it; a path goes, too, if it is still the socket's. Takes CAP_NET_ADMIN. */
void sockets_unlisten(int fd);

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
