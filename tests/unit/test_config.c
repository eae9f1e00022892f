/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config_fixture.h"

/* One filter file as "f.conf"; returns its definition or fails the test. */
static struct filter_def *load_filter(struct fixture *f, struct arena *arena, const char *spec)
{
	struct filter_def *def = NULL;
	int r = ruleset_load_filter(&def, arena, f->dir, spec, &f->faults);

	free(f->said);
	fixture_tell(f);
	if (r != 0 || f->faults.n != 0)
		fail_msg("%s: %s", spec, f->said);
	return def;
}

/* The failregexes of filter f with that text, "; " between. */
static void filter_says(const char *text, const char *spec, const char *want)
{
	struct arena *arena = arena_new();
	struct filter_def *def;
	char got[4096] = "";
	struct fixture f;

	fixture_init(&f);
	fixture_file(&f, "filter.d/f.conf", text);
	def = load_filter(&f, arena, spec);
	for (size_t i = 0; i < def->n_failregex; i++) {
		if (i > 0)
			strcat(got, "; ");
		strcat(got, def->failregex[i].text);
	}
	assert_string_equal(got, want);
	arena_free(arena);
	fixture_done(&f);
}

static void lexing(void **state)
{
	(void)state;
	filter_says("[Definition]\nfailregex = a\n", "f", "a");
	filter_says("[Definition]\nfailregex: a=b\n", "f", "a=b");
	filter_says("[Definition]\nfailregex=a:b\n", "f", "a:b");
	filter_says("[Definition]\nFailRegex = a\n", "f", "a");
	filter_says("\xef\xbb\xbf[Definition]\r\nfailregex = a\r\n b\r\n", "f", "a; b");
	filter_says("[Definition]\nfailregex = a", "f", "a");
	/* Continuations: deeper than where the option began, over blank lines and comments. */
	filter_says("[Definition]\nfailregex = a\n\n# no\n  ; no\n\t# no\n  b\n  [c]\n   d = e\n",
		"f", "a; b; [c]; d = e");
	filter_says("[Definition]\n  failregex = a\n  maxlines = 2\n     # c\n", "f", "a");
	filter_says("[Definition]\nfailregex =\n  a\n  b\n", "f", "a; b");
	/* ';' is a comment after a blank, '#' only at the start of a line. */
	filter_says("[Definition] ; x\nfailregex = a;b#c #d ; e ; f\n", "f", "a;b#c #d");
	filter_says("[Definition]\nfailregex = a ;b\n  c\t; d\n", "f", "a; c");
}

static void interpolation(void **state)
{
	(void)state;
	filter_says("[DEFAULT]\na = 1\nb = <%(a)s>\n[Definition]\nfailregex = x%(b)s%(A)s%%\n", "f",
		"x<1>1%");
	filter_says("[DEFAULT]\na = 1\n[s]\nb = 2\n[Definition]\nfailregex = %(s/b)s %(s/a)s "
		    "%(default/a)s %(DEFAULT/a)s\n",
		"f", "2 1 1 1");
	/* A foreign value is expanded in the terms of whoever asks. */
	filter_says("[s]\nb = %(c)s\nc = 1\n[Definition]\nc = 2\nfailregex = %(s/b)s\n", "f", "2");
	filter_says("[Definition]\nfailregex = %(__name__)s\n", "f", "Definition");
	filter_says("[Definition]\nm = a\n    b\nfailregex = 1%(m)s2\n", "f", "1a; b2");
	/* What is %(known)... without an earlier file is [DEFAULT]'s. */
	filter_says(
		"[DEFAULT]\np = 1\n[Definition]\np = %(known/p)s2\nfailregex = %(p)s\n", "f", "12");
}

