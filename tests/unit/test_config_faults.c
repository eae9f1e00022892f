/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config_fixture.h"

/* What is said to each fault: where it is, what is wrong, what to write instead. */

static void numbers(void **state)
{
	(void)state;
	fixture_bad("maxretry = 0", "jail.conf:4: error: maxretry = '0' is not a whole number from "
				    "1 to 1000000: write one\n");
	fixture_bad("maxretry = five", "jail.conf:4: error: maxretry = 'five' is not a whole "
				       "number from 1 to 1000000: write one\n");
	fixture_bad("maxretry = five\nmaxmatches = %(maxretry)s",
		"jail.conf:4: error: maxretry = 'five' is not a whole number from 1 to 1000000: "
		"write one\n");
	fixture_bad("maxretry = 99999999999999999999",
		"jail.conf:4: error: maxretry = '99999999999999999999' is not a whole number from "
		"1 to 1000000: write one\n");
	fixture_bad("maxretry = 5x", "jail.conf:4: error: maxretry = '5x' is not a whole number "
				     "from 1 to 1000000: write one\n");
	fixture_bad("findtime = 0",
		"jail.conf:4: error: findtime = '0' is too short: write at least '1s'\n");
	fixture_bad("findtime = -1",
		"jail.conf:4: error: findtime = '-1' is too short: write at least '1s'\n");
	fixture_bad("findtime = soon", "jail.conf:4: error: findtime = 'soon' is not a time: write "
				       "seconds, or such as '10m', '1h 30m', '1w'\n");
	fixture_bad("bantime = 0", "jail.conf:4: error: bantime = '0' is too short: write at least "
				   "'1s', or '-1' for ever\n");
	fixture_bad("bantime = 10 parsecs",
		"jail.conf:4: error: bantime = '10 parsecs' is not a time: write seconds, or such "
		"as '10m', '1h 30m', '1w', or '-1' for ever\n");
	fixture_bad("maxlines = 0", "jail.conf:4: error: maxlines = '0' is not a whole number from "
				    "1 to 1000: write one\n");
	fixture_bad("[y]\nenabled = maybe", "jail.conf:5: error: enabled = 'maybe' is neither yes "
					    "nor no: write 'true' or 'false'\n");
	fixture_bad("ignoreself = perhaps\n  port = ssh",
		"jail.conf:4: error: ignoreself = 'perhaps\\x0aport = ssh' is neither yes nor no: "
		"write 'true' or 'false' (a line that begins with a blank goes on the value above "
		"it)\n");
	fixture_bad("ignoreself = true # us",
		"jail.conf:4: error: ignoreself = 'true # us' is neither yes nor no: write 'true' "
		"or "
		"'false' (a comment behind a value begins with ';', not with '#')\n");
	fixture_bad("shadow = 2", "jail.conf:4: error: shadow = '2' is neither yes nor no: write "
				  "'true' or 'false'\n");
}

static void options(void **state)
{
	(void)state;
	fixture_bad("backend = system", "jail.conf:4: error: backend 'system' is unknown: write "
					"'auto' for files, 'systemd' for the journal; did you mean "
					"'systemd'?\n");
	fixture_bad("usedns = maybe", "jail.conf:4: error: usedns = 'maybe' is unknown: write "
				      "'yes', 'warn', 'no' or 'raw'\n");
	fixture_bad("ignorecache = max-count=3",
		"jail.conf:4: error: ignorecache does not say which cases are the same: write such "
		"as 'key=\"<ip>\", max-count=100, max-time=5m'\n");
	fixture_bad("ignorecache = key=\"<ip>\", max-coun=3",
		"jail.conf:4: warning: nothing reads 'max-coun' in ignorecache; did you mean "
		"'max-count'?\n");
	fixture_bad("ignorecache = key=\"<ip>\", max-count=0",
		"jail.conf:4: error: max-count = '0' is not a whole number from 1 to 1000000: "
		"write "
		"one\n");
	fixture_bad("bantime.maxtime = long", "jail.conf:4: error: bantime.maxtime = 'long' is not "
					      "a time: write seconds, or such "
					      "as '10m', '1h 30m', '1w', or '-1' for ever\n");
	fixture_bad("maxmatches = -1", "jail.conf:4: error: maxmatches = '-1' is not a whole "
				       "number from 0 to 1000000: write one\n");
	fixture_bad("backend = systemd[x",
		"jail.conf:4: error: backend 'systemd[x': an option reads NAME=VALUE; write 'NAME' "
		"or 'NAME[opt=value, opt2=\"a, b\"]'\n");
}

