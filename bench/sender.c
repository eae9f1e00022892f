/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench-sender [-r RATE] [-n MESSAGES] [-f 3164|5424] [-o] [-c CONNECTIONS] URL <LOG
 *
 * Sends the lines of a log ("Nov 20 08:00:00 host tag[pid]: text", what bench-loggen auth makes) as
 * syslog messages to URL (endpoint.h), dated when they are sent; again from the first when there
 * are none left. RATE messages a second, evenly: those due go out every TICK_US; without a rate as
 * fast as the other side takes them. -o: in streams each message has its length before it (RFC 6587
 * octet counting), not a line feed behind it. Prints "SENT SECONDS LATE": LATE is by how many
 * milliseconds it was behind its timetable at worst.
 */
#include "endpoint.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PRI "<38>" /* auth.info */
#define TICK_US 100
#define AT_ONCE 256                /* datagrams in one call */
#define STREAM_AT_ONCE (64u << 10) /* bytes */
#define CONNECTIONS_MAX 20000u
#define OLD_STAMP 15 /* "Nov 20 08:00:00" */
#define HEADER_MAX 64
#define NSEC 1000000000LL

struct form {
	const char *version; /* between the priority and the date */
	const char *date;    /* strftime's */
	bool structured, counted, feed;
};

struct message {
	size_t at, len; /* in text, with all that frames it */
	size_t stamp;   /* from there */
};

struct sender {
	struct form form;
	char *text;
	size_t len, size;
	struct message *messages;
	size_t n, room;
	size_t next;
	int *fds;
	unsigned n_fds, turn;
	bool stream;
	char stamp[32];
	size_t stamp_len;
	time_t stamped;
};

static void die(const char *what)
{
	fprintf(stderr, "bench-sender: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NSEC + ts.tv_nsec;
}

/* ---- messages ---- */

static void new_stamp(struct sender *s)
{
	time_t now = time(NULL);
	struct tm tm;

	if (now == s->stamped)
		return;
	s->stamped = now;
	if (s->form.structured)
		gmtime_r(&now, &tm);
	else
		localtime_r(&now, &tm);
	s->stamp_len = strftime(s->stamp, sizeof(s->stamp), s->form.date, &tm);
}

static void put(struct sender *s, const char *text, size_t len)
{
	memcpy(s->text + s->len, text, len);
	s->len += len;
}

static void put_text(struct sender *s, const char *text)
{
	put(s, text, strlen(text));
}

static void make_room(struct sender *s, size_t len)
{
	if (s->size - s->len < len + HEADER_MAX) {
		s->size = s->size * 2 + len + HEADER_MAX;
		s->text = realloc(s->text, s->size);
	}
	if (s->n == s->room) {
		s->room = s->room * 2 + 1024;
		s->messages = reallocarray(s->messages, s->room, sizeof(*s->messages));
	}
	if (s->text == NULL || s->messages == NULL)
		die("memory");
}

/* " host tag[pid]: text" to " host tag pid - - text". */
static void put_structured(struct sender *s, char *rest)
{
	char *tag = strchr(rest + 1, ' '), *end = tag != NULL ? strstr(tag, ": ") : NULL;
	char *pid = end != NULL && end[-1] == ']' ? memchr(tag, '[', (size_t)(end - tag)) : NULL;

	if (end == NULL) {
		put_text(s, rest);
		return;
	}
	put(s, rest, (size_t)((pid != NULL ? pid : end) - rest));
	put_text(s, " ");
	if (pid != NULL)
		put(s, pid + 1, (size_t)(end - pid - 2));
	else
		put_text(s, "-");
	put_text(s, " - - ");
	put_text(s, end + 2);
}

static void add_message(struct sender *s, char *line, size_t len)
{
	struct message *m;
	char count[24];
	size_t at;

	make_room(s, len);
	m = &s->messages[s->n++];
	at = s->len;
	put_text(s, PRI);
	put_text(s, s->form.version);
	*m = (struct message) {.at = at, .stamp = s->len - at};
	put(s, s->stamp, s->stamp_len);
	if (s->form.structured)
		put_structured(s, line + OLD_STAMP);
	else
		put(s, line + OLD_STAMP, len - OLD_STAMP);
	if (s->form.feed)
		put_text(s, "\n");
	m->len = s->len - at;
	if (s->form.counted) {
		size_t more = (size_t)snprintf(count, sizeof(count), "%zu ", m->len);

		memmove(s->text + at + more, s->text + at, m->len);
		memcpy(s->text + at, count, more);
		m->stamp += more;
		m->len += more;
		s->len += more;
	}
}

static void read_log(struct sender *s)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	new_stamp(s);
	while ((n = getline(&line, &size, stdin)) > 0) {
		if (line[n - 1] == '\n')
			line[--n] = '\0';
		if (n > OLD_STAMP)
			add_message(s, line, (size_t)n);
	}
	free(line);
	if (s->n == 0) {
		fprintf(stderr, "bench-sender: no lines on standard input\n");
		exit(2);
	}
}

/* ---- sending ---- */

static struct message *date_next(struct sender *s)
{
	struct message *m = &s->messages[s->next];

