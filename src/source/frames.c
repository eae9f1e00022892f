/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/frames.h"

#include "source/tail.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HEAD_MAX 20 /* digits; with more it is no count, but a line */
#define ROOM_MIN 256

enum state {
	AT_HEAD,      /* between frames, or what is kept does not tell yet what it will be */
	IN_LINE,      /* up to LF or NUL */
	IN_COUNTED,   /* left bytes are to come */
	PASS_LINE,    /* the rest of a line that was handed on */
	PASS_COUNTED, /* the same of a counted frame */
};

/* A piece of a stream under way. */
struct reading {
	struct frames *f;
	struct frames_room *room;
	const char *p, *end;
	const char *lf; /* the first LF from p on, or end; NULL: not looked for */
	frames_fn *fn;
	void *arg;
	size_t absurd;
};

static size_t beyond_small(size_t n)
{
	return n > FRAMES_SMALL ? n - FRAMES_SMALL : 0;
}

static void drop_kept(struct frames *f, struct frames_room *room)
{
	room->used -= beyond_small(f->room);
	free(f->kept);
	f->kept = NULL;
	f->n_kept = f->room = 0;
}

static bool make_room(struct frames *f, struct frames_room *room, size_t n)
{
	size_t wanted = f->room > 0 ? f->room : ROOM_MIN, more;
	char *kept;

	if (n <= f->room)
		return true;
	while (wanted < n)
		wanted *= 2;
	if (wanted > TAIL_LINE_MAX)
		wanted = TAIL_LINE_MAX;
	more = beyond_small(wanted) - beyond_small(f->room);
	if (more > room->max - room->used)
		return false;
	kept = realloc(f->kept, wanted);
	if (kept == NULL)
		return false;
	room->used += more;
	f->kept = kept;
	f->room = (uint32_t)wanted;
	return true;
}

static void keep(struct frames *f, const char *p, size_t n)
{
	memcpy(f->kept + f->n_kept, p, n);
	f->n_kept += (uint32_t)n;
}

/* Hands on a frame: what is kept of it, and n bytes at p behind that. */
static void hand_on(struct reading *r, const char *p, size_t n, bool cut)
{
	struct frames *f = r->f;

	if (f->n_kept + n > TAIL_LINE_MAX) {
		n = TAIL_LINE_MAX - f->n_kept;
		cut = true;
	}
	if (f->n_kept == 0) {
		if (n > 0)
			r->fn(r->arg, p, n, cut);
		return;
	}
	if (make_room(f, r->room, f->n_kept + n))
		keep(f, p, n);
	else
		cut = true;
	r->fn(r->arg, f->kept, f->n_kept, cut);
	drop_kept(f, r->room);
}

/* The next n bytes are of the frame under way; whole: they are its last. */
static void take(struct reading *r, size_t n, bool whole)
{
	struct frames *f = r->f;
	const char *p = r->p;

	r->p += n;
	if (f->state == IN_COUNTED)
		f->left -= (uint32_t)n;
	if (whole) {
		hand_on(r, p, n, false);
		f->state = AT_HEAD;
	} else if (f->n_kept + n > TAIL_LINE_MAX || !make_room(f, r->room, f->n_kept + n)) {
		hand_on(r, p, n, true);
		f->state = f->state == IN_COUNTED ? PASS_COUNTED : PASS_LINE;
	} else {
		keep(f, p, n);
	}
}

/* Where the line under way ends, or the end of what has come. */
static const char *line_end(struct reading *r)
{
	const char *nul;

	/* Looked for once, however many NULs stand before it. */
	if (r->lf == NULL || r->lf < r->p) {
		r->lf = memchr(r->p, '\n', (size_t)(r->end - r->p));
		if (r->lf == NULL)
			r->lf = r->end;
	}
	nul = memchr(r->p, '\0', (size_t)(r->lf - r->p));
	return nul != NULL ? nul : r->lf;
}

static void in_line(struct reading *r)
{
	const char *end = line_end(r);
	bool whole = end < r->end;

	if (r->f->state == IN_LINE)
		take(r, (size_t)(end - r->p), whole);
	else
		r->p = end;
	if (!whole)
		return;
	r->p++;
	r->f->state = AT_HEAD;
}

