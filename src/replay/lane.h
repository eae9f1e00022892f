/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "replay/feed.h"
#include "source/dating.h"

/* The lines of one log, dated, one after the other. */

struct lane_conf {
	struct feed_conf feed;
	const struct date_patterns *const *patterns; /* by which lines are dated, each by all */
	size_t n_patterns;
	int64_t now_us; /* the present, by which dates without a year are read */
};

struct lane_sums {
	uint64_t lines, long_lines;
	uint64_t torn;    /* see feed_torn */
	uint64_t undated; /* taken to be of the line before */
	uint64_t ahead;   /* of the present */
};

struct lane {
	const char *path; /* "-": standard input */
	const struct lane_conf *conf;
	bool is_file, is_started;
	uint64_t size; /* of the file */
	struct feed *feed;
	struct chunk chunk;
	size_t at, n_lines; /* in the chunk */
	struct dating *dates;
	char *scratch; /* TAIL_LINE_MAX bytes for each */
	int64_t now_us, first_us;
	struct lane_sums sums;

	/* The line under way. */
	const char *line;
	size_t len;
	struct dated_line *dated; /* one for each of the patterns */
	/* Its place among the lines of all logs; never runs back. Before the first, about its. */
	int64_t at_us;
};

/*
 * Looks at a log's first lines; no line is under way yet. conf and path must outlive it. As
 * feed_open, or -errno of open(2).
 */
int lane_open(
	struct lane *l, const char *path, const struct lane_conf *conf, const char **ret_unfit);

/* Takes {0}, too. */
void lane_done(struct lane *l);

/* How many bytes of the file were read. */
uint64_t lane_taken(const struct lane *l);

/* Goes on to the next line. 1, 0 at the end, or as lane_open and feed_next. */
int lane_next(struct lane *l);
