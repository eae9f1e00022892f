/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/syslog.h"
#include "source/syslog_date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct syslog_part now = {"NOW", 3}, sender = {"SENDER", 6};

static void is(struct syslog_part part, const char *want)
{
	assert_int_equal(part.len, strlen(want));
	if (part.len > 0)
		assert_memory_equal(part.p, want, part.len);
}

static void check(const char *msg, size_t len, const char *want)
{
	struct syslog_msg m;
	char buf[256];
	size_t n;

	syslog_parse(&m, msg, len);
	n = syslog_line(buf, sizeof(buf), &m, now, sender);
	assert_int_equal(n, strlen(want));
	assert_memory_equal(buf, want, n);
}

#define CHECK(msg, want) check(msg, sizeof(msg) - 1, want)

static void rfc3164(void **state)
{
	(void)state;
	CHECK("<38>Nov 20 07:12:49 srv sshd[1]: hello", "Nov 20 07:12:49 srv sshd[1]: hello");
	CHECK("<38>sshd[1]: hello\n", "NOW SENDER sshd[1]: hello");
	CHECK("no priority", "NOW SENDER no priority");
	CHECK("<1234>four digits", "NOW SENDER <1234>four digits");
	CHECK("<>none", "NOW SENDER <>none");
	CHECK("<7", "NOW SENDER <7");
	CHECK("", "NOW SENDER ");
	CHECK("a\nb\rc\r\n\0", "NOW SENDER a b c");
}

/* As rsyslog, syslog-ng, journald, C libraries, nginx and routers write it. */
static void in_the_wild(void **state)
{
	(void)state;
	CHECK("<38>Nov  2 07:12:49 srv sshd[1]: x", "Nov  2 07:12:49 srv sshd[1]: x");
	CHECK("<38>Nov 20 07:12:49 sshd[1]: x", "Nov 20 07:12:49 SENDER sshd[1]: x");
	CHECK("<38>Nov 20 07:12:49 kernel: x", "Nov 20 07:12:49 SENDER kernel: x");
	CHECK("<38>2026-11-20T07:12:49.123456+00:00 srv sshd[1]: x",
		"2026-11-20T07:12:49.123456+00:00 srv sshd[1]: x");
	CHECK("<38>2026-11-20 07:12:49 srv sshd[1]: x", "2026-11-20 07:12:49 srv sshd[1]: x");
	CHECK("<190>Nov 20 07:12:49 srv nginx: 192.0.2.1 - - [x] \"GET /\"",
		"Nov 20 07:12:49 srv nginx: 192.0.2.1 - - [x] \"GET /\"");
	CHECK("<166>Nov 20 2026 07:12:49 fw : %ASA-6-302013: Built",
		"Nov 20 2026 07:12:49 fw %ASA-6-302013: Built");
	CHECK("<166>Nov 20 2026 07:12:49: %ASA-6-302013: Built",
		"Nov 20 2026 07:12:49 SENDER %ASA-6-302013: Built");
	CHECK("<189>000123: *Nov 20 07:12:49.123: %SYS-5-CONFIG_I: by vty0",
		"Nov 20 07:12:49.123 SENDER %SYS-5-CONFIG_I: by vty0");
	CHECK("<38>Nov 20 07:12:49 srv : sshd[1]: x", "Nov 20 07:12:49 srv : sshd[1]: x");
	CHECK("<38>Nov 20 07:12:49 srv - sshd[1]: x", "Nov 20 07:12:49 srv - sshd[1]: x");
	CHECK("<189>45: *Mar  1 18:48:50.483 UTC: %SYS-5-CONFIG_I: by vty0",
		"Mar  1 18:48:50.483 SENDER %SYS-5-CONFIG_I: by vty0");
	CHECK("<189>45: rtr1: 000123: .Mar  1 18:48:50: %SYS-5-CONFIG_I: by vty0",
		"Mar  1 18:48:50 rtr1 %SYS-5-CONFIG_I: by vty0");
	CHECK("<189>45: rtr1: Mar  1 18:48:50 CEST: %SYS-5-CONFIG_I: by vty0",
		"Mar  1 18:48:50 rtr1 %SYS-5-CONFIG_I: by vty0");
	CHECK("<189>45: 46: Mar  1 18:48:50: %SYS-5-CONFIG_I: by vty0",
		"Mar  1 18:48:50 SENDER %SYS-5-CONFIG_I: by vty0");
	CHECK("<189>%SYS-5-CONFIG_I: by vty0", "NOW SENDER %SYS-5-CONFIG_I: by vty0");
	/* A program's text that begins with a date is its text. */
	CHECK("<38>sshd: Nov 20 07:12:49 srv x: y", "NOW SENDER sshd: Nov 20 07:12:49 srv x: y");
	CHECK("<38>Nov 20 07:12:49 UTC: y", "Nov 20 07:12:49 SENDER UTC: y");
	CHECK("<38>Nov 20 07:12:49 word", "Nov 20 07:12:49 SENDER word");
	CHECK("<38>Nov 20 07:12:49", "Nov 20 07:12:49 SENDER ");
	/* A date like this is none. */
	CHECK("<38>Nov 20 07:12:49x srv a: b", "NOW SENDER Nov 20 07:12:49x srv a: b");
}

