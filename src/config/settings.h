/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "config/reader.h"

/*
 * Reads stockade.conf, or fail2ban.conf when there is none, with their .d and .local; what is not
 * there gets its default. Faults are noted.
 */
void settings_read(struct reader *r, struct ruleset *ret);
