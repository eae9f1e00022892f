/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"
#include "base/util.h"
#include "replay/court.h"
#include "replay/logins.h"
#include "replay/tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define T0 1795158769 /* 2026-11-20T07:12:49Z */

static struct jail jails[] = {
	{.id = 0,
		.name = "ssh",
		.maxretry = 3,
		.findtime_sec = 60,
		.bantime_sec = 600,
		.ignoreself = true},
	{.id = 1, .name = "web", .maxretry = 1, .findtime_sec = 60, .bantime_sec = -1},
};
static struct ruleset rules = {
	.jails = jails, .n_jails = ARRAY_SIZE(jails), .memory = 1 << 20, .maxbans = 1000};

static struct addr own;

struct bans {
	struct court_ban list[4096];
	size_t n;
};

static void on_ban(void *arg, const struct court_ban *ban)
{
	struct bans *b = arg;

	assert_true(b->n < ARRAY_SIZE(b->list));
	b->list[b->n++] = *ban;
}

static struct addr addr(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(&a, text, strlen(text)), 0);
	return a;
}

static void hear(struct court *c, unsigned jail, const char *who, int64_t sec, unsigned count)
{
	struct court_failure f = {.jail = jail, .time_us = sec * USEC_PER_SEC, .count = count};

	assert_int_equal(prefix_parse(&f.who, who, strlen(who)), 0);
	court_failure(c, &f);
}

static struct court *court(struct bans *b)
{
	struct court *c;

	own = addr("192.0.2.200");
	b->n = 0;
	c = court_new(&rules, &own, 1, on_ban, b);
	assert_non_null(c);
	return c;
}

static void test_ban(void **state)
{
	static struct bans b;
	struct court *c = court(&b);
	struct court_sums sums;

	(void)state;
	hear(c, 0, "192.0.2.1", T0, 1);
	hear(c, 0, "192.0.2.1", T0 + 59, 1);
	hear(c, 0, "192.0.2.1", T0 + 60, 1); /* the first does not count any more */
	assert_int_equal(b.n, 0);
	hear(c, 0, "192.0.2.1", T0 + 61, 1);
	assert_int_equal(b.n, 1);
	assert_string_equal(b.list[0].jail->name, "ssh");
	assert_int_equal(b.list[0].failures, 3);
	assert_int_equal(b.list[0].since_us, (T0 + 61) * USEC_PER_SEC);
	assert_int_equal(b.list[0].until_us, (T0 + 661) * USEC_PER_SEC);
	/* Nothing comes from him until it ends. */
	for (int i = 62; i < 661; i += 7)
		hear(c, 0, "192.0.2.1", T0 + i, 1);
	assert_int_equal(b.n, 1);
	hear(c, 0, "192.0.2.1", T0 + 661, 2);
	assert_int_equal(b.n, 1);
	hear(c, 0, "192.0.2.1", T0 + 662, 1);
	assert_int_equal(b.n, 2);
	hear(c, 1, "192.0.2.1", T0 + 662, 1);
	assert_int_equal(b.list[2].until_us, COURT_FOREVER);
	hear(c, 1, "192.0.2.1", T0 + 100000000, 1);
	assert_int_equal(b.n, 3);
	court_get_sums(c, &sums);
	assert_int_equal(sums.bans, 3);
	assert_int_equal(sums.banned, 87);
	assert_int_equal(sums.failures, 8);
	court_free(c);
}

/* What stands above the regex decides for how long. */
static void test_rules(void **state)
{
	static const struct rule_head day = {"probe", 86400}, other = {"other", 0};
	static struct bans b;
	struct court *c = court(&b);
	struct court_failure f = {
		.jail = 1, .time_us = T0 * USEC_PER_SEC, .count = 1, .rule = &day};

	(void)state;
	assert_int_equal(prefix_parse(&f.who, "192.0.2.1", 9), 0);
	court_failure(c, &f);
	f.who.addr.b[15]++;
	f.rule = &other;
	court_failure(c, &f);
	assert_int_equal(b.n, 2);
	assert_string_equal(b.list[0].rule, "probe");
	assert_int_equal(b.list[0].until_us, (T0 + 86400) * USEC_PER_SEC);
	assert_string_equal(b.list[1].rule, "other");
	assert_int_equal(b.list[1].until_us, COURT_FOREVER);
	court_free(c);
}

