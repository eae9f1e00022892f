/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Failures that several lines tell of: sessions (<F-MLFID>) and windows (<SKIPLINES>). */
#include "base/clock.h"
#include "match/filter.h"
#include "match/window.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SESSION "^<F-MLFID>s\\d+</F-MLFID>: <F-CONTENT>.+</F-CONTENT>$"

struct step {
	const char *line;
	const char *want; /* "miss", or "match HOST user=NAME attempts=N users=A,B" */
	int64_t later_sec;
};

static struct filter *make(
	const char *pref, const char *const *fail, const char *ignore, unsigned maxlines)
{
	struct conf_text regexes[16] = {0}, ignoreregex = {ignore, {"t.conf", 9}};
	struct filter_def def = {
		.name = "t",
		.prefregex = {pref, {"t.conf", 5}},
		.failregex = regexes,
		.ignoreregex = &ignoreregex,
		.n_ignoreregex = ignore != NULL,
		.maxlines = maxlines,
	};
	struct faults f = {0};
	struct filter *fl = NULL;

	for (; fail[def.n_failregex] != NULL; def.n_failregex++)
		regexes[def.n_failregex].text = fail[def.n_failregex];
	if (filter_new(&fl, &def, &f) < 0)
		fail_msg("%s", f.items[0].message);
	assert_int_equal(f.n, 0);
	faults_done(&f);
	return fl;
}

static void describe(char *dst, size_t size, enum verdict v, const struct match *m)
{
	static const char *const names[] = {"miss", "ignored", "nofail", "match"};
	size_t n = (size_t)snprintf(dst, size, "%s", names[v]);

	if (v < VERDICT_NOFAIL)
		return;
	n += (size_t)snprintf(dst + n, size - n, " %.*s", m->host != NULL ? (int)m->host_len : 1,
		m->host != NULL ? m->host : "-");
	for (size_t i = 0; i < m->n_fields; i++)
		if (strcmp(m->fields[i].name, "user") == 0)
			n += (size_t)snprintf(dst + n, size - n, " user=%.*s",
				(int)m->fields[i].len, m->fields[i].value);
	n += (size_t)snprintf(dst + n, size - n, " attempts=%u", m->attempts);
	for (size_t i = 0; i < m->n_users; i++)
		n += (size_t)snprintf(dst + n, size - n, "%s%.*s", i == 0 ? " users=" : ",",
			(int)m->users[i].len, m->users[i].value);
}

static void play(struct filter *fl, const struct step *steps, size_t n)
{
	struct window *w = filter_maxlines(fl) > 1 ? window_new(filter_maxlines(fl)) : NULL;
	int64_t now_us = 1795159800LL * USEC_PER_SEC;

	for (size_t i = 0; i < n; i++) {
		/* Exactly as large as the line, so that a read past its end is seen. */
		size_t len = strlen(steps[i].line);
		char *line = malloc(len > 0 ? len : 1), got[512];
		struct match m;
		enum verdict v;

		memcpy(line, steps[i].line, len);
		now_us += steps[i].later_sec * USEC_PER_SEC;
		v = filter_judge(fl, w, line, len, now_us, &m);
		free(line);
		describe(got, sizeof(got), v, &m);
		if (strcmp(got, steps[i].want) != 0)
			fail_msg("step %zu, %s: %s, not %s", i + 1, steps[i].line, got,
				steps[i].want);
	}
	window_free(w);
	filter_free(fl);
}

#define PLAY(fl, ...)                                                                              \
	do {                                                                                       \
		static const struct step steps[] = {__VA_ARGS__};                                  \
		play(fl, steps, sizeof(steps) / sizeof(steps[0]));                                 \
	} while (0)

