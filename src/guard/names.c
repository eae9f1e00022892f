/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Host names that stand in logs where an address should (usedns). */
#include "guard/internal.h"

#include "base/clock.h"
#include "base/hash.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_MAX 1000 /* names; then what was used longest ago goes */
#define BUCKETS 1024
#define FAILURES_MAX 2048                  /* that wait for their name */
#define A_NAME_MAX 256                     /* of these for one name */
#define KEPT_US (300 * USEC_PER_SEC)       /* what is known, also that there is no such name */
#define KEPT_FAILED_US (30 * USEC_PER_SEC) /* that nobody could tell */
#define TOLD_A_MINUTE 60

/* A failure that waits until its name is known. */
struct waiting {
	struct waiting *next;
	struct jail_state *jail;
	int64_t time_us;
	unsigned count;
	size_t line_len, tags_len;
	char data[]; /* the line, then the tags */
};

/* A name that was asked for, in its hash chain and in the order of use. */
struct name {
	struct name *next, *older, *newer;
	struct waiting *first, **last;
	size_t n_waiting;
	bool asking;
	int64_t until_us; /* what is known of it is good until then */
	size_t n_addrs;
	struct addr *addrs;
	char text[];
};

struct names {
	struct guard *g;
	struct hash_key key;
	struct name *buckets[BUCKETS];
	struct name *oldest, *newest;
	size_t n_names, n_waiting;
	struct log_limit told;
	struct names_stats stats;
};

static struct name **bucket_of(struct names *n, const char *text)
{
	return &n->buckets[hash_bytes(&n->key, text, strlen(text)) % BUCKETS];
}

static void unlink_use(struct names *n, struct name *e)
{
	*(e->older != NULL ? &e->older->newer : &n->oldest) = e->newer;
	*(e->newer != NULL ? &e->newer->older : &n->newest) = e->older;
}

static void link_newest(struct names *n, struct name *e)
{
	e->older = n->newest;
	e->newer = NULL;
	*(n->newest != NULL ? &n->newest->newer : &n->oldest) = e;
	n->newest = e;
}

static void drop_waiting(struct names *n, struct name *e)
{
	struct waiting *next;

	for (struct waiting *w = e->first; w != NULL; w = next) {
		next = w->next;
		free(w);
	}
	n->n_waiting -= e->n_waiting;
	e->n_waiting = 0;
	e->first = NULL;
	e->last = &e->first;
}

static void forget(struct names *n, struct name *e)
{
	struct name **link = bucket_of(n, e->text);

	while (*link != e)
		link = &(*link)->next;
	*link = e->next;
	unlink_use(n, e);
	drop_waiting(n, e);
	free(e->addrs);
	free(e);
	n->n_names--;
}

static void make_room(struct names *n)
{
	struct name *e = n->oldest;

	while (e != NULL && e->asking)
		e = e->newer;
	if (n->n_names >= CACHE_MAX && e != NULL)
		forget(n, e);
}

/* The entry of that name, made if there is none; NULL: no memory. */
static struct name *entry_of(struct names *n, const char *text)
{
	struct name **bucket = bucket_of(n, text), *e = *bucket;
	size_t size = strlen(text) + 1;

	while (e != NULL && strcmp(e->text, text) != 0)
		e = e->next;
	if (e != NULL) {
		unlink_use(n, e);
		link_newest(n, e);
		return e;
	}
	make_room(n);
	e = calloc(1, sizeof(*e) + size);
	if (e == NULL)
		return NULL;
	memcpy(e->text, text, size);
	e->last = &e->first;
	e->next = *bucket;
	*bucket = e;
	link_newest(n, e);
	n->n_names++;
	return e;
}

/*
 * In lower case and without a final dot. -EINVAL: no host has such a name (RFC 1123 2.1), so nobody
 * need be asked; one that ends in a number is an address gone wrong.
 */
static int read_name(char ret[LOOKUP_NAME_MAX], const char *s, size_t len)
{
	size_t label = 0;
	bool digits = true;

	len -= len > 0 && s[len - 1] == '.';
	if (len == 0 || len > 253)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		ret[i] = (char)tolower(c);
		if (c == '.') {
			if (label == 0)
				return -EINVAL;
			label = 0;
			digits = true;
			continue;
		}
		if (c >= 0x80 || (!isalnum(c) && c != '-' && c != '_') || ++label > 63)
			return -EINVAL;
		digits &= isdigit(c) != 0;
	}
	ret[len] = '\0';
	return digits ? -EINVAL : 0;
}

/* fail2ban's words: what reads its log reads ours. */
static void warn_of(struct names *n, const struct name *e, const struct jail_state *j)
{
	struct buf list = {0};
	char text[ADDR_STRLEN];
	unsigned held;

	if (j->jail->usedns != USEDNS_WARN || !log_limit_pass(&n->told, &held))
		return;
	for (size_t i = 0; i < e->n_addrs; i++)
		buf_addf(&list, "%s%s", i > 0 ? ", " : "", addr_format(&e->addrs[i], text));
	log_warning("[%s] Determined IP using DNS Lookup: %s = {%s}", j->jail->name, e->text,
		buf_text(&list));
	buf_done(&list);
}

