/* SPDX-License-Identifier: GPL-2.0-or-later */
/* porter's life: takes up its place, gives up its privileges, opens its doors, leaves in order. */
#include "base/clock.h"
#include "base/log.h"
#include "base/sockaddr.h"
#include "guard/sandbox.h"
#include "ipc/channel.h"
#include "porter/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACCEPTED_A_TURN 16
/* Who shake hands: of all, and of one sender. */
#define SHAKING_MAX 1024
#define SHAKING_A_SENDER 512
#define OPEN_MAX 8192
/* Beside two for each open connection and one for each that shakes hands. */
#define DESCRIPTORS_ELSE 64
#define LEAVE_SEC 2
#define REOPEN_SEC 1
#define TELL_US 200000
/* Connections that guard has not taken yet; beyond that the next ones wait at the door. */
#define HANDED_OVER_MAX 65536

static bool is_closed(const struct porter *p)
{
	return p->leaving || channel_queued(p->guard) > HANDED_OVER_MAX;
}

static void stop_listening(struct porter *p)
{
	for (size_t i = 0; i < p->o->settings->n_listen; i++)
		if (p->doors[i].knock != NULL)
			event_del(p->doors[i].knock);
}

static void start_listening(struct porter *p)
{
	for (size_t i = 0; i < p->o->settings->n_listen; i++)
		if (p->doors[i].knock != NULL)
			event_add(p->doors[i].knock, NULL);
}

/* What cannot be helped now: whoever comes waits in the kernel. */
static void close_for_a_while(struct porter *p)
{
	const struct timeval tv = {.tv_sec = REOPEN_SEC};

	stop_listening(p);
	evtimer_add(p->reopen, &tv);
}

static void on_reopen(evutil_socket_t fd, short what, void *arg)
{
	struct porter *p = arg;

	(void)fd;
	(void)what;
	if (is_closed(p))
		close_for_a_while(p);
	else
		start_listening(p);
}

static void tell_now(struct porter *p)
{
	for (size_t i = 0; i < p->o->settings->n_listen; i++) {
		struct msg_tls_counts *news = &p->doors[i].news;

		if (news->accepted + news->failed + news->refused + news->crowded == 0 ||
			channel_send(p->guard, MSG_TLS_COUNTS, news, sizeof(*news), -1) < 0)
			continue;
		news->accepted = news->failed = news->refused = news->crowded = 0;
		memset(news->why, 0, sizeof(news->why));
	}
}

static void on_tell(evutil_socket_t fd, short what, void *arg)
{
	struct porter *p = arg;

	(void)fd;
	(void)what;
	if (channel_queued(p->guard) == 0)
		tell_now(p);
	else
		porter_tell_later(p);
}

void porter_tell_later(struct porter *p)
{
	const struct timeval tv = {.tv_usec = TELL_US};

	if (!evtimer_pending(p->tell, NULL))
		evtimer_add(p->tell, &tv);
}

int porter_hand_over(struct door *d, const struct addr *sender, int fd)
{
	const struct msg_connection m = {
		.sender = *sender, .listen = d->news.listen, .port = d->news.port};

	return channel_send(d->porter->guard, MSG_CONNECTION, &m, sizeof(m), fd);
}

static bool nobody_is_left(const struct porter *p)
{
	for (size_t i = 0; i < CROWD_ROOMS; i++)
		if (!TAILQ_EMPTY(&p->rooms[i]))
			return false;
	return true;
}

void porter_link_gone(struct porter *p)
{
	if (p->leaving && nobody_is_left(p))
		event_base_loopbreak(p->base);
}

/* A place for one more of that sender; NULL: there is none for him, and that is counted. */
static struct visitor *let_in(struct door *d, const struct addr *sender)
{
	struct porter *p = d->porter;
	const struct prefixset *from = &p->o->settings->from;
	const struct visitor *v = crowd_find(p->crowd, sender);

	if (from->n > 0 && !prefixset_contains(from, sender)) {
		d->news.refused++;
		return NULL;
	}
	if (v != NULL && v->n[CROWD_SHAKING] >= SHAKING_A_SENDER) {
		d->news.crowded++;
		return NULL;
	}
	if (crowd_count(p->crowd, CROWD_SHAKING) >= SHAKING_MAX)
		link_push_out(p, CROWD_SHAKING);
	return crowd_enter(p->crowd, sender);
}

/* 0: there may be more; else not now. */
static int take_one(struct door *d, int fd)
{
	struct sockaddr_storage sa = {0};
	socklen_t len = sizeof(sa);
	int got = accept4(fd, (struct sockaddr *)&sa, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct visitor *v;
	struct addr sender;

	if (got < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS))
		close_for_a_while(d->porter);
	if (got < 0)
		return errno == ECONNABORTED || errno == EINTR ? 0 : -errno;
	v = sockaddr_get((struct sockaddr *)&sa, &sender) == 0 ? let_in(d, &sender) : NULL;
	if (v != NULL) {
		link_new(d, got, &sender, v);
		return 0;
	}
	close(got);
	porter_tell_later(d->porter);
	return 0;
}