/* A server that names the peer, the user and the outcome in lines of their own. */
static struct filter *server(void)
{
	static const char *const fail[] = {
		"^<F-NOFAIL>connect</F-NOFAIL> from <ADDR>$",
		"^<F-NOFAIL>login</F-NOFAIL> as <F-USER>\\S+</F-USER>$",
		"^wrong password$",
		"^wrong password for <F-USER>\\S+</F-USER>$",
		"^<F-MLFGAINED>welcome</F-MLFGAINED> <F-USER>\\S+</F-USER>$",
		"^<F-NOFAIL><F-MLFFORGET>bye</F-MLFFORGET></F-NOFAIL>(?: from <ADDR>)?$",
		"^<F-MLFFORGET>kicked</F-MLFFORGET>(?: <ADDR>)?$",
		NULL,
	};

	return make(SESSION, fail, NULL, 1);
}

static void told_in_pieces(void **state)
{
	(void)state;
	PLAY(server(), {"s1: connect from 192.0.2.1", "nofail 192.0.2.1 attempts=0", 0},
		{"s2: connect from 2001:db8::2", "nofail 2001:db8::2 attempts=0", 0},
		{"s1: login as bob", "nofail 192.0.2.1 user=bob attempts=0 users=bob", 0},
		{"s1: wrong password", "match 192.0.2.1 user=bob attempts=3 users=bob", 0},
		{"s1: wrong password", "match 192.0.2.1 user=bob attempts=1 users=bob", 0},
		{"s2: wrong password", "match 2001:db8::2 attempts=2", 0},
		{"s1: bye", "nofail 192.0.2.1 user=bob attempts=0 users=bob", 0},
		/* Forgotten: the same id is somebody else, and nobody knows who. */
		{"s1: wrong password", "nofail - attempts=1", 0});
}

static enum verdict judge(struct filter *fl, const char *line)
{
	struct match m;

	return filter_judge(fl, NULL, line, strlen(line), 1795159800LL * USEC_PER_SEC, &m);
}

/* Filters that share regexes share nothing else; the first may be the first to go, too. */
static void alike(void **state)
{
	struct filter *first = server(), *others[2];

	(void)state;
	assert_int_equal(filter_new_like(&others[0], first), 0);
	assert_int_equal(filter_new_like(&others[1], first), 0);
	assert_int_equal(judge(first, "s1: connect from 192.0.2.1"), VERDICT_NOFAIL);
	assert_int_equal(judge(others[0], "s1: wrong password"), VERDICT_NOFAIL);
	assert_int_equal(judge(others[1], "s2: connect from 192.0.2.2"), VERDICT_NOFAIL);
	assert_int_equal(judge(first, "s1: wrong password"), VERDICT_MATCH);
	assert_int_equal(judge(others[0], "s2: wrong password"), VERDICT_NOFAIL);
	assert_int_equal(judge(others[1], "s2: wrong password"), VERDICT_MATCH);
	filter_free(others[0]);
	filter_free(first);
	filter_free(others[1]);
}

/* A failure that nobody can be blamed for yet waits for the line that says whom. */
static void waits_for_the_address(void **state)
{
	(void)state;
	PLAY(server(), {"s1: wrong password for bob", "nofail - user=bob attempts=1 users=bob", 0},
		{"s1: connect from 192.0.2.1", "match 192.0.2.1 user=bob attempts=2 users=bob", 0},
		{"s1: bye", "nofail 192.0.2.1 user=bob attempts=0 users=bob", 0},
		{"s2: wrong password", "nofail - attempts=1", 0},
		{"s2: bye from 192.0.2.2", "match 192.0.2.2 attempts=2", 0},
		{"s3: wrong password", "nofail - attempts=1", 0},
		{"s3: bye", "nofail - attempts=2", 0},
		{"s4: kicked 192.0.2.4", "match 192.0.2.4 attempts=1", 0},
		{"s4: kicked", "nofail - attempts=1", 0});
}

