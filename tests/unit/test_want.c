/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which syslog messages a jail reads: as it is written, and what that lets through. */
#include "config_fixture.h"

#include "source/syslog_wanted.h"

#define SYSLOG "[DEFAULT]\nenabled = true\nfilter = x\nsource = syslog\n"

static const struct syslog_want *want_of(const struct fixture *f, const char *jail)
{
	const struct jail *j = ruleset_jail(f->rs, jail);

	assert_non_null(j);
	return &j->syslog;
}

static void keys(void **state)
{
	const struct syslog_want *w;
	struct fixture f;

	(void)state;
	fixture_good(&f, SYSLOG "[all]\n"
				"[some]\nprogram = sshd, postfix/*\nfacility = auth AUTHPRIV 16\n"
				"host = web1 *.example.org 192.0.2.7,10.0.0.0/8\n"
				"  web2=192.0.2.8,2001:db8::8,web3=192.0.2.9, 2001:db8::/32\n"
				"syslogtext = Message\nscope = all\n");
	w = want_of(&f, "all");
	assert_false(syslog_has_conditions(w));
	assert_false(w->text_only);
	w = want_of(&f, "some");
	assert_true(syslog_has_conditions(w));
	assert_true(w->text_only);
	assert_false(w->per_host);
	assert_int_equal(w->n_programs, 2);
	assert_string_equal(w->programs[1], "postfix/*");
	assert_int_equal(w->facilities, 1U << 4 | 1U << 10 | 1U << 16);
	assert_int_equal(w->n_hosts, 7);
	assert_string_equal(w->hosts[1].name, "*.example.org");
	assert_null(w->hosts[2].name);
	assert_int_equal(w->hosts[2].sender.len, 128);
	assert_int_equal(w->hosts[3].sender.len, 104);
	assert_string_equal(w->hosts[4].name, "web2");
	assert_int_equal(w->hosts[4].n_addrs, 2);
	assert_string_equal(w->hosts[5].name, "web3");
	assert_int_equal(w->hosts[5].n_addrs, 1);
	assert_int_equal(w->hosts[6].sender.len, 32);
	assert_int_equal(f.rs->jails[0].n_to, 0);
	fixture_done(&f);
}

/* One jail for each host, with all that the jail has. */
static void per_host(void **state)
{
	static const char *const names[] = {"sshd@web1", "sshd@192.0.2.9", "sshd@2001:db8::9", "z"};
	struct fixture f;
	struct addr a;

	(void)state;
	fixture_good(&f, SYSLOG "[sshd]\nscope = host\nbantime = 7m\nignoreip = 198.51.100.0/24\n"
				"host = web1=192.0.2.7,2001:db8::7 192.0.2.9 2001:db8::9\n[z]\n");
	assert_int_equal(f.rs->n_jails, 4);
	for (size_t i = 0; i < 4; i++) {
		const struct jail *j = &f.rs->jails[i];

		assert_string_equal(j->name, names[i]);
		assert_int_equal(j->id, i);
		if (i == 3)
			break;
		assert_string_equal(j->section, "sshd");
		assert_int_equal(j->bantime_sec, 420);
		assert_int_equal(j->syslog.n_hosts, 1);
		assert_int_equal(addr_parse(&a, "198.51.100.9", 12), 0);
		assert_true(prefixset_contains(&j->ignoreip, &a));
		assert_int_equal(j->n_to, i == 0 ? 2 : 1);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(j->set, f.rs->jails[k].set);
	}
	assert_int_equal(addr_parse(&a, "2001:db8::7", 11), 0);
	assert_true(addr_eq(&f.rs->jails[0].to[1], &a));
	assert_int_equal(addr_parse(&a, "192.0.2.9", 9), 0);
	assert_true(addr_eq(&f.rs->jails[1].to[0], &a));
	assert_string_equal(f.rs->jails[0].set, "sshd_web1");
	assert_string_equal(f.rs->jails[3].section, "z");
	assert_int_equal(f.rs->jails[3].n_to, 0);
	fixture_done(&f);
}

/* More than the list begins with. */
static void many_hosts(void **state)
{
	char text[16384] = SYSLOG "[j]\nscope = host\nhost =";
	struct fixture f;

	(void)state;
	for (unsigned i = 0; i < 500; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " h%u=10.0.%u.%u", i,
			i / 250, i % 250);
	fixture_good(&f, text);
	assert_int_equal(f.rs->n_jails, 500);
	assert_string_equal(f.rs->jails[499].name, "j@h499");
	assert_int_equal(f.rs->jails[499].id, 499);
	fixture_done(&f);
}

