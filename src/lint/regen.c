/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lint/regen.h"

#include "base/util.h"

#include <errno.h>
#include <string.h>

#define CAPTURES_MAX 128
/* More repeats than a log's author would count are as good as without end. */
#define MANY_FROM 100
#define WORD_LEN 5
#define LITERAL_WORD 3   /* letters in a row that make a word of the expression's own */
#define STEPS_MAX 100000 /* nodes visited for one text */
#define WIDE 200         /* bytes in a set that is "." in all but name */

struct capture {
	unsigned number;
	const char *name;
	size_t off, len;
};

struct writer {
	struct regen_text *out;
	const struct regen_choice *choice;
	uint64_t random;
	struct capture captures[CAPTURES_MAX];
	size_t n_captures;
	const char *field;
	bool is_reserved; /* inside of a group that has a use of its own */
	unsigned letters; /* of the expression, in a row */
	bool had_word;
	unsigned optional; /* how deep inside of what the line may not have */
	unsigned steps;
	bool failed;
};

static const char *const host_groups[] = {"ip4", "ip6", "dns", "host", "fid"};

static uint64_t draw(struct writer *w, uint64_t n)
{
	uint64_t x = w->random += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return (x ^ x >> 31) % n;
}

/* One of n: the first, the last, or any. */
static size_t choose(struct writer *w, size_t n)
{
	if (w->choice->variant < 2)
		return w->choice->variant == 0 ? 0 : n - 1;
	return (size_t)draw(w, n);
}

static void put(struct writer *w, const char *s, size_t len)
{
	struct regen_text *out = w->out;

	if (len > REGEN_TEXT_MAX - out->len) {
		w->failed = true;
		return;
	}
	memcpy(out->text + out->len, s, len);
	out->len += len;
}

static void mark(struct writer *w, enum regen_kind kind, const struct retree_node *n, size_t off,
	bool is_prefix)
{
	struct regen_text *out = w->out;

	if (out->n_marks == REGEN_MARKS_MAX)
		return;
	out->marks[out->n_marks++] = (struct regen_mark) {
		.kind = kind,
		.node = n,
		.field = w->field,
		.is_prefix = is_prefix,
		.off = off,
		.len = out->len - off,
	};
}

/* A byte of the set; letters before digits before others, beginning with `hint`. */
static char pick(const struct byteset *s, char hint)
{
	static const char liked[] = "abcdefghijklmnopqrstuvwxyz1234567890"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ -./:,=_";

	if (byteset_has(s, (unsigned char)hint))
		return hint;
	for (const char *c = liked; *c != '\0'; c++) {
		if (byteset_has(s, (unsigned char)*c))
			return *c;
	}
	for (unsigned c = ' '; c < ' ' + 256U; c++) {
		if (byteset_has(s, (unsigned char)c))
			return (char)c;
	}
	return hint;
}

static bool is_byte(const struct retree_node *n, char c)
{
	return n != NULL && n->kind == RETREE_SET && byteset_count(&n->set) == 1 &&
	       byteset_has(&n->set, (unsigned char)c);
}

/*
 * What <HOST> allows for around an address, and few services write: "[", "]" (one without the other
 * is what none writes), "::ffff:".
 */
static bool is_trimming(const struct retree_node *n)
{
	const struct retree_node *first;

	if (is_byte(n, '[') || is_byte(n, ']'))
		return true;
	if (n->kind != RETREE_GROUP || n->child->kind != RETREE_CAT)
		return false;
	first = n->child->child;
	return is_byte(first, ':') && is_byte(first->next, ':');
}

/* Is it a letter of the message rather than one that the line fills in? */
static bool is_letter(const struct retree_node *n)
{
	char c = n->kind == RETREE_SET ? pick(&n->set, 'e') | 32 : ' ';

	return c >= 'a' && c <= 'z' && byteset_count(&n->set) <= 2;
}

/* Does each text of the node have a word of the expression's own? */
static bool has_word(const struct retree_node *n)
{
	unsigned letters = 0;

	switch (n->kind) {
	case RETREE_CAT:
		for (n = n->child; n != NULL; n = n->next) {
			letters = is_letter(n) ? letters + 1 : 0;
			if (letters >= LITERAL_WORD || has_word(n))
				return true;
		}
		return false;
	case RETREE_ALT:
		for (n = n->child; n != NULL; n = n->next) {
			if (!has_word(n))
				return false;
		}
		return true;
	case RETREE_REPEAT:
		return n->min > 0 && has_word(n->child);
	case RETREE_GROUP:
		return has_word(n->child);
	default:
		return false;
	}
}

