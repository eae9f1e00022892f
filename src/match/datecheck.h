/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "match/datetemplate.h"

/* What a date pattern most probably means otherwise than it says: each tells f what to write. */

/* An error: the "%" at that place begins no format. */
void datecheck_format(const char *pattern, size_t at, struct where where, struct faults *f);

/* A warning for each "{WORD}" that is none, or has no meaning where it stands. */
void datecheck_words(const char *pattern, struct where where, struct faults *f);

/* A warning when no part of a date is in it. */
void datecheck_fields(
	const struct date_template *t, const char *pattern, struct where where, struct faults *f);