static void tags(void **state)
{
	(void)state;
	filter_says("[Definition]\na = 1\nfailregex = x<a><B9> <HOST> <F-USER>\\S+</F-USER>\n", "f",
		"x1<B9> <HOST> <F-USER>\\S+</F-USER>");
	filter_says("[Definition]\nhost = 1\nfailregex = <HOST><host><ADDR><IP4><SKIPLINES>\n", "f",
		"<HOST>1<ADDR><IP4><SKIPLINES>");
	filter_says(
		"[Definition]\nmode = n\nre-n = 1\nre-a = 2\nfailregex = <re-<mode>>\n", "f", "1");
	filter_says("[Definition]\nmode = n\nre-n = 1\nre-a = 2\nfailregex = <re-<mode>>\n",
		"f[mode=a]", "2");
	filter_says("[Definition]\nmode = n\nre-n-x = 1\nre-a-x = 2\nfailregex = <re-<mode>-x>\n",
		"f[mode=a]", "2");
	filter_says(
		"[Definition]\nt = f\nfailregex = <lt_<t>/p>\n[lt_f]\np = <q>1\n[DEFAULT]\nq = 0\n",
		"f", "01");
	filter_says("[Definition]\nm = a\n    b\nfailregex = 1<m>2<m>\n", "f", "1a; b2a; b");
	filter_says("[Init]\nm = a\n[Definition]\nfailregex = <m>\n", "f", "a");
	filter_says(
		"[Init]\nm = a\n[Definition]\nfailregex = <m>\n", "f[m=\"b|<known/m>\"]", "b|a");
	filter_says("[Definition]\nm = a\nfailregex = <m>\n", "f[m=\"b|<known/m>\"]", "b|a");
	filter_says("[Definition]\nm = a\nfailregex = <m>%(m)s\n", "f[m=b]", "bb");
	filter_says("[Definition]\nfailregex = (?P<u>x)(?<=a)(?<!b)<a b><>a > b < c\n", "f",
		"(?P<u>x)(?<=a)(?<!b)<a b><>a > b < c");
	filter_says("[Definition]\nfailregex = <logtype>\n", "f", "file");
	filter_says("[Definition]\nlogtype = z\nfailregex = <logtype>\n", "f", "z");
	/* Conditional sections stand apart. */
	filter_says("[Init]\nm = 4\n[Init?family=inet6]\nm = 6\n[Definition]\nfailregex = <m>\n",
		"f", "4");
}

static void layers(void **state)
{
	struct arena *arena = arena_new();
	struct filter_def *def;
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_file(&f, "filter.d/f.conf",
		"[INCLUDES]\nbefore = common.conf\n         sub/two.conf\nafter = later.local\n"
		"[Definition]\nfailregex = %(p)s1\n            2\n_z = 0\n");
	fixture_file(&f, "filter.d/common.conf", "[DEFAULT]\np = c\nq = c\n");
	fixture_file(&f, "filter.d/common.local", "[DEFAULT]\nq = cl\n");
	fixture_file(&f, "filter.d/sub/two.conf", "[INCLUDES]\nbefore = one.conf\n");
	fixture_file(&f, "filter.d/sub/one.conf", "[DEFAULT]\nr = one\n");
	fixture_file(
		&f, "filter.d/f.d/b.conf", "[Definition]\nfailregex = %(known/failregex)s\n b\n");
	fixture_file(
		&f, "filter.d/f.d/a.conf", "[Definition]\nfailregex = %(known/failregex)s\n a\n");
	fixture_file(&f, "filter.d/f.d/c.conf~", "garbage\n");
	fixture_file(&f, "filter.d/f.local",
		"[Definition]\nfailregex = %(known/failregex)s\n %(q)s%(r)s\nignoreregex = i\n"
		"prefregex = ^p$\ndatepattern = %%Y\njournalmatch = A=1\n  B=2\nmaxlines = 3\n");
	def = load_filter(&f, arena, "f");
	assert_string_equal(def->name, "f");
	assert_int_equal(def->n_failregex, 5);
	assert_string_equal(def->failregex[0].text, "c1");
	assert_int_equal(def->failregex[0].where.line, 6);
	assert_non_null(strstr(def->failregex[0].where.file, "/filter.d/f.conf"));
	assert_string_equal(def->failregex[1].text, "2");
	assert_int_equal(def->failregex[1].where.line, 7);
	assert_string_equal(def->failregex[2].text, "a");
	assert_non_null(strstr(def->failregex[2].where.file, "/filter.d/f.d/a.conf"));
	assert_int_equal(def->failregex[2].where.line, 3);
	assert_string_equal(def->failregex[3].text, "b");
	assert_string_equal(def->failregex[4].text, "clone");
	assert_non_null(strstr(def->failregex[4].where.file, "/filter.d/f.local"));
	assert_int_equal(def->n_ignoreregex, 1);
	assert_string_equal(def->prefregex.text, "^p$");
	assert_string_equal(def->datepattern.text, "%Y");
	assert_string_equal(def->journalmatch.text, "A=1 + B=2");
	assert_int_equal(def->maxlines, 3);
	arena_free(arena);
	fixture_done(&f);
}

