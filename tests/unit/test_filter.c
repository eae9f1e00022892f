/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define ATTACKER "192.0.2.1"
#define VICTIM "198.51.100.7"

/* A filter of the expressions given (NULL: none), with the faults that came of it. */
static int make(struct filter **ret, struct faults *f, const char *pref, const char *fail,
	const char *ignore)
{
	struct conf_text failregex = {fail, {"t.conf", 7}}, ignoreregex = {ignore, {"t.conf", 9}};
	struct filter_def def = {
		.name = "t",
		.prefregex = {pref, {"t.conf", 5}},
		.failregex = &failregex,
		.n_failregex = fail != NULL,
		.ignoreregex = &ignoreregex,
		.n_ignoreregex = ignore != NULL,
		.maxlines = 1,
	};

	return filter_new(ret, &def, f);
}

static struct filter *good(const char *pref, const char *fail, const char *ignore)
{
	struct faults f = {0};
	struct filter *fl = NULL;

	if (make(&fl, &f, pref, fail, ignore) < 0)
		fail_msg("%s: %s", fail, f.items[0].message);
	assert_int_equal(f.n, 0);
	faults_done(&f);
	return fl;
}

static const char *field(const struct match *m, const char *name)
{
	static char text[256];

	for (size_t i = 0; i < m->n_fields; i++) {
		if (strcmp(m->fields[i].name, name) != 0)
			continue;
		snprintf(text, sizeof(text), "%.*s", (int)m->fields[i].len, m->fields[i].value);
		return text;
	}
	return NULL;
}

/* The one failregex on the one line; what it says of the host, "-" for no match. */
static void check(const char *fail, const char *line, const char *want)
{
	struct filter *fl = good(NULL, fail, NULL);
	char addr[ADDR_STRLEN], got[256] = "-";
	struct match m;

	if (filter_judge(fl, NULL, line, strlen(line), 0, &m) == VERDICT_MATCH)
		snprintf(got, sizeof(got), "%.*s", m.has_addr ? 60 : (int)m.host_len,
			m.has_addr ? addr_format(&m.addr, addr) : m.host);
	if (strcmp(got, want) != 0)
		fail_msg("%s on %s: %s, not %s", fail, line, got, want);
	filter_free(fl);
}

static void hosts(void **state)
{
	(void)state;
	check("from <HOST>$", "x from 192.0.2.1", "192.0.2.1");
	check("from <HOST>$", "x from [192.0.2.1]", "192.0.2.1");
	check("from <HOST>$", "x from ::ffff:192.0.2.1", "192.0.2.1");
	check("from <HOST>$", "x from 2001:db8::1", "2001:db8::1");
	check("from <HOST>$", "x from [2001:db8::1]", "2001:db8::1");
	check("from <HOST>$", "x from 2001:db8:0:0:0:0:0:1", "2001:db8::1");
	check("from <HOST>$", "x from ::1", "::1");
	check("from <HOST>$", "x from fe80::1%eth0", "fe80::1");
	check("from <HOST>$", "x from a-b.example.org", "a-b.example.org");
	check("from <HOST>:", "x from 2001:db8::1: said", "2001:db8::1");
	check("from <HOST>:", "x from 192.0.2.1: said", "192.0.2.1");
	check("from <HOST>#\\d+", "x from 192.0.2.1#53", "192.0.2.1");
	check("from <ADDR>$", "x from a.example.org", "-");
	check("at <ADDR>$", "x at 07:12:49", "07:12:49");
	check("from <IP4>$", "x from 2001:db8::1", "-");
	check("from <IP6>$", "x from 2001:db8::1", "2001:db8::1");
	check("from <IP6>$", "x from 192.0.2.1", "-");
	check("from <DNS>$", "x from a.example", "a.example");
	check("from <SUBNET>$", "x from 192.0.2.0/24", "192.0.2.0");
	check("from <ADDR>/<CIDR>$", "x from 192.0.2.0/24", "192.0.2.0");
	check("id <F-ID>\\S+</F-ID>$", "id 192.0.2.9", "192.0.2.9");
	check("id <F-ID/> <HOST>$", "id joe 192.0.2.9", "192.0.2.9");
	check("id <F-ID/>$", "id joe", "joe");
	check("(?P<host>\\S+)$", "x 192.0.2.1", "192.0.2.1");
	check("from <HOST>$|<HOST> knocked$", "192.0.2.1 knocked", "192.0.2.1");
	check("from <HOST>$|<HOST> knocked$", "x from 192.0.2.1", "192.0.2.1");
}

