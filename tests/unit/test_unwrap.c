/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/buf.h"
#include "base/util.h"
#include "source/unwrap.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#define T0 1795158769000000 /* 2026-11-20T07:12:49Z */

static char buffer[TAIL_BUFFER];

/* A log, and how it is read. */
struct fix {
	int fd;
	struct tail tail;
	struct unwrap unwrap;
	struct buf seen; /* lines so far, each followed by '|', "..." before it if it was cut */
	int64_t time_us; /* of the last line; 0: it had none */
	unsigned n;
};

static void on_logged(void *arg, const struct unwrap_line *line)
{
	struct fix *f = arg;

	f->n++;
	assert_true(line->len <= TAIL_LINE_MAX);
	assert_null(memchr(line->text, '\n', line->len));
	buf_add(&f->seen, line->text, line->len < 64 ? line->len : 64);
	buf_adds(&f->seen, line->cut ? "...|" : "|");
	f->time_us = line->has_time ? line->time_us : 0;
}

static void on_line(void *arg, const struct tail_line *line)
{
	struct fix *f = arg;

	unwrap_take(&f->unwrap, &f->tail, line, on_logged, f);
}

static void append(struct fix *f, const void *data, size_t len)
{
	assert_int_equal(lseek(f->fd, 0, SEEK_END) < 0, 0);
	assert_int_equal(write(f->fd, data, len), (ssize_t)len);
}

static void say(struct fix *f, const char *text)
{
	append(f, text, strlen(text));
}

static const char *look(struct fix *f)
{
	return f->unwrap.looked ? NULL : unwrap_look(&f->unwrap, &f->tail, true);
}

static void reading(struct fix *f)
{
	int r;

	do {
		uint64_t restarts = f->tail.restarts;

		assert_null(look(f));
		r = tail_read(&f->tail, buffer, 1 << 20, on_line, f);
		if (f->tail.restarts != restarts)
			f->unwrap.looked = false;
	} while (r == 1);
	assert_int_equal(r, 0);
}

static void expect(struct fix *f, const char *lines)
{
	reading(f);
	assert_string_equal(buf_text(&f->seen), lines);
	buf_drop(&f->seen, f->seen.len);
}

/* The reader ends and another takes its place, at a saved position. */
static void restart(struct fix *f)
{
	uint64_t offset = f->tail.offset;
	const struct charset *named = f->unwrap.named;

	tail_done(&f->tail);
	tail_init(&f->tail, dup(f->fd), 1, 1);
	f->unwrap = (struct unwrap) {.named = named};
	assert_null(look(f));
	assert_int_equal(tail_resume(&f->tail, offset), 0);
	unwrap_resume(&f->unwrap, &f->tail, buffer);
}

static void file_new(struct fix *f)
{
	f->fd = memfd_create("log", MFD_CLOEXEC);
	assert_true(f->fd >= 0);
	tail_init(&f->tail, dup(f->fd), 1, 1);
	f->unwrap = (struct unwrap) {0};
}

static void file_done(struct fix *f)
{
	tail_done(&f->tail);
	close(f->fd);
}

static int set_up(void **state)
{
	struct fix *f = calloc(1, sizeof(*f));

	file_new(f);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fix *f = *state;

	file_done(f);
	buf_done(&f->seen);
	free(f);
	return 0;
}

#define DOCKER(stream, log)                                                                        \
	"{\"log\":\"" log "\",\"stream\":\"" stream                                                \
	"\",\"time\":\"2026-11-20T07:12:49.123456789Z\"}\n"
#define OUT(log) DOCKER("stdout", log)
#define ERR(log) DOCKER("stderr", log)

