/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One connection: shakes hands, then what comes out of it goes into guard's pair of sockets. */
#include "porter/internal.h"

#include "base/clock.h"
#include "base/util.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <openssl/err.h>

#define HANDSHAKE_SEC 10
#define A_TURN 65536 /* bytes; then the others get their turn */

struct link {
	TAILQ_ENTRY(link) entry;
	struct door *door;
	struct visitor *visitor;
	struct addr sender;
	enum crowd_room room;
	int64_t until_us; /* monotonic: when it must have shaken hands */
	int outer;        /* to the sender */
	int inner;        /* to guard; -1: not yet */
	SSL *ssl;
	struct event *sender_ready; /* outer can be read or written, as TLS wants it */
	struct event *guard_ready;  /* inner takes more */
	struct event *guard_gone;
	char *held; /* what inner did not take yet */
	size_t held_off, held_len;
	bool bye; /* we have said good-bye */
};

static void free_event(struct event *e)
{
	if (e != NULL)
		event_free(e);
}

static void link_end(struct link *l)
{
	struct porter *p = l->door->porter;

	if (l->room == CROWD_OPEN && !l->bye) {
		SSL_shutdown(l->ssl);
		ERR_clear_error();
	}
	TAILQ_REMOVE(&p->rooms[l->room], l, entry);
	crowd_leave(p->crowd, l->visitor, l->room);
	free_event(l->sender_ready);
	free_event(l->guard_ready);
	free_event(l->guard_gone);
	SSL_free(l->ssl);
	close(l->outer);
	if (l->inner >= 0)
		close(l->inner);
	free(l->held);
	free(l);
	porter_link_gone(p);
}

/* It has said or done something: others have been silent longer. */
static void stir(struct link *l)
{
	struct links *room = &l->door->porter->rooms[l->room];

	if (TAILQ_NEXT(l, entry) == NULL)
		return;
	TAILQ_REMOVE(room, l, entry);
	TAILQ_INSERT_TAIL(room, l, entry);
}

static void fail(struct link *l, const char *why)
{
	struct msg_tls_counts *news = &l->door->news;
	char sender[ADDR_STRLEN];

	news->failed++;
	snprintf(news->why, sizeof(news->why), "%s: %s", addr_format(&l->sender, sender), why);
	porter_tell_later(l->door->porter);
	link_end(l);
}

/* What OpenSSL says it was, in our words where people will meet it. */
static void fail_handshake(struct link *l, int error)
{
	static const struct {
		int reason;
		const char *text;
	} reasons[] = {
		{SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, "it has shown no certificate"},
		{SSL_R_UNSUPPORTED_PROTOCOL, "it speaks an old version of TLS (1.2 is the least)"},
		{SSL_R_VERSION_TOO_LOW, "it speaks an old version of TLS (1.2 is the least)"},
		{SSL_R_WRONG_VERSION_NUMBER, "that was no TLS"},
		{SSL_R_HTTP_REQUEST, "that was no TLS"},
		{SSL_R_UNEXPECTED_EOF_WHILE_READING, "it left in the middle of the handshake"},
		{SSL_R_TLSV1_ALERT_UNKNOWN_CA, "it does not trust our certificate"},
		{SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, "it does not take our certificate"},
		{SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, "to it our certificate has expired"},
		{SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, "it does not take our certificate"},
	};
	unsigned long code = ERR_peek_error();
	const char *why = ERR_reason_error_string(code);

	if (error == SSL_ERROR_SYSCALL)
		why = "it left in the middle of the handshake";
	else if (l->door->porter->noted[0] != '\0')
		why = l->door->porter->noted;
	else if (why == NULL)
		why = "the handshake failed";
	else
		for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
			if (ERR_GET_LIB(code) == ERR_LIB_SSL &&
				ERR_GET_REASON(code) == reasons[i].reason)
				why = reasons[i].text;
	fail(l, why);
}

