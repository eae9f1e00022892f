/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "config/expand.h"

/*
 * Opens the filter of spec "NAME[opt=val]" or "PATH" and makes *ret the scope in which its values
 * are looked up. journal: lines will come from the journal (the tag <logtype>). Returns 0, or
 * -EINVAL with the fault noted.
 */
int filter_file_open(struct reader *r, struct conf_text spec, bool journal, struct scope *ret,
	const char **ret_name);

/* Is there a filter of that name? */
bool filter_file_exists(struct reader *r, const char *name);

/* The names of all of them. */
const char **filter_file_names(struct reader *r, size_t *ret_n);

/*
 * Puts the definition together, what scope->outer sets going first. filter is NULL when the jail
 * alone says it all. Returns NULL with the fault noted.
 */
struct filter_def *filter_file_build(struct reader *r, const struct scope *filter,
	const struct section *outer, const char *name, struct where where);
