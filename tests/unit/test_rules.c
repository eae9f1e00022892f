/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config_fixture.h"

#include "base/util.h"
#include "match/filter.h"

/* What the seed of all this had. */
#define SSH                                                                                        \
	"[failed ssh user] 12h\n"                                                                  \
	"^sshd\\[\\d+\\]: Failed password for \\w+ from {IP_NUMBER}\n"

/* A jail "x" with these lines, of a rules file of that text. */
static void make(struct fixture *f, const char *rules, const char *jail)
{
	char text[1024];

	fixture_init(f);
	fixture_file(f, "rules", rules);
	snprintf(text, sizeof(text),
		"[x]\nenabled = true\nsource = syslog\nrules = %%(fail2ban_confpath)s/rules\n%s",
		jail);
	fixture_file(f, "jail.conf", text);
}

static void says(const char *rules, const char *jail, const char *said)
{
	struct fixture f;

	make(&f, rules, jail);
	fixture_load(&f);
	if (strcmp(f.said, said) != 0)
		fail_msg("for:\n%s%s\nsaid:\n%swanted:\n%s", rules, jail, f.said, said);
	fixture_done(&f);
}

static const struct jail *loaded(struct fixture *f, const char *rules, const char *jail)
{
	make(f, rules, jail);
	if (fixture_load(f) != 0 || f->said[0] != '\0')
		fail_msg("%s: %s", rules, f->said);
	assert_int_equal(f->rs->n_jails, 1);
	return &f->rs->jails[0];
}

static void read_well(void **state)
{
	struct fixture f;
	const struct jail *j = loaded(&f,
		"\xef\xbb\xbf# a comment\n"
		"; another\r\n"
		"\n"
		"  [ my own user ]   5m # fat fingers\r\n"
		"\t^sshd: for me from {IP_NUMBER}\r\n" SSH "^b {IP_NUMBER} #;\n"
		"[no time]\n{IP_NUMBER}\n"
		"[seconds] 90 ; so many\n1{IP_NUMBER}\n"
		"[s] 1s\n2{IP_NUMBER}\n[d] 2d\n3{IP_NUMBER}\n[w] 3w\n4{IP_NUMBER}",
		"");
	static const struct {
		const char *regex, *title;
		int64_t sec;
		unsigned line;
	} wanted[] = {
		{"^sshd: for me from {IP_NUMBER}", "my own user", 300, 5},
		{"^sshd\\[\\d+\\]: Failed password for \\w+ from {IP_NUMBER}", "failed ssh user",
			43200, 7},
		{"^b {IP_NUMBER} #;", "failed ssh user", 43200, 8},
		{"{IP_NUMBER}", "no time", 0, 10},
		{"1{IP_NUMBER}", "seconds", 90, 12},
		{"2{IP_NUMBER}", "s", 1, 14},
		{"3{IP_NUMBER}", "d", 2 * 86400, 16},
		{"4{IP_NUMBER}", "w", 3 * 7 * 86400, 18},
	};
	size_t n = sizeof(wanted) / sizeof(wanted[0]);

	(void)state;
	assert_int_equal(j->filter->n_failregex, n);
	for (size_t i = 0; i < n; i++) {
		assert_string_equal(j->filter->failregex[i].text, wanted[i].regex);
		assert_int_equal(j->filter->failregex[i].where.line, wanted[i].line);
		assert_string_equal(j->filter->heads[i]->title, wanted[i].title);
		assert_int_equal(j->filter->heads[i]->bantime_sec, wanted[i].sec);
	}
	fixture_done(&f);
}

