/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stream cut at any places gives the same messages as in one piece, also when it changes hands
 * in between; with little room no byte comes twice.
 */
#include "source/frames.h"
#include "source/tail.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STRETCHED 262144 /* some frames longer than what is judged */

/* What was handed on, all in one. */
struct heard {
	char *text;
	size_t len, size, n, absurd;
	bool dropped;
};

static void put(struct heard *h, const void *p, size_t n)
{
	if (h->len + n > h->size) {
		h->size = (h->len + n) * 2;
		h->text = realloc(h->text, h->size);
		if (h->text == NULL)
			abort();
	}
	memcpy(h->text + h->len, p, n);
	h->len += n;
}

static void on_frame(void *arg, const char *msg, size_t len, bool cut)
{
	struct heard *h = arg;

	if (len == 0 || len > TAIL_LINE_MAX)
		abort();
	put(h, &len, sizeof(len));
	put(h, &cut, sizeof(cut));
	put(h, msg, len);
	h->n++;
}

/* As one guard hands a stream to the next. */
static void change_hands(struct frames *f, struct frames_room *room, struct heard *h)
{
	struct frames next;
	char *kept = malloc(f->n_kept + 1);
	size_t n = f->n_kept;

	if (kept == NULL || frames_resume(&next, f->state, f->left, n) < 0)
		abort();
	if (n > 0)
		memcpy(kept, f->kept, n);
	frames_done(f, room);
	*f = next;
	if (n > 0)
		h->absurd += frames_take(f, room, kept, n, on_frame, h);
	free(kept);
}

/* In pieces whose lengths come from how; in one for NULL. */
static void run(
	struct heard *h, const uint8_t *how, size_t n_how, size_t max, const char *text, size_t len)
{
	struct frames_room room = {.max = max};
	struct frames f = {0};

	for (size_t at = 0, i = 0; at < len; i++) {
		size_t n = n_how > 0 ? how[i % n_how] & 0x7f : len;
		char *piece;

		if (n == 0)
			n = 1000;
		if (n > len - at)
			n = len - at;
		piece = malloc(n);
		if (piece == NULL)
			abort();
		memcpy(piece, text + at, n);
		h->absurd += frames_take(&f, &room, piece, n, on_frame, h);
		free(piece);
		at += n;
		if (n_how > 0 && (how[i % n_how] & 0x80) != 0)
			change_hands(&f, &room, h);
	}
	h->dropped = !frames_end(&f, &room, true, on_frame, h);
	if (f.kept != NULL || room.used != 0)
		abort();
}

/* Repeats what stands there, so that a short input has long frames. */
static char *stretch(const uint8_t *data, size_t size, size_t times, size_t *ret_len)
{
	char *text = malloc(size * times + 1);

	if (text == NULL)
		abort();
	for (size_t i = 0; i < times; i++)
		memcpy(text + i * size, data, size);
	*ret_len = size * times;
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct heard whole = {0}, pieces = {0}, cramped = {0};
	size_t n_how, len;
	char *text;

	if (size < 2 || size < 2 + (size_t)data[0] % 16)
		return 0;
	n_how = data[0] % 16 + 1;
	text = stretch(data + 1 + n_how, size - 1 - n_how,
		data[0] / 16 == 15 ? STRETCHED / size : 1, &len);
	run(&whole, NULL, 0, SIZE_MAX, text, len);
	run(&pieces, data + 1, n_how, SIZE_MAX, text, len);
	if (whole.n != pieces.n || whole.len != pieces.len || whole.absurd != pieces.absurd ||
		whole.dropped != pieces.dropped ||
		(whole.len > 0 && memcmp(whole.text, pieces.text, whole.len) != 0))
		abort();
	run(&cramped, data + 1, n_how, 0, text, len);
	if (cramped.len > len + cramped.n * (sizeof(size_t) + sizeof(bool)))
		abort();
	free(text);
	free(whole.text);
	free(pieces.text);
	free(cramped.text);
	return 0;
}
