/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "source/charset.h"

/* The lines of a log at hand, told apart and decoded as the daemon does it. */

/* A line without its end, TAIL_RAW_MAX bytes of it at most. 0, or -errno to end with. */
typedef int logfile_fn(void *arg, const char *line, size_t len);

/*
 * Hands on the lines of fd (closed afterwards): of a file decoded by charset or by what its
 * beginning says, of a pipe as they come. A last line counts without its line end. Returns 0,
 * -errno, or -EMEDIUMTYPE with *ret_unfit when the file is no log ("gzip").
 */
int logfile_read(
	int fd, const struct charset *charset, logfile_fn *fn, void *arg, const char **ret_unfit);
