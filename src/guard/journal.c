/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Entries of the journals, from the readers that keeper started. */
#include "source/journal_msg.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/text.h"
#include "guard/internal.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define A_TURN 256
#define JOURNAL_INO UINT64_MAX /* no file's */

/* How far a stream was judged. */
struct journal_place {
	char *stream;
	char cursor[JOURNAL_CURSOR_MAX + 1]; /* of the last entry judged */
	bool dirty;
	bool seen; /* by the present guard */
};

/* One for each of the plan's journals. */
struct journal_source {
	struct source source;
	struct guard *guard;
	int fd;
	struct event *readable;
	struct journal_place *places;
	size_t n_places;
	size_t last; /* entries of one stream come together */
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

/* A stream's key in the store. A file's begins with a slash, a journal's does not. */
static char *key_of(const struct journal_source *j, const struct journal_place *p)
{
	char *key;

	return asprintf(&key, "%s%c%s", j->source.name, ROTATED_MARK, p->stream) < 0 ? NULL : key;
}

/* With all places taken: one of which nothing was heard, else the first. */
static struct journal_place *make_room(struct journal_source *j)
{
	struct journal_place *p = &j->places[0];

	for (size_t i = 0; i < j->n_places && p->seen; i++)
		if (!j->places[i].seen)
			p = &j->places[i];
	file_drop_key(j->guard, key_of(j, p));
	free(p->stream);
	return p;
}

/* The place of a stream, made if there is none; NULL: out of memory. */
static struct journal_place *place_of(struct journal_source *j, const char *stream, size_t len)
{
	struct journal_place *p;
	char *name;

	for (size_t i = 0; i < j->n_places; i++) {
		p = &j->places[(j->last + i) % j->n_places];
		if (strlen(p->stream) == len && memcmp(p->stream, stream, len) == 0) {
			j->last = (size_t)(p - j->places);
			return p;
		}
	}
	name = strndup(stream, len);
	if (name == NULL)
		return NULL;
	if (j->n_places < JOURNAL_STREAMS_MAX) {
		p = reallocarray(j->places, j->n_places + 1, sizeof(*p));
		if (p == NULL) {
			free(name);
			return NULL;
		}
		j->places = p;
		p += j->n_places++;
	} else {
		p = make_room(j);
	}
	*p = (struct journal_place) {.stream = name};
	return p;
}

static void tell(const struct journal_source *j, const struct journal_entry *e)
{
	char text[2048];

	text_escape(text, sizeof(text), e->text, e->text_len);
	log_warning("%s: %s", j->source.name, text);
}

/* Those of its jails judge the next line that want it. */
static int choose_jails(struct guard *g, struct journal_source *j, const struct journal_entry *e)
{
	for (size_t i = 0; i < j->source.n_jails; i++)
		j->source.off[i] = true;
	for (uint32_t i = 0; i < e->n_jails; i++) {
		int r;

		if (e->jails[i] >= g->rs->n_jails)
			return -EBADMSG;
		r = source_add_jail(g, &j->source, e->jails[i]);
		if (r < 0)
			return r;
		source_wake_jail(&j->source, e->jails[i]);
	}
	return 0;
}

/* An entry names the jails that want it. */
static int judge(struct guard *g, struct journal_source *j, const void *buf, size_t len)
{
	struct journal_entry e;
	struct journal_place *p;
	int r = journal_msg_parse(buf, len, &e);

	if (r < 0)
		return r;
	if (e.n_jails == 0) {
		tell(j, &e);
		return 0;
	}
	r = e.time_us >= 0 ? choose_jails(g, j, &e) : -EBADMSG;
	if (r < 0)
		return r;
	/* Judged without being remembered it would be judged twice. */
	p = place_of(j, e.stream, e.stream_len);
	if (p == NULL)
		return -ENOMEM;
	/* Its cursor stands for its place. */
	if (source_begin(g, JOURNAL_INO, hash_fingerprint(e.cursor, e.cursor_len))) {
		g->losses.long_lines += e.text_len == JOURNAL_TEXT_MAX;
		judge_line(g, &j->source, e.text, e.text_len, &e.time_us);
		source_end(g);
	}
	memcpy(p->cursor, e.cursor, e.cursor_len);
	p->cursor[e.cursor_len] = '\0';
	p->dirty = p->seen = true;
	return 0;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct journal_source *j = arg;
	struct guard *g = j->guard;
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
				log_error("%s: its reader is not understood: it is cut off",
					j->source.name);
			close_reader(j); /* keeper starts another */
			break;
		}
	}
	guard_turn_end(g);
}

void journal_start(struct guard *g)
{
	for (size_t i = 0; i < g->n_journals; i++)
		if (g->journals[i].readable != NULL)
			event_add(g->journals[i].readable, NULL);
}

