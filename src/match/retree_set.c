/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/retree_priv.h"

#include <string.h>

static int hex_digit(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if ((c | 32) >= 'a' && (c | 32) <= 'f')
		return (c | 32) - 'a' + 10;
	return -1;
}

bool retree_escaped_set(int c, struct byteset *ret)
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
static int hex_escape(struct retree_parser *p)
{
	bool braced = retree_skip(p, "{");
	int value = 0;

	for (int i = 0; braced || i < 2; i++) {
		int d = hex_digit(retree_peek(p, 0));

		if (d < 0)
			break;
		value = value * 16 + d;
		p->at++;
		if (value > 255)
			return -1;
	}
	return braced && !retree_skip(p, "}") ? -1 : value;
}

int retree_escaped_byte(struct retree_parser *p)
{
	static const char letters[] = "aefnrt", bytes[] = "\a\033\f\n\r\t";
	int c = retree_peek(p, 0);
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
		c = retree_peek(p, 0);
		p->at += c >= 0;
		return c < 0 ? -1 : (c >= 'a' && c <= 'z' ? c - 32 : c) ^ 64;
	}
	if (c >= '0' && c <= '7') {
		value = c - '0';
		for (int i = 0; i < 2 && retree_peek(p, 0) >= '0' && retree_peek(p, 0) <= '7';
			i++, p->at++)
			value = value * 8 + (retree_peek(p, 0) - '0');
		return value > 255 ? -1 : value;
	}
	/* Other letters and digits mean something that is no byte. */
	if ((c >= '8' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z'))
		return -1;
	return c;
}

/* One member of a class: a byte (returned), or a set (added to the node's, -1). */
static int class_member(struct retree_parser *p, struct retree_node *n)
{
	struct byteset other;
	int c = retree_peek(p, 0);

	p->at++;
	if (c != '\\')
		return c;
	c = retree_peek(p, 0);
	if (retree_escaped_set(c, &other)) {
		byteset_join(&n->set, &other);
		n->is_open = true;
		p->at++;
		return -1;
	}
	if (c == 'b') {
		p->at++;
		return '\b';
	}
	c = retree_escaped_byte(p);
	if (c < 0)
		retree_give_up(p);
	return c;
}

/* "[:xdigit:]": only what pattern_expand writes; in Python's dialect there are none. */
static void posix_class(struct retree_parser *p, struct retree_node *n)
{
	if (!retree_skip(p, "[:xdigit:]")) {
		retree_give_up(p);
		return;
	}
	byteset_add_range(&n->set, '0', '9');
	byteset_add_range(&n->set, 'A', 'F');
	byteset_add_range(&n->set, 'a', 'f');
	n->is_open = true;
}

struct retree_node *retree_class(struct retree_parser *p, const struct retree_flags *f)
{
	struct retree_node *n = retree_node_new(p, RETREE_SET, p->at);
	bool first = true, negated;

	if (n == NULL)
		return NULL;
	p->at++;
	negated = retree_skip(p, "^");
	while (retree_peek(p, 0) >= 0 && (first || retree_peek(p, 0) != ']')) {
		int lo, hi;

		first = false;
		if (retree_follows(p, "[:")) {
			posix_class(p, n);
			continue;
		}
		lo = class_member(p, n);
		if (lo < 0)
			continue;
		hi = lo;
		if (retree_peek(p, 0) == '-' && retree_peek(p, 1) >= 0 &&
			retree_peek(p, 1) != ']') {
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
	if (!retree_skip(p, "]"))
		return retree_give_up(p);
	if (f->nocase)
		byteset_fold(&n->set);
	if (negated)
		byteset_invert(&n->set);
	n->is_open |= negated;
	n->is_nocase = f->nocase;
	n->len = p->at - n->off;
	return n;
}

struct retree_node *retree_literal(
	struct retree_parser *p, const struct retree_flags *f, int c, size_t off)
{
	struct retree_node *n = retree_node_new(p, RETREE_SET, off);

	if (n == NULL)
		return NULL;
	byteset_add(&n->set, (unsigned char)c);
	if (f->nocase)
		byteset_fold(&n->set);
	n->is_nocase = f->nocase;
	return n;
}
