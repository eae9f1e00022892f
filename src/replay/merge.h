/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "replay/lane.h"

/*
 * Which of several logs has the next line, by time; each log's lines stay in their order, and
 * lines of one moment go in the order of the logs.
 */
struct merge {
	struct lane **lanes; /* those that have a line under way, in their order */
	size_t n;
	size_t now;       /* whose line it is */
	int64_t until_us; /* it stays with that one while its time is before this */
};

/* The lane whose line is next, NULL: none is left. To be asked after each line. */
struct lane *merge_next(struct merge *m);

/* The lane asked for last has no more lines. */
void merge_drop(struct merge *m);
