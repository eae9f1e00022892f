/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/addr.h"
#include "base/buf.h"
#include "base/fault.h"
#include "config/ruleset.h"

/*
 * A filter ready to judge lines: PCRE2 with JIT, limits on match, depth and heap; and the sessions
 * (<F-MLFID>) under way. One a jail. Texts are taken for UTF-8, and what is none in them is
 * replaced, so that a regex sees the characters that Python would.
 */
struct filter;

/* The last lines of one source, for a filter with maxlines above 1. */
struct window;

enum verdict {
	VERDICT_MISS,    /* no failregex matched */
	VERDICT_IGNORED, /* an ignoreregex matched */
	VERDICT_NOFAIL,  /* matched, but is no failure by itself (<F-NOFAIL>, or nobody named) */
	VERDICT_MATCH,   /* a failure of ret->addr (or of a host name) */
};

#define MATCH_FIELDS_MAX 32
#define MATCH_USERS_MAX 8
#define MATCH_COUNT_MAX 1000

struct match_field {
	const char *name; /* "user": as in <F-USER>, lower case; owned by the filter */
	const char *value;
	size_t len;
};

/* All that is borrowed here lives until the filter judges its next line. */
struct match {
	bool has_addr; /* addr is set: whom the wall can drop */
	struct addr addr;
	uint8_t prefix_len; /* 128, or that of a block (<CIDR>), in the 128-bit space */
	const char
		*host; /* whom the line means, as it is written: address, name or <F-ID>; or NULL */
	size_t host_len;
	bool is_name;   /* host is a name to look up; has_addr is false */
	bool is_id;     /* host is an <F-ID> other than the address */
	unsigned count; /* failures this line stands for: <F-COUNT>, else 1; at most MATCH_COUNT_MAX
			 */
	bool in_session;   /* the line is one of several that tell of a failure (<F-MLFID>) */
	unsigned attempts; /* how many of them led to this one */
	unsigned regex;    /* which failregex, from 0; of an ignored line, which ignoreregex */
	struct match_field fields[MATCH_FIELDS_MAX];
	size_t n_fields;
	struct match_field users[MATCH_USERS_MAX]; /* all that the session tried; name is "users" */
	size_t n_users;
};

/* Things that went wrong while matching; nothing is lost in silence. */
struct filter_stats {
	uint64_t limit_hits;  /* a regex met its limits on a line: the line was not judged by it */
	uint64_t jit_retries; /* judged again by the interpreter */
	uint64_t sessions_lost; /* sessions that newer ones pushed out */
	uint64_t no_memory;     /* lines not judged */
};

/*
 * Compiles a definition. Faults (bad regex with its place and column, none that captures an
 * address ...) go to f. Returns 0, or -EINVAL with *ret untouched.
 */
int filter_new(struct filter **ret, const struct filter_def *def, struct faults *f);

/*
 * Another of the same definition, with sessions of its own and the regexes of the first, which has
 * to outlive it. 0 or -ENOMEM.
 */
int filter_new_like(struct filter **ret, const struct filter *first);
void filter_free(struct filter *f);

/*
 * For tools that tell what fail2ban would say: sessions as few as it keeps, and mixed up as it
 * mixes them (see ARCHITECTURE). Before the first line.
 */
void filter_imitate(struct filter *f);

/* The lines that a match may reach over; with more than 1 filter_judge wants a window. */
unsigned filter_maxlines(const struct filter *f);

/* Does a line in which nothing is found do no more to the window than to go into it? */
bool filter_leaves_window(const struct filter *f);

/*
 * Judges one line whose date has been cut out (as fail2ban does: what stood before and after it
 * joined). w: the window of its source, NULL where maxlines is 1. now_us: the clock by which
 * sessions end. A line break at its end is not part of it.
 */
enum verdict filter_judge(struct filter *f, struct window *w, const char *text, size_t len,
	int64_t now_us, struct match *ret);

/* What the regexes say of a line by themselves (search.h). */
struct found;

/*
 * What becomes of what was found in a line, with what is known of its session: the second half of
 * filter_judge, but for what only some want to know (filter_tell). found is changed; the match
 * borrows from it.
 */
enum verdict filter_conclude(
	struct filter *f, struct found *found, int64_t now_us, struct match *ret);

/* Adds the fields of a VERDICT_MATCH or _NOFAIL, and of the latter who the line means. */
void filter_tell(const struct filter *f, const struct found *found, struct match *m);

/*
 * What the failregexes looked at in the line judged last: all that was searched, or what prefregex
 * left of it (<F-CONTENT>); for who wants to know why nothing matched. NULL: it never came to them.
 * Lives as long as the match.
 */
const char *filter_looked_at(const struct filter *f, size_t *ret_len);

/*
 * The sessions under way, for a filter that goes on from here; nothing is added when there are
 * none. 0 or -ENOMEM.
 */
int filter_save(const struct filter *f, struct buf *ret);

/* Takes over what another filter saved. 0, or -EINVAL: it makes no sense from some place on. */
int filter_load(struct filter *f, const void *data, size_t len);

const struct filter_stats *filter_stats(const struct filter *f);

/* Adds what a search elsewhere has counted (search_take_stats). */
void filter_add_stats(struct filter *f, const struct filter_stats *more);