/* One byte on its own: most often a letter of the message. */
static void write_set(struct writer *w, const struct retree_node *n)
{
	/* An unescaped dot is what it is; "\s" is a blank. */
	char c = pick(&n->set, byteset_count(&n->set) > WIDE ? '.' : ' ');

	put(w, &c, 1);
	w->letters = is_letter(n) ? w->letters + 1 : 0;
	w->had_word |= w->letters >= LITERAL_WORD && w->optional == 0;
}

static bool is_word(const struct byteset *s)
{
	return byteset_has(s, 'e') || byteset_has(s, '1') || byteset_has(s, 'E');
}

static void write_field(struct writer *w, const struct retree_node *n)
{
	/* The last one ends as most do that have an address right behind them. */
	static const char *const words[] = {"guest", "admin", "w3c1x", "10203", "to/1 "};
	const struct byteset *s = &n->child->set;
	const char *word = words[w->choice->variant < 2 ? 0 : draw(w, 5)];
	size_t off = w->out->len, len = n->min;

	if (is_word(s))
		len = n->min > WORD_LEN ? n->min : n->max < WORD_LEN ? n->max : WORD_LEN;
	else if (n->min == 0 && n->max > 0)
		len = choose(w, 2);
	for (size_t i = 0; i < len && !w->failed; i++) {
		char c = pick(s, byteset_has(s, 'e') ? word[i % WORD_LEN] : ' ');

		put(w, &c, 1);
	}
	w->letters = 0;
	if (n->max >= MANY_FROM)
		mark(w, is_word(s) && !w->is_reserved ? REGEN_FIELD : REGEN_REPEAT, n, off,
			!w->had_word);
}

bool regen_has_group(const struct retree_node *node, const char *name)
{
	if (node->kind == RETREE_GROUP && node->name != NULL && strcmp(node->name, name) == 0)
		return true;
	for (const struct retree_node *n = node->child; n != NULL; n = n->next) {
		if (regen_has_group(n, name))
			return true;
	}
	return false;
}

/* How much the node is wanted: an address before a host's name before all else. */
static int worth(const struct retree_node *n)
{
	for (size_t i = 0; i < ARRAY_SIZE(host_groups); i++) {
		if (regen_has_group(n, host_groups[i]))
			return 10 - (int)i;
	}
	return 0;
}

bool regen_has_host(const struct retree_node *node)
{
	return worth(node) > 0;
}

static void write_node(struct writer *w, const struct retree_node *n);

static void write_alternative(struct writer *w, const struct retree_node *alt)
{
	const struct retree_node *best[256] = {alt->child};
	bool is_optional = !has_word(alt);
	int most = worth(alt->child);
	size_t n_best = 1;

	for (const struct retree_node *n = alt->child->next; n != NULL; n = n->next) {
		int value = worth(n);

		if (value > most) {
			most = value;
			n_best = 0;
		}
		if (value == most && n_best < 256)
			best[n_best++] = n;
	}
	w->optional += is_optional;
	write_node(w, best[choose(w, n_best)]);
	w->optional -= is_optional;
}

/* Is what may be left out there? Seldom in every other variant: short lines show more. */
static unsigned is_present(struct writer *w)
{
	unsigned variant = w->choice->variant;

	if (variant < 2)
		return variant;
	return draw(w, variant % 2 == 0 ? 6 : 2) == 0;
}

static void write_repeat(struct writer *w, const struct retree_node *n)
{
	size_t off = w->out->len;
	uint32_t times = n->min;
	bool is_prefix = !w->had_word;

	if (n->child->kind == RETREE_SET && n->max > 1) {
		write_field(w, n);
		return;
	}
	if (n->max > n->min && !(n->max == 1 && is_trimming(n->child)))
		times += n->min == 0 && worth(n->child) > 0 ? 1 : is_present(w);
	w->optional += n->min == 0;
	for (uint32_t i = 0; i < times && !w->failed; i++)
		write_node(w, n->child);
	w->optional -= n->min == 0;
	if (n->max >= MANY_FROM)
		mark(w, REGEN_REPEAT, n, off, is_prefix);
}