	memcpy(s->text + m->at + m->stamp, s->stamp, s->stamp_len);
	if (++s->next == s->n)
		s->next = 0;
	return m;
}

static int next_fd(struct sender *s)
{
	if (++s->turn >= s->n_fds)
		s->turn = 0;
	return s->fds[s->turn];
}

static uint64_t send_datagrams(struct sender *s, uint64_t due)
{
	static struct mmsghdr batch[AT_ONCE];
	static struct iovec parts[AT_ONCE];
	unsigned n = due < AT_ONCE ? (unsigned)due : AT_ONCE, done = 0;
	int fd = next_fd(s);

	for (unsigned i = 0; i < n; i++) {
		const struct message *m = date_next(s);

		parts[i] = (struct iovec) {s->text + m->at, m->len};
		batch[i].msg_hdr = (struct msghdr) {.msg_iov = &parts[i], .msg_iovlen = 1};
	}
	while (done < n) {
		int sent = sendmmsg(fd, batch + done, n - done, 0);

		if (sent < 0 && errno != ENOBUFS && errno != EINTR)
			die("send");
		if (sent > 0)
			done += (unsigned)sent;
	}
	return n;
}

/* Messages that lie behind each other go in one call, all to the same connection. */
static uint64_t send_stream(struct sender *s, uint64_t due)
{
	const struct message *m = date_next(s);
	size_t at = m->at, end = at + m->len;
	int fd = next_fd(s);
	uint64_t n = 1;

	while (n < due && s->next != 0 && end - at < STREAM_AT_ONCE) {
		m = date_next(s);
		end = m->at + m->len;
		n++;
	}
	while (at < end) {
		ssize_t sent = send(fd, s->text + at, end - at, MSG_NOSIGNAL);

		if (sent < 0 && errno != EINTR)
			die("send");
		if (sent > 0)
			at += (size_t)sent;
	}
	return n;
}

static void send_all(struct sender *s, uint64_t total, double rate)
{
	int64_t start = now_ns(), now = start, late = 0;
	uint64_t sent = 0;

	while (sent < total) {
		uint64_t due = total;

		new_stamp(s);
		if (rate > 0) {
			int64_t behind = now - start - (int64_t)((double)sent / rate * 1e9);

			if (behind > late)
				late = behind;
			due = (uint64_t)((double)(now - start) * rate / 1e9) + 1;
			if (due > total)
				due = total;
		}
		while (sent < due)
			sent += s->stream ? send_stream(s, due - sent)
					  : send_datagrams(s, due - sent);
		if (rate > 0) {
			const struct timespec tick = {.tv_nsec = TICK_US * 1000L};

			nanosleep(&tick, NULL);
		}
		now = now_ns();
	}
	printf("%llu %.3f %.1f\n", (unsigned long long)sent, (double)(now - start) / 1e9,
		(double)late / 1e6);
}

static void open_all(struct sender *s, const char *url)
{
	s->fds = calloc(s->n_fds, sizeof(*s->fds));
	if (s->fds == NULL)
		die("memory");
	for (unsigned i = 0; i < s->n_fds; i++) {
		s->fds[i] = endpoint_connect(url);
		if (s->fds[i] < 0) {
			errno = -s->fds[i];
			die(url);
		}
	}
}

static double number(const char *text, double min, double max)
{
	char *end;
	double v = strtod(text, &end);

	if (end == text || *end != '\0' || !(v >= min && v <= max)) {
		fprintf(stderr, "bench-sender: %s is not between %g and %g\n", text, min, max);
		exit(2);
	}
	return v;
}

static int usage(void)
{
	fprintf(stderr, "usage: bench-sender [-r RATE] [-n MESSAGES] [-f 3164|5424] [-o] "
			"[-c CONNECTIONS] URL <LOG\n");
	return 2;
}

int main(int argc, char **argv)
{
	struct sender s = {.form = {.version = "", .date = "%b %e %H:%M:%S"}, .n_fds = 1};
	uint64_t total = 1000000;
	double rate = 0;
	int c;

	while ((c = getopt(argc, argv, "r:n:f:oc:")) != -1) {
		if (c == 'r')
			rate = number(optarg, 1, 1e9);
		else if (c == 'n')
			total = (uint64_t)number(optarg, 1, 1e12);
		else if (c == 'c')
			s.n_fds = (unsigned)number(optarg, 1, CONNECTIONS_MAX);
		else if (c == 'o')
			s.form.counted = true;
		else if (c == 'f' && strcmp(optarg, "5424") == 0)
			s.form.version = "1 ", s.form.date = "%Y-%m-%dT%H:%M:%SZ",
			s.form.structured = true;
		else if (c != 'f' || strcmp(optarg, "3164") != 0)
			return usage();
	}
	if (optind != argc - 1 || !endpoint_is(argv[optind]))
		return usage();
	s.stream = endpoint_is_stream(argv[optind]);
	s.form.counted = s.form.counted && s.stream;
	s.form.feed = s.stream && !s.form.counted;
	prctl(PR_SET_TIMERSLACK, 1);
	read_log(&s);
	open_all(&s, argv[optind]);
	send_all(&s, total, rate);
	return 0;
}
