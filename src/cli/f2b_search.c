/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/f2b_search.h"

#include "base/utf8.h"
#include "base/util.h"
#include "cli/f2b_room.h"
#include "match/pattern.h"

#include <stdlib.h>
#include <string.h>

/* Is the group "alt_NAME" or "tuple_NAME_2"? Then of what. */
static bool read_part(const char *group, struct arena *arena, struct f2b_part *ret)
{
	const char *base = group, *tail;
	size_t len;

	if (strncmp(group, "alt_", 4) == 0)
		base += 4;
	else if (strncmp(group, "tuple_", 6) == 0)
		base += 6;
	/* The prefix alone is a name like any other. */
	if (base == group || *base == '\0')
		return false;
	len = strlen(base);
	tail = strrchr(base, '_');
	if (tail != NULL && tail[1] != '\0' && tail[1 + strspn(tail + 1, "0123456789")] == '\0')
		len = (size_t)(tail - base);
	ret->group = group;
	ret->is_list = group[0] == 't';
	ret->of = f2b_field_name(arena_strndup(arena, base, len));
	return true;
}

static int compare_parts(const void *a, const void *b)
{
	const struct f2b_part *x = a, *y = b;

	return x->is_list != y->is_list ? x->is_list - y->is_list : strcmp(x->group, y->group);
}

int f2b_search_init(struct f2b_search *s, struct regex_engine *engine, struct arena *arena,
	const char *what, struct conf_text source, unsigned flags, struct faults *f)
{
	int r;

	*s = (struct f2b_search) {.source = source.text, .engine = engine};
	r = regex_new(&s->regex, arena, what, &source, flags | PATTERN_UTF8, f);
	if (r == 0)
		r = regex_engine_fit(engine, s->regex);
	if (r < 0)
		return r;
	s->groups = regex_groups(s->regex, &s->n_groups);
	s->parts = arena_array(arena, s->n_groups, sizeof(*s->parts));
	for (size_t i = 0; i < s->n_groups; i++)
		s->n_parts += read_part(s->groups[i].name, arena, &s->parts[s->n_parts]);
	if (s->n_parts > 1)
		qsort(s->parts, s->n_parts, sizeof(*s->parts), compare_parts);
	return 0;
}

void f2b_search_done(struct f2b_search *s)
{
	regex_free(s->regex);
	f2b_tuples_done(&s->matched);
	f2b_tuples_done(&s->unmatched);
}

static bool has_group(const struct f2b_search *s, const char *group)
{
	for (size_t i = 0; i < s->n_groups; i++) {
		if (strcmp(s->groups[i].name, group) == 0)
			return true;
	}
	return false;
}

bool f2b_search_names(const struct f2b_search *s, const struct f2b_search *pref)
{
	static const char *const names[] = {"fid", "ip4", "ip6", "dns", "mlfid"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (has_group(s, names[i]) || (pref != NULL && has_group(pref, names[i])))
			return true;
	}
	return false;
}

static size_t count_lines(const char *text, size_t end)
{
	size_t n = 0;

	for (size_t i = 0; i < end; i++)
		n += text[i] == '\n';
	return n;
}

/* A line that <SKIPLINES> passed over is not part of the match. */
static void give_back(struct f2b_search *s, const char *line, size_t len, size_t *from)
{
	for (size_t i = *from; i < s->matched.n; i++) {
		struct f2b_tuple *t = s->matched.items[i];

		if (!f2b_tuple_says(t, line, len))
			continue;
		f2b_tuples_add(&s->unmatched, t);
		f2b_tuple_unref(f2b_tuples_take(&s->matched, i));
		*from = i;
		return;
	}
}

/* Where the line ends that begins at s, in Python's eyes; *ret_len gets the bytes of the end. */
static const char *line_end(const char *s, const char *end, size_t *ret_len)
{
	static const char *const ends[] = {"\r\n", "\n", "\r", "\v", "\f", "\x1c", "\x1d", "\x1e",
		"\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xa9"};

	for (; s < end; s++) {
		for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
			*ret_len = strlen(ends[i]);
			if (*ret_len <= (size_t)(end - s) && memcmp(s, ends[i], *ret_len) == 0)
				return s;
		}
	}
	*ret_len = 1;
	return end;
}

