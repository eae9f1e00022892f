/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/window.h"

#include "base/buf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct window {
	size_t max_lines;
	struct buf text;
	/* The text as it was before lines were taken out: what was captured in it still stands. */
	struct buf before;
	struct buf used;
	size_t n_lines;
	size_t *lens;       /* of each line, with its newline: there may be others within */
	size_t *next_lens;  /* of those that a match leaves */
	struct span *lines; /* of the text, while it is taken apart */
	bool *is_used;
	size_t counted; /* bytes in `held` */
	struct window *older, *newer;
	struct window_wait wait;
};

/* What a window becomes. */
struct next {
	struct buf text;
	size_t *lens, n;
};

/* The windows that hold anything, in the order of their use: who may write many logs fills many. */
static struct {
	struct window *oldest, *newest;
	size_t bytes;
	uint64_t lost;
} held;

struct window_wait *window_wait(struct window *w)
{
	return &w->wait;
}

uint64_t window_lost(void)
{
	return held.lost;
}

static void let_go(struct window *w)
{
	if (w->counted == 0)
		return;
	*(w->older != NULL ? &w->older->newer : &held.oldest) = w->newer;
	*(w->newer != NULL ? &w->newer->older : &held.newest) = w->older;
	held.bytes -= w->counted;
	w->counted = 0;
}

static void empty(struct window *w)
{
	let_go(w);
	held.lost += w->n_lines;
	w->n_lines = 0;
	buf_done(&w->text);
	buf_done(&w->before);
	buf_done(&w->used);
}

/* Was used now, and may have grown: the others make room. */
static void hold(struct window *w)
{
	let_go(w);
	w->counted = w->text.room + w->before.room + w->used.room;
	if (w->counted == 0)
		return;
	held.bytes += w->counted;
	w->newer = NULL;
	w->older = held.newest;
	*(held.newest != NULL ? &held.newest->newer : &held.oldest) = w;
	held.newest = w;
	while (held.bytes > WINDOWS_BYTES_MAX && held.oldest != w)
		empty(held.oldest);
}

struct window *window_new(unsigned max_lines)
{
	struct window *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->max_lines = max_lines;
	w->lens = calloc(max_lines, sizeof(*w->lens));
	w->next_lens = calloc(max_lines, sizeof(*w->next_lens));
	w->lines = calloc(max_lines, sizeof(*w->lines));
	w->is_used = calloc(max_lines, sizeof(*w->is_used));
	if (w->lens == NULL || w->next_lens == NULL || w->lines == NULL || w->is_used == NULL) {
		window_free(w);
		return NULL;
	}
	return w;
}

void window_free(struct window *w)
{
	if (w == NULL)
		return;
	let_go(w);
	buf_done(&w->text);
	buf_done(&w->before);
	buf_done(&w->used);
	free(w->lens);
	free(w->next_lens);
	free(w->lines);
	free(w->is_used);
	free(w);
}

static void drop_oldest(struct window *w)
{
	buf_drop(&w->text, w->lens[0]);
	w->n_lines--;
	memmove(w->lens, w->lens + 1, w->n_lines * sizeof(*w->lens));
}

static int put(struct buf *b, struct span line)
{
	int r = buf_add(b, line.text, line.len);

	return r < 0 ? r : buf_add(b, "\n", 1);
}

int window_add(struct window *w, const char *line, size_t len)
{
	size_t len_before;
	int r;

	while (w->n_lines > 0 &&
		(w->n_lines == w->max_lines || w->text.len + len >= WINDOW_BYTES_MAX)) {
		held.lost += w->n_lines < w->max_lines;
		drop_oldest(w);
	}
	len_before = w->text.len;
	r = put(&w->text, (struct span) {line, len});
	if (r < 0)
		w->text.len = len_before;
	else
		w->lens[w->n_lines++] = len + 1;
	hold(w);
	return r;
}

struct span window_text(const struct window *w)
{
	return (struct span) {buf_text(&w->text), w->text.len};
}

