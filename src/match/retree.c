/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/retree.h"

#include "base/util.h"

#include <errno.h>
#include <string.h>

#define DEPTH_MAX 100
#define QUANTIFIERS_MAX 4 /* one after the other */
#define NODES_MAX 20000
#define REPEAT_MAX 65535

/* The flags in force; a group inherits them and keeps its changes to itself. */
struct flags {
	bool nocase, dotall, extended;
};

struct parser {
	struct arena *arena;
	const char *text;
	size_t len, at;
	unsigned depth;
	size_t n_nodes;
	unsigned n_groups;
	bool failed;
};

static int peek(const struct parser *p, size_t ahead)
{
	return p->at + ahead < p->len ? (unsigned char)p->text[p->at + ahead] : -1;
}

static bool follows(const struct parser *p, const char *s)
{
	size_t n = strlen(s);

	return p->len - p->at >= n && memcmp(p->text + p->at, s, n) == 0;
}

static bool skip(struct parser *p, const char *s)
{
	if (!follows(p, s))
		return false;
	p->at += strlen(s);
	return true;
}

static struct retree_node *give_up(struct parser *p)
{
	p->failed = true;
	p->at = p->len;
	return NULL;
}

static struct retree_node *node_new(struct parser *p, enum retree_kind kind, size_t off)
{
	struct retree_node *n;

	if (++p->n_nodes > NODES_MAX)
		return give_up(p);
	n = arena_alloc(p->arena, sizeof(*n));
	n->kind = kind;
	n->off = off;
	n->len = p->at - off;
	return n;
}

static int hex_digit(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if ((c | 32) >= 'a' && (c | 32) <= 'f')
		return (c | 32) - 'a' + 10;
	return -1;
}

/* A number; -1 when there is none. */
static long number(struct parser *p)
{
	long n = -1;

	for (int c = peek(p, 0); c >= '0' && c <= '9'; c = peek(p, 0)) {
		n = (n < 0 ? 0 : n) * 10 + (c - '0');
		p->at++;
		if (n > REPEAT_MAX) {
			give_up(p);
			return -1;
		}
	}
	return n;
}

/* The name up to `end`, which is skipped; NULL when there is none. */
static const char *name(struct parser *p, char end)
{
	const char *from = p->text + p->at;
	const char *to = memchr(from, end, p->len - p->at);

	if (to == NULL || to == from) {
		give_up(p);
		return NULL;
	}
	/* "(?<*" begins no name. */
	for (const char *c = from; c < to; c++) {
		if (*c != '_' && (*c < '0' || *c > '9') && ((*c | 32) < 'a' || (*c | 32) > 'z')) {
			give_up(p);
			return NULL;
		}
	}
	p->at += (size_t)(to - from) + 1;
	return arena_strndup(p->arena, from, (size_t)(to - from));
}

/* The set that \d, \w ... stand for. False for another letter. */
static bool class_escape(int c, struct byteset *ret)
{
	struct byteset s = {0};

	switch (c | 32) {
	case 'd':
		byteset_add_range(&s, '0', '9');
		break;
	case 'w':
		byteset_add_range(&s, '0', '9');
		byteset_add_range(&s, 'A', 'Z');
		byteset_add_range(&s, 'a', 'z');
		byteset_add(&s, '_');
		break;
	case 's':
		byteset_add_range(&s, '\t', '\r');
		byteset_add(&s, ' ');
		break;
	case 'h':
		byteset_add(&s, '\t');
		byteset_add(&s, ' ');
		byteset_add(&s, 0xa0);
		break;
	case 'v':
		byteset_add_range(&s, '\n', '\r');
		byteset_add(&s, 0x85);
		break;
	case 'n': /* only \N: \n is a byte */
		if (c == 'n')
			return false;
		byteset_add(&s, '\n');
		break;
	default:
		return false;
	}
	if (c < 'a')
		byteset_invert(&s);
	*ret = s;
	return true;
}

/* "\x41", "\x{41}", behind the x. */
static int hex_escape(struct parser *p)
{
	bool braced = skip(p, "{");
	int value = 0;

	for (int i = 0; braced || i < 2; i++) {
		int d = hex_digit(peek(p, 0));

		if (d < 0)
			break;
		value = value * 16 + d;
		p->at++;
		if (value > 255)
			return -1;
	}
	return braced && !skip(p, "}") ? -1 : value;
}