static void give_back_skipped(struct f2b_search *s, const struct buf *subject)
{
	size_t from = 0;

	for (size_t i = 0; i < s->n_groups; i++) {
		const char *text, *end;
		size_t len;

		if (strncmp(s->groups[i].name, "skiplines", 9) != 0 ||
			!regex_capture(s->engine, subject->data, s->groups[i].number, &text, &len))
			continue;
		for (end = text + len; text < end;) {
			const char *stop = line_end(text, end, &len);

			give_back(s, text, (size_t)(stop - text), &from);
			text = stop + len;
		}
	}
}

bool f2b_search_find(
	struct f2b_search *s, const struct buf *subject, const struct f2b_tuples *lines)
{
	size_t len, start, end, first, last;
	const char *match;

	regex_engine_utf8(s->engine, utf8_ascii(subject->data, subject->len) < subject->len);
	if (!regex_find(s->engine, s->regex, subject->data, subject->len))
		return false;
	if (lines->n <= 1) {
		f2b_tuples_slice(&s->matched, lines, 0, lines->n);
		f2b_tuples_clear(&s->unmatched);
		return true;
	}
	if (!regex_capture(s->engine, subject->data, 0, &match, &len))
		return false;
	/* From the start of the line in which the match begins to the end of that in which it ends.
	 */
	start = (size_t)(match - subject->data);
	end = start + len;
	for (start++; start > 0 && subject->data[start - 1] != '\n'; start--)
		;
	for (end = end > 0 ? end - 1 : subject->len - 1; subject->data[end] != '\n'; end++)
		;
	first = count_lines(subject->data, start);
	last = count_lines(subject->data, end + 1);
	f2b_tuples_slice(&s->matched, lines, first, last);
	f2b_tuples_slice(&s->unmatched, lines, 0, first);
	give_back_skipped(s, subject);
	for (size_t i = last; i < lines->n; i++)
		f2b_tuples_add(&s->unmatched, lines->items[i]);
	return true;
}

/* The first alternative that says something stands in for a value that says nothing. */
static void put_alternative(struct f2b_fail *fail, const struct f2b_part *part)
{
	const struct f2b_value *v = f2b_fail_get(fail, part->group);

	if (v != NULL && f2b_value_is_true(v) && !f2b_fail_is_true(fail, part->of))
		f2b_fail_set(fail, part->of, f2b_value_copy(v));
}

static void join_part(struct f2b_fail *fail, const struct f2b_part *part)
{
	const struct f2b_value *v = f2b_fail_get(fail, part->group);
	const struct f2b_value *old = f2b_fail_get(fail, part->of);
	struct f2b_value list = {.kind = F2B_LIST};

	if (old != NULL && old->kind == F2B_LIST)
		list = f2b_value_copy(old);
	else
		f2b_value_append(&list, old != NULL ? f2b_value_copy(old) : (struct f2b_value) {0});
	f2b_value_append(&list, v != NULL ? f2b_value_copy(v) : (struct f2b_value) {0});
	f2b_fail_set(fail, part->of, list);
}

void f2b_search_fields(const struct f2b_search *s, const struct buf *subject, struct f2b_fail *ret)
{
	for (size_t i = 0; i < s->n_groups; i++) {
		const struct regex_group *g = &s->groups[i];
		struct f2b_value v = {0};
		const char *text;
		size_t len;

		if (regex_capture(s->engine, subject->data, g->number, &text, &len))
			v = f2b_value_text(text, len);
		/* Of several groups of one name one at most took part. */
		if (v.kind != F2B_NONE || f2b_fail_get(ret, g->name) == NULL)
			f2b_fail_set(ret, g->name, v);
	}
	for (size_t i = 0; i < s->n_parts; i++) {
		if (s->parts[i].is_list)
			join_part(ret, &s->parts[i]);
		else
			put_alternative(ret, &s->parts[i]);
	}
}
