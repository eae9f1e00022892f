/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Entries of the journal, from the reader that keeper started. */
#include "source/journal_msg.h"

#include "base/clock.h"
#include "base/hash.h"
#include "guard/internal.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define A_TURN 256
#define JOURNAL_INO UINT64_MAX /* no file's */

struct journal_source {
	struct source source;
	int fd;
	struct event *readable;
	char cursor[JOURNAL_CURSOR_MAX + 1]; /* of the last entry judged */
	bool dirty;
};

static void close_reader(struct journal_source *j)
{
	if (j->readable != NULL)
		event_free(j->readable);
	j->readable = NULL;
	if (j->fd >= 0)
		close(j->fd);
	j->fd = -1;
}

/* An entry names the jails that want it. */
static int judge(struct guard *g, struct journal_source *j, const void *buf, size_t len)
{
	struct journal_entry e;
	int r = journal_msg_parse(buf, len, &e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < j->source.n_jails; i++)
		j->source.jails[i].is_off = true;
	for (uint32_t i = 0; i < e.n_jails; i++) {
		if (e.jails[i] >= g->rs->n_jails)
			return -EBADMSG;
		r = source_add_jail(g, &j->source, e.jails[i]);
		if (r < 0)
			return r;
		source_wake_jail(&j->source, e.jails[i]);
	}
	/* Its cursor stands for its place. */
	if (source_begin(g, JOURNAL_INO, hash_fingerprint(e.cursor, e.cursor_len))) {
		source_line(g, &j->source, e.text, e.text_len, &e.time_us);
		source_end(g);
	}
	memcpy(j->cursor, e.cursor, e.cursor_len);
	j->cursor[e.cursor_len] = '\0';
	j->dirty = true;
	return 0;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct guard *g = arg;
	struct journal_source *j = g->journal;
	_Alignas(max_align_t) char buf[JOURNAL_MSG_MAX];

	(void)what;
	for (unsigned i = 0; i < A_TURN; i++) {
		ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT | MSG_TRUNC);
		int r = 0;

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n > 0)
			r = (size_t)n <= sizeof(buf) ? judge(g, j, buf, (size_t)n) : -EMSGSIZE;
		if (n <= 0 || r < 0) {
			if (n != 0)
				log_error("the journal's reader is not understood: it is cut off");
			close_reader(j); /* keeper starts another */
			break;
		}
	}
	guard_turn_end(g);
}

void journal_start(struct guard *g)
{
	if (g->journal->readable != NULL)
		event_add(g->journal->readable, NULL);
}

int journal_reader(struct guard *g, int fd)
{
	struct journal_source *j = g->journal;
	struct journal_start start = {.since_us = clock_wall_us() - source_findtime_us(g, NULL)};
	char buf[JOURNAL_START_MAX];
	long len;

	close_reader(j);
	snprintf(start.cursor, sizeof(start.cursor), "%s", j->cursor);
	len = journal_start_write(buf, sizeof(buf), &start);
	if (len < 0 || write(fd, buf, (size_t)len) < 0) {
		close(fd);
		return 0;
	}
	j->fd = fd;
	j->readable = event_new(g->base, fd, EV_READ | EV_PERSIST, on_readable, g);
	if (j->readable == NULL)
		close_reader(j);
	else if (g->reading)
		journal_start(g);
	return 0;
}

void journal_remember(struct guard *g, const char *cursor)
{
	snprintf(g->journal->cursor, sizeof(g->journal->cursor), "%s", cursor);
}

const char *journal_cursor(const struct guard *g, bool *ret_dirty)
{
	*ret_dirty = g->journal->dirty;
	return g->journal->cursor;
}

void journal_saved(struct guard *g)
{
	g->journal->dirty = false;
}

void journal_touch(struct guard *g)
{
	g->journal->dirty = g->journal->cursor[0] != '\0';
}

const struct source *journal_source(const struct guard *g)
{
	return g->journal->fd >= 0 ? &g->journal->source : NULL;
}

int journal_init(struct guard *g)
{
	g->journal = calloc(1, sizeof(*g->journal));
	if (g->journal == NULL)
		return -ENOMEM;
	g->journal->fd = -1;
	return source_init(&g->journal->source, JOURNAL_NAME);
}

void journal_done(struct guard *g)
{
	if (g->journal == NULL)
		return;
	close_reader(g->journal);
	source_done(&g->journal->source);
	free(g->journal);
}
