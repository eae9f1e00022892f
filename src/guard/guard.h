/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "guard/plan.h"
#include "ipc/messages.h"

#include <stdint.h>
#include <sys/types.h>

/* A line of a file, by its first byte; or the lines that are looked at together from there on. */
struct guard_line {
	uint64_t ino, offset;
	bool is_block;
};

static inline bool guard_line_eq(const struct guard_line *a, const struct guard_line *b)
{
	return a->ino == b->ino && a->offset == b->offset && a->is_block == b->is_block;
}

/* In memory that keeper sees, and the next guard. */
struct guard_mark {
	struct guard_line line; /* that is being judged: when guard dies, it is why */
	uint8_t judging;
	/* Of each listener: what the kernel has dropped there since it was opened, and was told. */
	uint32_t overflowed[LISTEN_MAX];
};

/* A connection that the guard before had. */
struct guard_stream {
	int fd;
	struct msg_stream *m; /* behind it stands what had come of a frame */
	size_t n_kept;
};

#define STREAMS_MAX 16384
/* Of frames that are not whole, what is longer than the part that each connection may have. */
#define STREAMS_LONG_MAX ((size_t)32 << 20)

/* How many connections there may be, as the limit on open files is; 0: they are not wanted. */
size_t guard_streams_max(const struct ruleset *rs);

struct guard_options {
	const struct plan *plan;
	const char *confdir; /* for status */
	const char *statedir;
	uid_t uid; /* who to become; 0: stay (not started as root) */
	gid_t gid;
	bool dry_run;
	int64_t started_us; /* monotonic: when the daemon started */
	int keeper_fd;      /* SOCK_SEQPACKET to keeper */
	int herald_fd;      /* the same to herald; -1: no jail has a use for names */
	int porter_fd;      /* what porter hands over; -1: there is no TLS */
	int inotify_fd;
	const int *listen_fds; /* in the order of the rule set's listeners; -1: not open */
	size_t n_listen;
	const struct guard_stream *streams; /* they are guard's */
	size_t n_streams;
	struct guard_mark *mark;
	const struct guard_line *poison; /* lines that guards before died of: left out */
	size_t n_poison;
};

/* guard's whole life, in the child. Returns the exit status. */
int guard_run(const struct guard_options *o);
