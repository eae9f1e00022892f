/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lint/lint.h"

#include "lint/regen.h"
#include "match/filter.h"
#include "match/meter.h"
#include "match/pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define START "unanchored start"
#define END "unanchored end: text"
#define NAME "a client whose name begins"
#define FIELD "chooses who is banned"
#define SQUARE "grows with the square"
#define POWER "to the power of"
#define DOUBLES "doubles with every few bytes"

/* What is found in a filter of one failregex. */
static struct faults lint(const char *pref, const char *fail, unsigned maxlines)
{
	struct conf_text failregex = {fail, {"t.conf", 7}};
	struct filter_def def = {
		.name = "t",
		.prefregex = {pref, {"t.conf", 5}},
		.failregex = &failregex,
		.n_failregex = 1,
		.maxlines = maxlines,
	};
	struct filter *filter = NULL;
	struct faults f = {0};

	if (filter_new(&filter, &def, &f) < 0)
		fail_msg("%s: %s", fail, f.items[0].message);
	filter_free(filter);
	lint_filter(&def, &f);
	return f;
}

static const char *find(const struct faults *f, const char *what)
{
	for (size_t i = 0; i < f->n; i++) {
		if (strstr(f->items[i].message, what) != NULL)
			return f->items[i].message;
	}
	return NULL;
}

static void finds(const char *pref, const char *fail, const char *what)
{
	struct faults f = lint(pref, fail, 1);

	if (find(&f, what) == NULL)
		fail_msg("%s: not found: %s", fail, what);
	for (size_t i = 0; i < f.n; i++) {
		assert_int_equal(f.items[i].severity, FAULT_WARNING);
		assert_string_equal(f.items[i].file, "t.conf");
	}
	faults_done(&f);
}

static void finds_not(const char *pref, const char *fail, const char *what)
{
	struct faults f = lint(pref, fail, 1);
	const char *message = find(&f, what);

	if (message != NULL)
		fail_msg("%s: %s", fail, message);
	faults_done(&f);
}

