/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "source/charset.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A log at hand as chunks of whole lines: unpacked, other encodings made UTF-8, what container
 * runtimes wrap around a message taken off, all as the daemon does it with the files it follows.
 */
struct feed;

#define FEED_CHUNK (256 * 1024) /* bytes of the log, unpacked, that a chunk is about */

/* {0} is an empty one, to be filled as often as one likes. Many of them may be of one feed. */
struct chunk {
	char *text; /* lines, each with its LF, also the last */
	size_t len, room;
	int64_t *times;             /* when a container's runtime got each line, 0: nobody says */
	size_t n_times, times_room; /* n_times 0: nobody says of any */
};

void chunk_done(struct chunk *c);

struct feed_conf {
	const struct charset *charset; /* NULL: UTF-8, or what the file's beginning says */
	bool as_is;                    /* what container runtimes wrap around lines stays */
};

/*
 * Takes over fd (file or pipe) and looks at its beginning. 0, -errno of the read (see unpack_read),
 * or -EMEDIUMTYPE with *ret_unfit, what it is instead of a log ("binary").
 */
int feed_open(struct feed **ret, int fd, const struct feed_conf *conf, const char **ret_unfit);

/* Closes. Takes NULL. */
void feed_close(struct feed *f);

/*
 * The next lines, at least one. 1, 0 at the end, -ENOMEM, or as unpack_read, after all whole lines
 * before that were given; a torn last one is not. Lines longer than TAIL_LINE_MAX may stand in it,
 * of which so many bytes count.
 */
int feed_next(struct feed *f, struct chunk *ret);

/* How many bytes of the file itself were read. */
uint64_t feed_taken(const struct feed *f);

/*
 * How many lines could not be put together, as a runtime tore them into pieces too far apart: of
 * what is packed or comes by a pipe only the last TAIL_BUFFER bytes are there to be read again.
 */
uint64_t feed_torn(const struct feed *f);
