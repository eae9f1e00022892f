/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "match/batch.h"

/*
 * Threads that look at buffers of lines: everything about them that does not depend on the lines
 * before, in any order. Who gave the work does his share of it while he waits.
 */
struct crew;

/* A buffer to be looked at. All but the batch is borrowed until crew_wait has returned. */
struct job {
	/*
	 * Gets the buffer, if it is not there yet, from whoever will look at it: then it is in that
	 * processor's cache. NULL: it is there.
	 */
	void (*fetch)(struct job *job);
	const char *buf;
	size_t len;
	const struct batch_dates *dates;
	struct batch_span span;
	struct batch batch; /* the result; to be freed by batch_done */
	enum { JOB_NONE, JOB_WAITS, JOB_RUNS, JOB_DONE } state; /* the crew's to know */
	struct job *next;
};

/* The plan is borrowed. threads: the caller's among them; fewer if there are no more. 0 or -ENOMEM.
 */
int crew_new(struct crew **ret, const struct batch_plan *plan, unsigned threads);

/* No job may be under way. Takes NULL. */
void crew_free(struct crew *c);

/* Hands over a job; they are begun in that order. Only one thread may do so, and wait. */
void crew_give(struct crew *c, struct job *job);

/* Until it is done: then it is the caller's again. The caller may begin it out of turn. */
void crew_wait(struct crew *c, struct job *job);

/* Takes back a job that nobody needs any more. */
void crew_forget(struct crew *c, struct job *job);
