/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "source/charset.h"
#include "source/container.h"
#include "source/tail.h"

/*
 * From a file's lines to the lines that were logged: other encodings become UTF-8, what container
 * runtimes wrap around a message is taken off, and its pieces are put together. Nothing is kept
 * between lines but where the pieces began.
 *
 * What kind of file it is says its beginning, once and for all of it: whoever can write into an
 * ordinary log cannot make it look like a container's by a line further on.
 */
struct unwrap {
	const struct charset *named; /* as configured; borrowed */
	bool as_is;                  /* as configured: what runtimes wrap around a message stays */
	const struct charset *charset;
	enum container kind;
	struct container_join join;
	bool looked; /* at the file's beginning */
};

/* One line that was logged. */
struct unwrap_line {
	const char *text;
	size_t len;   /* TAIL_LINE_MAX at most */
	uint64_t off; /* of what completed it, in the file */
	bool cut;     /* it was longer */
	bool has_time;
	int64_t time_us; /* when the container's runtime got it */
};

typedef void unwrap_fn(void *arg, const struct unwrap_line *line);

/*
 * Looks at the file's beginning before any of it is read, and again when it was begun anew: how its
 * lines are told apart, and whether it is a log at all. Returns NULL if it is, else what it is
 * instead ("gzip", "journal"; "binary" only if that is to be looked for). While nothing stands
 * there yet looked remains false.
 */
const char *unwrap_look(struct unwrap *u, struct tail *t, bool may_be_binary);

/* What kind of file it is, by its first line; buf is to work in. */
enum container unwrap_detect(struct unwrap *u, struct tail *t, char buf[static TAIL_BUFFER]);

/*
 * When reading goes on in the middle: what kind of file it is, and which lines are under way there.
 */
void unwrap_resume(struct unwrap *u, struct tail *t, char buf[static TAIL_BUFFER]);

/*
 * A file that goes on where another ended (rotation): what was under way there is the same here. To
 * be called before the first line is read.
 */
void unwrap_follow(struct unwrap *u, const struct tail *before, char buf[static TAIL_BUFFER]);

/* Takes a line of the file and hands on what was logged, if it is complete now. */
void unwrap_take(
	struct unwrap *u, struct tail *t, const struct tail_line *line, unwrap_fn *fn, void *arg);

/* Is a line that begins there handed on as it stands, whatever it is? */
bool unwrap_is_plain(const struct unwrap *u, const struct tail *t, uint64_t off);

/* The lines still under way, for a file to which nothing comes any more. */
void unwrap_finish(struct unwrap *u, const struct tail *t, unwrap_fn *fn, void *arg);
