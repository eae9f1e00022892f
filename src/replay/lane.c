/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "replay/lane.h"

#include "base/clock.h"
#include "match/window.h"
#include "source/tail.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A present that no date with four digits of a year lies ahead of: 9999-01-01. */
#define LATEST_US (253370764800 * USEC_PER_SEC)
#define FIRST_LINES 64         /* among which a date is looked for beforehand */
#define FIRST_BYTES (4 * 1024) /* taken before the rest is given to the crew */
#define LONG_STEP (TAIL_LINE_MAX / 2)

static int open_path(const char *path)
{
	int fd = strcmp(path, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
					: open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? -errno : fd;
}

/* The date of the first lines, 0: none of them has one. What stands before it is of its time. */
static int64_t first_date(const struct lane *l, const struct chunk *c, size_t patterns)
{
	struct date_finder *finder = date_finder_new(l->conf->patterns[patterns]);
	const char *line = c->text, *end = c->text + c->len;
	struct stamp stamp;
	int64_t us = 0;

	for (size_t i = 0; finder != NULL && us == 0 && i < FIRST_LINES && line < end; i++) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		size_t len = (size_t)(newline - line);

		if (date_find(finder, line, len < TAIL_LINE_MAX ? len : TAIL_LINE_MAX,
			    l->conf->now_us, &stamp) == DATE_FOUND)
			us = stamp.time_us;
		line = newline + 1;
	}
	date_finder_free(finder);
	return us;
}

/*
 * When it begins. A log that begins after the present is from a machine with another clock: by
 * that, none of it lies ahead.
 */
static int look_ahead(struct lane *l)
{
	int r = feed_next(l->feed, &l->beginning);

	l->first_us = calloc(l->conf->plan->n_dates + 1, sizeof(*l->first_us));
	if (l->first_us == NULL || r == -ENOMEM)
		return -ENOMEM;
	for (size_t i = 0; r > 0 && i < l->conf->plan->n_dates; i++) {
		l->first_us[i] = first_date(l, &l->beginning, i);
		if (l->place_us == 0)
			l->place_us = l->first_us[i];
	}
	l->now_us = l->place_us > l->conf->now_us ? LATEST_US : l->conf->now_us;
	/* What some patterns take for a date further on is none to go by. */
	for (size_t i = 0; i < l->conf->plan->n_dates; i++)
		if (l->first_us[i] > l->now_us)
			l->first_us[i] = 0;
	return 0; /* an error comes again in its turn */
}

static int open_feed(struct lane *l)
{
	int r = open_path(l->path);

	return r < 0 ? r : feed_open(&l->feed, r, &l->conf->feed, &l->unfit);
}

int lane_open(
	struct lane *l, const char *path, const struct lane_conf *conf, const char **ret_unfit)
{
	struct stat st;
	int r;

	*l = (struct lane) {.path = path, .conf = conf, .end = 1};
	l->is_file = strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode);
	l->size = l->is_file ? (uint64_t)st.st_size : 0;
	r = open_feed(l);
	*ret_unfit = l->unfit;
	if (r == 0)
		r = look_ahead(l);
	/* Hundreds of archives are not unpacked at the same time, unless their times are. */
	if (r == 0 && l->is_file) {
		chunk_done(&l->beginning);
		feed_close(l->feed);
		l->feed = NULL;
	}
	if (r < 0)
		lane_done(l);
	return r;
}

static int init_lines(struct lane *l)
{
	const struct batch_plan *plan = l->conf->plan;
	struct lines *lines = &l->lines;

	l->newest_us = calloc(plan->n_dates + 1, sizeof(*l->newest_us));
	if (l->newest_us == NULL)
		return -ENOMEM;
	lines->plan = plan;
	lines->search = l->conf->search;
	lines->scan = l->conf->scan;
	lines->dates = calloc(plan->n_dates + 1, sizeof(*lines->dates));
	lines->windows = calloc(plan->n_filters + 1, sizeof(*lines->windows));
	lines->scratch = malloc(2 * TAIL_LINE_MAX);
	if (lines->dates == NULL || lines->windows == NULL || lines->scratch == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < plan->n_dates; i++) {
		if (dating_init(&lines->dates[i], l->conf->patterns[i]) < 0)
			return -ENOMEM;
		lines->dates[i].last_time_us = l->first_us[i];
	}
	for (size_t i = 0; i < plan->n_filters; i++) {
		unsigned maxlines = filter_maxlines(plan->filters[i].filter);

		if (maxlines > 1 && (lines->windows[i] = window_new(maxlines)) == NULL)
			return -ENOMEM;
	}
	return 0;
}

