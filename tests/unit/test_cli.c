/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole commands: what they ask, what they print, what they exit with. */
#include "cli/cli.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define ARGS_MAX 12

/* What the last call printed and asked; a later call overwrites it. */
static char *out, *err;
static char asked[4096];

static unsigned width = 80; /* of the terminal */

/* Runs one command line, its words cut at spaces; the daemon answers with `answer` (NULL: none). */
static int call(const char *answer, const char *line)
{
	char words[512], *argv[ARGS_MAX + 1] = {0}, *save = NULL;
	struct cli c = {.argv = argv, .width = width, .fd = -1};
	size_t out_len, err_len;
	int pair[2] = {-1, -1}, status;
	ssize_t n = 0;

	snprintf(words, sizeof(words), "stockade %s", line);
	for (char *w = strtok_r(words, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save)) {
		assert_true(c.argc < ARGS_MAX);
		argv[c.argc++] = w;
	}
	free(out);
	free(err);
	c.out = open_memstream(&out, &out_len);
	c.err = open_memstream(&err, &err_len);
	if (answer != NULL) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
		assert_int_equal(write(pair[1], answer, strlen(answer)), strlen(answer));
		shutdown(pair[1], SHUT_WR);
		c.fd = pair[0];
	}
	status = cli_run(&c);
	fclose(c.out);
	fclose(c.err);
	if (pair[1] >= 0)
		n = recv(pair[1], asked, sizeof(asked) - 1, MSG_DONTWAIT);
	asked[n > 0 ? n : 0] = '\0';
	if (pair[1] >= 0)
		close(pair[1]);
	if (c.fd >= 0)
		close(c.fd);
	return status;
}

static int teardown(void **state)
{
	(void)state;
	free(out);
	free(err);
	out = err = NULL;
	return 0;
}

/* The time so many seconds from now, as the daemon writes it. */
static const char *at(int seconds)
{
	static char texts[4][40];
	static unsigned next;
	time_t t = clock_wall_us() / USEC_PER_SEC + seconds;
	char *text = texts[next++ % 4];
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(text, sizeof(texts[0]), "%Y-%m-%dT%H:%M:%S.123456+00:00", &tm);
	return text;
}

static void has(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("no \"%s\" in: %s", part, text);
}

static void has_not(const char *text, const char *part)
{
	if (strstr(text, part) != NULL)
		fail_msg("\"%s\" in: %s", part, text);
}

static void usage(void **state)
{
	static const char *const wrong[] = {"", "statsu", "status --jsn", "status a b",
		"banned a b", "ban", "ban sshd", "ban sshd nonsense", "ban sshd 192.0.2.1 --for x",
		"ban sshd 192.0.2.1 --for 0", "ban sshd 192.0.2.1 --for", "unban",
		"unban --all 192.0.2.1", "unban 300.1.1.1", "explain", "explain x",
		"explain 192.0.2.1 192.0.2.2", "ping x", "test", "test -f a -r b", "test -f a -i b",
		"test -q", "check x", "help nothing", "ping --json=3", "check --socket /x"};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (call(NULL, wrong[i]) != CLI_USAGE)
			fail_msg("taken: %s", wrong[i]);
		assert_string_equal(out, "");
		has(err, "stockade");
	}
	call(NULL, "statsu");
	has(err, "did you mean 'status'?");
	call(NULL, "ban sshd x");
	has(err, "'x' is no address; try 'stockade help ban'");
	call(NULL, "status --jsom");
	has(err, "did you mean --json?");
	call(NULL, "\x1b[31m");
	has(err, "\\x1b[31m");
}

static void help(void **state)
{
	(void)state;
	assert_int_equal(call(NULL, "help"), CLI_GOOD);
	for (size_t i = 0; cli_commands[i] != NULL; i++) {
		char line[64];

		has(out, cli_commands[i]->name);
		snprintf(line, sizeof(line), "help %s", cli_commands[i]->name);
		assert_int_equal(call(NULL, line), CLI_GOOD);
		has(out, "usage: stockade ");
		snprintf(line, sizeof(line), "%s --help", cli_commands[i]->name);
		assert_int_equal(call(NULL, line), CLI_GOOD);
		has(out, "usage: stockade ");
		call(NULL, "help");
	}
	assert_int_equal(call(NULL, "--help"), CLI_GOOD);
	assert_int_equal(call(NULL, "status -h"), CLI_GOOD);
}

