/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guard's life: gives up its privileges, takes up its state, listens to keeper, leaves in order. */
#include "guard/guard.h"

#include "base/clock.h"
#include "guard/internal.h"
#include "guard/sandbox.h"
#include "guard/streams.h"
#include "guard/syslog.h"
#include "guard/tls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOG_A_MESSAGE 32768 /* more than the longest line */
#define LOG_A_TURN (4 << 20)
#define LOG_QUEUE_MAX (8 << 20) /* then lines are dropped and counted, never bans */
#define FOUND_A_MINUTE 300
#define LEAVE_WAIT_SEC 2

/* In pieces that fit a message, each ending with a line. */
static void send_log(struct guard *g)
{
	const char *p = g->log->data, *end = p + g->log->len;

	if (g->log->len == 0)
		return;
	if (channel_queued(g->keeper) > LOG_QUEUE_MAX) {
		g->losses.log_held++;
		p = end;
	}
	while (p < end) {
		size_t len = (size_t)(end - p);

		if (len > LOG_A_MESSAGE)
			len = (size_t)((const char *)memrchr(p, '\n', LOG_A_MESSAGE) + 1 - p);
		channel_send(g->keeper, MSG_LOG, p, len, -1);
		p += len;
	}
	buf_drop(g->log, g->log->len);
}

/* A line is its level as a digit, the text (no newline is in it), and a newline; sent at the end of
 * the turn, after its bans. */
static void log_to_keeper(void *arg, enum log_level level, const char *text, size_t len)
{
	struct guard *g = arg;
	char digit = (char)('0' + level);

	if (g->log->len > LOG_A_TURN) {
		g->losses.log_held++;
		return;
	}
	buf_add(g->log, &digit, 1);
	buf_add(g->log, text, len);
	buf_add(g->log, "\n", 1);
}

/* Saves, tells keeper, ends the loop. */
static void leave(struct guard *g)
{
	if (g->leaving)
		return;
	g->leaving = true;
	datagrams_finish(g);
	verdict_send(g);
	persist_now(g);
	log_debug("guard leaves");
	streams_hand_over(g);
	send_log(g);
	channel_send(g->keeper, MSG_LEFT, NULL, 0, -1);
	channel_flush(g->keeper, 3000);
	event_base_loopbreak(g->base);
}

void guard_turn_end(struct guard *g)
{
	if (evtimer_pending(g->leave, NULL) && names_waiting(g) == 0)
		leave(g);
	if (g->leaving)
		return;
	verdict_send(g);
	verdict_plan_expiry(g);
	persist_plan(g);
	send_log(g);
}

static void on_leave(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	leave(arg);
}

/* What waits for its name would be lost: it has a moment to come. */
static void leave_soon(struct guard *g)
{
	const struct timeval moment = {.tv_sec = LEAVE_WAIT_SEC};

	if (names_waiting(g) == 0)
		leave(g);
	else
		evtimer_add(g->leave, &moment);
}

/* What the kernel holds that we did not know, and the other way round. */
static int on_wall_elems(struct guard *g, const struct msg_elem *e, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct ban *ban;
		bool is_new;

		if (e[i].jail >= g->rs->n_jails)
			return -EPROTO;
		ban = bans_put(g->bans, e[i].jail, &e[i].prefix, &is_new);
		if (ban == NULL) {
			g->losses.no_memory++;
			continue;
		}
		ban->in_kernel = true;
		ban->packets = e[i].packets;
		ban->bytes = e[i].bytes;
		if (!is_new)
			continue;
		ban->origin = ORIGIN_KERNEL;
		ban->since_us = clock_mono_us();
		bans_set_until(g->bans, ban,
			e[i].timeout_ms == 0 ? 0
					     : clock_mono_us() + (int64_t)e[i].timeout_ms * 1000);
		bans_touch(g->bans, ban);
	}
	return 0;
}

struct reconciling {
	struct guard *g;
	bool all;
	size_t n;
};

static void say_if_missing(void *arg, struct ban *ban)
{
	struct reconciling *r = arg;

	if (!r->all && ban->in_kernel)
		return;
	verdict_send_again(r->g, ban);
	r->n++;
}