static void jail_of_them(void **state)
{
	struct fixture f;
	const struct jail *j = loaded(&f, SSH, "");

	(void)state;
	assert_int_equal(j->maxretry, 1);
	assert_int_equal(j->findtime_sec, 60);
	assert_int_equal(j->bantime_sec, 600);
	assert_int_equal(j->protocols, PROTO_ALL);
	assert_int_equal(j->n_ports, 0);
	assert_int_equal(j->usedns, USEDNS_NO);
	fixture_done(&f);
	/* What stands in [DEFAULT] is meant for others, but for the time. */
	j = loaded(&f, SSH,
		"[DEFAULT]\nmaxretry = 5\nfindtime = 1d\nport = 22\nprotocol = tcp\n"
		"bantime = 3h\nusedns = yes\n");
	assert_int_equal(j->maxretry, 1);
	assert_int_equal(j->findtime_sec, 60);
	assert_int_equal(j->bantime_sec, 3 * 3600);
	assert_int_equal(j->protocols, PROTO_ALL);
	assert_int_equal(j->n_ports, 0);
	assert_int_equal(j->usedns, USEDNS_NO);
	fixture_done(&f);
	/* They see the message's text from its tag on, or that alone. */
	j = loaded(&f, SSH, "");
	assert_string_equal(j->filter->datepattern.text, "{^LN-BEG}");
	assert_non_null(j->filter->prefregex.text);
	fixture_done(&f);
	j = loaded(&f, SSH, "syslogtext = message\nprogram = web\n");
	assert_string_equal(j->filter->datepattern.text, "{NONE}");
	assert_null(j->filter->prefregex.text);
	fixture_done(&f);
	/* What the jail says is meant. */
	j = loaded(&f, SSH, "maxretry = 2\nfindtime = 1h\nport = 22\nignorecountry = dk, SE\n");
	assert_int_equal(j->maxretry, 2);
	assert_int_equal(j->findtime_sec, 3600);
	assert_int_equal(j->protocols, PROTO_TCP);
	assert_int_equal(j->n_ports, 1);
	assert_int_equal(j->n_countries, 2);
	assert_string_equal(j->countries[0].code, "DK");
	assert_string_equal(j->countries[1].code, "SE");
	fixture_done(&f);
}

static void faults(void **state)
{
	char text[8192];

	(void)state;
	says("^x {IP_NUMBER}\n^y {IP_NUMBER}\n[a]\n^z {IP_NUMBER}\n", "",
		"rules:1: error: the regex '^x {IP_NUMBER}' stands before any title: put such as "
		"'[failed login] 12h' on a line above it\n");
	says("[a] 12x\n^x {IP_NUMBER}\n", "",
		"rules:1: error: '12x' behind the title is no time: write a number from 1 with s, "
		"m, h, d or w behind it, such as '12h', or nothing for the default time\n");
	says("[a] 0h # none\n^x {IP_NUMBER}\n[b] 99999999999999999999w\n^x {IP_NUMBER}\n[c] "
	     "5h5m\n^x {IP_NUMBER}\n",
		"",
		"rules:1: error: '0h' behind the title is no time: write a number from 1 with s, "
		"m, h, d or w behind it, such as '12h', or nothing for the default time\n"
		"rules:3: error: '99999999999999999999w' behind the title is no time: write a "
		"number from 1 with s, m, h, d or w behind it, such as '12h', or nothing for the "
		"default time\n"
		"rules:5: error: '5h5m' behind the title is no time: write a number from 1 with "
		"s, m, h, d or w behind it, such as '12h', or nothing for the default time\n");
	says("[a]\n^x {IP_NUMBER}\n[ab]+ {IP_NUMBER}\n", "",
		"rules:3: error: '+ {IP_NUMBER}' behind the title is no time: write a number from "
		"1 with s, m, h, d or w behind it, such as '12h', or nothing for the default "
		"time. If the line is a regex: one that begins with '[' has to stand in '(?:' and "
		"')'\n"
		"rules:3: warning: the rule 'ab' has no regex, so it never finds anything: write "
		"one on the line below\n");
	says("[a]\n^x <HOST>\n", "",
		"rules:2: error: nothing in the regex '^x <HOST>' says who it was: put {IP_NUMBER} "
		"where the address stands\n");
	says("[a\n^x {IP_NUMBER}\n[]\n^x {IP_NUMBER}\n[a\tb]\n^x {IP_NUMBER}\n", "",
		"rules:1: error: the title is not closed: write '[a]', and the time\n"
		"rules:3: error: the rule has no title: write what it finds between '[' and ']', "
		"such as '[failed ssh user] 12h'\n"
		"rules:5: error: the title 'a\\x09b' holds control characters: write it without\n");
	says("[a]\n^\xff {IP_NUMBER}\n", "",
		"rules:2: error: '^\\xff {IP_NUMBER}' is no UTF-8: save the file as UTF-8\n");
	says("", "",
		"rules: error: there is no rule in it, so nobody would ever be blocked: write "
		"'[TITLE] 12h', and regexes with {IP_NUMBER} below it\n");
	says(SSH, "filter = x\n",
		"jail.conf:4: error: jail 'x' has rules beside a filter of its own: make two jails "
		"of it\n");
	says(SSH, "ignorecountry = Denmark\n",
		"jail.conf:5: error: ignorecountry: 'Denmark' is no country's code: write its two "
		"letters, such as 'DK' (ISO 3166)\n");
	memset(text, 'x', sizeof(text));
	memcpy(text, "[a]\n", 4);
	text[5000] = '\0';
	says(text, "", "rules:2: error: the line is longer than 4096 bytes: shorten it\n");
}

