/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/f2b_regex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* After these, as it says itself. */
#include <cmocka.h>

#define EPOCH "-d", "^EPOCH"

static char *out, *err;

/* getopt moves its arguments about, so they are copies. */
static int call(const char *const *args)
{
	char *argv[24], *copies[24];
	size_t out_len, err_len;
	FILE *o, *e;
	int argc = 0, status;

	for (; args[argc] != NULL; argc++)
		argv[argc] = copies[argc] = strdup(args[argc]);
	argv[argc] = NULL;
	free(out);
	free(err);
	o = open_memstream(&out, &out_len);
	e = open_memstream(&err, &err_len);
	assert_true(o != NULL && e != NULL);
	status = f2b_regex_main(argc, argv, o, e);
	fclose(o);
	fclose(e);
	while (argc > 0)
		free(copies[--argc]);
	return status;
}

#define CALL(...) call((const char *[]) {"/usr/bin/fail2ban-regex", __VA_ARGS__, NULL})

static void has(const char *text)
{
	if (strstr(out, text) == NULL)
		fail_msg("no \"%s\" in:\n%s%s", text, out, err);
}

static void prints(const char *text)
{
	assert_string_equal(out, text);
}

static void arguments(void **state)
{
	(void)state;
	assert_int_equal(CALL("-V"), 0);
	prints(STOCKADE_VERSION "\n");
	assert_int_equal(CALL("--version"), 0);
	prints("fail2ban-regex " STOCKADE_VERSION "\n");
	assert_int_equal(CALL("--help"), 0);
	has("Usage: /usr/bin/fail2ban-regex [OPTIONS] <LOG> <REGEX> [IGNOREREGEX]\n");
	assert_int_equal(CALL("log"), 255);
	assert_non_null(strstr(err, "ERROR: provide both <LOG> and <REGEX>."));
	assert_int_equal(CALL("--print-no-missed", "--print-all-missed", "a", "b"), 255);
	assert_non_null(strstr(err, "mutually exclusive"));
	assert_int_equal(CALL("--nosuch", "a", "b"), 2);
	assert_non_null(strstr(err, "fail2ban-regex: error: no such option: --nosuch\n"));
	assert_int_equal(CALL("a", "b", "-Z"), 2);
	assert_int_equal(CALL("a", "b", "-c"), 2);
	assert_int_equal(CALL("-L", "x", "a", "b"), 2);
	assert_int_equal(CALL("-l", "loud", "a", "b"), 2);
	assert_int_equal(CALL("--raw=1", "a", "b"), 2);
	assert_int_equal(CALL("--timezone", "nowhere", "a", "<HOST>"), 255);
	assert_int_equal(CALL("-d", "%:%.%-", "a", "<HOST>"), 255);
	has("ERROR: Failed to set datepattern '%:%.%-'");
	assert_int_equal(CALL("a", "(<HOST>"), 255);
	has("ERROR: Unable to compile regular expression '(<HOST>':\n");
	assert_int_equal(CALL("a", "nobody"), 255);
	has("ERROR: No failure-id group in 'nobody'\n");
	assert_int_equal(CALL("a", "<HOST>", "(", "-r"), 255);
}