static void filter_by_path(void **state)
{
	struct arena *arena = arena_new();
	struct filter_def *def;
	struct fixture f;
	char spec[128];

	(void)state;
	fixture_init(&f);
	fixture_file(&f, "mine.conf", "[Definition]\nfailregex = <x>\n");
	fixture_file(&f, "mine.local", "[Definition]\nx = 2\n");
	snprintf(spec, sizeof(spec), "%s/mine.conf", f.dir);
	def = load_filter(&f, arena, spec);
	assert_string_equal(def->failregex[0].text, "2");
	assert_null(def->prefregex.text);
	assert_int_equal(def->maxlines, 1);
	snprintf(spec, sizeof(spec), "%s/mine[x='3']", f.dir);
	assert_string_equal(load_filter(&f, arena, spec)->failregex[0].text, "3");
	/* Below filter.d, as a jail may say. */
	fixture_file(&f, "filter.d/sub/y.conf", FILTER_X);
	assert_string_equal(load_filter(&f, arena, "sub/y")->failregex[0].text, "^x <HOST>$");
	assert_string_equal(load_filter(&f, arena, "sub/y.conf")->name, "sub/y.conf");
	arena_free(arena);
	fixture_done(&f);
}

static void options(void **state)
{
	const char *text =
		"[Definition]\na = 1\nb = 2\nc-d.e_f = 3\nfailregex = <a> <b> <c-d.e_f>\n";

	(void)state;
	filter_says(text, "f", "1 2 3");
	filter_says(text, "f[]", "1 2 3");
	filter_says(text, "f[a=x]", "x 2 3");
	filter_says(text, "f[a=\"x, ]y\", b='\"q\"', C-d.e_f= z ]", "x, ]y \"q\" z");
	filter_says(text, "f[a=x][b=y]", "x y 3");
	filter_says(text, "f[a=x, a=y,]", "y 2 3");
	filter_says(text, "f [a=x\n, b=y] ", "x y 3");
	filter_says(text, "f[a=]", " 2 3");
}

static void jail_defaults(void **state)
{
	const struct jail *j;
	struct fixture f;

	(void)state;
	fixture_good(&f, "[off]\nlogpath = /off\n[x]\nenabled = yes\nlogpath = /var/log/x\n");
	assert_int_equal(f.rs->n_jails, 1);
	j = &f.rs->jails[0];
	assert_ptr_equal(ruleset_jail(f.rs, "x"), j);
	assert_null(ruleset_jail(f.rs, "off"));
	assert_int_equal(j->id, 0);
	assert_string_equal(j->set, "x");
	assert_int_equal(j->where.line, 3);
	assert_string_equal(j->filter->name, "x");
	assert_int_equal(j->sources, SOURCE_FILE);
	assert_int_equal(j->n_logpaths, 1);
	assert_string_equal(j->logpaths[0].pattern, "/var/log/x");
	assert_int_equal(j->logpaths[0].where.line, 5);
	assert_int_equal(j->maxretry, 3);
	assert_int_equal(j->findtime_sec, 600);
	assert_int_equal(j->bantime_sec, 600);
	assert_true(j->ignoreself);
	assert_false(j->shadow);
	assert_int_equal(j->protocols, PROTO_TCP);
	assert_int_equal(j->n_ports, 0);
	assert_int_equal(f.rs->loglevel, LOG_LV_INFO);
	assert_string_equal(f.rs->logtarget, "STDERR");
	assert_string_equal(f.rs->syslogsocket, "auto");
	assert_string_equal(f.rs->user, "stockade");
	assert_int_equal(f.rs->memory, 64000000);
	assert_int_equal(f.rs->dbmaxmatches, 10);
	assert_int_equal(f.rs->purgeage_sec, 86400);
	assert_int_equal(f.rs->syslog.n_listen, 0);
	fixture_done(&f);
}

static bool holds(const struct prefixset *s, const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(&a, text, strlen(text)), 0);
	return prefixset_contains(s, &a);
}