/* Waits for what TLS wants; false: that is an end. */
static bool wait_for(struct link *l, int error, event_callback_fn then)
{
	short what = error == SSL_ERROR_WANT_READ    ? EV_READ
		     : error == SSL_ERROR_WANT_WRITE ? EV_WRITE
						     : 0;

	return what != 0 &&
	       event_assign(l->sender_ready, l->door->porter->base, l->outer, what, then, l) == 0 &&
	       event_add(l->sender_ready, NULL) == 0;
}

/* Writes what is held. 1: all of it, 0: guard takes no more now, <0: it takes nothing any more. */
static int flush(struct link *l)
{
	while (l->held_off < l->held_len) {
		ssize_t n = send(l->inner, l->held + l->held_off, l->held_len - l->held_off,
			MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == ENOBUFS))
			return event_add(l->guard_ready, NULL) == 0 ? 0 : -1;
		if (n < 0)
			return -1;
		l->held_off += (size_t)n;
	}
	free(l->held);
	l->held = NULL;
	return 1;
}

/* The same for what was read just now. */
static int pass_on(struct link *l, const char *data, size_t len)
{
	ssize_t n = send(l->inner, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0 && errno != EAGAIN && errno != ENOBUFS)
		return -1;
	if (n < 0)
		n = 0;
	if ((size_t)n == len)
		return 1;
	l->held_off = 0;
	l->held_len = len - (size_t)n;
	l->held = malloc(l->held_len);
	if (l->held == NULL)
		return -1;
	memcpy(l->held, data + n, l->held_len);
	return event_add(l->guard_ready, NULL) == 0 ? 0 : -1;
}

static void on_data(evutil_socket_t fd, short what, void *arg);

/* While guard takes it, and for one turn: what is read goes on, what it does not take waits here.
 */
static void pump(struct link *l)
{
	struct porter *p = l->door->porter;
	int n, r = l->held != NULL ? flush(l) : 1;

	for (size_t done = 0; r == 1; done += (size_t)n) {
		/* With a whole record taken each time, what is left of a turn is in the socket
		 * still.
		 */
		if (done >= A_TURN && SSL_pending(l->ssl) == 0) {
			if (!wait_for(l, SSL_ERROR_WANT_READ, on_data))
				r = -1;
			break;
		}
		ERR_clear_error();
		n = SSL_read(l->ssl, p->buffer, sizeof(p->buffer));
		if (n <= 0) {
			int error = SSL_get_error(l->ssl, n);

			if (wait_for(l, error, on_data))
				return;
			/* After an error TLS may not be asked for a good-bye. */
			l->bye |= error != SSL_ERROR_ZERO_RETURN;
			r = -1;
			break;
		}
		r = pass_on(l, p->buffer, (size_t)n);
	}
	if (r < 0)
		link_end(l);
}

static void on_data(evutil_socket_t fd, short what, void *arg)
{
	struct link *l = arg;

	(void)fd;
	(void)what;
	stir(l);
	pump(l);
}

static void on_guard_ready(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	pump(arg);
}

/* guard has nothing to say: it has closed its end. */
static void on_guard_gone(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	link_end(arg);
}

/* The handshake is over: guard gets its end. 0 or -errno. */
static int open_link(struct link *l)
{
	struct porter *p = l->door->porter;
	int pair[2], r;

	if (crowd_count(p->crowd, CROWD_OPEN) >= p->links_max)
		link_push_out(p, CROWD_OPEN);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return -errno;
	l->inner = pair[0];
	r = porter_hand_over(l->door, &l->sender, pair[1]);
	close(pair[1]);
	if (r < 0)
		return r;
	l->guard_ready = event_new(p->base, l->inner, EV_WRITE, on_guard_ready, l);
	l->guard_gone = event_new(p->base, l->inner, EV_READ, on_guard_gone, l);
	if (l->guard_ready == NULL || l->guard_gone == NULL || event_add(l->guard_gone, NULL) < 0)
		return -ENOMEM;
	TAILQ_REMOVE(&p->rooms[CROWD_SHAKING], l, entry);
	TAILQ_INSERT_TAIL(&p->rooms[CROWD_OPEN], l, entry);
	crowd_open(p->crowd, l->visitor);
	l->room = CROWD_OPEN;
	l->door->news.accepted++;
	porter_tell_later(p);
	return 0;
}

