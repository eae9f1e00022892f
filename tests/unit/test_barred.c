/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/barred.h"

#include "match/pattern.h"
#include "match/regex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

/* The group stands between "@" and "@" in `shown`; no "@": there is none. */
static void a_group_with_a_condition(void **state)
{
	static const struct {
		const char *shown;
		char byte;
	} cases[] = {
		{"a@(?<u>b)@c(?(u):x|y)", ':'},
		{"^for (?<w>@(?<u>\\S+)@|[^:]+) from (?(u): |.*)$", ':'},
		{"@(a)@?b(?(1)c)", 'c'},
		{"(?:(?<u>a)|b)+(?(u)(?:;|;+)?x|y)", 0},
		{"(?:@(?<u>a)@|b)+(?(u)(?:;+)x|y)", ';'},
		{"@(?<u>a)@(?(u)[:]|y)z", ':'},
		/* Either byte will do, or none. */
		{"(?<u>a)(?(u)[:;]|y)", 0},
		{"(?<u>a)(?(u):?|y)", 0},
		{"(?<u>a)(?(u):*|y)", 0},
		{"(?<u>a)(?(u)(?i)x|y)", 0},
		{"(?<u>a)(?(u)|y)", 0},
		{"(?<u>a)(?(u)\\n|y)", 0},
		/* The condition need not be met, or comes first, or is another one's. */
		{"(?<u>a)(?:(?(u):|y))?", 0},
		{"(?<u>a)(?:x|(?(u):|y))", 0},
		{"(?<u>a)(?(u):|y)|b", 0},
		{"(?(u):|y)(?<u>a)", 0},
		{"(?<u>a)(?<v>b)(?(w):|y)(?<w>c)", 0},
		{"(?<u>a)(?=(?(u):|y))", 0},
		/* Not every way to have taken part leads past it. */
		{"(?!(?<u>a))b(?(u):|y)", 0},
		{"(?=(?<u>a))b(?(u):|y)", 0},
		{"(?>(?<u>a)|a+)b(?(u):|y)", 0},
		{"(?:(?<u>a)|b)++(?(u):|y)", 0},
		{"(?<u>a)?+b(?(u):|y)", 0},
		{"(?J)(?:(?<u>a)|(?<u>b))(?(u):|y)", 0},
		{"(?<u>a)(?(?=b):|y)", 0},
		{"no condition", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *at = strchr(cases[i].shown, '@');
		const char *end = at != NULL ? strchr(at + 1, '@') : NULL;
		struct barred b = {0};
		char text[200];
		size_t n = 0;
		bool found;

		for (const char *p = cases[i].shown; *p != '\0'; p++)
			if (*p != '@')
				text[n++] = *p;
		found = barred_find(&b, text, n);
		if (found != (cases[i].byte != 0) ||
			(found && (b.byte != cases[i].byte ||
					  b.off != (size_t)(at - cases[i].shown) ||
					  b.len != (size_t)(end - at) - 1)))
			fail_msg("%s: %d, byte '%c' at %zu, %zu long", cases[i].shown, found,
				b.byte, b.off, b.len);
	}
}

/* Texts without the byte are found by the ways that are left, and by those alone. */
static void what_is_left_is_found(void **state)
{
	static const struct {
		const char *regex, *text;
		bool is_found;
	} cases[] = {
		{"^(\")?user \\S+(?(1)\") failed$", "user x failed", true},
		{"^(\")?user \\S+(?(1)\") failed$", "\"user x\" failed", true},
		{"^(\")?user \\S+(?(1)\") failed$", "\"user x failed", false},
		{"^(?:(?P<q>a))*b(?(q):x|y)", "by", true},
		{"^(?:(?P<q>a))*b(?(q):x|y)", "aby", false},
		{"^(?P<q>a|c)?b(?(q):x|y)", "cby", false},
		{"^(?P<q>a|c)?b(?(q):x|y)", "by", true},
		{"^(?:(?P<q>a)|a+)b(?(q):x|y)", "aby", true},
		{"^(?>(?P<q>a)|a+)b(?(q):x|y)", "aby", false},
		{"^(?:(?P<q>a)|a)++b(?(q):x|y)", "aby", false},
	};
	struct faults f = {0};
	struct filter_stats stats = {0};
	struct arena *arena = arena_new();
	struct regex_engine *e = regex_engine_new(&stats);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct conf_text source = {.text = cases[i].regex};
		struct regex *r;

		assert_int_equal(regex_new(&r, arena, "test", &source, PATTERN_UTF8, &f), 0);
		assert_int_equal(regex_engine_fit(e, r), 0);
		regex_engine_utf8(e, false);
		if (regex_find(e, r, cases[i].text, strlen(cases[i].text)) != cases[i].is_found)
			fail_msg("%s: %s", cases[i].regex, cases[i].text);
		regex_free(r);
	}
	regex_engine_free(e);
	arena_free(arena);
	faults_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_group_with_a_condition),
		cmocka_unit_test(what_is_left_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
