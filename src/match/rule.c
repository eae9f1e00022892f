/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/rule.h"

#include "match/pattern.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum kind {
	KIND_FIELD,
	KIND_ALT,   /* alt_user_2 stands in for user where that is missing or empty */
	KIND_TUPLE, /* tuple_id_2 is added to id, which becomes a list */
	KIND_SKIPPED,
};

struct group {
	enum kind kind;
	unsigned number;
	const char *name;
	size_t slot;
};

struct rule {
	struct regex *regex;
	const char *source;
	unsigned flags;
	size_t n_pairs;
	struct needs needs;
	struct group *groups; /* alternatives and parts of tuples last, by their names */
	size_t n_groups;
	bool names_host, names_session;
	bool is_plain;  /* its groups are all fields */
	uint64_t slots; /* of those */
};

/* The field that alt_NAME_2 or tuple_NAME_2 is about. */
static size_t target(
	struct field_names *names, struct arena *arena, const char *group, size_t n_prefix)
{
	const char *base = group + n_prefix;
	const char *tail = strrchr(base, '_');
	size_t len = strlen(base);

	if (tail != NULL && tail > base && tail[1] != '\0' &&
		strspn(tail + 1, "0123456789") == strlen(tail + 1))
		len = (size_t)(tail - base);
	if (len == 2 && memcmp(base, "id", 2) == 0)
		return FIELD_ID;
	if (len == 4 && memcmp(base, "port", 4) == 0)
		return field_names_slot(names, arena, "fport", 5);
	return field_names_slot(names, arena, base, len);
}

static void sort_in(struct rule *r, struct group g)
{
	size_t i = r->n_groups++;

	for (; i > 0; i--) {
		const struct group *before = &r->groups[i - 1];

		if (before->kind < g.kind ||
			(before->kind == g.kind &&
				(g.kind == KIND_FIELD || strcmp(before->name, g.name) <= 0)))
			break;
		r->groups[i] = *before;
	}
	r->groups[i] = g;
}

static void read_groups(struct rule *r, struct arena *arena, struct field_names *names)
{
	size_t n;
	const struct regex_group *groups = regex_groups(r->regex, &n);

	r->groups = arena_array(arena, n, sizeof(*r->groups));
	r->is_plain = true;
	for (size_t i = 0; i < n; i++) {
		const char *name = groups[i].name;
		struct group g = {.number = groups[i].number, .name = name};

		if (strncmp(name, "alt_", 4) == 0 && name[4] != '\0') {
			g.kind = KIND_ALT;
			g.slot = target(names, arena, name, 4);
		} else if (strncmp(name, "tuple_", 6) == 0 && name[6] != '\0') {
			g.kind = KIND_TUPLE;
			g.slot = target(names, arena, name, 6);
		} else if (strncmp(name, "skiplines", 9) == 0) {
			g.kind = KIND_SKIPPED;
		} else {
			g.slot = field_names_slot(names, arena, name, strlen(name));
		}
		r->names_session |= g.kind != KIND_SKIPPED && g.slot == FIELD_MLFID;
		r->names_host |= g.kind != KIND_SKIPPED && g.slot <= FIELD_DNS;
		if (g.kind == KIND_SKIPPED || g.slot < FIELDS_MAX)
			sort_in(r, g);
		r->is_plain &= g.kind == KIND_FIELD;
		if (g.kind == KIND_FIELD && g.slot < FIELDS_MAX)
			r->slots |= UINT64_C(1) << g.slot;
	}
}

int rule_new(struct rule **ret, struct arena *arena, struct field_names *names, const char *what,
	const struct conf_text *source, unsigned flags, struct faults *f)
{
	struct rule *r;
	struct regex *regex;

	/* An empty one is found everywhere; nobody means that. */
	if (source->text[strspn(source->text, " \t\r\n")] == '\0') {
		fault_add(f, FAULT_ERROR, source->where, "%s: empty; leave the line out", what);
		return -EINVAL;
	}
	if (regex_new(&regex, arena, what, source, flags | PATTERN_UTF8, f) < 0)
		return -EINVAL;
	r = arena_alloc(arena, sizeof(*r));
	r->regex = regex;
	r->source = arena_strdup(arena, source->text);
	r->flags = flags;
	r->n_pairs = regex_count(regex) + 1;
	if (needs_of(&r->needs, arena, source->text, flags) < 0)
		r->needs = (struct needs) {0};
	read_groups(r, arena, names);
	*ret = r;
	return 0;
}

void rule_free(struct rule *r)
{
	if (r != NULL)
		regex_free(r->regex);
}

int rule_fit(const struct rule *r, struct regex_engine *e)
{
	return regex_engine_fit(e, r->regex);
}

bool rule_names_host(const struct rule *r)
{
	return r->names_host || r->names_session;
}

bool rule_names_session(const struct rule *r)
{
	return r->names_session;
}

const struct needs *rule_needs(const struct rule *r)
{
	return &r->needs;
}

bool rule_same(const struct rule *a, const struct rule *b)
{
	return a == b || (a->flags == b->flags && strcmp(a->source, b->source) == 0);
}

size_t rule_n_pairs(const struct rule *r)
{
	return r->n_pairs;
}

bool rule_find(const struct rule *r, struct regex_engine *e, struct span text)
{
	return regex_find(e, r->regex, text.text, text.len);
}

