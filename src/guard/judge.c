/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * line ▶ stamp ▶ match: what jails make of the lines of a source: of many of a file at once, looked
 * at together and then judged in their order, or of one that comes by itself.
 */
#include "guard/internal.h"

#include "base/clock.h"
#include "source/single.h"

#include <stdlib.h>
#include <string.h>

/*
 * The more at once, the less a line costs, up to here; and while a block is judged nothing else is.
 */
#define A_BLOCK 32768

/* Lines under way. */
struct judging {
	struct guard *g;
	struct source *s;
	uint64_t ino, off; /* of a block */
	int64_t now_us;
	judge_for_fn *is_for;  /* NULL: each line is for all */
	judge_times_fn *times; /* NULL: each counts once */
	void *arg;             /* of both */
	size_t at;             /* the line under way */
};

static void mark_block(void *arg)
{
	const struct judging *j = arg;

	source_mark(j->g, &(struct guard_line) {j->ino, j->off, true});
}

static bool may_search(void *arg, size_t off)
{
	const struct judging *j = arg;

	return source_mark(j->g, &(struct guard_line) {j->ino, j->off + off, false});
}

static bool begin_line(void *arg, size_t off)
{
	const struct judging *j = arg;

	return source_begin(j->g, j->ino, j->off + off);
}

/* Has the jail heard of it in another way already? */
static bool is_echo(const struct judging *x, uint16_t jail, const char *line, size_t len)
{
	struct jail_state *j = &x->g->jails[jail];
	unsigned ways = j->jail->sources;

	if ((ways & (ways - 1)) == 0 ||
		!echoes_is_one(x->g->echoes, jail, x->s->way, line, len, x->now_us))
		return false;
	j->echoes++;
	return true;
}

static void on_found(
	void *arg, size_t filter, struct found *found, int64_t at_us, const char *line, size_t len)
{
	const struct judging *x = arg;
	struct jail_state *j = &x->g->jails[x->s->jails[filter].jail];
	struct match m;
	unsigned times;

	/* Asked again, as a batch that had no memory asks nobody. */
	if (x->is_for != NULL && !x->is_for(x->arg, x->at, filter))
		return;
	if (is_echo(x, x->s->jails[filter].jail, line, len))
		return;
	if (filter_conclude(j->filter, found, x->now_us, &m) != VERDICT_MATCH)
		return;
	if (j->wants_fields)
		filter_tell(j->filter, found, &m);
	times = x->times != NULL ? x->times(x->arg, x->at) : 1;
	m.count = m.count * times < MATCH_COUNT_MAX ? m.count * times : MATCH_COUNT_MAX;
	verdict_match(x->g, j, &m, at_us, line, len);
}

static void on_lost(void *arg, size_t filter, const struct filter_stats *stats)
{
	const struct judging *j = arg;

	filter_add_stats(j->g->jails[j->s->jails[filter].jail].filter, stats);
}

/* Lines are taken as written now, though they say something else: told once. */
static void on_off(void *arg, int64_t off_us)
{
	const struct judging *j = arg;

	if (j->s->future++ == 0)
		log_warning("%s: a line is dated %lld s %s this machine's clock; such lines are "
			    "taken as written now (told once)",
			j->s->name, (long long)(llabs(off_us) / USEC_PER_SEC),
			off_us > 0 ? "ahead of" : "behind");
	j->g->losses.future++;
}

static void count(struct guard *g, struct source *s, const struct lines_count *n)
{
	s->lines += n->lines;
	if (s->is_bare)
		return;
	s->undated += n->undated;
	g->losses.undated += n->undated;
}

/* As many lines as are looked at together: text[0..len) are whole ones. */
static size_t block_len(const char *text, size_t len)
{
	const char *end = len > A_BLOCK ? memrchr(text, '\n', A_BLOCK) : text + len - 1;

	if (end == NULL)
		end = memchr(text, '\n', len);
	return (size_t)(end - text) + 1;
}

size_t judge_block(struct guard *g, struct source *s, uint64_t ino, const struct tail_block *text,
	uint64_t *ret_lines)
{
	struct judging j = {
		.g = g, .s = s, .ino = ino, .off = text->off, .now_us = clock_wall_us()};
	const struct dating_clock clock = {.now_us = j.now_us, .live = s->live};
	const struct batch_watch watch = {
		.may_search = may_search, .searched = mark_block, .arg = &j};
	const struct lines_listener to = {
		.begin = begin_line,
		.end = mark_block,
		.found = on_found,
		.lost = on_lost,
		.off = on_off,
		.arg = &j,
	};
	struct panel *p = panel_of(g, s);
	struct lines_count n = {0};
	struct batch_span span;
	struct lines lines;
	size_t len;

	if (p == NULL)
		return 0;
	len = block_len(text->text, text->len);
	lines = panel_lines(p, s);
	lines_habits(&lines, &clock, p->dates, &span);
	/*
	 * Guards before died of it, and of no line of it that they could name: each by itself,
	 * then.
	 */
	if (source_mark(g, &(struct guard_line) {ino, text->off, true}))
		batch_run(p->worker, &g->batch, p->dates, &span, &watch, text->text, len);
	else
		g->batch.failed = true;
	lines_take(&lines, &clock, &g->batch, p->dates, text->text, len, &to, &n);
	source_end(g);
	count(g, s, &n);
	*ret_lines = n.lines;
	return len;
}

static bool note_line(void *arg, size_t off)
{
	struct judging *j = arg;

	j->at = off;
	return true;
}

void judge_text(struct guard *g, struct source *s, const char *text, size_t len,
	judge_for_fn *is_for, judge_times_fn *times, void *arg)
{
	struct judging j = {.g = g,
		.s = s,
		.now_us = clock_wall_us(),
		.is_for = is_for,
		.times = times,
		.arg = arg};
	const struct dating_clock clock = {.now_us = j.now_us, .live = s->live};
	const struct batch_watch watch = {.is_for = is_for, .arg = arg};
	const struct lines_listener to = {
		.begin = note_line, .found = on_found, .lost = on_lost, .off = on_off, .arg = &j};
	struct panel *p = panel_of(g, s);
	struct lines_count n = {0};
	struct batch_span span;
	struct lines lines;

	if (p == NULL) {
		g->losses.no_memory++;
		return;
	}
	lines = panel_lines(p, s);
	lines_habits(&lines, &clock, p->dates, &span);
	batch_run(p->worker, &g->batch, p->dates, &span, &watch, text, len);
	lines_take(&lines, &clock, &g->batch, p->dates, text, len, &to, &n);
	count(g, s, &n);
}

void judge_line(
	struct guard *g, struct source *s, const char *line, size_t len, const int64_t *time_us)
{
	struct judging j = {.g = g, .s = s, .now_us = clock_wall_us()};
	const struct dating_clock clock = {
		.now_us = j.now_us, .carried_us = s->carried_us, .live = s->live};
	const struct lines_listener to = {
		.found = on_found, .lost = on_lost, .off = on_off, .arg = &j};
	const struct single single = {line, len, time_us, s->off};
	struct panel *p = panel_of(g, s);
	struct lines_count n = {0};
	struct lines lines;

	if (p == NULL) {
		g->losses.no_memory++;
		return;
	}
	lines = panel_lines(p, s);
	single_take(&lines, &clock, batch_worker_scan(p->worker), &single, &to, &n);
	count(g, s, &n);
}
