/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Messages out of a stream of bytes (RFC 6587). Each frame tells of itself how it ends: one that
 * begins with a count, a blank and '<' ("57 <38>1 ...", 3.4.1) is so many bytes behind the blank;
 * any other goes up to the next LF or NUL (3.4.2). What is empty is no message. A count that is
 * absurd is not believed: the frame ends with its line then.
 */

#define FRAME_COUNT_MAX 10000000 /* more than that is absurd */

/* What all streams share that are read in turn. */
struct frames_room {
	/*
	 * What is kept of frames that are not whole yet: up to FRAMES_SMALL bytes each stream may
	 * have, all beyond together no more than max.
	 */
	size_t max, used;
};

#define FRAMES_SMALL 4096

/* Where one stream is between two reads. 24 bytes, and of a frame that has begun what has come. */
struct frames {
	char *kept; /* NULL: nothing */
	uint32_t n_kept, room;
	uint32_t left; /* of a counted frame: bytes still to come */
	uint8_t state; /* 0: between frames */
};

/* A frame without its count or end; "\r" of "\r\n" is still there. cut: it was longer. */
typedef void frames_fn(void *arg, const char *msg, size_t len, bool cut);

/*
 * Takes what has come, and hands on each frame that is whole, or longer than TAIL_LINE_MAX: of that
 * so much, as soon as it is there. Returns how many counts were absurd. Whatever the bytes, where
 * they are cut into reads does not matter, unless there is no more room for a frame (it is cut
 * then).
 */
size_t frames_take(struct frames *f, struct frames_room *room, const char *data, size_t len,
	frames_fn *fn, void *arg);

/*
 * The stream is at its end: a last line is handed on, if nothing says that bytes were lost
 * (in_order). Returns false if a frame is dropped that was not whole. Afterwards it is as new.
 */
bool frames_end(
	struct frames *f, struct frames_room *room, bool in_order, frames_fn *fn, void *arg);

/* Forgets all, to be as new. */
void frames_done(struct frames *f, struct frames_room *room);

/*
 * Goes on where another was: a new stream with its state and left, after which its kept bytes are
 * taken. 0, or -EINVAL for what cannot have been.
 */
int frames_resume(struct frames *f, uint8_t state, uint32_t left, size_t n_kept);
