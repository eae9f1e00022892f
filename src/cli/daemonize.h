/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdio.h>

/*
 * Goes on in the background: in a child with a session of its own, its root directory as the
 * working directory and nothing to read from or write to a terminal. Returns true in the child,
 * with *ret_starter for keeper (keeper_options.starter_fd), and false in the parent once the child
 * is up or has ended, with the status to exit with; what the child tells of its start is on err.
 */
bool daemonize(FILE *err, int *ret_starter, int *ret_status);
