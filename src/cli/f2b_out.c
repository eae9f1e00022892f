/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"
#include "base/util.h"
#include "cli/f2b_regex.h"
#include "cli/f2b_room.h"

#include <ctype.h>

/* What -o prints of a failure. */

static void add_time(const struct f2b_found *found, struct buf *out)
{
	char text[48], *end;

	if (!found->has_time) {
		f2b_adds(out, "None");
		return;
	}
	snprintf(text, sizeof(text), "%lld.%06lld", found->time_us / USEC_PER_SEC,
		found->time_us % USEC_PER_SEC);
	end = text + strlen(text);
	while (end[-1] == '0' && end[-2] != '.')
		*--end = '\0';
	f2b_adds(out, text);
}

static const struct f2b_tuples *matches(const struct f2b_found *found)
{
	static const struct f2b_tuples none;
	const struct f2b_value *v = f2b_fail_get(found->fail, "matches");

	return v != NULL ? &v->lines : &none;
}

static void add_row(const struct f2b_found *found, struct buf *out)
{
	f2b_adds(out, "[");
	f2b_value_repr(&found->id, out);
	f2b_adds(out, ",\t");
	add_time(found, out);
	f2b_adds(out, ",\t");
	f2b_fail_repr(found->fail, out);
	f2b_adds(out, "],");
}

static const struct f2b_value *ip_of(const struct f2b_found *found)
{
	const struct f2b_value *ip = f2b_fail_get(found->fail, "ip");

	return ip != NULL ? ip : &found->id;
}

static void print_lines(struct f2b *b, const struct f2b_tuples *lines)
{
	struct buf text = {0};

	for (size_t i = 0; i < lines->n; i++) {
		text.len = 0;
		f2b_tuple_whole(lines->items[i], &text);
		f2b_print_text(b, text.data, text.len);
	}
	buf_done(&text);
}

static void add_matches(const struct f2b_found *found, struct buf *out)
{
	const struct f2b_tuples *lines = matches(found);

	for (size_t i = 0; i < lines->n; i++) {
		if (i > 0)
			f2b_adds(out, "\n");
		f2b_tuple_whole(lines->items[i], out);
	}
}

/* "br" and "sp": what cannot be written well in a command line. */
static const char *plain_tag(const char *tag)
{
	return strcmp(tag, "br") == 0 ? "\n" : strcmp(tag, "sp") == 0 ? " " : NULL;
}

/* The value of <tag>; false when there is no such tag. */
static bool add_tag(const struct f2b_found *found, const char *tag, struct buf *out)
{
	const struct f2b_value *ip = ip_of(found);
	const char *family;

	if (strcmp(tag, "ip") == 0) {
		f2b_value_show(ip, out);
	} else if (strcmp(tag, "fid") == 0) {
		f2b_value_show(&found->id, out);
	} else if (strcmp(tag, "family") == 0) {
		family = f2b_id_family(ip);
		f2b_adds(out, family != NULL ? family : "None");
	} else if (strcmp(tag, "ip-rev") == 0) {
		f2b_id_reverse(ip, out);
	} else if (strcmp(tag, "time") == 0) {
		add_time(found, out);
	} else if (strcmp(tag, "failures") == 0 || strcmp(tag, "bancount") == 0 ||
		   strcmp(tag, "restored") == 0) {
		/* What a jail counts; there is none here. */
		f2b_adds(out, "0");
	} else if (strcmp(tag, "matches") == 0 || strcmp(tag, "ipmatches") == 0 ||
		   strcmp(tag, "ipjailmatches") == 0) {
		add_matches(found, out);
	} else if (plain_tag(tag) != NULL) {
		f2b_adds(out, plain_tag(tag));
	} else {
		return false;
	}
	return true;
}