static void small(void **state)
{
	(void)state;
	assert_int_equal(call("{\"end\":{\"pong\":true}}\n", "ping"), CLI_GOOD);
	assert_string_equal(out, "pong\n");
	assert_string_equal(asked, "{\"cmd\":\"ping\"}\n");
	assert_int_equal(call("{\"end\":{\"pong\":true}}\n", "ping --json"), CLI_GOOD);
	assert_string_equal(out, "{\"pong\":true}\n");
	assert_int_equal(call("{\"end\":{\"stopping\":true}}\n", "stop"), CLI_GOOD);
	assert_int_equal(call("{\"end\":{}}\n", "stop"), CLI_GOOD);

	assert_int_equal(call("{\"end\":{\"version\":\"9.9\",\"pid\":12}}\n", "version"), CLI_GOOD);
	has(out, "stockade " STOCKADE_VERSION "\ndaemon 9.9 (process 12)\n");
	assert_int_equal(call(NULL, "version --socket /nonexistent/sock --json"), CLI_GOOD);
	assert_string_equal(out, "{\"version\":\"" STOCKADE_VERSION "\",\"daemon\":null}\n");
	assert_int_equal(call(NULL, "ping --socket /nonexistent/sock"), CLI_UNREACHABLE);
	has(err, "no daemon listens at /nonexistent/sock");
	assert_int_equal(call("nonsense\n", "ping"), CLI_UNREACHABLE);
	assert_int_equal(call("{\"error\":\"a\\u001bb\",\"code\":1}\n", "ping"), CLI_NO);
	assert_string_equal(err, "stockade ping: a\\x1bb\n");
}

static void reload(void **state)
{
	(void)state;
	assert_int_equal(
		call("{\"end\":{\"jails\":2,\"warnings\":[\"x is odd\"]}}\n", "reload"), CLI_GOOD);
	assert_string_equal(out, "reloaded: 2 jails\nx is odd\n");
	assert_int_equal(call("{\"end\":{\"jails\":1,\"warnings\":[{\"file\":\"a.conf\",\"line\":3,"
			      "\"severity\":\"warning\",\"message\":\"odd\"}]}}\n",
				 "reload"),
		CLI_GOOD);
	assert_string_equal(out, "reloaded: 1 jail\na.conf:3: warning: odd\n");
	assert_int_equal(
		call("{\"error\":\"the old one stays\",\"code\":2,\"faults\":[{\"file\":"
		     "\"jail.conf\",\"line\":7,\"severity\":\"error\",\"message\":\"no\"}]}\n",
			"reload --json"),
		CLI_USAGE);
	assert_string_equal(err, "stockade reload: the old one stays\njail.conf:7: error: no\n");
	has(out, "\"faults\":[{\"file\":\"jail.conf\"");
}

static void banning(void **state)
{
	(void)state;
	assert_int_equal(call("{\"end\":{\"banned\":2,\"refused\":[]}}\n",
				 "ban --for 1h sshd 192.0.2.1 2001:DB8::1/64"),
		CLI_GOOD);
	assert_string_equal(asked, "{\"cmd\":\"ban\",\"jail\":\"sshd\",\"addrs\":[\"192.0.2.1\","
				   "\"2001:db8::/64\"],\"for\":3600}\n");
	assert_string_equal(out, "banned 2 addresses in sshd\n");
	assert_int_equal(call("{\"end\":{\"banned\":0,\"refused\":[{\"ip\":\"127.0.0.1\",\"why\":"
			      "\"allowed\"}]}}\n",
				 "ban sshd 127.0.0.1 --for -1"),
		CLI_NO);
	has(asked, "\"for\":-1");
	assert_string_equal(out, "refused 127.0.0.1: allowed\n");

	assert_int_equal(call("{\"end\":{\"unbanned\":1,\"absent\":[\"192.0.2.2\"]}}\n",
				 "unban 192.0.2.1 192.0.2.2 --jail sshd"),
		CLI_GOOD);
	assert_string_equal(asked,
		"{\"cmd\":\"unban\",\"jail\":\"sshd\",\"addrs\":[\"192.0.2.1\",\"192.0.2.2\"]}\n");
	assert_string_equal(out, "lifted 1 ban\n192.0.2.2 was not banned\n");
	assert_int_equal(call("{\"end\":{\"unbanned\":0,\"absent\":[]}}\n", "unban --all"), CLI_NO);
	assert_string_equal(asked, "{\"cmd\":\"unban\",\"all\":true}\n");
}

