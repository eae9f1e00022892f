/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/journal.h"

#include "base/clock.h"
#include "base/util.h"
#include "source/journal_files.h"
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

#else

#include "source/journal_stream.h"
#include "source/journal_text.h"

#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define A_TURN 1024       /* entries, then it is looked what happened to the files */
#define UNWATCHED_MS 2000 /* how often files are looked at of whose changes nobody tells */

struct reader {
	int fd; /* guard */
	const struct journal_conf *conf;
	struct journal_terms terms;
	struct journal_match *matches; /* one a jail of conf */
	unsigned char *has;            /* one a term */
	uint16_t *jails;
	int64_t since_us; /* where streams begin that guard knows nothing of */
	struct journal_files files;
	struct journal_stream *streams;
	size_t n_streams;
	bool too_many, denied; /* told */
	int64_t looked_us;     /* monotonic: when the files were looked at last */
	struct journal_text text;
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
	r->streams = calloc(JOURNAL_STREAMS_MAX, sizeof(*r->streams));
	if (r->matches == NULL || r->jails == NULL || r->streams == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < conf->n_jails; i++) {
		const char *match = conf->jails[i].match;
		int e = journal_match_parse(
			&r->matches[i], &r->terms, match != NULL ? match : "", &error);

		if (e < 0)
			return e;
	}
	r->has = calloc(r->terms.n > 0 ? r->terms.n : 1, 1);
	return r->has != NULL ? journal_files_init(&r->files, conf) : -ENOMEM;
}

static void reader_done(struct reader *r)
{
	for (size_t i = 0; r->matches != NULL && i < r->conf->n_jails; i++)
		journal_match_done(&r->matches[i]);
	for (size_t i = 0; i < r->n_streams; i++)
		journal_stream_done(&r->streams[i]);
	free(r->streams);
	free(r->matches);
	free(r->jails);
	free(r->has);
	journal_terms_done(&r->terms);
	journal_files_done(&r->files);
}

