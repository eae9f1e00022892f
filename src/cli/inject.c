/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/inject.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "cli/cli.h"
#include "cli/inject_input.h"
#include "cli/inject_link.h"
#include "cli/say.h"
#include "guard/confine.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>

/*
 * When the buffer is full nobody is waited for, beyond this time, who takes less than a quarter of
 * it in as much: whoever writes the lines, often a server, would have to wait as well.
 */
#define STALL_US USEC_PER_SEC
#define STALL_PART 4
#define NOTE_ROOM 1024                 /* of the buffer, for the message that some were dropped */
#define ACK_POLL_US 5000               /* nothing wakes us when something is confirmed */
#define LAST_TRY_US (2 * USEC_PER_SEC) /* after a signal; whoever sent it may not wait longer */
#define NOTICES_A_MINUTE 6

struct inject {
	const struct inject_options *o;
	FILE *err;
	struct inject_form form;
	struct inject_input input;
	struct inject_queue queue;
	struct inject_link link;
	bool blocked; /* a line is there that has no room */
	bool full;    /* it had none, and the buffer has not been half empty since */
	int64_t full_us;
	uint64_t full_bytes; /* what had been sent then */
	bool dropping;       /* until the buffer is half empty */
	uint64_t dropped, untold, cut;
	bool told_down;
	int64_t end_us; /* when it is over; 0: input goes on */
	uint64_t read_since_signal;
	struct log_limit notices;
};

static volatile sig_atomic_t told_to_end;

static void on_signal(int sig)
{
	(void)sig;
	told_to_end = 1;
}

/* So many lines a minute and no more: they may land where our input comes from. */
__attribute__((format(printf, 2, 3))) static void notice(struct inject *in, const char *fmt, ...)
{
	unsigned held;
	va_list ap;

	if (!log_limit_pass(&in->notices, &held))
		return;
	fprintf(in->err, "stockade inject: %s: ", in->o->target.shown);
	va_start(ap, fmt);
	vfprintf(in->err, fmt, ap);
	va_end(ap);
	fputc('\n', in->err);
	fflush(in->err);
}

static void tell_link(struct inject *in)
{
	char size[SAY_MAX];

	if (in->link.state == INJECT_DOWN && !in->told_down) {
		notice(in, "%s; up to %s are kept meanwhile", in->link.error,
			say_bytes((int64_t)in->o->buffer, size));
		in->told_down = true;
	} else if (in->link.state == INJECT_UP && in->link.answered && in->told_down) {
		notice(in, "takes messages again");
		in->told_down = false;
	}
}

/* A message of our own where some are missing. */
static void put_note(struct inject *in)
{
	struct inject_form form = in->form;
	bool cut = false;
	char text[128], *room;
	int n = snprintf(text, sizeof(text),
		"%" PRIu64 " messages dropped: the receiver was away or too slow", in->untold);

	room = inject_queue_room(&in->queue, inject_form_room(&form, (size_t)n));
	if (room == NULL)
		return;
	form.pri = (form.pri & ~7U) | 4; /* a warning */
	form.head_len = 0;
	inject_form_at(&form, &in->form.made_at);
	inject_queue_add(&in->queue, inject_form_put(&form, room, text, (size_t)n, &cut));
	in->untold = 0;
}

/* Shall lines wait for room, and with them whoever writes them? */
static bool may_wait(struct inject *in, int64_t now_us)
{
	int64_t waited_us;

	if (in->o->wait)
		return true;
	if (in->link.state != INJECT_UP)
		return false;
	if (!in->full) {
		in->full = true;
		in->full_us = now_us;
		in->full_bytes = in->link.bytes;
	}
	waited_us = now_us - in->full_us;
	if (waited_us < STALL_US)
		return true;
	return (double)(in->link.bytes - in->full_bytes) / (double)waited_us >=
	       (double)in->queue.size / STALL_PART / STALL_US;
}

