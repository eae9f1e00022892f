/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/unwrap.h"

#include "base/util.h"

#include <ctype.h>
#include <string.h>

#define LOOK 512 /* bytes at the beginning of a file that say what it is */
#define FRONT                                                                                      \
	8 /* and those of them that are nobody's but its writer's: a log's date, a magic number */

_Static_assert(CONTAINER_REACH + TAIL_RAW_MAX <= TAIL_BUFFER, "a line under way fits");

/* A thread takes one line at a time: what it is put together in is shared by all files. */
static _Thread_local char message[TAIL_LINE_MAX];
static _Thread_local char pieces[TAIL_BUFFER];

static const char *packed_as(const char *head, size_t len)
{
	static const struct {
		const char *magic;
		size_t len;
		const char *name;
	} kinds[] = {{"\x1f\x8b\x08", 3, "gzip"},
		{"\xfd"
		 "7zXZ\0",
			6, "xz"},
		{"\x28\xb5\x2f\xfd", 4, "zstd"}, {"BZh", 3, "bzip2"},
		{"\x04\x22\x4d\x18", 4, "lz4"}, {"PK\x03\x04", 4, "zip"}, {"LZIP", 4, "lzip"},
		{"LPKSHHRH", 8, "journal"}, {"SQLite format 3\0", 16, "SQLite"},
		{"\x7f"
		 "ELF",
			4, "ELF"}};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (len >= kinds[i].len && memcmp(head, kinds[i].magic, kinds[i].len) == 0)
			return kinds[i].name;
	return NULL;
}

static size_t count_controls(const char *text, size_t len)
{
	static const char usual[] = "\t\n\r\033\b\f";
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += iscntrl((unsigned char)text[i]) &&
		     memchr(usual, text[i], sizeof(usual) - 1) == NULL;
	return n;
}

/*
 * A text has few controls. (A log that was truncated under its writer begins with a hole.) What
 * begins like one is one: the first to be logged after a rotation may be called by any bytes, and
 * must not have the log passed over by that.
 */
static bool is_binary(const char *head, size_t len)
{
	size_t hole = 0;

	while (hole < len && head[hole] == '\0')
		hole++;
	head += hole;
	len -= hole;
	return count_controls(head, len < FRONT ? len : FRONT) > 0 &&
	       count_controls(head, len) * 8 > len;
}

const char *unwrap_look(struct unwrap *u, struct tail *t, bool may_be_binary)
{
	char head[LOOK];
	size_t len = tail_peek(t, head, sizeof(head), 0);
	const char *what;

	/* Less than a byte order mark, and no line yet. */
	if (len < 4 && memchr(head, '\n', len) == NULL)
		return NULL;
	u->looked = true;
	u->kind = CONTAINER_NONE;
	/* Truncated in place, it goes on with the rest of what was under way. */
	for (size_t i = 0; i < CONTAINER_STREAMS; i++) {
		u->join.streams[i].skip |= u->join.streams[i].open;
		u->join.streams[i].open = false;
	}
	u->charset = charset_of(u->named, head, len);
	charset_apply(u->charset, t);
	if (u->charset != NULL)
		return NULL;
	/* Until its first line is known it may be one of a container, with much around it. */
	t->line_max = TAIL_RAW_MAX;
	what = packed_as(head, len);
	return what == NULL && may_be_binary && is_binary(head, len) ? "binary" : what;
}

static void settle_kind(struct unwrap *u, struct tail *t, const char *line, size_t len, bool cut)
{
	u->kind = cut || u->as_is ? CONTAINER_NONE : container_detect(line, len);
	t->line_max = u->kind == CONTAINER_NONE ? TAIL_LINE_MAX : TAIL_RAW_MAX;
}

/* Lines of a container's file in buf[0..len), which stand at off: which are under way after them.
 */
static void learn(struct unwrap *u, const char *buf, size_t len, uint64_t off)
{
	bool known[CONTAINER_STREAMS] = {off == 0, off == 0};
	const char *p = buf, *newline;
	struct container_piece piece;
	uint64_t start;

	for (; (newline = memchr(p, '\n', (size_t)(buf + len - p))) != NULL; p = newline + 1) {
		uint64_t at = off + (uint64_t)(p - buf);

		if (!container_read(
			    u->kind, message, sizeof(message), p, (size_t)(newline - p), &piece))
			continue;
		/* Whether it begins a line or goes on with one that began before is not known. */
		if (!known[piece.stream])
			u->join.streams[piece.stream].skip = true;
		known[piece.stream] = true;
		container_add(&u->join, &piece, at, off + (uint64_t)(newline + 1 - buf),
			CONTAINER_LINE_MAX, &start);
	}
}

enum container unwrap_detect(struct unwrap *u, struct tail *t, char buf[static TAIL_BUFFER])
{
	const char *newline;
	size_t len;

	if (u->charset != NULL)
		return CONTAINER_NONE;
	len = tail_peek(t, buf, TAIL_BUFFER, 0);
	newline = memchr(buf, '\n', len);
	if (newline == NULL)
		return CONTAINER_NONE;
	settle_kind(u, t, buf, (size_t)(newline - buf), newline - buf > TAIL_RAW_MAX);
	return u->kind;
}

void unwrap_resume(struct unwrap *u, struct tail *t, char buf[static TAIL_BUFFER])
{
	uint64_t from = t->offset > CONTAINER_REACH ? t->offset - CONTAINER_REACH : 0;
	const char *first = buf, *newline;
	size_t len;

	if (u->charset != NULL || t->offset == 0)
		return;
	t->line_max = TAIL_LINE_MAX;
	u->join = (struct container_join) {0};
	if (unwrap_detect(u, t, buf) == CONTAINER_NONE)
		return;
	len = tail_peek(t, buf, (size_t)(t->offset - from), from);
	/* In the middle of a file the first line is the rest of one. */
	if (from > 0) {
		newline = memchr(buf, '\n', len);
		first = newline != NULL ? newline + 1 : buf + len;
	}
	learn(u, first, len - (size_t)(first - buf), from + (uint64_t)(first - buf));
}