static void actions(void **state)
{
	struct fixture f;

	(void)state;
	fixture_bad("action = iptables-mutliport[port=ssh]",
		"jail.conf:4: error: action 'iptables-mutliport' is unknown: there is no "
		"action.d/iptables-mutliport.conf; did you mean 'iptables-multiport'?\n");
	fixture_bad("banaction = stokade",
		"jail.conf:4: error: action 'stokade' is unknown: there "
		"is no action.d/stokade.conf; did you mean 'stockade'?\n");
	fixture_bad("action = iptables\n  nobody.py[a=b]",
		"jail.conf:5: error: action 'nobody.py' is "
		"unknown: there is no action.d/nobody.py\n");
	/* Passed on by a default, a value is wrong where the jail has it. */
	fixture_bad("banaction = stokade\naction = %(banaction)s[name=x]",
		"jail.conf:4: error: action 'stokade' is unknown: there "
		"is no action.d/stokade.conf; did you mean 'stockade'?\n");
	fixture_bad("port = 80,0\nprotocol = ip\n"
		    "action = stockade[port=\"%(port)s\", protocol=\"%(protocol)s\"]",
		"jail.conf:5: error: protocol 'ip' is unknown: write 'tcp', 'udp' or 'all'\n"
		"jail.conf:4: error: port '0' is unknown: write a service's name, a "
		"number from 1 to 65535, a range such as '1000:2000', or 'all'\n");
	fixture_bad("limit = 5/minute",
		"jail.conf:4: warning: 'limit' is not done by this version: it changes nothing\n");
	fixture_init(&f);
	fixture_file(&f, "filter.d/x.conf", FILTER_X);
	fixture_file(&f, "action.d/a.conf",
		"[Definition]\nactonban = x\nactionban = <b> <ip>\nactionunban = %(no)s\n"
		"[Init]\nb = <c>\nc = <b>\n");
	fixture_file(&f, "action.d/b.py", "");
	fixture_file(&f, "jail.conf",
		"[DEFAULT]\nenabled = true\nlogpath = /l\nfilter = x\naction = a[b=\"<d>\", "
		"d=<b>]\n"
		"[x]\n[y]\naction = a\n[z]\naction = b.py[]\n  b.py[x=1]\n");
	assert_int_equal(fixture_load(&f), -EINVAL);
	if (strcmp(f.said,
		    "action.d/a.conf:2: warning: nothing reads the key 'actonban' in [Definition]; "
		    "did you mean 'actionban'?\n"
		    "jail.conf:5: error: tag '<b>' leads back to itself: write '<known/b>' for "
		    "what "
		    "it was before\n"
		    "action.d/a.conf:4: error: '%(no)s' is not defined anywhere: define 'no' in "
		    "this "
		    "section or in [DEFAULT]\n"
		    "jail.conf:5: warning: the action 'a' is not run by this version: who is "
		    "banned "
		    "is dropped in the kernel, and that is all\n"
		    "action.d/a.conf:7: error: tag '<b>' leads back to itself: write '<known/b>' "
		    "for "
		    "what it was before\n"
		    "jail.conf:10: warning: the action 'b.py' is not run by this version: who is "
		    "banned is dropped in the kernel, and that is all\n") != 0)
		fail_msg("%s", f.said);
	fixture_done(&f);
}

static void addresses(void **state)
{
	(void)state;
	fixture_bad("ignoreip = 10.0.0.0/33 1.2.3\n  a:b",
		"jail.conf:4: error: ignoreip: '10.0.0.0/33' is no address: write such as "
		"'192.0.2.1', '192.0.2.0/24' or '2001:db8::/32'\n"
		"jail.conf:4: error: ignoreip: '1.2.3' is no address: write such as '192.0.2.1', "
		"'192.0.2.0/24' or '2001:db8::/32'\n"
		"jail.conf:5: error: ignoreip: 'a:b' is no address: write such as '192.0.2.1', "
		"'192.0.2.0/24' or '2001:db8::/32'\n");
	fixture_bad("ignoreip = host",
		"jail.conf:4: warning: ignoreip: 'host' is taken for a host name: write it whole, "
		"such as 'host.example.org', or its addresses\n");
}

static void ports(void **state)
{
	(void)state;
	fixture_bad("port = sssh",
		"jail.conf:4: error: port 'sssh' is unknown: write a service's name, a number from "
		"1 to 65535, a range such as '1000:2000', or 'all'; did you mean 'ssh'?\n");
	fixture_bad("port = 70000",
		"jail.conf:4: error: port '70000' is unknown: write a service's name, a number "
		"from 1 to 65535, a range such as '1000:2000', or 'all'\n");
	fixture_bad("port = 9:8",
		"jail.conf:4: error: port '9:8' is unknown: write a service's name, "
		"a number from 1 to 65535, a range such as '1000:2000', or 'all'\n");
	fixture_bad("port = 0",
		"jail.conf:4: error: port '0' is unknown: write a service's name, a "
		"number from 1 to 65535, a range such as '1000:2000', or 'all'\n");
	fixture_bad("port = 22,, -5",
		"jail.conf:4: error: port '-5' is unknown: write a service's name, a number from 1 "
		"to 65535, a range such as '1000:2000', or 'all'\n");
	fixture_bad("port = ssh,2222 # mine",
		"jail.conf:4: error: port '#' is unknown: write a service's name, a number from 1 "
		"to 65535, a range such as '1000:2000', or 'all' (a comment behind a value begins "
		"with ';', not with '#')\n");
	fixture_bad("protocol = sctp",
		"jail.conf:4: error: protocol 'sctp' is unknown: write 'tcp', 'udp' or 'all'\n");
	fixture_bad("banaction = nftables[port=htp]",
		"jail.conf:4: error: port 'htp' is unknown: write a service's name, a number from "
		"1 to 65535, a range such as '1000:2000', or 'all'; did you mean 'http'?\n");
}