static void banned(void **state)
{
	char answer[1024];

	(void)state;
	snprintf(answer, sizeof(answer),
		"{\"item\":{\"ip\":\"192.0.2.1\",\"jail\":\"sshd\",\"since\":\"%s\",\"until\":\"%"
		"s\","
		"\"failures\":5,\"packets\":12345,\"bytes\":720000,\"origin\":\"log\"}}\n"
		"{\"item\":{\"ip\":\"2001:db8::1\",\"jail\":\"sshd\",\"until\":null}}\n"
		"{\"item\":{}}\n{\"end\":{\"count\":3}}\n",
		at(-60), at(559));
	assert_int_equal(call(answer, "banned sshd"), CLI_GOOD);
	assert_string_equal(asked, "{\"cmd\":\"banned\",\"jail\":\"sshd\"}\n");
	has(out, "ADDRESS      JAIL  SINCE");
	has(out, "9 min");
	has(out, "12,345  log\n");
	has(out, "for ever");
	assert_int_equal(call(answer, "banned --json"), CLI_GOOD);
	has(out, "{\"ip\":\"192.0.2.1\",\"jail\":\"sshd\"");
	has(out, "\n{}\n");
	assert_int_equal(call("{\"end\":{\"count\":0}}\n", "banned"), CLI_GOOD);
	assert_string_equal(out, "nobody is banned\n");
	assert_int_equal(call("{\"end\":{\"count\":0}}\n", "banned --json"), CLI_GOOD);
	assert_string_equal(out, "");
	assert_int_equal(call("{\"item\":{\"ip\":\"192.0.2.1\"}}\n", "banned"), CLI_UNREACHABLE);
}

