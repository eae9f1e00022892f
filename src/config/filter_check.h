/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "config/expand.h"

/* What in a filter is likely to be a slip of the pen, though it can be read. */

/* Sections that are almost called like one that is read. */
void filter_check_sections(struct reader *r, const struct doc *d);

/*
 * The key is missing in [Definition]: tells where it stands under a wrong name, or in a section of
 * a wrong name. False when it does not.
 */
bool filter_check_missing(struct reader *r, const struct doc *d, const char *key, const char *name);

/* Options in "NAME[opt=value]" that change nothing. */
void filter_check_options(
	struct reader *r, const struct scope *filter, const char *name, struct where where);

/*
 * Tags left in a finished regex of filter `name` which neither a line nor the configuration fills.
 * False when an option is to blame, which may be so for many.
 */
bool filter_check_tags(
	struct reader *r, const struct scope *filter, struct conf_text regex, const char *name);