static void jail_values(void **state)
{
	const struct jail *j;
	struct fixture f;

	(void)state;
	fixture_good(&f,
		"[DEFAULT]\nignoreip = 127.0.0.1/8 ::1,10.0.0.0/255.0.0.0\nmaxretry = 7\n"
		"[x]\nenabled = true\nfilter = x\nlogpath = /a /b tail /c*\n  /d head\n  /e tail\n"
		"maxretry = 1\nfindtime = 1h 30m\nbantime = -1\nignoreself = no\nshadow = on\n"
		"ignoreip = 192.0.2.0/24\nprotocol = tcp,udp\nport = ssh,80, 81 1000:2000,443,79\n"
		"[y]\nenabled = 1\nfilter = x\nbackend = systemd[journalflags=1]\nport =\nprotocol "
		"= all\n"
		"bantime = 1w\n");
	j = ruleset_jail(f.rs, "x");
	assert_int_equal(j->n_logpaths, 5);
	assert_string_equal(j->logpaths[2].pattern, "/c*");
	assert_int_equal(j->logpaths[4].where.line, 9);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(j->logpaths[i].tail, i == 1 || i == 4);
	assert_int_equal(j->maxretry, 1);
	assert_int_equal(j->findtime_sec, 5400);
	assert_int_equal(j->bantime_sec, -1);
	assert_false(j->ignoreself);
	assert_true(j->shadow);
	assert_true(holds(&j->ignoreip, "192.0.2.9"));
	assert_false(holds(&j->ignoreip, "127.0.0.1"));
	assert_int_equal(j->protocols, PROTO_TCP | PROTO_UDP);
	assert_int_equal(j->n_ports, 4);
	assert_int_equal(j->ports[0].lo, 22);
	assert_int_equal(j->ports[1].lo, 79);
	assert_int_equal(j->ports[1].hi, 81);
	assert_int_equal(j->ports[2].lo, 443);
	assert_int_equal(j->ports[3].hi, 2000);
	j = ruleset_jail(f.rs, "y");
	assert_int_equal(j->id, 1);
	assert_int_equal(j->sources, SOURCE_JOURNAL);
	assert_int_equal(j->maxretry, 7);
	assert_int_equal(j->n_ports, 0);
	assert_int_equal(j->protocols, PROTO_ALL);
	assert_int_equal(j->bantime_sec, 604800);
	assert_true(holds(&j->ignoreip, "10.1.2.3"));
	assert_true(holds(&f.rs->allow, "::1"));
	assert_false(holds(&f.rs->allow, "192.0.2.1"));
	fixture_done(&f);
}

static void jail_options(void **state)
{
	const struct action_def *a;
	const struct jail *j;
	struct fixture f;

	(void)state;
	fixture_said(&f,
		"[DEFAULT]\nenabled = 1\nfilter = x\nlogpath = /l\nmaxretry = 7\n[a]\n"
		"[b]\nusedns = RAW\nmaxmatches = 3\nlogencoding = utf-16\nlogtimezone = UTC+0200\n"
		"ignorecommand = /bin/x <ip>\n  || y\n"
		"ignorecache = key=\"<F-USER>@<ip>\", max-count=9, max-time=1h\n"
		"backend = systemd[journalflags=1]\n"
		"action = iptables[port=ssh]\n  stockade[name=b, protocol=\"tcp,udp\"] "
		"nftables-allports\n"
		"bantime.increment = true\nbantime.factor = 2\nbantime.multipliers = 1 2 4\n"
		"bantime.formula = ban.Time * 2\nbantime.maxtime = 5w\nbantime.rndtime = 1h\n"
		"bantime.overalljails = yes\n",
		"jail.conf:18: warning: bantime.increment is not done by this version: every ban "
		"lasts as long as bantime says\n");
	j = &f.rs->jails[0];
	assert_int_equal(j->usedns, USEDNS_WARN);
	assert_int_equal(j->maxmatches, 7);
	assert_null(j->logencoding.text);
	assert_null(j->logtimezone.text);
	assert_null(j->ignorecommand.text);
	assert_null(j->ignorecache.key);
	assert_null(j->backend.text);
	assert_int_equal(j->n_actions, 0);
	assert_false(j->growth.increment);
	assert_false(j->filter->is_journal);
	j = &f.rs->jails[1];
	assert_int_equal(j->usedns, USEDNS_RAW);
	assert_int_equal(j->maxmatches, 3);
	assert_string_equal(j->logencoding.text, "utf-16");
	assert_string_equal(j->logtimezone.text, "UTC+0200");
	assert_int_equal(j->logtimezone.where.line, 11);
	assert_string_equal(j->ignorecommand.text, "/bin/x <ip>\n|| y");
	assert_string_equal(j->ignorecache.key, "<F-USER>@<ip>");
	assert_int_equal(j->ignorecache.max_count, 9);
	assert_int_equal(j->ignorecache.max_time_sec, 3600);
	assert_string_equal(j->backend.text, "systemd");
	assert_int_equal(j->n_backend_opts, 1);
	assert_string_equal(j->backend_opts[0].name, "journalflags");
	assert_string_equal(j->backend_opts[0].value.text, "1");
	assert_true(j->filter->is_journal);
	assert_int_equal(j->n_actions, 3);
	a = &j->actions[1];
	assert_string_equal(a->name, "stockade");
	assert_true(a->is_wall);
	assert_int_equal(a->where.line, 17);
	assert_int_equal(a->n_opts, 2);
	assert_string_equal(a->opts[1].value.text, "tcp,udp");
	assert_string_equal(j->actions[2].name, "nftables-allports");
	assert_true(j->growth.increment && j->growth.overalljails);
	assert_string_equal(j->growth.formula.text, "ban.Time * 2");
	assert_string_equal(j->growth.multipliers.text, "1 2 4");
	assert_int_equal(j->growth.maxtime_sec, 5 * 604800);
	assert_int_equal(j->growth.rndtime_sec, 3600);
	fixture_done(&f);
}