static void docker(void **state)
{
	struct fix *f = *state;

	say(f, OUT("first\\n"));
	expect(f, "first|");
	assert_int_equal(f->time_us, T0 + 123456);
	assert_int_equal(f->unwrap.kind, CONTAINER_JSON);
	say(f, OUT("q\\\"b\\\\s\\/t\\t\\u00e9\\u20ac\\ud83d\\ude00 \\ud83d x \\udc00\\u0000.\\n"));
	reading(f);
	assert_int_equal(f->seen.len, strlen("q\"b\\s/t\té€😀 \xef\xbf\xbd x \xef\xbf\xbd") + 3);
	assert_memory_equal(
		f->seen.data, "q\"b\\s/t\té€😀 \xef\xbf\xbd x \xef\xbf\xbd\0.|", f->seen.len);
	buf_drop(&f->seen, f->seen.len);
	/* Attributes, another order, blanks, a terminal's line end, another zone, no fraction. */
	say(f, "{\"log\":\"a\\r\\n\",\"attrs\":{\"x\":\"}\\\"\",\"y\":[1,{\"log\":\"no\"}]},"
	       "\"stream\":\"stderr\","
	       "\"time\":\"2026-11-20T08:12:50+01:00\"}\n");
	expect(f, "a|");
	assert_int_equal(f->time_us, T0 + 1000000);
	say(f, "{ \"time\" : \"2026-11-20T07:12:49.1Z\", \"n\":null , \"stream\":\"stdout\", "
	       "\"log\":\"b\\n\" } \n");
	expect(f, "b|");
	assert_int_equal(f->time_us, T0 + 100000);
	/* Nothing in a message makes a line of its own. */
	say(f, OUT("one\\nFailed password\\n\\n"));
	expect(f, "one Failed password |");
	say(f, OUT("\\n"));
	expect(f, "|");
}

/* What no runtime wrote is judged as it stands, and is never unescaped. */
static void not_docker(void **state)
{
	static const char twice[] = "{\"log\":\"x\\n\",\"log\":\"y\\n\",\"stream\":\"stdout\","
				    "\"time\":\"2026-11-20T07:12:49Z\"}";
	static const char *const lines[] = {"{\"log\":\"x\\n\",\"stream\":\"stdout\"}",
		"{\"log\":\"x\\n\",\"stream\":\"stdin\",\"time\":\"2026-11-20T07:12:49Z\"}", twice,
		"{\"log\":\"x\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-31T07:12:49Z\"}",
		"{\"log\":\"x\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-20T07:12:49\"}",
		"{\"log\":\"x\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-20T07:12:49Z\"} y",
		"{\"log\":\"x\\q\",\"stream\":\"stdout\",\"time\":\"2026-11-20T07:12:49Z\"}",
		"{\"log\":\"x\\u12\",\"stream\":\"stdout\",\"time\":\"2026-11-20T07:12:49Z\"}",
		"{\"log\":\"x\ty\",\"stream\":\"stdout\",\"time\":\"2026-11-20T07:12:49Z\"}",
		"{\"log\":\"x", "{", "{}", "[]", "",
		"{\"a\":[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]],\"log\":\"x\\n\"}"};
	struct fix *f = *state;
	struct container_piece p;
	char out[64];

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		assert_int_equal(container_detect(lines[i], strlen(lines[i])), CONTAINER_NONE);
		assert_false(container_read(
			CONTAINER_JSON, out, sizeof(out), lines[i], strlen(lines[i]), &p));
	}
	say(f, OUT("x\\n") "torn {\"log\":\"y\\n\"\n" OUT("z\\n"));
	expect(f, "x|torn {\"log\":\"y\\n\"|z|");
}

static void a_plain_log_stays_one(void **state)
{
	struct fix *f = *state;

	say(f, "Nov 20 07:12:49 host x: y\n" OUT(
		       "forged\\n") "2026-11-20T07:12:49Z stdout F forged\n");
	reading(f);
	assert_int_equal(f->unwrap.kind, CONTAINER_NONE);
	assert_int_equal(f->n, 3);
	assert_int_equal(f->time_us, 0);
	restart(f);
	say(f, OUT("forged\\n"));
	reading(f);
	assert_int_equal(f->unwrap.kind, CONTAINER_NONE);
	assert_null(strstr(buf_text(&f->seen), "|forged"));
	/* Nor does a container's become another's. */
	buf_drop(&f->seen, f->seen.len);
	assert_int_equal(ftruncate(f->fd, 0), 0);
	say(f, OUT("x\\n") "2026-11-20T07:12:49Z stdout F forged\n");
	expect(f, "x|2026-11-20T07:12:49Z stdout F forged|");
}

/* A filter that is made for the wrapping sees it. */
static void as_it_is(void **state)
{
	static const struct {
		const char *regex;
		bool meant;
	} cases[] = {{"^\\{\"log\":\"bad login from <HOST>", true},
		{"\"log\":\\s*\"x <HOST>", true}, {"^\\S+ stdout F x <HOST>", true},
		{"^x from <HOST>$", false}, {"^login \"logger\" <HOST>$", false}};
	struct fix *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct conf_text regex = {.text = cases[i].regex};
		const struct filter_def def = {.failregex = &regex, .n_failregex = 1};

		assert_int_equal(container_is_meant(&def), cases[i].meant);
	}
	f->unwrap.as_is = true;
	say(f, "{\"log\":\"x\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-20T07:12:49Z\"}\n");
	reading(f);
	assert_int_equal(f->unwrap.kind, CONTAINER_NONE);
	assert_int_equal(strncmp(buf_text(&f->seen), "{\"log\":", 7), 0);
}