/* Where Python and PCRE2 differ, Python is right. */
static void dialect(void **state)
{
	(void)state;
	/* The line's newline is part of what is searched, as it is in fail2ban. */
	check("^a <HOST>\\Z", "a 192.0.2.1", "-");
	check("^a <HOST>\\n\\Z", "a 192.0.2.1", "192.0.2.1");
	check("^a <HOST>[^b]$", "a 192.0.2.1", "192.0.2.1");
	check("^a <HOST>x{,2}$", "a 192.0.2.1xx", "192.0.2.1");
	check("^a{,2}b <HOST>$", "b 192.0.2.1", "192.0.2.1");
	check("(?iu)^A <HOST>$", "a 192.0.2.1", "192.0.2.1");
	check("^(?i:A) <HOST>$", "a 192.0.2.1", "192.0.2.1");
	check("(?a)^a <HOST>$", "a 192.0.2.1", "192.0.2.1");
	check("^[[:alpha:]]+ <HOST>$", "a] 192.0.2.1", "192.0.2.1");
	check("^[^][]+ <HOST>$", "a 192.0.2.1", "192.0.2.1");
	check("^[]a]+ <HOST>$", "]a 192.0.2.1", "192.0.2.1");
	check("^\\u00e9+ <HOST>$", "\xc3\xa9\xc3\xa9 192.0.2.1", "192.0.2.1");
	check("^\xc3\xa9+ <HOST>$", "\xc3\xa9\xc3\xa9 192.0.2.1", "192.0.2.1");
	check("^<known> <HOST>$", "<known> 192.0.2.1", "192.0.2.1");
	check("^\\[a\\] (?P<user>\\S+) (?P=user) <HOST>$", "[a] x x 192.0.2.1", "192.0.2.1");
	check("^foo(?# ( )|<HOST>$", "192.0.2.1", "192.0.2.1");
	check("^fo*<HOST>$", "f192.0.2.1", "192.0.2.1");
	check("^a|^b <HOST>$", "b 192.0.2.1", "192.0.2.1");
	/* Characters, where Python sees characters. */
	check("^[\xd0\xb0-\xd1\x8f]+ <HOST>$", "\xd0\xb4\xd0\xb0 192.0.2.1", "192.0.2.1");
	check("^[\\u0400-\\u04ff]+ <HOST>$", "\xd0\xb4\xd0\xb0 192.0.2.1", "192.0.2.1");
	check("^[\\u00e9\\U0001f600]+ <HOST>$", "\xf0\x9f\x98\x80\xc3\xa9 192.0.2.1", "192.0.2.1");
	check("^[^\\u00e9]+ <HOST>$", "\xc3\xa9 192.0.2.1", "-");
	check("^.{2} \\w{2} <HOST>$", "\xc3\xa9\xc3\xa9 \xc3\xa9\xc3\xa9 192.0.2.1", "192.0.2.1");
	check("^\\w+ <HOST>$", "e\xcc\x81 192.0.2.1", "-");
	check("^\\w\\W <HOST>$", "e\xcc\x81 192.0.2.1", "192.0.2.1");
	check("^[\\w-]+ <HOST>$", "\xc3\xa9-e 192.0.2.1", "192.0.2.1");
	check("from <HOST>$", "from \xcc\x81", "-");
	check("from <DNS>$", "from \xc3\xa9.example", "\xc3\xa9.example");
	check("^[\\w.]+ <HOST>$", "e\xcc\x81 192.0.2.1", "-");
	check("^x\\sy <HOST>$", "x\xe3\x80\x80y 192.0.2.1", "192.0.2.1");
	check("^x\\sy <HOST>$", "x\x1cy 192.0.2.1", "192.0.2.1");
	check("^x\\Sy <HOST>$", "x\x1fy 192.0.2.1", "-");
	check("^x[\\s,]y <HOST>$", "x\x1dy 192.0.2.1", "192.0.2.1");
	check("^\\S\\S <HOST>$", "\xff\xe2\x82 192.0.2.1", "192.0.2.1");
	check("^\\w+ <HOST>$", "m\xc3\xbcnchen 192.0.2.1", "192.0.2.1");
	/* Bytes that are no UTF-8 hide nothing. */
	check("^for .* from <HOST>$", "for ad\xffmin from 192.0.2.1", "192.0.2.1");
	check("^for .* from <HOST>$", "for \xc3 from 192.0.2.1\r\n", "192.0.2.1");
}

