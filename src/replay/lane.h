/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "replay/findings.h"
#include "replay/slots.h"
#include "source/lines.h"

#include <pthread.h>

/* One log: its lines looked at by the crew, chunk by chunk, and taken in their order. */

struct lane_conf {
	struct feed_conf feed;
	const struct batch_plan *plan;
	const struct date_patterns *const *patterns; /* as many as the plan has */
	struct crew *crew;
	struct search *search;   /* fit for all filters of the plan */
	struct sieve_scan *scan; /* of its sieve, or NULL */
	struct slots *slots;     /* of all lanes */
	int64_t now_us;          /* the present, by which dates without a year are read */
};

struct lane_sums {
	uint64_t lines, long_lines;
	uint64_t torn;    /* see feed_torn */
	uint64_t undated; /* taken to be of the line before */
	uint64_t ahead;   /* of the present */
	uint64_t limit_hits, no_memory;
};

struct lane {
	const char *path; /* "-": standard input */
	const struct lane_conf *conf;
	bool is_file, is_started;
	uint64_t size;     /* of the file */
	const char *unfit; /* see feed_open */
	struct feed *feed;
	struct chunk beginning; /* of a pipe, which cannot be read again */
	struct lines lines;
	struct slot *first, *last; /* chunks under way, in order */
	uint64_t n_turns;          /* chunks so far */
	pthread_mutex_t lock;      /* for the feed, and whose turn it is to read it */
	pthread_cond_t read;
	uint64_t turn;
	bool is_over;   /* nothing more is to be read */
	uint64_t taken; /* bytes of the file */
	int end;        /* of the feed; 1: not yet */
	bool is_tried;  /* the first lines were taken: the finders know how dates look */
	int64_t now_us;
	int64_t *first_us; /* by each of the patterns, the first date; 0: none near the beginning */
	struct lane_sums sums;

	/* The latest time of its lines so far, by each of the patterns; those ahead do not count.
	 */
	int64_t *newest_us;
	/* What that was when something was found last. */
	int64_t place_us;
	struct findings waiting; /* for other logs, the first of them before place_us */

	/* While lines are taken: */
	bool is_off; /* the one under way is dated ahead */
	void (*on_found)(void *arg, struct lane *l, size_t filter, struct found *found,
		int64_t at_us, const char *line, size_t len);
	void *arg;
};

/*
 * Looks at a log's first lines. conf and path must outlive it. As feed_open, or -errno of open(2).
 */
int lane_open(
	struct lane *l, const char *path, const struct lane_conf *conf, const char **ret_unfit);

/* Takes {0}, too. */
void lane_done(struct lane *l);

/* How many bytes of the file were read. */
uint64_t lane_taken(const struct lane *l);

/* The place of what it has next among what other logs have; nothing of it is before that. */
int64_t lane_place(const struct lane *l);

/*
 * Takes the lines of one chunk and calls on_found for what is found in them, place_us being its
 * place; the found is on_found's to change. 1, 0 at the end, or as lane_open and feed_next: a file
 * may have become another since (unfit).
 */
int lane_read(struct lane *l);
