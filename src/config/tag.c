/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/keys.h"
#include "config/lookup.h"
#include "config/weave.h"

#include <errno.h>
#include <string.h>

/* A '<' that may turn out to begin a tag. */
struct open {
	size_t at; /* in the line being woven */
};

#define OPEN_MAX_DEPTH 16

struct tagger {
	const struct scope *s;
	struct weave w;
	struct open open[OPEN_MAX_DEPTH];
	size_t n_open;
	const struct frame *here;
	const char *name; /* of the tag whose value this is */
};

/*
 * An entry and the section in whose terms it speaks; is_own: what options and the jail say counts
 * there too, outer being which part of the latter.
 */
struct source {
	const struct entry *entry;
	const struct section *section, *outer;
	bool is_own;
};

/* What the keys of a section were before the last file that changed them. */
static struct section *make_earlier(struct arena *arena, const struct section *s)
{
	struct section *earlier = arena_alloc(arena, sizeof(*earlier));

	earlier->name = s->name;
	for (size_t i = 0; i < s->entries.n; i++) {
		const struct entry *e = (const struct entry *)s->entries.items[i];

		if (e->prev != NULL)
			names_put(&earlier->entries, arena, (void *)e->prev);
	}
	return earlier;
}

/*
 * <known/key>: what [Init] says; else where several files have [Definition] what it was before,
 * and else what it is.
 */
static struct source find_known(const struct scope *s, const char *key, const struct frame *up)
{
	struct source found = {.section = doc_section(s->doc, "Init")};
	const struct section *definition = doc_section(s->doc, "Definition");

	found.entry = frame_idle(section_entry(found.section, key), up);
	if (found.entry == NULL && definition != NULL && definition->again) {
		found.section = make_earlier(s->r->scratch, definition);
		found.entry = frame_idle(lookup_in(s->doc, found.section, key), up);
	}
	if (found.entry == NULL) {
		found.section = definition;
		found.entry = frame_idle(lookup_in(s->doc, definition, key), up);
	}
	return found;
}

/* <section/key> */
static struct source find_foreign(const struct scope *s, const char *section, const char *key)
{
	struct source found = {.section = doc_section(s->doc,
				       strcasecmp(section, "default") == 0 ? "DEFAULT" : section)};

	if (found.section != NULL)
		found.entry = lookup_in(s->doc, found.section, key);
	return found;
}

static struct source find(const struct scope *s, const char *name, const struct frame *up)
{
	const char *low = lookup_key(s->r->scratch, name), *slash = strchr(name, '/');
	struct source found = {.entry = section_entry(s->opts, low)};

	if (found.entry != NULL)
		return found;
	if (slash != NULL && slash != name) {
		const char *section = arena_strndup(s->r->scratch, name, (size_t)(slash - name));

		low += slash - name + 1;
		return strcasecmp(section, "known") == 0 ? find_known(s, low, up)
							 : find_foreign(s, section, low);
	}
	found.section = doc_section(s->doc, "Init");
	found.entry = section_entry(found.section, low);
	if (found.entry != NULL)
		return found;
	found.is_own = true;
	found.section = doc_section(s->doc, "Definition");
	found.outer = section_entry(found.section, low) != NULL ? s->outer : s->first;
	found.entry = section_entry(found.outer, low);
	if (found.entry == NULL)
		found.entry = lookup_in(s->doc, found.section, low);
	return found;
}

static int expand_source(const struct scope *s, struct source from, const char *name,
	const struct frame *up, struct budget *budget, struct lines *ret);

static int too_big(struct tagger *t, struct where where)
{
	reader_error(t->s->r, where, "tag '<%s>' grows without end: make it shorter",
		reader_show(t->s->r, t->name));
	return -EINVAL;
}

