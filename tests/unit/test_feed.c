/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/buf.h"
#include "replay/feed.h"
#include "replay/unpack.h"
#include "source/unwrap.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char buffer[TAIL_BUFFER];

/* What is read of a log, a line each: its time, its length, its text. */
struct lines {
	struct buf text;
	size_t n;
	uint64_t torn;
	struct unwrap unwrap;
	struct tail tail;
};

static void add(struct lines *l, const char *text, size_t len, int64_t time_us)
{
	l->n++;
	assert_int_equal(buf_addf(&l->text, "%lld %zu ", (long long)time_us, len), 0);
	assert_int_equal(buf_add(&l->text, text, len), 0);
	assert_int_equal(buf_add(&l->text, "\n", 1), 0);
}

static int log_of(const void *data, size_t len)
{
	int fd = memfd_create("log", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), (ssize_t)len);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static void on_logged(void *arg, const struct unwrap_line *line)
{
	add(arg, line->text, line->len, line->has_time ? line->time_us : 0);
}

static void on_line(void *arg, const struct tail_line *line)
{
	struct lines *l = arg;

	unwrap_take(&l->unwrap, &l->tail, line, on_logged, l);
}

/* As guard reads a file that is there. */
static struct lines by_tail(int fd)
{
	struct lines l = {0};

	tail_init(&l.tail, fd, 1, 1);
	assert_null(unwrap_look(&l.unwrap, &l.tail, false));
	while (tail_read(&l.tail, buffer, TAIL_BUFFER, on_line, &l) > 0)
		;
	tail_finish(&l.tail, buffer, on_line, &l);
	unwrap_finish(&l.unwrap, &l.tail, on_logged, &l);
	tail_done(&l.tail);
	return l;
}

static void add_chunk(struct lines *l, const struct chunk *c)
{
	size_t at = 0, n = 0;

	assert_true(c->len > 0);
	assert_int_equal(c->text[c->len - 1], '\n');
	for (; at < c->len; n++) {
		const char *line = c->text + at;
		size_t len = (size_t)((const char *)memchr(line, '\n', c->len - at) - line);

		at += len + 1;
		if (len > TAIL_LINE_MAX)
			len = TAIL_LINE_MAX;
		while (len > 0 && c->n_times == 0 && line[len - 1] == '\r')
			len--;
		add(l, line, len, c->n_times > 0 ? c->times[n] : 0);
	}
	assert_true(c->n_times == 0 || c->n_times == n);
}

static struct lines by_feed(int fd, int *ret_end)
{
	struct lines l = {0};
	struct chunk c = {0};
	const char *unfit;
	struct feed *f;
	int r;

	assert_int_equal(feed_open(&f, fd, &(struct feed_conf) {0}, &unfit), 0);
	while ((r = feed_next(f, &c)) > 0)
		add_chunk(&l, &c);
	*ret_end = r;
	/* An end stays one. */
	assert_int_equal(feed_next(f, &c), r);
	l.torn = feed_torn(f);
	chunk_done(&c);
	feed_close(f);
	return l;
}

static void check_same(struct lines *want, struct lines *got)
{
	assert_int_equal(got->n, want->n);
	assert_int_equal(got->text.len, want->text.len);
	assert_memory_equal(buf_text(&got->text), buf_text(&want->text), want->text.len);
	buf_done(&want->text);
	buf_done(&got->text);
}

/* The same log by way of a pipe, in small pieces. */
static int pipe_of(const char *data, size_t len, size_t piece)
{
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	if (fork() == 0) {
		close(fds[0]);
		for (size_t at = 0; at < len; at += piece)
			if (write(fds[1], data + at, len - at < piece ? len - at : piece) < 0)
				break;
		_exit(0);
	}
	close(fds[1]);
	return fds[0];
}

static void check_log(const char *data, size_t len)
{
	struct lines want = by_tail(log_of(data, len)), again = by_tail(log_of(data, len)), got;
	int end;

	got = by_feed(log_of(data, len), &end);
	assert_int_equal(end, 0);
	check_same(&want, &got);
	got = by_feed(pipe_of(data, len, 7919), &end);
	assert_int_equal(end, 0);
	check_same(&again, &got);
	wait(NULL);
}

