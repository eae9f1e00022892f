/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Many lines of a file at once: looked at together, then judged in their order. */
#include "guard/internal.h"

#include "base/clock.h"

#include <string.h>

/*
 * The more at once, the less a line costs, up to here; and while a block is judged nothing else is.
 */
#define A_BLOCK 32768

/* A block under way. */
struct block {
	struct guard *g;
	struct source *s;
	uint64_t ino, off;
	int64_t now_us;
};

static void mark_block(void *arg)
{
	const struct block *b = arg;

	source_mark(b->g, &(struct guard_line) {b->ino, b->off, true});
}

static bool may_search(void *arg, size_t off)
{
	const struct block *b = arg;

	return source_mark(b->g, &(struct guard_line) {b->ino, b->off + off, false});
}

static bool begin_line(void *arg, size_t off)
{
	const struct block *b = arg;

	if (may_search(arg, off))
		return true;
	b->g->losses.poison++;
	return false;
}

static void on_found(
	void *arg, size_t filter, struct found *found, int64_t at_us, const char *line, size_t len)
{
	const struct block *b = arg;

	source_found(b->g, b->s, filter, found, &(struct found_when) {b->now_us, at_us}, line, len);
}

static void on_lost(void *arg, size_t filter, const struct filter_stats *stats)
{
	const struct block *b = arg;

	filter_add_stats(b->g->jails[b->s->jails[filter].jail].filter, stats);
}

static void on_off(void *arg, int64_t off_us)
{
	const struct block *b = arg;

	source_count_off(b->g, b->s, off_us);
}

/* As many lines as are looked at together: text[0..len) are whole ones. */
static size_t block_len(const char *text, size_t len)
{
	const char *end = len > A_BLOCK ? memrchr(text, '\n', A_BLOCK) : text + len - 1;

	if (end == NULL)
		end = memchr(text, '\n', len);
	return (size_t)(end - text) + 1;
}

size_t block_take(struct guard *g, struct source *s, uint64_t ino, const struct tail_block *text,
	uint64_t *ret_lines)
{
	struct block b = {.g = g, .s = s, .ino = ino, .off = text->off, .now_us = clock_wall_us()};
	const struct dating_clock clock = {.now_us = b.now_us, .live = s->live};
	const struct batch_watch watch = {may_search, mark_block, &b};
	const struct lines_listener to = {.begin = begin_line,
		.end = mark_block,
		.found = on_found,
		.lost = on_lost,
		.off = on_off,
		.arg = &b};
	struct panel *p = panel_of(g, s);
	struct lines_count count = {0};
	struct batch_span span;
	struct lines lines;
	size_t len;

	if (p == NULL)
		return 0;
	len = block_len(text->text, text->len);
	lines = panel_lines(p, s);
	lines_habits(&lines, &clock, p->dates, &span);
	/* Guards before died of it, and of no line that they could name: each line by itself, then.
	 */
	if (source_mark(g, &(struct guard_line) {ino, text->off, true}))
		batch_run(p->worker, &g->batch, p->dates, &span, &watch, text->text, len);
	else
		g->batch.failed = true;
	lines_take(&lines, &clock, &g->batch, p->dates, text->text, len, &to, &count);
	source_end(g);
	source_count(g, s, &count);
	*ret_lines = count.lines;
	return len;
}
