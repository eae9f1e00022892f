/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "samples.h"

#include <ctype.h>
#include <string.h>

/* A condition being read. */
struct reader {
	const char *text, *p;
};

static void skip_space(struct reader *r)
{
	while (isspace((unsigned char)*r->p))
		r->p++;
}

/* Is this word next? Takes it. */
static bool take(struct reader *r, const char *word)
{
	size_t len = strlen(word);

	skip_space(r);
	if (strncmp(r->p, word, len) != 0)
		return false;
	if (isalpha((unsigned char)word[len - 1]) &&
		(isalnum((unsigned char)r->p[len]) || r->p[len] == '_'))
		return false;
	r->p += len;
	return true;
}

static void need(struct reader *r, const char *word)
{
	if (!take(r, word))
		sample_die("not a condition that is known here: %s (at \"%s\")", r->text, r->p);
}

static void text_literal(struct reader *r, char *dst, size_t size)
{
	char quote[2] = "'";
	size_t len;

	if (take(r, "\""))
		quote[0] = '"';
	else
		need(r, "'");
	len = strcspn(r->p, quote);
	if (r->p[len] == '\0' || len >= size || memchr(r->p, '\\', len) != NULL)
		sample_die("not a text that is known here: %s (at \"%s\")", r->text, r->p);
	memcpy(dst, r->p, len);
	dst[len] = '\0';
	r->p += len + 1;
}

static bool comparison(struct reader *r, const char *name, const json_t *opts)
{
	char key[64], wanted[256];
	const char *value = name;
	bool equal;

	if (take(r, "opts.get")) {
		need(r, "(");
		text_literal(r, key, sizeof(key));
		need(r, ")");
		value = json_string_value(json_object_get(opts, key));
	} else {
		need(r, "name");
	}
	equal = take(r, "==");
	if (!equal)
		need(r, "!=");
	text_literal(r, wanted, sizeof(wanted));
	return equal == (value != NULL && strcmp(value, wanted) == 0);
}

bool sample_condition(const char *text, const char *name, const json_t *opts)
{
	struct reader r = {text, text};
	bool any = false, all;

	do {
		all = comparison(&r, name, opts);
		while (take(&r, "and"))
			all &= comparison(&r, name, opts);
		any |= all;
	} while (take(&r, "or"));
	skip_space(&r);
	if (*r.p != '\0')
		sample_die("not a condition that is known here: %s (at \"%s\")", text, r.p);
	return any;
}