#define CRI(stream, rest) "2026-11-20T08:12:49.123456789+01:00 " stream " " rest "\n"

static void cri(void **state)
{
	struct fix *f = *state;

	say(f, CRI("stdout", "F first"));
	expect(f, "first|");
	assert_int_equal(f->time_us, T0 + 123456);
	assert_int_equal(f->unwrap.kind, CONTAINER_CRI);
	say(f, CRI("stderr", "F:x:y  two\\n") CRI("stdout", "F ") CRI("stdout", "F"));
	expect(f, " two\\n|||");
	say(f, CRI("stdout", "P one ") CRI("stderr", "F err") CRI("stdout", "P and ")
			CRI("stdout", "F two"));
	expect(f, "err|one and two|");
	say(f, CRI("stdout", "X x") CRI("stdin", "F x") "2026-11-20T07:12:49 stdout F x\n");
	reading(f);
	assert_int_equal(f->n, 9);
	assert_int_equal(f->time_us, 0);
}

/* However it is torn, and wherever the reader is replaced, each line comes once and whole. */
static void pieces(void **state)
{
	static const char *const lines[] = {OUT("a"), ERR("1\\n"), OUT("b"), ERR("2"), OUT("c\\n"),
		ERR("3\\n"), OUT("d\\n"), OUT("e"), OUT("\\n")};
	struct fix *f = *state;
	const char *want = "1|abc|23|d|e|";

	for (size_t at = 0; at <= ARRAY_SIZE(lines); at++) {
		file_done(f);
		file_new(f);
		for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
			say(f, lines[i]);
			if (i >= at)
				reading(f);
			if (i == at)
				restart(f);
		}
		expect(f, want);
	}
}

static void put_long(
	struct fix *f, const char *each, size_t n, const char *stream, const char *last)
{
	struct buf b = {0};

	buf_adds(&b, "{\"log\":\"");
	for (size_t i = 0; i < n; i++)
		buf_adds(&b, each);
	buf_addf(&b, "%s\",\"stream\":\"%s\",\"time\":\"2026-11-20T07:12:49Z\"}\n", last, stream);
	append(f, b.data, b.len);
	buf_done(&b);
}

/* Docker tears at 16 KiB, and escapes may make six times as much of it. */
static void long_lines(void **state)
{
	struct fix *f = *state;

	for (unsigned restarts = 0; restarts < 2; restarts++) {
		f->n = 0;
		put_long(f, "\\u0001", 16384, "stdout", "");
		reading(f);
		assert_int_equal(f->n, 0);
		put_long(f, "\\u0001", 16384, "stdout", "");
		reading(f);
		assert_int_equal(f->n, 1); /* as much as is judged is there */
		assert_non_null(strstr(buf_text(&f->seen), "...|"));
		if (restarts)
			restart(f);
		say(f, OUT("Failed password for root from 192.0.2.1 port 1 ssh2"));
		put_long(f, "\\u0001", 16384, "stdout", "");
		reading(f);
		if (restarts)
			restart(f);
		say(f, OUT("sshd[1]: Failed password for root from 192.0.2.1 port 1 ssh2\\n"));
		reading(f);
		assert_int_equal(f->n, 1); /* the rest of a line is none */
		buf_drop(&f->seen, f->seen.len);
		say(f, OUT("next\\n"));
		expect(f, "next|");
	}
	/* Longer than what is judged, in one piece. */
	put_long(f, "x", 70000, "stdout", "\\n");
	say(f, OUT("next\\n"));
	reading(f);
	assert_non_null(strstr(buf_text(&f->seen), "...|next|"));
	assert_int_equal(f->n, 4);
	/* What web servers take from a client, in the pieces of the runtime: nothing is cut away.
	 */
	for (unsigned i = 0; i < 3; i++)
		put_long(f, "x", 16384, "stdout", "");
	say(f, OUT(" from 192.0.2.1\\n"));
	reading(f);
	assert_string_equal(buf_text(&f->seen) + f->seen.len - 4, "xxx|");
}

