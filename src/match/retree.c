/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/retree_priv.h"

#include "base/util.h"

#include <errno.h>
#include <string.h>

#define DEPTH_MAX 100
#define QUANTIFIERS_MAX 4 /* one after the other */
#define NODES_MAX 20000
#define REPEAT_MAX 65535

struct retree_node *retree_give_up(struct retree_parser *p)
{
	p->failed = true;
	p->at = p->len;
	return NULL;
}

struct retree_node *retree_node_new(struct retree_parser *p, enum retree_kind kind, size_t off)
{
	struct retree_node *n;

	if (++p->n_nodes > NODES_MAX)
		return retree_give_up(p);
	n = arena_alloc(p->arena, sizeof(*n));
	n->kind = kind;
	n->off = off;
	n->len = p->at - off;
	return n;
}

/* A number; -1 when there is none. */
static long number(struct retree_parser *p)
{
	long n = -1;

	for (int c = retree_peek(p, 0); c >= '0' && c <= '9'; c = retree_peek(p, 0)) {
		n = (n < 0 ? 0 : n) * 10 + (c - '0');
		p->at++;
		if (n > REPEAT_MAX) {
			retree_give_up(p);
			return -1;
		}
	}
	return n;
}

/* The name up to `end`, which is skipped; NULL when there is none. */
static const char *name(struct retree_parser *p, char end)
{
	const char *from = p->text + p->at;
	const char *to = memchr(from, end, p->len - p->at);

	if (to == NULL || to == from) {
		retree_give_up(p);
		return NULL;
	}
	/* "(?<*" begins no name. */
	for (const char *c = from; c < to; c++) {
		if (*c != '_' && (*c < '0' || *c > '9') && ((*c | 32) < 'a' || (*c | 32) > 'z')) {
			retree_give_up(p);
			return NULL;
		}
	}
	p->at += (size_t)(to - from) + 1;
	return arena_strndup(p->arena, from, (size_t)(to - from));
}

static struct retree_node *backref(struct retree_parser *p, const struct retree_flags *f,
	const char *group, long num, size_t off)
{
	struct retree_node *n;

	if (group == NULL && num <= 0)
		return retree_give_up(p);
	n = retree_node_new(p, RETREE_BACK, off);
	if (n == NULL)
		return NULL;
	n->name = group;
	n->number = group == NULL ? (unsigned)num : 0;
	n->is_nocase = f->nocase;
	return n;
}

/* "\1", "\g{1}", "\k<name>": at the character behind the backslash. */
static struct retree_node *reference(
	struct retree_parser *p, const struct retree_flags *f, size_t off)
{
	int c = retree_peek(p, 0);
	const char *group = NULL;
	long num = -1;
	int q;

	if (c >= '1' && c <= '9')
		return backref(p, f, NULL, number(p), off);
	p->at++;
	q = retree_peek(p, 0);
	if (c == 'g' && q >= '1' && q <= '9')
		return backref(p, f, NULL, number(p), off);
	if (q != '{' && (c == 'g' || (q != '<' && q != '\'')))
		return retree_give_up(p);
	p->at++;
	if (retree_peek(p, 0) >= '1' && retree_peek(p, 0) <= '9') {
		num = number(p);
		if (!retree_skip(p, "}"))
			return retree_give_up(p);
	} else {
		group = name(p, q == '{' ? '}' : q == '<' ? '>' : '\'');
		if (group == NULL)
			return NULL;
	}
	return backref(p, f, group, num, off);
}

/* Three octal digits, or a leading 0, are a byte; but not if there are as many groups. */
static bool is_octal(const struct retree_parser *p)
{
	unsigned value = 0;

	for (size_t i = 0; i < 3; i++) {
		int c = retree_peek(p, i);

		if (c < '0' || c > (i == 0 ? '3' : '7'))
			return false;
		value = value * 10 + (unsigned)(c - '0');
	}
	return value > p->n_groups;
}