/* Who gets in is no attacker, unless he tried several names. */
static void gained(void **state)
{
	(void)state;
	PLAY(server(), {"s1: wrong password for bob", "nofail - user=bob attempts=1 users=bob", 0},
		{"s1: welcome bob", "nofail - user=bob attempts=0 users=bob", 0},
		{"s1: connect from 192.0.2.1", "nofail 192.0.2.1 user=bob attempts=0 users=bob", 0},
		{"s2: connect from 192.0.2.2", "nofail 192.0.2.2 attempts=0", 0},
		{"s2: login as root", "nofail 192.0.2.2 user=root attempts=0 users=root", 0},
		{"s2: login as bob", "match 192.0.2.2 user=bob attempts=3 users=root,bob", 0},
		{"s2: welcome bob", "match 192.0.2.2 user=bob attempts=1 users=root,bob", 0});
}

/* A process number that comes back is a new client's: whom the line names himself is meant. */
static void own_address_first(void **state)
{
	struct filter *imitation = server();

	(void)state;
	PLAY(server(), {"s1: connect from 192.0.2.1", "nofail 192.0.2.1 attempts=0", 0},
		{"s1: connect from 2001:db8::2", "nofail 2001:db8::2 attempts=0", 0},
		{"s1: wrong password", "match 2001:db8::2 attempts=2", 0},
		{"s1: connect from 192.0.2.3", "nofail 192.0.2.3 attempts=0", 0},
		{"s1: wrong password", "match 192.0.2.3 attempts=2", 0});
	/* What the one before did is no fault of his, be it that he tried another name. */
	PLAY(server(), {"s1: connect from 192.0.2.1", "nofail 192.0.2.1 attempts=0", 0},
		{"s1: wrong password for root", "match 192.0.2.1 user=root attempts=2 users=root",
			0},
		{"s1: connect from 192.0.2.3", "nofail 192.0.2.3 attempts=0", 0},
		{"s1: login as bob", "nofail 192.0.2.3 user=bob attempts=0 users=bob", 0},
		{"s1: welcome bob", "nofail 192.0.2.3 user=bob attempts=0 users=bob", 0});
	/* fail2ban's order: IPv4 before IPv6, whichever line of the session has it. */
	filter_imitate(imitation);
	PLAY(imitation, {"s1: connect from 192.0.2.1", "nofail 192.0.2.1 attempts=0", 0},
		{"s1: connect from 2001:db8::2", "nofail 192.0.2.1 attempts=0", 0},
		{"s1: wrong password", "match 192.0.2.1 attempts=3", 0});
}

static void ends_after_a_while(void **state)
{
	(void)state;
	PLAY(server(), {"s1: connect from 192.0.2.1", "nofail 192.0.2.1 attempts=0", 0},
		{"s1: wrong password", "match 192.0.2.1 attempts=2", 299},
		{"s1: wrong password", "nofail - attempts=1", 1});
}

/* However many there are: the table is bounded, the newest are known, what is lost is counted. */
static void many(void **state)
{
	struct filter *fl = server();
	char line[64];
	struct match m;

	(void)state;
	for (unsigned i = 0; i < 10000; i++) {
		snprintf(line, sizeof(line), "s%u: connect from 192.0.2.%u", i, i % 250 + 1);
		assert_int_equal(filter_judge(fl, NULL, line, strlen(line), 1, &m), VERDICT_NOFAIL);
	}
	assert_int_equal(filter_stats(fl)->sessions_lost, 10000 - 2048);
	for (unsigned i = 9000; i < 10000; i++) {
		snprintf(line, sizeof(line), "s%u: wrong password", i);
		assert_int_equal(filter_judge(fl, NULL, line, strlen(line), 1, &m), VERDICT_MATCH);
		assert_int_equal(m.addr.b[15], i % 250 + 1);
		snprintf(line, sizeof(line), "s%u: bye", i);
		assert_int_equal(filter_judge(fl, NULL, line, strlen(line), 1, &m), VERDICT_NOFAIL);
	}
	filter_free(fl);
}

