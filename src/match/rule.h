/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "match/fields.h"
#include "match/needs.h"
#include "match/regex.h"

#include <stdint.h>

/* One regex of a filter, and what its groups are for. */
struct rule;

#define RULE_TUPLE_MAX 1024

/*
 * Compiles it; its groups get their slots in names. what: "failregex", for messages; flags: enum
 * pattern_flags. 0, or -EINVAL with the fault noted.
 */
int rule_new(struct rule **ret, struct arena *arena, struct field_names *names, const char *what,
	const struct conf_text *source, unsigned flags, struct faults *f);
void rule_free(struct rule *r);

/* Makes room for what it captures; before it is searched for. 0 or -ENOMEM. */
int rule_fit(const struct rule *r, struct regex_engine *e);

/* Does it capture somebody to blame, or a session that may? */
bool rule_names_host(const struct rule *r);

/* Does it capture a session's id? */
bool rule_names_session(const struct rule *r);

/* What a text has in it in which it is found. */
const struct needs *rule_needs(const struct rule *r);

/* Is it found in the text? */
bool rule_find(const struct rule *r, struct regex_engine *e, struct span text);

/* Are both the same expression, found in the same texts by the same groups? */
bool rule_same(const struct rule *a, const struct rule *b);

/* How many pairs of offsets say what it captured (regex_pairs). */
size_t rule_n_pairs(const struct rule *r);

/*
 * What it captured when found, laid over what `fields` has: a group of this rule that took no part
 * takes its value away. tuple: RULE_TUPLE_MAX bytes for values put together (tuple_id ...).
 */
void rule_take(const struct rule *r, const size_t *pairs, struct span text, struct fields *fields,
	char *tuple);

/* The groups of <SKIPLINES> that took part; returns how many, at most max. */
size_t rule_skipped(
	const struct rule *r, const size_t *pairs, struct span text, struct span *ret, size_t max);
