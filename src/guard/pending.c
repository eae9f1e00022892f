/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bans that wait: for the names in ignoreip at the start, and for what ignorecommand says. */
#include "guard/internal.h"

#include "base/clock.h"
#include "base/hash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PENDING_MAX 1024 /* beyond it nobody is asked */
#define BUCKETS 1024
#define WAIT_US (30 * USEC_PER_SEC) /* then the ban comes unasked */
#define LOOK_SEC 5
#define TOLD_A_MINUTE 60
#define MEMORY_MAX 65536
#define WAYS 4

enum step {
	FOR_NAMES,   /* in ignoreip */
	FOR_HOST,    /* the address's name, which the command or key wants */
	FOR_COMMAND, /* keeper */
};

struct pending {
	struct pending *next;
	struct jail_state *jail;
	struct prefix who;
	const struct rule_head *rule;
	uint32_t serial; /* of the question for the address's name */
	unsigned failures;
	enum step step;
	int64_t until_us;
	uint64_t key; /* of the jail's memory; 0: none */
	struct tags tags;
};

/* An answer that is remembered (ignorecache). */
struct remembered {
	uint64_t key; /* a hash of the text that says which cases are the same; 0: none */
	int64_t until_us;
	bool yes;
};

struct ignore_memory {
	struct remembered *items;
	size_t n; /* a multiple of WAYS */
};

struct pendings {
	struct pending *buckets[BUCKETS];
	size_t n;
	struct hash_key key;
	struct event *look;
	struct log_limit told;
	struct pending_stats stats;
};

/* ---- ignorecache ---- */

static int memory_new(struct ignore_memory **ret, unsigned max_count)
{
	struct ignore_memory *m = calloc(1, sizeof(*m));
	size_t n = max_count < MEMORY_MAX ? max_count : MEMORY_MAX;

	if (m == NULL)
		return -ENOMEM;
	m->n = (n + WAYS - 1) / WAYS * WAYS;
	m->items = calloc(m->n, sizeof(*m->items));
	if (m->items == NULL) {
		free(m);
		return -ENOMEM;
	}
	*ret = m;
	return 0;
}

static struct remembered *places(const struct ignore_memory *m, uint64_t key)
{
	return &m->items[key % (m->n / WAYS) * WAYS];
}

static const struct remembered *recall(const struct ignore_memory *m, uint64_t key)
{
	struct remembered *at = places(m, key);

	for (size_t i = 0; i < WAYS; i++)
		if (at[i].key == key && at[i].until_us > clock_mono_us())
			return &at[i];
	return NULL;
}

/* In its own place, or in that of the oldest beside it. */
static void remember(const struct jail_state *j, uint64_t key, bool yes)
{
	struct remembered *at, *place;

	if (key == 0 || j->memory == NULL)
		return;
	at = place = places(j->memory, key);
	for (size_t i = 0; i < WAYS && place->key != key; i++)
		if (at[i].key == key || at[i].until_us < place->until_us)
			place = &at[i];
	*place = (struct remembered) {.key = key,
		.until_us = clock_mono_us() + j->jail->ignorecache.max_time_sec * USEC_PER_SEC,
		.yes = yes};
}

static uint64_t key_of(const struct pendings *p, const struct pending *b)
{
	const struct tags_case c = {
		.who = &b->who, .failures = b->failures, .data = b->tags.data, .len = b->tags.len};
	struct buf text = {0};
	uint64_t key = 0;

	if (b->jail->memory != NULL && tags_fill(&text, b->jail->jail->ignorecache.key, &c) == 0)
		key = hash_bytes(&p->key, buf_text(&text), text.len) | 1;
	buf_done(&text);
	return key;
}

/* ---- the table ---- */

static struct pending **bucket_of(
	struct pendings *p, const struct jail_state *j, const struct prefix *who)
{
	uint8_t bytes[sizeof(who->addr.b) + 3];

	memcpy(bytes, who->addr.b, sizeof(who->addr.b));
	bytes[16] = who->len;
	bytes[17] = (uint8_t)j->jail->id;
	bytes[18] = (uint8_t)(j->jail->id >> 8);
	return &p->buckets[hash_bytes(&p->key, bytes, sizeof(bytes)) % BUCKETS];
}

