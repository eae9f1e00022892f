/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/f2b_fail.h"

#include "cli/f2b_room.h"

#include <string.h>

struct f2b_value f2b_value_text(const char *s, size_t len)
{
	return (struct f2b_value) {.kind = F2B_TEXT, .text = f2b_copy(s, len), .len = len};
}

struct f2b_value f2b_value_copy(const struct f2b_value *v)
{
	struct f2b_value copy = {.kind = v->kind};

	if (v->kind == F2B_TEXT)
		return f2b_value_text(v->text, v->len);
	if (v->kind == F2B_LINES)
		f2b_tuples_extend(&copy.lines, &v->lines);
	for (size_t i = 0; i < v->n_items; i++)
		f2b_value_append(&copy, f2b_value_copy(&v->items[i]));
	return copy;
}

void f2b_value_done(struct f2b_value *v)
{
	free(v->text);
	for (size_t i = 0; i < v->n_items; i++)
		f2b_value_done(&v->items[i]);
	free(v->items);
	f2b_tuples_done(&v->lines);
	*v = (struct f2b_value) {0};
}

void f2b_value_append(struct f2b_value *list, struct f2b_value item)
{
	for (size_t i = 0; list->kind == F2B_SET && i < list->n_items; i++) {
		if (f2b_value_eq(&list->items[i], &item)) {
			f2b_value_done(&item);
			return;
		}
	}
	list->items = f2b_got(reallocarray(list->items, list->n_items + 1, sizeof(*list->items)));
	list->items[list->n_items++] = item;
}

bool f2b_value_is_true(const struct f2b_value *v)
{
	return v->len > 0 || v->n_items > 0 || v->lines.n > 0;
}

bool f2b_value_eq(const struct f2b_value *a, const struct f2b_value *b)
{
	if (a->kind != b->kind || a->len != b->len || a->n_items != b->n_items)
		return false;
	for (size_t i = 0; i < a->n_items; i++) {
		if (!f2b_value_eq(&a->items[i], &b->items[i]))
			return false;
	}
	return a->kind != F2B_TEXT || memcmp(a->text, b->text, a->len) == 0;
}

/* The code point at s, or its first byte alone when that begins none; *ret_len gets its bytes. */
static unsigned code_point(const char *s, size_t len, size_t *ret_len)
{
	const unsigned char *b = (const unsigned char *)s;
	size_t n = b[0] < 0xc2 ? 1 : b[0] < 0xe0 ? 2 : b[0] < 0xf0 ? 3 : b[0] < 0xf5 ? 4 : 1;
	unsigned c;

	*ret_len = 1;
	if (n == 1 || n > len)
		return b[0];
	c = b[0] & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((b[i] & 0xc0) != 0x80)
			return b[0];
		c = c << 6 | (b[i] & 0x3fu);
	}
	*ret_len = n;
	return c;
}

/* What Python's repr() writes as an escape: controls, and blanks that cannot be seen. */
static bool is_hidden(unsigned c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0xa0) || c == 0xad || c == 0x1680 ||
	       (c >= 0x2000 && c <= 0x200f) || (c >= 0x2028 && c <= 0x202f) ||
	       (c >= 0x205f && c <= 0x206f) || c == 0x3000 || (c >= 0xe000 && c <= 0xf8ff) ||
	       c == 0xfeff;
}

void f2b_repr(const char *s, size_t len, struct buf *out)
{
	char quote = memchr(s, '\'', len) != NULL && memchr(s, '"', len) == NULL ? '"' : '\'';
	size_t n;

	f2b_add(out, &quote, 1);
	for (size_t i = 0; i < len; i += n) {
		unsigned c = code_point(s + i, len - i, &n);
		char escape[16];

		if (c == '\n' || c == '\r' || c == '\t')
			snprintf(escape, sizeof(escape), "\\%c",
				c == '\n'   ? 'n'
				: c == '\r' ? 'r'
					    : 't');
		else if (c == '\\' || c == (unsigned char)quote)
			snprintf(escape, sizeof(escape), "\\%c", (char)c);
		else if (is_hidden(c) && c < 0x100)
			snprintf(escape, sizeof(escape), "\\x%02x", c);
		else if (is_hidden(c))
			snprintf(escape, sizeof(escape), "\\u%04x", c);
		else
			snprintf(escape, sizeof(escape), "%.*s", (int)n, s + i);
		f2b_adds(out, escape);
	}
	f2b_add(out, &quote, 1);
}

static void repr_items(const struct f2b_value *v, struct buf *out)
{
	f2b_adds(out, v->kind == F2B_SET ? "{" : "(");
	for (size_t i = 0; i < v->n_items; i++) {
		if (i > 0)
			f2b_adds(out, ", ");
		f2b_value_repr(&v->items[i], out);
	}
	f2b_adds(out, v->kind == F2B_SET ? "}" : ")");
}

