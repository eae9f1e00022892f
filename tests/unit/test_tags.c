/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/tags.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct prefix who;
static struct tags tags;

static void given(const char *address, const char *user)
{
	assert_int_equal(prefix_parse(&who, address, strlen(address)), 0);
	tags.len = 0;
	if (user != NULL)
		tags_add(&tags, "F-USER", user, strlen(user));
}

static void fills(const char *text, const char *want)
{
	const struct tags_case c = {.who = &who, .failures = 3, .data = tags.data, .len = tags.len};
	struct buf got = {0};

	assert_int_equal(tags_fill(&got, text, &c), 0);
	assert_string_equal(buf_text(&got), want);
	buf_done(&got);
}

static void commands(const char *text, const char *want, const char *want_env)
{
	const struct tags_case c = {.who = &who, .failures = 3, .data = tags.data, .len = tags.len};
	struct buf got = {0}, env = {0};

	assert_int_equal(tags_command(&got, &env, text, &c), 0);
	assert_string_equal(buf_text(&got), want);
	assert_string_equal(buf_text(&env), want_env);
	buf_done(&got);
	buf_done(&env);
}

static void built_in(void **state)
{
	(void)state;
	given("192.0.2.7", NULL);
	fills("<ip> <fid> <family> <ip-rev>x <failures> <ip-host>",
		"192.0.2.7 192.0.2.7 inet4 7.2.0.192.x 3 192.0.2.7");
	fills("a<sp>b<br>c", "a b\nc");
	given("2001:db8::1", NULL);
	fills("<ip> <family>", "2001:db8::1 inet6");
	fills("<ip-rev>", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.");
	given("192.0.2.0/24", NULL);
	fills("<ip>", "192.0.2.0/24");
}

static void what_is_no_tag(void **state)
{
	(void)state;
	given("192.0.2.7", "root");
	fills("", "");
	fills("a < b <unknown> <> << <ip <ip> x<", "a < b <unknown> <> << <ip 192.0.2.7 x<");
	fills("<F-USER>@<F-OTHER>.", "root@.");
	assert_true(tags_used("x <ip-host> y", "ip-host"));
	assert_false(tags_used("x <ip> y", "ip-host"));
	assert_true(tags_used("<ip> <F-USER>", "F-"));
	assert_false(tags_used("<ip> F-USER", "F-"));
}

static void for_the_shell(void **state)
{
	(void)state;
	given("192.0.2.7", "alice-2@example.org");
	commands("ask <ip> <F-USER>", "ask 192.0.2.7 alice-2@example.org", "");
	given("192.0.2.7", "$(reboot)");
	commands("ask <ip> '<F-USER>'", "ask 192.0.2.7 '${f2bV_F_USER}'", "f2bV_F_USER=$(reboot)");
	given("192.0.2.7", "a b");
	commands("<F-USER>x", "${f2bV_F_USER}x", "f2bV_F_USER=a b");
	given("192.0.2.7", "");
	commands("[\"<F-USER>\"]", "[\"\"]", "");
}

/* A guard in somebody's hands sends what it likes: of what is no field of a line it is not asked.
 */
static void only_fields_are_given(void **state)
{
	static const char *const names[] = {"br", "sp", "ip", "family", "failures", "ip-rev"};

	(void)state;
	given("192.0.2.7", NULL);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		tags_add(&tags, names[i], "; id #", 6);
	commands("ask<sp><ip> <family> <failures><br><ip-rev>x",
		"ask 192.0.2.7 inet4 3\n7.2.0.192.x", "");
}

/* Whatever a value is, a shell does nothing but hand it on. */
static void shells_hand_on(void **state)
{
	static const char *const values[] = {"; touch PWNED", "$(touch PWNED)", "`touch PWNED`",
		"' ; touch PWNED ; '", "\" ; touch PWNED ; \"", "\\\"; touch PWNED",
		"\n touch PWNED", "<ip>", "${PATH}", "$((1+1))", "~", "-n", "\xff\xfe",
		"&& touch PWNED"};
	char dir[] = "/tmp/test_tags.XXXXXX";

	(void)state;
	assert_non_null(mkdtemp(dir));
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct tags_case c = {.who = &who};
		struct buf command = {0}, env = {0};
		int out[2], status;
		char got[256];
		ssize_t n;
		pid_t pid;

		given("192.0.2.7", values[i]);
		c.data = tags.data;
		c.len = tags.len;
		assert_int_equal(tags_command(&command, &env, "printf %s \"<F-USER>\"", &c), 0);
		assert_int_equal(pipe(out), 0);
		pid = fork();
		if (pid == 0) {
			char *argv[] = {(char *)"sh", (char *)"-c", command.data, NULL};
			char *envp[] = {env.data, NULL};

			if (chdir(dir) < 0 || dup2(out[1], 1) < 0)
				_exit(9);
			execve("/bin/sh", argv, envp);
			_exit(9);
		}
		close(out[1]);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		n = read(out[0], got, sizeof(got) - 1);
		got[n > 0 ? n : 0] = '\0';
		close(out[0]);
		assert_string_equal(got, values[i]);
		buf_done(&command);
		buf_done(&env);
	}
	assert_int_equal(rmdir(dir), 0); /* nothing was put there */
}

static void bounds(void **state)
{
	static char big[MSG_TAGS_MAX];

	(void)state;
	memset(big, 'x', sizeof(big));
	given("192.0.2.7", "root");
	tags_add(&tags, "F-BIG", big, sizeof(big));
	fills("<F-USER><F-BIG>", "root");
	tags_add(&tags, "F-NUL", "a\0b", 3);
	fills("<F-NUL>", "a?b");
	for (unsigned i = 0; i < 1000; i++)
		tags_add(&tags, "F-MORE", "value", 5);
	assert_true(tags.len <= sizeof(tags.data));
	fills("<F-MORE>", "value");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(built_in),
		cmocka_unit_test(what_is_no_tag),
		cmocka_unit_test(for_the_shell),
		cmocka_unit_test(only_fields_are_given),
		cmocka_unit_test(shells_hand_on),
		cmocka_unit_test(bounds),
	};

	return cmocka_run_group_tests_name("tags", tests, NULL, NULL);
}