/* What is kept of a session is bounded; names too long to keep are still told apart. */
static void long_values(void **state)
{
	struct filter *fl = server();
	static char line[70000];
	struct match m;

	(void)state;
	assert_int_equal(
		filter_judge(fl, NULL, "s1: connect from 192.0.2.1", 26, 1, &m), VERDICT_NOFAIL);
	for (unsigned i = 0; i < 12; i++) {
		strcpy(line, "s1: login as ");
		memset(line + 13, 'x', 60000);
		snprintf(line + 60013, 16, "%u", i);
		assert_int_equal(filter_judge(fl, NULL, line, strlen(line), 1, &m),
			i == 0 ? VERDICT_NOFAIL : VERDICT_MATCH);
		assert_int_equal(m.n_users, i < 8 ? i + 1 : 8);
		for (size_t k = 0; k < m.n_users; k++)
			assert_true(m.users[k].len <= 200);
	}
	assert_int_equal(m.addr.b[15], 1);
	filter_free(fl);
}

/* Names as long as can be, and as many, do not make the address disappear, nor the outcome. */
static void full(void **state)
{
	struct filter *fl = server();
	struct match m;
	char line[400];

	(void)state;
	for (unsigned i = 0; i < 12; i++) {
		memset(line, 'x', sizeof(line));
		line[(size_t)snprintf(line, sizeof(line), "s1: login as %u", i)] = 'x';
		filter_judge(fl, NULL, line, sizeof(line), 1, &m);
	}
	assert_int_equal(
		filter_judge(fl, NULL, "s1: connect from 192.0.2.1", 26, 1, &m), VERDICT_MATCH);
	assert_true(m.has_addr);
	assert_int_equal(m.addr.b[15], 1);
	assert_int_equal(filter_judge(fl, NULL, "s1: kicked", 10, 1, &m), VERDICT_MATCH);
	assert_int_equal(m.addr.b[15], 1);
	/* Cut between characters. */
	memset(line, '\xff', sizeof(line));
	memcpy(line, "s2: login as x", 14);
	assert_int_equal(filter_judge(fl, NULL, line, sizeof(line), 1, &m), VERDICT_NOFAIL);
	assert_int_equal(m.users[0].len, 1 + 66 * 3);
	filter_free(fl);
}

/* A filter that goes on where another one left. */
static void carried_over(void **state)
{
	struct filter *before = server(), *after = server();
	struct buf saved = {0};
	char line[64];
	struct match m;

	(void)state;
	assert_int_equal(filter_save(before, &saved), 0);
	assert_int_equal(saved.len, 0);
	for (unsigned i = 0; i < 3000; i++) {
		snprintf(line, sizeof(line), "s%u: login as u%u", i, i);
		assert_int_equal(
			filter_judge(before, NULL, line, strlen(line), 1, &m), VERDICT_NOFAIL);
		snprintf(line, sizeof(line), "s%u: connect from 192.0.2.%u", i, i % 250 + 1);
		assert_int_equal(
			filter_judge(before, NULL, line, strlen(line), 1, &m), VERDICT_NOFAIL);
	}
	snprintf(line, sizeof(line), "s2001: bye");
	filter_judge(before, NULL, line, strlen(line), 1, &m);
	assert_int_equal(filter_save(before, &saved), 0);
	assert_int_equal(filter_load(after, saved.data, saved.len), 0);
	for (unsigned i = 2000; i < 3000; i++) {
		snprintf(line, sizeof(line), "s%u: wrong password", i);
		assert_int_equal(filter_judge(after, NULL, line, strlen(line), 2, &m),
			i == 2001 ? VERDICT_NOFAIL : VERDICT_MATCH);
		if (i == 2001)
			continue;
		assert_int_equal(m.addr.b[15], i % 250 + 1);
		assert_int_equal(m.attempts, 3);
		snprintf(line, sizeof(line), "u%u", i);
		assert_int_equal(m.users[0].len, strlen(line));
		assert_memory_equal(m.users[0].value, line, strlen(line));
	}
	filter_free(before);
	filter_free(after);
	buf_done(&saved);
}

