/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "herald/herald.h"

#include "base/bucket.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/sockaddr.h"
#include "base/util.h"
#include "guard/sandbox.h"
#include "ipc/channel.h"
#include "ipc/messages.h"

#include <errno.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <event2/util.h>
#include <netdb.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#define IDLE_SEC 60
/* The next herald reads resolv.conf and hosts anew. */
#define AGE_US (300 * USEC_PER_SEC)
#define ANSWER_SEC 10
#define LOOKUPS_MAX 128
/* Who asks may be in somebody else's hands: so many at once, and so many a second from then on. */
#define RATE_BURST 200
#define RATE_A_SEC 50

struct herald {
	struct event_base *base;
	struct evdns_base *dns;
	struct channel *guard;
	struct event *idle;
	size_t n_lookups;
	int64_t started_us;
	struct bucket rate;
};

/* A question under way. */
struct lookup {
	struct herald *herald;
	struct event *limit;
	struct evdns_getaddrinfo_request *forward;
	struct evdns_request *reverse;
	bool asking; /* evdns was called and has not returned */
	bool done;
	bool too_late;
	struct msg_found answer;
};

static void lookup_free(struct lookup *l)
{
	if (l->limit != NULL)
		event_free(l->limit);
	free(l);
}

static void may_leave(struct herald *h)
{
	if (h->n_lookups > 0 || clock_mono_us() - h->started_us < AGE_US)
		return;
	event_base_loopbreak(h->base);
}

/* The answer is known; evdns has called for the last time. */
static void conclude(struct lookup *l)
{
	struct herald *h = l->herald;

	if (l->too_late)
		l->answer.result = LOOKUP_FAILED;
	if (l->answer.result != LOOKUP_FOUND)
		l->answer.n = 0;
	channel_send(h->guard, MSG_FOUND, &l->answer, sizeof(l->answer), -1);
	h->n_lookups--;
	l->done = true;
	if (!l->asking)
		lookup_free(l);
	may_leave(h);
}

static void add_addr(struct msg_found *m, const struct addr *a)
{
	for (size_t i = 0; i < m->n; i++)
		if (addr_eq(&m->addrs[i], a))
			return;
	if (m->n == LOOKUP_ADDRS_MAX)
		m->result = LOOKUP_MANY;
	else
		m->addrs[m->n++] = *a;
}

static void on_addresses(int error, struct evutil_addrinfo *list, void *arg)
{
	struct lookup *l = arg;
	struct addr a;

	l->answer.result = LOOKUP_FOUND;
	for (const struct evutil_addrinfo *ai = list; ai != NULL; ai = ai->ai_next)
		if (sockaddr_get(ai->ai_addr, &a) == 0)
			add_addr(&l->answer, &a);
	if (list != NULL)
		evutil_freeaddrinfo(list);
	if (error == EVUTIL_EAI_NONAME || error == EVUTIL_EAI_NODATA)
		l->answer.result = LOOKUP_NONE;
	else if (error != 0)
		l->answer.result = LOOKUP_FAILED;
	else if (l->answer.n == 0)
		l->answer.result = LOOKUP_NONE;
	conclude(l);
}

static void on_name(int result, char type, int count, int ttl, void *names, void *arg)
{
	struct lookup *l = arg;

	(void)ttl;
	l->answer.result = LOOKUP_FAILED;
	if (result == DNS_ERR_NOTEXIST || result == DNS_ERR_NODATA)
		l->answer.result = LOOKUP_NONE;
	if (result == DNS_ERR_NONE && type == DNS_PTR && count > 0) {
		const char *name = *(char **)names;

		l->answer.result = LOOKUP_NONE;
		if (strlen(name) < sizeof(l->answer.name)) {
			l->answer.result = LOOKUP_FOUND;
			memcpy(l->answer.name, name, strlen(name));
		}
	}
	conclude(l);
}

static void on_limit(evutil_socket_t fd, short what, void *arg)
{
	struct lookup *l = arg;

	(void)fd;
	(void)what;
	/* evdns calls back with what it has. */
	l->too_late = true;
	if (l->forward != NULL)
		evdns_getaddrinfo_cancel(l->forward);
	else if (l->reverse != NULL)
		evdns_cancel_request(l->herald->dns, l->reverse);
}

static void ask_reverse(struct lookup *l, const struct addr *a)
{
	struct in6_addr in6;
	struct in_addr in;
	size_t len;
	const uint8_t *wire = addr_wire(a, &len);

	memcpy(len == 4 ? (void *)&in : (void *)&in6, wire, len);
	l->reverse = len == 4 ? evdns_base_resolve_reverse(
					l->herald->dns, &in, DNS_NO_SEARCH, on_name, l)
			      : evdns_base_resolve_reverse_ipv6(
					l->herald->dns, &in6, DNS_NO_SEARCH, on_name, l);
	if (l->reverse == NULL && !l->done) {
		l->answer.result = LOOKUP_FAILED;
		conclude(l);
	}
}

