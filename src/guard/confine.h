/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>

/*
 * For a child whose library opens files itself: from here on it reads beneath these directories
 * only, as far as they are there (and what the C library needs of the system), whatever it may by
 * its capabilities; it writes, makes and executes nothing, makes no socket, and opens no file by
 * its number (landlock(7), seccomp(2)). To be called after sandbox_drop. 0, -ENOENT when none of
 * them is there, -EOPNOTSUPP when the kernel cannot do that, or another -errno; nothing is gained
 * then.
 */
int confine_reading(const char *const *dirs, size_t n);

/*
 * For a program that only sends what it reads: from here on it has no capability and gains none,
 * executes nothing, and no file is written or made, where the kernel has Landlock. 0 or -errno.
 */
int confine_sending(void);