/* The tag `name` ends at the end of the woven line and began at `from`: puts its value there. */
static int replace(struct tagger *t, struct open from, const char *name, bool at_end)
{
	struct where where = t->w.where;
	struct lines value = {0};
	struct source found;
	int r;

	if (keys_is_line_tag(name))
		return 0;
	found = find(t->s, name, t->here);
	if (found.entry == NULL)
		return 0;
	if (frame_is_active(found.entry, t->here)) {
		reader_error(t->s->r, where,
			"tag '<%s>' leads back to itself: write '<known/%s>' for what it was "
			"before",
			reader_show(t->s->r, name), reader_show(t->s->r, name));
		return -EINVAL;
	}
	r = expand_source(t->s, found, name, t->here, t->w.budget, &value);
	if (r < 0)
		return r;
	/* Where the value has several lines, what was open before is on another one now. */
	if (value.n > 1)
		t->n_open = 0;
	if (weave_value(&t->w, from.at, &value, from.at == 0 && at_end) < 0)
		return too_big(t, where);
	return 0;
}

static int on_open(struct tagger *t)
{
	if (t->n_open == OPEN_MAX_DEPTH) {
		memmove(t->open, t->open + 1, sizeof(t->open) - sizeof(t->open[0]));
		t->n_open--;
	}
	t->open[t->n_open++] = (struct open) {t->w.cur.len};
	return weave_add(&t->w, "<", 1);
}

static int on_close(struct tagger *t, bool at_end, struct where where)
{
	struct open from;
	const char *name;
	size_t len;

	if (weave_add(&t->w, ">", 1) < 0)
		return too_big(t, where);
	if (t->n_open == 0)
		return 0;
	from = t->open[--t->n_open];
	len = t->w.cur.len - from.at - 2;
	name = arena_strndup(t->s->r->scratch, t->w.cur.data + from.at + 1, len);
	if (len == 0 || strpbrk(name, " <>\t") != NULL)
		return 0;
	return replace(t, from, name, at_end);
}

static int tag_line(struct tagger *t, struct conf_text line)
{
	int r = 0;

	weave_begin(&t->w, line.where);
	t->n_open = 0;
	for (const char *p = line.text; *p != '\0' && r == 0;) {
		size_t plain = strcspn(p, "<>");

		if (weave_add(&t->w, p, plain) < 0)
			return too_big(t, line.where);
		p += plain;
		if (*p == '<' && on_open(t) < 0)
			return too_big(t, line.where);
		if (*p == '>')
			r = on_close(t, p[1] == '\0', line.where);
		if (*p != '\0')
			p++;
	}
	if (r == 0)
		weave_end(&t->w);
	return r;
}

static int expand_source(const struct scope *s, struct source from, const char *name,
	const struct frame *up, struct budget *budget, struct lines *ret)
{
	struct frame here = {from.entry, up, up != NULL ? up->depth + 1 : 0};
	struct scope inner = {.r = s->r, .doc = s->doc, .section = from.section};
	struct tagger t = {.s = s, .here = &here, .name = name};
	struct lines plain = {0};
	int r;

	t.w = (struct weave) {.arena = s->r->scratch, .budget = budget, .lines = ret};
	if (budget->steps == 0)
		return too_big(&t, from.entry->where);
	budget->steps--;
	if (here.depth > FRAME_DEPTH_MAX) {
		reader_error(s->r, from.entry->where,
			"tag '<%s>' is put together over more than %d levels: make it flatter",
			reader_show(s->r, name), FRAME_DEPTH_MAX);
		return -EINVAL;
	}
	if (from.is_own) {
		inner.opts = s->opts;
		inner.outer = from.outer;
		inner.init = from.outer == s->outer ? s->init : NULL;
	}
	r = expand_within(&inner, from.entry, budget, &plain);
	for (size_t i = 0; i < plain.n && r == 0; i++)
		r = tag_line(&t, plain.items[i]);
	buf_done(&t.w.cur);
	return r;
}

int expand_tag(const struct scope *s, const char *key, struct lines *ret)
{
	struct budget budget = BUDGET_START;
	struct source found = find(s, key, NULL);

	if (found.entry == NULL)
		return -ENOENT;
	return expand_source(s, found, key, NULL, &budget, ret);
}