/* Jails are chosen by the name that stands in the file as well. */
static void picked(void **state)
{
	const char *const names[] = {"sshd", "y@b"};
	const struct jail *found[2];
	struct fixture f;

	(void)state;
	fixture_good(&f, SYSLOG "[sshd]\nscope = host\nhost = a=192.0.2.1 b=192.0.2.2\n"
				"[y]\nscope = host\nhost = a=192.0.2.1 b=192.0.2.2\n[z]\n");
	ruleset_pick(f.rs, names, 2, found);
	assert_int_equal(f.rs->n_jails, 3);
	assert_string_equal(found[0]->name, "sshd@a");
	assert_string_equal(f.rs->jails[1].name, "sshd@b");
	assert_string_equal(found[1]->name, "y@b");
	assert_int_equal(f.rs->jails[2].id, 2);
	fixture_done(&f);
}

static void says(const char *lines, const char *said)
{
	char text[1024];

	snprintf(text, sizeof(text), "source = syslog\n%s", lines);
	fixture_bad(text, said);
}

static void wrong(void **state)
{
	(void)state;
	says("facility = ssh",
		"jail.conf:5: error: facility 'ssh' is unknown: write such as 'auth', 'authpriv', "
		"'local0', or a number from 0 to 23\n");
	says("facility = auht",
		"jail.conf:5: error: facility 'auht' is unknown: write such as 'auth', 'authpriv', "
		"'local0', or a number from 0 to 23; did you mean 'auth'?\n");
	says("facility = 24", "jail.conf:5: error: facility '24' is unknown: write such as "
			      "'auth', 'authpriv', 'local0', or a number from 0 to 23\n");
	says("program = sshd:", "jail.conf:5: warning: program 'sshd:': a name ends before '[' and "
				"':': write 'sshd'\n");
	says("program = sshd[*]", "jail.conf:5: warning: program 'sshd[*]': a name ends before "
				  "'[' and ':': write 'sshd'\n");
	says("program = sshd[", "jail.conf:5: warning: program 'sshd[': a name ends before '[' and "
				"':': write 'sshd'\n");
	says("syslogtext = text", "jail.conf:5: error: syslogtext 'text' is unknown: write 'line' "
				  "or 'message'\n");
	says("syslogtext = message",
		"jail.conf:5: warning: syslogtext = message in jail 'x', which reads what all "
		"programs say: whoever has one of them begin a text as he likes can have anybody "
		"banned; write such as 'program = nginx'\n");
	says("syslogtext = message\nprogram = nginx", "");
	says("scope = hosts", "jail.conf:5: error: scope 'hosts' is unknown: write 'all' or "
			      "'host'; did you mean 'host'?\n");
	says("host = 10.0.0.300",
		"jail.conf:5: error: host '10.0.0.300' is neither a name nor an address: write "
		"such as 'web1', '*.example.org', '192.0.2.7', '10.0.0.0/8', or 'web1=192.0.2.7' "
		"for a name with its address\n");
	says("host = w\xc3\xa4=192.0.2.1",
		"jail.conf:5: error: host 'w\xc3\xa4=192.0.2.1' is neither a name nor an address: "
		"write "
		"such as 'web1', '*.example.org', '192.0.2.7', '10.0.0.0/8', or 'web1=192.0.2.7' "
		"for a name with its address\n");
	says("host = web1=web2",
		"jail.conf:5: error: host 'web1=web2': what stands behind '=' is no address: write "
		"such as 'web1=192.0.2.7' or 'web1=192.0.2.7,2001:db8::7'\n");
	says("host = web*=192.0.2.7",
		"jail.conf:5: error: host 'web*=192.0.2.7' gives an address to a pattern, which "
		"may be many hosts: write one name\n");
	says("scope = host",
		"jail.conf:5: error: scope = host in jail 'x', which names no hosts: write such as "
		"'host = web1=192.0.2.7 web2=192.0.2.8'\n");
	says("scope = host\nhost = web1",
		"jail.conf:6: error: scope = host, and host 'web1' has no address: write "
		"'web1=ADDRESS', the one that packets to it go to\n");
	says("scope = host\nhost = web*",
		"jail.conf:6: error: scope = host, and host 'web*' has no address: write "
		"'NAME=ADDRESS', the one that packets to it go to\n");
	says("scope = host\nhost = 10.0.0.0/8", "jail.conf:6: error: scope = host, and "
						"'10.0.0.0/8' is not one host: write each with its "
						"address\n");
	says("scope = host\nhost = a=192.0.2.1 A=192.0.2.2",
		"jail.conf:6: error: host 'A' is there twice: write it once, with all its "
		"addresses\n");
	says("scope = host\nhost = a=192.0.2.1\n[x@a]\nfilter = x\n",
		"jail.conf:7: error: jail 'x@a' has the name of that for one host of jail 'x': "
		"give it another\n");
	says("scope = host\nhost = "
	     "a234567890123456789012345678901234567890123456789012345678901234=192.0.2.1",
		"jail.conf:6: error: the jail's and the host's name, "
		"'x@a234567890123456789012345678901234567890123456789012345678901234', are longer "
		"than 64 bytes: write a shorter name for the jail\n");
	fixture_bad("source = syslog file\nscope = host\nhost = a=192.0.2.1",
		"jail.conf:5: error: scope = host is for messages, which say whose they are: write "
		"'source = syslog' in jail 'x', and make another jail for its files or journal\n");
	fixture_bad("program = sshd", "jail.conf:4: warning: 'program' is about syslog messages, "
				      "and jail 'x' reads none: write 'source = syslog' in it, or "
				      "remove this\n");
	/* A value of somebody's own, for something else. */
	fixture_bad("host = 5\nfindtime = %(host)s", "");
}

