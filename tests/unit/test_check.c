/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config_fixture.h"

#include "cli/check.h"
#include "keeper/precheck.h"

/* What is said about a configuration in which everything can be read. */
static void says(const char *jail_conf, const char *stockade_conf, const char *said)
{
	struct fixture f;

	fixture_init(&f);
	fixture_file(&f, "filter.d/x.conf", FILTER_X);
	fixture_file(&f, "log", "");
	fixture_file(&f, "jail.conf", jail_conf);
	fixture_file(&f, "stockade.conf", stockade_conf);
	assert_int_equal(ruleset_read(&f.rs, f.dir, NULL, true, &f.faults), 0);
	check_ruleset(f.rs, f.dir, &f.faults);
	fixture_tell(&f);
	if (strcmp(f.said, said) != 0)
		fail_msg("for:\n%s\nsaid:\n%swanted:\n%s", jail_conf, f.said, said);
	fixture_done(&f);
}

/* Of who can send alone: there are no such certificates. */
static void says_of_tls(const char *jail_conf, const char *stockade_conf, const char *said)
{
	struct fixture f;

	fixture_init(&f);
	fixture_file(&f, "filter.d/x.conf", FILTER_X);
	fixture_file(&f, "jail.conf", jail_conf);
	fixture_file(&f, "stockade.conf", stockade_conf);
	assert_int_equal(ruleset_read(&f.rs, f.dir, NULL, true, &f.faults), 0);
	precheck_syslog(f.rs, &f.faults);
	fixture_tell(&f);
	assert_string_equal(f.said, said);
	fixture_done(&f);
}

#define X_JAIL "[x]\nenabled = true\nlogpath = %(fail2ban_confpath)s/log\n"

static void compiled(void **state)
{
	(void)state;
	says(X_JAIL, "", "");
	says(X_JAIL "failregex = ^a( <HOST>\n", "",
		"jail.conf:4: error: failregex: missing closing parenthesis at column 6, after "
		"\"^a( <\", before \"HOST>\"\n");
	says(X_JAIL "failregex = ^a\n", "",
		"jail.conf:4: error: failregex: nothing in it says who it was; put <HOST>, <ADDR> "
		"or "
		"<F-ID>...</F-ID> where the address stands\n");
	/* What is wrong with a jail that is not enabled keeps nothing from starting. */
	says(X_JAIL "[y]\nfilter = x\nfailregex = ^a\nlogencoding = none\nlogpath = /y\n", "",
		"jail.conf:6: warning: failregex: nothing in it says who it was; put <HOST>, "
		"<ADDR> "
		"or <F-ID>...</F-ID> where the address stands\n"
		"jail.conf:7: warning: logencoding 'none' is unknown: write 'auto', or a name such "
		"as 'utf-8', 'latin1', 'utf-16le' ('iconv -l' lists them)\n");
	says("[x]\nenabled = true\nbackend = systemd\njournalmatch = _COMM=a + \"b\n", "",
		"jail.conf:4: error: journalmatch '_COMM=a + \"b': a quotation mark is missing "
		"(such "
		"as '_SYSTEMD_UNIT=ssh.service + _COMM=sshd')\n");
	/* Not of interest to a jail that reads files. */
	says(X_JAIL "journalmatch = b\n", "", "");
}

static void logs(void **state)
{
	char many[2048] = "[DEFAULT]\nenabled = true\nfilter = x\nlogpath = /no/*\n[x]\nlogpath = "
			  "%(fail2ban_confpath)s/l*\n";

	(void)state;
	says("[x]\nenabled = true\nlogpath = /no/where\n", "",
		"jail.conf:3: warning: jail 'x' has no log to read: there is no /no/where. It will "
		"be read when it comes; if it never will, correct logpath\n");
	says("[x]\nenabled = true\nlogpath = /no/where\n  /no/*/there\n", "",
		"jail.conf:3: warning: jail 'x' has no log to read: there is no /no/where, nor any "
		"other of its paths. It will be read when it comes; if it never will, correct "
		"logpath\n");
	says(X_JAIL "  /no/where\n", "", "");
	says("[x]\nenabled = true\nlogpath = /usr/\n", "",
		"jail.conf:3: warning: logpath /usr/ is a directory, which is no log: write its "
		"files, such as '/usr/*.log'\n");
	says("[x]\nenabled = true\nsource = file, journal\nlogpath = /no/where\n", "", "");
	says(X_JAIL "[y]\nlogpath = /no/where\nfilter = x\n", "", "");
	for (char c = 'a'; c < 'l'; c++)
		sprintf(many + strlen(many), "[%c]\n", c);
	says(many, "",
		": warning: 11 of 12 jails have no log to read. Logs will be read when they come; "
		"write 'enabled = false' under those that never will have any: a, b, c, d, e, f, "
		"g, "
		"h, i, j, k\n");
}

static void commands(void **state)
{
	(void)state;
	says(X_JAIL "ignorecommand = /bin/true <ip>\n", "", "");
	says(X_JAIL "ignorecommand = true <ip>\n", "", "");
	says(X_JAIL "ignorecommand = /no/where <ip>\n", "",
		"jail.conf:4: warning: ignorecommand: /no/where is not there, so it would let "
		"nobody off: correct its path\n");
}

