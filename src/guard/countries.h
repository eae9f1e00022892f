/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "config/ruleset.h"

/*
 * Which country an address is of, by a database in MaxMind's format (libmaxminddb). It is mapped
 * into memory when the configuration is read, so whoever asks it opens nothing.
 */
struct countries;

/*
 * Opens the database that the configuration names, or one in a usual place, if any jail asks for
 * countries; else *ret is NULL. 0, or -EINVAL with the reason in f.
 */
int countries_open(struct countries **ret, const struct ruleset *rs, struct faults *f);

/* Takes NULL, as the others do: then no address is of any country. */
void countries_close(struct countries *c);

/* Its country's code in capitals, such as "DK"; false: not known. */
bool countries_find(const struct countries *c, const struct addr *a, char ret_code[3]);

/* Is it of one that the jail ignores? */
bool countries_ignored(
	const struct countries *c, const struct jail *j, const struct addr *a, char ret_code[3]);
