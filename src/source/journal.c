/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/journal.h"

#include "base/util.h"
#include "source/journal_dirs.h"
#include "source/journal_match.h"

#include <errno.h>

int journal_match_check(const char *match, const char **ret_error)
{
	struct journal_terms terms = {0};
	struct journal_match m = {0};
	int r = journal_match_parse(&m, &terms, match, ret_error);

	journal_match_done(&m);
	journal_terms_done(&terms);
	return r;
}

#ifndef HAVE_SYSTEMD

int journal_run(int fd, const struct journal_conf *conf)
{
	(void)fd;
	(void)conf;
	return -EOPNOTSUPP;
}

bool journal_available(void)
{
	return false;
}

#else

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-journal.h>
#include <time.h>

bool journal_available(void)
{
	for (size_t i = 0; journal_system_dirs[i] != NULL; i++) {
		if (journal_available_in(journal_system_dirs[i]))
			return true;
	}
	return false;
}

/* The fields a text is made of. */
enum { F_HOST, F_IDENT, F_COMM, F_SYSLOG_PID, F_PID, F_TIME, F_MONOTONIC, F_MESSAGE, F_N };

static const char *const field_names[F_N] = {
	[F_HOST] = "_HOSTNAME=",
	[F_IDENT] = "SYSLOG_IDENTIFIER=",
	[F_COMM] = "_COMM=",
	[F_SYSLOG_PID] = "SYSLOG_PID=",
	[F_PID] = "_PID=",
	[F_TIME] = "_SOURCE_REALTIME_TIMESTAMP=",
	[F_MONOTONIC] = "_SOURCE_MONOTONIC_TIMESTAMP=",
	[F_MESSAGE] = "MESSAGE=",
};

#define FIELD_MAX 255 /* bytes of a field other than MESSAGE that are used */

struct field {
	size_t len;
	char text[FIELD_MAX + 1];
};

struct reader {
	sd_journal *j;
	int fd;      /* guard */
	int dirs_fd; /* see journal_dirs.h */
	const struct journal_conf *conf;
	const char *const *dirs;
	struct journal_terms terms;
	struct journal_match *matches; /* one a jail of conf */
	unsigned char *has;            /* one a term */
	uint16_t *jails;
	struct journal_start pos; /* the last entry dealt with, or where to begin */
	bool seeking; /* nothing was read since the seek: the next entry may be pos itself */
	struct field fields[F_MESSAGE];
	size_t message_len;
	char message[JOURNAL_TEXT_MAX + 1];
	char text[JOURNAL_TEXT_MAX + 1];
	char packet[JOURNAL_MSG_MAX] __attribute__((aligned(8)));
};

static int reader_init(struct reader *r)
{
	const struct journal_conf *conf = r->conf;
	const char *error;

	if (conf->n_jails == 0 || conf->n_jails > JOURNAL_JAILS_MAX)
		return -EINVAL;
	r->matches = calloc(conf->n_jails, sizeof(*r->matches));
	r->jails = calloc(conf->n_jails, sizeof(*r->jails));
	if (r->matches == NULL || r->jails == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < conf->n_jails; i++) {
		const char *match = conf->jails[i].match;
		int e = journal_match_parse(
			&r->matches[i], &r->terms, match != NULL ? match : "", &error);

		if (e < 0)
			return e;
	}
	r->has = calloc(r->terms.n > 0 ? r->terms.n : 1, 1);
	return r->has != NULL ? 0 : -ENOMEM;
}

static void reader_done(struct reader *r)
{
	if (r->matches != NULL) {
		for (size_t i = 0; i < r->conf->n_jails; i++)
			journal_match_done(&r->matches[i]);
	}
	free(r->matches);
	free(r->jails);
	free(r->has);
	journal_terms_done(&r->terms);
	sd_journal_close(r->j);
	if (r->dirs_fd >= 0)
		close(r->dirs_fd);
}

