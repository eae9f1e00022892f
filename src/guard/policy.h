/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "config/ruleset.h"
#include "ipc/messages.h"

/*
 * May this be banned at all? Asked by guard before it decides and by keeper, which does not trust
 * guard, before it enforces. Returns 0, or why not.
 */
enum refusal policy_check(const struct ruleset *rs, const struct addr *own, size_t n_own,
	unsigned jail, const struct prefix *p);
