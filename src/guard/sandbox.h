/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Who a child becomes. */
struct sandbox_identity {
	const char *root; /* its working and root directory; NULL: as they are */
	uid_t uid;        /* 0: not started as root, so it keeps user and root directory */
	gid_t gid;
	gid_t groups[2]; /* its supplementary groups */
	size_t n_groups;
	bool reads_all; /* keeps CAP_DAC_READ_SEARCH, if it has it: see confine.h */
};

/*
 * Gives up what a child does not need, in this order: root directory, supplementary groups, gid,
 * capability bounding set, uid, capabilities, new privileges; and limits what it could fill. On an
 * error *ret_step (static) says what failed. 0 or -errno.
 */
int sandbox_drop(const struct sandbox_identity *who, const char **ret_step);

/*
 * From here on a system call that judging and saving do not need kills the process: no socket is
 * made, nothing executed, no memory made executable, nothing sent but through these descriptors
 * (-1 is none). 0 or -errno.
 */
int sandbox_seal(const int *channels, size_t n);

/*
 * The same for herald: the sockets it has are all it will have, files there are none, and it speaks
 * to guard through channel_fd. 0 or -errno.
 */
int sandbox_seal_herald(int channel_fd);

/* The same for porter, who takes connections and makes pairs of sockets besides. 0 or -errno. */
int sandbox_seal_porter(int channel_fd);
