/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "config/ruleset.h"

#include <stdint.h>
#include <sys/types.h>

/*
 * The process that ends TLS (RFC 5425), so that the one that reads logs need not: it takes the
 * connections of tls:// listeners, shakes hands, and hands guard one end of a pair of sockets for
 * each, into which it writes what the sender says. It knows nothing of what is said.
 */

#define PORTER_DIGEST 32

/* Is this program built with TLS? */
bool porter_is_built(void);

/*
 * Certificate, key and authorities of [syslog], looked at as the process will; in a child, so that
 * no key stays in this process's memory. All that is wrong goes to f. ret_digest (or NULL) is of
 * everything that a porter depends on: while it is the same there is no need of another. 0 (also
 * when there is no tls:// listener), -EINVAL: there are errors in f; or another -errno.
 */
int porter_check(
	const struct syslog_settings *s, struct faults *f, uint8_t ret_digest[PORTER_DIGEST]);

struct porter_options {
	int guard_fd; /* SOCK_SEQPACKET, guard's at its other end */
	int life_fd;  /* when its other end is closed it is time to leave */
	const struct syslog_settings *settings;
	const int *listen_fds; /* in the order of settings->listen; -1: not open */
	uid_t uid;             /* who to become; 0: stay (not started as root) */
	gid_t gid;
	const char *root; /* an empty directory */
};

/* porter's whole life, in the child. Returns the exit status. */
int porter_run(const struct porter_options *o);