static struct span captured(const size_t *pairs, struct span text, unsigned number)
{
	size_t start = pairs[2 * number], end = pairs[2 * number + 1];

	if (start == SIZE_MAX || end < start)
		return (struct span) {NULL, 0};
	return (struct span) {text.text + start, end - start};
}

/* A byte as it stands in quotes; returns the length. */
static size_t quoted(char c, char quote, char piece[static 5])
{
	static const char hex[] = "0123456789abcdef";
	const char *named = c == '\n' ? "\\n" : c == '\r' ? "\\r" : c == '\t' ? "\\t" : NULL;

	if (named != NULL) {
		memcpy(piece, named, 2);
		return 2;
	}
	if ((unsigned char)c < 0x20 || c == 0x7f) {
		piece[0] = '\\';
		piece[1] = 'x';
		piece[2] = hex[(unsigned char)c >> 4];
		piece[3] = hex[c & 15];
		return 4;
	}
	piece[0] = '\\';
	piece[c == '\\' || c == quote] = c;
	return c == '\\' || c == quote ? 2 : 1;
}

/*
 * Adds one part to the list, in quotes as Python writes them, so that no part can pass for two;
 * there is room for 16 bytes at least. One that is too long is cut.
 */
static size_t add_part(char *tuple, size_t at, struct span part)
{
	static const char none[] = {'N', 'o', 'n', 'e'};
	char piece[5], quote = '\'';
	size_t n;

	if (part.text == NULL) {
		memcpy(tuple + at, none, sizeof(none));
		return at + sizeof(none);
	}
	if (memchr(part.text, '\'', part.len) != NULL && memchr(part.text, '"', part.len) == NULL)
		quote = '"';
	tuple[at++] = quote;
	for (size_t i = 0; i < part.len; i++) {
		n = quoted(part.text[i], quote, piece);
		if (at + n > RULE_TUPLE_MAX - 3)
			break;
		memcpy(tuple + at, piece, n);
		at += n;
	}
	tuple[at++] = quote;
	return at;
}

/* "('a', 'b')": what was captured so far, and each further part. */
static void take_tuples(const struct rule *r, const size_t *pairs, struct span text, size_t slot,
	struct fields *now, char *tuple)
{
	size_t at = 0;

	tuple[at++] = '(';
	at = add_part(tuple, at, now->v[slot]);
	for (size_t i = 0; i < r->n_groups; i++) {
		const struct group *g = &r->groups[i];

		if (g->kind != KIND_TUPLE || g->slot != slot || at + 18 > RULE_TUPLE_MAX)
			continue;
		tuple[at++] = ',';
		tuple[at++] = ' ';
		at = add_part(tuple, at, captured(pairs, text, g->number));
	}
	tuple[at++] = ')';
	now->v[slot] = (struct span) {tuple, at};
}

/* Each group for itself; of those with one name the one that took part counts. */
static void take_plain(
	const struct rule *r, const size_t *pairs, struct span text, struct fields *fields)
{
	uint64_t set = 0, gone;

	for (size_t i = 0; i < r->n_groups; i++) {
		const struct group *g = &r->groups[i];
		struct span s = captured(pairs, text, g->number);

		if (s.text == NULL)
			continue;
		fields->v[g->slot] = s;
		set |= UINT64_C(1) << g->slot;
	}
	gone = fields->set & r->slots & ~set;
	fields->set = (fields->set & ~r->slots) | set;
	while (gone != 0)
		fields->v[fields_next(&gone)] = (struct span) {NULL, 0};
}

void rule_take(const struct rule *r, const size_t *pairs, struct span text, struct fields *fields,
	char *tuple)
{
	struct fields now;
	uint64_t declared = 0;
	bool has_tuple = false;

	if (r->is_plain) {
		take_plain(r, pairs, text, fields);
		return;
	}
	for (size_t i = 0; i < r->n_groups; i++) {
		const struct group *g = &r->groups[i];
		uint64_t bit = UINT64_C(1) << g->slot;
		struct span s;

		if (g->kind == KIND_SKIPPED)
			continue;
		if ((declared & bit) == 0)
			now.v[g->slot] = (struct span) {NULL, 0};
		if (g->kind != KIND_TUPLE)
			s = captured(pairs, text, g->number);
		if (g->kind == KIND_FIELD) {
			/* One name may stand for several groups; the one that took part counts. */
			if (s.text != NULL)
				now.v[g->slot] = s;
			declared |= bit;
		} else if (g->kind == KIND_ALT && span_given(s) && !span_given(now.v[g->slot])) {
			now.v[g->slot] = s;
			declared |= bit;
		} else if (g->kind == KIND_TUPLE && !has_tuple) {
			take_tuples(r, pairs, text, g->slot, &now, tuple);
			has_tuple = true;
			declared |= bit;
		}
	}
	while (declared != 0) {
		size_t slot = fields_next(&declared);

		fields_put(fields, slot, now.v[slot]);
	}
}

size_t rule_skipped(
	const struct rule *r, const size_t *pairs, struct span text, struct span *ret, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n_groups && n < max; i++) {
		struct span s;

		if (r->groups[i].kind != KIND_SKIPPED)
			continue;
		s = captured(pairs, text, r->groups[i].number);
		if (s.text != NULL)
			ret[n++] = s;
	}
	return n;
}