static void repr_lines(const struct f2b_tuples *lines, struct buf *out)
{
	f2b_adds(out, "[");
	for (size_t i = 0; i < lines->n; i++) {
		const struct f2b_tuple *t = lines->items[i];

		f2b_adds(out, i > 0 ? ", (" : "(");
		for (size_t k = 0; k < 3; k++) {
			if (k > 0)
				f2b_adds(out, ", ");
			f2b_repr(t->part[k], t->len[k], out);
		}
		f2b_adds(out, ")");
	}
	f2b_adds(out, "]");
}

void f2b_value_repr(const struct f2b_value *v, struct buf *out)
{
	switch (v->kind) {
	case F2B_NONE:
		f2b_adds(out, "None");
		break;
	case F2B_TEXT:
		f2b_repr(v->text, v->len, out);
		break;
	case F2B_LIST:
	case F2B_SET:
		repr_items(v, out);
		break;
	case F2B_LINES:
		repr_lines(&v->lines, out);
		break;
	}
}

void f2b_value_show(const struct f2b_value *v, struct buf *out)
{
	if (v->kind == F2B_TEXT)
		f2b_add(out, v->text, v->len);
	else
		f2b_value_repr(v, out);
}

void f2b_fail_repr(const struct f2b_fail *fail, struct buf *out)
{
	bool any = false;

	f2b_adds(out, "{");
	for (size_t i = 0; i < fail->n; i++) {
		if (strcmp(fail->fields[i].name, "matches") == 0)
			continue;
		f2b_adds(out, any ? ", " : "");
		any = true;
		f2b_repr(fail->fields[i].name, strlen(fail->fields[i].name), out);
		f2b_adds(out, ": ");
		f2b_value_repr(&fail->fields[i].value, out);
	}
	f2b_adds(out, "}");
}

const char *f2b_field_name(const char *name)
{
	if (strcmp(name, "id") == 0)
		return "fid";
	return strcmp(name, "port") == 0 ? "fport" : name;
}

struct f2b_value *f2b_fail_get(const struct f2b_fail *fail, const char *name)
{
	for (size_t i = 0; i < fail->n; i++) {
		if (strcmp(fail->fields[i].name, name) == 0)
			return &fail->fields[i].value;
	}
	return NULL;
}

const struct f2b_value *f2b_fail_known(const struct f2b_fail *fail, const char *name)
{
	const struct f2b_value *v = f2b_fail_get(fail, name);

	return v != NULL && v->kind != F2B_NONE ? v : NULL;
}

bool f2b_fail_is_true(const struct f2b_fail *fail, const char *name)
{
	const struct f2b_value *v = f2b_fail_get(fail, name);

	return v != NULL && f2b_value_is_true(v);
}

void f2b_fail_set(struct f2b_fail *fail, const char *name, struct f2b_value v)
{
	struct f2b_value *old = f2b_fail_get(fail, name);

	if (old != NULL) {
		f2b_value_done(old);
		*old = v;
		return;
	}
	if (fail->n == fail->room)
		fail->fields = f2b_more_room(fail->fields, &fail->room, sizeof(*fail->fields));
	fail->fields[fail->n++] = (struct f2b_field) {.name = name, .value = v};
}

bool f2b_fail_drop(struct f2b_fail *fail, const char *name)
{
	struct f2b_value *v = f2b_fail_get(fail, name);
	struct f2b_field *field;
	bool was_true;

	if (v == NULL)
		return false;
	was_true = f2b_value_is_true(v);
	f2b_value_done(v);
	for (field = fail->fields; &field->value != v; field++)
		;
	fail->n--;
	memmove(field, field + 1, (size_t)(fail->fields + fail->n - field) * sizeof(*field));
	return was_true;
}

void f2b_fail_update(struct f2b_fail *fail, const struct f2b_fail *more, bool known_only)
{
	for (size_t i = 0; i < more->n; i++) {
		const struct f2b_field *field = &more->fields[i];

		if (!known_only || field->value.kind != F2B_NONE)
			f2b_fail_set(fail, field->name, f2b_value_copy(&field->value));
	}
}

void f2b_fail_add_lines(struct f2b_fail *fail, const char *name, const struct f2b_tuples *more)
{
	struct f2b_value *v = f2b_fail_get(fail, name);

	if (v == NULL || v->kind != F2B_LINES) {
		f2b_fail_set(fail, name, (struct f2b_value) {.kind = F2B_LINES});
		v = f2b_fail_get(fail, name);
	}
	f2b_tuples_extend(&v->lines, more);
}

struct f2b_fail f2b_fail_copy(const struct f2b_fail *fail)
{
	struct f2b_fail copy = {.pending = fail->pending};

	f2b_fail_update(&copy, fail, false);
	return copy;
}

void f2b_fail_done(struct f2b_fail *fail)
{
	for (size_t i = 0; i < fail->n; i++)
		f2b_value_done(&fail->fields[i].value);
	free(fail->fields);
	*fail = (struct f2b_fail) {0};
}
