/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/syslog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void check(const char *msg, size_t len, const char *want)
{
	char buf[256];
	size_t n = syslog_line(buf, sizeof(buf), msg, len);

	assert_int_equal(n, strlen(want));
	assert_memory_equal(buf, want, n);
}

#define CHECK(msg, want) check(msg, sizeof(msg) - 1, want)

static void rfc3164(void **state)
{
	(void)state;
	CHECK("<38>Nov 20 07:12:49 srv sshd[1]: hello", "Nov 20 07:12:49 srv sshd[1]: hello");
	CHECK("<38>sshd[1]: hello\n", "sshd[1]: hello");
	CHECK("no priority", "no priority");
	CHECK("<1234>four digits", "<1234>four digits");
	CHECK("<>none", "<>none");
	CHECK("<7", "<7");
	CHECK("", "");
	CHECK("a\nb\rc\r\n\0", "a b c");
}

static void rfc5424(void **state)
{
	(void)state;
	CHECK("<38>1 2026-11-20T07:12:49.123Z srv sshd 123 - - Failed password",
		"2026-11-20T07:12:49.123Z srv sshd[123]: Failed password");
	CHECK("<38>1 2026-11-20T07:12:49Z srv sshd - ID47 - text",
		"2026-11-20T07:12:49Z srv sshd: text");
	CHECK("<38>1 - srv app 5 - [x@1 a=\"b]c\" d=\"\\\"]\"][y@2] \xef\xbb\xbftext ] more",
		"- srv app[5]: text ] more");
	CHECK("<38>1 2026-11-20T07:12:49Z srv app 5 - -", "2026-11-20T07:12:49Z srv app[5]: ");
	/* What is not whole stays as it is. */
	CHECK("<38>1 2026-11-20T07:12:49Z srv app 5 - [open a=\"",
		"1 2026-11-20T07:12:49Z srv app 5 - [open a=\"");
	CHECK("<38>1 short", "1 short");
	CHECK("<38>2 2026-11-20T07:12:49Z srv app 5 - - x",
		"2 2026-11-20T07:12:49Z srv app 5 - - x");
}

static void bounded(void **state)
{
	static const char msg[] = "<38>1 2026-11-20T07:12:49Z host application 123 - - text";
	char buf[64];

	(void)state;
	for (size_t size = 0; size < sizeof(buf); size++) {
		memset(buf, '#', sizeof(buf));
		assert_true(syslog_line(buf, size, msg, sizeof(msg) - 1) <= size);
		for (size_t i = size; i < sizeof(buf); i++)
			assert_int_equal(buf[i], '#');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc3164),
		cmocka_unit_test(rfc5424),
		cmocka_unit_test(bounded),
	};

	return cmocka_run_group_tests_name("syslog", tests, NULL, NULL);
}
