/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/streams.h"

#include "base/clock.h"
#include "guard/connections.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define TURN_US 2000 /* then files and all else have theirs */
#define TURN_ACCEPTS 64
#define READY 64
#define PIECE_MIN 16384
#define PAUSE_US 250000 /* after an error that will not be over at once */
#define FLUSH_MS 3000
#define LOG_FILES 5120  /* so many descriptors are for files, or half of what there may be */
#define OTHER_FILES 256 /* clients, the database */
#define TELL_A_MINUTE 20

_Static_assert(sizeof(struct msg_stream) + TAIL_LINE_MAX <= CHANNEL_BODY_MAX,
	"a frame that is not whole does not fit");

struct acceptor {
	struct streams *streams;
	struct event *readable; /* NULL: it accepts nothing itself */
	size_t listener;
};

/*
 * Connections are not events of the loop's, of which all that are ready would be read in one turn,
 * but have an epoll of their own: it is asked for some, and these are read before it is asked for
 * others, however many turns that takes.
 */
struct streams {
	struct guard *g;
	struct connections *connections;
	struct frames_room room;
	struct acceptor acceptors[LISTEN_MAX];
	struct event *go_on; /* to accept again */
	int epoll;
	struct event *some_ready;
	struct epoll_event ready[READY];
	int n_ready, next_ready;
	bool touched[LISTEN_MAX]; /* took messages in this turn */
	size_t piece;             /* how much is read at once: less where little takes long */
	struct log_limit limit;
};

/* A piece of a connection's stream under way. */
struct taking {
	struct syslog_listener *listener;
	struct syslog_counts *counts;
	struct syslog_sender sender;
	bool spoke;
};

static bool is_stream(enum listen_kind kind)
{
	return kind == LISTEN_TCP || kind == LISTEN_UNIX_STREAM || kind == LISTEN_TLS;
}

static struct syslog_counts *counts_of(const struct guard *g, size_t listener)
{
	return syslog_listener_counts(g->listeners[listener]);
}

static void on_frame(void *arg, const char *msg, size_t len, bool cut)
{
	struct taking *t = arg;

	t->spoke = true;
	t->counts->cut += cut;
	syslog_take(t->listener, &t->sender, msg, len);
}

static struct taking taking_of(const struct guard *g, const struct connection *c)
{
	return (struct taking) {
		.listener = g->listeners[c->listener],
		.counts = counts_of(g, c->listener),
		.sender = {.is_local = c->is_local, .addr = c->sender},
	};
}

static void take(struct streams *s, struct connection *c, const char *data, size_t len)
{
	struct taking t = taking_of(s->g, c);

	t.counts->broken += frames_take(&c->frames, &s->room, data, len, on_frame, &t);
	s->touched[c->listener] = true;
	if (t.spoke)
		connections_spoke(s->connections, c);
}

/* Closes it; what keeper was handed would stay in the epoll as long as it is open anywhere. */
static void drop(struct streams *s, struct connection *c)
{
	for (int i = s->next_ready; i < s->n_ready; i++)
		if (s->ready[i].data.ptr == c)
			s->ready[i].data.ptr = NULL;
	epoll_ctl(s->epoll, EPOLL_CTL_DEL, c->fd, NULL);
	counts_of(s->g, c->listener)->connections--;
	connections_remove(s->connections, c);
	frames_done(&c->frames, &s->room);
	close(c->fd);
	free(c);
}

/* Nothing more comes. in_order: all that was sent has come. */
static void finish(struct streams *s, struct connection *c, bool in_order)
{
	struct taking t = taking_of(s->g, c);

	if (!frames_end(&c->frames, &s->room, in_order, on_frame, &t))
		t.counts->broken++;
	s->touched[c->listener] = true;
	drop(s, c);
}

/* Does an end say that all has come? Of TLS anybody on the way can cut off the rest. */
static bool ends_in_order(const struct streams *s, const struct connection *c)
{
	return s->g->rs->syslog.listen[c->listener].kind != LISTEN_TLS;
}

