/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What people see: tables, numbers, times; and how lines are read for `stockade test`. */
#include "cli/lines.h"
#include "cli/say.h"
#include "cli/table.h"
#include "source/tail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static const struct table_column columns[] = {
	{"NAME", .shrink = true}, {"N", .right = true}, {"END"}};

struct page {
	FILE *out;
	char *text;
	size_t len;
};

static struct table *page_open(struct page *p, unsigned width)
{
	struct table *t;

	p->out = open_memstream(&p->text, &p->len);
	assert_non_null(p->out);
	t = table_new(p->out, columns, 3, width, "", "");
	assert_non_null(t);
	return t;
}

static void page_is(struct page *p, struct table *t, const char *want)
{
	table_end(t);
	fclose(p->out);
	assert_string_equal(p->text, want);
	free(p->text);
}

static void aligned(void **state)
{
	struct page p;
	struct table *t = page_open(&p, 80);

	(void)state;
	table_cellf(t, "sshd");
	table_cellf(t, "%d", 1234);
	table_cellf(t, "x");
	table_cellf(t, "z\xc3\xbcrich");
	table_cellf(t, "7");
	table_cell(t, "a\x1b[31m\n", 7);
	page_is(&p, t,
		"NAME       N  END\nsshd    1234  x\nz\xc3\xbcrich     7  a\\x1b[31m\\x0a\n");
}

static void empty(void **state)
{
	struct page p;
	struct table *t = page_open(&p, 80);

	(void)state;
	page_is(&p, t, "");
	table_end(NULL);
}

static void narrow(void **state)
{
	struct page p;
	struct table *t = page_open(&p, 20);

	(void)state;
	table_cellf(t, "/var/log/a/rather/long/path.log");
	table_cellf(t, "55");
	table_cellf(t, "end");
	page_is(&p, t, "NAME          N  END\n/var....log  55  end\n");
}

static void flows(void **state)
{
	struct page p;
	struct table *t = page_open(&p, 80);
	unsigned lines = 0;

	(void)state;
	for (unsigned i = 0; i < 2000; i++) {
		table_cellf(t, "jail%u", i);
		table_cellf(t, "%u", i);
		table_cellf(t, "end");
	}
	table_end(t);
	fclose(p.out);
	for (const char *s = p.text; *s != '\0'; s++)
		lines += *s == '\n';
	assert_int_equal(lines, 2001);
	assert_non_null(strstr(p.text, "jail1999  1999  end\n"));
	free(p.text);
}

static void shortens(const char *text, size_t width, const char *want)
{
	char buf[64];

	snprintf(buf, sizeof(buf), "%s", text);
	table_shorten(buf, width);
	assert_string_equal(buf, want);
	assert_true(table_text_width(buf) <= width);
}

static void shortening(void **state)
{
	(void)state;
	shortens("abcdefghij", 10, "abcdefghij");
	shortens("abcdefghij", 9, "abc...hij");
	shortens("abcdefghij", 8, "ab...hij");
	shortens("abcdefghij", 4, "...j");
	shortens("abcdefghij", 3, "abc");
	shortens("abcdefghij", 0, "");
	shortens("\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6", 5,
		"\xc3\xa4...\xc3\xb6");
}

static void numbers(void **state)
{
	char b[SAY_MAX];

	(void)state;
	assert_string_equal(say_count(0, b), "0");
	assert_string_equal(say_count(999, b), "999");
	assert_string_equal(say_count(1000, b), "1,000");
	assert_string_equal(say_count(1234567, b), "1,234,567");
	assert_string_equal(say_count(INT64_MIN, b), "-9,223,372,036,854,775,808");
	assert_string_equal(say_bytes(720, b), "720 B");
	assert_string_equal(say_bytes(999, b), "999 B");
	assert_string_equal(say_bytes(1000, b), "1.0 kB");
	assert_string_equal(say_bytes(999499, b), "999 kB");
	assert_string_equal(say_bytes(999500, b), "1.0 MB");
	assert_string_equal(say_bytes(INT64_MAX, b), "9.2 EB");
	assert_string_equal(say_bytes(-1, b), "0 B");
	assert_string_equal(say_span(59, b), "59 s");
	assert_string_equal(say_span(559, b), "9 min");
	assert_string_equal(say_span(7500, b), "2 h 5 min");
	assert_string_equal(say_span(-1, b), "for ever");
}

