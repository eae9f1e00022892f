/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/evidence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct addr ip(uint8_t last)
{
	return addr_from4((uint8_t[]) {192, 0, 2, last});
}

static void add(struct evidence *e, unsigned jail, uint8_t last, unsigned n)
{
	struct addr a = ip(last);
	char line[32];

	evidence_add(e, jail, &a, n, line, (size_t)snprintf(line, sizeof(line), "line %u", n));
}

struct seen {
	unsigned n, jails;
	int64_t first_us, last_us;
	size_t longest;
};

static void see(void *arg, unsigned jail, int64_t time_us, const char *line, size_t len)
{
	struct seen *s = arg;

	(void)line;
	s->first_us = s->n++ == 0 ? time_us : s->first_us;
	s->last_us = time_us;
	s->jails |= 1u << jail;
	s->longest = len > s->longest ? len : s->longest;
}

static struct seen seen_of(const struct evidence *e, int jail, uint8_t last)
{
	struct addr a = ip(last);
	struct seen s = {0};

	evidence_each(e, jail, &a, see, &s);
	return s;
}

static void oldest_goes(void **state)
{
	struct evidence *e = evidence_new();
	struct seen s;

	(void)state;
	assert_int_equal(seen_of(e, -1, 1).n, 0);
	for (unsigned i = 0; i < 10; i++)
		add(e, i % 2, 1, i);
	assert_int_equal(seen_of(e, -1, 1).n, 10);
	assert_int_equal(seen_of(e, 0, 1).n, 5);
	assert_int_equal(seen_of(e, 2, 1).n, 0);
	assert_int_equal(seen_of(e, -1, 2).n, 0);
	for (unsigned i = 0; i < EVIDENCE_LINES - 3; i++)
		add(e, 0, 2, 100 + i);
	s = seen_of(e, -1, 1);
	assert_int_equal(s.n, 3);
	assert_int_equal(s.first_us, 7);
	assert_int_equal(s.last_us, 9);
	assert_int_equal(s.jails, 3);
	for (unsigned i = 0; i < 5 * EVIDENCE_LINES; i++)
		add(e, 0, 3, i);
	assert_int_equal(seen_of(e, -1, 2).n, 0);
	s = seen_of(e, -1, 3);
	assert_int_equal(s.n, EVIDENCE_LINES);
	assert_int_equal(s.first_us, 4 * EVIDENCE_LINES);
	evidence_free(e);
	evidence_free(NULL);
}

static void text_of_a_ban(void **state)
{
	struct evidence *e = evidence_new();
	struct addr a = ip(1);
	char big[2000], *text;

	(void)state;
	assert_null(evidence_text(e, 0, &a, 5));
	for (unsigned i = 0; i < 9; i++)
		add(e, i % 3, 1, i);
	assert_null(evidence_text(e, 0, &a, 0));
	text = evidence_text(e, 0, &a, 2);
	assert_string_equal(text, "line 3\nline 6");
	free(text);
	text = evidence_text(e, 2, &a, 100);
	assert_string_equal(text, "line 2\nline 5\nline 8");
	free(text);

	/* Cut, and made harmless. */
	memset(big, '\n', sizeof(big));
	evidence_add(e, 7, &a, 0, big, sizeof(big));
	assert_int_equal(seen_of(e, 7, 1).longest, EVIDENCE_LINE_MAX);
	text = evidence_text(e, 7, &a, 100);
	assert_null(strchr(text, '\n'));
	assert_in_range(strlen(text), EVIDENCE_LINE_MAX, 2 * EVIDENCE_LINE_MAX);
	free(text);
	evidence_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(oldest_goes),
		cmocka_unit_test(text_of_a_ban),
	};

	return cmocka_run_group_tests_name("evidence", tests, NULL, NULL);
}
