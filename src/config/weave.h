/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/buf.h"
#include "config/ini.h"

/* What one value may grow to and cost, whatever its parts say about each other. */
struct budget {
	size_t bytes, steps;
};

#define BUDGET_START                                                                               \
	{                                                                                          \
		.bytes = 4u << 20, .steps = 20000                                                  \
	}

/*
 * Lines under construction: pieces of one line and whole other values woven together, every
 * resulting line with the place that explains it best.
 */
struct weave {
	struct arena *arena;
	struct budget *budget;
	struct lines *lines; /* the finished ones go here */
	struct buf cur;
	struct where where;
};

void weave_begin(struct weave *w, struct where where);

/* 0, or -E2BIG when the budget is spent. */
int weave_add(struct weave *w, const char *s, size_t len);

/*
 * Puts a value in the place of cur[at..]; whole: nothing else stands on the line, so the place is
 * the value's own. Returns as weave_add.
 */
int weave_value(struct weave *w, size_t at, const struct lines *value, bool whole);

void weave_end(struct weave *w);