static void on_knock(evutil_socket_t fd, short what, void *arg)
{
	struct door *d = arg;

	(void)what;
	for (unsigned i = 0; i < ACCEPTED_A_TURN; i++) {
		if (is_closed(d->porter)) {
			close_for_a_while(d->porter);
			return;
		}
		if (take_one(d, fd) < 0)
			return;
	}
}

static void on_limit(evutil_socket_t fd, short what, void *arg)
{
	struct porter *p = arg;

	(void)fd;
	(void)what;
	event_base_loopbreak(p->base);
}

/* Whoever started us has closed his end, or is no more. */
static void on_life(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval tv = {.tv_sec = LEAVE_SEC};
	struct porter *p = arg;

	(void)fd;
	(void)what;
	event_del(p->life);
	p->leaving = true;
	stop_listening(p);
	evtimer_del(p->reopen);
	link_leave_all(p);
	if (nobody_is_left(p))
		event_base_loopbreak(p->base);
	evtimer_add(p->limit, &tv);
}

/* guard says nothing. */
static int on_message(void *arg, uint32_t type, const void *body, size_t len, int fd)
{
	(void)arg;
	return message_admit(TO_PORTER, type, body, len, fd);
}

static void on_guard_gone(void *arg, const char *why)
{
	struct porter *p = arg;

	(void)why;
	event_base_loopbreak(p->base);
}

static int open_doors(struct porter *p)
{
	const struct syslog_settings *s = p->o->settings;

	p->doors = calloc(s->n_listen + 1, sizeof(*p->doors));
	if (p->doors == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < s->n_listen; i++) {
		struct door *d = &p->doors[i];

		*d = (struct door) {.porter = p,
			.listener = &s->listen[i],
			.news = {.listen = s->listen[i].addr, .port = s->listen[i].port}};
		if (d->listener->kind != LISTEN_TLS || p->o->listen_fds[i] < 0)
			continue;
		d->knock =
			event_new(p->base, p->o->listen_fds[i], EV_READ | EV_PERSIST, on_knock, d);
		if (d->knock == NULL || event_add(d->knock, NULL) < 0)
			return -ENOMEM;
	}
	return 0;
}

static size_t room_for_links(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) < 0 || l.rlim_cur > 2 * OPEN_MAX + SHAKING_MAX * 2)
		return OPEN_MAX;
	return l.rlim_cur > 4 * DESCRIPTORS_ELSE ? (l.rlim_cur - DESCRIPTORS_ELSE) / 3
						 : DESCRIPTORS_ELSE;
}

static int set_up(struct porter *p, const struct porter_options *o)
{
	p->o = o;
	p->peers = (struct peers) {o->settings->peers, o->settings->n_peers};
	p->links_max = room_for_links();
	for (size_t i = 0; i < CROWD_ROOMS; i++)
		TAILQ_INIT(&p->rooms[i]);
	if (context_new(p) == NULL)
		return -EINVAL;
	p->base = event_base_new();
	p->crowd = crowd_new();
	if (p->base == NULL || p->crowd == NULL)
		return -ENOMEM;
	p->guard = channel_new(p->base, o->guard_fd, on_message, on_guard_gone, p);
	p->life = event_new(p->base, o->life_fd, EV_READ | EV_PERSIST, on_life, p);
	p->tell = evtimer_new(p->base, on_tell, p);
	p->reopen = evtimer_new(p->base, on_reopen, p);
	p->limit = evtimer_new(p->base, on_limit, p);
	if (p->guard == NULL || p->life == NULL || p->tell == NULL || p->reopen == NULL ||
		p->limit == NULL || event_add(p->life, NULL) < 0)
		return -ENOMEM;
	return open_doors(p);
}

static int seal(const struct porter_options *o)
{
	const struct sandbox_identity who = {.root = o->root, .uid = o->uid, .gid = o->gid};
	const char *step;
	int r = sandbox_drop(&who, &step);

	if (r < 0) {
		log_critical("porter cannot give up its privileges (%s): %s", step, strerror(-r));
		return r;
	}
	r = sandbox_seal_porter(o->guard_fd);
	if (r < 0)
		log_critical("porter cannot seal itself (seccomp): %s", strerror(-r));
	return r;
}

static void tear_down(struct porter *p)
{
	struct event *const events[] = {p->life, p->tell, p->reopen, p->limit, p->overdue};

	if (p->guard != NULL && p->doors != NULL) {
		link_end_all(p);
		tell_now(p);
		channel_flush(p->guard, 1000);
	}
	for (size_t i = 0; p->doors != NULL && i < p->o->settings->n_listen; i++)
		if (p->doors[i].knock != NULL)
			event_free(p->doors[i].knock);
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (events[i] != NULL)
			event_free(events[i]);
	channel_free(p->guard);
	crowd_free(p->crowd);
	free(p->doors);
	SSL_CTX_free(p->tls);
	if (p->base != NULL)
		event_base_free(p->base);
}

int porter_run(const struct porter_options *o)
{
	struct porter *p = calloc(1, sizeof(*p));
	int r = p != NULL ? set_up(p, o) : -ENOMEM;

	if (r == 0)
		r = seal(o);
	if (r == 0)
		event_base_dispatch(p->base);
	if (p != NULL)
		tear_down(p);
	free(p);
	return r == 0 ? 0 : 1;
}