static void sources(void **state)
{
	struct fixture f;

	(void)state;
	fixture_good(&f, "[DEFAULT]\nenabled = true\nfilter = x\n"
			 "[a]\nsource = file, journal syslog\nlogpath = /a\n"
			 "[b]\nsource = file, journal\n"
			 "[c]\nsource = syslog\nbackend = systemd\n"
			 "[d]\nbackend = auto\nlogpath = /d\n"
			 "[e]\nbackend = systemd\nfilter = x[logtype=journal]\n");
	assert_int_equal(f.rs->jails[0].sources, SOURCE_FILE | SOURCE_JOURNAL | SOURCE_SYSLOG);
	assert_int_equal(f.rs->jails[1].sources, SOURCE_JOURNAL);
	assert_int_equal(f.rs->jails[2].sources, SOURCE_SYSLOG);
	assert_int_equal(f.rs->jails[3].sources, SOURCE_FILE);
	assert_int_equal(f.rs->jails[4].sources, SOURCE_JOURNAL);
	fixture_done(&f);
}

/* What a ban closes, from the keys and from actions as people have them. */
static void ban_ports(void **state)
{
	struct fixture f;

	(void)state;
	fixture_said(&f,
		"[DEFAULT]\nenabled = true\nfilter = x\nlogpath = /l\nport = 22\nprotocol = tcp\n"
		"banaction = iptables-multiport\nbanaction_allports = iptables-allports\n"
		"action_ = %(banaction)s[port=\"%(port)s\", protocol=\"%(protocol)s\", "
		"chain=\"<known/chain>\"]\n"
		"action_mw = %(action_)s\n            tell[port=99, dest=\"a, b\"]\n"
		"[a]\naction = %(action_)s\n"
		"[b]\naction = %(action_)s\nbanaction = %(banaction_allports)s\n"
		"[c]\naction = %(action_mw)s\n"
		"[d]\naction = %(action_)s[protocol=udp]\n"
		"[e]\nbanaction = nftables[type=allports]\n"
		"[f]\nbanaction = stockade[type=allports]\nprotocol = all\n"
		"[g]\naction = %(action_)s[port=\"1,3\"]\n         %(action_)s[port=\"2\", "
		"protocol=udp]\n"
		"[h]\nport = 0:65535\n[i]\nport = 1:65535\n[j]\nport = any\n[k]\nport = "
		"1:9,5:20,21\n"
		"[l]\nbanaction = firewallcmd-ipset[actiontype=<allports>]\n",
		"jail.conf:11: warning: the action 'tell' is not run by this version: who is "
		"banned "
		"is dropped in the kernel, and that is all\n");
	assert_int_equal(f.rs->n_jails, 12);
	assert_int_equal(f.rs->jails[0].n_ports, 1);
	assert_int_equal(f.rs->jails[0].ports[0].lo, 22);
	assert_int_equal(f.rs->jails[1].n_ports, 0);
	assert_int_equal(f.rs->jails[2].n_ports, 1);
	assert_int_equal(f.rs->jails[3].protocols, PROTO_UDP);
	assert_int_equal(f.rs->jails[4].n_ports, 0);
	assert_int_equal(f.rs->jails[5].n_ports, 0);
	assert_int_equal(f.rs->jails[5].protocols, PROTO_ALL);
	assert_int_equal(f.rs->jails[6].n_ports, 1);
	assert_int_equal(f.rs->jails[6].ports[0].hi, 3);
	assert_int_equal(f.rs->jails[6].protocols, PROTO_TCP | PROTO_UDP);
	for (unsigned i = 7; i < 10; i++)
		assert_int_equal(f.rs->jails[i].n_ports, 0);
	assert_int_equal(f.rs->jails[10].n_ports, 1);
	assert_int_equal(f.rs->jails[10].ports[0].hi, 21);
	assert_int_equal(f.rs->jails[11].n_ports, 0);
	fixture_done(&f);
}