static void no_file(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_file(&f, "jail.conf",
		"[x]\nenabled = true\nsource = syslog\nrules = /no/such\n"
		"[y]\nenabled = true\nsource = syslog\nrules = some\n");
	assert_int_equal(fixture_load(&f), -EINVAL);
	assert_string_equal(f.said,
		"jail.conf:4: error: the rules file /no/such cannot be read: No such file or "
		"directory; correct its path\n"
		"jail.conf:8: error: rules = 'some' does not begin at the root: write the file's "
		"whole path\n");
	fixture_done(&f);
}

static void nul(void **state)
{
	static const char bytes[] = SSH "\0[b]\n";
	struct fixture f;

	(void)state;
	make(&f, "", "");
	fixture_bytes(&f, "rules", bytes, sizeof(bytes) - 1);
	fixture_load(&f);
	assert_string_equal(f.said,
		"rules:3: error: a NUL byte stands here: a rules file holds text only; the rest of "
		"it was not read\n");
	fixture_done(&f);
}

/* What the filter makes of a line whose date is out: the title, or NULL, and who it was. */
static void judges(struct filter *fl, const struct jail *j, const char *line, const char *title,
	const char *addr)
{
	char text[ADDR_STRLEN];
	struct match m;
	enum verdict v = filter_judge(fl, NULL, line, strlen(line), 0, &m);

	if ((v == VERDICT_MATCH) != (title != NULL))
		fail_msg("%s: %d", line, v);
	if (title == NULL)
		return;
	assert_string_equal(j->filter->heads[m.regex]->title, title);
	assert_true(m.has_addr);
	assert_string_equal(addr_format(&m.addr, text), addr);
}

static void first_match(void **state)
{
	struct fixture f;
	const struct jail *j = loaded(&f,
		"[mine] 5m\n^sshd\\[\\d+\\]: Failed password for me from {IP_NUMBER}\n" SSH
		"[probe] 1d\n{IP_NUMBER} 404 /phpMyAdmin\nclient {IP_NUMBER}:\\d+\n",
		"");
	struct faults none = {0};
	struct filter *fl;

	(void)state;
	assert_int_equal(filter_new(&fl, j->filter, &none), 0);
	judges(fl, j, " host sshd[7]: Failed password for me from 192.0.2.1 port 5 ssh2", "mine",
		"192.0.2.1");
	judges(fl, j, " host sshd[7]: Failed password for root from 192.0.2.1 port 5 ssh2",
		"failed ssh user", "192.0.2.1");
	judges(fl, j, "host sshd[7]: Failed password for root from 2001:db8::1 port 5 ssh2",
		"failed ssh user", "2001:db8::1");
	judges(fl, j, " host sshd[7]: Failed password for root from ::ffff:192.0.2.1 port 5 ssh2",
		"failed ssh user", "192.0.2.1");
	judges(fl, j, " host web: 192.0.2.9 404 /phpMyAdmin-2.3", "probe", "192.0.2.9");
	judges(fl, j, " host web: client [2001:db8::7]:4711", "probe", "2001:db8::7");
	/* The host's name is no part of what rules see, nor is a name an address. */
	judges(fl, j, " sshd[7]: Failed password for root from 192.0.2.1 port 5 ssh2", NULL, NULL);
	judges(fl, j, " host sshd[7]: Failed password for root from example.com port 5 ssh2", NULL,
		NULL);
	judges(fl, j, " h cron[7]: sshd[7]: Failed password for root from 192.0.2.1 port 5", NULL,
		NULL);
	/* What we say of it ourselves. */
	judges(fl, j, " host stockade[7]: NOTICE 192.0.2.9 404 /phpMyAdmin", NULL, NULL);
	filter_free(fl);
	faults_done(&none);
	fixture_done(&f);
}

