/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/text.h"
#include "base/utf8.h"

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
	escapes("a\xe2\x80\xae"
		"b",
		5, "a\\xe2\\x80\\xaeb"); /* what follows reads backwards */
	escapes("\xe2\x81\xa6\xe2\x80\xa6", 6, "\\xe2\\x81\\xa6\xe2\x80\xa6");
	escapes("a\\x41", 5, "a\\\\x41");
	escapes("C:\\dir", 6, "C:\\dir");
	assert_int_equal(text_escape(small, sizeof(small), "abcdefghij", 10), 7);
	assert_string_equal(small, "abcd...");
}

static void replaces(const char *text, size_t len, const char *want)
{
	char got[64];
	size_t n = utf8_replace(got, text, len);

	assert_int_equal(n, strlen(want));
	assert_memory_equal(got, want, n);
}

#define FFFD "\xef\xbf\xbd"

/* As Python's decoder does it. */
static void replacing(void **state)
{
	(void)state;
	replaces("plain \xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80", 17,
		"plain \xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80");
	replaces("a\xff\xfe", 3, "a" FFFD FFFD);
	replaces("\xe2\x82", 2, FFFD);
	replaces("\xe2\x82x", 3, FFFD "x");
	replaces("\xf0\x9f\x98", 3, FFFD);
	replaces("\xf0\x9f\x98\xc3\xa4", 5, FFFD "\xc3\xa4");
	replaces("\xc0\x80", 2, FFFD FFFD);
	replaces("\xe0\x80\x80", 3, FFFD FFFD FFFD);
	replaces("\xed\xa0\x80", 3, FFFD FFFD FFFD);
	replaces("\xf4\x90\x80\x80", 4, FFFD FFFD FFFD FFFD);
	replaces("\x80\xbf", 2, FFFD FFFD);
	replaces("", 0, "");
	assert_int_equal(utf8_ascii("0123456789\xc3\xa4", 12), 10);
	assert_int_equal(utf8_ascii("0123456789", 10), 10);
}

static void words(void **state)
{
	static const char *const known[] = {"maxretry", "findtime", "bantime", "logpath"};

	(void)state;
	assert_string_equal(text_nearest("maxrety", known, 4), "maxretry");
	assert_string_equal(text_nearest("findtme", known, 4), "findtime");
	assert_true(text_is_one_of("logpath", known, 4));
	assert_false(text_is_one_of("logpath", known, 3));
	assert_false(text_is_one_of("Maxretry", known, 4));
	assert_true(text_ends_with("jail.conf", ".conf"));
	assert_false(text_ends_with(".conf", ".conf"));
	assert_false(text_ends_with("f", ".conf"));
	assert_string_equal(text_nearest("ssdh", (const char *const[]) {"ftp", "sshd"}, 2), "sshd");
	assert_string_equal(text_nearest("htp", (const char *const[]) {"ftp", "http"}, 2), "http");
	assert_null(text_nearest("ab", (const char *const[]) {"cd", "a"}, 1));
	assert_null(text_nearest("completely", known, 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations),
		cmocka_unit_test(escaping),
		cmocka_unit_test(replacing),
		cmocka_unit_test(words),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