static void add_slot(struct lane *l, struct slot *s)
{
	if (l->first == NULL)
		l->first = s;
	else
		l->last->next = s;
	l->last = s;
}

static void drop_slot(struct lane *l)
{
	struct slot *s = l->first;

	l->first = s->next;
	slots_put(l->conf->slots, s);
}

/* What is under way is not wanted any more. */
static void forget_all(struct lane *l)
{
	pthread_mutex_lock(&l->lock);
	l->is_over = true;
	pthread_cond_broadcast(&l->read);
	pthread_mutex_unlock(&l->lock);
	while (l->first != NULL) {
		crew_forget(l->conf->crew, &l->first->job);
		drop_slot(l);
	}
}

static int start(struct lane *l)
{
	struct slot *s;
	int r = l->feed == NULL ? open_feed(l) : 0;

	if (r == 0)
		r = init_lines(l);
	if (r < 0)
		return r;
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->read, NULL);
	l->is_started = true;
	if (l->beginning.len > 0) {
		s = slots_get(l->conf->slots, true);
		if (s == NULL)
			return -ENOMEM;
		chunk_done(&s->chunk);
		s->chunk = l->beginning;
		s->result = 1;
		s->taken = feed_taken(l->feed);
		s->torn = feed_torn(l->feed);
		l->beginning = (struct chunk) {0};
		add_slot(l, s);
	}
	return 0;
}

static void lines_done(struct lines *lines)
{
	const struct batch_plan *plan = lines->plan;

	for (size_t i = 0; lines->dates != NULL && i < plan->n_dates; i++)
		dating_done(&lines->dates[i]);
	for (size_t i = 0; lines->windows != NULL && i < plan->n_filters; i++)
		window_free(lines->windows[i]);
	free(lines->dates);
	free(lines->windows);
	free(lines->scratch);
}

void lane_done(struct lane *l)
{
	if (l->is_started) {
		forget_all(l);
		pthread_mutex_destroy(&l->lock);
		pthread_cond_destroy(&l->read);
	}
	lines_done(&l->lines);
	findings_done(&l->waiting);
	chunk_done(&l->beginning);
	feed_close(l->feed);
	free(l->newest_us);
	free(l->first_us);
	*l = (struct lane) {0};
}

uint64_t lane_taken(const struct lane *l)
{
	return l->taken;
}

int64_t lane_place(const struct lane *l)
{
	const struct finding *first = findings_first(&l->waiting);

	return first != NULL ? first->place_us : l->place_us;
}

/* Lines longer than what is judged: what has a line end every LONG_STEP bytes has none of them. */
static void count_long(struct lane *l, const struct chunk *c)
{
	const char *end = c->text + c->len, *line = c->text;
	size_t at = 0;

	while (c->len - at > LONG_STEP && memchr(c->text + at, '\n', LONG_STEP) != NULL)
		at += LONG_STEP;
	if (c->len - at <= LONG_STEP)
		return;
	while (line < end) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));

		l->sums.long_lines += newline - line > TAIL_LINE_MAX;
		line = newline + 1;
	}
}

/* Reads the chunk of a slot whose turn that is. */
static void read_chunk(struct lane *l, struct slot *s)
{
	pthread_mutex_lock(&l->lock);
	while (l->turn != s->turn && !l->is_over)
		pthread_cond_wait(&l->read, &l->lock);
	s->result = l->is_over ? 0 : feed_next(l->feed, &s->chunk);
	s->taken = feed_taken(l->feed);
	s->torn = feed_torn(l->feed);
	l->turn++;
	pthread_cond_broadcast(&l->read);
	pthread_mutex_unlock(&l->lock);
}

static void fetch(struct job *job)
{
	struct slot *s = (struct slot *)((char *)job - offsetof(struct slot, job));

	read_chunk(s->lane, s);
	job->buf = s->chunk.text;
	job->len = s->result == 1 && s->chunk.n_times == 0 ? s->chunk.len : 0;
}

static void give(struct lane *l, struct slot *s)
{
	const struct dating_clock clock = {.now_us = l->now_us};

	s->job.dates = s->dates;
	s->is_given = true;
	lines_habits(&l->lines, &clock, s->dates, &s->job.span);
	crew_give(l->conf->crew, &s->job);
}

/* Hands a chunk that was read to the crew, from there to there. */
static void give_part(struct lane *l, struct slot *s, size_t from, size_t to)
{
	s->job.fetch = NULL;
	s->job.buf = s->chunk.text + from;
	s->job.len = to - from;
	give(l, s);
}