/* Lets the library pass only what some jail wants. */
static int add_matches(struct reader *r)
{
	for (size_t i = 0; i < r->conf->n_jails; i++) {
		if (r->matches[i].n == 0)
			return 0;
	}
	for (size_t i = 0; i < r->conf->n_jails; i++) {
		for (size_t g = 0; g < r->matches[i].n; g++) {
			const struct journal_group *group = &r->matches[i].groups[g];
			int e = sd_journal_add_disjunction(r->j);

			for (size_t t = 0; t < group->n && e >= 0; t++) {
				const struct journal_term *term = &r->terms.items[group->terms[t]];

				e = sd_journal_add_match(r->j, term->text, term->len);
			}
			if (e < 0)
				return e;
		}
	}
	return 0;
}

static int seek(struct reader *r)
{
	r->seeking = true;
	/* A cursor that cannot be read is as good as none. */
	if (r->pos.cursor[0] != '\0' && sd_journal_seek_cursor(r->j, r->pos.cursor) >= 0)
		return 0;
	r->pos.cursor[0] = '\0';
	return sd_journal_seek_realtime_usec(
		r->j, r->pos.since_us > 0 ? (uint64_t)r->pos.since_us : 0);
}

/* Opens the journal and goes to where reading goes on. 0 with r->j NULL: there is none yet. */
static int reader_open(struct reader *r)
{
	const struct journal_conf *conf = r->conf;
	int e;

	sd_journal_close(TAKE_PTR(r->j));
	/* Watched first, so that what comes between the two is not missed. */
	journal_dirs_watch(r->dirs_fd, r->dirs);
	if (conf->dir != NULL)
		e = sd_journal_open_directory(&r->j, conf->dir, conf->flags);
	else
		e = sd_journal_open(&r->j, conf->flags != 0 ? conf->flags : SD_JOURNAL_SYSTEM);
	if (e < 0) {
		r->j = NULL;
		return e == -ENOENT || e == -ENOTDIR ? 0 : e;
	}
	e = add_matches(r);
	if (e >= 0)
		e = sd_journal_set_data_threshold(r->j, JOURNAL_TEXT_MAX + 64);
	/* Before anything is read, or changes until then are not told: sd_journal_get_fd(3). */
	if (e >= 0)
		e = sd_journal_get_fd(r->j);
	if (e >= 0)
		e = seek(r);
	return e < 0 ? e : 0;
}

static void take_field(struct reader *r, const char *data, size_t len)
{
	for (unsigned i = 0; i < F_N; i++) {
		size_t name = strlen(field_names[i]);
		struct field *f = &r->fields[i];

		if (len < name || memcmp(data, field_names[i], name) != 0)
			continue;
		data += name;
		len -= name;
		if (i == F_MESSAGE) {
			/* Of several all count, as in fail2ban. */
			if (r->message_len > 0 && r->message_len < JOURNAL_TEXT_MAX)
				r->message[r->message_len++] = ' ';
			if (len > JOURNAL_TEXT_MAX - r->message_len)
				len = JOURNAL_TEXT_MAX - r->message_len;
			memcpy(r->message + r->message_len, data, len);
			r->message_len += len;
		} else if (f->len == 0) {
			f->len = len < FIELD_MAX ? len : FIELD_MAX;
			memcpy(f->text, data, f->len);
			f->text[f->len] = '\0';
		}
		return;
	}
}

/* Reads the entry's data: which terms it has, and what its text consists of. */
static int read_entry(struct reader *r)
{
	const void *data;
	size_t len;
	int e;

	memset(r->has, 0, r->terms.n);
	for (unsigned i = 0; i < F_MESSAGE; i++)
		r->fields[i].len = 0;
	r->message_len = 0;
	sd_journal_restart_data(r->j);
	while ((e = sd_journal_enumerate_available_data(r->j, &data, &len)) > 0) {
		long term = journal_terms_find(&r->terms, data, len);

		if (term >= 0)
			r->has[term] = 1;
		take_field(r, data, len);
	}
	return e;
}

