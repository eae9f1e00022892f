/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "match/filter.h"
#include "match/rule.h"
#include "match/search.h"

/* How a filter is held: shared by filter.c, search.c, sieve.c and batch.c alone. */

struct filter {
	struct arena *arena; /* NULL: the regexes are another's */
	struct field_names names;
	struct rule *pref; /* or NULL */
	struct rule **fail;
	size_t n_fail;
	struct rule **ignore;
	size_t n_ignore;
	unsigned maxlines;
	bool has_sessions;         /* some regex has <F-MLFID> */
	struct sessions *sessions; /* if so */
	struct search *search;     /* for filter_judge */
	/* What changes with each line stays off the cache lines that other threads read. */
	char apart[64];
	struct filter_stats stats;
	struct span looked_at; /* by the failregexes, of the line judged last; text NULL: nothing */
	char end[64];
};
