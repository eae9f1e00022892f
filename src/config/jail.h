/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "config/ini.h"

/*
 * Reads one section of the merged jail files. Returns 1 and fills *ret (all but id and set), 0 when
 * the jail is not enabled, or -EINVAL with the faults noted.
 */
int jail_read(struct reader *r, const struct doc *d, const struct section *s, struct jail *ret);