/* --- What is let through --- */

static struct addr address(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(&a, text, strlen(text)), 0);
	return a;
}

/* Does the jail "j" with these conditions want the message, from that sender (NULL: local)? */
static bool wants(const char *conditions, const char *message, const char *sender)
{
	struct addr from = address(sender != NULL ? sender : "::");
	struct syslog_msg m;
	struct fixture f;
	char text[512];
	bool wanted;

	snprintf(text, sizeof(text), SYSLOG "[j]\n%s\n", conditions);
	fixture_good(&f, text);
	syslog_parse(&m, message, strlen(message));
	wanted = syslog_is_wanted(want_of(&f, "j"), &m, sender != NULL ? &from : NULL);
	fixture_done(&f);
	return wanted;
}

#define OLD(host_and_tag) "<38>Nov 20 07:12:49 " host_and_tag " text"
#define NEW(pri, host, app) "<" pri ">1 2026-11-20T07:12:49Z " host " " app " 1 - - text"

static void programs(void **state)
{
	(void)state;
	assert_true(wants("", "whatever", NULL));
	assert_true(wants("program = sshd", OLD("h sshd[1]:"), NULL));
	assert_true(wants("program = sshd", OLD("sshd:"), NULL));
	assert_true(wants("program = sshd", NEW("38", "h", "sshd"), NULL));
	assert_true(wants("program = a postfix/*", OLD("h postfix/smtpd[1]:"), NULL));
	assert_false(wants("program = sshd", OLD("h sshd-session[1]:"), NULL));
	assert_false(wants("program = sshd", OLD("h SSHD[1]:"), NULL));
	assert_false(wants("program = sshd", OLD("sshd x[1]:"), NULL));
	assert_false(wants("program = sshd", OLD("h su: sshd[1]:"), NULL));
	assert_false(wants("program = sshd", "<38>sshd said nothing", NULL));
	assert_false(wants("program = *", "<38>no program here", NULL));
}

static void facilities(void **state)
{
	(void)state;
	assert_true(wants("facility = auth", "<38>x", NULL));
	assert_true(wants("facility = auth", NEW("32", "h", "sshd"), NULL));
	assert_true(wants("facility = kern auth", "<0>x", NULL));
	assert_true(wants("facility = local7", "<191>x", NULL));
	assert_false(wants("facility = auth", "<30>x", NULL));
	assert_false(wants("facility = auth", "x", NULL));
	assert_false(wants("facility = local7", "<192>x", NULL));
	assert_false(wants("facility = local7", "<999>x", NULL));
}

