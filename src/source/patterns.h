/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/fault.h"
#include "config/ruleset.h"
#include "source/charset.h"

/* The distinct log paths of all jails, and which jails read each: files are read once. */
struct pattern {
	const char *text; /* path or glob, borrowed from the ruleset */
	uint16_t *jails;
	size_t n_jails;
	bool tail; /* a file never seen before is read from its end (one jail asking suffices) */
	const struct charset *charset; /* NULL: its bytes as they are */
	bool as_is; /* one of its filters is made for what container runtimes write: see container.h
		     */
	const char *charset_jail; /* whose logencoding that is: the first that names one */
};

struct patterns {
	struct pattern *items;
	const char **texts; /* the same order, for watch_new */
	size_t n;
	struct encoding *encodings; /* those that jails name */
	size_t n_encodings;
};

struct encoding {
	const char *name; /* borrowed from the ruleset */
	struct charset *charset;
};

/* 0, -EINVAL with the fault noted (an encoding nobody knows), or -ENOMEM. */
int patterns_init(struct patterns *p, const struct ruleset *rs, struct faults *f);
void patterns_done(struct patterns *p);
