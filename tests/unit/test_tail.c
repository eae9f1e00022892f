/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/tail.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct seen {
	char text[8192]; /* lines so far, each followed by '|' */
	size_t longest;
	unsigned n, cut;
};

static char path[64];
static char buffer[TAIL_BUFFER];

static void on_line(void *arg, const struct tail_line *line)
{
	struct seen *s = arg;
	size_t used = strlen(s->text), len = line->len;

	s->n++;
	s->cut += line->cut;
	if (len > s->longest)
		s->longest = len;
	if (used + len + 2 < sizeof(s->text)) {
		memcpy(s->text + used, line->text, len);
		s->text[used + len] = '|';
		s->text[used + len + 1] = '\0';
	}
}

static void put(const char *text, int flags)
{
	int fd = open(path, O_WRONLY | O_CREAT | flags, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void start(struct tail *t)
{
	struct stat st;
	int fd = open(path, O_RDONLY);

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	tail_init(t, fd, st.st_dev, st.st_ino);
}

static void expect(struct tail *t, const char *lines)
{
	struct seen s = {0};
	int r;

	do
		r = tail_read(t, buffer, 1 << 20, on_line, &s);
	while (r == 1);
	assert_int_equal(r, 0);
	assert_string_equal(s.text, lines);
}

static int set_up(void **state)
{
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "/tmp/test_tail.XXXXXX");
	fd = mkstemp(path);
	return fd < 0 ? -1 : close(fd);
}

static int tear_down(void **state)
{
	(void)state;
	return unlink(path);
}

static void whole_lines_once(void **state)
{
	struct tail t;

	(void)state;
	put("one\ntwo\r\nthr", O_TRUNC);
	start(&t);
	expect(&t, "one|two|");
	expect(&t, "");
	put("ee", O_APPEND);
	expect(&t, "");
	put("!\n\nfive\n", O_APPEND);
	expect(&t, "three!||five|");
	assert_int_equal(t.offset, 22);
	tail_done(&t);
}

static void truncated(void **state)
{
	struct tail t;

	(void)state;
	put("first line of old\nsecond\nthird\n", O_TRUNC);
	start(&t);
	expect(&t, "first line of old|second|third|");
	put("new\n", O_TRUNC);
	expect(&t, "new|");
	assert_int_equal(t.restarts, 1);
	/* Written anew beyond where we were: the first line tells. */
	put("another first line, long enough\nand more than there was\n", O_TRUNC);
	expect(&t, "another first line, long enough|and more than there was|");
	assert_int_equal(t.restarts, 2);
	tail_done(&t);
}

static void resumed(void **state)
{
	struct tail t, again;

	(void)state;
	put("a first line\nb\nc\nhalf", O_TRUNC);
	start(&t);
	expect(&t, "a first line|b|c|");
	put(" and half\nd\n", O_APPEND);
	start(&again);
	assert_true(tail_is(&again, t.head_hash, t.head_len));
	assert_int_equal(tail_resume(&again, t.offset), 0);
	expect(&again, "half and half|d|");
	assert_int_not_equal(tail_resume(&again, 1000), 0);
	expect(&again, "a first line|b|c|half and half|d|");
	tail_done(&again);
	put("something else\nthan before\n", O_TRUNC);
	start(&again);
	assert_false(tail_is(&again, t.head_hash, t.head_len));
	tail_done(&again);
	tail_done(&t);
}

static void from_the_end(void **state)
{
	struct tail t;

	(void)state;
	put("old\nhalf-writ", O_TRUNC);
	start(&t);
	assert_int_equal(tail_seek_end(&t), 0);
	put("ten\nnew\n", O_APPEND);
	expect(&t, "new|"); /* the rest of a line whose start was not seen is no line */
	tail_done(&t);
}

static void long_lines(void **state)
{
	static char text[1 << 20];
	struct seen s = {0};
	struct tail t, again;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	put(text, O_TRUNC);
	start(&t);
	while (tail_read(&t, buffer, 1 << 16, on_line, &s) == 1)
		;
	assert_int_equal(s.n, 1);
	assert_int_equal(s.cut, 1);
	assert_int_equal(s.longest, TAIL_LINE_MAX);
	/* Its tail must not pass for a line of its own, after a restart neither. */
	start(&again);
	assert_int_equal(tail_resume(&again, t.offset), 0);
	put("sshd[1]: forged\nnext\n", O_APPEND);
	expect(&t, "next|");
	expect(&again, "next|");
	tail_done(&again);
	tail_done(&t);
}

/* 100 GiB of nothing cost no time; what stands behind them is judged. */
static void vast_hole(void **state)
{
	struct seen s = {0};
	struct tail t;
	int fd, r;

	(void)state;
	put("one\n", O_TRUNC);
	assert_int_equal(truncate(path, 100LL << 30), 0);
	put("end\nnext\n", O_APPEND);
	start(&t);
	for (unsigned i = 0; (r = tail_read(&t, buffer, 1 << 18, on_line, &s)) == 1; i++)
		assert_true(i < 10);
	assert_int_equal(r, 0);
	assert_int_equal(s.n, 3); /* the hole's beginning is a line, cut */
	assert_non_null(strstr(s.text, "|next|"));
	tail_done(&t);
	fd = open(path, O_WRONLY | O_TRUNC);
	close(fd);
}

/* A file that had no whole line yet is continued by any. */
static void was_empty(void **state)
{
	struct tail t;

	(void)state;
	put("some line\n", O_TRUNC);
	start(&t);
	assert_true(tail_is(&t, 0, 0));
	tail_done(&t);
}

static void odd_bytes(void **state)
{
	struct seen s = {0};
	struct tail t;
	int fd;

	(void)state;
	put("", O_TRUNC);
	fd = open(path, O_WRONLY);
	assert_int_equal(write(fd, "a\0b\n\xff\xfe\n\n", 8), 8);
	close(fd);
	start(&t);
	assert_int_equal(tail_read(&t, buffer, 1 << 20, on_line, &s), 0);
	assert_int_equal(s.n, 3);
	assert_int_equal(s.longest, 3);
	tail_done(&t);
}

static void finished(void **state)
{
	struct seen s = {0};
	struct tail t;

	(void)state;
	put("one\nlast without end", O_TRUNC);
	start(&t);
	expect(&t, "one|");
	assert_int_equal(tail_finish(&t, buffer, on_line, &s), 0);
	assert_string_equal(s.text, "last without end|");
	tail_done(&t);
}

/* Whatever pieces a file is written in, the lines are the same. */
static void pieces(void **state)
{
	unsigned seed = 5;

	(void)state;
	for (unsigned round = 0; round < 50; round++) {
		struct seen s = {0};
		char whole[2048] = "";
		struct tail t;

		put("", O_TRUNC);
		start(&t);
		for (unsigned i = 0; i < 100; i++) {
			char piece[16];
			size_t len = (size_t)rand_r(&seed) % 12;

			for (size_t k = 0; k < len; k++)
				piece[k] = rand_r(&seed) % 5 == 0 ? '\n' : (char)('a' + k);
			piece[len] = '\0';
			strcat(whole, piece);
			put(piece, O_APPEND);
			assert_int_equal(tail_read(&t, buffer, 1 << 20, on_line, &s), 0);
		}
		*(strrchr(whole, '\n') + 1) = '\0';
		for (char *p = whole; *p != '\0'; p++)
			if (*p == '\n')
				*p = '|';
		assert_string_equal(s.text, whole);
		tail_done(&t);
	}
}

/* Takes so many lines of a block at once. */
struct block_taker {
	struct seen seen;
	size_t most;
	unsigned blocks;
	uint64_t off; /* where the next begins */
};

static size_t on_block(void *arg, const struct tail_block *block, uint64_t *ret_lines)
{
	struct block_taker *b = arg;
	size_t at = 0;

	assert_int_equal(block->text[block->len - 1], '\n');
	assert_true(block->off >= b->off);
	while (at < block->len && *ret_lines < b->most) {
		const char *end = memchr(block->text + at, '\n', block->len - at);
		struct tail_line line = {
			.text = block->text + at, .len = (size_t)(end - block->text) - at};

		assert_true(line.len <= TAIL_LINE_MAX);
		at += line.len + 1;
		while (line.len > 0 && line.text[line.len - 1] == '\r')
			line.len--;
		on_line(&b->seen, &line);
		++*ret_lines;
	}
	b->blocks += at > 0;
	b->off = block->off + at;
	return at;
}

static void on_line_between(void *arg, const struct tail_line *line)
{
	struct block_taker *b = arg;

	on_line(&b->seen, line);
	assert_true(line->off >= b->off);
	b->off = line->end;
}

/* The same lines come, and are counted alike, whoever takes how many of them at once. */
static void same_in_blocks(struct tail *t, size_t most)
{
	struct block_taker b = {.most = most};
	struct tail one = *t;
	struct seen s = {0};
	int r;

	do
		r = tail_read(&one, buffer, 1 << 20, on_line, &s);
	while (r == 1);
	do
		r = tail_read_blocks(t, buffer, 1 << 20, on_block, on_line_between, &b);
	while (r == 1);
	assert_int_equal(r, 0);
	assert_string_equal(b.seen.text, s.text);
	assert_int_equal(b.seen.n, s.n);
	assert_int_equal(b.seen.cut, s.cut);
	assert_int_equal(b.seen.longest, s.longest);
	assert_int_equal(t->offset, one.offset);
	assert_int_equal(t->skipping, one.skipping);
	assert_int_equal(t->lines, one.lines);
	assert_int_equal(t->long_lines, one.long_lines);
	assert_int_equal(t->head_len, one.head_len);
	assert_true(most == 0 || s.n == s.cut || b.blocks > 0);
}

static void long_line(size_t len)
{
	char *text = malloc(len + 2);

	assert_non_null(text);
	memset(text, 'x', len);
	strcpy(text + len, "\n");
	put(text, O_APPEND);
	free(text);
}

static void blocks_are_lines(void **state)
{
	static const size_t mosts[] = {0, 1, 2, SIZE_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(mosts) / sizeof(mosts[0]); i++) {
		struct tail t;

		put("one\ntwo\r\n\n\r\nthr", O_TRUNC);
		start(&t);
		same_in_blocks(&t, mosts[i]);
		put("ee\nfour\n", O_APPEND);
		long_line(TAIL_LINE_MAX);
		long_line(TAIL_LINE_MAX + 1);
		put("five\nsix\n", O_APPEND);
		long_line(3 * TAIL_BUFFER);
		put("seven\n", O_APPEND);
		same_in_blocks(&t, mosts[i]);
		put("eight", O_APPEND);
		same_in_blocks(&t, mosts[i]);
		put("\n", O_APPEND);
		same_in_blocks(&t, mosts[i]);
		tail_done(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_lines_once),
		cmocka_unit_test(truncated),
		cmocka_unit_test(blocks_are_lines),
		cmocka_unit_test(resumed),
		cmocka_unit_test(from_the_end),
		cmocka_unit_test(long_lines),
		cmocka_unit_test(vast_hole),
		cmocka_unit_test(was_empty),
		cmocka_unit_test(odd_bytes),
		cmocka_unit_test(finished),
		cmocka_unit_test(pieces),
	};

	return cmocka_run_group_tests_name("tail", tests, set_up, tear_down);
}
