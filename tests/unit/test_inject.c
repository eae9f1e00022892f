/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the injector makes of lines, and the queue it keeps messages in. */
#include "base/priority.h"
#include "base/util.h"
#include "cli/inject_form.h"
#include "cli/inject_input.h"
#include "cli/inject_queue.h"
#include "cli/inject_target.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* 2026-11-20 07:32:08.123456 UTC */
static const struct timespec then = {1795159928, 123456789};

static struct inject_form old_form(void)
{
	return (struct inject_form) {.framing = INJECT_NO_FRAME,
		.pri = 38,
		.host = "web1",
		.tag = "apache",
		.pid = 77,
		.size = 8192};
}

static const char *made(struct inject_form *f, const char *line, size_t len, bool *ret_cut)
{
	static char buf[INJECT_SIZE_MAX + INJECT_FRAME_MAX + 1];
	size_t n;

	inject_form_at(f, &then);
	n = inject_form_put(f, buf, line, len, ret_cut);
	assert_true(n <= inject_form_room(f, len));
	buf[n] = '\0';
	return buf;
}

static void expect(struct inject_form f, const char *line, size_t len, const char *message)
{
	bool cut = false;

	assert_string_equal(made(&f, line, len, &cut), message);
	assert_false(cut);
}

#define TEXT(s) s, sizeof(s) - 1

static void test_rfc3164(void **state)
{
	struct inject_form f = old_form();

	(void)state;
	expect(f, TEXT("hello"), "<38>Nov 20 07:32:08 web1 apache[77]: hello");
	expect(f, TEXT(""), "<38>Nov 20 07:32:08 web1 apache[77]: ");
	f.pid = 0;
	f.host = NULL;
	expect(f, TEXT("hello"), "<38>Nov 20 07:32:08 apache: hello");
	f.framing = INJECT_NEWLINE;
	expect(f, TEXT("hello"), "<38>Nov 20 07:32:08 apache: hello\n");
	f.framing = INJECT_COUNTED;
	expect(f, TEXT("hello"), "33 <38>Nov 20 07:32:08 apache: hello");
}

static void test_rfc5424(void **state)
{
	struct inject_form f = old_form();

	(void)state;
	f.rfc5424 = true;
	expect(f, TEXT("hello"), "<38>1 2026-11-20T07:32:08.123456+00:00 web1 apache 77 - - hello");
	f.pid = 0;
	f.host = NULL;
	f.msgid = "ID47";
	expect(f, TEXT("hello"), "<38>1 2026-11-20T07:32:08.123456+00:00 - apache - ID47 - hello");
}

static void test_zone(void **state)
{
	struct inject_form f = old_form();

	(void)state;
	f.rfc5424 = true;
	setenv("TZ", "XXX+03:30", 1);
	tzset();
	expect(f, TEXT("x"), "<38>1 2026-11-20T04:02:08.123456-03:30 web1 apache 77 - - x");
	setenv("TZ", "UTC", 1);
	tzset();
}

/* Whatever stands in a line, nobody can take it for two, and it is not changed more than that. */
static void test_control_characters(void **state)
{
	struct inject_form f = old_form();

	(void)state;
	expect(f, TEXT("a\nb\rc\0d"), "<38>Nov 20 07:32:08 web1 apache[77]: a#012b#015c#000d");
	expect(f, TEXT("\033[1m\x7f\x1f"), "<38>Nov 20 07:32:08 web1 apache[77]: #033[1m#177#037");
	expect(f, TEXT("tab\tand \xff\xc3\xa9"),
		"<38>Nov 20 07:32:08 web1 apache[77]: tab\tand \xff\xc3\xa9");
	for (unsigned c = 1; c < 256; c++) {
		bool cut = false;
		char line[2] = {'x', (char)c};
		const char *m = made(&f, line, 2, &cut);

		assert_null(strpbrk(m, "\n\r\v\f"));
	}
}