static void sources(void **state)
{
	(void)state;
	fixture_bad("source = journl", "jail.conf:4: error: source 'journl' is unknown: write some "
				       "of 'file', 'journal', 'syslog'; did you mean 'journal'?\n");
	fixture_bad("[y]\nenabled = 1\nfilter = x",
		"jail.conf:4: error: jail 'y' has no log to read: write 'logpath = /var/log/FILE' "
		"or 'source = journal'\n");
	fixture_bad("[y]\nenabled = 1\nfilter = x\nlogpath =",
		"jail.conf:4: error: jail 'y' has no log to read: write 'logpath = /var/log/FILE' "
		"or 'source = journal'\n");
	fixture_bad("[y]\nenabled = 1\nfilter = x\nlogpath = auth.log /l/../m",
		"jail.conf:7: error: logpath 'auth.log' does not begin at the root: write it "
		"whole, such as '/var/log/auth.log'\n");
	fixture_bad("[y]\nenabled = 1\nfilter = x\nlogpath = /l\n  ignoreip = 192.0.2.1 # us",
		"jail.conf:8: error: logpath 'ignoreip' does not begin at the root: write it "
		"whole, such as '/var/log/ignoreip' (a line that begins with a blank goes on the "
		"value above it)\n");
	fixture_bad("[y]\nenabled = 1\nfilter = x\nlogpath = /l # our log",
		"jail.conf:7: error: logpath '#' is no path (a comment behind a value begins with "
		"';', not with '#')\n");
	fixture_bad("[y]\nenabled = 1\nfilter = x\nlogpath = %(no)s",
		"jail.conf:7: error: '%(no)s' is not defined anywhere: define 'no' in this section "
		"or in [DEFAULT]\n");
}

static void filters(void **state)
{
	(void)state;
	fixture_bad("filter = y", "jail.conf:4: error: filter 'y' is unknown: there is no "
				  "filter.d/y.conf; did you mean 'x'?\n");
	fixture_bad("filter = ./nowhere/x", "jail.conf:4: error: the filter file './nowhere/x' "
					    "does not exist: correct its path\n");
	fixture_bad("filter =", "jail.conf:1: error: filter 'x' has no failregex, so it would "
				"never find anything: write 'failregex = REGEX' in the jail\n");
	fixture_bad("failregex =", "jail.conf:4: error: filter 'x' has no failregex, so it would "
				   "never find anything: write 'failregex = REGEX' in the jail\n");
	fixture_bad("[xy]\nenabled = on\nlogpath = /l",
		"jail.conf:4: error: jail 'xy' names no filter, and there is no filter.d/xy.conf: "
		"write 'filter = NAME' in it; did you mean [x]?\n");
}

static void specs(void **state)
{
	(void)state;
	fixture_bad("filter = x[", "jail.conf:4: error: filter 'x[': the ']' at the end is "
				   "missing; write 'NAME' or 'NAME[opt=value, opt2=\"a, b\"]'\n");
	fixture_bad("filter = x[a", "jail.conf:4: error: filter 'x[a': an option reads NAME=VALUE; "
				    "write 'NAME' or 'NAME[opt=value, opt2=\"a, b\"]'\n");
	fixture_bad("filter = x[a=b",
		"jail.conf:4: error: filter 'x[a=b': the ']' at the end is "
		"missing; write 'NAME' or 'NAME[opt=value, opt2=\"a, b\"]'\n");
	fixture_bad("filter = x[a=\"b]",
		"jail.conf:4: error: filter 'x[a=\"b]': a quote is not "
		"closed; write 'NAME' or 'NAME[opt=value, opt2=\"a, b\"]'\n");
	fixture_bad("filter = x[a=\"b\" c=d]",
		"jail.conf:4: error: filter 'x[a=\"b\" c=d]': a ',' belongs between two options; "
		"write 'NAME' or 'NAME[opt=value, opt2=\"a, b\"]'\n");
	fixture_bad("filter = x[a=b]c",
		"jail.conf:4: error: filter 'x[a=b]c': nothing may follow the "
		"']'; write 'NAME' or 'NAME[opt=value, opt2=\"a, b\"]'\n");
	fixture_bad("filter = [a=b]", "jail.conf:4: error: filter '[a=b]': the name is missing; "
				      "write 'NAME' or 'NAME[opt=value, opt2=\"a, b\"]'\n");
	fixture_bad("filter = x[a b=c]",
		"jail.conf:4: error: filter 'x[a b=c]': an option reads NAME=VALUE; write 'NAME' "
		"or 'NAME[opt=value, opt2=\"a, b\"]'\n");
	fixture_bad("banaction = iptables[type='allports",
		"jail.conf:4: error: action 'iptables[type='allports': a quote is not closed; "
		"write 'NAME' or 'NAME[opt=value, opt2=\"a, b\"]'\n");
}

static void names(void **state)
{
	(void)state;
	fixture_bad("a = %(no)s\nport = %(a)s",
		"jail.conf:4: error: '%(no)s' is not defined anywhere: "
		"define 'no' in this section or in [DEFAULT]\n");
	fixture_bad("port = 100% sure",
		"jail.conf:4: error: a single '%' in 'port': write '%%' for a percent sign\n");
	fixture_bad("port = %(no",
		"jail.conf:4: error: '%(' does not go on as it should: write '%(NAME)s'\n");
	fixture_bad("port = %()s",
		"jail.conf:4: error: '%(' does not go on as it should: write '%(NAME)s'\n");
	fixture_bad("port = %(a)",
		"jail.conf:4: error: '%(' does not go on as it should: write '%(NAME)s'\n");
	fixture_bad("port = %(port)s",
		"jail.conf:4: error: '%(port)s' leads back to itself: write "
		"'%(known/port)s' for what an earlier file or [DEFAULT] says\n");
	fixture_bad("a = %(b)s\nb = %(a)s\nport = %(a)s",
		"jail.conf:5: error: '%(a)s' leads back to itself: write '%(known/a)s' for what an "
		"earlier file or [DEFAULT] says\n");
	fixture_bad("port = %(maxretri)s\nmaxretry = 3",
		"jail.conf:4: error: '%(maxretri)s' is not defined anywhere: define 'maxretri' in "
		"this section or in [DEFAULT]; did you mean 'maxretry'?\n");
	fixture_bad("port = %(known/port)s",
		"jail.conf:4: error: '%(known/port)s': neither an earlier "
		"file nor [DEFAULT] sets 'port': write its value out\n");
	fixture_bad("port = %(other/port)s",
		"jail.conf:4: error: '%(other/port)s': there is no such section, or neither it nor "
		"[DEFAULT] sets 'port': define it there\n");
}