static void check_text(const char *text)
{
	check_log(text, strlen(text));
}

static void test_plain(void **state)
{
	(void)state;
	check_text("one\ntwo\r\nthree\n");
	check_text("the last one has no end");
	check_text("\n\n\nx\n");
	check_text("");
	check_text("\xef\xbb\xbfmarked\nas UTF-8\n");
	check_log("a\0b is what it says\nc\n", 23);
	check_text("\r\r\n\r\nall of it\r");
}

static void test_wrapped(void **state)
{
	static const char wide[] = "\xff\xfeo\0n\0e\0\n\0t\0w\0o\0\r\0\n\0\xe9\0";

	(void)state;
	check_log(wide, sizeof(wide) - 1);
	check_text(
		"{\"log\":\"one\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-20T07:12:49Z\"}\n"
		"{\"log\":\"two \",\"stream\":\"stdout\",\"time\":\"2026-11-20T07:12:50Z\"}\n"
		"{\"log\":\"err\\n\",\"stream\":\"stderr\",\"time\":\"2026-11-20T07:12:51Z\"}\n"
		"no runtime wrote that\n"
		"{\"log\":\"parts\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-20T07:12:52Z\"}\n"
		"{\"log\":\"and no "
		"end\",\"stream\":\"stdout\",\"time\":\"2026-11-20T07:12:53Z\"}\n");
	check_text("2026-11-20T07:12:49.5+01:00 stdout P begun\n"
		   "2026-11-20T07:12:50.5+01:00 stderr F between\n"
		   "2026-11-20T07:12:51.5+01:00 stdout F  and done\n");
}

/* The pieces of a line with much between them: so far back only a file can be read. */
static void test_far_apart(void **state)
{
	struct buf log = {0};
	struct lines want, got;
	int end;

	(void)state;
	buf_adds(&log, "2026-11-20T07:12:49Z stdout P begun\n");
	for (unsigned i = 0; i < 50000; i++)
		buf_adds(&log, "2026-11-20T07:12:50Z stderr F between\n");
	buf_adds(&log, "2026-11-20T07:12:51Z stdout F  and done\n");
	want = by_tail(log_of(log.data, log.len));
	got = by_feed(log_of(log.data, log.len), &end);
	assert_int_equal(end, 0);
	assert_int_equal(got.torn, 0);
	check_same(&want, &got);
	got = by_feed(pipe_of(log.data, log.len, 65536), &end);
	wait(NULL);
	assert_int_equal(got.n, 50001);
	assert_int_equal(got.torn, 1);
	buf_done(&got.text);
	buf_done(&log);
}

/* Lines of all lengths, some beyond what is judged and beyond a chunk. */
static void test_lengths(void **state)
{
	static const size_t lengths[] = {0, 1, 65535, 65536, 65537, 131071, 131072, 131073, 262143,
		262144, 262145, 700000, 3};
	struct buf log = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		for (size_t k = 0; k < lengths[i]; k++)
			buf_add(&log, &"0123456789abcdef"[(k * 7 + i) % 16], 1);
		buf_adds(&log, i % 2 == 0 ? "\n" : "\r\n");
	}
	check_log(log.data, log.len);
	check_log(log.data, log.len - 1);
	buf_done(&log);
}

static void add_random(struct buf *log, unsigned kind)
{
	static const char *const pieces[] = {"\n", "\r\n", "word ", "\r", "\xff", "\n\n", "é",
		"{\"log\":\"", "\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-20T07:12:49Z\"}\n",
		"\",\"stream\":\"stdout\",\"time\":\"2026-11-20T07:12:49.25Z\"}\n",
		"\\r\\n\",\"stream\":\"stderr\",\"time\":\"2026-11-20T07:12:49Z\"}\n",
		"2026-11-20T07:12:49Z stdout P ", "2026-11-20T07:12:50Z stdout F ",
		"2026-11-20T07:12:51Z stderr P "};
	size_t n = 2000 + (size_t)random() % 4000;

	if (kind == 1)
		buf_adds(log, "{\"log\":\"x\\n\",\"stream\":\"stdout\","
			      "\"time\":\"2026-11-20T07:12:49Z\"}\n");
	else if (kind == 2)
		buf_adds(log, "2026-11-20T07:12:49Z stdout F x\n");
	else if (kind == 3)
		buf_add(log, "\xfe\xff", 2);
	for (size_t i = 0; i < n; i++) {
		const char *p = pieces[(size_t)random() % (sizeof(pieces) / sizeof(pieces[0]))];

		buf_adds(log, p);
		for (long k = random() % 400; kind != 3 && k > 380; k--)
			buf_add(log, buffer, 200);
	}
}

