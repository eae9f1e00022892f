/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/utf8.h"
#include "base/util.h"
#include "lint/regen.h"
#include "match/needs.h"
#include "match/pattern.h"
#include "match/regex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SOURCE_MAX 400
#define TEXT_MAX 600

/* The input as decisions; past its end they are all 0. */
struct dice {
	const uint8_t *data;
	size_t len, at;
};

static unsigned roll(struct dice *d, unsigned n)
{
	return d->at < d->len ? d->data[d->at++] % n : 0;
}

struct source {
	char text[SOURCE_MAX + 64];
	size_t len;
};

static void put(struct source *s, const char *text)
{
	if (s->len < SOURCE_MAX)
		s->len += (size_t)snprintf(s->text + s->len, sizeof(s->text) - s->len, "%s", text);
}

/* An expression as the input decides: most of those that are plain bytes do not compile. */
static void grow(struct source *s, struct dice *d, unsigned depth)
{
	static const char *const atoms[] = {"a", "b", "s", "k", "S", "K", "x", "log", "user ",
		"Fai", " ", "\\[", "\\]", "\\(", "\\)", "\\{", "\\}", "<", ">", "\"", "'", "1", "-",
		",", "_", "[ab]", "[aA]", "[sS]", "[^a]", "[a-d]", "[]a]", "[a\\-s]", "[\\dk]",
		"[^\\W_a-z]", "[k]", "[^\\x00-0\\x32-\\xff]", "[^\\Wb-zA-Z0-9_]", "(?xx)", "[a- c]",
		"\\c;", "[\\x{73}]", ".", "\\d", "\\w", "\\s", "\\S", "\\W", "\\h", "\\N", "\\R",
		"^", "$", "\\b", "\\B", "\\A", "\\Z", "\\K", "(?i)", "(?-i)", "(?x)", "(?s)",
		"(?m)", "(?#ab)", "#k\n", "  ", "\\x73", "\\163", "\\u017f", "\\u212a", "\xc3\xa9",
		"\\.", "\\1", "\\12", "(?P=n)", "\\cK", "\\n", "\\t", "\\\\", "\\ ",
		"<F-USER>k</F-USER>", "<HOST>", "<SKIPLINES>", "{", "}", "{,", "\\Q", "\\E",
		"[[:alpha:]]"};
	static const char *const openings[] = {"(", "(?:", "(?>", "(?=", "(?!", "(?<=", "(?<!",
		"(?i:", "(?-i:", "(?x:", "(?P<n>", "(?(1)", "(?s:", "(?:|", "(?(n)"};
	static const char *const quantifiers[] = {"?", "*", "+", "{2}", "{0}", "{0,2}", "{1,3}",
		"{1}", "{3,}", "{,2}", "??", "*?", "+?", "?+", "*+", "++", "{2}{2}", " ?", "(?#)*",
		"{1, 2}"};

	for (unsigned n = 1 + roll(d, 6); n > 0 && s->len < SOURCE_MAX; n--) {
		unsigned what = roll(d, 8);

		if (what == 7 && depth < 6) {
			put(s, openings[roll(d, ARRAY_SIZE(openings))]);
			grow(s, d, depth + 1);
			put(s, ")");
		} else {
			put(s, atoms[roll(d, what < 4 ? 24 : ARRAY_SIZE(atoms))]);
		}
		if (roll(d, 4) == 3)
			put(s, quantifiers[roll(d, ARRAY_SIZE(quantifiers))]);
		if (roll(d, 8) == 7)
			put(s, "|");
	}
}

/* What is tried. */
struct trial {
	struct regex_engine *engine;
	const struct filter_stats *stats;
	struct regex *bytes, *both;
	struct needs needs;
};

static void check_found(const struct trial *t, bool found, const char *text, size_t len)
{
	if (found && !needs_hold(&t->needs, text, len))
		abort();
}

/* What is ASCII is searched by another program, which leaves out what is in vain. */
static void check_programs(struct trial *t, const char *text, size_t len)
{
	uint64_t limit_hits = t->stats->limit_hits;
	bool found, as_characters;

	regex_engine_utf8(t->engine, false);
	found = regex_find(t->engine, t->both, text, len);
	regex_engine_utf8(t->engine, true);
	as_characters = regex_find(t->engine, t->both, text, len);
	if (found != as_characters && t->stats->limit_hits == limit_hits)
		abort();
}

static void check_text(struct trial *t, const char *text, size_t len)
{
	static char characters[UTF8_GROWTH * (REGEN_TEXT_MAX + 1)];

	if (len > REGEN_TEXT_MAX)
		len = REGEN_TEXT_MAX;
	if (t->bytes != NULL) {
		regex_engine_utf8(t->engine, false);
		check_found(t, regex_find(t->engine, t->bytes, text, len), text, len);
	}
	if (t->both != NULL && utf8_ascii(text, len) == len)
		check_programs(t, text, len);
	if (t->both != NULL) {
		len = utf8_replace(characters, text, len);
		regex_engine_utf8(t->engine, true);
		check_found(t, regex_find(t->engine, t->both, characters, len), characters, len);
	}
}

