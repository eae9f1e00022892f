/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guard's wishes, checked and carried out: keeper does not trust guard, and never reads a log byte.
 */
#include "keeper/internal.h"

#include "base/clock.h"
#include "base/util.h"
#include "guard/policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * A hijacked guard may ban strangers, but not at any rate: so many at once (a restart brings back
 * all that stood), and so many a second from then on.
 */
#define RATE_BURST 3000000.0
#define RATE_A_SEC 50000.0
#define RETRY_SEC 2
#define REPAIRS_TOLD_A_MINUTE 10
#define ELEMS_A_MESSAGE 1000
/* Listing a set costs the kernel the square of its size; beyond this the database has to do. */
#define TELL_MAX 50000

static int grow(struct wall_elem **list, size_t *room, size_t need)
{
	size_t n = *room != 0 ? *room : 1024;
	struct wall_elem *p;

	if (need <= *room)
		return 0;
	while (n < need)
		n *= 2;
	p = reallocarray(*list, n, sizeof(*p));
	if (p == NULL)
		return -ENOMEM;
	*list = p;
	*room = n;
	return 0;
}

int enforce_ban(struct keeper *k, const struct msg_ban *b, size_t n)
{
	const struct ruleset *rs = k->plan->rs;
	size_t n_own;
	const struct addr *own = own_list(k->own, &n_own);

	if (grow(&k->bans, &k->bans_room, k->n_bans + n) < 0)
		return 0; /* guard believes it is banned: it will be said again on the next repair
			   */
	for (size_t i = 0; i < n; i++) {
		enum refusal why = policy_check(rs, own, n_own, b[i].jail, &b[i].prefix);

		if (why == 0 && !bucket_take(&k->rate))
			why = REFUSED_RATE;
		if (why != 0) {
			struct msg_refused r = {
				.prefix = b[i].prefix, .jail = b[i].jail, .why = (uint8_t)why};

			channel_send(k->guard, MSG_REFUSED, &r, sizeof(r), -1);
			continue;
		}
		if (rs->jails[b[i].jail].shadow)
			continue;
		k->bans[k->n_bans++] = (struct wall_elem) {
			.jail = b[i].jail,
			.prefix = b[i].prefix,
			.timeout_ms = b[i].timeout_ms,
			.fresh = b[i].again == 0,
		};
	}
	/* The rest of this turn's messages first: they share the transaction. */
	event_active(k->apply, EV_TIMEOUT, 0);
	return 0;
}

int enforce_unban(struct keeper *k, const struct msg_ban *b, size_t n)
{
	/* Order matters between a ban and its end. */
	enforce_apply(k);
	if (grow(&k->unbans, &k->unbans_room, k->n_unbans + n) < 0)
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (b[i].jail >= k->plan->rs->n_jails)
			return -EPROTO;
		if (k->plan->rs->jails[b[i].jail].shadow)
			continue;
		k->unbans[k->n_unbans++] =
			(struct wall_elem) {.jail = b[i].jail, .prefix = b[i].prefix};
	}
	event_active(k->apply, EV_TIMEOUT, 0);
	return 0;
}

static void retry_later(struct keeper *k, int r)
{
	struct timeval tv = {.tv_sec = RETRY_SEC};

	if (evtimer_pending(k->wall_retry, NULL))
		return;
	log_error("the kernel refused a change of the firewall: %s; it is set up anew in %d s",
		strerror(-r), RETRY_SEC);
	evtimer_add(k->wall_retry, &tv);
}

void enforce_apply(struct keeper *k)
{
	int r;

	if (k->n_bans > 0) {
		r = k->wall_ops->ban(k->wall, k->bans, k->n_bans);
		k->n_bans = 0;
		if (r < 0)
			retry_later(k, r);
	}
	if (k->n_unbans > 0) {
		r = k->wall_ops->unban(k->wall, k->unbans, k->n_unbans);
		k->n_unbans = 0;
		if (r < 0)
			retry_later(k, r);
	}
}

static void on_apply(evutil_socket_t fd, short what, void *arg)
{
	struct keeper *k = arg;

	(void)fd;
	(void)what;
	enforce_apply(k);
	logtarget_flush(k->log);
}

static void say_all_again(struct keeper *k)
{
	if (k->guard != NULL)
		channel_send(k->guard, MSG_RESTORE, NULL, 0, -1);
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	struct keeper *k = arg;
	int r;

	(void)fd;
	(void)what;
	r = k->wall_ops->set_up(k->wall, k->plan->rs);
	if (r < 0)
		retry_later(k, r);
	else
		say_all_again(k);
}

static void on_wall_changed(evutil_socket_t fd, short what, void *arg)
{
	struct keeper *k = arg;
	int r = k->wall_ops->notice(k->wall);
	unsigned held;

	(void)fd;
	(void)what;
	if (r == 1) {
		if (log_limit_pass(&k->repair_limit, &held))
			log_warning("somebody else changed our table in the firewall: it is set up "
				    "again%s",
				held > 0 ? " (as several times before)" : "");
		say_all_again(k);
	} else if (r < 0) {
		retry_later(k, r);
	}
}

static void on_own_changed(evutil_socket_t fd, short what, void *arg)
{
	struct keeper *k = arg;

	(void)fd;
	(void)what;
	if (own_refresh(k->own))
		enforce_tell_own(k);
}

void enforce_tell_own(struct keeper *k)
{
	size_t n;
	const struct addr *own = own_list(k->own, &n);

	if (n > CHANNEL_BODY_MAX / sizeof(*own))
		n = CHANNEL_BODY_MAX / sizeof(*own);
	if (k->guard != NULL)
		channel_send(k->guard, MSG_OWN, own, n * sizeof(*own), -1);
}

