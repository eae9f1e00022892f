/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/needs.h"

#include "base/utf8.h"
#include "base/util.h"
#include "lint/regen.h"
#include "match/pattern.h"
#include "match/regex.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SHOWN_MAX 2000

/* "one|other & ~third": the clauses, words in either case with a "~". */
static void show(char shown[static SHOWN_MAX], const struct needs *n)
{
	size_t len = 0;

	*shown = '\0';
	for (size_t i = 0; i < n->n; i++) {
		for (size_t j = 0; j < n->all[i].n; j++) {
			const struct need_word *w = &n->all[i].words[j];
			const char *before = j > 0 ? "|" : i > 0 ? " & " : "";

			len += (size_t)snprintf(shown + len, SHOWN_MAX - len, "%s%s%s", before,
				w->nocase ? "~" : "", w->text);
			assert_true(len < SHOWN_MAX);
			assert_int_equal(strlen(w->text), w->len);
		}
	}
}

static void needs(const char *source, const char *expected)
{
	struct arena *arena = arena_new();
	char shown[SHOWN_MAX];
	struct needs n;

	assert_int_equal(needs_of(&n, arena, source, 0), 0);
	show(shown, &n);
	if (strcmp(shown, expected) != 0)
		fail_msg("%s: needs \"%s\", expected \"%s\"", source, shown, expected);
	arena_free(arena);
}

static void plain_text(void **state)
{
	(void)state;
	needs("^Bad protocol$", "Bad protocol");
	needs("^Bad \\S+ protocol", " protocol & Bad ");
	needs("tab\\tstop", "stop & tab");
	needs("\\x2fquux\\x2F\\057\\c;", "/quux//{");
	needs("a", "");
	needs("", "");
	needs("^$", "");
	needs("\\S+", "");
	needs("na\xc3\xafve", "na & ve");
}

/* What may be missing is not needed; what stands beside it is, next to it or not. */
static void optional_parts(void **state)
{
	(void)state;
	needs("qux(?:zap)?", "qux");
	needs("qux(?:zap)?es", "quxzapes|quxes");
	needs("qux(?:zap)*es", "qux & es");
	needs("qux(?:zap)+es", "quxzap & zapes");
	needs("quxz{2}es", "quxzzes");
	needs("quxz{2,}es", "quxzz & zzes");
	needs("quxz{0}es", "quxes");
	needs("quxz{0,2}es", "qux & es");
	needs("quxz??es", "quxzes|quxes");
	needs("quxz*+es", "qux & es");
	needs("(?:qux|)", "");
	needs("(?:\\d+ )?qux", "qux");
	needs("q{0,1}ux", "ux");
}

static void alternatives(void **state)
{
	(void)state;
	needs("foo|zap", "foo|zap");
	needs("foo|", "");
	needs("foo|\\d+", "");
	needs("^(?:foo|zap)\\d+(?:qux|norf)$", "foo|zap & qux|norf");
	needs("hello (?:foo|zap) world", "hello foo world|hello zap world");
	needs("hello (?:foo \\d+|zap)", "hello foo |hello zap");
	needs("(?:foo \\d+ norf|zap \\d+ qux)es", " norfes| quxes &  norf|zap  & foo |zap ");
	needs("quz[aeiou]", "quz");
	needs("quz[ae]x", "quzax|quzex");
	needs("quz[a-e]x", "quz");
	needs("\\d0[1-9] ", "01 |02 |03 |04 |05 |06 |07 |08 |09 ");
	/* A word that says no more than another one. */
	needs("foo|xfoox|fo", "fo");
	needs("(?:my )?zap", "zap");
	/* Too many to be spelled out, but not too many to be looked for. */
	needs("x(?:zq1|zq2|zq3|zq4|zq5|zq6|zq7|zq8|zq9|qz1|qz2|qz3|qz4|qz5|qz6|qz7|qz8|qz9)",
		"zq1|zq2|zq3|zq4|zq5|zq6|zq7|zq8|zq9|qz1|qz2|qz3|qz4|qz5|qz6|qz7|qz8|qz9");
}