/* Expressions in which nothing is wrong. */
static void silent(void **state)
{
	static const char *const good[] = {
		"^Failed password for <F-USER>.*</F-USER> from <HOST> port \\d+ ssh2$",
		"^Failed \\S+ for (?:invalid user )?.* from <ADDR>(?: port \\d+)?(?: ssh\\d)?$",
		"^Invalid user <F-USER>\\S+</F-USER> from <HOST>$",
		"^Invalid user .*? from <HOST>\\s*$",
		"^<HOST> - \\S+ \\[\\] \"GET /[^\"]*\" 404",
		"^\\[client <HOST>(?::\\d+)?\\] user [^:]*: password mismatch$",
		"^login from <HOST>(?: as \"[^\"]*\")?$",
		"^refused connect from [\\w.-]+ \\(<ADDR>\\)$",
		"^user=<F-USER>[^,]*</F-USER>, method=[A-Z]+, rip=<ADDR>, lip=",
		"^(?:error|warning): (?P<user>\\S+) tried as (?P=user) from <ADDR>$",
		"^x(?:(a)|b)(?(1)c|d) from <ADDR>$",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		finds_not(NULL, good[i], "");
}

static void start(void **state)
{
	(void)state;
	finds(NULL, "Failed password for .* from <HOST>$", START);
	finds(NULL, "Failed password for .* from <HOST>$", "begin it with ^");
	finds(NULL, "^.*user (.*) from <HOST>$", START);
	finds(NULL, "authentication failure from <HOST>$", START);
	finds_not(NULL, "^Failed password for .* from <HOST>$", START);
	finds_not(NULL, "^\\s*(?:\\S+ )?sshd\\[\\d+\\]: Failed for .* from <HOST>$", START);
	finds_not(NULL, "^<HOST> - .* 404$", START);
	/* What prefregex leaves over has a start as well. */
	finds("^sshd\\[\\d+\\]: <F-CONTENT>.+</F-CONTENT>$", "Failed for .* from <HOST>$", START);
	finds_not("^sshd\\[\\d+\\]: <F-CONTENT>.+</F-CONTENT>$", "^Failed for .* from <HOST>$",
		START);
}

static void end(void **state)
{
	(void)state;
	finds(NULL, "^Failed password for .* from <HOST>", END);
	finds(NULL, "^.*user (.*) from <HOST>", END);
	finds(NULL, "^Failed password for .* from <ADDR>.*$", END);
	finds_not(NULL, "^Failed password for .* from <HOST>$", END);
	/* Open, but the address is bound to its place. */
	finds_not(NULL, "^Failed login from <ADDR>", END);
	finds_not(NULL, "^Failed login of [^ ]* from <ADDR>", END);
}

static void names(void **state)
{
	(void)state;
	finds(NULL, "^Failed login from <HOST>", NAME);
	finds(NULL, "^Failed login from <HOST>\\b", "198.51.100.7.example.net");
	finds_not(NULL, "^Failed login from <HOST>$", NAME);
	finds_not(NULL, "^Failed login from <HOST>(?:\\s|$)", NAME);
	finds_not(NULL, "^Failed login from <ADDR>", NAME);
}

static void fields(void **state)
{
	(void)state;
	/* The first address, not the last one. */
	finds(NULL, "^Invalid user .*? from <HOST>", FIELD);
	finds(NULL, "^Invalid user <F-USER>.*?</F-USER> from <ADDR>\\b",
		"Invalid user guest from 198.51.100.7 from 192.0.2.1");
	finds(NULL, "^Invalid user <F-USER>.*?</F-USER> from <ADDR>\\b", "the field 'user'");
	/* A name with a blank in it. */
	finds(NULL, "^Invalid user \\S+ from <HOST>", FIELD);
	finds(NULL, "^Invalid user <F-USER>\\S+</F-USER> from <ADDR>\\s", "with a blank in it");
	finds(NULL, "^failure; ruser=\\S* rhost=<HOST>(?:\\s+user=.*)?\\s*$",
		"ruser=guest rhost=198.51.100.7 user");
	/* Behind the address. */
	finds(NULL, "^Login .*from <ADDR>(?: as \"<F-USER>.*</F-USER>\")?$", "the field 'user'");
	finds(NULL, "^agent .* from <ADDR>(?: for <F-REF>.*</F-REF>)?$", "the field 'ref'");
	finds(NULL, "^Invalid user \\S+ from <HOST>\\s",
		"whoever fills what \\S+ stands for with a blank");
	/* A quote ends the field, so the service cannot let one into it. */
	finds_not(NULL, "^user \"[^\"]*\" from <ADDR>\\b", FIELD);
	finds(NULL, "^user \".*?\" from <ADDR>\\b", FIELD);
	/* What stands before all words is not the attacker's, nor is a number. */
	finds_not(NULL, "^\\S+ \\S+\\[\\d+\\]: login failed from <ADDR>\\b", FIELD);
	finds_not(NULL, "^connection \\d+ failed from <ADDR>\\b", FIELD);
}

/* It does not even take what it is meant to. */
static void lost(void **state)
{
	(void)state;
	finds(NULL, "^Login failed .*<HOST>$", "takes the address");
	finds(NULL, "^Login failed .*<HOST>$", "of \"Login failed guest192.0.2.1\" it takes 1;");
	finds_not(NULL, "^Login failed .*?<HOST>(?: now)?$", "takes the address");
	finds_not(NULL, "^Login failed .* <HOST>$", "takes the address");
	finds_not(NULL, "^Login failed (?:of (?P<dns>\\S+)|from <ADDR>)$", "takes the address");
}

/* The address may come from prefregex: then that is at fault. */
static void prefix(void **state)
{
	struct faults f = lint("^client .*? at <ADDR>: <F-CONTENT>.+</F-CONTENT>$", "^denied$", 1);
	const char *message;

	(void)state;
	faults_done(&f);
	finds_not("^client at <ADDR>: <F-CONTENT>.+</F-CONTENT>$", "denied for \\S+$", "");
	f = lint("client at <ADDR>: <F-CONTENT>.+</F-CONTENT>$", "denied for \\S+$", 1);
	message = find(&f, START);
	assert_int_equal(f.n, 1);
	assert_non_null(message);
	assert_ptr_equal(strstr(message, "prefregex: "), message);
	assert_int_equal(f.items[0].line, 5);
	faults_done(&f);
	/* Each of two: what one is open for, a line of the other can bring. */
	finds("^app: <F-CONTENT>.+</F-CONTENT>$", "^login of .* from <ADDR>", END);
	f = lint("^app: <F-CONTENT>.+</F-CONTENT>$", "^login of .* from <ADDR>", 1);
	message = find(&f, END);
	assert_non_null(message);
	assert_non_null(strstr(message, "app: login of "));
	assert_int_equal(f.items[0].line, 7);
	faults_done(&f);
}

static void lines(void **state)
{
	struct faults f = lint(NULL,
		"^=REPORT=\\nLogin of .* from <ADDR><SKIPLINES>closed by \\S+ .*? at <ADDR>$", 5);

	(void)state;
	faults_done(&f);
	f = lint(NULL, "^.*\\nLogin of <F-USER>\\w+</F-USER> from <ADDR>$", 2);
	assert_int_equal(f.n, 0);
	faults_done(&f);
	f = lint(NULL, "^=REPORT=\\nLogin of <F-USER>.*?</F-USER> from <ADDR>\\b", 2);
	assert_non_null(find(&f, FIELD));
	faults_done(&f);
}

static void slow(void **state)
{
	(void)state;
	finds(NULL, "^(\\w+\\s?)*x from <ADDR>$", DOUBLES);
	finds(NULL, "^(?:[^\\[]+ )*\\[<ADDR>\\]$", DOUBLES);
	finds(NULL, "^smtp: (?:[^\\[]+ )*\\[?<HOST>\\]? authentication failure\\s*$", DOUBLES);
	finds(NULL, "^user (?:a|aa)+b from <ADDR>$", DOUBLES);
	finds(NULL, "^error in \"[^\"]+(?:\"+[^\"]*(?=\"))*?\" from <ADDR> closed$", DOUBLES);
	finds(NULL, "^user (.*)(.*)(.*) from <ADDR>$", POWER);
	finds(NULL, "^<ADDR> -.*\"(?:GET|POST).*HTTP.*\"bot\"$", POWER);
	finds(NULL, "a.*b<ADDR>", SQUARE);
	finds(NULL, "\\s+<ADDR>\\s+$", SQUARE);
	finds(NULL, "^user .* named .* from <ADDR>$", SQUARE);
	finds("^\\s*\\s*\\s*app: <F-CONTENT>.+</F-CONTENT>$", "^from <ADDR>$",
		"prefregex: slow: its work");
	finds_not(NULL, "^\\s*user .* from <ADDR>$", "its work");
	finds_not(NULL, "^(?:[^ ]+ )*from <ADDR>$", "its work");
	finds_not(NULL, "^user \"[^\"]*\" named \"[^\"]*\" from <ADDR>$", "its work");
	finds_not(NULL, "^(?:\\w++\\s?)*+x from <ADDR>$", "its work");
	finds_not(NULL, "^x{1,50}y{1,50} from <ADDR>$", "its work");
}

/* An ignoreregex that an attacker can write into his own failure. */
static void hiding(void **state)
{
	struct conf_text fail = {"^Invalid user <F-USER>.*</F-USER> from <ADDR>$", {"t.conf", 7}};
	struct conf_text ignore[] = {{"from 10\\.0\\.", {"t.conf", 8}},
		{"^Invalid user \\S+ from 10\\.0\\.0\\.1$", {"t.conf", 9}}};
	struct filter_def def = {
		.name = "t",
		.failregex = &fail,
		.n_failregex = 1,
		.ignoreregex = ignore,
		.n_ignoreregex = 2,
		.maxlines = 1,
	};
	struct faults f = {0};

	(void)state;
	lint_filter(&def, &f);
	assert_int_equal(f.n, 1);
	assert_int_equal(f.items[0].line, 8);
	assert_non_null(strstr(f.items[0].message,
		"ignoreregex: injectable: whoever fills the field 'user' is never banned: "
		"\"Invalid user guest from 10.0. from 192.0.2.1\" is ignored; "));
	faults_done(&f);
}

/* However many expressions there are, it ends, and says that it did not try them all. */
static void large(void **state)
{
	enum { N = 250 };
	struct conf_text *fail = calloc(N, sizeof(*fail));
	struct filter_def def = {.name = "t", .failregex = fail, .n_failregex = N, .maxlines = 1};
	struct faults f = {0};

	(void)state;
	for (size_t i = 0; i < N; i++) {
		fail[i].where = (struct where) {"t.conf", 1};
		assert_true(asprintf((char **)&fail[i].text,
				    "^no %zu of <F-USER>\\S+</F-USER> by .* at <ADDR>$", i) > 0);
	}
	lint_filter(&def, &f);
	assert_non_null(find(&f, "filter 't' is so large"));
	faults_done(&f);
	for (size_t i = 0; i < N; i++)
		free((char *)fail[i].text);
	free(fail);
}

/* A message names the place, shows the line, and says what to do. */
static void message(void **state)
{
	struct faults f = lint(NULL, "^Invalid user .*? from <ADDR>\\s", 1);

	(void)state;
	assert_int_equal(f.n, 1);
	assert_int_equal(f.items[0].line, 7);
	assert_string_equal(f.items[0].message,
		"failregex: injectable: whoever fills what .*? stands for chooses who is banned: "
		"of \"Invalid "
		"user guest from 198.51.100.7 from 192.0.2.1 \" it takes 198.51.100.7; write what "
		"the service puts behind the address up to the line's end, and then $");
	faults_done(&f);
}

static void own_filters(void **state)
{
	static const char *const specs[] = {"pam", "recidive", "sshd", "sshd[mode=extra]",
		"sshd[mode=ddos]", "sshd[mode=aggressive]", "sshd[mode=aggressive, publickey=any]",
		"sshd[mode=aggressive, publickey=invalid]", "sshd[publickey=ignore]"};
	const char *dir = getenv("STOCKADE_TEST_CONF");

	(void)state;
	if (dir == NULL)
		skip();
	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		struct arena *arena = arena_new();
		struct filter_def *def = NULL;
		struct faults f = {0};

		assert_int_equal(ruleset_load_filter(&def, arena, dir, specs[i], &f), 0);
		lint_filter(def, &f);
		if (f.n > 0)
			fail_msg("%s: %s", specs[i], f.items[0].message);
		faults_done(&f);
		arena_free(arena);
	}
}