static void ask(struct lookup *l, const struct msg_lookup *q)
{
	struct evutil_addrinfo hints = {
		.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_protocol = IPPROTO_TCP};

	l->asking = true;
	if (q->reverse)
		ask_reverse(l, &q->addr);
	else
		l->forward =
			evdns_getaddrinfo(l->herald->dns, q->name, NULL, &hints, on_addresses, l);
	l->asking = false;
	if (l->done)
		lookup_free(l);
}

static void refuse(struct herald *h, uint32_t serial)
{
	const struct msg_found m = {.serial = serial, .result = LOOKUP_BUSY};

	channel_send(h->guard, MSG_FOUND, &m, sizeof(m), -1);
}

static int on_message(void *arg, uint32_t type, const void *body, size_t len, int fd)
{
	const struct timeval limit = {.tv_sec = ANSWER_SEC}, idle = {.tv_sec = IDLE_SEC};
	const struct msg_lookup *q = body;
	struct herald *h = arg;
	struct lookup *l;

	if (message_admit(TO_HERALD, type, body, len, fd) < 0)
		return -EPROTO;
	evtimer_add(h->idle, &idle);
	l = h->n_lookups < LOOKUPS_MAX && bucket_take(&h->rate) ? calloc(1, sizeof(*l)) : NULL;
	if (l == NULL) {
		refuse(h, q->serial);
		return 0;
	}
	l->herald = h;
	l->answer.serial = q->serial;
	l->limit = evtimer_new(h->base, on_limit, l);
	if (l->limit == NULL || evtimer_add(l->limit, &limit) < 0) {
		lookup_free(l);
		refuse(h, q->serial);
		return 0;
	}
	h->n_lookups++;
	ask(l, q);
	return 0;
}

static void on_guard_gone(void *arg, const char *why)
{
	struct herald *h = arg;

	(void)why;
	event_base_loopbreak(h->base);
}

static void on_idle(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval idle = {.tv_sec = IDLE_SEC};
	struct herald *h = arg;

	(void)fd;
	(void)what;
	if (h->n_lookups == 0)
		event_base_loopbreak(h->base);
	else
		evtimer_add(h->idle, &idle);
}

/* What a name server does wrong is no news to whoever reads our log. */
static void log_nothing(int is_warning, const char *text)
{
	(void)is_warning;
	(void)text;
}

/* Its sockets are made here: later there will be none. */
static int set_up(struct herald *h, const struct herald_options *o)
{
	const struct timeval idle = {.tv_sec = IDLE_SEC};

	evdns_set_log_fn(log_nothing);
	h->started_us = clock_mono_us();
	h->rate = (struct bucket) {.burst = RATE_BURST, .a_sec = RATE_A_SEC};
	h->base = event_base_new();
	h->dns = h->base != NULL ? evdns_base_new(h->base, 0) : NULL;
	if (h->dns == NULL)
		return -ENOMEM;
	evdns_base_set_option(h->dns, "timeout:", "3");
	evdns_base_set_option(h->dns, "attempts:", "2");
	/* Without the file the name server is looked for on this machine. */
	evdns_base_resolv_conf_parse(h->dns, DNS_OPTIONS_ALL, o->resolv_conf);
	if (evutil_secure_rng_init() < 0)
		return -EIO;
	h->guard = channel_new(h->base, o->fd, on_message, on_guard_gone, h);
	h->idle = evtimer_new(h->base, on_idle, h);
	return h->guard == NULL || h->idle == NULL || evtimer_add(h->idle, &idle) < 0 ? -ENOMEM : 0;
}

int herald_run(const struct herald_options *o)
{
	const struct sandbox_identity who = {.root = o->root, .uid = o->uid, .gid = o->gid};
	struct herald h = {0};
	const char *step;
	int r = set_up(&h, o);

	if (r == 0) {
		r = sandbox_drop(&who, &step);
		if (r < 0)
			log_critical("herald cannot give up its privileges (%s): %s", step,
				strerror(-r));
	}
	if (r == 0) {
		r = sandbox_seal_herald(o->fd);
		if (r < 0)
			log_critical("herald cannot seal itself (seccomp): %s", strerror(-r));
	}
	if (r == 0) {
		event_base_dispatch(h.base);
		channel_flush(h.guard, 1000);
	}
	/* What is under way goes with the process: its callbacks must not run any more. */
	return r == 0 ? 0 : 1;
}