static void keys(void **state)
{
	(void)state;
	fixture_bad("maxretri = 3", "jail.conf:4: warning: nothing reads the key 'maxretri' in "
				    "[x]; did you mean 'maxretry'?\n");
	fixture_bad("nonsense = 3", "jail.conf:4: warning: nothing reads the key 'nonsense' in "
				    "[x]: remove it, or put '#' before it\n");
	fixture_bad("MaxRetry = 3\nmaxretry = 4",
		"jail.conf:5: warning: 'maxretry' is set twice in [x], first in line 4, and the "
		"later one counts: remove one of them\n");
	fixture_bad("bantime.incremnt = true",
		"jail.conf:4: warning: nothing reads the key 'bantime.incremnt' in [x]; did you "
		"mean 'bantime.increment'?\n");
}

static void lines(void **state)
{
	(void)state;
	fixture_bad("just words", "jail.conf:4: error: 'just words' is neither 'NAME = VALUE' nor "
				  "'[SECTION]': write one of these, indent the line if it goes on "
				  "the value above, or put '#' before it\n");
	fixture_bad("= 3",
		"jail.conf:4: error: no option's name stands before '=': write 'NAME = VALUE'\n");
	fixture_bad(": 3",
		"jail.conf:4: error: no option's name stands before ':': write 'NAME = VALUE'\n");
	fixture_bad("[unclosed",
		"jail.conf:4: error: the section's name is not closed: write '[unclosed]'\n");
	fixture_bad("[unclosed\nmaxretry = 1\nfilter = x",
		"jail.conf:4: error: the section's name is not closed: write '[unclosed]'\n");
	fixture_bad("[]",
		"jail.conf:4: error: the section has no name: write one between '[' and ']'\n");
}

static void jails(void **state)
{
	(void)state;
	fixture_bad("[y]\nfilter = x\n[x]\nmaxretry = 3",
		"jail.conf:6: warning: two jails of this file are named [x], the first in line 1, "
		"and they are read as one: join or rename them\n");
	fixture_bad("mode = aggresive\nfilter = y[mode=%(mode)s]\n[y]",
		"jail.conf:5: error: filter 'y' is unknown: there is no filter.d/y.conf; did you "
		"mean 'x'?\n");
	fixture_bad("[ssdh]\nenabled = true\nlogpath = /l\n[sshd]\nfilter = x",
		"jail.conf:4: error: jail 'ssdh' names no filter, and there is no "
		"filter.d/ssdh.conf: write 'filter = NAME' in it; did you mean [sshd]?\n");
	fixture_bad("[default]\nenabled = true\nlogpath = /l",
		"jail.conf:4: error: jail 'default' names no filter, and there is no "
		"filter.d/default.conf: write 'filter = NAME' in it; did you mean [DEFAULT]?\n");
	fixture_bad("[a/b]\nenabled = 1",
		"jail.conf:4: error: the jail's name 'a/b' holds '/', control characters or broken "
		"UTF-8: write letters, digits, '-', '_'\n");
	fixture_bad("[a\tb]\nenabled = 1",
		"jail.conf:4: error: the jail's name 'a\\x09b' holds '/', control characters or "
		"broken UTF-8: write letters, digits, '-', '_'\n");
	fixture_bad(
		"[nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn]\nenabled = 1",
		"jail.conf:4: error: the jail's name is longer than 64 bytes: write a shorter "
		"one\n");
	fixture_bad("action = iptables[blocktype=RETURN]\nshadow = false",
		"jail.conf:4: warning: jail 'x' lets in whom it finds (blocktype = RETURN), which "
		"is not done here: it decides and logs, and nothing is enforced\n");
}

/* Reading for faults: what is not in use as well. */
static void disabled(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_file(&f, "filter.d/x.conf", FILTER_X);
	fixture_file(&f, "filter.d/y.conf", "[Definition]\nfailregex = %(n)s\n");
	fixture_file(&f, "jail.conf",
		"[DEFAULT]\nlogpath = %(places/dir)s/l\nmaxretry = z\n[x]\n[y]\n[places]\n"
		"dir = /d\n[z]\nmaxretry = 0\nfilter = x\n[xx]\nmaxretry = 3\n"
		"[u]\nfilter = x\nmaxretry = 1\n");
	fixture_file(&f, "filter.d/unused.conf", "failregex = ^x <HOST>$\n");
	fixture_file(&f, "jail.d/a.cfg", "[x]\nenabled = true\n");
	fixture_file(&f, "jail.d/README", "Words.\n");
	fixture_file(&f, "jail.d/b.conf~", "[x]\nenabled = true\n");
	assert_int_equal(ruleset_read(&f.rs, f.dir, NULL, true, &f.faults), 0);
	fixture_tell(&f);
	if (strcmp(f.said,
		    "jail.d/a.cfg: warning: the file is not read, only such as end in '.conf' or "
		    "'.local' are: rename or remove it\n"
		    ": warning: no jail is enabled, so nobody will ever be banned: write 'enabled "
		    "= "
		    "true' under the jails that you want, in jail.local\n"
		    "jail.conf:3: warning: maxretry = 'z' is not a whole number from 1 to 1000000: "
		    "write one\n"
		    "filter.d/y.conf:2: warning: '%(n)s' is not defined anywhere: define 'n' in "
		    "this "
		    "section or in [DEFAULT]\n"
		    "jail.conf:9: warning: maxretry = '0' is not a whole number from 1 to 1000000: "
		    "write one\n"
		    "jail.conf:11: warning: jail 'xx' names no filter, and there is no "
		    "filter.d/xx.conf: write 'filter = NAME' in it; did you mean [x]?\n"
		    "filter.d/unused.conf:1: warning: option 'failregex' stands before any "
		    "section: "
		    "put '[Definition]' on a line above it\n") != 0)
		fail_msg("%s", f.said);
	assert_int_equal(f.rs->n_jails, 0);
	assert_int_equal(f.rs->n_disabled, 3);
	assert_string_equal(f.rs->disabled[2].name, "u");
	fixture_done(&f);
}