/* An address is a whole one: whoever has a name of his own making may begin it as he likes. */
static void whole_addresses(void **state)
{
	static const struct {
		const char *text, *addr;
	} cases[] = {
		{"from 192.0.2.1", "192.0.2.1"},
		{"from 192.0.2.1.", "192.0.2.1"},
		{"from 192.0.2.1: Bye", "192.0.2.1"},
		{"from 192.0.2.1:22", "192.0.2.1"},
		{"from 192.0.2.1, and", "192.0.2.1"},
		{"from 192.0.2.1 - -", "192.0.2.1"},
		{"from [192.0.2.1]", "192.0.2.1"},
		{"from 2001:db8::1", "2001:db8::1"},
		{"from 2001:db8::1: Bye", "2001:db8::1"},
		{"from 2001:db8::1.", "2001:db8::1"},
		{"from [2001:db8::1]:22", "2001:db8::1"},
		{"from fe80::1%eth0 port", "fe80::1"},
		{"from 192.0.2.1.example.com", NULL},
		{"from 192.0.2.1-dsl.example.com", NULL},
		{"from 192.0.2.1x", NULL},
		{"from 192.0.2.1234", NULL},
		{"from 192.0.2.1.2", NULL},
		{"from 2001:db8::1x.example.com", NULL},
		{"from 2001:db8::1.example.com", NULL},
		{"from 2001:db8::1:eve", NULL},
		{"anywhere at all rhost=192.0.2.1", "192.0.2.1"},
		{"anywhere at all rhost=2001:db8::1", "2001:db8::1"},
		{"anywhere at all ip:192.0.2.1", "192.0.2.1"},
		{"anywhere at all ::ffff:192.0.2.1", "192.0.2.1"},
		{"anywhere at all 1.192.0.2.1", NULL},
	};
	struct fixture f;
	const struct jail *j = loaded(
		&f, "[from] 5m\n^x: from {IP_NUMBER}\n[from] 5m\n^x: anywhere.*{IP_NUMBER}\n", "");
	struct faults none = {0};
	struct filter *fl;

	(void)state;
	assert_int_equal(filter_new(&fl, j->filter, &none), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char line[128];

		snprintf(line, sizeof(line), "host x: %s", cases[i].text);
		judges(fl, j, line, cases[i].addr != NULL ? "from" : NULL, cases[i].addr);
	}
	filter_free(fl);
	faults_done(&none);
	fixture_done(&f);
}

/* What the command line says goes over what the files say, or does without them. */
static void command_line(void **state)
{
	struct overlay o = {0};
	struct fixture f;
	char path[128];

	(void)state;
	make(&f, SSH, "");
	fixture_file(&f, "stockade.conf", "[syslog]\nlisten = udp://127.0.0.1:99\n");
	snprintf(path, sizeof(path), "%s/rules", f.dir);
	overlay_set_rules(&o, "black", path);
	overlay_set(&o, OVERLAY_JAIL, "black", "bantime", "1h%");
	assert_int_equal(ruleset_read(&f.rs, f.dir, &o, false, &f.faults), -EINVAL);
	fixture_tell(&f);
	assert_string_equal(f.said,
		"the command line: error: bantime = '1h%' is not a time: write seconds, or such as "
		"'10m', '1h 30m', '1w', or '-1' for ever\n");
	faults_done(&f.faults);
	/* Said twice it is what was said last, however often. */
	for (unsigned i = 0; i < 2 * OVERLAY_KEYS_MAX; i++)
		overlay_set_rules(&o, "black", path);
	overlay_set(&o, OVERLAY_JAIL, "black", "bantime", "1h");
	assert_int_equal(ruleset_read(&f.rs, f.dir, &o, false, &f.faults), 0);
	assert_int_equal(f.rs->n_jails, 2);
	assert_non_null(ruleset_jail(f.rs, "black"));
	assert_int_equal(ruleset_jail(f.rs, "black")->bantime_sec, 3600);
	ruleset_free(f.rs);
	f.rs = NULL;
	/* To listen nowhere is no way to hear of anything. */
	fixture_file(&f, "stockade.conf", "[syslog]\nlisten =\n");
	assert_int_equal(ruleset_read(&f.rs, f.dir, &o, false, &f.faults), 0);
	assert_int_equal(f.rs->syslog.n_listen, 1);
	ruleset_free(f.rs);
	f.rs = NULL;
	assert_string_equal(overlay_shown(&o, f.dir), f.dir);
	assert_string_equal(overlay_shown(&o, "/no/such"), path);
	assert_string_equal(overlay_shown(NULL, "/no/such"), "/no/such");
	assert_int_equal(ruleset_read(&f.rs, "/no/such", &o, false, &f.faults), 0);
	assert_int_equal(f.rs->n_jails, 1);
	assert_string_equal(f.rs->jails[0].set, "black");
	ruleset_free(f.rs);
	f.rs = NULL;
	o.dir = OVERLAY_DIR_NONE;
	assert_int_equal(ruleset_read(&f.rs, f.dir, &o, false, &f.faults), 0);
	assert_int_equal(f.rs->n_jails, 1);
	assert_int_equal(f.faults.n, 0);
	fixture_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(read_well),
		cmocka_unit_test(jail_of_them),
		cmocka_unit_test(faults),
		cmocka_unit_test(no_file),
		cmocka_unit_test(nul),
		cmocka_unit_test(first_match),
		cmocka_unit_test(whole_addresses),
		cmocka_unit_test(command_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