static void fields(void **state)
{
	struct filter *fl = good("^<F-MLFID>p\\d+</F-MLFID> <F-CONTENT>.+</F-CONTENT>$",
		"^<F-NOFAIL>hello</F-NOFAIL> <HOST>|^bye <F-COUNT>\\d+</F-COUNT>x <HOST> port "
		"<F-PORT/>(?: as <F-USER>\\w*</F-USER>)?(?: or "
		"<F-ALT_USER_1>\\w+</F-ALT_USER_1>)?$",
		"ign");
	struct match m;

#define JUDGE(s) filter_judge(fl, NULL, s, strlen(s), 0, &m)
	(void)state;
	assert_int_equal(JUDGE("p1 hello 192.0.2.1"), VERDICT_NOFAIL);
	assert_string_equal(field(&m, "mlfid"), "p1");
	assert_true(m.has_addr);
	assert_int_equal(JUDGE("p2 bye 7x 192.0.2.1 port ssh as bob"), VERDICT_MATCH);
	assert_string_equal(field(&m, "user"), "bob");
	assert_string_equal(field(&m, "fport"), "ssh");
	assert_null(field(&m, "nofail"));
	assert_int_equal(m.count, 7);
	assert_int_equal(m.host_len, 9);
	assert_int_equal(JUDGE("p3 bye 0x 192.0.2.1 port ssh as  or eve"), VERDICT_MATCH);
	assert_int_equal(m.count, 1);
	assert_string_equal(field(&m, "user"), "eve");
	assert_int_equal(JUDGE("p4 bye 99999999999999999999x 192.0.2.1 port ssh"), VERDICT_MATCH);
	assert_int_equal(m.count, 1000);
	assert_null(field(&m, "user"));
	assert_int_equal(JUDGE("p5 bye 1x 192.0.2.1 port ssh as bob or eve"), VERDICT_MATCH);
	assert_string_equal(field(&m, "user"), "bob");
	assert_int_equal(JUDGE("p1 bye 1x 192.0.2.1 port ign"), VERDICT_IGNORED);
	assert_int_equal(JUDGE("p1 nothing ign"), VERDICT_MISS);
	assert_int_equal(JUDGE("bye 1x 192.0.2.1 port ssh"), VERDICT_MISS);
	assert_int_equal(JUDGE(""), VERDICT_MISS);
	filter_free(fl);
	/* A session's line may leave the host to another line. */
	fl = good("^<F-MLFID>p\\d+</F-MLFID> ", "bye$", NULL);
	assert_int_equal(JUDGE("p1 bye"), VERDICT_NOFAIL);
	assert_null(m.host);
	filter_free(fl);
#undef JUDGE
}

/* What prefregex leaves ends with a newline; what stands behind it in the line stays what it is. */
static void content(void **state)
{
	struct filter *fl =
		good("^<F-MLFID>\\w+</F-MLFID> <F-CONTENT>\\w+ \\[</F-CONTENT><HOST>\\]$",
			"^<F-USER>[^[]+</F-USER> <F-REST>\\[\\s*</F-REST>$", NULL);
	const char line[] = "s1 joe [192.0.2.1]";
	struct match m;

	(void)state;
	assert_int_equal(filter_judge(fl, NULL, line, strlen(line), 0, &m), VERDICT_MATCH);
	assert_true(m.has_addr);
	assert_string_equal(field(&m, "user"), "joe");
	assert_string_equal(field(&m, "rest"), "[\n");
	filter_free(fl);
	fl = good("^<F-CONTENT>\\w+ \\[</F-CONTENT><HOST>\\]$", "^\\w+ <F-REST>\\[\\s*</F-REST>$",
		NULL);
	assert_int_equal(filter_judge(fl, NULL, line + 3, strlen(line + 3), 0, &m), VERDICT_MATCH);
	assert_true(m.has_addr);
	assert_string_equal(field(&m, "rest"), "[\n");
	filter_free(fl);
}

