/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void duration(const char *in, long long want)
{
	int64_t sec;

	assert_int_equal(text_parse_duration(&sec, in), 0);
	assert_int_equal(sec, want);
}

static void durations(void **state)
{
	static const char *const bad[] = {"", " ", "x", "10q", "1h x", "-", "1e5", "99999999999999",
		"(1", "1)", "()", "1/0", "0/0", "2*", "*2", "1,2", "2(3)",
		"((((((((((((((((1))))))))))))))))", "1h - q"};
	int64_t sec;

	(void)state;
	duration("600", 600);
	duration("10m", 600);
	duration("1d 12h", 129600);
	duration("1d12h", 129600);
	duration("1.5h", 5400);
	duration("-1", -1);
	duration("1w", 604800);
	duration(" 2 hours 5 min ", 7500);
	duration("1mon", 2629800);
	duration("1y", 31557600);
	duration("1yea 1mo 1wee 1da 1hou", 31557600 + 2629800 + 604800 + 86400 + 3600);
	duration("60*60", 3600);
	duration("2 * (1h + 30m)", 10800);
	duration("1year-6mo", 31557600 - 6 * 2629800);
	duration("1d - 1h 30m", 86400 - 3600 + 1800);
	duration("6/2h", 10800);
	duration("10 / 4", 3);
	duration("-1d 12h", -43200);
	duration("-(1+1)", -2);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_not_equal(text_parse_duration(&sec, bad[i]), 0);
}

static void escapes(const char *in, size_t len, const char *want)
{
	char buf[64];

	text_escape(buf, sizeof(buf), in, len);
	assert_string_equal(buf, want);
}

static void escaping(void **state)
{
	char small[8];

	(void)state;
	escapes("plain \xc3\xa4", 8, "plain \xc3\xa4");
	escapes("a\nb\0c\x1b[", 7, "a\\x0ab\\x00c\\x1b[");
	escapes("\xff\xc0\x80", 3, "\\xff\\xc0\\x80");
	escapes("\xc2\x9b", 2, "\\xc2\\x9b"); /* the C1 control CSI */
	escapes("a\\x41", 5, "a\\\\x41");
	escapes("C:\\dir", 6, "C:\\dir");
	assert_int_equal(text_escape(small, sizeof(small), "abcdefghij", 10), 7);
	assert_string_equal(small, "abcd...");
}

static void words(void **state)
{
	static const char *const known[] = {"maxretry", "findtime", "bantime", "logpath"};

	(void)state;
	assert_string_equal(text_nearest("maxrety", known, 4), "maxretry");
	assert_string_equal(text_nearest("findtme", known, 4), "findtime");
	assert_string_equal(text_nearest("ssdh", (const char *const[]) {"ftp", "sshd"}, 2), "sshd");
	assert_null(text_nearest("ab", (const char *const[]) {"cd", "a"}, 1));
	assert_null(text_nearest("completely", known, 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations),
		cmocka_unit_test(escaping),
		cmocka_unit_test(words),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