static void read_some(struct streams *s, struct connection *c)
{
	ssize_t n = recv(c->fd, s->g->buffer, s->piece, MSG_DONTWAIT);

	if (n > 0)
		take(s, c, s->g->buffer, (size_t)n);
	else if (n == 0)
		finish(s, c, ends_in_order(s, c));
	else if (errno != EAGAIN && errno != EINTR)
		finish(s, c, false);
}

static void end_turn(struct streams *s)
{
	for (size_t i = 0; i < s->g->o->n_listen; i++)
		if (s->touched[i])
			syslog_flush(s->g->listeners[i]);
	memset(s->touched, 0, sizeof(s->touched));
	guard_turn_end(s->g);
}

/* Many small messages take longer than a few large ones: no piece shall take much more than a turn.
 */
static void adapt(struct streams *s, int64_t took_us)
{
	if (took_us > 2 * TURN_US && s->piece > PIECE_MIN)
		s->piece /= 2;
	else if (took_us < TURN_US / 2 && s->piece < TAIL_BUFFER)
		s->piece *= 2;
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
	struct streams *s = arg;
	int64_t now_us = clock_mono_us(), end_us = now_us + TURN_US;

	(void)what;
	do {
		int64_t before_us = now_us;
		struct connection *c;

		if (s->next_ready == s->n_ready) {
			s->next_ready = 0;
			s->n_ready = epoll_wait(fd, s->ready, READY, 0);
			if (s->n_ready <= 0) {
				s->n_ready = 0;
				break;
			}
		}
		c = s->ready[s->next_ready++].data.ptr;
		if (c != NULL)
			read_some(s, c);
		now_us = clock_mono_us();
		adapt(s, now_us - before_us);
	} while (now_us < end_us);
	end_turn(s);
}

/* Who a connection counts for: a host, or on this machine a user. */
static struct addr whose(const struct syslog_sender *sender, int fd)
{
	struct ucred who = {.uid = (uid_t)-1};
	socklen_t len = sizeof(who);
	/* No host has such an address (RFC 4291 2.7: multicast). */
	struct addr user = {.b = {0xff}};

	if (!sender->is_local)
		return sender->addr;
	getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len);
	memcpy(user.b + 1, &who.uid, sizeof(who.uid));
	return user;
}

static const char *show(const struct syslog_sender *sender, char buf[static ADDR_STRLEN])
{
	return sender->is_local ? "a local program" : addr_format(&sender->addr, buf);
}

static void tell(
	struct streams *s, size_t listener, const struct syslog_sender *sender, const char *what)
{
	char text[ADDR_STRLEN];
	unsigned held;

	if (log_limit_pass(&s->limit, &held))
		log_warning("%s: a connection of %s %s", s->g->rs->syslog.listen[listener].url,
			show(sender, text), what);
}

/* Is there room for another of that sender's? Makes some, if it may. */
static bool make_room(struct streams *s, const struct addr *who)
{
	struct connection *out;

	if (connections_admit(s->connections, who, &out) < 0)
		return false;
	if (out != NULL) {
		const struct syslog_sender sender = {out->is_local, out->sender};

		counts_of(s->g, out->listener)->pushed_out++;
		tell(s, out->listener, &sender,
			"was closed to make room: there are as many as may be");
		finish(s, out, false);
	}
	return true;
}

/* A new connection, not read from yet; NULL: it was closed, and that is counted. */
static struct connection *open_connection(
	struct streams *s, size_t listener, const struct syslog_sender *sender, int fd)
{
	const struct addr who = whose(sender, fd);
	struct syslog_counts *counts = counts_of(s->g, listener);
	struct epoll_event e = {.events = EPOLLIN};
	struct connection *c = NULL;