static void status(void **state)
{
	static const char healthy[] =
		"{\"end\":{\"version\":\"0.1.0\",\"pid\":7,\"uptime_sec\":7500,\"config\":\"/etc/"
		"stockade\","
		"\"dry_run\":false,\"jails\":[{\"name\":\"sshd\",\"maxretry\":5,\"findtime_sec\":"
		"600,"
		"\"bantime_sec\":600,\"banned\":3,\"bans\":12,\"tracked\":9,\"failures\":4321,"
		"\"sources\":["
		"{\"name\":\"/var/log/"
		"auth.log\",\"kind\":\"file\",\"state\":\"reading\",\"trouble\":null,"
		"\"lag_bytes\":0,\"lines\":99}],\"last_ban\":null}],\"wall\":{\"backend\":\"nft\","
		"\"healthy\":true},\"store\":{\"trouble\":\"\"},\"losses\":{\"undated_lines\":1},"
		"\"syslog\":[{\"listen\":\"udp://127.0.0.1:5514\",\"open\":true,\"messages\":"
		"8765,\"connections\":0},{\"listen\":\"tcp://[::1]:5514\",\"open\":true,"
		"\"messages\":7,\"over_rate\":20,\"broken\":3,\"connections\":1234,"
		"\"connections_refused\":5,\"pushed_out\":6}]}}"
		"\n";
	static const char ill[] =
		"{\"end\":{\"jails\":[{\"name\":\"sshd\",\"bantime_sec\":600,"
		"\"bantime_by_rule\":true,\"banned\":1,\"sources\":[{\"name\":\"/"
		"a\","
		"\"kind\":\"file\",\"state\":\"trouble\",\"trouble\":\"permission denied\"}]},"
		"{\"name\":\"pam\",\"sources\":[{\"name\":\"/"
		"b\",\"kind\":\"file\",\"state\":\"waiting\"}]}],"
		"\"wall\":{\"healthy\":false,\"last_error\":\"EPERM\"},\"store\":{\"trouble\":"
		"\"disk "
		"full\"},\"syslog\":[{\"listen\":\"udp://127.0.0.1:514\",\"open\":false}]}}\n";

	(void)state;
	assert_int_equal(call(healthy, "status"), CLI_GOOD);
	assert_string_equal(asked, "{\"cmd\":\"status\"}\n");
	assert_int_equal(strncmp(out, "protecting 1 jail, 3 banned now\n", 32), 0);
	has(out, "up 2 h 5 min");
	has(out, "5 in 10 min");
	has(out, "4,321");
	has(out, "1 line without a date");
	has(out, "TAKES SYSLOG AT       MESSAGES  LOST  CONNECTIONS  REFUSED\n");
	has(out, "udp://127.0.0.1:5514     8,765     0            -        -\n");
	has(out, "tcp://[::1]:5514             7    23        1,234       11\n");
	has_not(out, "wrong");
	width = 60;
	assert_int_equal(call(healthy, "status"), CLI_GOOD);
	has(out, "JAIL  BANNED  EVER  TRACKED  FAILURES  BANS AFTER\n");
	has_not(out, "LAST BAN");
	width = 80;
	assert_int_equal(call(ill, "status"), CLI_GOOD);
	has(out, "protecting 2 jails, 1 banned now; 5 things are wrong:\n");
	has(out, "  by rule  ");
	has(out, "/a: permission denied\n");
	has(out, "pam: there is no log to read yet, it waits for /b\n");
	has(out, "firewall: EPERM\n");
	has(out, "state: disk full\n");
	has(out, "udp://127.0.0.1:514: nothing is taken there; the log says why\n");
	assert_int_equal(call("{\"end\":{}}\n", "status"), CLI_GOOD);
	assert_int_equal(call("{\"end\":{\"jails\":[],\"dry_run\":true}}\n", "status"), CLI_GOOD);
	has(out, "dry run, nothing is enforced");
	has(out, "none is enabled");
	assert_int_equal(
		call("{\"end\":{\"jails\":[1,null,{},[]],\"wall\":3}}\n", "status x"), CLI_GOOD);
	assert_string_equal(asked, "{\"cmd\":\"status\",\"jail\":\"x\"}\n");
}

static void explain(void **state)
{
	char answer[2048];

	(void)state;
	snprintf(answer, sizeof(answer),
		"{\"end\":{\"ip\":\"192.0.2.1\",\"allowed\":false,\"own\":false,\"jails\":[{"
		"\"jail\":\"sshd\","
		"\"failures\":5,\"maxretry\":5,\"findtime_sec\":600,\"banned\":true,\"since\":\"%"
		"s\","
		"\"until\":\"%s\",\"packets\":12,\"bytes\":720,\"in_kernel\":true},{\"jail\":"
		"\"pam\","
		"\"failures\":0}],\"history\":[{\"jail\":\"sshd\",\"since\":\"%s\",\"until\":null,"
		"\"failures\":5,\"origin\":\"manual\"}],\"evidence\":[{\"jail\":\"sshd\",\"time\":"
		"\"%s\","
		"\"line\":\"Failed \\u001b[31m\"}]}}\n",
		at(-70), at(535), at(-90000), at(-80));
	assert_int_equal(call(answer, "explain ::ffff:192.0.2.1"), CLI_GOOD);
	assert_string_equal(asked, "{\"cmd\":\"explain\",\"addr\":\"192.0.2.1\"}\n");
	assert_int_equal(strncmp(out, "192.0.2.1 is banned in 1 jail\n", 30), 0);
	has(out, "(1 min ago), until ");
	has(out, "5 more failures within 10 min\n");
	has(out, "the kernel has dropped 12 packets, 720 B\n");
	has(out, "Failed \\x1b[31m\n");
	has(out, "for ever, after 5 failures (manual)\n");
	has_not(out, "pam");

	assert_int_equal(call("{\"end\":{\"jails\":[{\"jail\":\"a\",\"banned\":true,\"in_kernel\":"
			      "false}]}}\n",
				 "explain 192.0.2.1"),
		CLI_GOOD);
	has(out, "the kernel does not hold this ban");
	assert_int_equal(call("{\"end\":{\"allowed\":true,\"allowed_by\":\"ignoreip\"}}\n",
				 "explain 192.0.2.1"),
		CLI_GOOD);
	has(out, "It is allowed and never banned: ignoreip\n");
	assert_int_equal(
		call("{\"end\":{\"jails\":[{\"jail\":\"a\",\"failures\":0}],\"history\":[],"
		     "\"evidence\":[]}}\n",
			"explain 192.0.2.1"),
		CLI_NO);
	has(out, "nothing is known of it");
}