/* Keeps the crew in work; before anything is known of the dates there is nothing to give. */
static void fill(struct lane *l)
{
	while (l->end == 1 && (l->is_tried || l->first == NULL)) {
		struct slot *s = slots_get(l->conf->slots, l->first == NULL);

		if (s == NULL && l->first == NULL)
			l->end = -ENOMEM;
		if (s == NULL)
			return;
		s->lane = l;
		s->turn = l->n_turns++;
		s->job.fetch = fetch;
		add_slot(l, s);
		if (l->is_tried)
			give(l, s);
		else
			read_chunk(l, s);
	}
}

static bool on_begin(void *arg, size_t off)
{
	struct lane *l = arg;

	(void)off;
	l->is_off = false;
	return true;
}

static void on_off(void *arg, int64_t off_us)
{
	struct lane *l = arg;

	(void)off_us;
	l->sums.ahead += !l->is_off;
	l->is_off = true;
}

static void on_dated(void *arg, size_t dates, int64_t at_us)
{
	struct lane *l = arg;

	if (at_us > l->newest_us[dates])
		l->newest_us[dates] = at_us;
}

static void on_lost(void *arg, size_t filter, const struct filter_stats *stats)
{
	struct lane *l = arg;

	(void)filter;
	l->sums.limit_hits += stats->limit_hits;
	l->sums.no_memory += stats->no_memory;
}

static void on_found(
	void *arg, size_t filter, struct found *found, int64_t at_us, const char *line, size_t len)
{
	struct lane *l = arg;
	size_t dates = l->conf->plan->filters[filter].dates;

	if (!l->is_off)
		on_dated(l, dates, at_us);
	if (l->newest_us[dates] > l->place_us)
		l->place_us = l->newest_us[dates];
	l->on_found(l->arg, l, filter, found, at_us, line, len);
}

static void take(struct lane *l, const struct batch *b, const struct batch_dates *dates,
	int64_t carried_us, const char *buf, size_t len)
{
	const struct dating_clock clock = {.now_us = l->now_us, .carried_us = carried_us};
	const struct lines_listener to = {.begin = on_begin,
		.found = on_found,
		.lost = on_lost,
		.off = on_off,
		.dated = on_dated,
		.arg = l};
	struct lines_count count = {0};

	lines_take(&l->lines, &clock, b, dates, buf, len, &to, &count);
	l->sums.lines += count.lines;
	l->sums.undated += count.undated;
}

/* What a container's runtime wrote says of each line when it got it. */
static void take_carried(struct lane *l, const struct slot *s)
{
	static const struct batch none = {.failed = true};
	size_t at = 0;

	for (size_t i = 0; at < s->chunk.len; i++) {
		const char *line = s->chunk.text + at;
		size_t len = (size_t)((const char *)memchr(line, '\n', s->chunk.len - at) - line);

		take(l, &none, s->dates, s->chunk.times[i], line, len + 1);
		at += len + 1;
	}
}

static void take_job(struct lane *l, struct slot *s)
{
	crew_wait(l->conf->crew, &s->job);
	take(l, &s->job.batch, s->dates, 0, s->job.buf, s->job.len);
}

/* The first lines are taken before anything else is looked at: then it is known how they look. */
static size_t take_first(struct lane *l, struct slot *s)
{
	const char *text = s->chunk.text, *newline = NULL;
	size_t len = s->chunk.len;

	if (len > FIRST_BYTES)
		newline = memchr(text + FIRST_BYTES, '\n', len - FIRST_BYTES);
	if (newline != NULL)
		len = (size_t)(newline + 1 - text);
	give_part(l, s, 0, len);
	take_job(l, s);
	return len;
}

static void take_slot(struct lane *l, struct slot *s)
{
	size_t from = 0;

	count_long(l, &s->chunk);
	if (s->chunk.n_times > 0) {
		take_carried(l, s);
		return;
	}
	if (!s->is_given) {
		if (!l->is_tried)
			from = take_first(l, s);
		l->is_tried = true;
		if (from == s->chunk.len)
			return;
		give_part(l, s, from, s->chunk.len);
		fill(l);
	}
	take_job(l, s);
}

int lane_read(struct lane *l)
{
	int r = l->is_started ? 0 : start(l);

	if (r < 0)
		return r;
	fill(l);
	if (l->first == NULL)
		return l->end;
	if (l->first->is_given)
		crew_wait(l->conf->crew, &l->first->job);
	l->end = l->first->result;
	l->taken = l->first->taken;
	l->sums.torn = l->first->torn;
	if (l->end != 1)
		return l->end;
	take_slot(l, l->first);
	drop_slot(l);
	fill(l);
	return 1;
}
