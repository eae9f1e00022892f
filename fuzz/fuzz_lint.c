/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lint/regen.h"
#include "match/pattern.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A node lies within the expression, and has the children that its kind is read with. */
static void check_node(const struct retree_node *n, size_t len)
{
	if (n->off > len || n->len > len - n->off)
		abort();
	if ((n->kind == RETREE_REPEAT || n->kind == RETREE_GROUP || n->kind == RETREE_COND) &&
		n->child == NULL)
		abort();
	if (n->kind == RETREE_REPEAT && n->max < n->min)
		abort();
	for (n = n->child; n != NULL; n = n->next)
		check_node(n, len);
}

static void check_text(const struct regen_text *t)
{
	if (t->len > REGEN_TEXT_MAX || t->n_marks > REGEN_MARKS_MAX || t->text[t->len] != '\0')
		abort();
	for (size_t i = 0; i < t->n_marks; i++) {
		if (t->marks[i].off > t->len || t->marks[i].len > t->len - t->marks[i].off)
			abort();
		if (t->marks[i].kind == REGEN_FIELD && t->marks[i].node->child->kind != RETREE_SET)
			abort();
	}
}

/* An expression, compiled or not. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct regen_hosts hosts = {"192.0.2.1", "2001:db8::1", "client.example.com"};
	static struct regen_text text, outer;
	char *source = strndup((const char *)data, size);
	struct arena *arena = arena_new();
	struct pattern_error error;
	struct pattern p = {0};
	struct retree tree;

	if (pattern_expand(&p, source, 0, &error) == 0 &&
		retree_parse(&tree, arena, buf_text(&p.text), p.text.len) == 0) {
		check_node(tree.root, p.text.len);
		for (unsigned v = 0; v < 4; v++) {
			struct regen_choice c = {.variant = v, .hosts = &hosts};

			if (regen_write(&text, &tree, &c) < 0)
				continue;
			check_text(&text);
			c.content = &text;
			if (regen_write(&outer, &tree, &c) == 0)
				check_text(&outer);
		}
	}
	pattern_done(&p);
	arena_free(arena);
	free(source);
	return 0;
}