/* So large that it compiles, but not with what counts its steps. */
static void large(void **state)
{
	static char regex[16384] = "^<HOST> (?:", line[4096] = "192.0.2.1 word-number-999";
	size_t len = strlen(regex);
	struct filter *fl;
	struct match m;

	(void)state;
	for (unsigned i = 100; i < 1000; i++)
		len += (size_t)snprintf(regex + len, sizeof(regex) - len, "word-number-%u|", i);
	strcpy(regex + len - 1, ")(?: |$)");
	fl = good(NULL, regex, NULL);
	assert_int_equal(filter_judge(fl, NULL, line, strlen(line), 0, &m), VERDICT_MATCH);
	memset(line + strlen(line), ' ', sizeof(line) - strlen(line));
	assert_int_equal(filter_judge(fl, NULL, line, sizeof(line), 0, &m), VERDICT_MATCH);
	filter_free(fl);
}

/* More fields than there are places for. */
static void crowded(void **state)
{
	struct faults f = {0};
	struct filter *fl = NULL;
	char regex[2048] = "^";
	size_t len = 1;

	(void)state;
	for (unsigned i = 0; i < 28; i++)
		len += (size_t)snprintf(regex + len, sizeof(regex) - len, "<F-X%u>.</F-X%u>", i, i);
	assert_int_equal(make(&fl, &f, NULL, NULL, regex), 0);
	assert_int_equal(f.n, 1); /* that it has no failregex */
	filter_free(fl);
	faults_done(&f);
	strcpy(regex + len, "<F-ONEMORE>.</F-ONEMORE>");
	assert_int_equal(make(&fl, &f, NULL, NULL, regex), 0);
	assert_int_equal(f.n, 2);
	assert_non_null(strstr(f.items[1].message, "more than 28 different fields"));
	filter_free(fl);
	faults_done(&f);
}

static void faulty(void **state)
{
	static const struct {
		const char *pref, *fail, *ignore, *message;
		unsigned line;
	} cases[] = {
		{NULL, "no address", NULL, "nothing in it says who it was", 7},
		{NULL, "^<HOST> (open", NULL, "missing closing parenthesis at column 14", 7},
		{NULL, "<HOST> a** (?z)", NULL,
			"at column 10, after \"<HOST> a*\", before \"* (?z)\"", 7},
		{NULL, "<HOST> x[z-a]", NULL, "column 12", 7},
		{NULL, "<HOST>\\", NULL, "a backslash at the end at column 7", 7},
		{NULL, "<F-USER>x <HOST>", NULL, "missing closing parenthesis", 7},
		{NULL, "(*UTF)<HOST>", NULL, "failregex: ", 7},
		{NULL, " ", NULL, "empty", 7},
		{"(", "<HOST>", NULL, "prefregex: ", 5},
		{NULL, "<HOST>", "(", "ignoreregex: ", 9},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct filter *fl = (struct filter *)&cases;
		struct faults f = {0};

		assert_int_equal(make(&fl, &f, cases[i].pref, cases[i].fail, cases[i].ignore), -22);
		assert_ptr_equal(fl, &cases);
		assert_int_equal(f.n, 1);
		assert_int_equal(f.items[0].severity, FAULT_ERROR);
		assert_int_equal(f.items[0].line, cases[i].line);
		if (strstr(f.items[0].message, cases[i].message) == NULL)
			fail_msg("%s: %s", cases[i].fail, f.items[0].message);
		faults_done(&f);
	}
}

/* An expression that explodes is cut off and counted, never just "no match". */
static void explodes(void **state)
{
	struct filter *fl = good(NULL, "^(?:(a+)+)+b <HOST>$", NULL);
	char line[2000];
	struct match m;

	(void)state;
	memset(line, 'a', sizeof(line));
	memcpy(line + sizeof(line) - 5, "c b 1", 5);
	assert_int_equal(filter_judge(fl, NULL, line, sizeof(line), 0, &m), VERDICT_MISS);
	assert_true(filter_stats(fl)->limit_hits > 0);
	assert_true(filter_stats(fl)->jit_retries > 0);
	/* It goes on as if nothing had been. */
	assert_int_equal(filter_judge(fl, NULL, "aab 192.0.2.1", 13, 0, &m), VERDICT_MATCH);
	filter_free(fl);
}