/* <F-USER>: what the filter captured under that name; nothing when it did not. */
static bool add_field(const struct f2b_found *found, const char *tag, struct buf *out)
{
	const struct f2b_value *v;
	char name[64];
	size_t n = 0;

	if (strncmp(tag, "F-", 2) != 0)
		return false;
	for (tag += 2; *tag != '\0' && n < sizeof(name) - 1; tag++)
		name[n++] = (char)tolower((unsigned char)*tag);
	name[n] = '\0';
	v = f2b_fail_known(found->fail, f2b_field_name(name));
	if (v != NULL && v->kind == F2B_LINES)
		add_matches(found, out);
	else if (v != NULL)
		f2b_value_show(v, out);
	return true;
}

/* What a tag stands for is printed with its NULs written out, but for a line of the log. */
static void add_escaped(const struct buf *value, struct buf *out)
{
	for (size_t i = 0; i < value->len; i++) {
		if (value->data[i] == '\0')
			f2b_adds(out, "\\x00");
		else
			f2b_add(out, value->data + i, 1);
	}
}

/* The value of any tag but <msg>; false when there is no such tag. */
static bool add_value(const struct f2b_found *found, const char *tag, struct buf *out)
{
	struct buf value = {0};
	bool known = add_tag(found, tag, &value) || add_field(found, tag, &value);

	add_escaped(&value, out);
	buf_done(&value);
	return known;
}

/* The template with its tags filled in; <msg> by one of the lines, or by all. */
static void fill(const struct f2b_found *found, const char *template, const struct f2b_tuple *msg,
	struct buf *out)
{
	char tag[64];

	for (const char *at = template; *at != '\0';) {
		size_t n = *at == '<' ? strcspn(at + 1, "<> ") : 0;

		if (n > 0 && n < sizeof(tag) && at[n + 1] == '>') {
			memcpy(tag, at + 1, n);
			tag[n] = '\0';
			if (strcmp(tag, "msg") == 0 && msg != NULL) {
				f2b_tuple_whole(msg, out);
				at += n + 2;
				continue;
			}
			if (strcmp(tag, "msg") == 0 || add_value(found, tag, out)) {
				at += n + 2;
				continue;
			}
		}
		f2b_add(out, at++, 1);
	}
}

/* A line of output a line of the log where <msg> is asked for. */
static void print_template(struct f2b *b, const struct f2b_found *found)
{
	const struct f2b_tuples *lines = matches(found);
	bool each = strstr(b->o.out, "<msg>") != NULL;
	struct buf text = {0};

	for (size_t i = 0; i < (each && lines->n > 0 ? lines->n : 1); i++) {
		text.len = 0;
		fill(found, b->o.out, each && lines->n > 0 ? lines->items[i] : NULL, &text);
		f2b_print_text(b, buf_text(&text), text.len);
	}
	buf_done(&text);
}

static void print_value(struct f2b *b, const struct f2b_value *v)
{
	static const struct f2b_value none;
	struct buf text = {0};

	f2b_value_show(v != NULL ? v : &none, &text);
	f2b_print_text(b, buf_text(&text), text.len);
	buf_done(&text);
}

static void print_one(struct f2b *b, const struct f2b_found *found)
{
	const char *what = b->o.out;
	struct buf row = {0};

	if (strcmp(what, "id") == 0 || strcmp(what, "fid") == 0) {
		print_value(b, &found->id);
	} else if (strcmp(what, "ip") == 0) {
		print_value(b, ip_of(found));
	} else if (strcmp(what, "msg") == 0) {
		print_lines(b, matches(found));
	} else if (strcmp(what, "row") == 0) {
		add_row(found, &row);
		f2b_print_text(b, row.data, row.len);
		buf_done(&row);
	} else if (strchr(what, '<') == NULL) {
		print_value(b, f2b_fail_get(found->fail, what));
	} else {
		print_template(b, found);
	}
}

void f2b_out(struct f2b *b)
{
	for (size_t i = 0; i < b->finder.n_found; i++) {
		if (!b->finder.found[i].nofail)
			print_one(b, &b->finder.found[i]);
	}
}