static struct pending *find(
	struct pendings *p, const struct jail_state *j, const struct prefix *who)
{
	struct pending *b = *bucket_of(p, j, who);

	while (b != NULL &&
		(b->jail != j || b->who.len != who->len || !addr_eq(&b->who.addr, &who->addr)))
		b = b->next;
	return b;
}

static void drop(struct pendings *p, struct pending *b)
{
	struct pending **link = bucket_of(p, b->jail, &b->who);

	while (*link != b)
		link = &(*link)->next;
	*link = b->next;
	free(b);
	p->n--;
}

/* Calls fn for each; it may drop the one it is given. */
static void each(struct guard *g, void (*fn)(struct guard *g, struct pending *b))
{
	struct pending *next;

	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct pending *b = g->pendings->buckets[i]; b != NULL; b = next) {
			next = b->next;
			fn(g, b);
		}
	}
}

/* ---- how it goes ---- */

static void ban(struct guard *g, struct pending *b)
{
	struct jail_state *j = b->jail;
	const struct failure f = {.who = b->who, .rule = b->rule};
	unsigned failures = b->failures;

	drop(g->pendings, b);
	verdict_reached(g, j, &f, failures);
}

/* fail2ban's words. */
static void ignore(struct guard *g, struct pending *b, const char *by)
{
	char text[PREFIX_STRLEN];
	unsigned held;

	if (log_limit_pass(&g->pendings->told, &held))
		log_info("[%s] Ignore %s by %s", b->jail->jail->name, prefix_format(&b->who, text),
			by);
	track_forget(g->track, b->jail->jail->id, &b->who.addr);
	g->pendings->stats.ignored++;
	drop(g->pendings, b);
}

static void ask_command(struct guard *g, struct pending *b)
{
	struct {
		struct msg_ignore m;
		char tags[MSG_TAGS_MAX];
	} body = {.m = {.prefix = b->who,
			  .jail = (uint16_t)b->jail->jail->id,
			  .failures = b->failures}};
	struct pendings *p = g->pendings;
	const struct remembered *known;

	b->step = FOR_COMMAND;
	b->key = key_of(p, b);
	known = b->key != 0 ? recall(b->jail->memory, b->key) : NULL;
	if (known != NULL) {
		p->stats.remembered++;
		if (known->yes)
			ignore(g, b, "command");
		else
			ban(g, b);
		return;
	}
	p->stats.asked++;
	memcpy(body.tags, b->tags.data, b->tags.len);
	if (channel_send(g->keeper, MSG_IGNORE_ASK, &body, sizeof(body.m) + b->tags.len, -1) < 0)
		ban(g, b);
}

/* A name that its address has may be anybody's choice: it is a value, never part of the command. */
static void on_host(struct guard *g, void *what, const struct msg_found *m)
{
	(void)what;
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct pending *b = g->pendings->buckets[i]; b != NULL; b = b->next) {
			if (b->step != FOR_HOST || b->serial != m->serial)
				continue;
			if (m->result == LOOKUP_FOUND)
				tags_add(&b->tags, "ip-host", m->name, strlen(m->name));
			ask_command(g, b);
			return;
		}
	}
}

static void go_on(struct guard *g, struct pending *b)
{
	if (b->step != FOR_NAMES)
		return;
	if (!ignorenames_settled(g, b->jail->jail->id))
		return;
	if (ignorenames_contain(g, b->jail->jail->id, &b->who)) {
		ignore(g, b, "dns");
		return;
	}
	if (b->jail->jail->ignorecommand.text == NULL) {
		ban(g, b);
		return;
	}
	if (b->jail->wants_host && b->who.len == 128) {
		b->step = FOR_HOST;
		if (lookup_ask(g, NULL, &b->who.addr, (struct asker) {on_host, NULL, false},
			    &b->serial) == 0)
			return;
	}
	ask_command(g, b);
}

