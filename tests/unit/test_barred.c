/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/barred.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_group_with_a_condition),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
