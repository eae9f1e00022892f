/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/expand.h"

#include "config/lookup.h"
#include "config/weave.h"

#include <errno.h>
#include <string.h>

/* The text of a name's value: of an entry to be expanded, or ready. */
struct found {
	const struct entry *entry;
	const struct section *section; /* in whose terms it speaks, if it is another one */
	struct lines ready;
};

/* What a name said before: in the jail's filter, in an earlier file, in [DEFAULT]. */
static int find_known(
	const struct scope *s, const char *key, const struct frame *up, struct found *ret)
{
	const struct entry *now = section_entry(s->section, key), *e;
	int r;

	if (s->filter != NULL && lookup_is_own(s->filter, key)) {
		r = expand_tag(s->filter, key, &ret->ready);
		if (r != -ENOENT)
			return r;
	}
	e = frame_idle(section_entry(s->init, key), up);
	if (e != NULL) {
		ret->section = s->init;
		ret->entry = e;
		return 0;
	}
	e = frame_idle(now != NULL ? now->prev : NULL, up);
	if (e == NULL)
		e = frame_idle(section_entry(doc_section(s->doc, "DEFAULT"), key), up);
	if (e == NULL)
		e = frame_idle(now, up);
	ret->entry = e;
	return e != NULL ? 0 : -ENOENT;
}

static int find(const struct scope *s, const char *name, const struct frame *up, struct found *ret)
{
	struct arena *arena = s->r->scratch;
	const char *slash = strchr(name, '/');
	const char *key = lookup_key(arena, slash != NULL ? slash + 1 : name);

	if (strcmp(name, "__name__") == 0 && s->section != NULL) {
		lines_add(&ret->ready, arena,
			(struct conf_text) {s->section->name, s->section->where});
		return 0;
	}
	if (slash == NULL) {
		ret->entry = section_entry(s->opts, key);
		if (ret->entry == NULL) {
			ret->entry = section_entry(s->init, key);
			ret->section = ret->entry != NULL ? s->init : NULL;
		}
		if (ret->entry == NULL)
			ret->entry = section_entry(s->outer, key);
		if (ret->entry == NULL)
			ret->entry = lookup_in(s->doc, s->section, key);
	} else {
		const char *section = arena_strndup(arena, name, (size_t)(slash - name));

		if (strcasecmp(section, "known") == 0)
			return find_known(s, key, up, ret);
		if (strcasecmp(section, "default") == 0)
			section = "DEFAULT";
		if (doc_section(s->doc, section) == NULL)
			return -ENOENT;
		ret->entry = lookup_in(s->doc, doc_section(s->doc, section), key);
	}
	return ret->entry != NULL ? 0 : -ENOENT;
}

static int too_big(const struct scope *s, struct where where, const struct entry *e)
{
	reader_error(s->r, where,
		"'%s' grows without end when its parts are put in: make it shorter",
		reader_show(s->r, e->name));
	return -EINVAL;
}

static int expand_into(const struct scope *s, const struct entry *e, const struct frame *up,
	struct budget *budget, struct lines *ret);

static int not_found(const struct scope *s, const char *name, const char *key, struct where where)
{
	const char *shown = reader_show(s->r, name), *shown_key = reader_show(s->r, key);

	if (key == name || strncasecmp(name, "default/", 8) == 0)
		reader_error(s->r, where,
			"'%%(%s)s' is not defined anywhere: define '%s' in this section or in "
			"[DEFAULT]%s",
			shown, shown_key, lookup_hint(s->r, s->doc, s->section, key));
	else if (strncasecmp(name, "known/", 6) == 0)
		reader_error(s->r, where,
			"'%%(%s)s': neither an earlier file nor [DEFAULT] sets '%s': write its "
			"value out",
			shown, shown_key);
	else
		reader_error(s->r, where,
			"'%%(%s)s': there is no such section, or neither it nor [DEFAULT] sets "
			"'%s': define it there",
			shown, shown_key);
	return -EINVAL;
}