/* The text with letters in the other case, or as characters that are the same but for case. */
static void check_changed(struct trial *t, struct dice *d, const char *text, size_t len)
{
	char changed[TEXT_MAX];
	size_t n = 0;

	for (size_t i = 0; i < len && n + 4 < sizeof(changed); i++) {
		char low = (char)(text[i] | 32);
		unsigned what = roll(d, 8);

		if (what == 7)
			continue;
		if (what == 6 && low == 's')
			n += (size_t)snprintf(changed + n, 4, "\xc5\xbf");
		else if (what == 6 && low == 'k')
			n += (size_t)snprintf(changed + n, 4, "\xe2\x84\xaa");
		else if (what == 5)
			n += utf8_put(changed + n, 0x80 + roll(d, 256));
		else
			changed[n++] = (char)(what >= 3 && low >= 'a' && low <= 'z' ? text[i] ^ 32
										    : text[i]);
	}
	check_text(t, changed, n);
}

/* Texts that the expression was taken apart to write. */
static void check_written(struct trial *t, struct dice *d, const char *source, unsigned flags)
{
	static const struct regen_hosts hosts = {"192.0.2.1", "2001:db8::1", "client.example.com"};
	static struct regen_text text;
	struct arena *arena = arena_new();
	struct pattern_error error;
	struct pattern p = {0};
	struct retree tree;

	if (arena != NULL && pattern_expand(&p, source, flags, &error) == 0 &&
		retree_parse(&tree, arena, buf_text(&p.text), p.text.len) == 0) {
		for (unsigned v = 0; v < 6; v++) {
			struct regen_choice c = {.variant = v, .hosts = &hosts};

			if (regen_write(&text, &tree, &c) < 0)
				continue;
			check_text(t, text.text, text.len);
			check_changed(t, d, text.text, text.len);
		}
	}
	pattern_done(&p);
	arena_free(arena);
}

/*
 * Groups that are repeated within each other take for ever whatever the text, and compiled code
 * does not count that.
 */
static bool is_endless(const char *source)
{
	unsigned repeated = 0;

	for (const char *p = source; *p != '\0'; p++)
		repeated += p[0] == ')' && p[1] != '\0' && strchr("{*+?", p[1]) != NULL;
	return repeated > 4;
}

static struct regex *compile(
	struct trial *t, struct arena *arena, const struct conf_text *source, unsigned flags)
{
	struct regex *r = NULL;
	struct faults f = {0};

	if (regex_new(&r, arena, "t", source, flags, &f) == 0 && regex_engine_fit(t->engine, r) < 0)
		abort();
	faults_done(&f);
	return r;
}

static void check_words(const struct needs *needs)
{
	static const char *const joints[] = {"[]", "()", "<>", "{}", "\"\"", "''", "  "};

	if (needs->n > NEEDS_MAX)
		abort();
	for (size_t i = 0; i < needs->n; i++) {
		const struct need *need = &needs->all[i];

		if (need->n == 0 || need->n > NEED_WORDS_MAX ||
			(i > 0 && need->bits > needs->all[i - 1].bits))
			abort();
		for (size_t j = 0; j < need->n; j++) {
			const struct need_word *w = &need->words[j];

			if (w->len < NEED_WORD_MIN || w->len > NEED_WORD_MAX ||
				strlen(w->text) != w->len)
				abort();
			for (const char *c = w->text; *c != '\0'; c++) {
				if ((*c < ' ' || *c > '~') && !(w->nocase && (*c & 0x80) != 0))
					abort();
			}
			for (size_t k = 0; k < ARRAY_SIZE(joints); k++) {
				if (strstr(w->text, joints[k]) != NULL)
					abort();
			}
		}
	}
}

/* An expression, grown or as it is up to a zero byte, and what to look for it in. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct filter_stats stats;
	struct dice d = {data, size, 0};
	struct arena *arena = arena_new();
	struct trial t = {.engine = regex_engine_new(&stats), .stats = &stats};
	struct source source = {.len = 0};
	unsigned flags = roll(&d, 8);
	struct conf_text conf = {source.text, {"t.conf", 1}};

	if (arena == NULL || t.engine == NULL)
		abort();
	if ((flags & PATTERN_NO_TAGS) == 0 && roll(&d, 4) != 0) {
		grow(&source, &d, 0);
	} else {
		while (d.at < d.len && d.data[d.at] != '\0' && source.len < SOURCE_MAX)
			source.text[source.len++] = (char)d.data[d.at++];
		source.text[source.len] = '\0';
	}
	if (!is_endless(source.text)) {
		t.bytes = compile(&t, arena, &conf, flags);
		t.both = compile(&t, arena, &conf, flags | PATTERN_UTF8);
	}
	if (needs_of(&t.needs, arena, source.text, flags) < 0)
		abort();
	check_words(&t.needs);
	if (t.bytes != NULL || t.both != NULL) {
		check_written(&t, &d, source.text, flags);
		check_text(&t, (const char *)data + d.at, size - d.at);
	}
	regex_free(t.bytes);
	regex_free(t.both);
	regex_engine_free(t.engine);
	arena_free(arena);
	return 0;
}