static void looks(void **state)
{
	(void)state;
	needs("qux(?!foo) zap", "qux zap");
	needs("qux(?=\\d)zap", "quxzap");
	needs("(?<!no )qux", "qux");
	needs("(?<=foo)\\bqux$", "qux");
	needs("qux\\Kzap", "quxzap");
	needs("(?=foo)", "");
}

static void references(void **state)
{
	(void)state;
	needs("(foo)zap\\1", "foozap");
	needs("(?P<n>foo)?(?(n)zap|qux)", "zap|qux");
	needs("(foo)?(?(1)zap)", "");
	needs("(?>foo|zap)qux", "fooqux|zapqux");
}

static void cases(void **state)
{
	(void)state;
	needs("(?i)foo", "~foo");
	needs("quuxes(?i)by", "quuxes");
	needs("(?i:zap) FOO", "~zap FOO");
	needs("(?i:zap) by", "~zap ");
	needs("[fF]oobar", "oobar");
	needs("[bB]ad", "~bad");
	needs("[Ff][Oo][Oo]", "~foo");
	/* U+017F is an "s", U+212A a "k". */
	needs("(?i)sad", "~sad|~\xc5\xbf"
			 "ad");
	needs("(?i)ink", "~ink|~in\xe2\x84\xaa");
	needs("(?i)zaks", "~zaks|~za\xe2\x84\xaas|~zak\xc5\xbf|~za\xe2\x84\xaa\xc5\xbf");
	needs("[sS]ad", "~sad");
	needs("(?i)q(?-i)uxs", "uxs");
	/* The one says no more than the other, but not the other way round. */
	needs("(?i:foox)|foo", "~foox|foo");
	needs("(?i:foo)|foox", "~foo");
}

/* Of texts that are characters these take more than they have bytes for. */
static void open_sets(void **state)
{
	(void)state;
	needs("xx[^\\x00-0\\x32-\\xff]zz", "xx & zz");
	needs("xx[^\\Wb-zA-Z0-9_]zz", "xx & zz");
	needs("xx\\dzz", "xx & zz");
	needs("xx\xc3\xa9zz", "xx & zz");
	needs("xx\\u0041zz", "xxAzz");
	needs("xx\\u017fzz", "xx & zz");
}

/* Where a date was cut out, these may touch in the text judged that do not in the line. */
static void joints(void **state)
{
	(void)state;
	needs("\\[\\] \"QUX ", "] \"QUX ");
	needs("foo\\(\\)zap", "foo(");
	needs("quux<>\\{\\}", "quux<");
	needs("a\"\"quux", "\"quux");
	needs("frob  nicate", " nicate");
	needs("zap \\[\\]", "zap [");
	needs("\\[\\]", "");
}

static void spacing(void **state)
{
	(void)state;
	needs("(?x) foo zap # qux", "foozap");
	needs("(?x) fooz + zap", "fooz & zzap");
	needs("(?x) fooz # comment\n ? zap", "foozzap|foozap");
	needs("fooz(?#comment)*zap", "foo & zap");
	needs("foo(?#comment)zap", "foozap");
}

/* Whatever is not understood has no clauses: it is always to be tried. */
static void unknown(void **state)
{
	(void)state;
	needs("foo(?R)?", "");
	needs("foo(?|zap)", "");
	needs("foo(*ACCEPT)zap", "");
	needs("foo\\Q*zap\\E", "");
	needs("(?xx)foo", "");
	needs("(foo", "");
	needs("foo)", "");
	needs("foo{1, 2}", "");
	needs("foo(?*zap)", "");
	needs("(?<*zap>)foo", "");
	needs("\\pLfoo", "");
	needs("foo\\", "");
}

/* What is rare comes first, and long texts are cut to where they are rarest. */
static void order(void **state)
{
	(void)state;
	needs("from \\S+ port \\d+ zygote", " zygote &  port  & from ");
	needs("^Failed \\S+ for .* listed in DenyUsers", " listed in DenyUsers & Failed  &  for ");
	needs("from user from user from user from user from user zygote",
		" user from user from user zygote & from user from user from user fr");
}