static void hosts(void **state)
{
	(void)state;
	assert_true(wants("host = web1", OLD("web1 sshd:"), "192.0.2.1"));
	assert_true(wants("host = web1", OLD("WEB1 sshd:"), NULL));
	assert_true(wants("host = web1", OLD("web1.example.org sshd:"), NULL));
	assert_true(wants("host = web?", OLD("web1.example.org sshd:"), NULL));
	assert_true(wants("host = *.example.org", OLD("web1.example.org sshd:"), NULL));
	assert_false(wants("host = web1.example.org", OLD("web1 sshd:"), NULL));
	assert_false(wants("host = web1", OLD("web10 sshd:"), NULL));
	assert_false(wants("host = web1", OLD("web10.example.org sshd:"), NULL));
	assert_false(wants("host = 10*", OLD("web1 sshd:"), "10.0.0.1"));
	assert_false(wants("host = web1", NEW("38", "-", "sshd"), "192.0.2.1"));
	/* An address is who sent it, whatever it says. */
	assert_true(wants("host = 192.0.2.0/24", OLD("web1 sshd:"), "192.0.2.1"));
	assert_false(wants("host = 192.0.2.1", OLD("192.0.2.1 sshd:"), "192.0.2.2"));
	assert_false(wants("host = 192.0.2.1", OLD("192.0.2.1 sshd:"), NULL));
	assert_true(wants("host = a 2001:db8::/32", OLD("web1 sshd:"), "2001:db8::1"));
	/* A name goes before its address; who has none is of his address. */
	assert_true(wants("host = web1=192.0.2.1", OLD("web1 sshd:"), "198.51.100.1"));
	assert_true(wants("host = web1=192.0.2.1", NEW("38", "-", "sshd"), "192.0.2.1"));
	assert_true(wants("host = web1=192.0.2.1", "<38>sshd[1]: text", "192.0.2.1"));
	assert_false(wants("host = web1=192.0.2.1", OLD("web2 sshd:"), "192.0.2.1"));
	assert_false(wants("host = web1=192.0.2.1", "<38>sshd[1]: text", "192.0.2.2"));
	assert_true(wants("host = localhost", "<38>sshd[1]: text", NULL));
	assert_false(wants("host = localhost", "<38>sshd[1]: text", "127.0.0.1"));
}

/* All of them together, and names that nobody could have meant. */
static void together(void **state)
{
	char long_name[2048] = "<38>1 - ";

	(void)state;
	assert_true(wants("program = sshd\nfacility = auth\nhost = h", OLD("h sshd:"), NULL));
	assert_false(wants("program = sshd\nfacility = mail\nhost = h", OLD("h sshd:"), NULL));
	assert_false(wants("program = sshd\nfacility = auth\nhost = i", OLD("h sshd:"), NULL));
	memset(long_name + 8, 'a', 1000);
	strcpy(long_name + 1008, " a - - - text");
	assert_false(wants("host = a*", long_name, NULL));
	assert_true(wants("program = a", long_name, NULL));
}

/* The same of lines in a file. */
static bool wants_line(const char *conditions, const char *line)
{
	struct fixture f;
	char text[512];
	bool wanted;

	snprintf(text, sizeof(text), SYSLOG "[j]\n%s\n", conditions);
	fixture_good(&f, text);
	wanted = syslog_line_is_wanted(want_of(&f, "j"), line, strlen(line));
	fixture_done(&f);
	return wanted;
}

static void logged(void **state)
{
	(void)state;
	assert_true(wants_line("program = sshd", "Nov 20 07:12:49 h sshd[1]: text"));
	assert_true(wants_line("program = sshd", "2026-11-20T07:12:49.1+01:00 h sshd[1]: text"));
	assert_false(wants_line("program = sshd", "Nov 20 07:12:49 h su[1]: text"));
	assert_true(wants_line("facility = auth\nhost = h", "Nov 20 07:12:49 h sshd[1]: text"));
	assert_false(wants_line("facility = auth\nhost = i", "Nov 20 07:12:49 h sshd[1]: text"));
	assert_true(wants_line("host = 192.0.2.0/24", "Nov 20 07:12:49 192.0.2.7 sshd[1]: text"));
	assert_true(wants_line("host = a=192.0.2.7", "Nov 20 07:12:49 192.0.2.7 sshd[1]: text"));
	assert_false(wants_line("host = 192.0.2.7", "Nov 20 07:12:49 192.0.2.8 sshd[1]: text"));
	assert_false(wants_line("host = 192.0.2.7", "Nov 20 07:12:49 a sshd[1]: text"));
	assert_false(wants_line("program = a", ""));
	assert_false(wants_line("host = a", "\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys),
		cmocka_unit_test(per_host),
		cmocka_unit_test(many_hosts),
		cmocka_unit_test(picked),
		cmocka_unit_test(wrong),
		cmocka_unit_test(programs),
		cmocka_unit_test(facilities),
		cmocka_unit_test(hosts),
		cmocka_unit_test(together),
		cmocka_unit_test(logged),
	};

	return cmocka_run_group_tests_name("want", tests, NULL, NULL);
}