static void give_up(struct guard *g, struct pending *b)
{
	char text[PREFIX_STRLEN];
	unsigned held;

	if (b->until_us > clock_mono_us()) {
		go_on(g, b);
		return;
	}
	if (log_limit_pass(&g->pendings->told, &held))
		log_warning("[%s] nobody said in time whether to ignore %s: it is banned",
			b->jail->jail->name, prefix_format(&b->who, text));
	g->pendings->stats.unknown++;
	ban(g, b);
}

static void on_look(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval look = {.tv_sec = LOOK_SEC};
	struct guard *g = arg;

	(void)fd;
	(void)what;
	each(g, give_up);
	if (g->pendings->n > 0)
		evtimer_add(g->pendings->look, &look);
	guard_turn_end(g);
}

void pending_go_on(struct guard *g)
{
	each(g, go_on);
}

/* ---- from outside ---- */

bool pending_wait(struct guard *g, struct jail_state *j, const struct failure *f, unsigned failures)
{
	const struct timeval look = {.tv_sec = LOOK_SEC};
	struct pendings *p = g->pendings;
	struct pending *b, **bucket;

	if (j->jail->ignorecommand.text == NULL && ignorenames_settled(g, j->jail->id))
		return false;
	if (find(p, j, &f->who) != NULL)
		return true;
	b = p->n < PENDING_MAX ? calloc(1, sizeof(*b)) : NULL;
	if (b == NULL) {
		p->stats.unknown++;
		return false;
	}
	b->jail = j;
	b->who = f->who;
	b->rule = f->rule;
	b->failures = failures;
	b->until_us = clock_mono_us() + WAIT_US;
	if (f->tags_len > 0 && f->tags_len <= sizeof(b->tags.data)) {
		memcpy(b->tags.data, f->tags, f->tags_len);
		b->tags.len = f->tags_len;
	}
	bucket = bucket_of(p, j, &f->who);
	b->next = *bucket;
	*bucket = b;
	p->n++;
	if (!evtimer_pending(p->look, NULL))
		evtimer_add(p->look, &look);
	go_on(g, b);
	return true;
}

int pending_says(struct guard *g, const struct msg_ignore *m)
{
	struct pending *b;

	if (m->jail >= g->rs->n_jails)
		return -EPROTO;
	b = find(g->pendings, &g->jails[m->jail], &m->prefix);
	if (b == NULL || b->step != FOR_COMMAND)
		return 0; /* too late */
	if (m->says == IGNORE_UNKNOWN)
		g->pendings->stats.unknown++;
	else
		remember(b->jail, b->key, m->says == IGNORE_YES);
	if (m->says == IGNORE_YES)
		ignore(g, b, "command");
	else
		ban(g, b);
	return 0;
}

static int prepare_jail(struct jail_state *j)
{
	const char *command = j->jail->ignorecommand.text, *key = j->jail->ignorecache.key;

	if (command == NULL)
		return 0;
	j->wants_fields = tags_used(command, "F-") || (key != NULL && tags_used(key, "F-"));
	j->wants_host = tags_used(command, "ip-host") || (key != NULL && tags_used(key, "ip-host"));
	return key != NULL ? memory_new(&j->memory, j->jail->ignorecache.max_count) : 0;
}

int pending_init(struct guard *g)
{
	struct pendings *p = calloc(1, sizeof(*p));
	int r = 0;

	if (p == NULL)
		return -ENOMEM;
	g->pendings = p;
	p->key = hash_key_random();
	p->told.burst = TOLD_A_MINUTE;
	p->look = evtimer_new(g->base, on_look, g);
	if (p->look == NULL)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < g->rs->n_jails; i++)
		r = prepare_jail(&g->jails[i]);
	return r;
}

void pending_done(struct guard *g)
{
	struct pendings *p = g->pendings;

	for (size_t i = 0; g->jails != NULL && i < g->rs->n_jails; i++) {
		if (g->jails[i].memory != NULL)
			free(g->jails[i].memory->items);
		free(g->jails[i].memory);
	}
	if (p == NULL)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		while (p->buckets[i] != NULL)
			drop(p, p->buckets[i]);
	if (p->look != NULL)
		event_free(p->look);
	free(p);
	g->pendings = NULL;
}

const struct pending_stats *pending_stats(const struct guard *g)
{
	g->pendings->stats.waiting = g->pendings->n;
	return &g->pendings->stats;
}