static void report(void **state)
{
	(void)state;
	assert_int_equal(
		CALL("-r", EPOCH, "--print-all-matched", "-v",
			"1490349000 no 192.0.2.1\n1490349001 yes\n"
			"1490349002 no 192.0.2.2 joe\n\n# note\n1490349003 no [2001:db8::1]",
			"^\\s*no <HOST>", "joe$"),
		0);
	has("\nRunning tests\n=============\n\nUse      datepattern : ^EPOCH : ");
	has("Use   failregex line : ^\\s*no <HOST>\nUse ignoreregex line : joe$\n"
	    "Use      multi line : 6 line(s)\n|  1: 1490349000 no 192.0.2.1\n");
	has("\nFailregex: 2 total\n|-  #) [# of hits] regular expression\n"
	    "|   1) [2] ^\\s*no <HOST>\n|      192.0.2.1  Fri Mar 24 09:50:00 2017\n"
	    "|      2001:db8::1  Fri Mar 24 09:50:03 2017\n`-\n"
	    "\nIgnoreregex: 1 total\n|-  #) [# of hits] regular expression\n|   1) [1] joe$\n`-\n");
	has("\nLines: 4 lines, 1 ignored, 2 matched, 1 missed\n[processed in ");
	has("|- Matched line(s):\n|  1490349000 no 192.0.2.1\n|  1490349003 no [2001:db8::1]\n`-\n"
	    "|- Ignored line(s):\n|  1490349002 no 192.0.2.2 joe\n`-\n"
	    "|- Missed line(s):\n|  1490349001 yes\n`-\n");
	assert_int_equal(
		CALL("-r", "-d", "{NONE}", "-L", "1", "no 192.0.2.1\nyes", "no <HOST>"), 0);
	has("Missed line(s): too many to print.  Use --print-all-missed to print all 1 lines\n");
	/* A name counts where it can be looked up, or need not be. */
	assert_int_equal(CALL("-d", "{NONE}", "--usedns", "raw", "no such.name", "no <HOST>"), 0);
	has("Lines: 1 lines, 0 ignored, 1 matched, 0 missed\n");
	assert_int_equal(CALL("-d", "{NONE}", "--usedns", "no", "no such.name", "no <HOST>"), 0);
	has("Lines: 1 lines, 0 ignored, 0 matched, 1 missed\n");
	assert_int_equal(CALL("-D", "-r", "-d", "{NONE}", "a b", "b <F-USER>x</F-USER><HOST>"), 0);
	has("|  a b | b <F-USER>x</F-USER><HOST> |  https://www.debuggex.com/"
	    "?re=b+%28%3FP%3Cuser%3Ex%29");
}

/* What is a match in a window was a miss when it came. */
static void windows(void **state)
{
	(void)state;
	assert_int_equal(CALL(EPOCH, "--usedns=no", "--print-all-matched", "-L", "5",
				 "1490349000 FAIL\n1490349000 TEST\n1490349001 HOST 192.0.2.34",
				 "^\\s*FAIL\\s*$<SKIPLINES>^\\s*HOST <HOST>\\s*$"),
		0);
	has("Lines: 3 lines, 0 ignored, 2 matched, 1 missed\n");
	has("|- Matched line(s):\n|  1490349000 FAIL\n|  1490349001 HOST 192.0.2.34\n`-\n"
	    "|- Missed line(s):\n|  1490349000 TEST\n`-\n");
}

static void failures_only(void **state)
{
	char line[] = "1591983743.667 left [192.0.2.4]:12345 it's";
	char regex[] = "^\\s*<F-TUPLE_ID_1>\\S+</F-TUPLE_ID_1> <F-ID><ADDR>:<F-PORT/></F-ID> "
		       "<F-USER>\\S+</F-USER>";

	(void)state;
	assert_int_equal(CALL("-o", "id", EPOCH, line, regex), 0);
	prints("('[192.0.2.4]:12345', 'left')\n");
	assert_int_equal(CALL("-o", "ip", EPOCH, line, regex), 0);
	prints("192.0.2.4\n");
	assert_int_equal(CALL("-o", "user", EPOCH, line, regex), 0);
	prints("it's\n");
	assert_int_equal(CALL("-o", "nothing", EPOCH, line, regex), 0);
	prints("None\n");
	assert_int_equal(CALL("-o", "row", EPOCH, line, regex), 0);
	prints("[('[192.0.2.4]:12345', 'left'),\t1591983743.667,\t{'tuple_id_1': 'left', "
	       "'fid': ('[192.0.2.4]:12345', 'left'), 'ip4': '192.0.2.4', 'ip6': None, "
	       "'fport': '12345', 'user': \"it's\", 'ip': '192.0.2.4'}],\n");
	assert_int_equal(CALL("-o", "<ip> <family> <ip-rev>|<F-USER>|<F-NONE>|<none>|<msg>", EPOCH,
				 line, regex),
		0);
	prints("192.0.2.4 inet4 4.2.0.192.|it's||<none>|1591983743.667 left [192.0.2.4]:12345 "
	       "it's\n");
	assert_int_equal(CALL("-o", "id", "-d", "{NONE}",
				 "x 192.0.2.9/24\nx 2001:DB8:FF:FF::1/60\nx ::ffff:192.0.2.7",
				 "^x <SUBNET>"),
		0);
	prints("192.0.2.0/24\n2001:db8:ff:f0::/60\n192.0.2.7\n");
}

