/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "replay/feed.h"

#include "replay/unpack.h"
#include "source/unwrap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEAD_MAX 512            /* of a file's beginning, to look at again */
#define REACH (TAIL_BUFFER * 4) /* of its middle */

/* What was read and not yet given, for a file of which the end is all that is known so far. */
struct reach {
	char head[HEAD_MAX];
	size_t n_head;
	char *data; /* REACH bytes, which stand at `base` in the file */
	uint64_t base;
	size_t len;
	bool at_end;
	int error; /* which was the end */
};

struct feed {
	struct unpack *unpack;
	struct reach reach;
	struct tail tail;
	struct unwrap unwrap;
	char *buf;           /* TAIL_BUFFER bytes, for tail */
	bool is_plain;       /* chunks are what stands in the file */
	size_t plain_at;     /* what of reach is given */
	bool skipping;       /* the rest of a line that was too long */
	size_t n_rest;       /* of a line that the next chunk begins with */
	char *rest;          /* FEED_CHUNK bytes */
	struct chunk *chunk; /* under way */
	uint64_t torn;       /* lines */
	bool done;
	int error; /* that came then, or in filling a chunk */
};

void chunk_done(struct chunk *c)
{
	free(c->text);
	free(c->times);
	*c = (struct chunk) {0};
}

static int chunk_room(struct chunk *c, size_t room)
{
	char *text;

	if (c->room >= room)
		return 0;
	room += room / 2;
	text = realloc(c->text, room);
	if (text == NULL)
		return -ENOMEM;
	c->text = text;
	c->room = room;
	return 0;
}

/* A line that was cut goes on by a byte, which does not count, and by which it is known. */
static int chunk_add(struct chunk *c, const struct unwrap_line *line)
{
	size_t len = line->len;

	if (c->n_times == c->times_room) {
		size_t room = c->times_room > 0 ? c->times_room * 2 : 1024;
		int64_t *times = reallocarray(c->times, room, sizeof(*times));

		if (times == NULL)
			return -ENOMEM;
		c->times = times;
		c->times_room = room;
	}
	if (chunk_room(c, c->len + len + 2) < 0)
		return -ENOMEM;
	if (len > 0)
		memcpy(c->text + c->len, line->text, len);
	c->len += len;
	if (len == TAIL_LINE_MAX && line->cut)
		c->text[c->len++] = '.';
	c->text[c->len++] = '\n';
	c->times[c->n_times++] = line->has_time ? line->time_us : 0;
	return 0;
}

/* Reads until the bytes up to `end` are there, the file's end or an error. */
static void reach_to(struct feed *f, uint64_t off, uint64_t end)
{
	struct reach *r = &f->reach;

	while (!r->at_end && r->base + r->len < end) {
		ssize_t n;

		if (r->len == REACH) {
			uint64_t keep = off > TAIL_BUFFER ? off - TAIL_BUFFER : 0;
			size_t gone = keep > r->base ? (size_t)(keep - r->base) : 0;

			if (gone == 0)
				return;
			memmove(r->data, r->data + gone, r->len - gone);
			r->base += gone;
			r->len -= gone;
		}
		n = unpack_read(f->unpack, r->data + r->len, REACH - r->len);
		r->at_end = n <= 0;
		r->error = n < 0 ? (int)n : 0;
		r->len += n > 0 ? (size_t)n : 0;
	}
	if (r->base == 0) {
		r->n_head = r->len < HEAD_MAX ? r->len : HEAD_MAX;
		memcpy(r->head, r->data, r->n_head);
	}
}

/* What is not at hand any more. */
static ssize_t read_again(struct feed *f, char *buf, size_t len, uint64_t off)
{
	const struct reach *r = &f->reach;
	ssize_t n = unpack_peek(f->unpack, buf, len, off);
	size_t left = off < r->n_head ? r->n_head - (size_t)off : 0;

	if (n >= 0)
		return n;
	f->torn += len > left;
	if (len > left)
		len = left;
	memcpy(buf, r->head + (left > 0 ? off : 0), len);
	return (ssize_t)len;
}

static ssize_t feed_read_at(void *arg, void *buf, size_t len, uint64_t off)
{
	struct feed *f = arg;
	const struct reach *r = &f->reach;
	size_t at;

	reach_to(f, off, off + len);
	if (off < r->base)
		return read_again(f, buf, len, off);
	if (off >= r->base + r->len)
		return 0;
	at = (size_t)(off - r->base);
	if (len > r->len - at)
		len = r->len - at;
	memcpy(buf, r->data + at, len);
	return (ssize_t)len;
}

static int64_t feed_size(void *arg)
{
	const struct feed *f = arg;

	return (int64_t)(f->reach.base + f->reach.len);
}

static const struct tail_ops feed_ops = {.read_at = feed_read_at, .size = feed_size};