static void set_names(void **state)
{
	static const struct {
		const char *jail, *set;
	} want[] = {{"sshd", "sshd"}, {"sshd4", "sshd4"}, {"a-b", "a_b"}, {"a.b", "a_b_2"},
		{"a b", "a_b_3"}, {"allow", "allow_2"}, {"3proxy", "j3proxy"}, {"x", "x"},
		{"x4_24", "x4_24_2"}, {"x6_", "x6__2"}, {"x4x", "x4x"}, {"j", "j"}, {"j4", "j4"},
		{"4", "j4_2x"}, {"b4_24", "b4_24"}, {"b", "b_2"}, {"\xc3\xa9t\xc3\xa9", "j__t__"},
		/* 64 bytes, the longest there is. */
		{"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg",
			"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg"}};
	char text[4096] = "[DEFAULT]\nenabled = true\nfilter = x\nlogpath = /l\n";
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		snprintf(text + strlen(text), 100, "[%s]\n", want[i].jail);
	fixture_good(&f, text);
	assert_int_equal(f.rs->n_jails, sizeof(want) / sizeof(want[0]));
	for (size_t i = 0; i < f.rs->n_jails; i++)
		assert_string_equal(f.rs->jails[i].set, want[i].set);
	fixture_done(&f);
}

/* A jail's own regexes, and what it says about its filter's. */
static void jail_and_filter(void **state)
{
	const struct filter_def *d;
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_file(&f, "filter.d/f.conf",
		"[Definition]\n_m = 1\nfailregex = a<_m>\nignoreregex = i\nmaxlines = 2\n");
	fixture_file(&f, "jail.conf",
		"[DEFAULT]\nenabled = true\nlogpath = /l\nmode = n\n"
		"[own]\nfilter =\nfailregex = ^own <HOST>\n"
		"[more]\nfilter = f[_m=2]\nfailregex = %(known/failregex)s\n            b\n"
		"[f]\n"
		"[path]\nfilter = f[_m=\"%(fail2ban_confpath)s%(__name__)s%(mode)s\"]\n");
	if (fixture_load(&f) != 0 || f.faults.n != 0)
		fail_msg("%s", f.said);
	d = ruleset_jail(f.rs, "own")->filter;
	assert_string_equal(d->name, "own");
	assert_string_equal(d->failregex[0].text, "^own <HOST>");
	d = ruleset_jail(f.rs, "more")->filter;
	assert_int_equal(d->n_failregex, 2);
	assert_string_equal(d->failregex[0].text, "a2");
	assert_string_equal(d->failregex[1].text, "b");
	assert_string_equal(d->ignoreregex[0].text, "i");
	assert_int_equal(d->maxlines, 2);
	assert_string_equal(ruleset_jail(f.rs, "f")->filter->failregex[0].text, "a1");
	d = ruleset_jail(f.rs, "path")->filter;
	assert_int_equal(strncmp(d->failregex[0].text + 1, f.dir, strlen(f.dir)), 0);
	assert_string_equal(d->failregex[0].text + 1 + strlen(f.dir), "pathn");
	fixture_done(&f);
}

static void jail_layers(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_file(&f, "filter.d/x.conf", FILTER_X);
	fixture_file(&f, "jail.conf",
		"[INCLUDES]\nbefore = paths.conf\n[x]\nenabled = false\nlogpath = "
		"%(x_log)s\nmaxretry = 1\n"
		"findtime = 1\nbantime = 1\nport = 1\n");
	fixture_file(&f, "paths.conf",
		"[INCLUDES]\nafter = paths-mine.local\n[DEFAULT]\nx_log = /1\nnobody_asks_for = "
		"/2\n");
	fixture_file(&f, "jail.d/b.conf", "[x]\nmaxretry = 3\nenabled = true\n");
	fixture_file(&f, "jail.d/a.conf", "[x]\nmaxretry = 2\nfindtime = 2\n");
	fixture_file(&f, "jail.local", "[x]\nmaxretry = 4\nbantime = 2\nport = %(known/port)s,2\n");
	fixture_file(&f, "jail.d/a.local", "[x]\nbantime = 3\nport = %(known/port)s,3\n");
	fixture_file(&f, "jail.d/.hidden.conf", "garbage\n");
	if (fixture_load(&f) != 0 || f.faults.n != 0)
		fail_msg("%s", f.said);
	assert_string_equal(f.rs->jails[0].logpaths[0].pattern, "/1");
	assert_int_equal(f.rs->jails[0].maxretry, 4);
	assert_int_equal(f.rs->jails[0].findtime_sec, 2);
	assert_int_equal(f.rs->jails[0].bantime_sec, 3);
	assert_int_equal(f.rs->jails[0].n_ports, 1);
	assert_int_equal(f.rs->jails[0].ports[0].hi, 3);
	fixture_done(&f);
}