static void test_let_off(void **state)
{
	static struct bans b;
	struct prefix friends, offices;
	struct court_sums sums;
	struct court *c;

	(void)state;
	prefix_parse(&friends, "198.51.100.0/24", 15);
	prefix_parse(&offices, "2001:db8::/32", 13);
	prefixset_add(&rules.allow, &friends);
	prefixset_add(&jails[0].ignoreip, &offices);
	c = court(&b);
	hear(c, 0, "198.51.100.7", T0, 5);
	hear(c, 1, "198.51.100.7", T0, 5);
	hear(c, 0, "2001:db8::1", T0, 5);
	hear(c, 0, "192.0.2.200", T0, 5);
	assert_int_equal(b.n, 0);
	court_get_sums(c, &sums);
	assert_int_equal(sums.ignored, 4);
	hear(c, 1, "2001:db8::1", T0, 5);
	hear(c, 1, "192.0.2.200", T0, 5);
	assert_int_equal(b.n, 2);
	court_free(c);
	prefixset_done(&rules.allow);
	prefixset_done(&jails[0].ignoreip);
}

static void test_blocks(void **state)
{
	static struct bans b;
	struct court *c = court(&b);
	char text[PREFIX_STRLEN];
	struct court_sums sums;

	(void)state;
	hear(c, 1, "203.0.113.0/24", T0, 1);
	assert_int_equal(b.n, 1);
	assert_string_equal(prefix_format(&b.list[0].who, text), "203.0.113.0/24");
	hear(c, 1, "203.0.113.9", T0 + 1, 1);
	assert_int_equal(b.n, 1);
	hear(c, 1, "0.0.0.0/1", T0, 1);
	assert_int_equal(b.n, 1);
	court_get_sums(c, &sums);
	assert_int_equal(sums.refused, 1);
	court_free(c);
}

static void test_many(void **state)
{
	static struct bans b;
	struct court_sums sums;
	struct court *c;

	(void)state;
	rules.maxbans = 4;
	c = court(&b);
	for (unsigned i = 0; i < 10; i++) {
		char who[32];

		snprintf(who, sizeof(who), "192.0.2.%u", i);
		hear(c, 0, who, T0 + i, 3);
	}
	court_get_sums(c, &sums);
	assert_int_equal(sums.bans, 10);
	assert_int_equal(sums.cut, 6);
	/* Whose ban was cut short is heard of again. */
	hear(c, 0, "192.0.2.0", T0 + 20, 3);
	assert_int_equal(b.n, 11);
	court_free(c);
	rules.maxbans = 1000;
}

/* An address's failures, counted without any cleverness. */
struct plain {
	int64_t secs[4096], until;
	size_t n;
};

static void test_random(void **state)
{
	static struct plain plain[16];
	static struct bans b;
	struct court *c = court(&b);
	size_t bans = 0;
	int64_t now = T0;

	(void)state;
	srandom(4711);
	for (unsigned i = 0; i < 4000; i++) {
		size_t who = (size_t)random() % ARRAY_SIZE(plain), in = 0;
		struct plain *p = &plain[who];
		char text[32];

		/* No more than eight seconds within findtime: so far the table is exact. */
		now += 2 + random() % 8;
		snprintf(text, sizeof(text), "192.0.2.%zu", who);
		hear(c, 0, text, now, 1);
		if (now < p->until)
			continue;
		p->secs[p->n++] = now;
		for (size_t k = 0; k < p->n; k++)
			in += p->secs[k] > now - 60;
		if (in < 3)
			continue;
		p->n = 0;
		p->until = now + 600;
		bans++;
		assert_int_equal(b.n, bans);
		assert_int_equal(b.list[bans - 1].since_us, now * USEC_PER_SEC);
		assert_int_equal(b.list[bans - 1].failures, in);
	}
	assert_int_equal(b.n, bans);
	assert_true(bans > 20);
	court_free(c);
}

static void tell_ban(struct tally *t, unsigned side, const char *who, int64_t sec)
{
	struct court_ban ban = {.jail = &jails[0], .since_us = sec * USEC_PER_SEC, .failures = 3};

	assert_int_equal(prefix_parse(&ban.who, who, strlen(who)), 0);
	tally_ban(t, side, &ban);
}

