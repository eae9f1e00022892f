/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/frames.h"

#include "source/tail.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct frames frames;
static struct frames_room room = {.max = SIZE_MAX};
static char heard[4096]; /* messages, each in brackets; "!" behind one that was cut */
static size_t n_heard, last_len;
static size_t absurd;

static void on_frame(void *arg, const char *msg, size_t len, bool cut)
{
	(void)arg;
	last_len = len;
	n_heard += (size_t)snprintf(heard + n_heard, sizeof(heard) - n_heard, "[%.*s]%s",
		len > 40 ? 40 : (int)len, msg, cut ? "!" : "");
}

static void take(const char *data, size_t len)
{
	absurd += frames_take(&frames, &room, data, len, on_frame, NULL);
}

#define TAKE(data) take(data, sizeof(data) - 1)

static int fresh(void **state)
{
	(void)state;
	frames_done(&frames, &room);
	room.max = SIZE_MAX;
	heard[0] = '\0';
	n_heard = absurd = 0;
	return 0;
}

static bool end(bool in_order)
{
	return frames_end(&frames, &room, in_order, on_frame, NULL);
}

/* By bytes one by one and as a whole. */
static void check(const char *data, size_t len, const char *want)
{
	for (unsigned i = 0; i < 2; i++) {
		fresh(NULL);
		for (size_t at = 0; i == 0 && at < len; at++)
			take(data + at, 1);
		if (i == 1)
			take(data, len);
		assert_string_equal(heard, want);
		assert_int_equal(room.used, 0);
	}
}

#define CHECK(data, want) check(data, sizeof(data) - 1, want)

static void lines(void **state)
{
	(void)state;
	CHECK("<38>a\n<38>b\r\n<38>c\0", "[<38>a][<38>b\r][<38>c]");
	CHECK("\n\r\n\0\n<38>a\n\n", "[<38>a]");
	CHECK("no priority\n", "[no priority]");
	CHECK("<38>a", "");
	assert_true(end(true));
	assert_string_equal(heard, "[<38>a]");
	CHECK("1\n12\n12 \n12 x\n12<38>\n0 <38>a\n", "[1][12][12 ][12 x][12<38>][0 <38>a]");
	CHECK("<38>a\n12", "[<38>a]");
	assert_true(end(true));
	assert_string_equal(heard, "[<38>a][12]");
}

static void counted(void **state)
{
	(void)state;
	CHECK("5 <38>a6 <38>bc", "[<38>a][<38>bc]");
	CHECK("7 <38>a\nb5 <38>c\n5 <38>d\n", "[<38>a\nb][<38>c][<38>d]");
	CHECK("1 <1 <", "[<][<]");
	CHECK("5 <38>a<38>line\n5 <38>b", "[<38>a][<38>line][<38>b]");
	CHECK("9 <38>short", "[<38>short]");
	CHECK("10 <38>short", "");
	assert_false(end(true));
	assert_string_equal(heard, "");
	assert_true(end(true)); /* nothing is left of it */
}

/* Part of a line is no line when the connection broke. */
static void broken(void **state)
{
	(void)state;
	TAKE("<38>from 192.0.2.1");
	assert_false(end(false));
	assert_string_equal(heard, "");
	TAKE("<38>whole\n");
	assert_true(end(false));
	assert_string_equal(heard, "[<38>whole]");
}

static void absurd_counts(void **state)
{
	(void)state;
	CHECK("99999999 <38>a\n5 <38>b", "[<38>a][<38>b]");
	assert_int_equal(absurd, 1);
	CHECK("99999999999999999999 <38>a\n", "[<38>a]");
	assert_int_equal(absurd, 1);
	/* More digits than any count has: a line. */
	CHECK("999999999999999999999 <38>a\n", "[999999999999999999999 <38>a]");
	assert_int_equal(absurd, 0);
	CHECK("20261120071249 host\n", "[20261120071249 host]");
}

