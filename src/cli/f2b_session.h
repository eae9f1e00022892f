/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/f2b_search.h"

#define F2B_SESSIONS 100

/* What lines of one session id (<F-MLFID>) said so far. {0}: none is under way. */
struct f2b_sessions {
	struct f2b_session {
		char *id;
		struct f2b_fail *fail;
	} items[F2B_SESSIONS]; /* the oldest first; beyond so many it is forgotten */
	size_t n;
};

/*
 * Merges a line's failure (taken over) into its session's. lines are those of the match, to be kept
 * with it. Returns the merged one, which lives until its session is forgotten or, for one that is
 * kept in none, in *own.
 */
struct f2b_fail *f2b_session_merge(struct f2b_sessions *s, struct f2b_fail *line,
	const struct f2b_tuples *lines, struct f2b_fail *own);
void f2b_sessions_done(struct f2b_sessions *s);