static void test_tally(void **state)
{
	const struct tally_entry **list;
	struct tally *t = tally_new();
	struct addr in = addr("203.0.113.5"), other = addr("192.0.2.2");
	struct tally_sums sums;
	char text[PREFIX_STRLEN];
	size_t n;

	(void)state;
	assert_non_null(t);
	tell_ban(t, TALLY_OLD, "192.0.2.1", T0);
	tell_ban(t, TALLY_NEW, "192.0.2.1", T0 + 5);
	tell_ban(t, TALLY_NEW, "192.0.2.2", T0 + 9);
	tell_ban(t, TALLY_NEW, "192.0.2.2", T0 + 900);
	tell_ban(t, TALLY_NEW, "203.0.113.0/24", T0 + 7);
	tell_ban(t, TALLY_OLD, "192.0.2.3", T0 + 8);
	tally_login(t, &in, "anna", 4);
	tally_login(t, &in, "an\033na", 5);
	tally_login(t, &other, NULL, 0);
	for (unsigned i = 0; i < 5000; i++) {
		struct addr a = addr("198.51.100.0");

		a.b[14] = (uint8_t)(i >> 8);
		a.b[15] = (uint8_t)i;
		tally_login(t, &a, "x", 1);
	}
	list = tally_differences(t, &n, &sums);
	assert_non_null(list);
	assert_int_equal(n, 3);
	assert_string_equal(prefix_format(&list[0]->who, text), "203.0.113.0/24");
	assert_int_equal(list[0]->logins, 2);
	assert_string_equal(list[0]->user, "an\\x1bna");
	assert_string_equal(prefix_format(&list[1]->who, text), "192.0.2.3");
	assert_int_equal(list[2]->side[TALLY_NEW].bans, 2);
	assert_int_equal(list[2]->logins, 1);
	assert_int_equal(sums.both, 1);
	assert_int_equal(sums.only[TALLY_NEW], 2);
	assert_int_equal(sums.logged_in[TALLY_NEW], 2);
	assert_int_equal(sums.only[TALLY_OLD], 1);
	assert_int_equal(sums.logged_in[TALLY_OLD], 0);
	free(list);
	tally_free(t);
}

/* Who got in from within which block, at its edges, where blocks lie in blocks and are many. */
static void test_tally_blocks(void **state)
{
	static const char *const from[] = {
		"203.0.112.255", "203.0.113.0", "203.0.113.255", "203.0.114.0", "2001:db8::1"};
	static const struct {
		const char *block, *user;
		uint64_t logins;
	} blocks[] = {{"203.0.113.0/24", "1", 2}, {"203.0.112.0/22", "0", 4},
		{"203.0.113.128/25", "2", 1}, {"203.0.115.0/24", "", 0}, {"2001:db8::/32", "4", 1},
		{"2001:db7::/32", "", 0}};
	const struct tally_entry **list;
	struct tally *t = tally_new();
	struct tally_sums sums;
	size_t n, seen = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(from) / sizeof(from[0]); i++) {
		struct addr a = addr(from[i]);
		char user = (char)('0' + i);

		tally_login(t, &a, &user, 1);
	}
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
		tell_ban(t, TALLY_NEW, blocks[i].block, T0);
	for (unsigned i = 0; i < 50000; i++) {
		char text[PREFIX_STRLEN];
		struct addr a;

		snprintf(text, sizeof(text), "2a00:%x::/48", i);
		tell_ban(t, TALLY_NEW, text, T0 + 1);
		snprintf(text, sizeof(text), "2a01::%x", i);
		a = addr(text);
		tally_login(t, &a, "x", 1);
	}
	list = tally_differences(t, &n, &sums);
	assert_non_null(list);
	for (size_t i = 0; i < n; i++) {
		char text[PREFIX_STRLEN];

		prefix_format(&list[i]->who, text);
		for (size_t k = 0; k < sizeof(blocks) / sizeof(blocks[0]); k++) {
			if (strcmp(text, blocks[k].block) != 0)
				continue;
			assert_int_equal(list[i]->logins, blocks[k].logins);
			assert_string_equal(list[i]->user, blocks[k].user);
			seen++;
		}
	}
	assert_int_equal(seen, sizeof(blocks) / sizeof(blocks[0]));
	assert_int_equal(sums.logged_in[TALLY_NEW], 4);
	free(list);
	tally_free(t);
}

