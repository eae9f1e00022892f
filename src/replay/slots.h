/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "replay/crew.h"
#include "replay/feed.h"

/*
 * What is under way between the logs and the crew: all lanes share so many chunks, so that many
 * logs of one time take no more memory than one.
 */

struct lane;

struct slot {
	struct chunk chunk;
	struct job job;
	struct batch_dates *dates; /* as many as the plan has */
	bool is_given;             /* to the crew */
	struct lane *lane;         /* whose it is */
	uint64_t turn;             /* its chunk's, among the lane's */
	int result;                /* of feed_next */
	uint64_t taken, torn;      /* by then, as the feed has it */
	struct slot *next;
};

struct slots {
	size_t n_dates;
	size_t n_lent, n_idle, most;
	struct slot *idle;
};

/* For a plan with so many sets of date patterns. */
void slots_init(struct slots *s, size_t n_dates, size_t most);

/* All must have been put back. Takes {0}. */
void slots_done(struct slots *s);

/*
 * One to be filled, with what it held before. NULL: all are lent, unless it must be; or out of
 * memory.
 */
struct slot *slots_get(struct slots *s, bool must);

/* It may not be with the crew. */
void slots_put(struct slots *s, struct slot *slot);