static void in_counted(struct reading *r)
{
	struct frames *f = r->f;
	size_t n = (size_t)(r->end - r->p);
	bool whole = n >= f->left;

	if (whole)
		n = f->left;
	if (f->state == IN_COUNTED) {
		take(r, n, whole);
		return;
	}
	r->p += n;
	f->left -= (uint32_t)n;
	if (whole)
		f->state = AT_HEAD;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Could the head of n bytes go on with c, and be a count still? */
static bool may_be_count(const char *head, size_t n, char c)
{
	if (n == 0)
		return c >= '1' && c <= '9';
	if (head[n - 1] == ' ')
		return c == '<';
	return c == ' ' || (is_digit(c) && n < HEAD_MAX);
}

/* The head is digits and a blank, and '<' follows. */
static void begin_counted(struct reading *r, const char *head)
{
	uint64_t count = 0;

	for (; is_digit(*head); head++)
		if (count <= FRAME_COUNT_MAX)
			count = count * 10 + (uint64_t)(*head - '0');
	if (count > FRAME_COUNT_MAX) {
		r->absurd++;
		r->f->state = IN_LINE;
		return;
	}
	r->f->state = IN_COUNTED;
	r->f->left = (uint32_t)count;
}

/* The head was begun in an earlier read: it grows by a byte until it tells what it is. */
static void grow_head(struct reading *r)
{
	struct frames *f = r->f;

	for (; r->p < r->end; r->p++) {
		if (!may_be_count(f->kept, f->n_kept, *r->p)) {
			f->state = IN_LINE;
			return;
		}
		if (*r->p == '<') {
			begin_counted(r, f->kept);
			drop_kept(f, r->room);
			return;
		}
		keep(f, r->p, 1);
	}
}

static void at_head(struct reading *r)
{
	const char *head;
	size_t n = 0;

	if (r->f->n_kept > 0) {
		grow_head(r);
		return;
	}
	while (r->p < r->end && (*r->p == '\n' || *r->p == '\r' || *r->p == '\0'))
		r->p++;
	head = r->p;
	while (head + n < r->end && may_be_count(head, n, head[n]) && head[n] != '<')
		n++;
	if (head + n == r->end) {
		/* Where there is no room for so little, the frame counts as a line. */
		if (n > 0 && !make_room(r->f, r->room, HEAD_MAX + 1))
			r->f->state = IN_LINE;
		else if (n > 0)
			keep(r->f, head, n);
		r->p = r->end;
	} else if (n > 0 && head[n - 1] == ' ' && head[n] == '<') {
		r->p += n;
		begin_counted(r, head);
	} else {
		r->f->state = IN_LINE;
	}
}

size_t frames_take(struct frames *f, struct frames_room *room, const char *data, size_t len,
	frames_fn *fn, void *arg)
{
	struct reading r = {
		.f = f, .room = room, .p = data, .end = data + len, .fn = fn, .arg = arg};

	while (r.p < r.end) {
		if (f->state == AT_HEAD)
			at_head(&r);
		else if (f->state == IN_LINE || f->state == PASS_LINE)
			in_line(&r);
		else
			in_counted(&r);
	}
	return r.absurd;
}

bool frames_end(struct frames *f, struct frames_room *room, bool in_order, frames_fn *fn, void *arg)
{
	bool is_line = f->state == IN_LINE || f->state == AT_HEAD;
	bool dropped = f->n_kept > 0 && !(is_line && in_order);

	if (f->n_kept > 0 && !dropped)
		fn(arg, f->kept, f->n_kept, false);
	frames_done(f, room);
	return !dropped;
}

void frames_done(struct frames *f, struct frames_room *room)
{
	drop_kept(f, room);
	*f = (struct frames) {0};
}

int frames_resume(struct frames *f, uint8_t state, uint32_t left, size_t n_kept)
{
	bool counted = state == IN_COUNTED || state == PASS_COUNTED;

	if (state > PASS_COUNTED || n_kept > TAIL_LINE_MAX ||
		(counted ? left == 0 || left > FRAME_COUNT_MAX : left != 0))
		return -EINVAL;
	*f = (struct frames) {.state = state, .left = left};
	if (state == IN_COUNTED)
		f->left += (uint32_t)n_kept;
	return 0;
}
