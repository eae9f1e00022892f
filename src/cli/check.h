/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "config/ruleset.h"

/*
 * What can be wrong with a configuration that could be read: its regexes, dates and journal
 * matches, logs that are not there, and what the daemon would refuse to start with. What is wrong
 * with jails that are not enabled are warnings. dir is where it came from.
 */
void check_ruleset(const struct ruleset *rs, const char *dir, struct faults *f);

/*
 * Tries whether the filters of enabled jails can be deceived or slowed down; each once, however
 * many jails have it.
 */
void check_attacks(const struct ruleset *rs, struct faults *f);