/* Names that fail2ban reads, and those that somebody refers to, are no cause for a warning. */
static void known_keys(void **state)
{
	struct fixture f;

	(void)state;
	fixture_good(&f,
		"[DEFAULT]\nmta = sendmail\ndestemail = root\nsender = root@<fq-hostname>\nusedns "
		"= warn\n"
		"logencoding = auto\nignorecommand =\nmode = normal\nbantime.increment = false\n"
		"bantime.maxtime = 5w\nchain = <known/chain>\naction_mine = foo\nmy_url = /k\n_own "
		"= 1\n"
		"[x]\nenabled = true\nlogpath = /l\nlogtimezone = UTC\n"
		"maxmatches = %(maxretry)s\nmaxretry = 4\ndatepattern = {^LN-BEG}\n"
		"filter = x[datepattern=\"%(my_url)s\"]\nignorecache = key=\"<ip>\"\n"
		"[my-settings]\nagents = bot\n[z]\nfailregex = %(my-settings/agents)s\n");
	fixture_done(&f);
}

/* Addresses that stand in a file of their own. */
static void address_files(void **state)
{
	struct fixture f;
	char text[512], want[512];

	(void)state;
	fixture_init(&f);
	fixture_file(&f, "filter.d/x.conf", FILTER_X);
	fixture_file(&f, "friends",
		"# friends\n192.0.2.1 ; of old\n2001:db8::/32,198.51.100.0/24\n\nhost.example.org\n"
		"1.2.3\n");
	snprintf(text, sizeof(text),
		"[x]\nenabled = true\nlogpath = /l\nignoreip = 203.0.113.9 file:%s/friends\n"
		"[y]\nenabled = true\nfilter = x\nlogpath = /l\nignoreip = file://%s/none\n",
		f.dir, f.dir);
	fixture_file(&f, "jail.conf", text);
	assert_int_equal(fixture_load(&f), -EINVAL);
	snprintf(want, sizeof(want), "%s",
		"friends:6: error: ignoreip: '1.2.3' is no address: write such as '192.0.2.1', "
		"'192.0.2.0/24' or '2001:db8::/32'\n"
		"jail.conf:9: error: ignoreip: cannot read none: No such file or directory\n");
	assert_string_equal(f.said, want);
	fixture_file(&f, "friends", "192.0.2.1 ; of old\n2001:db8::/32,198.51.100.0/24\n");
	fixture_file(&f, "none", "");
	faults_done(&f.faults);
	free(f.said);
	assert_int_equal(fixture_load(&f), 0);
	assert_string_equal(f.said, "");
	assert_true(holds(&ruleset_jail(f.rs, "x")->ignoreip, "192.0.2.1"));
	assert_true(holds(&ruleset_jail(f.rs, "x")->ignoreip, "198.51.100.200"));
	assert_true(holds(&ruleset_jail(f.rs, "x")->ignoreip, "203.0.113.9"));
	assert_false(holds(&ruleset_jail(f.rs, "y")->ignoreip, "192.0.2.1"));
	/* What is there, but no file. */
	snprintf(text, sizeof(text), "%s/none", f.dir);
	assert_int_equal(unlink(text), 0);
	assert_int_equal(mkdir(text, 0700), 0);
	faults_done(&f.faults);
	free(f.said);
	ruleset_free(f.rs);
	f.rs = NULL;
	assert_int_equal(fixture_load(&f), -EINVAL);
	assert_string_equal(
		f.said, "jail.conf:9: error: ignoreip: cannot read none: Is a directory\n");
	assert_int_equal(rmdir(text), 0);
	assert_int_equal(mkfifo(text, 0600), 0);
	faults_done(&f.faults);
	free(f.said);
	assert_int_equal(fixture_load(&f), -EINVAL);
	assert_int_equal(unlink(text), 0);
	fixture_done(&f);
}

