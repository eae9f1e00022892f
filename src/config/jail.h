/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "config/ini.h"

/*
 * Reads one section of the merged jail files if it is a jail that is enabled, or one that is not.
 * Returns 1 and fills *ret (all but id and set), 0 when it is of the other kind, or -EINVAL with
 * the faults noted.
 */
int jail_read(struct reader *r, const struct doc *d, const struct section *s, bool enabled,
	struct jail *ret);