/* The value of %(name)s, expanded. */
static int expand_name(const struct scope *s, const char *name, struct where where,
	const struct frame *up, struct budget *budget, struct lines *ret)
{
	const char *key = strchr(name, '/') != NULL ? strchr(name, '/') + 1 : name;
	struct found found = {0};
	int r = find(s, name, up, &found);

	if (r == -ENOENT)
		return not_found(s, name, key, where);
	if (r < 0)
		return r;
	if (found.entry == NULL) {
		*ret = found.ready;
		return 0;
	}
	if (frame_is_active(found.entry, up)) {
		reader_error(s->r, where,
			"'%%(%s)s' leads back to itself: write '%%(known/%s)s' for what an "
			"earlier file or [DEFAULT] says",
			reader_show(s->r, name), reader_show(s->r, key));
		return -EINVAL;
	}
	if (found.section != NULL) {
		struct scope other = {.r = s->r, .doc = s->doc, .section = found.section};

		return expand_into(&other, found.entry, up, budget, ret);
	}
	return expand_into(s, found.entry, up, budget, ret);
}

/* A '%' at p: returns what is past it, or NULL with the fault noted. */
static const char *expand_percent(const struct scope *s, struct weave *w, const char *line,
	const char *p, const struct frame *here)
{
	const char *close = p[1] == '(' ? strchr(p, ')') : NULL, *name;
	struct where where = w->where;
	struct lines value = {0};

	if (p[1] == '%') {
		if (weave_add(w, "%", 1) == 0)
			return p + 2;
		too_big(s, where, here->entry);
		return NULL;
	}
	if (p[1] != '(') {
		reader_error(s->r, where, "a single '%%' in '%s': write '%%%%' for a percent sign",
			reader_show(s->r, here->entry->name));
		return NULL;
	}
	if (close == NULL || close == p + 2 || close[1] != 's') {
		reader_error(s->r, where, "'%%(' does not go on as it should: write '%%(NAME)s'");
		return NULL;
	}
	name = arena_strndup(s->r->scratch, p + 2, (size_t)(close - p) - 2);
	if (expand_name(s, name, where, here, w->budget, &value) < 0)
		return NULL;
	if (weave_value(w, w->cur.len, &value, p == line && close[2] == '\0') < 0) {
		too_big(s, where, here->entry);
		return NULL;
	}
	return close + 2;
}

static int expand_line(
	const struct scope *s, struct weave *w, struct conf_text line, const struct frame *here)
{
	const char *p = line.text;

	weave_begin(w, line.where);
	while (*p != '\0') {
		size_t plain = strcspn(p, "%");

		if (weave_add(w, p, plain) < 0)
			return too_big(s, line.where, here->entry);
		p += plain;
		if (*p == '%')
			p = expand_percent(s, w, line.text, p, here);
		if (p == NULL)
			return -EINVAL;
	}
	weave_end(w);
	return 0;
}

static int expand_into(const struct scope *s, const struct entry *e, const struct frame *up,
	struct budget *budget, struct lines *ret)
{
	struct frame here = {e, up, up != NULL ? up->depth + 1 : 0};
	struct weave w = {.arena = s->r->scratch, .budget = budget, .lines = ret};
	int r = 0;

	if (here.depth > FRAME_DEPTH_MAX) {
		reader_error(s->r, e->where,
			"'%s' is put together over more than %d levels: make it flatter",
			reader_show(s->r, e->name), FRAME_DEPTH_MAX);
		return -EINVAL;
	}
	if (budget->steps == 0)
		return too_big(s, e->where, e);
	budget->steps--;
	for (size_t i = 0; i < e->lines.n && r == 0; i++) {
		if (e->verbatim)
			lines_add(ret, s->r->scratch, e->lines.items[i]);
		else
			r = expand_line(s, &w, e->lines.items[i], &here);
	}
	buf_done(&w.cur);
	return r;
}

int expand_entry(const struct scope *s, const struct entry *e, struct lines *ret)
{
	struct budget budget = BUDGET_START;

	return expand_into(s, e, NULL, &budget, ret);
}

int expand_within(
	const struct scope *s, const struct entry *e, struct budget *budget, struct lines *ret)
{
	return expand_into(s, e, NULL, budget, ret);
}

void expand_keys(const struct scope *s, const char *const *keys, size_t n, struct section *ret)
{
	for (size_t i = 0; i < n; i++) {
		const struct entry *e = lookup_in(s->doc, s->section, keys[i]);
		struct entry *done;

		if (e == NULL)
			continue;
		done = arena_alloc(s->r->scratch, sizeof(*done));
		done->name = keys[i];
		done->where = e->where;
		done->verbatim = true;
		if (expand_entry(s, e, &done->lines) == 0)
			names_put(&ret->entries, s->r->scratch, done);
	}
}