/* Between the pieces of one stream another has written more than is looked back for. */
static void far_apart(void **state)
{
	struct fix *f = *state;

	say(f, OUT("near\\n") OUT("begun "));
	for (unsigned i = 0; i < 5000; i++)
		say(f, ERR("noise noise noise noise noise noise\\n"));
	reading(f);
	assert_int_equal(f->n, 5001);
	buf_drop(&f->seen, f->seen.len);
	say(f, OUT("and ended\\n") OUT("after\\n"));
	expect(f, "begun ...|after|");
}

/* A line that rotation tears: its end in the new file is no line of its own. */
static void torn_by_rotation(void **state)
{
	struct fix *f = *state, after = {0};

	say(f, OUT("x\\n") ERR("y\\n") OUT("begun "));
	reading(f);
	file_new(&after);
	say(&after, OUT("Failed password\\n") ERR("z\\n") OUT("next\\n"));
	assert_null(look(&after));
	unwrap_follow(&after.unwrap, &f->tail, buffer);
	expect(&after, "z|next|");
	unwrap_finish(&f->unwrap, &f->tail, on_logged, f);
	expect(f, "x|y|begun |");
	unwrap_finish(&f->unwrap, &f->tail, on_logged, f);
	expect(f, "");
	/* Truncated under the runtime likewise. */
	say(f, OUT("begun "));
	expect(f, "");
	assert_int_equal(ftruncate(f->fd, 0), 0);
	say(f, OUT("Failed password\\n") OUT("next\\n"));
	expect(f, "next|");
	file_done(&after);
	buf_done(&after.seen);
}

static struct charset *named(const char *name)
{
	struct charset *c = (void *)1;

	assert_int_equal(charset_open(&c, name), 0);
	return c;
}

static void names(void **state)
{
	static const char *const plain[] = {"auto", "UTF-8", "utf_8", "ascii", "us-ascii", "utf8"};
	static const char *const known[] = {"latin1", "latin-1", "iso-8859-1", "iso8859-15",
		"ISO_8859_2", "cp1252", "windows-1251", "koi8-r", "big5", "shift_jis", "gb18030",
		"euc-jp", "utf-16", "utf_16_le", "UTF-16BE", "utf-32", "utf32-le"};
	static const char *const unknown[] = {"", "nonsense", "latin1//TRANSLIT", "../x",
		"utf-16xe", "utf-1600000000000000000000000000000000000000000000000000"};
	struct charset *c, *other;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
		assert_null(named(plain[i]));
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		c = named(known[i]);
		assert_non_null(c);
		charset_close(c);
	}
	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++)
		assert_int_equal(charset_open(&c, unknown[i]), -EINVAL);
	assert_int_equal(charset_open(&c, "ebcdic-us"), -EOPNOTSUPP);
	c = named("latin1");
	other = named("cp1252");
	assert_true(charset_same(c, c));
	assert_false(charset_same(c, other));
	assert_false(charset_same(c, NULL));
	assert_true(charset_same(NULL, NULL));
	charset_close(c);
	charset_close(other);
	charset_close(NULL);
}

/* "aé€😀" and a lone half of a pair, in two lines. */
static const char little[] = "\xff\xfe"
			     "a\0\xe9\0\xac\x20\x3d\xd8\0\xde\n\0\r\0"
			     "b\0\x3d\xd8"
			     "c\0\n\0";
static const char big[] = "\xfe\xff\0a\0\xe9\x20\xac\xd8\x3d\xde\0\0\n\0\r\0b\xd8\x3d\0c\0\n";
static const char big32[] =
	"\0\0\xfe\xff\0\0\0a\0\0\0\xe9\0\0\x20\xac\0\1\xf6\0\0\0\0\n\0\0\0\r\0\0\0b"
	"\0\0\xd8\x3d\0\0\0c\0\0\0\n";

static void wide(void **state)
{
	static const struct {
		const char *name, *bytes;
		size_t len, mark;
		uint8_t unit;
	} cases[] = {{"utf-16le", little, sizeof(little) - 1, 2, 2},
		{"utf-16", big, sizeof(big) - 1, 0, 2}, {"utf-16be", big, sizeof(big) - 1, 2, 2},
		{"utf-16", little, sizeof(little) - 1, 2, 2},
		{"auto", little, sizeof(little) - 1, 0, 2}, {"auto", big, sizeof(big) - 1, 0, 2},
		{"utf-32be", big32, sizeof(big32) - 1, 4, 4},
		{"auto", big32, sizeof(big32) - 1, 0, 4}};
	struct fix *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct charset *c = named(cases[i].name);
		uint64_t mark = cases[i].mark;

		for (size_t cut = 0; cut < cases[i].len - mark; cut += cut < 4 ? 4 : 1) {
			file_done(f);
			file_new(f);
			f->unwrap.named = c;
			append(f, cases[i].bytes + mark, cut);
			reading(f);
			if (f->unwrap.looked)
				restart(f);
			append(f, cases[i].bytes + mark + cut, cases[i].len - mark - cut);
			expect(f, "aé€😀|\rb\xef\xbf\xbd"
				  "c|");
			assert_int_equal(f->tail.offset, cases[i].len - mark);
			assert_int_equal(f->tail.unit, cases[i].unit);
		}
		charset_close(c);
		f->unwrap.named = NULL;
	}
}