/* Tells keeper every ban the kernel lacks (all: every ban). */
static size_t say_bans(struct guard *g, bool all)
{
	struct reconciling r = {.g = g, .all = all};

	verdict_expire(g);
	bans_each(g->bans, say_if_missing, &r);
	verdict_send(g);
	return r.n;
}

static void on_wall_end(struct guard *g)
{
	size_t known = bans_count(g->bans), missing = say_bans(g, false);

	if (known > 0)
		log_info("%zu ban%s in force, %zu missing in the kernel until now", known,
			known == 1 ? "" : "s", missing);
}

static int on_own(struct guard *g, const struct addr *a, size_t n)
{
	struct addr *own = reallocarray(NULL, n + 1, sizeof(*own));

	if (own == NULL)
		return 0;
	if (n > 0)
		memcpy(own, a, n * sizeof(*own));
	free(g->own);
	g->own = own;
	g->n_own = n;
	return 0;
}

static int on_refused(struct guard *g, const struct msg_refused *r, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct ban *ban = r[i].jail < g->rs->n_jails
					  ? bans_find(g->bans, r[i].jail, &r[i].prefix)
					  : NULL;
		char text[PREFIX_STRLEN];

		g->losses.refused++;
		if (ban == NULL)
			continue;
		log_warning("[%s] %s is not banned: %s", g->rs->jails[r[i].jail].name,
			prefix_format(&r[i].prefix, text), refusal_text((enum refusal)r[i].why));
		bans_drop(g->bans, ban);
	}
	return 0;
}

static int handle(struct guard *g, uint32_t type, const void *body, size_t len, int fd)
{
	switch ((enum message)type) {
	case MSG_FILE:
		return files_opened(g, body, fd);
	case MSG_FILE_LEFT:
		return files_left(g, body);
	case MSG_SIBLING:
		return resume_sibling(g, body, fd);
	case MSG_SIBLINGS_END:
		return resume_siblings_end(g, body);
	case MSG_TROUBLE:
		return files_trouble(g, body);
	case MSG_IGNORE_SAYS:
		return pending_says(g, body);
	case MSG_START_END:
		ignorenames_start(g);
		files_start(g);
		datagrams_start(g);
		streams_start(g);
		tls_start(g);
		journal_start(g);
		channel_send(g->keeper, MSG_READY, NULL, 0, -1);
		return 0;
	case MSG_WALL_ELEMS:
		return on_wall_elems(g, body, len / sizeof(struct msg_elem));
	case MSG_WALL_END:
		on_wall_end(g);
		return 0;
	case MSG_OWN:
		return on_own(g, body, len / sizeof(struct addr));
	case MSG_CLIENT:
		return control_client(g, fd);
	case MSG_JOURNAL:
		return journal_reader(g, body, fd);
	case MSG_REFUSED:
		return on_refused(g, body, len / sizeof(struct msg_refused));
	case MSG_RESTORE:
		log_info("%zu bans set again in the firewall", say_bans(g, true));
		return 0;
	case MSG_QUERY_ELEMS:
		control_elems(g, body, len / sizeof(struct msg_elem));
		return 0;
	case MSG_QUERY_END:
		control_query_end(g, body);
		return 0;
	case MSG_RELOADED: {
		struct msg_query q;

		memcpy(&q, body, sizeof(q));
		control_reloaded(g, q.serial, (const char *)body + sizeof(q), len - sizeof(q));
		return 0;
	}
	case MSG_LEAVE:
		leave_soon(g);
		return 0;
	case MSG_PING:
		channel_send(g->keeper, MSG_PONG, NULL, 0, -1);
		return 0;
	default:
		return -EPROTO;
	}
}

static int on_message(void *arg, uint32_t type, const void *body, size_t len, int fd)
{
	struct guard *g = arg;
	int r;

	if (message_admit(TO_GUARD, type, body, len, fd) < 0)
		return -EPROTO;
	if (fd == CHANNEL_FD_LOST) {
		if (g->losses.files++ == 0)
			log_error("too many open files: a log or client was not taken (told once; "
				  "raise "
				  "LimitNOFILE)");
		return 0;
	}
	r = handle(g, type, body, len, fd);
	if (!g->leaving)
		guard_turn_end(g);
	return r;
}

/* Without keeper there is nobody to carry out a ban: save what we know, and go. */
static void on_keeper_gone(void *arg, const char *why)
{
	struct guard *g = arg;

	(void)why;
	g->leaving = true;
	persist_now(g);
	event_base_loopbreak(g->base);
}

