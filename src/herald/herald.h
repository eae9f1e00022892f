/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <sys/types.h>

/*
 * The process that talks to the network, so that the one that reads logs need not: it looks up
 * names for guard. It leaves when nothing has been asked for a while; what is asked then waits in
 * the socket until keeper has started another.
 */

struct herald_options {
	int fd;    /* SOCK_SEQPACKET, guard's at its other end */
	uid_t uid; /* who to become; 0: stay (not started as root) */
	gid_t gid;
	const char *root;        /* an empty directory */
	const char *resolv_conf; /* read before the root changes */
};

/* herald's whole life, in the child. Returns the exit status. */
int herald_run(const struct herald_options *o);