/* --- the parts -------------------------------------------------------------------------------- */

static int parse(struct retree *ret, struct arena *arena, const char *text)
{
	return retree_parse(ret, arena, text, strlen(text));
}

/* What is written of an expression is what it matches. */
static void generated(void **state)
{
	static const char *const regexes[] = {
		"^a|b <ADDR>$|^(?:c|d){2,3} <ADDR>$",
		"^[^]a-f\\]\\d-]+ [\\x41\\101\\t]{3} <ADDR>$",
		"(?i)^Failed (?-i:LOGIN) <ADDR>$",
		"^(?P<a>x)?(?(a)y|z) <ADDR>$",
		"^(\\w+) \\1 (?P<user>x)(?P=user) <ADDR>$|^(\\w)\\3+ <ADDR>$",
		"^(?#a (comment)a{1,2}b{0}c{,2}d{3} <ADDR>$",
		"^(?>a+)(?=\\s)\\s++(?!x)<ADDR>(?<=\\d)\\b$",
		"^a{b}{ <ADDR>$",
		"(?x)^ a \\  b # comment\n [ ] <ADDR> $",
		"^\\S+\\W\\D\\s <ADDR>$",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(regexes) / sizeof(regexes[0]); i++) {
		static const struct regen_hosts hosts = {"192.0.2.1", "2001:db8::1", "h.example"};
		struct conf_text failregex = {regexes[i], {NULL, 0}};
		struct filter_def def = {
			.name = "t", .failregex = &failregex, .n_failregex = 1, .maxlines = 1};
		struct regen_text *t = malloc(sizeof(*t));
		struct arena *arena = arena_new();
		struct pattern_error error;
		struct filter *filter = NULL;
		struct pattern p = {0};
		struct faults f = {0};
		struct retree tree;
		unsigned n = 0;

		assert_int_equal(pattern_expand(&p, regexes[i], 0, &error), 0);
		if (retree_parse(&tree, arena, buf_text(&p.text), p.text.len) < 0)
			fail_msg("not taken apart: %s", regexes[i]);
		if (filter_new(&filter, &def, &f) < 0)
			fail_msg("%s: %s", regexes[i], f.items[0].message);
		for (unsigned v = 0; v < 20; v++) {
			struct regen_choice c = {.variant = v, .hosts = &hosts};
			struct match m;

			assert_int_equal(regen_write(t, &tree, &c), 0);
			n += filter_judge(filter, NULL, t->text, t->len, 0, &m) == VERDICT_MATCH;
		}
		if (n < 5)
			fail_msg("%s: %u of 20 match, one of them \"%s\"", regexes[i], n, t->text);
		filter_free(filter);
		faults_done(&f);
		pattern_done(&p);
		arena_free(arena);
		free(t);
	}
}

