/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "config/ruleset.h"

/* The distinct log paths of all jails, and which jails read each: files are read once. */
struct pattern {
	const char *text; /* path or glob, borrowed from the ruleset */
	uint16_t *jails;
	size_t n_jails;
	bool tail; /* a file never seen before is read from its end (one jail asking suffices) */
};

struct patterns {
	struct pattern *items;
	const char **texts; /* the same order, for watch_new */
	size_t n;
};

/* 0 or -ENOMEM. */
int patterns_init(struct patterns *p, const struct ruleset *rs);
void patterns_done(struct patterns *p);