/* A file of its own with that text. */
static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void trial(void **state)
{
	static const char lines[] =
		"Jun 21 16:47:48 h sshd[1]: no \xff for bob from 192.0.2.1\r\n"
		"2005-06-21T16:47:48.250 h sshd[1]: no x for eve from evil.example\n"
		"Jun 21 16:47:49 h sshd[1]: no x for joe from 192.0.2.2\n"
		"nothing";
	static const char want[] =
		"{\"line\":1,\"verdict\":\"match\",\"ip\":\"192.0.2.1\",\"time\":\"2005-06-21T16:"
		"47:48\","
		"\"fields\":{\"user\":\"bob\",\"attempts\":1}}\n"
		"{\"line\":2,\"verdict\":\"match\",\"ip\":\"evil.example\",\"time\":"
		"\"2005-06-21T16:47:48\",\"fields\":{\"user\":\"eve\",\"attempts\":1}}\n"
		"{\"line\":3,\"verdict\":\"ignored\",\"ip\":null,\"time\":\"2005-06-21T16:47:49\","
		"\"fields\":{}}\n"
		"{\"line\":4,\"verdict\":\"miss\",\"ip\":null,\"time\":null,\"fields\":{}}\n";
	char path[] = "/tmp/stockade-test-XXXXXX", line[512];
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	put(path, lines);
	setenv("TZ", "Europe/Zurich", 1);
	tzset();
	snprintf(line, sizeof(line),
		"test --now 2005-08-14T12:00:00 -r for\\s<F-USER>\\S+</F-USER>\\sfrom\\s<HOST>$ "
		"-i joe %s",
		path);
	assert_int_equal(call(NULL, line), CLI_GOOD);
	has(out, "match    192.0.2.1        Jun 21 16:47:48 h sshd[1]: no \\xff for bob");
	has(out, "           4  lines\n           2  match\n           1  ignored\n");
	strcat(line, " --json");
	assert_int_equal(call(NULL, line), CLI_GOOD);
	assert_string_equal(out, want);
	*strstr(line, " --json") = '\0';
	strcat(line, " -v");
	assert_int_equal(call(NULL, line), CLI_GOOD);
	has(out, "date       2005-06-21T16:47:48, written at column 1: Jun 21 16:47:48\n");
	has(out, "failregex  number 1\n         fields     user=bob\n");
	has(out, "ignored by number 1\n");
	has(out, "date       none is found\n         text       nothing\n"
		 "         failregex  none of 1 matches\n");
	snprintf(line, sizeof(line), "test -r never<HOST> %s", path);
	assert_int_equal(call(NULL, line), CLI_NO);
	snprintf(line, sizeof(line), "test -r never(<HOST> %s", path);
	assert_int_equal(call(NULL, line), CLI_USAGE);
	has(err, "error: ");
	unlink(path);
	assert_int_equal(call(NULL, "test -r never<HOST> /nonexistent/file"), CLI_USAGE);
	assert_int_equal(call(NULL, "test -r never<HOST> /tmp"), CLI_USAGE);
	has(err, "Is a directory");
	assert_int_equal(call(NULL, "test -c /nonexistent -f sshd"), CLI_USAGE);
	assert_int_equal(call(NULL, "test -r x<HOST> --now yesterday"), CLI_USAGE);
}