static void not_parsed(void **state)
{
	static const char *const bad[] = {"(", ")", "a)", "(?P<a", "[a", "\\", "(?", "(?(", "(?(1",
		"(?P=", "\\k<", "\\p{L}", "(?R)", "(*FAIL)", "\\x{100}", "(?<n", "a{99999}", "(?z)",
		"[\\", "[a-", "(?P<a>", "\\g{", "(?(?=a)b)", "\\Qa\\E"};
	struct arena *arena = arena_new();
	struct retree tree = {0};
	char deep[401];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (parse(&tree, arena, bad[i]) == 0)
			fail_msg("taken apart: %s", bad[i]);
	}
	assert_null(tree.root);
	memset(deep, '(', 200);
	memset(deep + 200, ')', 200);
	assert_int_not_equal(retree_parse(&tree, arena, deep, 400), 0);
	assert_int_equal(retree_parse(&tree, arena, deep + 150, 100), 0);
	deep[0] = 'a';
	for (size_t i = 0; i < 133; i++)
		memcpy(deep + 1 + 3 * i, "{1}", 3);
	assert_int_not_equal(retree_parse(&tree, arena, deep, 400), 0);
	assert_int_not_equal(retree_parse(&tree, arena, deep, 16), 0);
	assert_int_equal(retree_parse(&tree, arena, deep, 13), 0);
	assert_int_equal(parse(&tree, arena, ""), 0);
	arena_free(arena);
}