	if (!syslog_may_send(s->g, sender))
		tell(s, listener, sender, "was refused: 'from' says who may send");
	else if (!make_room(s, &who))
		tell(s, listener, sender, "was refused: there are as many as may be");
	else
		c = calloc(1, sizeof(*c));
	if (c != NULL) {
		*c = (struct connection) {.sender = sender->addr,
			.is_local = sender->is_local,
			.listener = (uint8_t)listener,
			.fd = fd};
		e.data.ptr = c;
		if (connections_add(s->connections, &who, c) == 0) {
			counts->connections++;
			if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &e) == 0)
				return c;
			counts->connections_refused++;
			drop(s, c);
			return NULL;
		}
		free(c);
	}
	counts->connections_refused++;
	close(fd);
	return NULL;
}

void streams_add(struct guard *g, size_t listener, const struct syslog_sender *sender, int fd)
{
	/* There may be none where too few files may be open. */
	if (g->streams != NULL) {
		open_connection(g->streams, listener, sender, fd);
		return;
	}
	counts_of(g, listener)->connections_refused++;
	close(fd);
}

/* Nothing is accepted for a while: what is missing would be missing again at once. */
static void pause_accepting(struct streams *s)
{
	const struct timeval tv = {.tv_usec = PAUSE_US};
	unsigned held;

	if (log_limit_pass(&s->limit, &held))
		log_error("connections for syslog cannot be accepted: %s", strerror(errno));
	for (size_t i = 0; i < LISTEN_MAX; i++)
		if (s->acceptors[i].readable != NULL)
			event_del(s->acceptors[i].readable);
	evtimer_add(s->go_on, &tv);
}

static void on_go_on(evutil_socket_t fd, short what, void *arg)
{
	struct streams *s = arg;

	(void)fd;
	(void)what;
	for (size_t i = 0; i < LISTEN_MAX; i++)
		if (s->acceptors[i].readable != NULL)
			event_add(s->acceptors[i].readable, NULL);
}

/* What accept(2) says of a connection that is gone already, and of the network. */
static bool is_passing(int error)
{
	switch (error) {
	case EINTR:
	case ECONNABORTED:
	case EPERM:
	case EPROTO:
	case ENOPROTOOPT:
	case ENETDOWN:
	case ENETUNREACH:
	case EHOSTDOWN:
	case EHOSTUNREACH:
	case ENONET:
	case EOPNOTSUPP:
		return true;
	default:
		return false;
	}
}

