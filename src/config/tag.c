/* SPDX-License-Identifier: GPL-2.0-or-later */
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

/* Tags that a log line fills, not the configuration. */
static bool is_line_tag(const char *name)
{
	static const char *const names[] = {
		"HOST", "ADDR", "IP4", "IP6", "DNS", "CIDR", "SUBNET", "SKIPLINES", NULL};

	if (strncmp(name, "F-", 2) == 0 || strncmp(name, "/F-", 3) == 0)
		return true;
	for (size_t i = 0; names[i] != NULL; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* An entry and the section in whose terms it speaks. */
struct source {
	const struct entry *entry;
	const struct section *section;
};

/* <section/key>, <known/key>. */
static struct source find_foreign(
	const struct scope *s, const char *section, const char *key, const struct frame *up)
{
	struct source found = {NULL, NULL};
	const struct section *definition = doc_section(s->doc, "Definition");

	if (strcasecmp(section, "known") == 0) {
		found.section = doc_section(s->doc, "Init");
		found.entry = frame_idle(section_entry(found.section, key), up);
		if (found.entry != NULL)
			return found;
		found.section = definition;
		found.entry = lookup_in(s->doc, definition, key);
		if (found.entry != NULL && found.entry->prev != NULL)
			found.entry = found.entry->prev;
		found.entry = frame_idle(found.entry, up);
		return found;
	}
	found.section =
		doc_section(s->doc, strcasecmp(section, "default") == 0 ? "DEFAULT" : section);
	if (found.section != NULL)
		found.entry = lookup_in(s->doc, found.section, key);
	return found;
}

static struct source find(const struct scope *s, const char *name, const struct frame *up)
{
	const char *low = lookup_key(s->r->scratch, name), *slash = strchr(name, '/');
	struct source found = {section_entry(s->opts, low), NULL};

	if (found.entry != NULL)
		return found;
	if (slash != NULL && slash != name)
		return find_foreign(s, arena_strndup(s->r->scratch, name, (size_t)(slash - name)),
			low + (slash - name) + 1, up);
	found.section = doc_section(s->doc, "Init");
	found.entry = section_entry(found.section, low);
	if (found.entry != NULL)
		return found;
	found.section = doc_section(s->doc, "Definition");
	found.entry =
		section_entry(section_entry(found.section, low) != NULL ? s->outer : s->first, low);
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

	if (is_line_tag(name))
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
	/* Options of the filter and the jail's own settings count in [Definition] alone. */
	if (from.section != NULL && from.section == doc_section(s->doc, "Definition")) {
		inner.opts = s->opts;
		inner.outer = s->outer;
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