static void test_cut(void **state)
{
	static char line[INJECT_SIZE_MAX];
	struct inject_form f = old_form();
	size_t head = strlen("<38>Nov 20 07:32:08 web1 apache[77]: ");

	(void)state;
	for (size_t size = INJECT_SIZE_MIN; size < INJECT_SIZE_MIN + 16; size++) {
		bool cut = false;
		const char *m;

		f.size = size;
		memset(line, 'a', sizeof(line));
		made(&f, line, size - head, &cut);
		assert_false(cut);
		m = made(&f, line, size - head + 1, &cut);
		assert_true(cut);
		assert_int_equal(strlen(m), size);
		/* neither a character nor an escape is torn */
		for (size_t i = 0; i + 4 <= sizeof(line); i += 4)
			memcpy(line + i, "\xf0\x9f\x98\x80", 4);
		m = made(&f, line, sizeof(line), &cut);
		assert_int_equal((strlen(m) - head) % 4, 0);
		assert_in_range(strlen(m), size - 3, size);
		memset(line, '\n', sizeof(line));
		m = made(&f, line, sizeof(line), &cut);
		assert_string_equal(m + strlen(m) - 4, "#012");
		/* what is no character is not taken for a torn one */
		memset(line, '\xbf', sizeof(line));
		m = made(&f, line, sizeof(line), &cut);
		assert_int_equal(strlen(m), size);
	}
}

/* ---- the queue, beside a list that does the same ---- */

#define QUEUE_BYTES 4096
#define MESSAGES 4000

struct model {
	size_t lens[MESSAGES];
	size_t n, first, sent; /* messages: added, not released, sent in whole */
	size_t sent_part;      /* of the next one */
};

static unsigned random_below(unsigned n)
{
	static uint64_t x = 88172645463325252u;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (unsigned)(x % n);
}

static size_t model_used(const struct model *m)
{
	size_t used = 0;

	for (size_t i = m->first; i < m->n; i++)
		used += m->lens[i];
	return used;
}

static char letter(size_t msg)
{
	return (char)('A' + msg % 53);
}

static void add(struct inject_queue *q, struct model *m)
{
	size_t len = 24 + random_below(600);
	char *room = inject_queue_room(q, len);

	if (room == NULL) {
		assert_true(q->size - model_used(m) < len);
		return;
	}
	assert_true(m->n < MESSAGES);
	memset(room, letter(m->n), len);
	inject_queue_add(q, len);
	m->lens[m->n++] = len;
}

static void check_next(const struct inject_queue *q, const struct model *m)
{
	struct iovec iov[8];
	size_t len, n, left = 0;
	const char *p = inject_queue_bytes(q, &len);

	for (size_t i = m->sent; i < m->n; i++)
		left += m->lens[i];
	assert_int_equal(len, left - m->sent_part);
	assert_int_equal(inject_queue_unsent(q), m->n - m->sent);
	if (len > 0)
		assert_int_equal(*p, letter(m->sent));
	if (m->sent_part > 0)
		return;
	n = inject_queue_pieces(q, iov, ARRAY_SIZE(iov));
	assert_int_equal(n, m->n - m->sent < 8 ? m->n - m->sent : 8);
	for (size_t i = 0; i < n; i++) {
		const char *piece = iov[i].iov_base;

		assert_int_equal(iov[i].iov_len, m->lens[m->sent + i]);
		assert_int_equal(piece[0], letter(m->sent + i));
		assert_int_equal(piece[iov[i].iov_len - 1], letter(m->sent + i));
	}
}

static void send_some(struct inject_queue *q, struct model *m)
{
	size_t len, n;

	inject_queue_bytes(q, &len);
	n = random_below((unsigned)len + 1);
	inject_queue_sent(q, n);
	for (m->sent_part += n; m->sent < m->n && m->sent_part >= m->lens[m->sent];)
		m->sent_part -= m->lens[m->sent++];
}

