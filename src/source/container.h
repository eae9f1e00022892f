/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "config/ruleset.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What container runtimes make of what a program writes: one line of a file is a piece of one line
 * of the program's, with the time and the stream it came on.
 *
 *   Docker's json-file:
 * {"log":"message\n","stream":"stdout","time":"2026-11-20T07:12:49.123456789Z"} CRI (Kubernetes,
 * Podman's k8s-file):  2026-11-20T07:12:49.123456789+01:00 stdout F message
 */
enum container {
	CONTAINER_NONE, /* an ordinary log */
	CONTAINER_JSON,
	CONTAINER_CRI,
};

enum { CONTAINER_STDOUT, CONTAINER_STDERR, CONTAINER_STREAMS };

struct container_piece {
	const char *text; /* without its line end; in buf or borrowed from the line */
	size_t len;
	int64_t time_us; /* when the runtime got it */
	uint8_t stream;
	bool open; /* the program's line goes on in the next piece of this stream */
	bool cut;  /* buf was too small for all of it */
};

/* What the first line of a file says about the whole of it. */
enum container container_detect(const char *line, size_t len);

/*
 * Takes a line of a file of that kind apart; what has to be unescaped is written to buf. Of line
 * breaks within a message nothing remains but a blank. False: it is no such line, *ret is
 * untouched.
 */
bool container_read(enum container kind, char *buf, size_t size, const char *line, size_t len,
	struct container_piece *ret);

/*
 * When a message was written that has a date of its own: the runtime says when it got it, the date
 * when the program thinks it wrote it. Where both agree it is the program's. A clock in another
 * zone, or a date that somebody called himself, is no reason to doubt the runtime; but a program
 * may well repeat an old log, whose lines begin with dates of other days.
 */
int64_t container_time(int64_t runtime_us, int64_t own_us, size_t own_off);

/*
 * Is the filter made for lines as the runtime writes them (it names what is wrapped around the
 * message)? Then they are left as they are.
 */
bool container_is_meant(const struct filter_def *def);

/* "docker", "cri"; NULL for an ordinary log. */
const char *container_name(enum container kind);

/* Of a longer message the first so many bytes are judged: all its pieces must be within reach. */
#define CONTAINER_LINE_MAX 65536
#define CONTAINER_REACH                                                                            \
	(128 * 1024) /* bytes of a file that one program's line may be spread over */

/*
 * Puts pieces together without keeping them: it says where a line began, and the file is read again
 * from there. What it knows can be learnt from the file once more. {0} is a beginning.
 */
struct container_join {
	struct {
		uint64_t start; /* of the line under way, in the file */
		size_t len;     /* of its pieces so far */
		bool open;      /* there is one under way */
		bool skip;      /* its rest is not judged: it was handed on as far as it may be */
	} streams[CONTAINER_STREAMS];
};

enum container_joined {
	JOINED_NOTHING, /* more is to come, or it is the rest of what was handed on already */
	JOINED_ALONE,   /* the piece is a whole line */
	JOINED_LINE,    /* the pieces of its stream from *ret_start to this one are a line */
	JOINED_CUT,     /* they are as much of one as is judged */
};

/* Takes up the piece that stands at [off, end) in the file; max: how long a line may be. */
enum container_joined container_add(struct container_join *j, const struct container_piece *p,
	uint64_t off, uint64_t end, size_t max, uint64_t *ret_start);