/* 0, -EPIPE when guard has gone, or -errno. */
static int send_entry(struct reader *r, const struct journal_entry *e)
{
	long len = journal_msg_write(r->packet, sizeof(r->packet), e);
	ssize_t n;

	if (len < 0)
		return (int)len;
	do
		n = send(r->fd, r->packet, (size_t)len, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return 0;
	return errno == ECONNRESET ? -EPIPE : -errno;
}

/* Something that the owner should know. */
__attribute__((format(printf, 2, 3))) static int tell(struct reader *r, const char *fmt, ...)
{
	char text[1024];
	struct journal_entry e = {.text = text};
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	e.text_len = (uint32_t)(n < (int)sizeof(text) ? n : (int)sizeof(text) - 1);
	for (char *p = text; (p = strchr(p, '\n')) != NULL;)
		*p = ' ';
	return send_entry(r, &e);
}

/* The stream of that name, made if there is none; NULL: too many, or out of memory. */
static struct journal_stream *stream_get(struct reader *r, const char *name)
{
	struct journal_stream *s;

	for (size_t i = 0; i < r->n_streams; i++)
		if (strcmp(r->streams[i].name, name) == 0)
			return &r->streams[i];
	if (r->n_streams == JOURNAL_STREAMS_MAX)
		return NULL;
	s = &r->streams[r->n_streams];
	*s = (struct journal_stream) {.name = strdup(name), .since_us = r->since_us};
	if (s->name == NULL)
		return NULL;
	r->n_streams++;
	return s;
}

/* Reads the entry's data: which terms it has, and what its text consists of. */
static int read_entry(struct reader *r, sd_journal *j)
{
	const void *data;
	size_t len;
	int e;

	memset(r->has, 0, r->terms.n);
	journal_text_clear(&r->text);
	sd_journal_restart_data(j);
	while ((e = sd_journal_enumerate_available_data(j, &data, &len)) > 0) {
		long term = journal_terms_find(&r->terms, data, len);

		if (term >= 0)
			r->has[term] = 1;
		journal_text_take(&r->text, data, len);
	}
	return e;
}

/* The entry goes to guard, if a jail wants it. */
static int pass_on(struct reader *r, struct journal_stream *s, const char *cursor)
{
	struct journal_entry entry = {.jails = r->jails,
		.stream = s->name,
		.stream_len = (uint32_t)strlen(s->name),
		.cursor = cursor,
		.cursor_len = (uint32_t)strlen(cursor)};
	uint64_t monotonic_us = 0;
	sd_id128_t boot;

	for (size_t i = 0; i < r->conf->n_jails; i++) {
		if (journal_match_test(&r->matches[i], &r->terms, r->has))
			r->jails[entry.n_jails++] = r->conf->jails[i].id;
	}
	if (entry.n_jails == 0)
		return 0;
	entry.time_us = journal_text_number(&r->text, JOURNAL_TIME);
	if (entry.time_us < 0)
		entry.time_us = (int64_t)s->realtime_us;
	sd_journal_get_monotonic_usec(s->j, &monotonic_us, &boot);
	journal_text_make(&r->text, (int64_t)monotonic_us);
	entry.text = r->text.line;
	entry.text_len = (uint32_t)r->text.len;
	return send_entry(r, &entry);
}

/* The entry the stream stands on. */
static int deal_with(struct reader *r, struct journal_stream *s)
{
	_cleanup_free_ char *cursor = NULL;
	int e = read_entry(r, s->j);

	s->at_entry = false;
	if (e >= 0)
		e = sd_journal_get_cursor(s->j, &cursor);
	/* Damaged: what can be read of the journal goes on. */
	if (e == -EBADMSG || e == -EADDRNOTAVAIL)
		return 0;
	if (e < 0)
		return e;
	if (strlen(cursor) > JOURNAL_CURSOR_MAX)
		return -EMSGSIZE;
	e = pass_on(r, s, cursor);
	if (e >= 0)
		strcpy(s->cursor, cursor);
	return e;
}

static int tell_gone(struct reader *r, const struct journal_stream *s)
{
	char when[64] = "the next that comes";
	time_t sec = (time_t)(s->realtime_us / 1000000);
	struct tm tm;

	if (s->at_entry && localtime_r(&sec, &tm) != NULL)
		strftime(when, sizeof(when), "the entry of %Y-%m-%d %H:%M:%S", &tm);
	return tell(r,
		"%s: where reading ended is not there any more (vacuumed away): going on with %s",
		s->name[0] == '/' ? s->name + 1 : s->name, when);
}

/* Has the stream stand on its next entry, if there is one. */
static int advance(struct reader *r, struct journal_stream *s)
{
	bool gone;
	int e;

	if (s->at_entry || !s->pending || s->j == NULL)
		return 0;
	e = journal_stream_next(s, &gone);
	if (e == -EBADMSG || e == -EADDRNOTAVAIL) {
		/* A file is damaged there: that of it which can be read was read. */
		s->pending = false;
		return 0;
	}
	return e >= 0 && gone ? tell_gone(r, s) : e;
}

/* Everything there is in one stream, told of or not. */
static int drain_one(struct reader *r, struct journal_stream *s)
{
	int e;

	s->pending = true;
	e = advance(r, s);

	while (e >= 0 && s->at_entry) {
		e = deal_with(r, s);
		if (e >= 0)
			e = advance(r, s);
	}
	return e;
}

/*
 * What there is, the oldest first of what the streams stand on. 1 if there is more: with much to
 * read files may come and go meanwhile.
 */
static int drain(struct reader *r)
{
	for (unsigned n = 0; n < A_TURN; n++) {
		struct journal_stream *oldest = NULL;
		int e = 0;

		for (size_t i = 0; i < r->n_streams && e >= 0; i++) {
			struct journal_stream *s = &r->streams[i];

			e = advance(r, s);
			if (s->at_entry && (oldest == NULL || s->realtime_us < oldest->realtime_us))
				oldest = s;
		}
		if (e >= 0 && oldest == NULL)
			return 0;
		if (e >= 0)
			e = deal_with(r, oldest);
		if (e < 0)
			return e;
	}
	return 1;
}

/* One stream's files are these now. */
static int update(struct reader *r, const struct journal_file *files, size_t n)
{
	struct journal_stream *s = stream_get(r, files[0].stream);
	size_t unread;
	int e;

	if (s == NULL) {
		if (r->too_many)
			return 0;
		r->too_many = true;
		return tell(r, "more than %d streams: %s and others are not read",
			JOURNAL_STREAMS_MAX, files[0].path);
	}
	s->listed = true;
	if (journal_stream_has(s, files, n))
		return 0;
	/* Of what goes now the rest comes first: it is still there as long as it is open. */
	e = drain_one(r, s);
	unread = s->n_unread;
	if (e >= 0)
		e = journal_stream_open(s, files, n, r->matches, r->conf->n_jails, &r->terms);
	if (e < 0 || s->n_unread == 0 || s->n_unread == unread)
		return e;
	if (s->why == -EACCES && r->conf->comes_back)
		return -EACCES;
	/* One that is just being made (-ENODATA) is no trouble. */
	return s->why == -ENODATA ? 0
				  : tell(r, "%s: %zu of %zu files cannot be read: %s",
					    files[0].path, s->n_unread, n, strerror(-s->why));
}

/* Has all streams read the files that are there now. */
static int rescan(struct reader *r)
{
	int e = journal_files_scan(&r->files);
	const struct journal_files *fs = &r->files;

	r->looked_us = clock_mono_us();

	if (e >= 0 && fs->denied && r->conf->comes_back)
		return -EACCES;
	if (e >= 0 && fs->denied && !r->denied)
		e = tell(r, "a directory of it may not be read");
	r->denied = fs->denied;
	for (size_t i = 0; i < r->n_streams; i++)
		r->streams[i].listed = false;
	for (size_t i = 0, n; i < fs->n && e >= 0; i += n) {
		for (n = 1; i + n < fs->n; n++)
			if (strcmp(fs->items[i].stream, fs->items[i + n].stream) != 0)
				break;
		e = update(r, &fs->items[i], n);
	}
	for (size_t i = 0; i < r->n_streams && e >= 0; i++) {
		if (r->streams[i].listed || r->streams[i].n_paths == 0)
			continue;
		e = drain_one(r, &r->streams[i]);
		journal_stream_close(&r->streams[i]);
	}
	return e;
}

struct touching {
	struct reader *r;
	bool reopen; /* a file that could not be read may be readable now */
};

static void on_touched(void *arg, const char *name)
{
	struct touching *t = arg;

	for (size_t i = 0; i < t->r->n_streams; i++) {
		struct journal_stream *s = &t->r->streams[i];

		if (strcmp(s->name, name) != 0)
			continue;
		s->pending = true;
		/* Who may not read it hears of that, too, when he may. */
		t->reopen |= s->n_unread > 0 && s->why != -EACCES && s->why != -EPERM;
	}
}

/* How long to sleep: until files are due of whose changes nobody tells, or for ever. */
static int patience_ms(const struct reader *r)
{
	int64_t left_ms;

	if (!r->files.is_unwatched)
		return -1;
	left_ms = r->looked_us / 1000 + UNWATCHED_MS - clock_mono_us() / 1000;
	return left_ms > 0 ? (int)left_ms : 0;
}

/* Sleeps until there may be more, if there is none. -EPIPE when guard has gone. */
static int wait_for_more(struct reader *r, bool more)
{
	struct pollfd p[2] = {
		{.fd = r->fd, .events = POLLRDHUP}, {.fd = r->files.fd, .events = POLLIN}};
	struct touching t = {.r = r};
	bool changed;

	if (poll(p, ARRAY_SIZE(p), more ? 0 : patience_ms(r)) < 0)
		return errno == EINTR ? 0 : -errno;
	if (p[0].revents != 0)
		return -EPIPE;
	changed = journal_files_changed(&r->files, on_touched, &t) || t.reopen;
	if (patience_ms(r) == 0) {
		for (size_t i = 0; i < r->n_streams; i++)
			r->streams[i].pending = true;
		changed = true;
	}
	return changed ? rescan(r) : 0;
}

/* 1 with all start messages read, 0 when guard has gone, or -errno. */
static int read_start(struct reader *r)
{
	struct journal_start start;

	for (;;) {
		struct journal_stream *s;
		ssize_t n = recv(r->fd, r->packet, sizeof(r->packet), 0);
		int e;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == ECONNRESET ? 0 : -errno;
		if (n == 0)
			return 0;
		e = journal_start_parse(r->packet, (size_t)n, &start);
		if (e < 0)
			return e;
		r->since_us = start.since_us;
		if (start.stream[0] == '\0')
			return 1;
		s = stream_get(r, start.stream);
		if (s == NULL)
			continue;
		strcpy(s->cursor, start.cursor);
		s->resumed = true;
	}
}

static int run(struct reader *r)
{
	int e = reader_init(r);

	if (e >= 0)
		e = read_start(r);
	if (e <= 0)
		return e;
	e = rescan(r);
	while (e >= 0) {
		e = drain(r);
		if (e == 0 && r->conf->ends)
			break;
		if (e >= 0)
			e = wait_for_more(r, e > 0);
	}
	return e == -EPIPE ? 0 : e;
}

int journal_run(int fd, const struct journal_conf *conf)
{
	struct reader *r = calloc(1, sizeof(*r));
	int flags = fcntl(fd, F_GETFL), e;

	if (r == NULL)
		return -ENOMEM;
	/* Waiting for a slow guard is how the reader goes no faster than it. */
	if (flags >= 0)
		fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
	r->fd = fd;
	r->files.fd = -1;
	r->conf = conf;
	e = run(r);
	reader_done(r);
	free(r);
	return e;
}

#endif
