/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/inject_target.h"
#include "config/ruleset.h"

#include <stdbool.h>
#include <stdio.h>

/* What Stockade's own configuration has to say for messages to come in. */

#define SETUP_URL_MAX 320

/* Where the configuration says that this machine's messages are taken; rs NULL: the default. */
const char *setup_listen_first(const struct ruleset *rs, char buf[static SETUP_URL_MAX]);

/* 0.0.0.0 or [::], at which one can listen, but to which nobody can send. */
bool setup_listen_is_any(const struct inject_target *to);

/*
 * Says on out what is missing: a listener there, a jail that reads what comes. rs NULL: the
 * configuration in dir could not be read.
 */
void setup_listen_advise(
	FILE *out, const struct ruleset *rs, const char *dir, const struct inject_target *to);
