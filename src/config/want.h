/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "config/ini.h"

/* A jail's conditions on syslog messages, and whom its bans are for. */

extern const char *const want_keys[];
extern const size_t want_keys_n;

/*
 * Reads them from the jail's finished values. j->sources and j->name are known already. What is
 * wrong goes to the reader's faults.
 */
void want_read(struct reader *r, const struct section *values, struct jail *j);

/* Tells of those that the section itself has for nothing, as the jail reads no syslog. */
void want_check_use(
	struct reader *r, const struct doc *d, const struct section *s, const struct jail *j);

/*
 * The jails that one with scope = host stands for, "JAIL@HOST", in keep; an array of *ret_n, which
 * may be 0 if something was wrong. Each has an ignoreip of its own; j's goes.
 */
struct jail *want_split(struct reader *r, struct jail *j, size_t *ret_n);
