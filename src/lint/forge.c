/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lint/forge.h"

#include "base/util.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define KNOWN(s)                                                                                   \
	{                                                                                          \
		s, sizeof(s) - 1                                                                   \
	}

const struct forge_tail forge_known[] = {
	KNOWN(" " FORGE_OTHER4),
	KNOWN(" " FORGE_OTHER4 " "),
	KNOWN(" from " FORGE_OTHER4),
	KNOWN(" from " FORGE_OTHER4 " port 22 ssh2"),
	KNOWN(" rhost=" FORGE_OTHER4),
	KNOWN(" rhost=" FORGE_OTHER4 " user=root"),
	KNOWN(" [" FORGE_OTHER4 "]"),
	KNOWN(", rip=" FORGE_OTHER4 ", "),
};
const size_t forge_n_known = ARRAY_SIZE(forge_known);

const struct regen_hosts forge_own = {FORGE_OWN4, FORGE_OWN6, FORGE_OWN_NAME};
static const struct regen_hosts other = {FORGE_OTHER4, FORGE_OTHER6, FORGE_OTHER4};

static int write_line(struct regen_text *ret, const struct lint_work *w, size_t regex,
	unsigned variant, const struct regen_hosts *hosts)
{
	struct regen_choice c = {.variant = variant, .hosts = hosts};
	struct regen_text *content = ret;
	int r;

	if (w->pref.source != NULL && w->pref.tree.root == NULL)
		return -EINVAL;
	if (w->pref.source != NULL) {
		content = malloc(sizeof(*content));
		if (content == NULL)
			return -ENOMEM;
	}
	r = regen_write(content, &w->fail[regex].tree, &c);
	if (content != ret) {
		c.content = content;
		if (r == 0)
			r = regen_write(ret, &w->pref.tree, &c);
		free(content);
	}
	return r;
}

int forge_line(struct forge_line *ret, const struct lint_work *w, size_t regex, unsigned variant)
{
	if (w->fail[regex].tree.root == NULL)
		return -EINVAL;
	ret->regex = regex;
	if (write_line(&ret->own, w, regex, variant, &forge_own) < 0 ||
		write_line(&ret->other, w, regex, variant, &other) < 0)
		return -EINVAL;
	if (w->def->maxlines > 1)
		return 0;
	return memchr(ret->own.text, '\n', ret->own.len) == NULL ? 0 : -EINVAL;
}

const char *forge_text(const struct lint_work *w, const struct lint_regex *r, unsigned variant)
{
	struct regen_choice c = {.variant = variant, .hosts = &other};
	struct regen_text *t;
	const char *text = NULL;

	if (r->tree.root == NULL)
		return NULL;
	t = malloc(sizeof(*t));
	if (t != NULL && regen_write(t, &r->tree, &c) == 0)
		text = arena_printf(w->arena, " %s", t->text);
	free(t);
	return text;
}

void forge_content(const struct regen_text *t, size_t *ret_off, size_t *ret_end)
{
	*ret_off = 0;
	*ret_end = t->len;
	for (size_t i = 0; i < t->n_marks; i++) {
		if (t->marks[i].kind != REGEN_CONTENT)
			continue;
		*ret_off = t->marks[i].off;
		*ret_end = t->marks[i].off + t->marks[i].len;
	}
}

/* Adds the text from off to end, behind `lead`, if it is a new one. */
static size_t add(struct arena *arena, struct forge_tail *tails, size_t n, const char *lead,
	const struct regen_text *t, size_t off, size_t end)
{
	const char *text;

	if (n == FORGE_TAILS_MAX)
		return n;
	text = arena_printf(arena, "%s%.*s", lead, (int)(end - off), t->text + off);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(tails[i].text, text) == 0)
			return n;
	}
	tails[n] = (struct forge_tail) {text, strlen(text)};
	return n + 1;
}

size_t forge_tails(struct arena *arena, const struct forge_line *line, struct forge_tail *ret)
{
	const struct regen_text *t = &line->other;
	size_t start, end, n = 0;

	forge_content(t, &start, &end);
	for (size_t h = 0; h < t->n_marks; h++) {
		const struct regen_mark *host = &t->marks[h];
		size_t host_end = host->off + host->len;

		if (host->kind != REGEN_HOST || host->off < start || host_end > end)
			continue;
		/* From behind each field before the address to it, and on to the end. */
		for (size_t k = 0; k < t->n_marks; k++) {
			const struct regen_mark *m = &t->marks[k];

			if (m->kind != REGEN_FIELD || m->off < start || m->off + m->len > host->off)
				continue;
			n = add(arena, ret, n, "", t, m->off + m->len, end);
			n = add(arena, ret, n, "", t, m->off + m->len, host_end);
		}
		n = add(arena, ret, n, " ", t, start, end);
		n = add(arena, ret, n, " ", t, start, host_end);
	}
	return n;
}