static void bounds(void **state)
{
	struct arena *arena = arena_new();
	char source[8192] = "";
	struct needs n;

	(void)state;
	/* Each has 2 bytes and stands alone: more clauses than are kept. */
	for (int i = 0; i < 100; i++)
		snprintf(source + strlen(source), 16, "z%cq%d\\d+", 'a' + i % 26, i);
	assert_int_equal(needs_of(&n, arena, source, 0), 0);
	assert_int_equal(n.n, NEEDS_MAX);
	/* More words than are kept. */
	strcpy(source, "zz0q");
	for (int i = 1; i <= NEED_WORDS_MAX; i++)
		snprintf(source + strlen(source), 16, "|zz%dq", i);
	assert_int_equal(needs_of(&n, arena, source, 0), 0);
	assert_int_equal(n.n, 0);
	/* Doubled so often that it cannot be spelled out. */
	strcpy(source, "quux");
	for (int i = 0; i < 40; i++)
		strcat(source, "(?:a|bc)?");
	strcat(source, "zap");
	assert_int_equal(needs_of(&n, arena, source, 0), 0);
	assert_true(n.n >= 1);
	assert_true(needs_hold(&n, "quuxzap", 7));
	assert_true(needs_hold(&n, "quuxabczap", 10));
	/* As deep as may be, and deeper. */
	for (size_t depth = 50; depth <= 3000; depth *= 2) {
		memset(source, '(', depth);
		strcpy(source + depth, "quux");
		memset(source + depth + 4, ')', depth);
		source[2 * depth + 4] = '\0';
		assert_int_equal(needs_of(&n, arena, source, 0), 0);
		assert_true(needs_hold(&n, "quux", 4));
	}
	arena_free(arena);
}

static void hold(void **state)
{
	struct arena *arena = arena_new();
	struct needs n;

	(void)state;
	assert_int_equal(needs_of(&n, arena, "foo.*(?i)(?:zap|sad)", 0), 0);
	assert_true(needs_hold(&n, "a foo zAp", 9));
	assert_true(needs_hold(&n, "ZAP foo", 7));
	assert_true(needs_hold(&n,
		"foo \xc5\xbf"
		"AD",
		8));
	assert_false(needs_hold(&n, "foo zAp", 6));
	assert_false(needs_hold(&n, "Foo zAp", 7));
	assert_false(needs_hold(&n, "foo", 3));
	assert_false(needs_hold(&n, "", 0));
	n.n = 0;
	assert_true(needs_hold(&n, "", 0));
	arena_free(arena);
}

/* Which characters beyond ASCII PCRE2 takes for ones of ASCII in the other case. */
static void folding(void **state)
{
	static const struct conf_text source = {"(?i)^[ -~]$", {"t.conf", 1}};
	struct filter_stats stats = {0};
	struct regex_engine *e = regex_engine_new(&stats);
	struct arena *arena = arena_new();
	struct faults f = {0};
	struct regex *r;

	(void)state;
	assert_int_equal(regex_new(&r, arena, "t", &source, PATTERN_UTF8, &f), 0);
	assert_int_equal(regex_engine_fit(e, r), 0);
	for (uint32_t c = 0x80; c <= 0x10ffff; c++) {
		char text[UTF8_MAX];
		size_t len = utf8_put(text, c);

		regex_engine_utf8(e, true);
		if (regex_find(e, r, text, len) != (c == 0x17f || c == 0x212a))
			fail_msg("U+%04X", c);
	}
	regex_free(r);
	arena_free(arena);
	regex_engine_free(e);
}

/* One expression of a filter: each text that it is found in has what it needs. */
struct trial {
	struct arena *arena;
	struct regex_engine *engine;
	struct regex *regex;
	struct needs needs;
	size_t n_found, n_needs;
};

