/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/tls.h"

#include "base/text.h"
#include "guard/streams.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TOLD_A_MINUTE 10

struct tls {
	struct channel *porter;
	struct msg_tls_counts counts[LISTEN_MAX];
	struct log_limit told;
};

static bool is_at(const struct listener *l, const struct addr *listen, uint16_t port)
{
	return l->kind == LISTEN_TLS && l->port == port && addr_eq(&l->addr, listen);
}

/* The listener's place; -1: the configuration does not have it any more. */
static int find_listener(const struct guard *g, const struct addr *listen, uint16_t port)
{
	for (size_t i = 0; i < g->o->n_listen; i++)
		if (is_at(&g->rs->syslog.listen[i], listen, port))
			return (int)i;
	return -1;
}

static void take_connection(struct guard *g, const struct msg_connection *m, int fd)
{
	const struct syslog_sender sender = {.addr = m->sender};
	int listener = find_listener(g, &m->listen, m->port);

	if (listener >= 0)
		streams_add(g, (size_t)listener, &sender, fd);
	else
		close(fd);
}

static void tell(struct tls *t, const char *url, uint64_t failed, const char *why)
{
	unsigned held;

	if (!log_limit_pass(&t->told, &held))
		return;
	log_warning("%s: %llu handshake%s failed, the last one: %s", url,
		(unsigned long long)failed, failed == 1 ? "" : "s", why);
	if (held > 0)
		log_warning("%u more times handshakes have failed", held);
}

static void count(struct guard *g, const struct msg_tls_counts *m)
{
	int listener = find_listener(g, &m->listen, m->port);
	struct msg_tls_counts *sum;

	if (listener < 0)
		return;
	sum = &g->tls->counts[listener];
	sum->accepted += m->accepted;
	sum->failed += m->failed;
	sum->refused += m->refused;
	sum->crowded += m->crowded;
	if (m->why[0] == '\0')
		return;
	text_escape(sum->why, sizeof(sum->why), m->why, strlen(m->why));
	tell(g->tls, g->rs->syslog.listen[listener].url, m->failed, sum->why);
}

static int on_message(void *arg, uint32_t type, const void *body, size_t len, int fd)
{
	struct guard *g = arg;

	if (message_admit(FROM_PORTER, type, body, len, fd) < 0)
		return -EPROTO;
	if (type == MSG_TLS_COUNTS)
		count(g, body);
	else if (fd == CHANNEL_FD_LOST)
		g->losses.files++;
	else
		take_connection(g, body, fd);
	guard_turn_end(g);
	return 0;
}

/* The pair is keeper's too, so nothing but nonsense ends it. */
static void on_end(void *arg, const char *why)
{
	struct guard *g = arg;

	log_error("porter said what is not permitted (%s): no TLS is taken until a reload", why);
	guard_turn_end(g);
}

int tls_init(struct guard *g)
{
	g->tls = calloc(1, sizeof(*g->tls));
	if (g->tls == NULL)
		return -ENOMEM;
	g->tls->told.burst = TOLD_A_MINUTE;
	if (g->o->porter_fd < 0)
		return 0;
	g->tls->porter = channel_new(g->base, g->o->porter_fd, on_message, on_end, g);
	if (g->tls->porter == NULL)
		return -ENOMEM;
	channel_hold(g->tls->porter, true);
	return 0;
}

void tls_start(struct guard *g)
{
	if (g->tls->porter != NULL)
		channel_hold(g->tls->porter, false);
}

void tls_done(struct guard *g)
{
	if (g->tls != NULL)
		channel_free(g->tls->porter);
	free(g->tls);
}

json_t *tls_report(const struct guard *g, size_t listener)
{
	const struct msg_tls_counts *c = &g->tls->counts[listener];

	if (g->rs->syslog.listen[listener].kind != LISTEN_TLS)
		return NULL;
	return json_pack("{s:I,s:I,s:I,s:I,s:s}", "handshakes", (json_int_t)c->accepted, "failed",
		(json_int_t)c->failed, "refused", (json_int_t)c->refused, "crowded_out",
		(json_int_t)c->crowded, "last_failure", c->why);
}

uint64_t tls_failures(const struct guard *g)
{
	uint64_t n = 0;

	for (size_t i = 0; i < g->o->n_listen; i++)
		n += g->tls->counts[i].failed + g->tls->counts[i].refused +
		     g->tls->counts[i].crowded;
	return n;
}