/* What stands in a database may be anything. */
static void broken_load(void **state)
{
	struct filter *before = server();
	struct buf saved = {0};
	struct match m;

	(void)state;
	filter_judge(before, NULL, "s1: login as bob", 16, 1, &m);
	filter_judge(before, NULL, "s1: login as eve", 16, 1, &m);
	assert_int_equal(filter_save(before, &saved), 0);
	for (size_t n = 0; n < saved.len; n++) {
		struct filter *fl = server();
		char *copy = malloc(n > 0 ? n : 1);

		memcpy(copy, saved.data, n);
		assert_int_equal(filter_load(fl, copy, n), n == 0 ? 0 : -22);
		for (unsigned bit = 0; bit < 8 && n > 0; bit++) {
			copy[n - 1] ^= (char)(1 << bit);
			filter_load(fl, copy, n);
			filter_judge(fl, NULL, "s1: wrong password", 18, 2, &m);
		}
		free(copy);
		filter_free(fl);
	}
	filter_free(before);
	buf_done(&saved);
}

/* However many logs there are to look through, memory is bounded, and what is lost is counted. */
static void many_windows(void **state)
{
	enum { N = 400 };
	static struct window *w[N];
	static char line[60000];
	uint64_t lost = window_lost();
	size_t kept = 0;

	(void)state;
	memset(line, 'x', sizeof(line));
	for (unsigned i = 0; i < N; i++) {
		w[i] = window_new(20);
		assert_non_null(w[i]);
		assert_int_equal(window_add(w[i], line, sizeof(line)), 0);
		assert_int_equal(window_add(w[i], "y", 1), 0);
		/* One that is in use stays. */
		assert_int_equal(window_add(w[0], "z", 1), 0);
	}
	for (unsigned i = 0; i < N; i++)
		kept += window_text(w[i]).len;
	assert_in_range(kept, WINDOWS_BYTES_MAX / 4, WINDOWS_BYTES_MAX);
	assert_int_equal(window_text(w[1]).len, 0);
	assert_int_equal(window_text(w[N - 1]).len, sizeof(line) + 3);
	assert_in_range(window_text(w[0]).len, 40, 41);
	assert_in_range(window_lost() - lost, 2, 2 * N);
	/* Emptied, it goes on. */
	assert_int_equal(window_add(w[1], "y", 1), 0);
	assert_int_equal(window_text(w[1]).len, 2);
	/* Counted is also what leaves for its length, not what its time is over for. */
	lost = window_lost();
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(window_add(w[2], line, sizeof(line)), 0);
	assert_in_range(window_lost() - lost, 3, 15);
	for (unsigned i = 0; i < N; i++)
		window_free(w[i]);
}

static void tuples_and_alternatives(void **state)
{
	static const char *const tuple[] = {"^<F-ID>\\S+</F-ID> <F-TUPLE_ID>\\S+</F-TUPLE_ID>"
					    "(?: <F-TUPLE_ID_2>\\S+</F-TUPLE_ID_2>)? from <ADDR>$",
		NULL};
	static const char *const alt[] = {
		"^<F-USER>\\w*</F-USER>(?:/<F-ALT_USER_1>\\w*</F-ALT_USER_1>)?"
		"(?:/<F-ALT_USER_2>\\w+</F-ALT_USER_2>)? <HOST>$",
		NULL};

	(void)state;
	PLAY(make(NULL, tuple, NULL, 1),
		{"a b from 192.0.2.1", "match ('a', 'b', None) attempts=1", 0},
		{"a b c from 192.0.2.1", "match ('a', 'b', 'c') attempts=1", 0});
	PLAY(make(NULL, alt, NULL, 1), {"a/b/c 192.0.2.1", "match 192.0.2.1 user=a attempts=1", 0},
		{"/b/c 192.0.2.1", "match 192.0.2.1 user=b attempts=1", 0},
		{"//c 192.0.2.1", "match 192.0.2.1 user=c attempts=1", 0},
		{"/ 192.0.2.1", "match 192.0.2.1 user= attempts=1", 0});
}