int feed_open(struct feed **ret, int fd, const struct feed_conf *conf, const char **ret_unfit)
{
	static const char mark[] = "\xef\xbb\xbf";
	struct feed *f = calloc(1, sizeof(*f));
	int r = -ENOMEM;

	if (f == NULL) {
		close(fd);
		return r;
	}
	r = unpack_open(&f->unpack, fd);
	f->reach.data = malloc(REACH);
	f->rest = malloc(FEED_CHUNK);
	f->buf = malloc(TAIL_BUFFER);
	if (r < 0 || f->reach.data == NULL || f->rest == NULL || f->buf == NULL) {
		feed_close(f);
		return -ENOMEM;
	}
	tail_init_from(&f->tail, &feed_ops, f);
	f->unwrap.named = conf->charset;
	f->unwrap.as_is = conf->as_is;
	*ret_unfit = unwrap_look(&f->unwrap, &f->tail, true);
	/* Nothing at all could be read: there is no log to speak of. */
	r = *ret_unfit != NULL ? -EMEDIUMTYPE : f->reach.len == 0 ? f->reach.error : 0;
	if (r < 0) {
		feed_close(f);
		return r;
	}
	f->is_plain = f->unwrap.charset == NULL &&
		      unwrap_detect(&f->unwrap, &f->tail, f->buf) == CONTAINER_NONE;
	if (f->is_plain && f->reach.len >= 3 && memcmp(f->reach.data, mark, 3) == 0)
		f->plain_at = 3;
	*ret = f;
	return 0;
}

void feed_close(struct feed *f)
{
	if (f == NULL)
		return;
	unpack_close(f->unpack);
	free(f->reach.data);
	free(f->rest);
	free(f->buf);
	free(f);
}

/* What was read to look at the beginning goes first. */
static ssize_t read_plain(struct feed *f, char *buf, size_t len)
{
	const struct reach *r = &f->reach;
	size_t left = r->len - f->plain_at;

	if (left == 0)
		return r->at_end ? r->error : unpack_read(f->unpack, buf, len);
	if (len > left)
		len = left;
	memcpy(buf, r->data + f->plain_at, len);
	f->plain_at += len;
	return (ssize_t)len;
}

/* Ends the chunk behind its last newline, of which there is one in text[from..len). */
static void cut_chunk(struct feed *f, struct chunk *c, size_t len, const char *newline)
{
	c->len = (size_t)(newline + 1 - c->text);
	f->n_rest = len - c->len;
	memcpy(f->rest, c->text + c->len, f->n_rest);
}

/* A line longer than a chunk: its beginning, one byte more than counts, and a line end. */
static int cut_line(struct feed *f, struct chunk *c)
{
	f->skipping = true;
	c->text[TAIL_LINE_MAX + 1] = '\n';
	c->len = TAIL_LINE_MAX + 2;
	return 1;
}

/* Drops the rest of a line that was too long from text[0..len), where it may end. */
static size_t skip_rest(struct feed *f, char *text, size_t len)
{
	char *newline = memchr(text, '\n', len);

	if (newline == NULL)
		return 0;
	f->skipping = false;
	len -= (size_t)(newline + 1 - text);
	memmove(text, newline + 1, len);
	return len;
}

static int next_plain(struct feed *f, struct chunk *c)
{
	size_t len = f->n_rest;

	if (chunk_room(c, FEED_CHUNK) < 0)
		return -ENOMEM;
	memcpy(c->text, f->rest, len);
	f->n_rest = 0;
	while (len < FEED_CHUNK) {
		ssize_t n = read_plain(f, c->text + len, FEED_CHUNK - len);
		const char *newline;

		if (n <= 0) {
			f->done = true;
			f->error = (int)n;
			/* Torn by an error, "192.0.2.1" may have been "192.0.2.15". */
			if (n < 0 || len == 0 || f->skipping)
				return 0;
			c->text[len] = '\n';
			c->len = len + 1;
			return 1;
		}
		if (f->skipping)
			n = (ssize_t)skip_rest(f, c->text + len, (size_t)n);
		newline = memrchr(c->text + len, '\n', (size_t)n);
		len += (size_t)n;
		if (newline != NULL) {
			cut_chunk(f, c, len, newline);
			return 1;
		}
	}
	return cut_line(f, c);
}

static void on_line(void *arg, const struct unwrap_line *line)
{
	struct feed *f = arg;

	if (f->error == 0)
		f->error = chunk_add(f->chunk, line);
}

static void on_raw_line(void *arg, const struct tail_line *line)
{
	struct feed *f = arg;

	unwrap_take(&f->unwrap, &f->tail, line, on_line, f);
}

static int next_unwrapped(struct feed *f, struct chunk *c)
{
	int r;

	f->chunk = c;
	do
		r = tail_read(&f->tail, f->buf, TAIL_BUFFER, on_raw_line, f);
	while (r > 0 && f->error == 0 && c->len == 0);
	if (r > 0 || f->error < 0)
		return f->error < 0 ? f->error : 1;
	f->done = true;
	f->error = r < 0 ? r : f->reach.error;
	if (f->error == 0) {
		tail_finish(&f->tail, f->buf, on_raw_line, f);
		unwrap_finish(&f->unwrap, &f->tail, on_line, f);
	}
	return c->len > 0;
}

int feed_next(struct feed *f, struct chunk *c)
{
	int r;

	c->len = c->n_times = 0;
	if (f->done)
		return f->error;
	r = f->is_plain ? next_plain(f, c) : next_unwrapped(f, c);
	return r == 0 ? f->error : r;
}

uint64_t feed_taken(const struct feed *f)
{
	return unpack_taken(f->unpack);
}

uint64_t feed_torn(const struct feed *f)
{
	return f->torn;
}