static void sessions(void **state)
{
	char lines[] = "s[1] user eve locked\ns[2] user joe locked\ns[1] gone 192.0.2.1\n"
		       "s[2] hello\ns[2] gone 192.0.2.2";
	char filter[] = "/tmp/stockade-test-XXXXXX";
	int fd = mkstemp(filter);

	(void)state;
	assert_true(fd >= 0);
	dprintf(fd, "[Definition]\nprefregex = ^s\\[<F-MLFID>\\d+</F-MLFID>\\] "
		    "<F-CONTENT>.+</F-CONTENT>$\nfailregex = ^user <F-USER>\\S+</F-USER> locked$\n"
		    "\t^<F-NOFAIL><F-MLFFORGET>gone</F-MLFFORGET></F-NOFAIL> <ADDR>$\n"
		    "\t^<F-MLFGAINED>hello</F-MLFGAINED>$\n");
	close(fd);
	assert_int_equal(CALL("-d", "{NONE}", "-o", "<ip> <F-USER>: <msg>", lines, filter), 0);
	prints("192.0.2.1 eve: s[1] user eve locked\n192.0.2.1 eve: s[1] gone 192.0.2.1\n");
	assert_int_equal(CALL("-d", "{NONE}", lines, filter), 0);
	has("Use   failregex file : /tmp/stockade-test-");
	has("\nPrefregex: 5 total\n|  ^s\\[(?P<mlfid>\\d+)\\] (?P<content>.+)$\n`-\n");
	unlink(filter);
}

/* A file: its encoding, its last line, what is no character. */
static void files(void **state)
{
	static const char text[] = "1490349000 no \xff from 192.0.2.1\r\n"
				   "1490349001 no b from 192.0.2.2\n1490349002 no c from 192.";
	static const char wide[] = "n\0o\0 \0001\0.\0002\0.\0003\0.\0004\0\n\0";
	char path[] = "/tmp/stockade-test-XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	assert_int_equal(CALL(EPOCH, "--print-all-matched", "-l", "warning", "-e", "UTF-8", path,
				 "no .* from <HOST>"),
		0);
	has("Use         encoding : UTF-8\n");
	has("Error decoding line from '/tmp/stockade-test-");
	has("Lines: 2 lines, 0 ignored, 2 matched, 0 missed\n");
	has("|  1490349000 no \xef\xbf\xbd from 192.0.2.1\n");
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(pwrite(fd, wide, sizeof(wide) - 1, 0), sizeof(wide) - 1);
	assert_int_equal(
		CALL("-d", "{NONE}", "-e", "utf-16le", "-o", "ip", path, "^no <HOST>$"), 0);
	prints("1.2.3.4\n");
	assert_int_equal(CALL("-e", "nosuch", path, "^no <HOST>$"), 255);
	has("ERROR: unknown encoding: nosuch\n");
	close(fd);
	unlink(path);
}

static int teardown(void **state)
{
	(void)state;
	free(out);
	free(err);
	out = err = NULL;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(arguments, teardown),
		cmocka_unit_test_teardown(report, teardown),
		cmocka_unit_test_teardown(windows, teardown),
		cmocka_unit_test_teardown(failures_only, teardown),
		cmocka_unit_test_teardown(sessions, teardown),
		cmocka_unit_test_teardown(files, teardown),
	};

	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