/* A long line costs no more than so much, also where compiled code would not notice the cost. */
static void long_lines(void **state)
{
	struct filter *fl = good(NULL, "^for (?:\\S+|.*?)\\s*: wrong, IP: <HOST>$", "^.*b.*c.*d$");
	static char line[60000];
	struct match m;

	(void)state;
	memset(line, ' ', sizeof(line));
	memcpy(line, "for x", 5);
	memcpy(line + sizeof(line) - 25, "x: wrong, IP: 192.0.2.1", 23);
	assert_int_equal(filter_judge(fl, NULL, line, sizeof(line), 0, &m), VERDICT_MISS);
	/* The line is counted once, however many expressions did not get to see it. */
	assert_int_equal(filter_stats(fl)->limit_hits, 1);
	/* The next may cost as much again, and what is ordinary costs little. */
	memset(line, 'x', sizeof(line));
	memcpy(line, "for x", 5);
	memcpy(line + sizeof(line) - 23, ": wrong, IP: 192.0.2.1\n", 23);
	assert_int_equal(filter_judge(fl, NULL, line, sizeof(line), 0, &m), VERDICT_MATCH);
	assert_int_equal(filter_stats(fl)->limit_hits, 1);
	filter_free(fl);
}

/* What would not fit the stack that compiled code has by default. */
static void deep(void **state)
{
	struct filter *fl = good(NULL, "^(?:(a|b|c)(?:x|y))+ from <HOST>$", NULL);
	char line[16384];
	struct match m;

	(void)state;
	for (size_t i = 0; i < 12000; i += 2) {
		line[i] = (char)('a' + i % 3);
		line[i + 1] = 'x';
	}
	strcpy(line + 12000, " from 192.0.2.1");
	assert_int_equal(filter_judge(fl, NULL, line, strlen(line), 0, &m), VERDICT_MATCH);
	assert_int_equal(filter_stats(fl)->limit_hits, 0);
	filter_free(fl);
}

static struct filter *load(const char *spec, struct arena **ret_arena)
{
	struct faults f = {0};
	struct filter_def *def = NULL;
	struct filter *fl = NULL;
	const char *conf = getenv("STOCKADE_TEST_CONF");

	*ret_arena = arena_new();
	assert_non_null(conf);
	if (ruleset_load_filter(&def, *ret_arena, conf, spec, &f) < 0 ||
		filter_new(&fl, def, &f) < 0)
		fail_msg("%s: %s", spec, f.n > 0 ? f.items[0].message : "?");
	assert_int_equal(f.n, 0);
	faults_done(&f);
	return fl;
}

/* Compiled by the parent, used by the child. */
static void forked(void **state)
{
	struct arena *arena;
	struct filter *fl = load("sshd", &arena);
	const char *line = " srv sshd[1]: Invalid user x from 192.0.2.1 port 1";
	struct match m;
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(filter_judge(fl, NULL, line, strlen(line), 0, &m) == VERDICT_MATCH ? 0 : 1);
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	filter_free(fl);
	arena_free(arena);
}

/*
 * How sshd writes a name into a message: at most raw bytes of it, each at most `wide` bytes long
 * once made visible (twice, for what the unprivileged process says). The whole is cut at 500 bytes.
 */