static void release(struct inject_queue *q, struct model *m, size_t keep)
{
	size_t sent = m->sent_part;

	for (size_t i = m->first; i < m->sent; i++)
		sent += m->lens[i];
	inject_queue_release(q, keep);
	for (; m->first < m->sent && m->lens[m->first] + keep <= sent; m->first++)
		sent -= m->lens[m->first];
}

static void rewind_to(struct inject_queue *q, struct model *m)
{
	size_t back = random_below(4);

	if (random_below(2) == 0) {
		inject_queue_rewind(q);
		m->sent = m->first;
	} else {
		inject_queue_rewind_last(q, back);
		m->sent -= back < m->sent - m->first ? back : m->sent - m->first;
	}
	m->sent_part = 0;
}

static void test_queue(void **state)
{
	static struct model m;
	struct inject_queue q;

	(void)state;
	assert_int_equal(inject_queue_init(&q, QUEUE_BYTES - 100), 0);
	assert_int_equal(q.size, QUEUE_BYTES);
	while (m.n < MESSAGES - 1) {
		switch (random_below(5)) {
		case 0:
		case 1:
			add(&q, &m);
			break;
		case 2:
			send_some(&q, &m);
			break;
		case 3:
			release(&q, &m, random_below(3) == 0 ? random_below(2000) : 0);
			break;
		case 4:
			if (random_below(4) == 0)
				rewind_to(&q, &m);
			break;
		}
		assert_int_equal(inject_queue_used(&q), model_used(&m));
		check_next(&q, &m);
	}
	inject_queue_done(&q);
}

/* ---- input ---- */

static void feed(struct inject_input *in, int fds[2], const char *text, size_t len)
{
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(inject_input_init(in, fds[0]), 0);
	assert_int_equal(write(fds[1], text, len), len);
}

static void expect_line(struct inject_input *in, const char *text, size_t len)
{
	const char *line;
	size_t n;
	bool cut = false;

	while (!inject_input_line(in, &line, &n, &cut)) {
		assert_false(in->ended);
		inject_input_read(in);
	}
	assert_false(cut);
	assert_int_equal(n, len);
	assert_memory_equal(line, text, len);
}

static void test_input(void **state)
{
	struct inject_input in;
	const char *line;
	size_t len;
	bool cut = false;
	int fds[2];

	(void)state;
	feed(&in, fds, TEXT("one\r\n\n\r\r\nnul\0nul\nrest\r"));
	expect_line(&in, TEXT("one"));
	expect_line(&in, TEXT(""));
	expect_line(&in, TEXT("\r"));
	expect_line(&in, TEXT("nul\0nul"));
	assert_false(inject_input_line(&in, &line, &len, &cut));
	close(fds[1]);
	expect_line(&in, TEXT("rest"));
	assert_false(inject_input_line(&in, &line, &len, &cut));
	assert_true(in.ended);
	inject_input_done(&in);
	close(fds[0]);
}

/* A line that does not end is cut, and its rest never becomes a line of its own. */
static void test_long_line(void **state)
{
	struct inject_input in;
	char part[4096];
	const char *line;
	size_t len, cuts = 0, lines = 0, left = 100;
	bool cut;
	int fds[2];

	(void)state;
	memset(part, 'x', sizeof(part));
	feed(&in, fds, TEXT("first\n"));
	while (!in.ended) {
		if (left > 0)
			assert_int_equal(write(fds[1], part, sizeof(part)), sizeof(part));
		if (left == 1)
			assert_int_equal(write(fds[1], "\nlast\n", 6), 6);
		if (left-- == 1)
			close(fds[1]);
		inject_input_read(&in);
		for (cut = false; inject_input_line(&in, &line, &len, &cut); cut = false) {
			assert_int_equal(len, cut ? INJECT_LINE_MAX : lines == 0 ? 5 : 4);
			cuts += cut;
			/* taken again it is the same */
			inject_input_back(&in, line);
			assert_true(inject_input_line(&in, &line, &len, &cut));
			lines++;
		}
	}
	assert_int_equal(lines, 3);
	assert_int_equal(cuts, 1);
	inject_input_done(&in);
	close(fds[0]);
}