static void on_handshake(evutil_socket_t fd, short what, void *arg)
{
	struct link *l = arg;
	int n, error, r;

	(void)fd;
	(void)what;
	ERR_clear_error();
	l->door->porter->noted[0] = '\0';
	n = SSL_accept(l->ssl);
	error = SSL_get_error(l->ssl, n);
	if (n != 1 && wait_for(l, error, on_handshake))
		return;
	if (n != 1) {
		fail_handshake(l, error);
		return;
	}
	r = open_link(l);
	if (r < 0)
		fail(l, strerror(-r));
	else
		pump(l);
}

static void watch_time(struct porter *p, int64_t us)
{
	struct timeval tv = {.tv_sec = us / USEC_PER_SEC, .tv_usec = us % USEC_PER_SEC};

	evtimer_add(p->overdue, &tv);
}

/* Those who shake hands stand in the order in which they came. */
static void on_overdue(evutil_socket_t fd, short what, void *arg)
{
	int64_t now_us = clock_mono_us();
	struct porter *p = arg;
	struct link *l;

	(void)fd;
	(void)what;
	while ((l = TAILQ_FIRST(&p->rooms[CROWD_SHAKING])) != NULL && l->until_us <= now_us)
		fail(l, "it has not shaken hands in time");
	if (l != NULL)
		watch_time(p, l->until_us - now_us);
}

static int attach(struct link *l)
{
	struct porter *p = l->door->porter;

	l->ssl = SSL_new(p->tls);
	l->sender_ready = event_new(p->base, l->outer, EV_READ, on_handshake, l);
	if (l->ssl == NULL || l->sender_ready == NULL || SSL_set_fd(l->ssl, l->outer) != 1 ||
		event_add(l->sender_ready, NULL) < 0)
		return -ENOMEM;
	if (p->overdue == NULL)
		p->overdue = evtimer_new(p->base, on_overdue, p);
	if (p->overdue == NULL)
		return -ENOMEM;
	if (!evtimer_pending(p->overdue, NULL))
		watch_time(p, HANDSHAKE_SEC * USEC_PER_SEC);
	return 0;
}

void link_new(struct door *d, int fd, const struct addr *sender, struct visitor *v)
{
	struct porter *p = d->porter;
	struct link *l = calloc(1, sizeof(*l));

	if (l == NULL) {
		crowd_leave(p->crowd, v, CROWD_SHAKING);
		close(fd);
		d->news.failed++;
		return;
	}
	*l = (struct link) {.door = d,
		.visitor = v,
		.sender = *sender,
		.outer = fd,
		.inner = -1,
		.until_us = clock_mono_us() + HANDSHAKE_SEC * USEC_PER_SEC};
	TAILQ_INSERT_TAIL(&p->rooms[CROWD_SHAKING], l, entry);
	if (attach(l) < 0)
		fail(l, "out of memory");
}

void link_push_out(struct porter *p, enum crowd_room room)
{
	struct link *l, *victim = NULL;

	TAILQ_FOREACH(l, &p->rooms[room], entry)
	if (victim == NULL || l->visitor->n[room] > victim->visitor->n[room])
		victim = l;
	if (victim == NULL)
		return;
	victim->door->news.crowded++;
	porter_tell_later(p);
	link_end(victim);
}

void link_leave_all(struct porter *p)
{
	struct link *l;

	while ((l = TAILQ_FIRST(&p->rooms[CROWD_SHAKING])) != NULL)
		link_end(l);
	TAILQ_FOREACH(l, &p->rooms[CROWD_OPEN], entry)
	{
		ERR_clear_error();
		SSL_shutdown(l->ssl);
		ERR_clear_error();
		l->bye = true;
	}
}

void link_end_all(struct porter *p)
{
	for (size_t i = 0; i < CROWD_ROOMS; i++)
		while (!TAILQ_EMPTY(&p->rooms[i]))
			link_end(TAILQ_FIRST(&p->rooms[i]));
}
