/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/cli.h"
#include "match/date.h"
#include "match/filter.h"
#include "source/charset.h"

/* What is tried, and how. */
struct trial_conf {
	const struct filter_def *def;
	struct filter *filter; /* made of it */
	const struct date_patterns *dates;
	const struct charset *charset; /* of the log; NULL: UTF-8, or what its beginning says */
	bool undated;                  /* messages as the journal has them: no date is looked for */
	int64_t now_us; /* the present for dates that leave out the year, 0: the real one */
	bool verbose;   /* show what was found in each line, and how far a miss came */
};

/*
 * Runs a filter over the lines of fd (closed afterwards) and prints a verdict a line, then, for
 * people, the sums. Returns CLI_GOOD, CLI_NO when nothing matched, or CLI_USAGE when reading
 * failed.
 */
int trial_run(struct cli *c, const struct trial_conf *conf, int fd);

/*
 * "2005-08-14 12:00:00", with a fraction or a zone if so wished, or any other date that a log line
 * may begin with, seconds since 1970 among them; as microseconds since 1970. 0 or -EINVAL.
 */
int trial_read_time(int64_t *ret_us, const char *s);
