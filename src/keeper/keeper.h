/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>

struct overlay;

struct keeper_options {
	const char *confdir;
	const struct overlay
		*overlay; /* what the command line says of the configuration; or NULL */
	const char *statedir;
	const char *socket;
	bool dry_run;        /* decide and log, leave the firewall alone */
	bool flush_on_stop;  /* take all bans away when stopping in order */
	const char *pidfile; /* written when ready, removed at the end; or NULL */
	/*
	 * Whoever waits for the start, or -1: is told what goes wrong, and a NUL when all is ready.
	 * It is closed then.
	 */
	int starter_fd;
};

/*
 * The daemon, in the foreground, until it is told to stop. Returns the exit status: 0, or 2 when it
 * could not start (a message has said why).
 */
int keeper_run(const struct keeper_options *o);