static size_t text_add(struct reader *r, size_t at, const char *s, size_t len)
{
	if (len > JOURNAL_TEXT_MAX - at)
		len = JOURNAL_TEXT_MAX - at;
	memcpy(r->text + at, s, len);
	return at + len;
}

static const struct field *either(const struct reader *r, unsigned a, unsigned b)
{
	return r->fields[a].len > 0 ? &r->fields[a] : &r->fields[b];
}

static int64_t number(const struct field *f)
{
	char *end;
	long long n;

	if (f->len == 0 || f->text[0] < '0' || f->text[0] > '9')
		return -1;
	errno = 0;
	n = strtoll(f->text, &end, 10);
	return *end == '\0' && errno == 0 ? n : -1;
}

/* "HOST IDENT[PID]: MESSAGE" into r->text; returns its length. */
static size_t make_text(struct reader *r)
{
	const struct field *host = &r->fields[F_HOST], *ident = either(r, F_IDENT, F_COMM);
	const struct field *pid = either(r, F_SYSLOG_PID, F_PID);
	int64_t monotonic = number(&r->fields[F_MONOTONIC]);
	size_t at = text_add(r, 0, host->text, host->len);
	char stamp[32];

	if (host->len > 0)
		at = text_add(r, at, " ", 1);
	if (ident->len > 0) {
		at = text_add(r, at, ident->text, ident->len);
		if (pid->len > 0) {
			at = text_add(r, at, "[", 1);
			at = text_add(r, at, pid->text, pid->len);
			at = text_add(r, at, "]", 1);
		}
		at = text_add(r, at, ": ", 2);
		/* As dmesg and syslog have it, and filters of the kernel's lines expect it. */
		if (pid->len == 0 && monotonic >= 0 && strcmp(ident->text, "kernel") == 0) {
			snprintf(stamp, sizeof(stamp), "[%5lld.%06lld] ",
				(long long)monotonic / 1000000, (long long)monotonic % 1000000);
			at = text_add(r, at, stamp, strlen(stamp));
		}
	}
	at = text_add(r, at, r->message, r->message_len);
	/* No field may look like another line. */
	for (size_t i = 0; i < at; i++) {
		if (r->text[i] == '\n' || r->text[i] == '\r' || r->text[i] == '\0')
			r->text[i] = ' ';
	}
	while (at > 0 && r->text[at - 1] == ' ')
		at--;
	return at;
}