static void times(void **state)
{
	static const char *const bad[] = {"", "2026", "2026-11-20T07:32:08", "2026-11-20 07:32:08Z",
		"2026-11-20T07:32:08+1:00", "2026-11-20T07:32:08+01:00x", "2026-13-20T07:32:08Z"};
	char b[SAY_MAX];
	int64_t sec;

	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	assert_int_equal(say_read_time(&sec, "2026-11-20T07:32:08Z"), 0);
	assert_int_equal(sec, 1795159928);
	assert_int_equal(say_read_time(&sec, "2026-11-20T08:32:08.5+01:00"), 0);
	assert_int_equal(sec, 1795159928);
	assert_int_equal(say_read_time(&sec, "2026-11-20T02:02:08-05:30"), 0);
	assert_int_equal(sec, 1795159928);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_not_equal(say_read_time(&sec, bad[i]), 0);
	assert_string_equal(say_clock(1795159928, 1795159928, b), "07:32:08");
	assert_string_equal(say_clock(1795159928 - 86400, 1795159928, b), "Nov 19 07:32");
	assert_string_equal(say_clock(1795159928 - 365 * 86400, 1795159928, b), "2025-11-20");
	assert_string_equal(say_clock(INT64_MAX, 0, b), "?");
}

/* What is written into a pipe comes out as lines. */
static struct lines *source(const char *text, size_t len)
{
	FILE *f = tmpfile();
	struct lines *l;

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	rewind(f);
	l = lines_new(dup(fileno(f)));
	fclose(f);
	assert_non_null(l);
	return l;
}

static void line_is(struct lines *l, const char *want, size_t want_len)
{
	const char *line;
	size_t len;

	assert_int_equal(lines_next(l, &line, &len), 1);
	assert_int_equal(len, want_len);
	assert_memory_equal(line, want, want_len);
}

static void line_ends(void **state)
{
	static const char text[] = "one\r\n\n\0two\nthree\r";
	struct lines *l = source(text, sizeof(text) - 1);
	const char *line;
	size_t len;

	(void)state;
	line_is(l, "one", 3);
	line_is(l, "", 0);
	line_is(l, "\0two", 4);
	line_is(l, "three", 5);
	assert_int_equal(lines_next(l, &line, &len), 0);
	lines_free(l);
}

static void long_lines(void **state)
{
	enum { SIZE = 1024 * 1024 };
	char *text = malloc(SIZE + 8);
	struct lines *l;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', SIZE);
	memcpy(text + SIZE, "\nshort\n", 7);
	l = source(text, SIZE + 7);
	line_is(l, text, TAIL_RAW_MAX);
	line_is(l, "short", 5);
	lines_free(l);
	/* One that lies across two reads. */
	memset(text, '\n', SIZE);
	memset(text + 65536 - 5, 'y', 10);
	l = source(text, 65536 + 10);
	for (size_t i = 0; i < 65536 - 5; i++)
		line_is(l, "", 0);
	line_is(l, "yyyyyyyyyy", 10);
	lines_free(l);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(aligned),
		cmocka_unit_test(empty),
		cmocka_unit_test(narrow),
		cmocka_unit_test(flows),
		cmocka_unit_test(shortening),
		cmocka_unit_test(numbers),
		cmocka_unit_test(times),
		cmocka_unit_test(line_ends),
		cmocka_unit_test(long_lines),
	};

	return cmocka_run_group_tests_name("cli_table", tests, NULL, NULL);
}
