/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/barred.h"

#include "match/retree.h"

#include <string.h>

/* The byte that whatever the node matches begins with. */
static bool first_byte(const struct retree_node *n, char *ret)
{
	while (n != NULL) {
		switch (n->kind) {
		case RETREE_SET:
			*ret = (char)byteset_next(&n->set, 0);
			return byteset_count(&n->set) == 1;
		case RETREE_REPEAT:
			if (n->min == 0)
				return false;
			n = n->child;
			break;
		case RETREE_CAT:
		case RETREE_GROUP:
			n = n->child;
			break;
		default:
			return false;
		}
	}
	return false;
}

static bool is_meant(const struct retree_node *group, const struct retree_node *condition)
{
	if (group->kind != RETREE_GROUP || group->number == 0)
		return false;
	if (condition->name != NULL)
		return group->name != NULL && strcmp(group->name, condition->name) == 0;
	return group->number == condition->number;
}

/* How many such groups there are below, and the last of them. */
static unsigned count_groups(const struct retree_node *n, const struct retree_node *condition,
	const struct retree_node **ret)
{
	unsigned count = 0;

	if (is_meant(n, condition)) {
		*ret = n;
		count++;
	}
	for (const struct retree_node *c = n->child; c != NULL; c = c->next)
		count += count_groups(c, condition, ret);
	return count;
}

/*
 * Whoever passes through the group goes on in the order of the text: nothing else decides. What is
 * atomic would try no other way after it.
 */
static bool is_passed_plainly(const struct retree_node *n, const struct retree_node *group)
{
	if (n == group)
		return true;
	if (n->is_atomic)
		return false;
	if (n->kind != RETREE_CAT && n->kind != RETREE_ALT && n->kind != RETREE_GROUP &&
		n->kind != RETREE_REPEAT)
		return false;
	for (const struct retree_node *c = n->child; c != NULL; c = c->next)
		if (is_passed_plainly(c, group))
			return true;
	return false;
}

/* The condition stands on the only way from what comes before it to the expression's end. */
static bool bars(const struct retree *tree, const struct retree_node *condition, struct barred *ret)
{
	const struct retree_node *group = NULL;

	if (!first_byte(condition->child, &ret->byte) || ret->byte == '\n' ||
		count_groups(tree->root, condition, &group) != 1)
		return false;
	ret->off = group->off;
	ret->len = group->len;
	for (const struct retree_node *n = tree->root->child; n != condition; n = n->next)
		if (is_passed_plainly(n, group))
			return true;
	return false;
}

bool barred_find(struct barred *ret, const char *text, size_t len)
{
	struct arena *arena = memmem(text, len, "(?(", 3) != NULL ? arena_new() : NULL;
	struct retree tree;
	bool found = false;

	if (arena == NULL)
		return false;
	if (retree_parse(&tree, arena, text, len) == 0 && tree.root->kind == RETREE_CAT) {
		const struct retree_node *n = tree.root->child;

		for (; n != NULL && !found; n = n->next)
			found = n->kind == RETREE_COND && bars(&tree, n, ret);
	}
	arena_free(arena);
	return found;
}
