/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "guard/plan.h"

#include <stdint.h>
#include <sys/types.h>

/*
 * The line that is being judged, in memory shared with keeper: when guard dies of it twice, keeper
 * has the next guard leave it out.
 */
struct guard_mark {
	uint64_t ino, offset; /* offset of the line's first byte */
	uint8_t judging;
	uint64_t poison_ino, poison_offset; /* written by keeper: leave this line out */
};

struct guard_options {
	const struct plan *plan;
	const char *confdir; /* for status */
	const char *statedir;
	uid_t uid; /* who to become; 0: stay (not started as root) */
	gid_t gid;
	bool dry_run;
	int64_t started_us; /* monotonic: when the daemon started */
	int keeper_fd;      /* SOCK_SEQPACKET to keeper */
	int inotify_fd;
	const int *listen_fds; /* datagram sockets, in the order of rs->listen */
	size_t n_listen;
	struct guard_mark *mark;
};

/* guard's whole life, in the child. Returns the exit status. */
int guard_run(const struct guard_options *o);