/* A faulty default is told once, however many jails have it; faults of all files come at once. */
static void all_at_once(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_file(&f, "filter.d/x.conf", "failregex = a\n[Definition]\nfailregex = %(n)s\n");
	fixture_file(&f, "jail.conf",
		"[DEFAULT]\nenabled = true\nmaxretry = x\nlogpath = l\nfilter = "
		"x\n[a]\n[b]\n[c]\n");
	fixture_file(&f, "stockade.conf", "[Definition]\nloglevel = LOUD\n");
	assert_int_equal(fixture_load(&f), -EINVAL);
	assert_null(f.rs);
	assert_string_equal(f.said,
		"stockade.conf:2: error: loglevel 'LOUD' is unknown: write CRITICAL, ERROR, "
		"WARNING, "
		"NOTICE, INFO or DEBUG\n"
		"filter.d/x.conf:1: error: option 'failregex' stands before any section: put "
		"'[Definition]' on a line above it\n"
		"filter.d/x.conf:3: error: '%(n)s' is not defined anywhere: define 'n' in this "
		"section "
		"or in [DEFAULT]\n"
		"jail.conf:4: error: logpath 'l' does not begin at the root: write it whole, such "
		"as "
		"'/var/log/l'\n"
		"jail.conf:3: error: maxretry = 'x' is not a whole number from 1 to 1000000: write "
		"one\n");
	assert_int_equal(f.faults.n_errors, 5);
	fixture_done(&f);
}

/* One file of that name beside a good jail x; what is said about it. */
static void file_says(const char *name, const char *data, size_t len, const char *said)
{
	struct fixture f;

	fixture_init(&f);
	fixture_file(&f, "filter.d/x.conf", FILTER_X);
	fixture_file(&f, "jail.conf", "[x]\nenabled = true\nlogpath = /l\n");
	fixture_bytes(&f, name, data, len);
	fixture_load(&f);
	if (strcmp(f.said, said) != 0)
		fail_msg("%s said:\n%swanted:\n%s", name, f.said, said);
	fixture_done(&f);
}

static void text_says(const char *name, const char *text, const char *said)
{
	file_says(name, text, strlen(text), said);
}