/* 0, -EPIPE when guard has gone, or -errno. */
static int send_packet(struct reader *r, size_t len)
{
	ssize_t n;

	do
		n = send(r->fd, r->packet, len, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return 0;
	return errno == ECONNRESET ? -EPIPE : -errno;
}

/* The entry the reader stands on goes to guard, if a jail wants it. */
static int deal_with(struct reader *r)
{
	_cleanup_free_ char *cursor = NULL;
	struct journal_entry entry = {.jails = r->jails};
	uint64_t realtime;
	size_t cursor_len;
	long len;
	int e = read_entry(r);

	if (e >= 0)
		e = sd_journal_get_cursor(r->j, &cursor);
	if (e >= 0)
		e = sd_journal_get_realtime_usec(r->j, &realtime);
	/* Damaged: what can be read of the journal goes on. */
	if (e == -EBADMSG || e == -EADDRNOTAVAIL)
		return 0;
	if (e < 0)
		return e;
	cursor_len = strlen(cursor);
	if (cursor_len > JOURNAL_CURSOR_MAX)
		return -EMSGSIZE;
	for (size_t i = 0; i < r->conf->n_jails; i++) {
		if (journal_match_test(&r->matches[i], &r->terms, r->has))
			r->jails[entry.n_jails++] = r->conf->jails[i].id;
	}
	if (entry.n_jails > 0) {
		entry.time_us = number(&r->fields[F_TIME]);
		if (entry.time_us < 0)
			entry.time_us = (int64_t)realtime;
		entry.cursor = cursor;
		entry.cursor_len = (uint32_t)cursor_len;
		entry.text_len = (uint32_t)make_text(r);
		entry.text = r->text;
		len = journal_msg_write(r->packet, sizeof(r->packet), &entry);
		e = len >= 0 ? send_packet(r, (size_t)len) : (int)len;
		if (e < 0)
			return e;
	}
	memcpy(r->pos.cursor, cursor, cursor_len + 1);
	return 0;
}

/* Everything there is. */
static int drain(struct reader *r)
{
	int e;

	while ((e = sd_journal_next(r->j)) > 0) {
		bool first = r->seeking;

		r->seeking = false;
		if (first && r->pos.cursor[0] != '\0' &&
			sd_journal_test_cursor(r->j, r->pos.cursor) > 0)
			continue;
		e = deal_with(r);
		if (e < 0)
			return e;
	}
	return e;
}

static int poll_timeout_ms(sd_journal *j)
{
	struct timespec now;
	uint64_t until_us, now_us;

	if (sd_journal_get_timeout(j, &until_us) < 0 || until_us == UINT64_MAX)
		return -1;
	clock_gettime(CLOCK_MONOTONIC, &now);
	now_us = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
	return until_us > now_us ? (int)((until_us - now_us) / 1000 + 1) : 0;
}

/* Sleeps until there may be more. -EPIPE when guard has gone. */
static int wait_for_more(struct reader *r)
{
	struct pollfd p[3] = {{.fd = r->fd, .events = POLLRDHUP},
		{.fd = r->dirs_fd, .events = POLLIN}, {.fd = -1}};
	int timeout = -1;

	if (r->j != NULL) {
		p[2].fd = sd_journal_get_fd(r->j);
		p[2].events = (short)sd_journal_get_events(r->j);
		timeout = poll_timeout_ms(r->j);
	}
	if (poll(p, ARRAY_SIZE(p), timeout) < 0)
		return errno == EINTR ? 0 : -errno;
	if (p[0].revents != 0)
		return -EPIPE;
	if (p[1].revents != 0 && journal_dirs_changed(r->dirs_fd, r->dirs))
		return reader_open(r);
	return r->j != NULL ? sd_journal_process(r->j) : 0;
}

/* 1 with the start message read, 0 when guard has gone, or -errno. */
static int read_start(struct reader *r)
{
	ssize_t n;
	int e;

	do
		n = recv(r->fd, r->packet, sizeof(r->packet), 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ECONNRESET ? 0 : -errno;
	if (n == 0)
		return 0;
	e = journal_start_parse(r->packet, (size_t)n, &r->pos);
	return e < 0 ? e : 1;
}

static int run(struct reader *r)
{
	int e = reader_init(r);

	if (e < 0)
		return e;
	r->dirs_fd = journal_dirs_open();
	if (r->dirs_fd < 0)
		return r->dirs_fd;
	e = read_start(r);
	if (e <= 0)
		return e;
	e = reader_open(r);
	while (e >= 0) {
		if (r->j != NULL)
			e = drain(r);
		if (e >= 0)
			e = wait_for_more(r);
	}
	return e == -EPIPE ? 0 : e;
}

int journal_run(int fd, const struct journal_conf *conf)
{
	const char *const own[] = {conf->dir, NULL};
	struct reader *r = calloc(1, sizeof(*r));
	int flags = fcntl(fd, F_GETFL), e;

	if (r == NULL)
		return -ENOMEM;
	/* Waiting for a slow guard is how the reader goes no faster than it. */
	if (flags >= 0)
		fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
	r->fd = fd;
	r->dirs_fd = -1;
	r->conf = conf;
	r->dirs = conf->dir != NULL ? own : journal_system_dirs;
	e = run(r);
	reader_done(r);
	free(r);
	return e;
}

#endif