/* Names that are nearly those of the configuration. */
static void strays(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_file(&f, "filter.d/x.conf", FILTER_X);
	fixture_file(&f, "jail.conf", "[x]\nenabled = true\nsource = syslog\n");
	fixture_file(&f, "stockade.conf", "[syslog]\nlisten = udp://127.0.0.1:5514\n");
	fixture_file(&f, "jails.local", "");
	fixture_file(&f, "jail.conf.bak", "");
	fixture_file(&f, "notes", "");
	assert_int_equal(ruleset_read(&f.rs, f.dir, NULL, true, &f.faults), 0);
	check_ruleset(f.rs, f.dir, &f.faults);
	fixture_tell(&f);
	if (strcmp(f.said, "jails.local: warning: nothing is read from here; did you mean "
			   "'jail.local'?\n") != 0)
		fail_msg("%s", f.said);
	fixture_done(&f);
}

static void settings(void **state)
{
	(void)state;
	says(X_JAIL, "[Definition]\nlogtarget = /no/where.log\n",
		"stockade.conf:2: error: logtarget '/no/where.log': its directory does not exist: "
		"make it, or write another file\n");
	says(X_JAIL, "[Definition]\nlogtarget = /tmp\n",
		"stockade.conf:2: error: logtarget '/tmp' is a directory: write a file's path\n");
	says(X_JAIL, "[Definition]\nlogtarget = /tmp/x\nuser = no-such-user\n",
		"stockade.conf:3: warning: there is no user 'no-such-user', so logs are read as "
		"'nobody': create it, or write another\n");
	says(X_JAIL, "[Definition]\nuser = root\n",
		"stockade.conf:2: error: user 'root' is root, as which no log is read: write a "
		"user "
		"of its own, such as 'stockade'\n");
}

/* Who can send messages, and whether those that jails want can come. */
static void syslog_senders(void **state)
{
	static const char jail[] = "[x]\nenabled = true\nsource = syslog\n";
	char text[512];

	(void)state;
	says(jail, "[syslog]\nlisten = udp://127.0.0.1:1 tcp://[::1]:1 unix:///run/log\n", "");
	says(jail,
		"[syslog]\nlisten = udp://0.0.0.0:514 tcp://192.0.2.1:1\n  tcp://[::]:514 "
		"udp://127.9.9.9:1\n",
		"stockade.conf:2: warning: whoever reaches 'udp://0.0.0.0:514' can have anybody "
		"banned: say whose messages to take, such as 'from = 10.0.0.0/8'\n"
		"stockade.conf:2: warning: whoever reaches 'tcp://192.0.2.1:1' can have anybody "
		"banned: say whose messages to take, such as 'from = 10.0.0.0/8'\n"
		"stockade.conf:3: warning: whoever reaches 'tcp://[::]:514' can have anybody "
		"banned: say whose messages to take, such as 'from = 10.0.0.0/8'\n");
	says(jail, "[syslog]\nlisten = udp://0.0.0.0:514\nfrom = 192.0.2.0/24\n", "");
	says_of_tls(jail,
		"[syslog]\nlisten = tls://0.0.0.0:6514\ncertificate = /c\nkey = /k\nca = /a\n", "");
	says_of_tls(jail,
		"[syslog]\nlisten = tls://0.0.0.0:6514\ncertificate = /c\nkey = /k\npeers = sha256:"
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n",
		"");
	says_of_tls(jail, "[syslog]\nlisten = tls://0.0.0.0:6514\ncertificate = /c\nkey = /k\n",
		"stockade.conf:2: warning: whoever reaches 'tls://0.0.0.0:6514' can have anybody "
		"banned, as no certificate is asked for: write 'ca = /etc/stockade/ca.pem', who "
		"vouches for senders, or 'from = 10.0.0.0/8'\n");
	says("[x]\nenabled = true\nsource = syslog\nscope = host\nhost = a=192.0.2.1 b=192.0.2.2\n",
		"",
		"jail.conf:1: warning: jail 'x' reads syslog, and nobody listens for it: write "
		"'listen = udp://127.0.0.1:5514' below [syslog] in stockade.conf\n");
	/* It has another source, or is not in use. */
	says(X_JAIL "source = file, syslog\n[y]\nfilter = x\nsource = syslog\n", "", "");
	snprintf(text, sizeof(text), "%shost = web1 192.0.2.7 10.0.0.0/8 127.0.0.1 0.0.0.0/0\n",
		jail);
	says(text, "[syslog]\nlisten = unix:///run/log udp://192.0.2.1:1\nfrom = 192.0.2.0/24\n",
		"jail.conf:4: warning: host '10.0.0.0/8': no message can come from there, as "
		"[syslog] from lets nobody send who has that address: add it there\n"
		"jail.conf:4: warning: host '127.0.0.1': no message can come from there, as "
		"[syslog] from lets nobody send who has that address: add it there\n");
	says(text, "[syslog]\nlisten = udp://127.0.0.1:1\n",
		"jail.conf:4: warning: host '192.0.2.7': no message can come from there, as "
		"[syslog] listens on this machine's loopback alone: listen where that host can "
		"reach it\n"
		"jail.conf:4: warning: host '10.0.0.0/8': no message can come from there, as "
		"[syslog] listens on this machine's loopback alone: listen where that host can "
		"reach it\n");
	snprintf(text, sizeof(text), "%shost = web1 192.0.2.7\n", jail);
	says(text, "[syslog]\nlisten = unix-stream:///run/log\n",
		"jail.conf:4: warning: host '192.0.2.7': no message can come from there, as "
		"senders on Unix sockets have no address: write a name\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compiled),
		cmocka_unit_test(logs),
		cmocka_unit_test(commands),
		cmocka_unit_test(strays),
		cmocka_unit_test(settings),
		cmocka_unit_test(syslog_senders),
	};

	return cmocka_run_group_tests_name("check", tests, NULL, NULL);
}