static void remember(struct writer *w, const struct retree_node *n, size_t off)
{
	struct capture *c;

	if (n->number == 0 || w->n_captures == CAPTURES_MAX)
		return;
	c = &w->captures[w->n_captures++];
	*c = (struct capture) {n->number, n->name, off, w->out->len - off};
}

/* What the group captured last; NULL: nothing. */
static const struct capture *recall(const struct writer *w, const struct retree_node *n)
{
	for (size_t i = w->n_captures; i > 0; i--) {
		const struct capture *c = &w->captures[i - 1];

		if (n->name != NULL ? c->name != NULL && strcmp(c->name, n->name) == 0
				    : c->number == n->number)
			return c;
	}
	return NULL;
}

static const char *host_text(const struct writer *w, const struct retree_node *group)
{
	const struct regen_hosts *h = w->choice->hosts;

	if (strcmp(group->name, "ip6") == 0)
		return h->ip6;
	return strcmp(group->name, "dns") == 0 ? h->name : h->ip4;
}

static bool is_one_of(const char *name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

/* The content of prefregex, with the marks in it. */
static void write_content(struct writer *w, const struct regen_text *content)
{
	size_t off = w->out->len;

	put(w, content->text, content->len);
	for (size_t i = 0; i < content->n_marks && !w->failed; i++) {
		if (w->out->n_marks == REGEN_MARKS_MAX)
			break;
		w->out->marks[w->out->n_marks] = content->marks[i];
		w->out->marks[w->out->n_marks++].off += off;
	}
	w->had_word |= w->optional == 0;
}

static void write_group(struct writer *w, const struct retree_node *n)
{
	/* Groups that say something about the line, or hold what nobody can choose freely. */
	static const char *const reserved[] = {"mlfid", "mlfpid", "mlfforget", "mlfgained",
		"nofail", "count", "fport", "port", "cidr"};
	size_t off = w->out->len;
	const char *field = w->field;
	bool was_reserved = w->is_reserved, is_prefix = !w->had_word;

	if (n->name == NULL) {
		write_node(w, n->child);
	} else if (is_one_of(n->name, host_groups, ARRAY_SIZE(host_groups))) {
		const char *host = host_text(w, n);

		put(w, host, strlen(host));
		w->letters = 0;
		mark(w, REGEN_HOST, n, off, is_prefix);
	} else if (strcmp(n->name, "content") == 0 && w->choice->content != NULL) {
		write_content(w, w->choice->content);
		mark(w, REGEN_CONTENT, n, off, is_prefix);
	} else {
		w->field = n->name;
		w->is_reserved |= is_one_of(n->name, reserved, ARRAY_SIZE(reserved));
		write_node(w, n->child);
		w->field = field;
		w->is_reserved = was_reserved;
	}
	remember(w, n, off);
}

static void write_condition(struct writer *w, const struct retree_node *n)
{
	const struct retree_node *yes = n->child, *no = yes->next;

	if (recall(w, n) != NULL)
		write_node(w, yes);
	else if (no != NULL)
		write_node(w, no);
}

static void write_node(struct writer *w, const struct retree_node *n)
{
	const struct capture *c;

	w->failed |= ++w->steps > STEPS_MAX;
	if (w->failed)
		return;
	switch (n->kind) {
	case RETREE_SET:
		write_set(w, n);
		break;
	case RETREE_CAT:
		for (n = n->child; n != NULL; n = n->next)
			write_node(w, n);
		break;
	case RETREE_ALT:
		write_alternative(w, n);
		break;
	case RETREE_REPEAT:
		write_repeat(w, n);
		break;
	case RETREE_GROUP:
		write_group(w, n);
		break;
	case RETREE_BACK:
		c = recall(w, n);
		if (c != NULL)
			put(w, w->out->text + c->off, c->len);
		break;
	case RETREE_COND:
		write_condition(w, n);
		break;
	default:
		break;
	}
}

int regen_write(struct regen_text *ret, const struct retree *tree, const struct regen_choice *c)
{
	struct writer w = {.out = ret, .choice = c, .random = c->variant};

	ret->len = 0;
	ret->n_marks = 0;
	write_node(&w, tree->root);
	ret->text[ret->len] = '\0';
	return w.failed ? -E2BIG : 0;
}
