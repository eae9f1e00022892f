/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "replay/lane.h"

/*
 * Which of several logs goes on, by time; each log's lines stay in their order, and lines of one
 * moment go in the order of the logs.
 */
struct merge {
	struct lane **lanes; /* those that are not at their end, in their order */
	size_t n;
	size_t now;       /* whose turn it is */
	int64_t until_us; /* it stays with that one while its place is before this */
};

/* The lane that goes on, NULL: none is left. To be asked after each of its findings. */
struct lane *merge_next(struct merge *m);

/* The lane asked for last is at its end. */
void merge_drop(struct merge *m);
