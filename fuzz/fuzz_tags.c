/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A value from a log in a command: it stays a value. And any text as a command's. */
#include "guard/tags.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct tags tags;
static struct prefix who;

static bool is_plain(const char *s)
{
	for (; *s != '\0'; s++)
		if (!isalnum((unsigned char)*s) && strchr("_.:@%+/=,-", *s) == NULL)
			return false;
	return true;
}

static void check_value(const struct tags_case *c, const char *value)
{
	struct buf command = {0}, env = {0}, want = {0}, want_env = {0};
	bool plain = is_plain(value);

	buf_addf(&want, "ask \"%s\"", plain ? value : "${f2bV_F_USER}");
	if (!plain)
		buf_addf(&want_env, "f2bV_F_USER=%s", value);
	if (tags_command(&command, &env, "ask \"<F-USER>\"", c) < 0 ||
		strcmp(buf_text(&command), buf_text(&want)) != 0 ||
		strcmp(buf_text(&env), buf_text(&want_env)) != 0)
		abort();
	buf_done(&command);
	buf_done(&env);
	buf_done(&want);
	buf_done(&want_env);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tags_case c = {.who = &who, .failures = 5};
	struct buf out = {0}, env = {0};
	char *text;

	if (size > MSG_TAGS_MAX / 2)
		return 0;
	text = malloc(size + 1);
	memcpy(text, data, size);
	text[size] = '\0';
	tags.len = 0;
	tags_add(&tags, "F-USER", text, size);
	c.data = tags.data;
	c.len = tags.len;
	check_value(&c, tags.data + sizeof("F-USER"));
	if (tags_fill(&out, text, &c) < 0)
		abort();
	buf_drop(&out, out.len);
	if (tags_command(&out, &env, text, &c) < 0 ||
		(env.len > 0 && env.data[env.len - 1] != '\0'))
		abort();
	buf_done(&out);
	buf_done(&env);
	free(text);
	return 0;
}