static void settings(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_file(&f, "filter.d/x.conf", FILTER_X);
	fixture_file(&f, "jail.conf", "[DEFAULT]\nignoreip = ::1\n");
	fixture_file(&f, "fail2ban.conf", "not read\n");
	fixture_file(&f, "stockade.conf",
		"[Definition]\nloglevel = debug\nlogtarget = /var/log/s.log[format=x]\n"
		"syslogsocket = /dev/log\nallow = 192.0.2.1\n        2001:db8::/32\nuser = daemon\n"
		"memory = 3G\ndbpurgeage = 2d\nsocket = /s\npidfile = /p\ndbfile = /d\n"
		"dbmaxmatches = 1\nallowipv6 = auto\n[syslog]\nlisten = udp://127.0.0.1:5514, "
		"udp://[::1]:1\n[Thread]\nstacksize = 0\n");
	fixture_file(&f, "stockade.local", "[Definition]\nuser = nobody\n");
	if (fixture_load(&f) != 0 || f.faults.n != 0)
		fail_msg("%s", f.said);
	assert_int_equal(f.rs->loglevel, LOG_LV_DEBUG);
	assert_string_equal(f.rs->logtarget, "/var/log/s.log");
	assert_string_equal(f.rs->syslogsocket, "/dev/log");
	assert_string_equal(f.rs->user, "nobody");
	assert_int_equal(f.rs->memory, 3000000000);
	assert_int_equal(f.rs->dbmaxmatches, 1);
	assert_int_equal(f.rs->purgeage_sec, 172800);
	assert_true(holds(&f.rs->allow, "192.0.2.1"));
	assert_true(holds(&f.rs->allow, "2001:db8::7"));
	assert_true(holds(&f.rs->allow, "::1"));
	assert_int_equal(f.rs->syslog.n_listen, 2);
	assert_string_equal(f.rs->syslog.listen[1].url, "udp://[::1]:1");
	assert_int_equal(f.rs->n_jails, 0);
	fixture_done(&f);
}

/* fail2ban's file counts when ours is not there; Debian's has everything in [DEFAULT]. */
static void settings_fail2ban(void **state)
{
	static const struct {
		const char *text;
		enum log_level level;
	} levels[] = {{"CRITICAL", LOG_LV_CRITICAL}, {"40", LOG_LV_ERROR}, {"25", LOG_LV_NOTICE},
		{"5", LOG_LV_DEBUG}, {"HEAVYDEBUG", LOG_LV_DEBUG}, {"20", LOG_LV_INFO}};

	(void)state;
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		struct fixture f;
		char text[200];

		fixture_init(&f);
		fixture_file(&f, "jail.conf", "[DEFAULT]\n");
		snprintf(text, sizeof(text),
			"[DEFAULT]\nloglevel = %s\nlogtarget = syslog\n[Definition]\n",
			levels[i].text);
		fixture_file(&f, "fail2ban.conf", text);
		if (fixture_load(&f) != 0 || f.faults.n != 0)
			fail_msg("%s", f.said);
		assert_int_equal(f.rs->loglevel, levels[i].level);
		assert_string_equal(f.rs->logtarget, "SYSLOG");
		fixture_done(&f);
	}
}

static void many_jails(void **state)
{
	static char text[1000 * 64];
	struct fixture f;
	size_t len;

	(void)state;
	len = (size_t)sprintf(text, "[DEFAULT]\nenabled = true\nfilter = x\nlogpath = /l\n");
	for (unsigned i = 0; i < 1000; i++)
		len += (size_t)sprintf(text + len, "[jail-%u]\nport = %u\n", i, i + 1);
	fixture_good(&f, text);
	assert_int_equal(f.rs->n_jails, 1000);
	assert_int_equal(ruleset_jail(f.rs, "jail-999")->ports[0].lo, 1000);
	fixture_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lexing),
		cmocka_unit_test(interpolation),
		cmocka_unit_test(tags),
		cmocka_unit_test(layers),
		cmocka_unit_test(filter_by_path),
		cmocka_unit_test(options),
		cmocka_unit_test(jail_defaults),
		cmocka_unit_test(jail_values),
		cmocka_unit_test(jail_options),
		cmocka_unit_test(sources),
		cmocka_unit_test(ban_ports),
		cmocka_unit_test(set_names),
		cmocka_unit_test(jail_and_filter),
		cmocka_unit_test(jail_layers),
		cmocka_unit_test(known_keys),
		cmocka_unit_test(address_files),
		cmocka_unit_test(settings),
		cmocka_unit_test(settings_fail2ban),
		cmocka_unit_test(many_jails),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