static struct msg_elem to_message(const struct wall_elem *e)
{
	return (struct msg_elem) {
		.prefix = e->prefix,
		.there = e->there,
		.jail = e->jail,
		.timeout_ms = e->timeout_ms,
		.packets = e->packets,
		.bytes = e->bytes,
	};
}

struct telling {
	struct keeper *k;
	struct msg_elem elems[ELEMS_A_MESSAGE];
	size_t n, told;
};

static int tell(struct telling *t)
{
	int r = 0;

	if (t->n > 0)
		r = channel_send(
			t->k->guard, MSG_WALL_ELEMS, t->elems, t->n * sizeof(t->elems[0]), -1);
	t->told += t->n;
	t->n = 0;
	return r;
}

static int on_elems(void *arg, const struct wall_elem *e, size_t n)
{
	struct telling *t = arg;

	for (size_t i = 0; i < n; i++) {
		int r;

		t->elems[t->n++] = to_message(&e[i]);
		if (t->n < ELEMS_A_MESSAGE)
			continue;
		r = tell(t);
		if (r < 0)
			return r;
		if (t->told >= TELL_MAX)
			return -E2BIG;
	}
	return 0;
}

void enforce_tell_elems(struct keeper *k)
{
	struct telling *t = calloc(1, sizeof(*t));
	int r;

	if (t == NULL)
		return;
	t->k = k;
	r = k->wall_ops->dump(k->wall, on_elems, t);
	if (r == 0)
		r = tell(t);
	if (r == -E2BIG)
		log_info(
			"the firewall holds more than %d bans: the database tells which", TELL_MAX);
	else if (r < 0)
		log_error("cannot list what the firewall holds: %s", strerror(-r));
	free(t);
}

static void look(struct keeper *k, const struct msg_elem *asked, size_t n)
{
	struct wall_elem *elems = calloc(n, sizeof(*elems));
	struct msg_elem *answer = calloc(n, sizeof(*answer));
	int r;

	for (size_t i = 0; elems != NULL && i < n; i++)
		elems[i] = (struct wall_elem) {.jail = asked[i].jail, .prefix = asked[i].prefix};
	if (elems != NULL && answer != NULL) {
		r = k->wall_ops->look(k->wall, elems, n);
		if (r < 0)
			log_error("cannot look into the firewall: %s", strerror(-r));
		for (size_t i = 0; i < n; i++)
			answer[i] = to_message(&elems[i]);
		channel_send(k->guard, MSG_QUERY_ELEMS, answer, n * sizeof(*answer), -1);
	}
	free(elems);
	free(answer);
}

int enforce_query(struct keeper *k, const struct msg_query *q, const struct msg_elem *e, size_t n)
{
	struct msg_query_end end = {.serial = q->serial};
	struct wall_stats s;

	for (size_t i = 0; i < n; i++)
		if (e[i].jail >= k->plan->rs->n_jails)
			return -EPROTO;
	enforce_apply(k);
	if (n > 0)
		look(k, e, n);
	k->wall_ops->get_stats(k->wall, &s);
	end.healthy = s.healthy && !evtimer_pending(k->wall_retry, NULL);
	end.transactions = s.transactions;
	end.banned = s.banned;
	end.repairs = s.repairs;
	end.failures = s.failures;
	snprintf(end.backend, sizeof(end.backend), "%s", k->wall_ops->name);
	snprintf(end.last_error, sizeof(end.last_error), "%s", s.last_error);
	channel_send(k->guard, MSG_QUERY_END, &end, sizeof(end), -1);
	return 0;
}

int enforce_init(struct keeper *k, const char **ret_error)
{
	int r;

	*ret_error = NULL;
	k->rate = (struct bucket) {.burst = RATE_BURST, .a_sec = RATE_A_SEC};
	k->repair_limit.burst = REPAIRS_TOLD_A_MINUTE;
	r = own_new(&k->own);
	if (r < 0) {
		*ret_error = "cannot list this machine's addresses";
		return r;
	}
	k->wall_ops = k->o->dry_run ? &wall_none : &wall_nft;
	r = k->wall_ops->open(&k->wall, k->plan->rs, ret_error);
	if (r < 0)
		return r;
	k->apply = evtimer_new(k->base, on_apply, k);
	k->wall_retry = evtimer_new(k->base, on_retry, k);
	if (k->apply == NULL || k->wall_retry == NULL)
		return -ENOMEM;
	if (k->wall_ops->fd(k->wall) >= 0) {
		k->wall_changed = event_new(k->base, k->wall_ops->fd(k->wall), EV_READ | EV_PERSIST,
			on_wall_changed, k);
		if (k->wall_changed == NULL || event_add(k->wall_changed, NULL) < 0)
			return -ENOMEM;
	}
	if (own_fd(k->own) >= 0) {
		k->own_changed =
			event_new(k->base, own_fd(k->own), EV_READ | EV_PERSIST, on_own_changed, k);
		if (k->own_changed == NULL || event_add(k->own_changed, NULL) < 0)
			return -ENOMEM;
	}
	return 0;
}

void enforce_done(struct keeper *k)
{
	struct event *events[] = {k->apply, k->wall_retry, k->wall_changed, k->own_changed};

	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		if (events[i] != NULL)
			event_free(events[i]);
	if (k->wall_ops != NULL)
		k->wall_ops->close(k->wall);
	own_free(k->own);
	free(k->bans);
	free(k->unbans);
}