static void files(void **state)
{
	static char large[(4 << 20) + 1];
	struct fixture f;
	char path[128];

	(void)state;
	file_says("jail.local", "[x]\nma\0xretry = 3\n?\n", 19,
		"jail.local:2: error: a NUL byte stands here: a configuration file holds text "
		"only; "
		"the rest of it was not read\n");
	memset(large, '#', sizeof(large));
	file_says("jail.local", large, sizeof(large),
		"jail.local: error: the file is larger than 4 MiB, no configuration is: split or "
		"remove it\n");
	file_says("jail.local", large, sizeof(large) - 1, "");
	text_says("jail.local/x", "",
		"jail.local: error: a directory stands where a configuration file should: remove "
		"or "
		"rename it\n");
	text_says("jail.local", "a = 1\n  b\nc = 2\n",
		"jail.local:1: error: option 'a' stands before any section: put '[DEFAULT]' on a "
		"line "
		"above it\n");
	fixture_init(&f);
	fixture_file(&f, "jail.conf", "[DEFAULT]\n");
	snprintf(path, sizeof(path), "%s/jail.local", f.dir);
	assert_int_equal(symlink("jail.local", path), 0);
	fixture_file(&f, "jail.d/a.conf/b", "");
	snprintf(path, sizeof(path), "%s/jail.d/b.conf", f.dir);
	assert_int_equal(symlink("nowhere", path), 0);
	snprintf(path, sizeof(path), "%s/jail.d/c.conf", f.dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(fixture_load(&f), -EINVAL);
	assert_string_equal(f.said,
		"jail.d/a.conf: error: a directory stands where a configuration file should: "
		"remove or "
		"rename it\n"
		"jail.d/b.conf: warning: the link leads nowhere: mend or remove it\n"
		"jail.d/c.conf: error: something that is not a file stands where a configuration "
		"file "
		"should: remove or rename it\n"
		"jail.local: error: the file cannot be read: Too many levels of symbolic links\n");
	fixture_done(&f);
}

static void directories(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	assert_int_equal(fixture_load(&f), -EINVAL);
	assert_string_equal(f.said,
		": error: there is no jail.conf here: write the configuration's directory after "
		"'-c'\n");
	fixture_done(&f);
	fixture_init(&f);
	fixture_file(&f, "jail.conf", "");
	strcat(f.dir, "/no");
	assert_int_equal(fixture_load(&f), -EINVAL);
	assert_string_equal(f.said, ": error: the configuration directory cannot be read: No such "
				    "file or directory; write another after '-c'\n");
	free(f.said);
	faults_done(&f.faults);
	strcpy(strrchr(f.dir, '/'), "/jail.conf");
	assert_int_equal(fixture_load(&f), -EINVAL);
	assert_string_equal(f.said, ": error: not a directory: write the configuration's directory "
				    "after '-c', not a file of it\n");
	*strrchr(f.dir, '/') = '\0';
	fixture_done(&f);
}

/* Noise is given up on, and does no harm. */
static void garbage(void **state)
{
	unsigned seed = 3;
	char data[60000];
	struct fixture f;

	(void)state;
	for (unsigned round = 0; round < 20; round++) {
		fixture_init(&f);
		for (size_t i = 0; i < sizeof(data); i++)
			data[i] = (char)(1 + rand_r(&seed) % 255);
		fixture_bytes(&f, "jail.conf", data, sizeof(data));
		assert_int_equal(fixture_load(&f), -EINVAL);
		assert_in_range(f.faults.n, 1, 40);
		fixture_done(&f);
	}
	memset(data, 'a', sizeof(data));
	for (size_t i = 1; i < sizeof(data); i += 2)
		data[i] = '\n';
	fixture_init(&f);
	fixture_bytes(&f, "jail.conf", data, sizeof(data));
	assert_int_equal(fixture_load(&f), -EINVAL);
	assert_int_equal(f.faults.n, 21);
	assert_non_null(strstr(f.said, "jail.conf:20: error: 20 lines were not understood and the "
				       "rest was not read: is this a configuration file?\n"));
	fixture_done(&f);
}

static void includes(void **state)
{
	struct fixture f;

	(void)state;
	text_says("jail.local", "[INCLUDES]\nbefore = none.conf\n         none.local\n",
		"jail.local:2: warning: the included file 'none.conf' does not exist: correct the "
		"name "
		"or remove the line\n");
	text_says("jail.local", "[INCLUDES]\nbefore = %(x)s\n",
		"jail.local:2: error: '%(x)s' is not defined anywhere: define 'x' in this section "
		"or in "
		"[DEFAULT]\n");
	text_says("jail.local", "[INCLUDES]\nafter = jail.local\n",
		"jail.local:2: warning: include loop: 'jail.local' is being read already; remove "
		"one of "
		"the two includes\n");
	fixture_init(&f);
	fixture_file(&f, "jail.conf", "[INCLUDES]\nbefore = 1.conf\n[x]\n");
	fixture_file(&f, "1.conf", "[INCLUDES]\nafter = 2.conf\n");
	fixture_file(&f, "2.conf", "[INCLUDES]\nbefore = jail.conf\n");
	assert_int_equal(fixture_load(&f), 0);
	assert_string_equal(f.said, "2.conf:2: warning: include loop: 'jail.conf' is being read "
				    "already; remove one of the two includes\n");
	fixture_done(&f);
	fixture_init(&f);
	fixture_file(&f, "jail.conf", "[INCLUDES]\nbefore = 00.conf\n");
	for (unsigned i = 0; i < 20; i++) {
		char name[16], text[64];

		snprintf(name, sizeof(name), "%02u.conf", i);
		/* Twice each: a tree of a million leaves, were it followed. */
		snprintf(text, sizeof(text), "[INCLUDES]\nbefore = %02u.conf\n  ./%02u.conf\n",
			i + 1, i + 1);
		fixture_file(&f, name, text);
	}
	assert_int_equal(fixture_load(&f), -EINVAL);
	assert_non_null(strstr(f.said, "includes go more than 16 files deep: flatten them\n"));
	assert_non_null(
		strstr(f.said, "more than 1000 files are included: the rest was not read\n"));
	fixture_done(&f);
}

static void filter_faults(const char *text, const char *spec, const char *said)
{
	struct arena *arena = arena_new();
	struct filter_def *def = NULL;
	struct fixture f;

	fixture_init(&f);
	fixture_file(&f, "filter.d/f.conf", text);
	ruleset_load_filter(&def, arena, f.dir, spec, &f.faults);
	assert_int_equal(def == NULL, f.faults.n_errors > 0);
	fixture_tell(&f);
	if (strcmp(f.said, said) != 0)
		fail_msg("for:\n%s\nsaid:\n%swanted:\n%s", text, f.said, said);
	arena_free(arena);
	fixture_done(&f);
}

static void tags(void **state)
{
	(void)state;
	filter_faults("[Definition]\nfailregex = a<b>\nb = <c>\nc = <b>\n", "f",
		"filter.d/f.conf:4: error: tag '<b>' leads back to itself: write '<known/b>' for "
		"what "
		"it was before\n");
	filter_faults("[Definition]\nfailregex = <failregex>\n", "f",
		"filter.d/f.conf:2: error: tag '<failregex>' leads back to itself: write "
		"'<known/failregex>' for what it was before\n");
	filter_faults("[Definition]\nfailregex = a\n <re-<mode>>\nre-normal = b\n", "f[mode=norml]",
		"warning: filter 'f' has no mode 'norml' (no value for '<re-norml>'): write "
		"'normal'\n");
	filter_faults("[Definition]\nfailregex = a <b>\n c <host> <NONE> \\<x>\n", "f",
		"filter.d/f.conf:2: warning: tag '<b>' has no value, so it stands for itself (if "
		"that is meant, write '\\<')\n"
		"filter.d/f.conf:3: warning: tag '<host>' has no value, so it stands for itself; "
		"did "
		"you mean 'HOST'?\n");
	filter_faults("[Definition]\nfailregex = a\n b <x>\nx = 1\n[Defnition]\nmaxlines = 2\n",
		"f[y=1, X=2, maxlines=2]",
		"warning: filter 'f' has no option 'y', so it changes nothing; did you mean "
		"'x'?\n"
		"filter.d/f.conf:5: warning: nothing reads the section [Defnition]; did you mean "
		"[Definition]?\n");
	filter_faults("[Definition]\nfailregex = a\n[Init]\nx = 1\n[Init]\ny = <x><y>\n", "f",
		"filter.d/f.conf:5: warning: the section [Init] stands here a second time, after "
		"line "
		"3, and the two are read as one: join them\n");
	filter_faults("[Definition]\nfailregex = a\nignorergex = b\n", "f",
		"filter.d/f.conf:3: warning: nothing reads the key 'ignorergex' in [Definition]; "
		"did "
		"you mean 'ignoreregex'?\n");
	filter_faults("[Definition]\nfailregex = a\nmaxlines = many\n", "f",
		"filter.d/f.conf:3: error: maxlines = 'many' is not a whole number from 1 to 1000: "
		"write one\n");
	/* One fault is told once. */
	filter_faults("failregex = a\n", "f",
		"filter.d/f.conf:1: error: option 'failregex' stands before any section: put "
		"'[Definition]' on a line above it\n");
	filter_faults("[Definition]\nfailregx = a\n", "f",
		"filter.d/f.conf:2: error: filter 'f' has no failregex, but 'failregx': did you "
		"mean "
		"'failregex'?\n");
	filter_faults("# x\n[Defnition]\nfailregex = a\n", "f",
		"filter.d/f.conf:2: error: nothing reads the section [Defnition], so filter 'f' "
		"has "
		"no failregex: write [Definition]\n");
	filter_faults("[Definition]\nfailregex =\n", "f",
		"filter.d/f.conf:2: error: filter 'f' has no failregex, so it would never find "
		"anything: write 'failregex = REGEX' in the filter's [Definition]\n");
	filter_faults("", "f",
		"error: filter 'f' has no failregex, so it would never find anything: write "
		"'failregex "
		"= REGEX' in the filter's [Definition]\n");
	filter_faults("", "g",
		"error: filter 'g' is unknown: there is no filter.d/g.conf; did you "
		"mean 'f'?\n");
	filter_faults("", "f[",
		"error: filter 'f[': the ']' at the end is missing; write 'NAME' or "
		"'NAME[opt=value, opt2=\"a, b\"]'\n");
}

/* Values that double with every level, and ones that go too deep: an end is put to them. */
static void growth(void **state)
{
	char percent[8192] = "[Definition]\n", tag[8192] = "[Definition]\n",
	     empty[8192] = "[Definition]\n";
	char deep[8192] = "[Definition]\n";

	(void)state;
	for (unsigned i = 0; i < 30; i++) {
		char *const end = percent + strlen(percent);

		sprintf(end, "k%u = %%(k%u)s%%(k%u)s\n", i, i + 1, i + 1);
		sprintf(tag + strlen(tag), "k%u = <k%u><k%u>\n", i, i + 1, i + 1);
		sprintf(empty + strlen(empty), "k%u = <k%u>\n  <k%u>\n", i, i + 1, i + 1);
	}
	for (unsigned i = 0; i < 40; i++)
		sprintf(deep + strlen(deep), "k%u = <k%u>\n", i, i + 1);
	strcat(percent, "k30 = abc\nfailregex = %(k0)s\n");
	strcat(tag, "k30 = abc\nfailregex = <k0>\n");
	strcat(empty, "k30 =\nfailregex = <k0>\n");
	strcat(deep, "k40 = abc\nfailregex = <k0>\n");
	filter_faults(percent, "f",
		"filter.d/f.conf:32: error: 'k30' grows without end when its parts are put in: "
		"make it "
		"shorter\n");
	filter_faults(tag, "f",
		"filter.d/f.conf:32: error: tag '<k30>' grows without end: make it shorter\n");
	filter_faults(empty, "f",
		"filter.d/f.conf:62: error: tag '<k30>' grows without end: make it shorter\n");
	filter_faults(deep, "f",
		"filter.d/f.conf:34: error: tag '<k32>' is put together over more than 32 levels: "
		"make "
		"it flatter\n");
}

static void settings_say(const char *line, const char *said)
{
	char text[512];

	snprintf(text, sizeof(text), "[Definition]\n%s\n", line);
	text_says("stockade.conf", text, said);
}

static void settings(void **state)
{
	static const char *const sizes[] = {"999999", "999K", "0", "", "M", "-64M", "64 M", "64MB",
		"6.4M", "65G", "99999999999", "99999999999999999999M", "64T"};

	(void)state;
	settings_say("loglevel = inf",
		"stockade.conf:2: error: loglevel 'inf' is unknown: write "
		"CRITICAL, ERROR, WARNING, NOTICE, INFO or DEBUG; did you mean "
		"'INFO'?\n");
	settings_say("logtarget = stdout.log",
		"stockade.conf:2: error: logtarget 'stdout.log' is neither a target nor a path "
		"from the "
		"root: write STDERR, STDOUT, SYSLOG, SYSTEMD-JOURNAL or such as "
		"'/var/log/stockade.log'\n");
	settings_say("syslogsocket = log", "stockade.conf:2: error: syslogsocket 'log' is no path "
					   "from the root: write 'auto' or such as '/dev/log'\n");
	settings_say("user = a b",
		"stockade.conf:2: error: user 'a b' is no user's name: write such "
		"as 'stockade'\n");
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char line[64], said[200];

		snprintf(line, sizeof(line), "memory = %s", sizes[i]);
		snprintf(said, sizeof(said),
			"stockade.conf:2: error: memory = '%s' is no size from 1M to 64G: write "
			"such as '64M'\n",
			sizes[i]);
		settings_say(line, sizes[i][0] != '\0' ? said : "");
	}
	settings_say("dbpurgeage = -1",
		"stockade.conf:2: error: dbpurgeage = '-1' is too short: write at least '0s'\n");
	settings_say("allow = everyone",
		"stockade.conf:2: warning: allow: 'everyone' is taken for a host name: write it "
		"whole, such as 'host.example.org', or its addresses\n");
	settings_say("logtarge = STDERR",
		"stockade.conf:2: warning: nothing reads the key 'logtarge' "
		"in [Definition]; did you mean 'logtarget'?\n");
	settings_say("[sysslog]\nlisten = udp://127.0.0.1:1",
		"stockade.conf:2: warning: nothing reads the section [sysslog]; did you mean "
		"'syslog'?\n");
}