static struct retree_node *escape(struct retree_parser *p, const struct retree_flags *f)
{
	size_t off = p->at++;
	int c = retree_peek(p, 0);
	struct retree_node *n;
	struct byteset s;

	if (retree_escaped_set(c, &s)) {
		p->at++;
		/* "\N{U+41}" is a character. */
		if (c == 'N' && retree_peek(p, 0) == '{' &&
			(retree_peek(p, 1) < '0' || retree_peek(p, 1) > '9'))
			return retree_give_up(p);
		n = retree_node_new(p, RETREE_SET, off);
		if (n != NULL) {
			n->set = s;
			n->is_open = true;
		}
		return n;
	}
	if (c > 0 && strchr("bBAzZGK", c) != NULL) {
		p->at++;
		return retree_node_new(p, RETREE_EDGE, off);
	}
	if (c == 'R') {
		p->at++;
		return retree_literal(p, f, '\n', off);
	}
	if ((c >= '1' && c <= '9' && !is_octal(p)) || c == 'g' || c == 'k')
		return reference(p, f, off);
	c = retree_escaped_byte(p);
	return c >= 0 ? retree_literal(p, f, c, off) : retree_give_up(p);
}

static struct retree_node *alternatives(struct retree_parser *p, struct retree_flags *f);

/* The rest of a group up to its ")", as the child of a node of that kind. */
static struct retree_node *group_rest(
	struct retree_parser *p, const struct retree_flags *f, enum retree_kind kind, size_t off)
{
	struct retree_flags inner = *f;
	struct retree_node *child, *n;

	if (++p->depth > DEPTH_MAX)
		return retree_give_up(p);
	child = alternatives(p, &inner);
	p->depth--;
	if (child == NULL || !retree_skip(p, ")"))
		return retree_give_up(p);
	n = retree_node_new(p, kind, off);
	if (n != NULL)
		n->child = child;
	return n;
}

static struct retree_node *capture(
	struct retree_parser *p, const struct retree_flags *f, const char *group, size_t off)
{
	unsigned num = ++p->n_groups;
	struct retree_node *n = group_rest(p, f, RETREE_GROUP, off);

	if (n == NULL)
		return NULL;
	n->number = num;
	n->name = group;
	return n;
}

/* "(?(1)yes|no)", "(?(name)...", "(?(?=...)...": behind the second "(". */
static struct retree_node *conditional(
	struct retree_parser *p, const struct retree_flags *f, size_t off)
{
	const char *group = NULL;
	struct retree_node *n, *body;
	long num = 0;

	if (retree_peek(p, 0) == '?' || retree_peek(p, 0) == '*')
		return retree_give_up(p);
	if (retree_peek(p, 0) >= '0' && retree_peek(p, 0) <= '9') {
		num = number(p);
		if (!retree_skip(p, ")"))
			return retree_give_up(p);
	} else if (retree_skip(p, "<")) {
		group = name(p, '>');
		if (!retree_skip(p, ")"))
			return retree_give_up(p);
	} else if (retree_skip(p, "'")) {
		group = name(p, '\'');
		if (!retree_skip(p, ")"))
			return retree_give_up(p);
	} else {
		group = name(p, ')');
	}
	if (p->failed)
		return NULL;
	body = group_rest(p, f, RETREE_COND, off);
	if (body == NULL)
		return NULL;
	body->number = (unsigned)num;
	body->name = group;
	n = body->child;
	if (n->kind == RETREE_ALT)
		body->child = n->child;
	return body;
}

/* "(?i)", "(?s-i:...)": behind the "?". NULL without a fault: the flags hold from here on. */
static struct retree_node *flag_group(struct retree_parser *p, struct retree_flags *f, size_t off)
{
	struct retree_flags changed = *f;
	bool on = true;