void unwrap_follow(struct unwrap *u, const struct tail *before, char buf[static TAIL_BUFFER])
{
	struct tail end = *before;
	struct unwrap other = {.charset = u->charset};
	int64_t size = tail_size(before);

	if (size <= 0)
		return;
	end.offset = (uint64_t)size;
	unwrap_resume(&other, &end, buf);
	for (size_t i = 0; i < CONTAINER_STREAMS; i++)
		u->join.streams[i].skip |= other.join.streams[i].open || other.join.streams[i].skip;
}

/* What of a stream stands in the file from start to end, put together in message. */
static void gather(const struct unwrap *u, const struct tail *t, uint8_t stream, uint64_t start,
	uint64_t end, struct unwrap_line *ret)
{
	size_t want = end - start < sizeof(pieces) ? (size_t)(end - start) : sizeof(pieces);
	size_t len = tail_peek(t, pieces, want, start), at = 0;
	const char *p = pieces, *stop = pieces + len, *newline;
	struct container_piece piece;
	bool more = true;

	ret->cut |= want < end - start;
	for (; p < stop && more; p = newline + 1) {
		size_t room = CONTAINER_LINE_MAX - at;

		newline = memchr(p, '\n', (size_t)(stop - p));
		if (newline == NULL)
			newline = stop;
		if (!container_read(
			    u->kind, message + at, room, p, (size_t)(newline - p), &piece) ||
			piece.stream != stream)
			continue;
		ret->cut |= piece.cut || piece.len > room;
		if (piece.len > room)
			piece.len = room;
		/* Of a kind that needs no unescaping it is where it was. */
		memmove(message + at, piece.text, piece.len);
		at += piece.len;
		ret->has_time = true;
		ret->time_us = piece.time_us;
		more = piece.open && at < CONTAINER_LINE_MAX;
	}
	ret->text = message;
	ret->len = at;
}

static void take_piece(struct unwrap *u, const struct tail *t, const struct tail_line *line,
	const struct container_piece *p, unwrap_fn *fn, void *arg)
{
	struct unwrap_line out = {.text = p->text,
		.len = p->len,
		.off = line->off,
		.cut = p->cut,
		.has_time = true,
		.time_us = p->time_us};
	uint64_t start;

	switch (container_add(&u->join, p, line->off, line->end, CONTAINER_LINE_MAX, &start)) {
	case JOINED_NOTHING:
		return;
	case JOINED_ALONE:
		break;
	case JOINED_CUT:
		out.cut = true;
		gather(u, t, p->stream, start, line->end, &out);
		break;
	case JOINED_LINE:
		gather(u, t, p->stream, start, line->end, &out);
		break;
	}
	fn(arg, &out);
}

/* A line of an ordinary file, as it stands or from another encoding. */
static void take_plain(
	const struct unwrap *u, const struct tail_line *line, unwrap_fn *fn, void *arg)
{
	static const char mark[] = "\xef\xbb\xbf";
	struct unwrap_line out = {
		.text = line->text, .len = line->len, .off = line->off, .cut = line->cut};
	bool cut = false;

	if (u->charset != NULL) {
		out.text = message;
		out.len = charset_decode(u->charset, message, sizeof(message), line->text,
			line->len, line->off == 0, &cut);
		for (char *p = message;
			(p = memchr(p, '\n', out.len - (size_t)(p - message))) != NULL;)
			*p = ' ';
	} else if (line->off == 0 && line->len >= 3 && memcmp(line->text, mark, 3) == 0) {
		out.text += 3;
		out.len -= 3;
	}
	if (out.len > TAIL_LINE_MAX) {
		out.len = TAIL_LINE_MAX;
		cut = true;
	}
	out.cut |= cut;
	fn(arg, &out);
}

void unwrap_take(
	struct unwrap *u, struct tail *t, const struct tail_line *line, unwrap_fn *fn, void *arg)
{
	struct container_piece p;

	if (line->off == 0 && u->charset == NULL)
		settle_kind(u, t, line->text, line->len, line->cut);
	if (u->kind != CONTAINER_NONE && !line->cut &&
		container_read(u->kind, message, sizeof(message), line->text, line->len, &p)) {
		if (p.len > CONTAINER_LINE_MAX) {
			p.len = CONTAINER_LINE_MAX;
			p.cut = true;
		}
		take_piece(u, t, line, &p, fn, arg);
	} else {
		/* No runtime wrote that; judged as it stands it can hide nothing. */
		take_plain(u, line, fn, arg);
	}
}

bool unwrap_is_plain(const struct unwrap *u, const struct tail *t, uint64_t off)
{
	/* The first says what kind of file it is, and may begin with a mark. */
	return off > 0 && u->charset == NULL && u->kind == CONTAINER_NONE &&
	       t->line_max <= TAIL_LINE_MAX;
}

void unwrap_finish(struct unwrap *u, const struct tail *t, unwrap_fn *fn, void *arg)
{
	int64_t size = tail_size(t);

	for (size_t i = 0; i < CONTAINER_STREAMS; i++) {
		struct unwrap_line out = {0};

		if (!u->join.streams[i].open || size <= 0)
			continue;
		u->join.streams[i].open = false;
		out.off = u->join.streams[i].start;
		gather(u, t, (uint8_t)i, out.off, (uint64_t)size, &out);
		fn(arg, &out);
	}
}
