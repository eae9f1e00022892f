/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "config/ini.h"

/*
 * Reads a list of actions, the key of a finished section. Their files may refer to what the jail
 * sets. One that begins with the text of `base` (NULL: none) comes from where that stands. Faults
 * are noted.
 */
void action_read_list(struct reader *r, const struct section *s, const char *key,
	const struct section *jail, const struct conf_text *base, struct action_def **ret,
	size_t *ret_n);

/* An action's option, or NULL. */
const struct conf_option *action_option(const struct action_def *a, const char *name);
