/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/echoes.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char in_file[] = "Nov 20 07:12:49 srv sshd[4711]: Failed password for root",
		  in_file_iso[] =
			  "2026-11-20T07:12:49.5+01:00 srv sshd[4711]: Failed password for root",
		  in_journal[] = "srv.example.net sshd[4711]: Failed password for root",
		  as_text[] = "192.0.2.1 - - [20/Nov/2026:07:12:49 +0000] \"GET / HTTP/1.1\" 404 1";

static bool is_echo(
	struct echoes *e, size_t jail, enum source_way way, const char *line, int64_t sec)
{
	return echoes_is_one(e, jail, way, line, strlen(line), (1000 + sec) * USEC_PER_SEC);
}

static void other_ways(void **state)
{
	struct echoes *e = echoes_new();

	(void)state;
	assert_false(is_echo(e, 0, WAY_FILE, in_file, 0));
	assert_true(is_echo(e, 0, WAY_JOURNAL, in_journal, 0));
	assert_true(is_echo(e, 0, WAY_SYSLOG, in_file_iso, 1));
	/* whichever comes first, the most that came in one way count */
	assert_false(is_echo(e, 0, WAY_SYSLOG, in_file, 2));
	assert_false(is_echo(e, 0, WAY_SYSLOG, in_file, 2));
	assert_true(is_echo(e, 0, WAY_FILE, in_file, 3));
	assert_true(is_echo(e, 0, WAY_JOURNAL, in_journal, 3));
	assert_true(is_echo(e, 0, WAY_FILE, in_file, 3));
	assert_false(is_echo(e, 0, WAY_FILE, in_file, 3));
	assert_false(is_echo(e, 0, WAY_FILE, as_text, 3));
	assert_true(is_echo(e, 0, WAY_SYSLOG, as_text, 3));
	echoes_free(e);
}

static void same_way(void **state)
{
	struct echoes *e = echoes_new();

	(void)state;
	for (int i = 0; i < 100; i++)
		assert_false(is_echo(e, 0, WAY_SYSLOG, in_file, 0));
	echoes_free(e);
}

static void different(void **state)
{
	struct echoes *e = echoes_new();

	(void)state;
	assert_false(is_echo(e, 0, WAY_FILE, in_file, 0));
	assert_false(is_echo(e, 1, WAY_SYSLOG, in_file, 0));
	assert_false(is_echo(
		e, 0, WAY_SYSLOG, "Nov 20 07:12:49 srv sshd[4712]: Failed password for root", 0));
	assert_false(is_echo(
		e, 0, WAY_SYSLOG, "Nov 20 07:12:49 srv login[4711]: Failed password for root", 0));
	assert_false(is_echo(
		e, 0, WAY_SYSLOG, "Nov 20 07:12:49 srv sshd[4711]: Failed password for rooty", 0));
	assert_false(is_echo(e, 0, WAY_SYSLOG, "", 0));
	assert_true(is_echo(e, 0, WAY_FILE, "", 0));
	assert_false(is_echo(e, 0, WAY_FILE, " ", 0));
	echoes_free(e);
}

static void forgotten(void **state)
{
	struct echoes *e = echoes_new();

	(void)state;
	assert_false(is_echo(e, 0, WAY_FILE, in_file, 0));
	assert_false(is_echo(e, 0, WAY_SYSLOG, in_file, 61));
	/* a clock that was set back */
	assert_false(is_echo(e, 0, WAY_FILE, in_file, -61));
	echoes_free(e);
}

static void many(void **state)
{
	struct echoes *e = echoes_new();
	unsigned echoes = 0;
	char line[100];

	(void)state;
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 8000; i++) {
			snprintf(line, sizeof(line), "Nov 20 07:12:49 srv sshd[%d]: Failed", i);
			echoes += is_echo(e, 0, round == 0 ? WAY_FILE : WAY_SYSLOG, line, round);
		}
	}
	assert_in_range(echoes, 7000, 8000);
	echoes_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(other_ways),
		cmocka_unit_test(same_way),
		cmocka_unit_test(different),
		cmocka_unit_test(forgotten),
		cmocka_unit_test(many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