static void check_text(struct trial *t, const char *source, const struct regen_text *text)
{
	char ext[REGEN_TEXT_MAX + 8];

	for (int utf8 = 0; utf8 < 2; utf8++) {
		size_t len = (size_t)snprintf(
			ext, sizeof(ext), "%s%s", text->text, utf8 != 0 ? " \xc3\xa9" : "");

		regex_engine_utf8(t->engine, utf8 != 0);
		if (utf8_ascii(text->text, text->len) < text->len ||
			!regex_find(t->engine, t->regex, ext, len))
			continue;
		t->n_found++;
		if (!needs_hold(&t->needs, ext, len))
			fail_msg(
				"%s: is found in \"%s\", which has not what it needs", source, ext);
	}
}

static void check_regex(struct trial *t, const struct conf_text *source, unsigned flags)
{
	static const struct regen_hosts hosts = {"192.0.2.1", "2001:db8::1", "client.example.com"};
	static struct regen_text text;
	struct pattern_error error;
	struct pattern p = {0};
	struct faults f = {0};
	struct retree tree;

	if (source->text == NULL ||
		regex_new(&t->regex, t->arena, "t", source, flags | PATTERN_UTF8, &f) < 0)
		goto out;
	assert_int_equal(regex_engine_fit(t->engine, t->regex), 0);
	assert_int_equal(needs_of(&t->needs, t->arena, source->text, flags), 0);
	t->n_needs += t->needs.n > 0;
	assert_int_equal(pattern_expand(&p, source->text, flags, &error), 0);
	if (retree_parse(&tree, t->arena, buf_text(&p.text), p.text.len) == 0) {
		for (unsigned v = 0; v < 24; v++) {
			struct regen_choice c = {.variant = v, .hosts = &hosts};

			if (regen_write(&text, &tree, &c) == 0)
				check_text(t, source->text, &text);
		}
	}
	pattern_done(&p);
	regex_free(t->regex);
out:
	faults_done(&f);
}

static void check_filter(struct trial *t, const char *dir, const char *name)
{
	struct filter_def *def;
	struct faults f = {0};
	unsigned flags;

	if (ruleset_load_filter(&def, t->arena, dir, name, &f) == 0) {
		flags = def->maxlines > 1 ? PATTERN_MULTILINE : 0;
		check_regex(t, &def->prefregex, flags);
		for (size_t i = 0; i < def->n_failregex; i++)
			check_regex(t, &def->failregex[i], flags);
		for (size_t i = 0; i < def->n_ignoreregex; i++)
			check_regex(t, &def->ignoreregex[i], flags);
	}
	faults_done(&f);
}

static void check_filters(const char *etc, size_t least)
{
	struct filter_stats stats = {0};
	struct trial t = {.arena = arena_new(), .engine = regex_engine_new(&stats)};
	char path[PATH_MAX], name[NAME_MAX + 1];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/filter.d", etc);
	dir = opendir(path);
	if (dir == NULL)
		skip();
	while ((entry = readdir(dir)) != NULL) {
		char *dot;

		snprintf(name, sizeof(name), "%s", entry->d_name);
		dot = strrchr(name, '.');
		if (dot == NULL || strcmp(dot, ".conf") != 0)
			continue;
		*dot = '\0';
		check_filter(&t, etc, name);
	}
	closedir(dir);
	print_message("# %zu expressions with needs, found %zu times\n", t.n_needs, t.n_found);
	assert_true(t.n_needs >= least && t.n_found >= least);
	regex_engine_free(t.engine);
	arena_free(t.arena);
}

static void own_filters(void **state)
{
	const char *etc = getenv("STOCKADE_TEST_CONF");

	(void)state;
	if (etc == NULL)
		skip();
	check_filters(etc, 10);
}

static void installed_filters(void **state)
{
	(void)state;
	check_filters("/etc/fail2ban", 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_text),
		cmocka_unit_test(optional_parts),
		cmocka_unit_test(alternatives),
		cmocka_unit_test(looks),
		cmocka_unit_test(references),
		cmocka_unit_test(cases),
		cmocka_unit_test(open_sets),
		cmocka_unit_test(joints),
		cmocka_unit_test(spacing),
		cmocka_unit_test(unknown),
		cmocka_unit_test(order),
		cmocka_unit_test(bounds),
		cmocka_unit_test(hold),
		cmocka_unit_test(folding),
		cmocka_unit_test(own_filters),
		cmocka_unit_test(installed_filters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