static void windows(void **state)
{
	static const char *const fail[] = {
		"^\\w+ connect from <HOST>$<SKIPLINES>^\\w+ refused$", NULL};
	static const char *const same[] = {
		"^(?P<s>\\w+) connect from <HOST>$<SKIPLINES>^(?P=s) refused$", NULL};

	(void)state;
	PLAY(make(NULL, fail, NULL, 3), {"a connect from 192.0.2.1", "miss", 0},
		{"a refused", "match 192.0.2.1 attempts=2", 0},
		/* Used up: it does not count again. */
		{"a refused", "miss", 0}, {"b connect from 192.0.2.2", "miss", 0},
		{"between", "miss", 0}, {"b refused", "match 192.0.2.2 attempts=2", 0},
		{"c connect from 192.0.2.3", "miss", 0}, {"1", "miss", 0}, {"2", "miss", 0},
		/* Out of the window. */
		{"c refused", "miss", 0});
	/* Lines passed over stay, for a match of their own. */
	PLAY(make(NULL, same, NULL, 10), {"a connect from 192.0.2.1", "miss", 0},
		{"b connect from 192.0.2.2", "miss", 0},
		{"a refused", "match 192.0.2.1 attempts=2", 0},
		{"b refused", "match 192.0.2.2 attempts=2", 0}, {"a refused", "miss", 0},
		{"b refused", "miss", 0});
	PLAY(make(NULL, same, "192\\.0\\.2\\.2", 10), {"b connect from 192.0.2.2", "miss", 0},
		{"x", "miss", 0}, {"b refused", "ignored", 0}, {"b refused", "miss", 0});
}

/* What prefregex leaves of a window is one line of it, whatever breaks are in it: it has its
 * bounds. */
static void window_bounds(void **state)
{
	static const char *const fail[] = {"^never <HOST>$", NULL};
	static char line[60000];
	struct filter *fl = make("(?s)^<F-CONTENT>.+</F-CONTENT>$", fail, NULL, 2);
	struct window *w = window_new(2);
	struct match m;

	(void)state;
	memset(line, 'x', sizeof(line));
	for (unsigned i = 0; i < 300; i++)
		assert_int_equal(filter_judge(fl, w, "short", 5, 1, &m), VERDICT_MISS);
	for (unsigned i = 0; i < 6; i++) {
		assert_int_equal(filter_judge(fl, w, line, sizeof(line), 1, &m), VERDICT_MISS);
		assert_in_range(window_text(w).len, sizeof(line), WINDOW_BYTES_MAX);
	}
	window_free(w);
	filter_free(fl);
	w = window_new(2);
	assert_int_equal(window_add(w, "a\nb", 3), 0);
	assert_int_equal(window_add(w, "c", 1), 0);
	assert_int_equal(window_text(w).len, 6);
	assert_int_equal(window_add(w, "d", 1), 0);
	assert_int_equal(window_text(w).len, 4);
	assert_memory_equal(window_text(w).text, "c\nd\n", 4);
	window_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(told_in_pieces),
		cmocka_unit_test(alike),
		cmocka_unit_test(waits_for_the_address),
		cmocka_unit_test(gained),
		cmocka_unit_test(own_address_first),
		cmocka_unit_test(ends_after_a_while),
		cmocka_unit_test(many),
		cmocka_unit_test(long_values),
		cmocka_unit_test(full),
		cmocka_unit_test(carried_over),
		cmocka_unit_test(broken_load),
		cmocka_unit_test(many_windows),
		cmocka_unit_test(tuples_and_alternatives),
		cmocka_unit_test(windows),
		cmocka_unit_test(window_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
