/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "config/ini.h"

/*
 * A rules file: "[TITLE] 12h", the title of those who match and for how long they are blocked, and
 * below it regexes, one a line, with {IP_NUMBER} where the address stands. The first regex of the
 * file that matches decides.
 */

/* Where an address stands in a rule's regex. */
#define RULES_ADDRESS "{IP_NUMBER}"

struct rules {
	struct lines regexes;           /* in the order of the file; in scratch */
	const struct rule_head **heads; /* what stands above each; in keep */
};

/* Reads the file of that path. 0, or -EINVAL with the faults noted, as many as there are. */
int rules_read(struct reader *r, const char *path, struct where where, struct rules *ret);

/* The same of its bytes; file: its name for faults. Whatever is no rule is noted and left out. */
void rules_parse(
	struct reader *r, const char *file, const char *data, size_t len, struct rules *ret);