static void on_acceptable(evutil_socket_t fd, short what, void *arg)
{
	struct acceptor *a = arg;

	(void)what;
	for (unsigned i = 0; i < TURN_ACCEPTS; i++) {
		struct sockaddr_storage from = {.ss_family = AF_UNSPEC};
		socklen_t len = sizeof(from);
		struct syslog_sender sender;
		int one = accept4(fd, (struct sockaddr *)&from, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (one < 0 && is_passing(errno))
			continue;
		if (one < 0 && errno != EAGAIN)
			pause_accepting(a->streams);
		if (one < 0)
			break;
		sender = syslog_sender_of(&from);
		open_connection(a->streams, a->listener, &sender, one);
	}
	end_turn(a->streams);
}

size_t guard_streams_max(const struct ruleset *rs)
{
	size_t spare, files;
	bool wanted = false;
	struct rlimit l;

	for (size_t i = 0; i < rs->syslog.n_listen; i++)
		wanted |= is_stream(rs->syslog.listen[i].kind);
	if (!wanted || getrlimit(RLIMIT_NOFILE, &l) < 0)
		return 0;
	spare = l.rlim_cur > OTHER_FILES ? l.rlim_cur - OTHER_FILES : 0;
	files = spare / 2 < LOG_FILES ? spare / 2 : LOG_FILES;
	return spare - files < STREAMS_MAX ? spare - files : STREAMS_MAX;
}

int streams_init(struct guard *g)
{
	size_t max = guard_streams_max(g->rs);
	struct streams *s;

	if (max == 0)
		return 0;
	s = g->streams = calloc(1, sizeof(*s));
	if (s == NULL)
		return -ENOMEM;
	s->g = g;
	s->room.max = STREAMS_LONG_MAX;
	s->piece = TAIL_BUFFER;
	s->limit.burst = TELL_A_MINUTE;
	s->connections = connections_new(max);
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (s->epoll < 0)
		return -errno;
	s->some_ready = event_new(g->base, s->epoll, EV_READ | EV_PERSIST, on_ready, s);
	s->go_on = evtimer_new(g->base, on_go_on, s);
	if (s->connections == NULL || s->some_ready == NULL || s->go_on == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < g->o->n_listen; i++) {
		struct acceptor *a = &s->acceptors[i];
		enum listen_kind kind = g->rs->syslog.listen[i].kind;

		*a = (struct acceptor) {.streams = s, .listener = i};
		if (g->o->listen_fds[i] < 0 || (kind != LISTEN_TCP && kind != LISTEN_UNIX_STREAM))
			continue;
		a->readable = event_new(
			g->base, g->o->listen_fds[i], EV_READ | EV_PERSIST, on_acceptable, a);
		if (a->readable == NULL)
			return -ENOMEM;
	}
	return 0;
}

/* One that the guard before has read from. What it says of it may be anything. */
static void go_on_with(struct streams *s, const struct guard_stream *old)
{
	const struct msg_stream *m = old->m;
	const struct syslog_sender sender = {m->is_local == 1, m->sender};
	struct connection *c;

	if (m->listener >= s->g->o->n_listen ||
		!is_stream(s->g->rs->syslog.listen[m->listener].kind)) {
		close(old->fd);
		return;
	}
	c = open_connection(s, m->listener, &sender, old->fd);
	if (c == NULL)
		return;
	if (m->spoke == 1)
		connections_spoke(s->connections, c);
	if (frames_resume(&c->frames, m->state, m->left, old->n_kept) < 0)
		finish(s, c, false);
	else if (old->n_kept > 0)
		take(s, c, (const char *)(m + 1), old->n_kept);
}

void streams_start(struct guard *g)
{
	struct streams *s = g->streams;

	for (size_t i = 0; i < g->o->n_streams; i++)
		if (s != NULL)
			go_on_with(s, &g->o->streams[i]);
		else
			close(g->o->streams[i].fd);
	if (s == NULL)
		return;
	event_add(s->some_ready, NULL);
	on_go_on(-1, 0, s);
}

static int hand_over(struct streams *s, const struct connection *c)
{
	_cleanup_free_ struct msg_stream *m = malloc(sizeof(*m) + c->frames.n_kept);
	int r;

	if (m == NULL)
		return -ENOMEM;
	*m = (struct msg_stream) {
		.sender = c->sender,
		.is_local = c->is_local,
		.listener = c->listener,
		.state = c->frames.state,
		.spoke = c->spoke,
		.left = c->frames.left,
	};
	if (c->frames.n_kept > 0)
		memcpy(m + 1, c->frames.kept, c->frames.n_kept);
	r = channel_send(s->g->keeper, MSG_STREAM, m, sizeof(*m) + c->frames.n_kept, c->fd);
	/* What is queued takes a descriptor more. */
	if (r == 0 && channel_queued(s->g->keeper) > 0)
		r = channel_flush(s->g->keeper, FLUSH_MS);
	return r;
}

void streams_hand_over(struct guard *g)
{
	struct streams *s = g->streams;
	struct connection *c;
	int r = 0;

	while (s != NULL && (c = connections_any(s->connections)) != NULL) {
		if (r == 0)
			r = hand_over(s, c);
		drop(s, c);
	}
	if (r < 0)
		log_error("not all connections for syslog could be handed over: %s", strerror(-r));
}

void streams_done(struct guard *g)
{
	struct streams *s = g->streams;
	struct connection *c;

	if (s == NULL)
		return;
	while (s->connections != NULL && (c = connections_any(s->connections)) != NULL)
		drop(s, c);
	connections_free(s->connections);
	for (size_t i = 0; i < LISTEN_MAX; i++)
		if (s->acceptors[i].readable != NULL)
			event_free(s->acceptors[i].readable);
	if (s->some_ready != NULL)
		event_free(s->some_ready);
	if (s->go_on != NULL)
		event_free(s->go_on);
	if (s->epoll >= 0)
		close(s->epoll);
	free(s);
}