static const struct shape {
	const char *before, *after; /* "@" is the peer's address */
	size_t raw;
	size_t wide;
	bool counts;
} shapes[] = {
	{"Failed password for invalid user ", " from @ port 4711 ssh2", 100, 4, true},
	{"Failed password for ", " from @ port 4711 ssh2", 100, 4, true},
	{"Failed keyboard-interactive/pam for invalid user ", " from @ port 4711 ssh2", 100, 4,
		true},
	{"Failed publickey for invalid user ",
		" from @ port 4711 ssh2: RSA "
		"SHA256:AbCdEfGhIjKlMnOpQrStUvWxYz0123456789+/AbCdE",
		100, 4, true},
	{"Failed publickey for ", " from @ port 4711 ssh2", 100, 4, true},
	{"Invalid user ", " from @ port 4711", 100, 4, true},
	{"Invalid user ", " from @", 100, 4, true},
	{"error: PAM: Authentication failure for illegal user ", " from @", 100, 4, true},
	{"User ", " from @ not allowed because not listed in AllowUsers", 100, 4, true},
	{"error: maximum authentication attempts exceeded for invalid user ",
		" from @ port 4711 ssh2 [preauth]", 100, 5, true},
	{"administratively prohibited connection for invalid user ", " from @ port 4711", 100, 4,
		true},
	{"Connection closed by invalid user ", " @ port 4711 [preauth]", 187, 5, true},
	{"Connection reset by authenticating user ", " @ port 4711 [preauth]", 180, 5, true},
	{"Disconnected from invalid user ", " @ port 4711 [preauth]", 187, 5, true},
	{"Disconnecting invalid user ", " @ port 4711: Too many authentication failures [preauth]",
		187, 5},
	{"fatal: Connection reset by invalid user ", " @ port 4711 [preauth]", 187, 5, true},
	{"Bad protocol version identification '", "' from @ port 4711", 200, 4, true},
	{"Received disconnect from @ port 4711:3: ", ": Auth fail [preauth]", 400, 4},
	{"Received disconnect from @ port 4711:14: ", " [preauth]", 400, 4},
	{"Unable to negotiate with @ port 4711: no matching cipher found. Their offer: ",
		" [preauth]", 400, 5},
	{"Failed publickey for root from @ port 4711 ssh2: RSA-CERT SHA256:"
	 "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789+/AbCdE ID ",
		" (serial 0) CA RSA SHA256:AbCdEfGhIjKlMnOpQrStUvWxYz0123456789+/AbCdE", 600, 4},
	{"Failed hostbased for root from @ port 4711 ssh2: RSA SHA256:"
	 "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789+/AbCdE, client user \"",
		"\", client host \"x\"", 100, 4},
	{"Disconnecting invalid user x @ port 4711: Change of username or service not allowed: (",
		") [preauth]", 55, 5},
	{"Protocol major versions differ for @ port 4711: SSH-2.0-x vs. ", "", 200, 4},
	{"probed from @ port 4711 with ", ".  Don't panic.", 200, 4},
	{"error: kex_exchange_identification: client sent invalid protocol identifier \"", "\"",
		256, 4},
	{"drop connection #1 from [@]:4711 on [203.0.113.1]:22 penalty: ", "", 0, 4},
	{"pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= "
	 "rhost=@  "
	 "user=",
		"", 100, 4},
};

#define FAKE_FP "SHA256:ZbCdEfGhIjKlMnOpQrStUvWxYz0123456789+/AbCdE"

static const char *const names[] = {
	"",
	"root",
	"a b",
	"x from " VICTIM " port 22 ssh2",
	"x from " VICTIM " port 22",
	"x from " VICTIM,
	" from " VICTIM " port 22 ssh2 [preauth]",
	"from " VICTIM,
	VICTIM,
	VICTIM " port 22",
	"x " VICTIM " port 22",
	"x " VICTIM " port 22 [preauth]",
	"invalid user " VICTIM " port 22 [preauth]",
	"x " VICTIM " [preauth]",
	"x " VICTIM " port 22: Too many authentication failures [preauth]",
	"x " VICTIM " port 22: no matching cipher found",
	"x from " VICTIM " port 22 ssh2: RSA " FAKE_FP,
	"x from " VICTIM " not allowed because not listed in AllowUsers",
	"x' from " VICTIM " port 22",
	"' from " VICTIM,
	"x] from " VICTIM " port 22 ssh2]",
	"x from " VICTIM " port 22 ssh2]",
	"]",
	"[" VICTIM "]",
	"\"'`$(x);|&",
	"\xff\xfe from " VICTIM " port 22 ssh2",
	"sshd[1]: Invalid user y from " VICTIM " port 22",
	"srv sshd[1]: Failed password for x from " VICTIM " port 22 ssh2",
	"Nov 20 07:12:49 srv sshd[1]: Invalid user y from " VICTIM,
	"message repeated 9 times: [ Failed password for x from " VICTIM " port 22 ssh2]",
	"x: Auth fail",
	VICTIM ": 3: x: Auth fail",
	"x rhost=" VICTIM "  user=y",
	" rhost=" VICTIM " ",
	"x for y from " VICTIM,
	"x from ::ffff:" VICTIM " port 22 ssh2",
	"x from [" VICTIM "] port 22 ssh2",
	"x (" VICTIM ")",
	"x to " VICTIM ", pid = 1",
};

/*
 * Puts together what sshd says of a name behind n unprintable bytes and with so many blanks after
 * it.
 */
