/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/inject_form.h"
#include "cli/inject_target.h"

#include <stdint.h>
#include <stdio.h>

/* Lines of standard input to syslog, a message each. */

struct inject_options {
	struct inject_target target;
	struct inject_form form; /* its framing is for streams */
	size_t buffer;           /* bytes of messages that are kept while nobody takes them */
	bool wait;               /* rather than to drop any */
	int64_t linger_us;       /* after the end of input */
};

/*
 * Sends until input ends, or SIGTERM, SIGINT or SIGHUP comes, and what was read until then; words
 * for people go to err. Returns an enum cli_status: CLI_NO when something was dropped.
 */
int inject_run(const struct inject_options *o, int input_fd, FILE *err);
