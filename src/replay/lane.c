/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "replay/lane.h"

#include "source/tail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEVER_US (INT64_MAX / 4)

static int open_path(const char *path)
{
	int fd = strcmp(path, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
					: open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? -errno : fd;
}

/* The next line of the chunk as the daemon takes it: so much of it, without CR at its end. */
static bool cut_line(struct lane *l)
{
	const char *line = l->chunk.text + l->at, *newline;
	size_t len;

	if (l->at == l->chunk.len)
		return false;
	newline = memchr(line, '\n', l->chunk.len - l->at);
	len = (size_t)(newline - line);
	l->at += len + 1;
	l->n_lines++;
	if (len > TAIL_LINE_MAX) {
		len = TAIL_LINE_MAX;
		l->sums.long_lines++;
	}
	/* What is unwrapped has lost it already. */
	while (len > 0 && l->chunk.n_times == 0 && line[len - 1] == '\r')
		len--;
	l->line = line;
	l->len = len;
	return true;
}

/* The date of the first line in the chunk that has one, 0: none has. */
static int64_t first_date(struct lane *l, const struct date_patterns *patterns)
{
	struct date_finder *finder = date_finder_new(patterns);
	struct stamp stamp;
	int64_t us = 0;

	while (finder != NULL && us == 0 && cut_line(l))
		if (date_find(finder, l->line, l->len, l->conf->now_us, &stamp) == DATE_FOUND)
			us = stamp.time_us;
	date_finder_free(finder);
	l->at = l->n_lines = 0;
	l->sums = (struct lane_sums) {0};
	return us;
}

/*
 * What stands before the first date is of its time. A log that begins after the present is from a
 * machine with another clock: by that, none of it lies ahead.
 */
static int look_ahead(struct lane *l)
{
	int r = feed_next(l->feed, &l->chunk);

	for (size_t i = 0; r > 0 && i < l->conf->n_patterns && l->first_us == 0; i++)
		l->first_us = first_date(l, l->conf->patterns[i]);
	l->now_us = l->conf->now_us;
	if (l->first_us > l->now_us)
		l->now_us = NEVER_US;
	l->at_us = l->first_us;
	l->line = NULL;
	return r < 0 ? r : 0;
}

static int open_feed(struct lane *l, const char **ret_unfit)
{
	int r = open_path(l->path);

	return r < 0 ? r : feed_open(&l->feed, r, &l->conf->feed, ret_unfit);
}

/* All that takes much memory. */
static void put_away(struct lane *l)
{
	for (size_t i = 0; l->dates != NULL && i < l->conf->n_patterns; i++)
		dating_done(&l->dates[i]);
	free(l->dates);
	free(l->dated);
	free(l->scratch);
	l->dates = NULL;
	l->dated = NULL;
	l->scratch = NULL;
	chunk_done(&l->chunk);
	feed_close(l->feed);
	l->feed = NULL;
}

int lane_open(
	struct lane *l, const char *path, const struct lane_conf *conf, const char **ret_unfit)
{
	struct stat st;
	int r;

	*l = (struct lane) {.path = path, .conf = conf};
	l->is_file = strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode);
	l->size = l->is_file ? (uint64_t)st.st_size : 0;
	r = open_feed(l, ret_unfit);
	if (r == 0)
		r = look_ahead(l);
	/* Hundreds of archives are not unpacked at the same time, unless their times are. */
	if (r < 0 || l->is_file)
		put_away(l);
	return r;
}

static int start(struct lane *l)
{
	size_t n = l->conf->n_patterns;
	const char *unfit;
	int r = l->feed == NULL ? open_feed(l, &unfit) : 0;

	if (r < 0)
		return r;
	l->dates = calloc(n, sizeof(*l->dates));
	l->dated = calloc(n, sizeof(*l->dated));
	l->scratch = malloc(n * TAIL_LINE_MAX);
	if (l->dates == NULL || l->dated == NULL || l->scratch == NULL)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < n; i++)
		r = dating_init(&l->dates[i], l->conf->patterns[i]);
	l->is_started = true;
	return r;
}

void lane_done(struct lane *l)
{
	put_away(l);
	*l = (struct lane) {0};
}

uint64_t lane_taken(const struct lane *l)
{
	return l->feed != NULL ? feed_taken(l->feed) : 0;
}

static void date_line(struct lane *l)
{
	struct dating_clock clock = {.now_us = l->now_us};
	bool is_dated = false, is_ahead = false;

	if (l->chunk.n_times > 0)
		clock.carried_us = l->chunk.times[l->n_lines - 1];
	for (size_t i = 0; i < l->conf->n_patterns; i++) {
		struct dated_line *d = &l->dated[i];
		bool first = l->dates[i].last_time_us == 0;

		dating_line(
			&l->dates[i], &clock, l->line, l->len, l->scratch + i * TAIL_LINE_MAX, d);
		if (!d->is_dated && first && l->first_us != 0)
			d->at_us = l->first_us;
		is_dated |= d->is_dated;
		is_ahead |= d->off_us != 0;
		if (d->is_dated && d->off_us == 0 && d->at_us > l->at_us)
			l->at_us = d->at_us;
	}
	l->sums.undated += !is_dated;
	l->sums.ahead += is_ahead;
}

int lane_next(struct lane *l)
{
	if (!l->is_started) {
		int r = start(l);

		if (r < 0)
			return r;
	}
	while (!cut_line(l)) {
		int r = feed_next(l->feed, &l->chunk);

		l->at = l->n_lines = 0;
		l->sums.torn = feed_torn(l->feed);
		if (r <= 0)
			return r;
	}
	l->sums.lines++;
	date_line(l);
	return 1;
}