/* A container's log: a verdict a line of the file, by what the program wrote. */
static void trial_of_container(void **state)
{
#define WRAPPED(log)                                                                               \
	"{\"log\":\"" log "\",\"stream\":\"stderr\",\"time\":\"2026-11-20T07:12:49.5Z\"}\n"
	static const char want[] =
		"{\"line\":1,\"verdict\":\"match\",\"ip\":\"192.0.2.1\",\"time\":\"2026-11-20T07:"
		"12:49.500000\",\"fields\":{\"attempts\":1}}\n"
		"{\"line\":2,\"verdict\":\"miss\",\"ip\":null,\"time\":null,\"fields\":{}}\n"
		"{\"line\":3,\"verdict\":\"match\",\"ip\":\"192.0.2.2\",\"time\":\"2026-11-20T07:"
		"12:48\",\"fields\":{\"attempts\":1}}\n";
	char path[] = "/tmp/stockade-test-XXXXXX", line[512];
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	put(path, WRAPPED("no \\u003cyou\\u003e from 192.0.2.1\\n")
			  WRAPPED("Nov 20 07:12:48 no <you>") WRAPPED(" from 192.0.2.2\\n"));
	setenv("TZ", "UTC", 1);
	tzset();
	snprintf(line, sizeof(line),
		"test --now 2026-11-20T08:00:00 -r ^\\s*no\\s<you>\\sfrom\\s<HOST>$ %s --json",
		path);
	assert_int_equal(call(NULL, line), CLI_GOOD);
	assert_string_equal(out, want);
	/* Made for the wrapping, a filter sees it. */
	snprintf(line, sizeof(line), "test -r \"log\":\".*from\\s<HOST>[^0-9] %s", path);
	assert_int_equal(call(NULL, line), CLI_GOOD);
	has(out, "           3  lines\n           2  match\n");
	unlink(path);
#undef WRAPPED
}