/* Tells the reader where each stream begins. */
static int send_places(const struct journal_source *j, int fd, int64_t since_us)
{
	char buf[JOURNAL_START_MAX];

	for (size_t i = 0; i <= j->n_places; i++) {
		struct journal_start start = {.since_us = since_us};
		long len;

		if (i < j->n_places) {
			snprintf(start.stream, sizeof(start.stream), "%s", j->places[i].stream);
			snprintf(start.cursor, sizeof(start.cursor), "%s", j->places[i].cursor);
		}
		len = journal_start_write(buf, sizeof(buf), &start);
		if (len < 0 || write(fd, buf, (size_t)len) < 0)
			return -EPIPE;
	}
	return 0;
}

int journal_reader(struct guard *g, const struct msg_journal *m, int fd)
{
	struct journal_source *j;

	if (m->journal >= g->n_journals) {
		close(fd);
		return -EPROTO;
	}
	j = &g->journals[m->journal];
	close_reader(j);
	if (send_places(j, fd, clock_wall_us() - source_findtime_us(g, NULL)) < 0) {
		close(fd);
		return 0;
	}
	j->fd = fd;
	j->readable = event_new(g->base, fd, EV_READ | EV_PERSIST, on_readable, j);
	if (j->readable == NULL)
		close_reader(j);
	else if (g->reading)
		journal_start(g);
	return 0;
}

void journal_remember(struct guard *g, const struct store_position *row)
{
	const char *mark = strchr(row->path, ROTATED_MARK);
	size_t len = mark != NULL ? (size_t)(mark - row->path) : 0;

	for (size_t i = 0; mark != NULL && row->cursor != NULL && i < g->n_journals; i++) {
		struct journal_source *j = &g->journals[i];
		struct journal_place *p;

		if (strlen(j->source.name) != len || memcmp(j->source.name, row->path, len) != 0)
			continue;
		p = place_of(j, mark + 1, strlen(mark + 1));
		if (p != NULL)
			snprintf(p->cursor, sizeof(p->cursor), "%s", row->cursor);
		return;
	}
	/* Of a journal that is not read any more. */
	file_drop_key(g, strdup(row->path));
}

bool journal_is_dirty(const struct guard *g)
{
	for (size_t i = 0; i < g->n_journals; i++)
		for (size_t k = 0; k < g->journals[i].n_places; k++)
			if (g->journals[i].places[k].dirty)
				return true;
	return false;
}

int journal_save(struct guard *g, int (*put)(struct guard *g, const struct store_position *row))
{
	for (size_t i = 0; i < g->n_journals; i++) {
		const struct journal_source *j = &g->journals[i];

		for (size_t k = 0; k < j->n_places; k++) {
			_cleanup_free_ char *key = NULL;
			int r;

			if (!j->places[k].dirty)
				continue;
			key = key_of(j, &j->places[k]);
			if (key == NULL)
				return -ENOMEM;
			r = put(g, &(struct store_position) {
					   .path = key, .cursor = j->places[k].cursor});
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static void mark(struct guard *g, bool dirty)
{
	for (size_t i = 0; i < g->n_journals; i++)
		for (size_t k = 0; k < g->journals[i].n_places; k++)
			g->journals[i].places[k].dirty = dirty;
}

void journal_saved(struct guard *g)
{
	mark(g, false);
}

void journal_touch(struct guard *g)
{
	mark(g, true);
}

const struct source *journal_source(const struct guard *g, unsigned jail)
{
	const struct journals *all = &g->o->plan->journals;

	for (size_t i = 0; i < g->n_journals; i++)
		for (size_t k = 0; k < all->items[i].conf.n_jails; k++)
			if (all->items[i].conf.jails[k].id == jail && g->journals[i].fd >= 0)
				return &g->journals[i].source;
	return NULL;
}

/* All who read it judge together what comes, though an entry may be for few of them. */
static int add_jails(struct guard *g, struct journal_source *j, const struct journal_conf *conf)
{
	for (size_t i = 0; i < conf->n_jails; i++) {
		int r = source_add_jail(g, &j->source, (uint16_t)conf->jails[i].id);

		if (r < 0)
			return r;
	}
	return 0;
}

int journal_init(struct guard *g)
{
	const struct journals *all = &g->o->plan->journals;

	g->journals = calloc(all->n + 1, sizeof(*g->journals));
	if (g->journals == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < all->n; i++) {
		g->journals[i].guard = g;
		g->journals[i].fd = -1;
		g->n_journals++;
		if (source_init(&g->journals[i].source, all->items[i].name) < 0 ||
			add_jails(g, &g->journals[i], &all->items[i].conf) < 0)
			return -ENOMEM;
		g->journals[i].source.way = WAY_JOURNAL;
	}
	return 0;
}

void journal_done(struct guard *g)
{
	for (size_t i = 0; i < g->n_journals; i++) {
		struct journal_source *j = &g->journals[i];

		close_reader(j);
		source_done(&j->source);
		for (size_t k = 0; k < j->n_places; k++)
			free(j->places[k].stream);
		free(j->places);
	}
	free(g->journals);
}