static void bad_listen(const char *url, const char *shown, const char *why)
{
	char text[128], said[400];

	snprintf(text, sizeof(text), "[syslog]\nlisten = %s\n", url);
	snprintf(said, sizeof(said),
		"stockade.conf:2: error: listen '%s' %s: write udp://, tcp:// or tls:// "
		"and ADDRESS:PORT, such as 'udp://127.0.0.1:5514' or 'tcp://[::1]:5514', "
		"or a path, such as 'unix:///run/stockade/log'\n",
		shown, why);
	text_says("stockade.conf", text, said);
}

static void listen_addresses(void **state)
{
	static const char port[] = "ends with no port from 1 to 65535",
			  addr[] = "has no address before the port, and names are not looked up",
			  bare[] = "has an IPv6 address without brackets around it",
			  path[] = "has no path from the root",
			  scheme[] = "does not begin with any of these";
	static const struct {
		const char *url, *why;
	} bad[] = {{"tcp://127.0.0.1", port}, {"udp://127.0.0.1", port}, {"udp://127.0.0.1:", port},
		{"udp://127.0.0.1:0", port}, {"udp://127.0.0.1:65536", port}, {"udp://:1", addr},
		{"udp://::1:1", bare}, {"udp://[::1]", port}, {"udp://localhost:1", addr},
		{"127.0.0.1:1", scheme}, {"udp://127.0.0.1:1x", port}, {"udp:/", scheme},
		{"udp://", port}, {"unix://", path}, {"unix:///", path}, {"unix://log", path},
		{"unix-stream://log", path}, {"file:///log", scheme},
		{"unix-dgram:///log", scheme}};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		bad_listen(bad[i].url, bad[i].url, bad[i].why);
	bad_listen("unix:///l\xf6g", "unix:///l\\xf6g", "has a path that is no UTF-8");
}