static void put_bytes(const char *path, const char *bytes, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

/* Files are told apart and decoded as the daemon does it. */
static void trial_of_files(void **state)
{
	static const char wide[] = "\xff\xfen\0o\0 \0001\0.\0002\0.\0003\0.\0004\0\n\0";
	static const char latin[] = "no\xe9 1.2.3.4\n";
	static const char packed[] = "\x1f\x8b\x08 and so on and so on";
	char path[] = "/tmp/stockade-test-XXXXXX", line[128];
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	setenv("TZ", "UTC", 1);
	tzset();
	snprintf(line, sizeof(line), "test -r ^no.?\\s<ADDR>$ --json %s", path);
	put_bytes(path, wide, sizeof(wide) - 1);
	assert_int_equal(call(NULL, line), CLI_GOOD);
	has(out, "\"ip\":\"1.2.3.4\"");
	put_bytes(path, packed, sizeof(packed) - 1);
	assert_int_equal(call(NULL, line), CLI_USAGE);
	has(err, "this is no log but gzip");
	put_bytes(path, latin, sizeof(latin) - 1);
	strcat(line, " --encoding latin1");
	assert_int_equal(call(NULL, line), CLI_GOOD);
	has(out, "\"ip\":\"1.2.3.4\"");
	strcat(line, "x");
	assert_int_equal(call(NULL, line), CLI_USAGE);
	has(err, "the encoding 'latin1x' is not known");
	unlink(path);
}

/* By the name of a jail, enabled or not: its filter, its dates. */
static void trial_of_jail(void **state)
{
	char dir[] = "/tmp/stockade-test-XXXXXX", path[64], filter[64], log[64], line[128];

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/jail.conf", dir);
	snprintf(log, sizeof(log), "%s/log", dir);
	snprintf(filter, sizeof(filter), "%s/filter.d", dir);
	assert_int_equal(mkdir(filter, 0700), 0);
	snprintf(filter, sizeof(filter), "%s/filter.d/a.conf", dir);
	put(path, "[b]\nfilter = a[what=that]\nlogtimezone = UTC+0300\n");
	put(filter, "[Definition]\nprefregex = ^ in <F-CONTENT>.+</F-CONTENT>$\n"
		    "failregex = ^no <what> <HOST>$\n[Init]\nwhat = this\n");
	put(log, "2026-01-02 03:04:05 in no that 192.0.2.1\n"
		 "2026-01-02 03:04:05 in yes\n2026-01-02 03:04:05 out\n");
	setenv("TZ", "UTC", 1);
	tzset();
	snprintf(line, sizeof(line), "test -c %s -j b -v %s", dir, log);
	assert_int_equal(call(NULL, line), CLI_GOOD);
	has(out, "match    192.0.2.1 ");
	has(out, "date       2026-01-02T00:04:05, ");
	has(out, "a.conf:3\n");
	has(out, "prefregex  matches, and leaves: yes\n");
	has(out, "text       \" out\"\n         prefregex  does not match it\n");
	snprintf(line, sizeof(line), "test -c %s -j c %s", dir, log);
	assert_int_equal(call(NULL, line), CLI_USAGE);
	has(err, "there is no jail 'c'");
	snprintf(line, sizeof(line), "test -c %s -j b -f a %s", dir, log);
	assert_int_equal(call(NULL, line), CLI_USAGE);
	unlink(path);
	unlink(log);
	unlink(filter);
	*strrchr(filter, '/') = '\0';
	rmdir(filter);
	rmdir(dir);
}

static void check(void **state)
{
	char dir[] = "/tmp/stockade-test-XXXXXX", path[64], filter[64], line[128];

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/jail.conf", dir);
	snprintf(filter, sizeof(filter), "%s/filter.d", dir);
	assert_int_equal(mkdir(filter, 0700), 0);
	snprintf(filter, sizeof(filter), "%s/filter.d/a.conf", dir);
	put(path, "[a]\nenabled = true\nlogpath = /nonexistent/a.log\nmaxretri = 3\n");
	put(filter, "[Definition]\nfailregex = ^no <HOST>$\n");
	snprintf(line, sizeof(line), "check -c %s", dir);
	assert_int_equal(call(NULL, line), CLI_GOOD);
	has(out, "jail.conf:4: warning: ");
	has(out, ": good, 1 jail enabled, 2 warnings\n");
	strcat(line, " --strict --json");
	assert_int_equal(call(NULL, line), CLI_USAGE);
	has(out, "{\"jails\":[{\"name\":\"a\",");
	has(out, "\"line\":4,\"severity\":\"warning\",\"message\":");
	/* What an attacker could do with the filter is tried. */
	put(filter, "[Definition]\nfailregex = no <HOST>$\n");
	snprintf(line, sizeof(line), "check -c %s", dir);
	assert_int_equal(call(NULL, line), CLI_GOOD);
	has(out, "a.conf:2: warning: failregex: unanchored start");
	has(out, " about weak regexes (--no-lint leaves those out)\n");
	strcat(line, " --no-lint");
	assert_int_equal(call(NULL, line), CLI_GOOD);
	has_not(out, "failregex: ");
	has_not(out, "--no-lint");
	assert_int_equal(call(NULL, "check /etc/fail2ban"), CLI_USAGE);
	has(err, "stockade check -c /etc/fail2ban");
	/* What only the regex engine can tell is told too, with its place. */
	put(filter, "[Definition]\nfailregex = ^no (<HOST>$\n");
	snprintf(line, sizeof(line), "check -c %s", dir);
	assert_int_equal(call(NULL, line), CLI_USAGE);
	has(out, "a.conf:2: error: ");
	has(out, ": 1 error, 2 warnings\n");
	unlink(path);
	unlink(filter);
	*strrchr(filter, '/') = '\0';
	rmdir(filter);
	rmdir(dir);
	assert_int_equal(call(NULL, "check -c /nonexistent"), CLI_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(usage, teardown),
		cmocka_unit_test_teardown(help, teardown),
		cmocka_unit_test_teardown(small, teardown),
		cmocka_unit_test_teardown(reload, teardown),
		cmocka_unit_test_teardown(banning, teardown),
		cmocka_unit_test_teardown(banned, teardown),
		cmocka_unit_test_teardown(status, teardown),
		cmocka_unit_test_teardown(explain, teardown),
		cmocka_unit_test_teardown(trial, teardown),
		cmocka_unit_test_teardown(trial_of_container, teardown),
		cmocka_unit_test_teardown(trial_of_files, teardown),
		cmocka_unit_test_teardown(trial_of_jail, teardown),
		cmocka_unit_test_teardown(check, teardown),
	};

	return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}
