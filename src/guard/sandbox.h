/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <sys/types.h>

/*
 * Gives up everything guard does not need, in this order: working directory and root become dir,
 * supplementary groups, gid, uid, capabilities, new privileges. uid 0 keeps the user (not started
 * as root) and the root directory. On an error *ret_step (static) says what failed. 0 or -errno.
 */
int sandbox_drop(const char *dir, uid_t uid, gid_t gid, const char **ret_step);

/*
 * From here on a system call that judging and saving do not need kills the process: no socket is
 * made, nothing executed, no memory made executable. 0 or -errno.
 */
int sandbox_seal(void);