	if (retree_skip(p, "^"))
		changed = (struct retree_flags) {0};
	for (;; p->at++) {
		switch (retree_peek(p, 0)) {
		case '-':
			on = false;
			break;
		case 'i':
			changed.nocase = on;
			break;
		case 's':
			changed.dotall = on;
			break;
		case 'x':
			/* "xx" is about blanks in classes, too. */
			if (retree_peek(p, 1) == 'x')
				return retree_give_up(p);
			changed.extended = on;
			break;
		case 'm':
			break;
		case ')':
			p->at++;
			*f = changed;
			return retree_node_new(p, RETREE_EMPTY, off);
		case ':':
			p->at++;
			return group_rest(p, &changed, RETREE_GROUP, off);
		default:
			return retree_give_up(p);
		}
	}
}

static struct retree_node *group(struct retree_parser *p, struct retree_flags *f)
{
	static const struct {
		const char *opening;
		enum retree_kind kind;
	} plain[] = {
		{"?:", RETREE_GROUP},
		{"?=", RETREE_LOOK},
		{"?!", RETREE_LOOK},
		{"?<=", RETREE_LOOK},
		{"?<!", RETREE_LOOK},
	};
	size_t off = p->at++;
	const char *named = NULL;
	struct retree_node *n;

	if (retree_peek(p, 0) == '*')
		return retree_give_up(p);
	if (retree_peek(p, 0) != '?')
		return capture(p, f, NULL, off);
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
		if (retree_skip(p, plain[i].opening))
			return group_rest(p, f, plain[i].kind, off);
	}
	if (retree_skip(p, "?>")) {
		n = group_rest(p, f, RETREE_GROUP, off);
		if (n != NULL)
			n->is_atomic = true;
		return n;
	}
	if (retree_skip(p, "?P<") || retree_skip(p, "?<"))
		named = name(p, '>');
	else if (retree_skip(p, "?'"))
		named = name(p, '\'');
	else if (retree_skip(p, "?P="))
		return backref(p, f, name(p, ')'), -1, off);
	else if (retree_skip(p, "?("))
		return conditional(p, f, off);
	else
		return retree_skip(p, "?") ? flag_group(p, f, off) : retree_give_up(p);
	return named != NULL ? capture(p, f, named, off) : NULL;
}

static struct retree_node *atom(struct retree_parser *p, struct retree_flags *f)
{
	size_t off = p->at;
	struct retree_node *n;
	int c = retree_peek(p, 0);

	switch (c) {
	case '(':
		return group(p, f);
	case '[':
		return retree_class(p, f);
	case '\\':
		return escape(p, f);
	case '^':
	case '$':
		p->at++;
		return retree_node_new(p, RETREE_EDGE, off);
	case '.':
		p->at++;
		n = retree_node_new(p, RETREE_SET, off);
		if (n != NULL) {
			if (!f->dotall)
				byteset_add(&n->set, '\n');
			byteset_invert(&n->set);
			n->is_open = true;
		}
		return n;
	default:
		p->at++;
		return retree_literal(p, f, c, off);
	}
}

/* Is there nothing but digits, blanks and commas in the braces here? */
static bool is_braced_count(const struct retree_parser *p)
{
	size_t i = 1;

	while (retree_peek(p, i) > 0 && strchr("0123456789, \t", retree_peek(p, i)) != NULL)
		i++;
	return i > 1 && retree_peek(p, i) == '}';
}

/* A quantifier if one stands here: its bounds. "{" alone is a byte. */
static bool quantifier(struct retree_parser *p, uint32_t *ret_min, uint32_t *ret_max)
{
	size_t start = p->at;
	long min, max;

	*ret_min = retree_peek(p, 0) == '+' ? 1 : 0;
	*ret_max = retree_peek(p, 0) == '?' ? 1 : RETREE_MANY;
	if (retree_skip(p, "*") || retree_skip(p, "+") || retree_skip(p, "?"))
		return true;
	if (!retree_skip(p, "{"))
		return false;
	min = number(p);
	max = min;
	if (min >= 0 && retree_skip(p, ","))
		max = retree_peek(p, 0) == '}' ? -2 : number(p);
	if (min < 0 || max == -1 || !retree_skip(p, "}")) {
		p->at = start;
		/* Newer libraries take some of these for quantifiers, older ones do not. */
		if (p->failed || is_braced_count(p))
			retree_give_up(p);
		return false;
	}
	*ret_min = (uint32_t)min;
	*ret_max = max == -2 ? RETREE_MANY : (uint32_t)max;
	return true;
}

