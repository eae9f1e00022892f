/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/f2b_fail.h"
#include "match/regex.h"

/* A group that makes part of another value: alt_user_1 of user, tuple_id of fid. */
struct f2b_part {
	const char *group, *of;
	bool is_list; /* to be joined with the others, not to stand in for them */
};

/* One expression of a filter, and what it found last: fields, lines taken and lines left. */
struct f2b_search {
	const char *source;
	struct regex_engine *engine;
	struct regex *regex;
	const struct regex_group *groups;
	size_t n_groups;
	struct f2b_part *parts; /* alternatives first, then by name */
	size_t n_parts;
	struct f2b_tuples matched, unmatched;
};

/* Compiles; flags are pattern_flags. 0, or -EINVAL with the fault noted. */
int f2b_search_init(struct f2b_search *s, struct regex_engine *engine, struct arena *arena,
	const char *what, struct conf_text source, unsigned flags, struct faults *f);
void f2b_search_done(struct f2b_search *s);

/* Does it say, or the prefregex (or NULL), who it was? */
bool f2b_search_names(const struct f2b_search *s, const struct f2b_search *pref);

/*
 * Looks for it in the subject, which was made of lines or of something in their place. True fills
 * matched and unmatched with those of the lines that the match covers and the rest.
 */
bool f2b_search_find(
	struct f2b_search *s, const struct buf *subject, const struct f2b_tuples *lines);

/* What the groups of the regex found last captured: to be asked before anything else is searched.
 */
void f2b_search_fields(const struct f2b_search *s, const struct buf *subject, struct f2b_fail *ret);