static void test_random(void **state)
{
	(void)state;
	memset(buffer, 'z', sizeof(buffer));
	srandom(20261120);
	for (unsigned i = 0; i < 24; i++) {
		struct buf log = {0};

		add_random(&log, i % 4);
		check_log(log.data, log.len);
		memset(buffer, 'z', sizeof(buffer));
		buf_done(&log);
	}
}

/* Runs `tool -c` over a text; false: it is not there. */
static bool pack(const char *tool, const char *text, size_t len, struct buf *ret)
{
	char path[] = "/tmp/stockade-feed-XXXXXX", command[128];
	int fd = mkstemp(path);
	FILE *out;
	size_t n;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), (ssize_t)len);
	close(fd);
	snprintf(command, sizeof(command), "%s -c %s 2>/dev/null", tool, path);
	out = popen(command, "r");
	assert_non_null(out);
	while ((n = fread(buffer, 1, sizeof(buffer), out)) > 0)
		buf_add(ret, buffer, n);
	unlink(path);
	return pclose(out) == 0 && ret->len > 0;
}

static void twice(struct buf *b)
{
	char *copy = malloc(b->len);

	assert_non_null(copy);
	memcpy(copy, b->data, b->len);
	assert_int_equal(buf_add(b, copy, b->len), 0);
	free(copy);
}

/* All of it, then twice one behind the other, then torn, then with a wrong byte. */
static void check_packed(const char *tool)
{
	struct buf text = {0}, packed = {0};
	struct lines want, got;
	int end;

	for (unsigned i = 0; i < 60000; i++)
		buf_addf(&text, "line %u of the text, and %lx\n", i, (unsigned long)random());
	if (!pack(tool, text.data, text.len, &packed))
		goto done;
	want = by_tail(log_of(text.data, text.len));
	got = by_feed(log_of(packed.data, packed.len), &end);
	if (end == -ENOTSUP)
		goto forget;
	assert_int_equal(end, 0);
	check_same(&want, &got);

	twice(&packed);
	twice(&text);
	want = by_tail(log_of(text.data, text.len));
	got = by_feed(log_of(packed.data, packed.len), &end);
	assert_int_equal(end, 0);
	check_same(&want, &got);

	want = by_tail(log_of(text.data, text.len));
	got = by_feed(pipe_of(packed.data, packed.len - 1000, 4093), &end);
	wait(NULL);
	assert_int_equal(end, -ENODATA);
	/* Lines are whole as far as they go. */
	assert_true(got.n > 60000 && got.n < 120000);
	assert_memory_equal(buf_text(&got.text), buf_text(&want.text), got.text.len);
	buf_done(&got.text);
	memset(packed.data + packed.len / 4 * 3, 0x5a, 64);
	got = by_feed(log_of(packed.data, packed.len), &end);
	assert_int_equal(end, -EBADMSG);
	assert_true(got.n >= 60000 && got.n < 120000);
forget:
	buf_done(&want.text);
	buf_done(&got.text);
done:
	buf_done(&text);
	buf_done(&packed);
}

static void test_packed(void **state)
{
	(void)state;
	check_packed("gzip");
	check_packed("xz -0");
	check_packed("zstd -q");
}

static void test_unfit(void **state)
{
	const char *unfit = NULL;
	struct feed *f;
	int dir = memfd_create("x", 0);

	(void)state;
	assert_int_equal(
		feed_open(&f, log_of("BZh91AY&SY....", 14), &(struct feed_conf) {0}, &unfit),
		-EMEDIUMTYPE);
	assert_string_equal(unfit, "bzip2");
	close(dir);
	assert_int_equal(feed_open(&f, dir, &(struct feed_conf) {0}, &unfit), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_wrapped),
		cmocka_unit_test(test_far_apart),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_packed),
		cmocka_unit_test(test_unfit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