/* "(?#...)" anywhere; in free spacing blanks, and "#" to the end of the line. */
static bool skip_spacing(struct retree_parser *p, const struct retree_flags *f)
{
	int c = retree_peek(p, 0);
	const char *end;

	if (retree_skip(p, "(?#")) {
		end = memchr(p->text + p->at, ')', p->len - p->at);
		if (end == NULL)
			retree_give_up(p);
		else
			p->at = (size_t)(end - p->text) + 1;
		return true;
	}
	if (!f->extended || c < 0)
		return false;
	/* Among characters there are further blanks. */
	if (c >= 0x80) {
		retree_give_up(p);
		return true;
	}
	if (strchr(" \t\n\r\f\v#", c) == NULL)
		return false;
	if (c == '#') {
		end = memchr(p->text + p->at, '\n', p->len - p->at);
		p->at = end != NULL ? (size_t)(end - p->text) + 1 : p->len;
	} else {
		p->at++;
	}
	return true;
}

static struct retree_node *quantified(
	struct retree_parser *p, const struct retree_flags *f, struct retree_node *n)
{
	uint32_t min, max;
	unsigned n_quantifiers = 0;

	while (n != NULL) {
		struct retree_node *repeat;
		bool is_atomic;

		while (skip_spacing(p, f))
			;
		if (!quantifier(p, &min, &max))
			break;

		if (++n_quantifiers > QUANTIFIERS_MAX)
			return retree_give_up(p);
		/* Lazy and possessive ones take the same texts. */
		is_atomic = !retree_skip(p, "?") && retree_skip(p, "+");
		repeat = retree_node_new(p, RETREE_REPEAT, n->off);
		if (repeat == NULL)
			return NULL;
		repeat->child = n;
		repeat->is_atomic = is_atomic;
		repeat->min = min;
		repeat->max = max < min ? min : max;
		n = repeat;
	}
	return n;
}

static struct retree_node *sequence(struct retree_parser *p, struct retree_flags *f)
{
	struct retree_node *cat, *n, **tail;
	size_t off = p->at;

	cat = retree_node_new(p, RETREE_CAT, off);
	if (cat == NULL)
		return NULL;
	tail = &cat->child;
	while (retree_peek(p, 0) >= 0 && retree_peek(p, 0) != '|' && retree_peek(p, 0) != ')') {
		if (skip_spacing(p, f))
			continue;
		n = quantified(p, f, atom(p, f));
		if (n == NULL)
			return NULL;
		*tail = n;
		tail = &n->next;
	}
	cat->len = p->at - off;
	return cat;
}

/* Flags set in one alternative hold in those behind it. */
static struct retree_node *alternatives(struct retree_parser *p, struct retree_flags *f)
{
	size_t off = p->at;
	struct retree_node *first = sequence(p, f), *last = first, *alt;

	if (first == NULL || retree_peek(p, 0) != '|')
		return first;
	while (retree_skip(p, "|")) {
		last->next = sequence(p, f);
		if (last->next == NULL)
			return NULL;
		last = last->next;
	}
	alt = retree_node_new(p, RETREE_ALT, off);
	if (alt != NULL)
		alt->child = first;
	return alt;
}

int retree_parse(struct retree *ret, struct arena *arena, const char *text, size_t len)
{
	struct retree_parser p = {.arena = arena, .text = text, .len = len};
	struct retree_flags f = {0};
	struct retree_node *root = alternatives(&p, &f);

	/* A ")" too many stops it early. */
	if (root == NULL || p.failed || p.at < len)
		return -EINVAL;
	*ret = (struct retree) {.root = root, .n_groups = p.n_groups};
	return 0;
}