static void test_logins(void **state)
{
	/* What stands there without its date, and who it was; NULL: nobody. */
	static const struct {
		const char *line, *user;
	} lines[] = {
		{" srv sshd[7]: Accepted publickey for anna from 192.0.2.1 port 5022 ssh2: "
		 "ED25519 SHA256:x",
			"anna"},
		{" srv sshd-session[7]: Accepted password for anna from 192.0.2.1 port 5022 ssh2",
			"anna"},
		{" srv sshd[7]: Accepted keyboard-interactive/pam for anna from 192.0.2.1 port 5 "
		 "ssh2",
			"anna"},
		{" srv sshd[7]: Failed password for anna from 192.0.2.1 port 5022 ssh2", NULL},
		{" srv sshd[7]: Invalid user x sshd[7]: Accepted password for anna from 192.0.2.1 "
		 "port 5 from 192.0.2.9 port 7",
			NULL},
		{" srv dropbear[7]: Password auth succeeded for 'anna' from 192.0.2.1:5022",
			"anna"},
		{" srv dropbear[7]: Pubkey auth succeeded for 'anna' with ssh-ed25519 key "
		 "SHA256:x from 192.0.2.1:5022",
			"anna"},
		{" srv dovecot: imap-login: Login: user=<anna>, method=PLAIN, rip=192.0.2.1, "
		 "lip=192.0.2.200, mpid=7, TLS",
			"anna"},
		{"imap-login: Info: Login: user=<anna>, method=PLAIN, rip=192.0.2.1, lip=::1",
			"anna"},
		{" srv dovecot: imap-login: Disconnected (auth failed): user=<anna>, "
		 "method=PLAIN, rip=192.0.2.1, lip=::1",
			NULL},
		{" srv imapd: LOGIN, user=anna, ip=[::ffff:192.0.2.1], protocol=IMAP", "anna"},
		{" srv cyrus/imaps[7]: login: host.example [192.0.2.1] anna PLAIN+TLS User logged "
		 "in",
			"anna"},
		{" srv postfix/submission/smtpd[7]: 4F2: client=host.example[192.0.2.1], "
		 "sasl_method=PLAIN, sasl_username=anna",
			"anna"},
		{" srv postfix/smtpd[7]: 4F2: client=host.example[192.0.2.1]", NULL},
		{" 1tE-2 <= a@example.org H=host.example (helo) [192.0.2.1] P=esmtpsa "
		 "A=dovecot_login:anna S=9",
			"anna"},
		{" [pid 7] [anna] OK LOGIN: Client \"192.0.2.1\"", "anna"},
		{" srv proftpd[7]: srv (host.example[192.0.2.1]) - USER anna: Login successful.",
			"anna"},
		{" srv pure-ftpd: (?@192.0.2.1) [INFO] anna is now logged in", "anna"},
		{" srv ovpn-server[7]: 192.0.2.1:5022 [anna] Peer Connection Initiated with "
		 "[AF_INET]192.0.2.1:5022",
			"anna"},
	};
	struct addr who = addr("192.0.2.1");
	struct filter *f = NULL;
	struct match m;

	(void)state;
	assert_int_equal(logins_new(&f), 0);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		enum verdict v = filter_judge(
			f, NULL, lines[i].line, strlen(lines[i].line), T0 * USEC_PER_SEC, &m);

		if ((v == VERDICT_MATCH) != (lines[i].user != NULL))
			print_message("%s\n", lines[i].line);
		assert_int_equal(v == VERDICT_MATCH, lines[i].user != NULL);
		if (v != VERDICT_MATCH)
			continue;
		assert_true(m.has_addr && addr_eq(&m.addr, &who));
		assert_int_equal(m.n_fields, 1);
		assert_string_equal(m.fields[0].name, "user");
		assert_memory_equal(m.fields[0].value, lines[i].user, m.fields[0].len);
	}
	filter_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ban),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_let_off),
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_tally),
		cmocka_unit_test(test_tally_blocks),
		cmocka_unit_test(test_logins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