static void parts(void **state)
{
	static const char ssh[] = "<38>Nov 20 07:12:49 srv sshd[4711]: hi";
	static const char pri[] = "<192>x: y", five[] = "<165>1 - - app 7 - - text";
	struct syslog_msg m;

	(void)state;
	syslog_parse(&m, ssh, sizeof(ssh) - 1);
	assert_int_equal(m.facility, 4);
	assert_int_equal(m.severity, 6);
	is(m.date, "Nov 20 07:12:49");
	is(m.host, "srv");
	is(m.program, "sshd");
	is(m.pid, "4711");
	is(m.tag, "sshd[4711]: ");
	is(m.text, "hi");
	syslog_parse(&m, pri, sizeof(pri) - 1);
	assert_int_equal(m.facility, SYSLOG_UNKNOWN);
	is(m.program, "x");
	is(m.pid, "");
	syslog_parse(&m, five, sizeof(five) - 1);
	assert_int_equal(m.facility, 20);
	is(m.host, "");
	is(m.date, "");
	is(m.program, "app");
	is(m.text, "text");
}

/* What only looks like a program's name is text. */
static void tags(void **state)
{
	static const struct {
		const char *text, *program, *pid, *rest;
	} cases[] = {
		{"postfix/smtpd[12]: x", "postfix/smtpd", "12", "x"},
		{"(systemd)[1]: x", "(systemd)", "1", "x"},
		{"CRON[1]:x", "", "", "CRON[1]:x"},
		{"app[1] x", "app", "1", "x"},
		{"last message repeated 3 times", "", "", "last message repeated 3 times"},
		{"http://x/ y", "", "", "http://x/ y"},
		{"10:20 x", "", "", "10:20 x"},
		{"a[b c]: x", "", "", "a[b c]: x"},
		{"a[: x", "", "", "a[: x"},
		{"a:", "a", "", ""},
		{": x", "", "", ": x"},
		{"<38>Nov 20 07:12:49 srv : sshd[1]: x", "", "", ": sshd[1]: x"},
		{"<38>Nov 20 07:12:49 srv - sshd[1]: x", "", "", "- sshd[1]: x"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct syslog_msg m;

		syslog_parse(&m, cases[i].text, strlen(cases[i].text));
		is(m.program, cases[i].program);
		is(m.pid, cases[i].pid);
		is(m.text, cases[i].rest);
	}
}

static void rfc5424(void **state)
{
	(void)state;
	CHECK("<38>1 2026-11-20T07:12:49.123Z srv sshd 123 - - Failed password",
		"2026-11-20T07:12:49.123Z srv sshd[123]: Failed password");
	CHECK("<38>1 2026-11-20T07:12:49Z srv sshd - ID47 - text",
		"2026-11-20T07:12:49Z srv sshd: text");
	CHECK("<38>1 - srv app 5 - [x@1 a=\"b]c\" d=\"\\\"]\"][y@2] \xef\xbb\xbftext ] more",
		"NOW srv app[5]: text ] more");
	/* Whoever does not say who he is may not have the text say it. */
	CHECK("<38>1 2026-11-20T07:12:49Z - - - - - sshd[1]: text",
		"2026-11-20T07:12:49Z SENDER - sshd[1]: text");
	CHECK("<38>1 2026-11-20T07:12:49Z srv - 5 - - text", "2026-11-20T07:12:49Z srv - text");
	CHECK("<38>1 2026-11-20T07:12:49Z srv app 5 - -", "2026-11-20T07:12:49Z srv app[5]: ");
	/* What is not whole is no such message. */
	CHECK("<38>1 2026-11-20T07:12:49Z srv app 5 - [open a=\"",
		"NOW SENDER 1 2026-11-20T07:12:49Z srv app 5 - [open a=\"");
	CHECK("<38>1 short", "NOW SENDER 1 short");
	CHECK("<38>2 2026-11-20T07:12:49Z srv app 5 - - x",
		"NOW SENDER 2 2026-11-20T07:12:49Z srv app 5 - - x");
}

static void text_alone(void **state)
{
	static const char nginx[] = "<190>Nov 20 07:12:49 srv nginx: 192.0.2.1 - - a\nb\n";
	struct syslog_msg m;
	char buf[64];

	(void)state;
	syslog_parse(&m, nginx, sizeof(nginx) - 1);
	is((struct syslog_part) {buf, syslog_text(buf, sizeof(buf), &m)}, "192.0.2.1 - - a b");
}

static void bounded(void **state)
{
	static const char msg[] = "<38>1 2026-11-20T07:12:49Z host application 123 - - text";
	struct syslog_msg m;
	char buf[64];

	(void)state;
	syslog_parse(&m, msg, sizeof(msg) - 1);
	for (size_t size = 0; size < sizeof(buf); size++) {
		size_t n;

		memset(buf, '#', sizeof(buf));
		n = syslog_line(buf, size, &m, now, sender);
		assert_true(n <= size);
		for (size_t i = size; i < sizeof(buf); i++)
			assert_int_equal(buf[i], '#');
	}
}

static void dates(void **state)
{
	static const char *const good[] = {"Nov 20 07:12:49", "Nov  2 07:12:49", "Nov 2 07:12:49",
		"Jan  1 00:00:00", "Dec 31 23:59:60", "Nov 20 07:12:49.123", "Nov 20 2026 07:12:49",
		"Nov  2 2027 07:12:49.5", "2026-11-20T07:12:49Z", "2026-11-20 07:12:49",
		"2025-12-31T23:59:59.999999+14:00", "2026-02-28T00:00:00,5-0330",
		"2026-11-20T07:12:49"},
				 *const bad[] = {"", "-", "yesterday", "Feb 29 07:12:49",
					 "Foo 20 07:12:49", "Nov 31 07:12:49", "Nov  0 07:12:49",
					 "Nov 20 24:00:00", "Nov 20 07:60:49",
					 "Nov 20 1999 07:12:49", "Nov 20 07:12:4",
					 "Nov 20 07:12:49x", "Nov 20 07.12:49",
					 "Okt 20 2026 07:12:49", "1970-01-01T00:00:00Z",
					 "2024-12-31T00:00:00Z", "2028-01-01T00:00:00Z",
					 "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
					 "2026-00-01T00:00:00Z", "2026-11-20T07:12:49+20:00",
					 "2026-11-20T07:12:49+01:60", "2026-11-20T07:12:49+1",
					 "2026-11-20T07:12:49Zx", "2026-11-20T07:12:49.",
					 "2026-11-20x07:12:49Z"};
	static const char leap[] = "Feb 29 07:12:49";

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!syslog_date_fits((struct syslog_part) {good[i], strlen(good[i])}, 2026))
			fail_msg("%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (syslog_date_fits((struct syslog_part) {bad[i], strlen(bad[i])}, 2026))
			fail_msg("%s", bad[i]);
	assert_true(syslog_date_fits((struct syslog_part) {leap, strlen(leap)}, 2028));
}

static void repeated(void **state)
{
	static const struct {
		const char *msg, *text;
		unsigned times;
	} cases[] = {
		{"<38>Nov 20 07:12:49 srv sshd[1]: message repeated 3 times: [ Failed]", "Failed",
			3},
		{"<38>1 - srv sshd 1 - - message repeated 2 times: [ a ] b]", "a ] b", 2},
		{"sshd: message repeated 1 times: [x]", "x", 1},
		{"sshd: message repeated 1000 times: [ x]", "x", 1000},
		{"sshd: message repeated 99999999999999999999 times: [ x]", "x", 1000},
		{"sshd: message repeated 3 times: []", "", 3},
		{"sshd: message repeated 3 times: [ x", "message repeated 3 times: [ x", 1},
		{"sshd: message repeated 0 times: [ x]", "message repeated 0 times: [ x]", 1},
		{"sshd: message repeated  times: [ xxx]", "message repeated  times: [ xxx]", 1},
		{"sshd: message repeated 3 times [ x]", "message repeated 3 times [ x]", 1},
		{"sshd: message repeated 3", "message repeated 3", 1},
		{"sshd: x message repeated 3 times: [ x]", "x message repeated 3 times: [ x]", 1},
		{"last message repeated 3 times", "last message repeated 3 times", 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct syslog_msg m;

		syslog_parse(&m, cases[i].msg, strlen(cases[i].msg));
		is(m.text, cases[i].text);
		assert_int_equal(m.times, cases[i].times);
	}
	CHECK("<38>Nov 20 07:12:49 srv sshd[1]: message repeated 3 times: [ Failed]",
		"Nov 20 07:12:49 srv sshd[1]: Failed");
	/* Of a longer text rsyslog keeps 800 bytes: somebody else may have chosen its end. */
	for (size_t len = 799; len <= 800; len++) {
		struct syslog_msg m;
		char msg[1000];
		int n = snprintf(msg, sizeof(msg), "sshd: message repeated 3 times: [%*s]",
			(int)len, "x from 192.0.2.1");

		syslog_parse(&m, msg, (size_t)n);
		assert_int_equal(m.times, len < 800 ? 3 : 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc3164),
		cmocka_unit_test(in_the_wild),
		cmocka_unit_test(parts),
		cmocka_unit_test(tags),
		cmocka_unit_test(rfc5424),
		cmocka_unit_test(text_alone),
		cmocka_unit_test(bounded),
		cmocka_unit_test(dates),
		cmocka_unit_test(repeated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