static int make_jails(struct guard *g)
{
	g->jails = calloc(g->rs->n_jails + 1, sizeof(*g->jails));
	if (g->jails == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < g->rs->n_jails; i++) {
		g->jails[i].jail = &g->rs->jails[i];
		g->jails[i].filter = g->o->plan->filters[i];
		g->jails[i].dates = g->o->plan->dates[i];
	}
	return 0;
}

int guard_set_up(struct guard *g, const struct guard_options *o)
{
	int r;

	g->o = o;
	g->rs = o->plan->rs;
	g->cache_fd = -1;
	g->base = event_base_new();
	g->log = calloc(1, sizeof(*g->log));
	g->track = track_new(track_room(g->rs->memory));
	g->bans = bans_new();
	g->evidence = evidence_new();
	g->echoes = echoes_new();
	if (g->base == NULL || g->log == NULL || g->track == NULL || g->bans == NULL ||
		g->evidence == NULL || g->echoes == NULL)
		return -ENOMEM;
	g->keeper = channel_new(g->base, g->o->keeper_fd, on_message, on_keeper_gone, g);
	if (g->keeper == NULL)
		return -ENOMEM;
	g->leave = evtimer_new(g->base, on_leave, g);
	if (g->leave == NULL)
		return -ENOMEM;
	g->found_limit.burst = FOUND_A_MINUTE;
	log_set_sink(log_to_keeper, g);
	r = make_jails(g);
	if (r == 0)
		r = files_init(g);
	if (r == 0)
		r = verdict_init(g);
	if (r == 0)
		r = lookup_init(g);
	if (r == 0)
		r = names_init(g);
	if (r == 0)
		r = ignorenames_init(g);
	if (r == 0)
		r = pending_init(g);
	if (r == 0)
		r = syslog_init(g);
	if (r == 0)
		r = datagrams_init(g);
	if (r == 0)
		r = streams_init(g);
	if (r == 0)
		r = tls_init(g);
	if (r == 0)
		r = journal_init(g);
	return r;
}

static void tear_down(struct guard *g)
{
	control_done(g);
	journal_done(g);
	datagrams_done(g);
	tls_done(g);
	streams_done(g);
	syslog_done(g);
	files_done(g);
	pending_done(g);
	lookup_done(g);
	ignorenames_done(g);
	names_done(g);
	verdict_done(g);
	persist_done(g);
	log_set_sink(NULL, NULL);
	channel_free(g->keeper);
	evidence_free(g->evidence);
	bans_free(g->bans);
	track_free(g->track);
	free(g->jails);
	batch_done(&g->batch);
	echoes_free(g->echoes);
	if (g->cache_fd >= 0)
		close(g->cache_fd);
	if (g->log != NULL)
		buf_done(g->log);
	free(g->log);
	if (g->leave != NULL)
		event_free(g->leave);
	if (g->base != NULL)
		event_base_free(g->base);
}

int guard_run(const struct guard_options *o)
{
	const struct sandbox_identity who = {.root = o->statedir, .uid = o->uid, .gid = o->gid};
	const int channels[] = {o->keeper_fd, o->herald_fd};
	struct guard *g = calloc(1, sizeof(*g));
	const char *step;
	int r;

	if (g == NULL)
		return 1;
	/* What is out of reach once the root has changed: the zone's file, random numbers. */
	tzset();
	json_object_seed(0);
	r = guard_set_up(g, o);
	if (r == 0) {
		r = sandbox_drop(&who, &step);
		if (r < 0)
			log_critical(
				"guard cannot give up its privileges (%s): %s", step, strerror(-r));
	}
	if (r == 0) {
		int e = panels_open_cache(g);

		if (e < 0)
			log_warning("%s/cache cannot be used: %s; what is made for matching is "
				    "made anew each time",
				o->statedir, strerror(-e));
		r = sandbox_seal(channels, ARRAY_SIZE(channels));
		if (r < 0)
			log_critical("guard cannot seal itself (seccomp): %s", strerror(-r));
	}
	if (r == 0)
		r = persist_init(g);
	if (r == 0)
		event_base_dispatch(g->base);
	else
		send_log(g);
	tear_down(g);
	free(g);
	return r == 0 ? 0 : 1;
}