static void long_frames(void **state)
{
	static char text[TAIL_LINE_MAX + 101];
	const size_t sizes[] = {TAIL_LINE_MAX - 1, TAIL_LINE_MAX, TAIL_LINE_MAX + 1, sizeof(text)};
	const size_t steps[] = {1, 4096, sizeof(text) + 64};

	(void)state;
	memset(text, 'x', sizeof(text));
	text[0] = '<';
	for (size_t i = 0; i < 2 * 4 * 3; i++) {
		size_t n = sizes[i % 4], step = steps[i / 4 % 3], len = 0;
		char *all = malloc(sizeof(text) + 64);
		bool is_counted = i >= 12;

		fresh(NULL);
		if (is_counted)
			len = (size_t)sprintf(all, "%zu ", n);
		memcpy(all + len, text, n);
		len += n;
		if (!is_counted)
			all[len++] = '\n';
		memcpy(all + len, "5 <38>z", 7);
		len += 7;
		for (size_t at = 0; at < len; at += step)
			take(all + at, step < len - at ? step : len - at);
		free(all);
		assert_string_equal(heard,
			n > TAIL_LINE_MAX ? "[<xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx]![<38>z]"
					  : "[<xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx][<38>z]");
		assert_int_equal(room.used, 0);
	}
}

/* What is longer than the small part takes of the common room, and gives it back. */
static void little_room(void **state)
{
	static char text[FRAMES_SMALL * 3];
	struct frames other = {0};

	(void)state;
	memset(text, 'x', sizeof(text));
	room.max = FRAMES_SMALL;
	take(text, FRAMES_SMALL + 1);
	assert_int_equal(room.used, FRAMES_SMALL);
	frames_take(&other, &room, text, FRAMES_SMALL, on_frame, NULL);
	assert_string_equal(heard, "");
	frames_take(&other, &room, text, 1, on_frame, NULL);
	assert_int_equal(last_len, FRAMES_SMALL);
	assert_int_equal(heard[n_heard - 1], '!');
	n_heard = 0;
	frames_take(&other, &room, "rest\n<38>a\n", 11, on_frame, NULL);
	assert_string_equal(heard, "[<38>a]");
	TAKE("\n");
	assert_int_equal(last_len, FRAMES_SMALL + 1);
	assert_int_equal(room.used, 0);
	frames_done(&other, &room);
}

static void resumed(void **state)
{
	struct frames f;

	(void)state;
	TAKE("12 <38>ab");
	assert_int_equal(frames_resume(&f, frames.state, frames.left, frames.n_kept), 0);
	assert_int_equal(frames_take(&f, &room, frames.kept, frames.n_kept, on_frame, NULL), 0);
	frames_take(&f, &room, "cdefgh<38>n\n", 12, on_frame, NULL);
	assert_string_equal(heard, "[<38>abcdefgh][<38>n]");
	frames_done(&f, &room);
	assert_int_equal(frames_resume(&f, 5, 0, 0), -EINVAL);
	assert_int_equal(frames_resume(&f, 2, 0, 0), -EINVAL);
	assert_int_equal(frames_resume(&f, 1, 1, 0), -EINVAL);
	assert_int_equal(frames_resume(&f, 2, FRAME_COUNT_MAX + 1, 0), -EINVAL);
	assert_int_equal(frames_resume(&f, 1, 0, TAIL_LINE_MAX + 1), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lines, fresh, fresh),
		cmocka_unit_test_setup_teardown(counted, fresh, fresh),
		cmocka_unit_test_setup_teardown(broken, fresh, fresh),
		cmocka_unit_test_setup_teardown(absurd_counts, fresh, fresh),
		cmocka_unit_test_setup_teardown(long_frames, fresh, fresh),
		cmocka_unit_test_setup_teardown(little_room, fresh, fresh),
		cmocka_unit_test_setup_teardown(resumed, fresh, fresh),
	};

	return cmocka_run_group_tests_name("frames", tests, NULL, NULL);
}