/* ---- targets, priorities ---- */

static void expect_target(const char *s, enum inject_kind kind, const char *host, const char *port)
{
	struct inject_target t;

	assert_int_equal(inject_target_parse(&t, s), 0);
	assert_int_equal(t.kind, kind);
	assert_string_equal(t.host, host);
	assert_string_equal(t.port, port);
}

static void test_targets(void **state)
{
	static const char *const bad[] = {"", ":514", "host:", "a b:1", "[::1", "[::1]x", "udp://",
		"unix://path", "unix:///", "2001:db8::zz:1", "tcp://[]:1", "http://host:1",
		"host:1\n", "host:0", "host:65536", "host:99999999999999999999"};
	struct inject_target t;

	(void)state;
	expect_target("log.example:5514", INJECT_UDP, "log.example", "5514");
	expect_target("log.example", INJECT_UDP, "log.example", "514");
	expect_target("192.0.2.1:syslog", INJECT_UDP, "192.0.2.1", "syslog");
	expect_target("2001:db8::1", INJECT_UDP, "2001:db8::1", "514");
	expect_target("[2001:db8::1]:6", INJECT_UDP, "2001:db8::1", "6");
	expect_target("tcp://[::1]", INJECT_TCP, "::1", "514");
	expect_target("tcp://localhost:601", INJECT_TCP, "localhost", "601");
	assert_int_equal(inject_target_parse(&t, "tcp://[::1]:601"), 0);
	assert_string_equal(t.shown, "tcp://[::1]:601");
	assert_int_equal(inject_target_parse(&t, "unix:///dev/log"), 0);
	assert_string_equal(t.path, "/dev/log");
	assert_int_equal(t.kind, INJECT_UNIX);
	assert_int_equal(inject_target_parse(&t, "unix-stream:///x"), 0);
	assert_int_equal(t.kind, INJECT_UNIX_STREAM);
	assert_int_equal(inject_target_parse(&t, "/dev/log"), 0);
	expect_target("tls://host", INJECT_TLS, "host", "6514");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(inject_target_parse(&t, bad[i]), -EINVAL);
}

static void test_priorities(void **state)
{
	(void)state;
	assert_int_equal(priority_facility(TEXT("auth")), 4);
	assert_int_equal(priority_facility(TEXT("AUTHPRIV")), 10);
	assert_int_equal(priority_facility(TEXT("local7")), 23);
	assert_int_equal(priority_facility(TEXT("security")), 4);
	assert_int_equal(priority_facility(TEXT("16")), 16);
	assert_int_equal(priority_facility(TEXT("24")), -EINVAL);
	assert_int_equal(priority_facility(TEXT("")), -EINVAL);
	assert_int_equal(priority_facility(TEXT("aut")), -EINVAL);
	assert_int_equal(priority_severity(TEXT("warn")), 4);
	assert_int_equal(priority_severity(TEXT("Notice")), 5);
	assert_int_equal(priority_severity(TEXT("8")), -EINVAL);
	assert_string_equal(priority_facility_name(10), "authpriv");
	assert_null(priority_facility_name(24));
	assert_null(priority_facility_name(-1));
	for (int i = 0; i < PRIORITY_FACILITIES; i++) {
		const char *name = priority_facility_name(i);

		assert_int_equal(priority_facility(name, strlen(name)), i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_rfc3164),
		cmocka_unit_test(test_rfc5424), cmocka_unit_test(test_zone),
		cmocka_unit_test(test_control_characters), cmocka_unit_test(test_cut),
		cmocka_unit_test(test_queue), cmocka_unit_test(test_input),
		cmocka_unit_test(test_long_line), cmocka_unit_test(test_targets),
		cmocka_unit_test(test_priorities)};

	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
