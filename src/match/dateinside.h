/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "match/date.h"

/* For tests. */

/* From now on the finder has no habits, and looks for the date of each line. */
void date_finder_plain(struct date_finder *f);

/* Have both, of the same patterns, learnt the same? */
bool date_finder_same(const struct date_finder *a, const struct date_finder *b);