/* A failure of each address that the name has. */
static void hand_on(
	struct names *n, const struct name *e, struct jail_state *j, const struct failure *f)
{
	if (e->n_addrs == 0)
		n->g->losses.unresolved++;
	else
		warn_of(n, e, j);
	for (size_t i = 0; i < e->n_addrs; i++) {
		struct failure one = *f;

		one.who = (struct prefix) {.addr = e->addrs[i], .len = 128};
		verdict_failure(n->g, j, &one);
	}
}

static void hand_on_waiting(struct names *n, const struct name *e, const struct waiting *w)
{
	const struct failure f = {
		.time_us = w->time_us,
		.count = w->count,
		.line = w->data,
		.len = w->line_len,
		.tags = w->data + w->line_len,
		.tags_len = w->tags_len,
	};

	hand_on(n, e, w->jail, &f);
}

static void on_answer(struct guard *g, void *what, const struct msg_found *m)
{
	struct names *n = g->names;
	struct name *e = what;
	bool certain =
		m->result == LOOKUP_FOUND || m->result == LOOKUP_NONE || m->result == LOOKUP_MANY;
	struct waiting *w;

	e->asking = false;
	free(e->addrs);
	e->addrs = m->n > 0 ? calloc(m->n, sizeof(*e->addrs)) : NULL;
	e->n_addrs = e->addrs != NULL ? m->n : 0;
	if (e->addrs != NULL)
		memcpy(e->addrs, m->addrs, m->n * sizeof(*e->addrs));
	e->until_us = clock_mono_us() + (certain ? KEPT_US : KEPT_FAILED_US);
	/* Nobody answered, or there is no room for what was said: it is asked again. */
	if (m->result == LOOKUP_BUSY || e->n_addrs < m->n)
		e->until_us = 0;
	while ((w = e->first) != NULL) {
		e->first = w->next;
		e->n_waiting--;
		n->n_waiting--;
		hand_on_waiting(n, e, w);
		free(w);
	}
	e->last = &e->first;
}

static void wait_for(struct names *n, struct name *e, struct jail_state *j, const struct failure *f)
{
	size_t line_len = f->len < EVIDENCE_LINE_MAX ? f->len : EVIDENCE_LINE_MAX;
	struct waiting *w = NULL;

	if (n->n_waiting < FAILURES_MAX && e->n_waiting < A_NAME_MAX)
		w = malloc(sizeof(*w) + line_len + f->tags_len);
	if (w == NULL) {
		n->stats.dropped++;
		return;
	}
	*w = (struct waiting) {.jail = j,
		.time_us = f->time_us,
		.count = f->count,
		.line_len = line_len,
		.tags_len = f->tags_len};
	memcpy(w->data, f->line, line_len);
	if (f->tags_len > 0)
		memcpy(w->data + line_len, f->tags, f->tags_len);
	*e->last = w;
	e->last = &w->next;
	e->n_waiting++;
	n->n_waiting++;
}

void names_failure(struct guard *g, struct jail_state *j, const char *host, size_t len,
	const struct failure *f)
{
	struct names *n = g->names;
	char text[LOOKUP_NAME_MAX];
	struct name *e;

	if (!lookup_is_possible(g) || read_name(text, host, len) < 0) {
		g->losses.unresolved++;
		return;
	}
	if (ignorenames_has(g, j->jail->id, text))
		return;
	e = entry_of(n, text);
	if (e == NULL) {
		g->losses.no_memory++;
		return;
	}
	if (!e->asking && e->until_us > clock_mono_us()) {
		n->stats.remembered++;
		hand_on(n, e, j, f);
		return;
	}
	if (!e->asking &&
		lookup_ask(g, e->text, NULL, (struct asker) {on_answer, e, true}, NULL) < 0) {
		n->stats.dropped++;
		return;
	}
	e->asking = true;
	wait_for(n, e, j, f);
}

int names_init(struct guard *g)
{
	struct names *n = calloc(1, sizeof(*n));

	if (n == NULL)
		return -ENOMEM;
	g->names = n;
	n->g = g;
	n->key = hash_key_random();
	n->told.burst = TOLD_A_MINUTE;
	return 0;
}

void names_done(struct guard *g)
{
	struct names *n = g->names;

	if (n == NULL)
		return;
	while (n->oldest != NULL)
		forget(n, n->oldest);
	free(n);
	g->names = NULL;
}

size_t names_waiting(const struct guard *g)
{
	return g->names->n_waiting;
}

void names_get_stats(const struct guard *g, struct names_stats *ret)
{
	*ret = g->names->stats;
	ret->known = g->names->n_names;
	ret->waiting = g->names->n_waiting;
}