/* The byte that an escape (behind its backslash) stands for, or -1. */
static int byte_escape(struct parser *p)
{
	static const char letters[] = "aefnrt", bytes[] = "\a\033\f\n\r\t";
	int c = peek(p, 0);
	const char *l = c > 0 ? strchr(letters, c) : NULL;
	int value = 0;

	if (c < 0)
		return -1;
	p->at++;
	if (l != NULL)
		return (unsigned char)bytes[l - letters];
	if (c == 'x')
		return hex_escape(p);
	if (c == 'c') {
		c = peek(p, 0);
		p->at += c >= 0;
		return c < 0 ? -1 : (c >= 'a' && c <= 'z' ? c - 32 : c) ^ 64;
	}
	if (c >= '0' && c <= '7') {
		value = c - '0';
		for (int i = 0; i < 2 && peek(p, 0) >= '0' && peek(p, 0) <= '7'; i++, p->at++)
			value = value * 8 + (peek(p, 0) - '0');
		return value > 255 ? -1 : value;
	}
	/* Other letters and digits mean something that is no byte. */
	if ((c >= '8' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z'))
		return -1;
	return c;
}

/* One member of a class: a byte (returned), or a set (added to the node's, -1). */
static int class_member(struct parser *p, struct retree_node *n)
{
	struct byteset other;
	int c = peek(p, 0);

	p->at++;
	if (c != '\\')
		return c;
	c = peek(p, 0);
	if (class_escape(c, &other)) {
		byteset_join(&n->set, &other);
		n->is_open = true;
		p->at++;
		return -1;
	}
	if (c == 'b') {
		p->at++;
		return '\b';
	}
	c = byte_escape(p);
	if (c < 0)
		give_up(p);
	return c;
}

/* "[:xdigit:]": only what pattern_expand writes; in Python's dialect there are none. */
static void posix_class(struct parser *p, struct retree_node *n)
{
	if (!skip(p, "[:xdigit:]")) {
		give_up(p);
		return;
	}
	byteset_add_range(&n->set, '0', '9');
	byteset_add_range(&n->set, 'A', 'F');
	byteset_add_range(&n->set, 'a', 'f');
	n->is_open = true;
}

static struct retree_node *class(struct parser *p, const struct flags *f)
{
	struct retree_node *n = node_new(p, RETREE_SET, p->at);
	bool first = true, negated;

	if (n == NULL)
		return NULL;
	p->at++;
	negated = skip(p, "^");
	while (peek(p, 0) >= 0 && (first || peek(p, 0) != ']')) {
		int lo, hi;

		first = false;
		if (follows(p, "[:")) {
			posix_class(p, n);
			continue;
		}
		lo = class_member(p, n);
		if (lo < 0)
			continue;
		hi = lo;
		if (peek(p, 0) == '-' && peek(p, 1) >= 0 && peek(p, 1) != ']') {
			p->at++;
			hi = class_member(p, n);
			/* "a-\d": no range after all. */
			if (hi < 0) {
				byteset_add(&n->set, '-');
				hi = lo;
			}
		}
		byteset_add_range(&n->set, (unsigned)lo, (unsigned)hi);
	}
	if (!skip(p, "]"))
		return give_up(p);
	if (f->nocase)
		byteset_fold(&n->set);
	if (negated)
		byteset_invert(&n->set);
	n->is_open |= negated;
	n->is_nocase = f->nocase;
	n->len = p->at - n->off;
	return n;
}

static struct retree_node *literal(struct parser *p, const struct flags *f, int c, size_t off)
{
	struct retree_node *n = node_new(p, RETREE_SET, off);

	if (n == NULL)
		return NULL;
	byteset_add(&n->set, (unsigned char)c);
	if (f->nocase)
		byteset_fold(&n->set);
	n->is_nocase = f->nocase;
	return n;
}

static struct retree_node *backref(
	struct parser *p, const struct flags *f, const char *group, long num, size_t off)
{
	struct retree_node *n;

	if (group == NULL && num <= 0)
		return give_up(p);
	n = node_new(p, RETREE_BACK, off);
	if (n == NULL)
		return NULL;
	n->name = group;
	n->number = group == NULL ? (unsigned)num : 0;
	n->is_nocase = f->nocase;
	return n;
}

/* "\1", "\g{1}", "\k<name>": at the character behind the backslash. */
static struct retree_node *reference(struct parser *p, const struct flags *f, size_t off)
{
	int c = peek(p, 0);
	const char *group = NULL;
	long num = -1;
	int q;

	if (c >= '1' && c <= '9')
		return backref(p, f, NULL, number(p), off);
	p->at++;
	q = peek(p, 0);
	if (c == 'g' && q >= '1' && q <= '9')
		return backref(p, f, NULL, number(p), off);
	if (q != '{' && (c == 'g' || (q != '<' && q != '\'')))
		return give_up(p);
	p->at++;
	if (peek(p, 0) >= '1' && peek(p, 0) <= '9') {
		num = number(p);
		if (!skip(p, "}"))
			return give_up(p);
	} else {
		group = name(p, q == '{' ? '}' : q == '<' ? '>' : '\'');
		if (group == NULL)
			return NULL;
	}
	return backref(p, f, group, num, off);
}

/* Three octal digits, or a leading 0, are a byte; but not if there are as many groups. */
static bool is_octal(const struct parser *p)
{
	unsigned value = 0;

	for (size_t i = 0; i < 3; i++) {
		int c = peek(p, i);

		if (c < '0' || c > (i == 0 ? '3' : '7'))
			return false;
		value = value * 10 + (unsigned)(c - '0');
	}
	return value > p->n_groups;
}

static struct retree_node *escape(struct parser *p, const struct flags *f)
{
	size_t off = p->at++;
	int c = peek(p, 0);
	struct retree_node *n;
	struct byteset s;

	if (class_escape(c, &s)) {
		p->at++;
		/* "\N{U+41}" is a character. */
		if (c == 'N' && peek(p, 0) == '{' && (peek(p, 1) < '0' || peek(p, 1) > '9'))
			return give_up(p);
		n = node_new(p, RETREE_SET, off);
		if (n != NULL) {
			n->set = s;
			n->is_open = true;
		}
		return n;
	}
	if (c > 0 && strchr("bBAzZGK", c) != NULL) {
		p->at++;
		return node_new(p, RETREE_EDGE, off);
	}
	if (c == 'R') {
		p->at++;
		return literal(p, f, '\n', off);
	}
	if ((c >= '1' && c <= '9' && !is_octal(p)) || c == 'g' || c == 'k')
		return reference(p, f, off);
	c = byte_escape(p);
	return c >= 0 ? literal(p, f, c, off) : give_up(p);
}

static struct retree_node *alternatives(struct parser *p, struct flags *f);

/* The rest of a group up to its ")", as the child of a node of that kind. */
static struct retree_node *group_rest(
	struct parser *p, const struct flags *f, enum retree_kind kind, size_t off)
{
	struct flags inner = *f;
	struct retree_node *child, *n;

	if (++p->depth > DEPTH_MAX)
		return give_up(p);
	child = alternatives(p, &inner);
	p->depth--;
	if (child == NULL || !skip(p, ")"))
		return give_up(p);
	n = node_new(p, kind, off);
	if (n != NULL)
		n->child = child;
	return n;
}

static struct retree_node *capture(
	struct parser *p, const struct flags *f, const char *group, size_t off)
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
static struct retree_node *conditional(struct parser *p, const struct flags *f, size_t off)
{
	const char *group = NULL;
	struct retree_node *n, *body;
	long num = 0;

	if (peek(p, 0) == '?' || peek(p, 0) == '*')
		return give_up(p);
	if (peek(p, 0) >= '0' && peek(p, 0) <= '9') {
		num = number(p);
		if (!skip(p, ")"))
			return give_up(p);
	} else if (skip(p, "<")) {
		group = name(p, '>');
		if (!skip(p, ")"))
			return give_up(p);
	} else if (skip(p, "'")) {
		group = name(p, '\'');
		if (!skip(p, ")"))
			return give_up(p);
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
static struct retree_node *flag_group(struct parser *p, struct flags *f, size_t off)
{
	struct flags changed = *f;
	bool on = true;

	if (skip(p, "^"))
		changed = (struct flags) {0};
	for (;; p->at++) {
		switch (peek(p, 0)) {
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
			if (peek(p, 1) == 'x')
				return give_up(p);
			changed.extended = on;
			break;
		case 'm':
			break;
		case ')':
			p->at++;
			*f = changed;
			return node_new(p, RETREE_EMPTY, off);
		case ':':
			p->at++;
			return group_rest(p, &changed, RETREE_GROUP, off);
		default:
			return give_up(p);
		}
	}
}

static struct retree_node *group(struct parser *p, struct flags *f)
{
	static const struct {
		const char *opening;
		enum retree_kind kind;
	} plain[] = {
		{"?:", RETREE_GROUP},
		{"?>", RETREE_GROUP},
		{"?=", RETREE_LOOK},
		{"?!", RETREE_LOOK},
		{"?<=", RETREE_LOOK},
		{"?<!", RETREE_LOOK},
	};
	size_t off = p->at++;
	const char *named = NULL;

	if (peek(p, 0) == '*')
		return give_up(p);
	if (peek(p, 0) != '?')
		return capture(p, f, NULL, off);
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
		if (skip(p, plain[i].opening))
			return group_rest(p, f, plain[i].kind, off);
	}
	if (skip(p, "?P<") || skip(p, "?<"))
		named = name(p, '>');
	else if (skip(p, "?'"))
		named = name(p, '\'');
	else if (skip(p, "?P="))
		return backref(p, f, name(p, ')'), -1, off);
	else if (skip(p, "?("))
		return conditional(p, f, off);
	else
		return skip(p, "?") ? flag_group(p, f, off) : give_up(p);
	return named != NULL ? capture(p, f, named, off) : NULL;
}

static struct retree_node *atom(struct parser *p, struct flags *f)
{
	size_t off = p->at;
	struct retree_node *n;
	int c = peek(p, 0);

	switch (c) {
	case '(':
		return group(p, f);
	case '[':
		return class(p, f);
	case '\\':
		return escape(p, f);
	case '^':
	case '$':
		p->at++;
		return node_new(p, RETREE_EDGE, off);
	case '.':
		p->at++;
		n = node_new(p, RETREE_SET, off);
		if (n != NULL) {
			if (!f->dotall)
				byteset_add(&n->set, '\n');
			byteset_invert(&n->set);
			n->is_open = true;
		}
		return n;
	default:
		p->at++;
		return literal(p, f, c, off);
	}
}

/* Is there nothing but digits, blanks and commas in the braces here? */
static bool is_braced_count(const struct parser *p)
{
	size_t i = 1;

	while (peek(p, i) > 0 && strchr("0123456789, \t", peek(p, i)) != NULL)
		i++;
	return i > 1 && peek(p, i) == '}';
}

/* A quantifier if one stands here: its bounds. "{" alone is a byte. */
static bool quantifier(struct parser *p, uint32_t *ret_min, uint32_t *ret_max)
{
	size_t start = p->at;
	long min, max;

	*ret_min = peek(p, 0) == '+' ? 1 : 0;
	*ret_max = peek(p, 0) == '?' ? 1 : RETREE_MANY;
	if (skip(p, "*") || skip(p, "+") || skip(p, "?"))
		return true;
	if (!skip(p, "{"))
		return false;
	min = number(p);
	max = min;
	if (min >= 0 && skip(p, ","))
		max = peek(p, 0) == '}' ? -2 : number(p);
	if (min < 0 || max == -1 || !skip(p, "}")) {
		p->at = start;
		/* Newer libraries take some of these for quantifiers, older ones do not. */
		if (p->failed || is_braced_count(p))
			give_up(p);
		return false;
	}
	*ret_min = (uint32_t)min;
	*ret_max = max == -2 ? RETREE_MANY : (uint32_t)max;
	return true;
}

/* "(?#...)" anywhere; in free spacing blanks, and "#" to the end of the line. */
static bool skip_spacing(struct parser *p, const struct flags *f)
{
	int c = peek(p, 0);
	const char *end;

	if (skip(p, "(?#")) {
		end = memchr(p->text + p->at, ')', p->len - p->at);
		if (end == NULL)
			give_up(p);
		else
			p->at = (size_t)(end - p->text) + 1;
		return true;
	}
	if (!f->extended || c < 0)
		return false;
	/* Among characters there are further blanks. */
	if (c >= 0x80)
		give_up(p);
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
	struct parser *p, const struct flags *f, struct retree_node *n)
{
	uint32_t min, max;
	unsigned n_quantifiers = 0;

	while (n != NULL) {
		struct retree_node *repeat;

		while (skip_spacing(p, f))
			;
		if (!quantifier(p, &min, &max))
			break;

		if (++n_quantifiers > QUANTIFIERS_MAX)
			return give_up(p);
		/* Lazy and possessive ones take the same texts. */
		if (!skip(p, "?"))
			skip(p, "+");
		repeat = node_new(p, RETREE_REPEAT, n->off);
		if (repeat == NULL)
			return NULL;
		repeat->child = n;
		repeat->min = min;
		repeat->max = max < min ? min : max;
		n = repeat;
	}
	return n;
}

static struct retree_node *sequence(struct parser *p, struct flags *f)
{
	struct retree_node *cat, *n, **tail;
	size_t off = p->at;

	cat = node_new(p, RETREE_CAT, off);
	if (cat == NULL)
		return NULL;
	tail = &cat->child;
	while (peek(p, 0) >= 0 && peek(p, 0) != '|' && peek(p, 0) != ')') {
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
static struct retree_node *alternatives(struct parser *p, struct flags *f)
{
	size_t off = p->at;
	struct retree_node *first = sequence(p, f), *last = first, *alt;

	if (first == NULL || peek(p, 0) != '|')
		return first;
	while (skip(p, "|")) {
		last->next = sequence(p, f);
		if (last->next == NULL)
			return NULL;
		last = last->next;
	}
	alt = node_new(p, RETREE_ALT, off);
	if (alt != NULL)
		alt->child = first;
	return alt;
}

int retree_parse(struct retree *ret, struct arena *arena, const char *text, size_t len)
{
	struct parser p = {.arena = arena, .text = text, .len = len};
	struct flags f = {0};
	struct retree_node *root = alternatives(&p, &f);

	/* A ")" too many stops it early. */
	if (root == NULL || p.failed || p.at < len)
		return -EINVAL;
	*ret = (struct retree) {.root = root, .n_groups = p.n_groups};
	return 0;
}