static void say(char *dst, size_t size, const struct shape *s, const char *addr, const char *name,
	size_t n, size_t blanks, bool is_repeated)
{
	static unsigned pid; /* each line is of a session of its own */
	const char *parts[] = {s->before, NULL, s->after};
	size_t len = 0;
	char head[80], msg[8192];

	for (size_t i = 0; i < 3; i++) {
		for (size_t k = 0; i == 1 && k < n; k++)
			len += (size_t)snprintf(msg + len, sizeof(msg) - len, "%s",
				s->wide == 5 ? "\\\\377" : "\\377");
		for (const char *p = i == 1 ? name : parts[i]; *p != '\0'; p++) {
			if (*p == '@' && i != 1)
				len += (size_t)snprintf(msg + len, sizeof(msg) - len, "%s", addr);
			else
				msg[len++] = *p;
		}
		if (i == 1)
			len += (size_t)snprintf(
				msg + len, sizeof(msg) - len, "%*s", (int)blanks, "");
	}
	if (len > 500)
		len = 500;
	while (len > 0 && msg[len - 1] == ' ')
		len--;
	snprintf(head, sizeof(head), " srv sshd[%u]: %s", ++pid,
		is_repeated ? "message repeated 2 times: [ " : "");
	snprintf(dst, size, "%s%.*s%s", head, (int)len, msg, is_repeated ? "]" : "");
}

/*
 * Whatever the name, however far it is pushed towards the cut: the address is the peer's or there
 * is none. And what no unprintable byte was in, and counts in this mode, is found.
 */
static void push(struct filter *fl, const struct shape *s, const char *name, unsigned *n_match)
{
	static const char *const addrs[] = {ATTACKER, "2001:db8:1:2:3:4:5:6"};
	size_t room = s->raw - strlen(name);

	for (size_t n = 0; n <= room; n++) {
		size_t start = strlen(s->before) + n * s->wide;

		/* Far from the cut one is like the other. */
		if (n > 0 && start + strlen(name) + room - n < 400)
			continue;
		if (start > 500)
			break;
		for (unsigned j = 0; j < 8; j++) {
			const char *addr = addrs[j & 1];
			char line[2048];
			struct addr want;
			struct match m;
			enum verdict v;

			say(line, sizeof(line), s, addr, name, n, (j & 4) != 0 ? room - n : 0,
				(j & 2) != 0);
			v = filter_judge(fl, NULL, line, strlen(line), 0, &m);
			addr_parse(&want, addr, strlen(addr));
			if (m.host == NULL || v < VERDICT_NOFAIL)
				assert_true(v != VERDICT_MATCH);
			else if (!m.has_addr || !addr_eq(&m.addr, &want))
				fail_msg("forged: %s", line);
			if (n == 0 && s->counts && v != VERDICT_MATCH)
				fail_msg("missed: %s", line);
			*n_match += v == VERDICT_MATCH;
		}
	}
}

static void never_the_victim(void **state)
{
	struct arena *arena;
	struct filter *fl = load("sshd[mode=aggressive, publickey=any]", &arena);
	unsigned n_match = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
			char name[512];

			snprintf(name, sizeof(name), "%.*s", (int)shapes[i].raw, names[k]);
			push(fl, &shapes[i], name, &n_match);
		}
	}
	assert_true(n_match > 100000);
	assert_int_equal(filter_stats(fl)->limit_hits, 0);
	assert_int_equal(filter_stats(fl)->jit_retries, 0);
	filter_free(fl);
	arena_free(arena);
}

/* Lines without measure: an answer, and no error counted that ordinary lines would not have. */
static void huge(void **state)
{
	static char line[1 << 20];
	struct arena *arena;
	struct filter *fl = load("sshd[mode=aggressive]", &arena);
	const char *head = " srv sshd[1]: Invalid user ", *tail = " from 192.0.2.1 port 1";
	struct match m;

	(void)state;
	for (int fill = 0; fill < 256; fill += 51) {
		memset(line, fill, sizeof(line));
		filter_judge(fl, NULL, line, sizeof(line), 0, &m);
		memcpy(line, head, strlen(head));
		filter_judge(fl, NULL, line, sizeof(line), 0, &m);
		memcpy(line + sizeof(line) - strlen(tail), tail, strlen(tail));
		filter_judge(fl, NULL, line, sizeof(line), 0, &m);
	}
	filter_free(fl);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts),
		cmocka_unit_test(dialect),
		cmocka_unit_test(fields),
		cmocka_unit_test(content),
		cmocka_unit_test(large),
		cmocka_unit_test(crowded),
		cmocka_unit_test(faulty),
		cmocka_unit_test(explodes),
		cmocka_unit_test(long_lines),
		cmocka_unit_test(deep),
		cmocka_unit_test(forked),
		cmocka_unit_test(never_the_victim),
		cmocka_unit_test(huge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