static void drop(struct inject *in)
{
	if (!in->dropping)
		notice(in, "the buffer is full: messages are dropped");
	in->dropping = true;
	in->dropped++;
	in->untold++;
}

/* Goes on after a gap only when there is room for many, lest there be a note between any two. */
static bool is_dropping(struct inject *in)
{
	bool half_empty;

	if (!in->full && !in->dropping)
		return false;
	half_empty = inject_queue_used(&in->queue) <= in->queue.size / 2;
	if (half_empty && in->dropping)
		put_note(in);
	if (half_empty)
		in->full = in->dropping = false;
	return in->dropping;
}

/* False: there is no room, and it may wait. */
static bool take_line(struct inject *in, const char *line, size_t len, bool cut, int64_t now_us)
{
	size_t room = inject_form_room(&in->form, len);
	char *dst;

	if (is_dropping(in)) {
		drop(in);
		return true;
	}
	dst = inject_queue_room(&in->queue, room + NOTE_ROOM);
	if (dst == NULL) {
		inject_link_send(&in->link, &in->queue, now_us);
		dst = inject_queue_room(&in->queue, room + NOTE_ROOM);
	}
	if (dst == NULL && may_wait(in, now_us)) {
		in->blocked = true;
		return false;
	}
	in->blocked = false;
	if (dst == NULL) {
		drop(in);
		return true;
	}
	inject_queue_add(&in->queue, inject_form_put(&in->form, dst, line, len, &cut));
	in->cut += cut;
	return true;
}

static void take_lines(struct inject *in, int64_t now_us)
{
	struct timespec now;
	const char *line;
	size_t len;
	bool cut = false;

	clock_gettime(CLOCK_REALTIME, &now);
	inject_form_at(&in->form, &now);
	while (inject_input_line(&in->input, &line, &len, &cut)) {
		if (!take_line(in, line, len, cut, now_us)) {
			inject_input_back(&in->input, line);
			return;
		}
		cut = false;
	}
	if (in->input.ended && in->untold > 0 && in->link.state == INJECT_UP && in->link.answered)
		put_note(in);
}

static bool wants_input(const struct inject *in)
{
	return !in->input.ended && !in->blocked;
}

/* When it has to be seen again whether lines may still wait. */
static int64_t next_look_us(const struct inject *in, int64_t now_us)
{
	int64_t next_us = in->full_us + STALL_US;

	return next_us > now_us ? next_us : now_us + STALL_US / 10;
}

/* How long to wait: -1 for ever. */
static int64_t wait_us(const struct inject *in, int64_t until_us, int64_t now_us)
{
	int64_t least_us = until_us;

	if (in->blocked && !in->o->wait && next_look_us(in, now_us) < least_us)
		least_us = next_look_us(in, now_us);
	if (in->end_us != 0 && in->end_us < least_us)
		least_us = in->end_us;
	if ((in->link.ended || (in->blocked && inject_queue_unsent(&in->queue) == 0)) &&
		now_us + ACK_POLL_US < least_us)
		least_us = now_us + ACK_POLL_US;
	if (least_us == INT64_MAX)
		return -1;
	return least_us > now_us ? least_us - now_us : 0;
}

static void wait_for_something(struct inject *in, const sigset_t *mask, int64_t now_us)
{
	int64_t until_us = INT64_MAX, us;
	struct pollfd fds[2] = {
		{.fd = wants_input(in) ? in->input.fd : -1, .events = POLLIN}, {.fd = in->link.fd}};
	struct timespec ts;

	fds[1].events = inject_link_events(&in->link, &in->queue, &until_us);
	us = told_to_end && wants_input(in) ? 0 : wait_us(in, until_us, now_us);
	ts = (struct timespec) {us / USEC_PER_SEC, us % USEC_PER_SEC * 1000};
	if (ppoll(fds, 2, us < 0 ? NULL : &ts, mask) < 0)
		return;
	now_us = clock_mono_us();
	if (fds[1].revents != 0)
		inject_link_ready(&in->link, &in->queue, fds[1].revents, now_us);
	if (fds[0].revents != 0)
		inject_input_read(&in->input);
	else if (told_to_end && wants_input(in))
		in->input.ended = true; /* all was read that had been written when we were told */
}

