/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/addr.h"
#include "base/fault.h"
#include "config/ruleset.h"

/* A filter ready to judge lines: PCRE2 with JIT, byte mode, limits on match, depth and heap. */
struct filter;

enum verdict {
	VERDICT_MISS,    /* no failregex matched */
	VERDICT_IGNORED, /* an ignoreregex matched */
	VERDICT_NOFAIL,  /* matched, but is no failure by itself (<F-NOFAIL>, or nobody named) */
	VERDICT_MATCH,   /* a failure of ret->addr (or of a host name) */
};

#define MATCH_FIELDS_MAX 16

struct match_field {
	const char *name; /* "user": as in <F-USER>, lower case; owned by the filter */
	const char *value;
	size_t len; /* value borrows from the line */
};

struct match {
	bool has_addr; /* addr is set: the host was written as an address */
	struct addr addr;
	const char *host; /* as it stands in the line, borrowed; NULL if the regex has none */
	size_t host_len;
	unsigned count; /* failures this line stands for: <F-COUNT>, else 1; 1 to 1000 */
	unsigned regex; /* which failregex, from 0 */
	struct match_field fields[MATCH_FIELDS_MAX];
	size_t n_fields;
};

/* Things that went wrong while matching; nothing is lost in silence. */
struct filter_stats {
	uint64_t limit_hits;  /* a regex met its limits on a line: the line was not judged by it */
	uint64_t jit_retries; /* judged again by the interpreter */
};

/*
 * Compiles a definition. Faults (bad regex with its place and column, none that captures an
 * address ...) go to f. Returns 0, or -EINVAL with *ret untouched.
 */
int filter_new(struct filter **ret, const struct filter_def *def, struct faults *f);
void filter_free(struct filter *f);

/*
 * Judges one line whose date has been cut out (as fail2ban does: what stood before and after it
 * joined). The match borrows from text, which must live as long.
 */
enum verdict filter_judge(struct filter *f, const char *text, size_t len, struct match *ret);

const struct filter_stats *filter_stats(const struct filter *f);
