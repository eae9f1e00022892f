/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/tags.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define VALUE_MAX 128 /* of those that do not come from a line */
#define NAME_MAX_LEN 64

/* One tag in a text. */
struct tag {
	const char *start, *end; /* "<" and what comes after ">" */
	const char *name;
	size_t len;
};

static bool is_tag_char(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '_' || c == '.';
}

/* The next thing from text on that looks like a tag. */
static bool next_tag(const char *text, struct tag *ret)
{
	for (const char *p = text; (p = strchr(p, '<')) != NULL; p++) {
		size_t len = 0;

		while (is_tag_char(p[1 + len]))
			len++;
		if (len == 0 || len > NAME_MAX_LEN || p[1 + len] != '>')
			continue;
		*ret = (struct tag) {.start = p, .end = p + len + 2, .name = p + 1, .len = len};
		return true;
	}
	return false;
}

static bool is_name(const struct tag *t, const char *name)
{
	return strlen(name) == t->len && memcmp(name, t->name, t->len) == 0;
}

bool tags_used(const char *text, const char *name)
{
	size_t len = strlen(name);
	struct tag t;

	for (const char *p = text; next_tag(p, &t); p = t.end) {
		if (is_name(&t, name) ||
			(name[len - 1] == '-' && t.len > len && memcmp(t.name, name, len) == 0))
			return true;
	}
	return false;
}

void tags_add(struct tags *t, const char *name, const char *value, size_t len)
{
	size_t name_len = strlen(name) + 1;

	if (t->len + name_len + len + 1 > sizeof(t->data))
		return;
	memcpy(t->data + t->len, name, name_len);
	t->len += name_len;
	for (size_t i = 0; i < len; i++)
		t->data[t->len++] = value[i] != '\0' ? value[i] : '?';
	t->data[t->len++] = '\0';
}

static const char *find(const struct tags_case *c, const struct tag *t)
{
	const char *p = c->data, *end = c->data + c->len;

	while (p < end) {
		const char *value = p + strlen(p) + 1;

		if (is_name(t, p))
			return value;
		p = value + strlen(value) + 1;
	}
	return NULL;
}

/* The address's parts from the last to the first, each with a dot: what a name server's zone has.
 */
static void reversed(const struct addr *a, char *buf, size_t size)
{
	size_t len, used = 0;
	const uint8_t *wire = addr_wire(a, &len);

	for (size_t i = len; i-- > 0 && used < size;) {
		if (len == 4)
			used += (size_t)snprintf(buf + used, size - used, "%u.", wire[i]);
		else
			used += (size_t)snprintf(
				buf + used, size - used, "%x.%x.", wire[i] & 15, wire[i] >> 4);
	}
}

/* What replaces the tag, in buf or where it is kept; NULL: it is no tag. */
static const char *value_of(const struct tags_case *c, const struct tag *t, char buf[VALUE_MAX])
{
	bool is_field = t->len > 2 && memcmp(t->name, "F-", 2) == 0;
	const char *kept = NULL;

	/* Who sends tags may be hijacked: he has no say in what others mean, <br> least of all. */
	if (is_field || is_name(t, "fid") || is_name(t, "ip-host"))
		kept = find(c, t);
	if (kept != NULL)
		return kept;
	if (is_field)
		return ""; /* this line has no such field */
	if (is_name(t, "ip") || is_name(t, "fid") || is_name(t, "ip-host"))
		return prefix_format(c->who, buf);
	if (is_name(t, "family"))
		return addr_is4(&c->who->addr) ? "inet4" : "inet6";
	if (is_name(t, "br"))
		return "\n";
	if (is_name(t, "sp"))
		return " ";
	if (is_name(t, "ip-rev"))
		reversed(&c->who->addr, buf, VALUE_MAX);
	else if (is_name(t, "failures"))
		snprintf(buf, VALUE_MAX, "%u", c->failures);
	else
		return NULL;
	return buf;
}

/* A word that means nothing but itself to a shell, wherever it stands. */
static bool is_plain(const char *s)
{
	for (; *s != '\0'; s++)
		if (!isalnum((unsigned char)*s) && strchr("_.:@%+/=,-", *s) == NULL)
			return false;
	return true;
}

static int add_variable(struct buf *ret, struct buf *env, const struct tag *t, const char *value)
{
	char name[sizeof("f2bV_") + NAME_MAX_LEN] = "f2bV_";
	size_t prefix = strlen(name);
	int r;

	for (size_t i = 0; i < t->len; i++)
		name[prefix + i] = isalnum((unsigned char)t->name[i]) ? t->name[i] : '_';
	name[prefix + t->len] = '\0';
	/* Braces, so that it ends where the tag did. */
	r = buf_addf(ret, "${%s}", name);
	if (r == 0)
		r = buf_addf(env, "%s=%s", name, value);
	return r < 0 ? r : buf_add(env, "", 1);
}

static int fill(struct buf *ret, struct buf *env, const char *text, const struct tags_case *c)
{
	char buf[VALUE_MAX];
	struct tag t;
	int r = 0;

	for (; r == 0 && next_tag(text, &t); text = t.end) {
		const char *value = value_of(c, &t, buf);

		r = buf_add(ret, text, (size_t)(t.start - text));
		if (r < 0)
			break;
		if (value == NULL)
			r = buf_add(ret, t.start, (size_t)(t.end - t.start));
		else if (env == NULL || is_plain(value) || is_name(&t, "br") || is_name(&t, "sp"))
			r = buf_adds(ret, value);
		else
			r = add_variable(ret, env, &t, value);
	}
	return r < 0 ? r : buf_adds(ret, text);
}

int tags_fill(struct buf *ret, const char *text, const struct tags_case *c)
{
	return fill(ret, NULL, text, c);
}

int tags_command(struct buf *ret, struct buf *ret_env, const char *text, const struct tags_case *c)
{
	return fill(ret, ret_env, text, c);
}