struct span window_used(const struct window *w)
{
	return (struct span) {buf_text(&w->used), w->used.len};
}

static size_t count_lines(const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += text[i] == '\n';
	return n;
}

static void take_apart(struct window *w)
{
	const char *p = w->text.data;

	for (size_t i = 0; i < w->n_lines; i++) {
		w->lines[i] = (struct span) {p, w->lens[i] - 1};
		p += w->lens[i];
	}
}

static int leave(struct next *next, struct span line)
{
	int r = put(&next->text, line);

	if (r == 0)
		next->lens[next->n++] = line.len + 1;
	return r;
}

/* The numbers of the first line that the match touches and of the one behind its last. */
static void touched(
	struct span text, const struct window_use *use, size_t *ret_first, size_t *ret_end)
{
	const char *nl = use->end > 0 && use->end <= text.len
				 ? memchr(text.text + use->end - 1, '\n', text.len - use->end + 1)
				 : NULL;

	*ret_first = count_lines(text.text, use->start < text.len ? use->start + 1 : text.len);
	*ret_end = nl != NULL ? count_lines(text.text, (size_t)(nl - text.text) + 1)
			      : count_lines(text.text, text.len);
}

/* Lines passed over by <SKIPLINES> go back: to the end of `next`, in their order. */
static int put_back(
	struct window *w, struct span skipped, size_t *at, size_t end, struct next *next)
{
	const char *p = skipped.text, *stop = p + skipped.len;
	int r = 0;

	while (r == 0 && p < stop) {
		const char *nl = memchr(p, '\n', (size_t)(stop - p));
		struct span line = {p, nl != NULL ? (size_t)(nl - p) : (size_t)(stop - p)};

		for (size_t i = *at; i < end; i++) {
			if (!w->is_used[i] || w->lines[i].len != line.len ||
				memcmp(w->lines[i].text, line.text, line.len) != 0)
				continue;
			w->is_used[i] = false;
			r = leave(next, w->lines[i]);
			*at = i;
			break;
		}
		p = nl != NULL ? nl + 1 : stop;
	}
	return r;
}

size_t window_take(struct window *w, struct span text, const struct window_use *use)
{
	struct next next = {w->before, w->next_lens, 0};
	size_t first, end, at, n_used = 0;
	int r = 0;

	w->used.len = next.text.len = 0;
	take_apart(w);
	touched(text, use, &first, &end);
	if (w->n_lines <= 1) {
		first = 0;
		end = w->n_lines;
	}
	first = first < w->n_lines ? first : w->n_lines;
	end = end < w->n_lines ? end : w->n_lines;
	for (size_t i = 0; i < w->n_lines; i++)
		w->is_used[i] = i >= first && i < end;
	for (size_t i = 0; r == 0 && i < first; i++)
		r = leave(&next, w->lines[i]);
	at = first;
	for (size_t i = 0; r == 0 && i < use->n_skipped; i++)
		r = put_back(w, use->skipped[i], &at, end, &next);
	for (size_t i = end; r == 0 && i < w->n_lines; i++)
		r = leave(&next, w->lines[i]);
	for (size_t i = first; r == 0 && i < end; i++) {
		if (!w->is_used[i])
			continue;
		r = put(&w->used, w->lines[i]);
		n_used++;
	}
	w->before = w->text;
	/* Out of memory: an empty window is better than lines that count twice. */
	if (r < 0)
		next.text.len = next.n = 0;
	w->text = next.text;
	w->n_lines = next.n;
	w->next_lens = w->lens;
	w->lens = next.lens;
	hold(w);
	return n_used;
}

void window_set(struct window *w, const char *line, size_t len)
{
	struct buf next = w->before;
	int r;

	next.len = 0;
	r = put(&next, (struct span) {line, len});
	w->before = w->text;
	w->text = next;
	if (r < 0)
		w->text.len = 0;
	w->n_lines = r == 0;
	w->lens[0] = len + 1;
	hold(w);
}
