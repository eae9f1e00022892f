/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Host names in ignoreip and allow: looked up at the start, and again every few minutes. */
#include "guard/internal.h"

#include "base/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_MAX 128
#define AGAIN_SEC 300
#define AGAIN_FAILED_SEC 30
#define SETTLE_US (5 * USEC_PER_SEC)
#define TOLD_A_MINUTE 60

struct ignorename {
	const char *text;
	bool everywhere; /* in allow, or [DEFAULT] ignoreip */
	uint16_t *jails;
	size_t n_jails;
	bool asking, answered;
	size_t n_addrs;
	struct addr addrs[LOOKUP_ADDRS_MAX]; /* the last that were found */
};

struct ignorenames {
	struct ignorename *items;
	size_t n;
	int64_t settle_us; /* bans wait for the first answers until then */
	struct event *again;
	struct log_limit told;
};

static bool is_of_jail(const struct ignorename *w, unsigned jail)
{
	for (size_t i = 0; i < w->n_jails; i++)
		if (w->jails[i] == jail)
			return true;
	return w->everywhere;
}

bool ignorenames_has(const struct guard *g, unsigned jail, const char *name)
{
	const struct ignorenames *n = g->ignorenames;

	for (size_t i = 0; i < n->n; i++)
		if (is_of_jail(&n->items[i], jail) && strcmp(n->items[i].text, name) == 0)
			return true;
	return false;
}

static void plan(struct ignorenames *n, unsigned sec)
{
	const struct timeval tv = {.tv_sec = sec};

	evtimer_add(n->again, &tv);
}

bool ignorenames_settled(const struct guard *g, unsigned jail)
{
	const struct ignorenames *n = g->ignorenames;

	if (clock_mono_us() >= n->settle_us)
		return true;
	for (size_t i = 0; i < n->n; i++)
		if (!n->items[i].answered && is_of_jail(&n->items[i], jail))
			return false;
	return true;
}

bool ignorenames_contain(const struct guard *g, unsigned jail, const struct prefix *p)
{
	const struct ignorenames *n = g->ignorenames;

	for (size_t i = 0; i < n->n; i++) {
		const struct ignorename *e = &n->items[i];

		for (size_t k = 0; k < e->n_addrs; k++)
			if (prefix_contains(p, &e->addrs[k]) && is_of_jail(e, jail))
				return true;
	}
	return false;
}

const char *ignorenames_everywhere(const struct guard *g, const struct addr *a)
{
	const struct ignorenames *n = g->ignorenames;

	for (size_t i = 0; i < n->n; i++)
		for (size_t k = 0; n->items[i].everywhere && k < n->items[i].n_addrs; k++)
			if (addr_eq(&n->items[i].addrs[k], a))
				return n->items[i].text;
	return NULL;
}

/* Who has one of these addresses now is let out where the name is on the list. */
static void let_out(struct guard *g, const struct ignorename *e)
{
	for (unsigned i = 0; i < g->rs->n_jails; i++) {
		if (!is_of_jail(e, i))
			continue;
		for (size_t k = 0; k < e->n_addrs; k++) {
			struct prefix p = {.addr = e->addrs[k], .len = 128};
			struct ban *ban = bans_find(g->bans, i, &p);

			track_forget(g->track, i, &p.addr);
			if (ban != NULL && ban->origin != ORIGIN_MANUAL)
				verdict_unban(g, ban);
		}
	}
}

static void complain(struct ignorenames *n, const struct ignorename *e, enum lookup_result why)
{
	unsigned held;

	if (!log_limit_pass(&n->told, &held))
		return;
	log_warning("ignoreip: the host name %s %s%s", e->text,
		why == LOOKUP_NONE   ? "has no address"
		: why == LOOKUP_MANY ? "has too many addresses"
				     : "cannot be looked up",
		e->n_addrs > 0 ? ": the last that were found go on being ignored" : "");
}

static void on_answer(struct guard *g, void *what, const struct msg_found *m)
{
	struct ignorenames *n = g->ignorenames;
	struct ignorename *e = what;

	e->asking = false;
	e->answered = true;
	if (m->result == LOOKUP_FOUND) {
		e->n_addrs = m->n;
		memcpy(e->addrs, m->addrs, m->n * sizeof(*m->addrs));
		let_out(g, e);
	} else {
		/* Better an address of yesterday than a friend shut out. */
		complain(n, e, (enum lookup_result)m->result);
		if (m->result == LOOKUP_FAILED || m->result == LOOKUP_BUSY)
			plan(n, AGAIN_FAILED_SEC);
	}
	pending_go_on(g);
}

static void ask(struct guard *g)
{
	struct ignorenames *n = g->ignorenames;

	plan(n, AGAIN_SEC);
	for (size_t i = 0; i < n->n; i++) {
		struct ignorename *e = &n->items[i];

		if (e->asking)
			continue;
		e->asking = lookup_ask(g, e->text, NULL, (struct asker) {on_answer, e, false},
				    NULL) == 0;
		if (!e->asking)
			plan(n, AGAIN_FAILED_SEC);
	}
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	ask(arg);
}

static struct ignorename *entry_of(struct ignorenames *n, const char *text)
{
	for (size_t i = 0; i < n->n; i++)
		if (strcmp(n->items[i].text, text) == 0)
			return &n->items[i];
	if (n->n == NAMES_MAX) {
		log_warning("ignoreip: more than %d host names: %s is left out", NAMES_MAX, text);
		return NULL;
	}
	n->items[n->n] = (struct ignorename) {.text = text};
	return &n->items[n->n++];
}

static int add_for_jail(struct ignorenames *n, const char *text, unsigned jail)
{
	struct ignorename *e = entry_of(n, text);
	uint16_t *jails;

	if (e == NULL || e->everywhere)
		return 0;
	jails = reallocarray(e->jails, e->n_jails + 1, sizeof(*jails));
	if (jails == NULL)
		return -ENOMEM;
	e->jails = jails;
	jails[e->n_jails++] = (uint16_t)jail;
	return 0;
}

int ignorenames_init(struct guard *g)
{
	struct ignorenames *n = calloc(1, sizeof(*n));
	const struct ruleset *rs = g->rs;
	int r = 0;

	if (n == NULL)
		return -ENOMEM;
	g->ignorenames = n;
	n->told.burst = TOLD_A_MINUTE;
	n->again = evtimer_new(g->base, on_again, g);
	n->items = calloc(NAMES_MAX, sizeof(*n->items));
	if (n->again == NULL || n->items == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < rs->allow_names.n; i++) {
		struct ignorename *e = entry_of(n, rs->allow_names.items[i]);

		if (e != NULL)
			e->everywhere = true;
	}
	for (unsigned i = 0; i < rs->n_jails; i++)
		for (size_t k = 0; r == 0 && k < rs->jails[i].ignorenames.n; k++)
			r = add_for_jail(n, rs->jails[i].ignorenames.items[k], i);
	n->settle_us = n->n > 0 ? clock_mono_us() + SETTLE_US : 0;
	return r;
}

void ignorenames_start(struct guard *g)
{
	struct ignorenames *n = g->ignorenames;

	if (n->n == 0)
		return;
	n->settle_us = clock_mono_us() + SETTLE_US;
	ask(g);
}

void ignorenames_done(struct guard *g)
{
	struct ignorenames *n = g->ignorenames;

	if (n == NULL)
		return;
	for (size_t i = 0; n->items != NULL && i < n->n; i++)
		free(n->items[i].jails);
	free(n->items);
	if (n->again != NULL)
		event_free(n->again);
	free(n);
	g->ignorenames = NULL;
}