/* A text has its bounds, whatever the expression. */
static void too_long(void **state)
{
	static const struct regen_hosts hosts = {"192.0.2.1", "2001:db8::1", "h.example"};
	static const char *const long_ones[] = {
		"a{3000}", "(?:(?:a{50}){50}){50}", "(?:(?:){60000}){60000}"};
	struct regen_choice c = {.variant = 0, .hosts = &hosts};
	struct regen_text *t = malloc(sizeof(*t));
	struct arena *arena = arena_new();
	struct retree tree;

	(void)state;
	for (size_t i = 0; i < sizeof(long_ones) / sizeof(long_ones[0]); i++) {
		assert_int_equal(parse(&tree, arena, long_ones[i]), 0);
		assert_int_not_equal(regen_write(t, &tree, &c), 0);
	}
	arena_free(arena);
	free(t);
}

static void meter(void **state)
{
	struct meter *m = NULL;
	char text[2000];
	uint64_t once;

	(void)state;
	memset(text, 'a', sizeof(text));
	assert_int_equal(meter_new(&m, "^a*$", 0), 0);
	once = meter_steps(m, text, 1000, UINT64_MAX);
	assert_in_range(once, 1000, 1100);
	assert_int_equal(meter_steps(m, text, 1000, UINT64_MAX), once);
	assert_in_range(meter_steps(m, text, 2000, UINT64_MAX), 2000, 2200);
	meter_free(m);
	assert_int_equal(meter_new(&m, "^(a|aa)+b<HOST>$", 0), 0);
	memcpy(text + 40, "b192.0.2.1!", 11);
	assert_int_equal(meter_steps(m, text, 51, 5000), 5000);
	meter_free(m);
	m = NULL;
	assert_int_not_equal(meter_new(&m, "(", 0), 0);
	assert_null(m);
	meter_free(NULL);
}

static void same(void **state)
{
	struct conf_text one = {"a <HOST>", {"x", 1}}, two = {"b <HOST>", {"x", 2}},
			 three = {"a <HOST>", {"y", 3}};
	struct filter_def a = {.name = "a", .failregex = &one, .n_failregex = 1, .maxlines = 1};
	struct filter_def b = a;

	(void)state;
	assert_true(lint_is_same(&a, &a));
	b.failregex = &three;
	assert_true(lint_is_same(&a, &b));
	b.failregex = &two;
	assert_false(lint_is_same(&a, &b));
	b = a;
	b.prefregex.text = "x";
	assert_false(lint_is_same(&a, &b));
	b = a;
	b.n_failregex = 0;
	assert_false(lint_is_same(&a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(silent),
		cmocka_unit_test(start),
		cmocka_unit_test(end),
		cmocka_unit_test(names),
		cmocka_unit_test(fields),
		cmocka_unit_test(lost),
		cmocka_unit_test(prefix),
		cmocka_unit_test(lines),
		cmocka_unit_test(slow),
		cmocka_unit_test(hiding),
		cmocka_unit_test(large),
		cmocka_unit_test(message),
		cmocka_unit_test(own_filters),
		cmocka_unit_test(generated),
		cmocka_unit_test(not_parsed),
		cmocka_unit_test(too_long),
		cmocka_unit_test(meter),
		cmocka_unit_test(same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