/* Half of "\n" beside half of it is none. */
static void no_newline(void **state)
{
	struct fix *f = *state;
	struct charset *c = named("utf-16le");

	f->unwrap.named = c;
	append(f, "a\x0a\0\x0a\x0a\x0a\n\0", 8);
	expect(f, "\xe0\xa9\xa1\xe0\xa8\x80\xe0\xa8\x8a|");
	/* A long one is cut at whole characters, also in the result. */
	for (unsigned i = 0; i < TAIL_LINE_MAX + 10; i++)
		append(f, "\xac\x20", 2);
	append(f, "\n\0b\0\n\0", 6);
	reading(f);
	assert_int_equal(f->n, 3);
	assert_non_null(strstr(buf_text(&f->seen), "...|b|"));
	charset_close(c);
}

static void by_iconv(void **state)
{
	struct fix *f = *state;
	struct charset *c = named("latin1");

	f->unwrap.named = c;
	say(f, "J\xf6rg\n\xff\xfe\n");
	expect(f, "Jörg|ÿþ|");
	charset_close(c);
	file_done(f);
	file_new(f);
	c = named("shift_jis");
	f->unwrap.named = c;
	say(f, "\x93\xfa\x96{ \xff\xfe.\x93\n\xb1\n");
	expect(f, "日本 \xef\xbf\xbd\xef\xbf\xbd.\xef\xbf\xbd|ｱ|");
	charset_close(c);
	f->unwrap.named = NULL;
	/* As it stands, but for a mark at its beginning. */
	file_done(f);
	file_new(f);
	say(f, "\xef\xbb\xbf"
	       "a\xff\n\xef\xbb\xbf"
	       "b\n");
	expect(f, "a\xff|\xef\xbb\xbf"
		  "b|");
}

static void no_logs(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *what;
	} cases[] = {{"\x1f\x8b\x08\0\0\0\0\0\0\3", 10, "gzip"},
		{"\xfd"
		 "7zXZ\0\0\4",
			8, "xz"},
		{"BZh91AY&SY", 10, "bzip2"}, {"\x28\xb5\x2f\xfd\0", 5, "zstd"},
		{"LPKSHHRH\0\0\0\0", 12, "journal"},
		{"\x7f"
		 "ELF\2\1\1\0",
			8, "ELF"},
		{"\2\0\0\0\0\0\0\0~\0\0\0", 12, "binary"}, {"\0\0\0\0text\n", 9, NULL},
		/* The first client of the day, by a name that should hide all others. */
		{"Jun 14 15:16:01 \1\2\3\4\5\6\7\1\2\3\4\5\6\7\1\2\3\4\5\6\7\n", 38, NULL},
		{"\033[31mred\033[0m\n", 13, NULL}, {"J\xf6rg\n", 5, NULL}, {"\n", 1, NULL}};
	struct fix *f = *state;

	assert_null(look(f));
	assert_false(f->unwrap.looked);
	say(f, "ab");
	assert_null(look(f));
	assert_false(f->unwrap.looked);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *what;

		file_done(f);
		file_new(f);
		append(f, cases[i].bytes, cases[i].len);
		what = look(f);
		if (cases[i].what == NULL)
			assert_null(what);
		else
			assert_string_equal(what, cases[i].what);
	}
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(docker),
		TEST(not_docker),
		TEST(a_plain_log_stays_one),
		TEST(as_it_is),
		TEST(cri),
		TEST(pieces),
		TEST(long_lines),
		TEST(far_apart),
		TEST(torn_by_rotation),
		TEST(names),
		TEST(wide),
		TEST(no_newline),
		TEST(by_iconv),
		TEST(no_logs),
	};

	return cmocka_run_group_tests_name("unwrap", tests, NULL, NULL);
}