static void tls(void **state)
{
	static const char url[] = "[syslog]\nlisten = tls://127.0.0.1:6514\n";
	char text[256];

	(void)state;
	text_says("stockade.conf", url,
		"stockade.conf:2: error: 'tls://127.0.0.1:6514' needs a certificate: write "
		"'certificate = /etc/stockade/cert.pem' and 'key = /etc/stockade/key.pem' below "
		"[syslog]\n");
	snprintf(text, sizeof(text), "%scertificate = /c\n", url);
	text_says("stockade.conf", text,
		"stockade.conf:2: error: 'tls://127.0.0.1:6514' needs the key of its certificate: "
		"write 'key = /etc/stockade/key.pem' below [syslog]\n");
	snprintf(text, sizeof(text), "%scertificate = c.pem\nkey = /k\n", url);
	text_says("stockade.conf", text,
		"stockade.conf:3: error: certificate 'c.pem' is no path from the root: write such "
		"as '/etc/stockade/certificate.pem'\n");
	snprintf(text, sizeof(text), "%scertificate = /c\nkey = /k\npeers = web1\n", url);
	text_says("stockade.conf", text,
		"stockade.conf:5: error: peers names whom a client's certificate is for, and "
		"nobody vouches for that: write 'ca = /etc/stockade/ca.pem' below [syslog]\n");
	snprintf(text, sizeof(text), "%scertificate = /c\nkey = /k\npeers = sha256:AB:CD\n", url);
	text_says("stockade.conf", text,
		"stockade.conf:5: error: peers: 'sha256:AB:CD' is no fingerprint: write 'sha256:' "
		"and 64 hexadecimal digits, as 'openssl x509 -noout -fingerprint -sha256 -in FILE' "
		"shows them\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(options),
		cmocka_unit_test(actions),
		cmocka_unit_test(addresses),
		cmocka_unit_test(ports),
		cmocka_unit_test(sources),
		cmocka_unit_test(filters),
		cmocka_unit_test(specs),
		cmocka_unit_test(names),
		cmocka_unit_test(keys),
		cmocka_unit_test(lines),
		cmocka_unit_test(jails),
		cmocka_unit_test(disabled),
		cmocka_unit_test(all_at_once),
		cmocka_unit_test(files),
		cmocka_unit_test(directories),
		cmocka_unit_test(garbage),
		cmocka_unit_test(includes),
		cmocka_unit_test(tags),
		cmocka_unit_test(growth),
		cmocka_unit_test(settings),
		cmocka_unit_test(listen_addresses),
		cmocka_unit_test(tls),
	};

	return cmocka_run_group_tests_name("config_faults", tests, NULL, NULL);
}
