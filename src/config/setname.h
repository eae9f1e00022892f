/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "config/ruleset.h"

/*
 * Names for the jails' kernel sets: letters, digits and '_' of the jail's name, a letter first, at
 * most 72 characters, and none that could meet another's set, prefix set or limiter (NAME4,
 * NAME4_24, NAME4_rate) or the allow list's. Sets jails[].set.
 */
void setname_assign(struct arena *arena, struct jail *jails, size_t n);
