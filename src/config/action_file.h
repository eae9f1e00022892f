/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "config/ini.h"

/* Does the kernel's table do what this action is for, so that no file of it is read? */
bool action_file_is_wall(const char *name);

/*
 * Reads the action's file in action.d and puts its commands together, with the options that the
 * jail gives it and what else the jail says, to see whether that can be done. Faults are noted;
 * false when there is no such file.
 */
bool action_file_check(struct reader *r, const char *name, struct where where,
	const struct section *opts, const struct section *jail);