/* After a signal: what is there is still read, but not for ever. */
static void note_end(struct inject *in, int64_t now_us)
{
	int64_t linger_us = in->o->linger_us;

	if (told_to_end && linger_us > LAST_TRY_US)
		linger_us = LAST_TRY_US;
	if (in->end_us == 0 && (told_to_end || in->input.ended))
		in->end_us = now_us + linger_us;
	else if (told_to_end && in->end_us > now_us + linger_us)
		in->end_us = now_us + linger_us;
	if (told_to_end && in->end_us != 0 && now_us >= in->end_us)
		in->input.ended = true;
}

static bool is_over(struct inject *in, int64_t now_us)
{
	if (!in->input.ended)
		return false;
	if (in->end_us != 0 && now_us >= in->end_us)
		return true;
	return !in->blocked && inject_link_finished(&in->link, &in->queue, now_us);
}

static int conclude(struct inject *in)
{
	uint64_t missing = inject_link_missing(&in->link, &in->queue) + in->dropped + in->link.lost;
	uint64_t cut = in->cut + in->link.cut;
	const char *line, *name = in->o->target.shown;
	bool ignored = false;
	size_t len;

	while (inject_input_line(&in->input, &line, &len, &ignored))
		missing++;
	if (cut > 0)
		fprintf(in->err, "stockade inject: %s: %" PRIu64 " message%s cut\n", name, cut,
			cut == 1 ? " was" : "s were");
	if (missing > 0)
		fprintf(in->err, "stockade inject: %s: %" PRIu64 " message%s dropped%s%s\n", name,
			missing, missing == 1 ? " was" : "s were",
			in->link.error != NULL ? ": " : "",
			in->link.error != NULL ? in->link.error : "");
	return missing > 0 ? CLI_NO : CLI_GOOD;
}

static void loop(struct inject *in, const sigset_t *mask)
{
	for (;;) {
		int64_t now_us = clock_mono_us();

		inject_link_step(&in->link, now_us);
		take_lines(in, now_us);
		inject_link_send(&in->link, &in->queue, now_us);
		tell_link(in);
		note_end(in, now_us);
		if (is_over(in, now_us))
			return;
		wait_for_something(in, mask, now_us);
	}
}

static void catch_signals(sigset_t *ret_mask)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
	struct sigaction sa = {.sa_handler = on_signal};
	sigset_t blocked;

	told_to_end = 0;
	sigemptyset(&blocked);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		sigaddset(&blocked, signals[i]);
		sigaction(signals[i], &sa, NULL);
	}
	signal(SIGPIPE, SIG_IGN);
	/* They come while we wait, and at no other time. */
	sigprocmask(SIG_BLOCK, &blocked, ret_mask);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigdelset(ret_mask, signals[i]);
}

int inject_run(const struct inject_options *o, int input_fd, FILE *err)
{
	struct inject in = {
		.o = o, .err = err, .form = o->form, .notices = {.burst = NOTICES_A_MINUTE}};
	sigset_t mask;
	int status = CLI_NO;

	catch_signals(&mask);
	inject_link_init(&in.link, &o->target);
	if (inject_queue_init(&in.queue, o->buffer) < 0 ||
		inject_input_init(&in.input, input_fd) < 0) {
		fprintf(err, "stockade inject: out of memory\n");
	} else {
		/* Often it is root who starts it, though it needs nothing of root; should that
		 * fail, it is no worse than any program at the end of a pipe. */
		confine_sending();
		loop(&in, &mask);
		status = conclude(&in);
	}
	inject_link_done(&in.link);
	inject_input_done(&in.input);
	inject_queue_done(&in.queue);
	return status;
}
