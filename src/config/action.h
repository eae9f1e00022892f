/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "config/ini.h"

/*
 * Reads a list of actions, the key of a finished section. Their files may refer to what the jail
 * sets. Faults are noted.
 */
void action_read_list(struct reader *r, const struct section *s, const char *key,
	const struct section *jail, struct action_def **ret, size_t *ret_n);

/* An action's option, or NULL. */
const struct conf_option *action_option(const struct action_def *a, const char *name);
