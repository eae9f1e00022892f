/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions to herald, and who waits for the answers. */
#include "guard/internal.h"

#include "base/bucket.h"
#include "base/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define QUESTIONS_MAX 128 /* at one time: as many as herald takes */
/* Names in logs are anybody's choice: they leave room, and herald's time, to other questions. */
#define LOG_QUESTIONS_MAX 96
#define LOG_BURST 150
#define LOG_A_SEC 40
#define ANSWER_US (15 * USEC_PER_SEC)
#define LOOK_SEC 5 /* how often it is seen to what was not answered */

struct question {
	uint32_t serial; /* 0: a free place */
	int64_t asked_us;
	struct asker asker;
};

struct lookup {
	struct guard *g;
	struct channel *herald; /* NULL: names are not looked up */
	struct question questions[QUESTIONS_MAX];
	size_t n;
	uint32_t round;
	struct bucket log_rate; /* of names in logs */
	struct event *unanswered;
	struct lookup_stats stats;
};

static struct question *free_question(struct lookup *l)
{
	for (size_t i = 0; i < QUESTIONS_MAX; i++)
		if (l->questions[i].serial == 0)
			return &l->questions[i];
	return NULL;
}

/* Its place, and how many there were before: an answer of long ago finds no question. */
static uint32_t number(struct lookup *l, const struct question *q)
{
	uint32_t serial = 0;

	while (serial == 0)
		serial = ++l->round * QUESTIONS_MAX + (uint32_t)(q - l->questions);
	return serial;
}

int lookup_ask(struct guard *g, const char *name, const struct addr *a, struct asker asker,
	uint32_t *ret_serial)
{
	const struct timeval look = {.tv_sec = LOOK_SEC};
	struct lookup *l = g->lookup;
	struct question *q = l->herald != NULL ? free_question(l) : NULL;
	struct msg_lookup m = {.reverse = name == NULL};

	if (q == NULL ||
		(asker.from_log && (l->n >= LOG_QUESTIONS_MAX || !bucket_take(&l->log_rate))))
		return -EBUSY;
	if (name != NULL)
		snprintf(m.name, sizeof(m.name), "%s", name);
	else
		m.addr = *a;
	m.serial = number(l, q);
	if (channel_send(l->herald, MSG_LOOKUP, &m, sizeof(m), -1) < 0)
		return -EPIPE;
	*q = (struct question) {.serial = m.serial, .asked_us = clock_mono_us(), .asker = asker};
	l->n++;
	l->stats.asked++;
	if (!evtimer_pending(l->unanswered, NULL))
		evtimer_add(l->unanswered, &look);
	if (ret_serial != NULL)
		*ret_serial = m.serial;
	return 0;
}

bool lookup_is_possible(const struct guard *g)
{
	return g->lookup->herald != NULL;
}

static void count(struct lookup_stats *s, enum lookup_result result)
{
	switch (result) {
	case LOOKUP_FOUND:
		s->found++;
		break;
	case LOOKUP_NONE:
	case LOOKUP_MANY:
		s->none++;
		break;
	case LOOKUP_FAILED:
		s->failed++;
		break;
	case LOOKUP_BUSY:
		s->busy++;
		break;
	}
}

/* The question's place is free again before its answer is heard: that may ask anew. */
static void settle(struct lookup *l, struct question *q, const struct msg_found *m)
{
	struct asker asker = q->asker;

	*q = (struct question) {0};
	l->n--;
	count(&l->stats, (enum lookup_result)m->result);
	asker.answer(l->g, asker.what, m);
}

static int on_message(void *arg, uint32_t type, const void *body, size_t len, int fd)
{
	const struct msg_found *m = body;
	struct lookup *l = arg;
	struct question *q;

	if (message_admit(FROM_HERALD, type, body, len, fd) < 0)
		return -EPROTO;
	q = &l->questions[m->serial % QUESTIONS_MAX];
	if (m->serial != 0 && q->serial == m->serial)
		settle(l, q, m);
	guard_turn_end(l->g);
	return 0;
}

/* keeper holds the other end whether there is a herald or not. */
static void on_end(void *arg, const char *why)
{
	(void)arg;
	log_error("names are not looked up any more: herald's channel ended (%s)", why);
}

/* Nobody answered these: herald died of one, or could not be started. */
static void on_unanswered(evutil_socket_t fd, short what, void *arg)
{
	struct msg_found nothing = {.result = LOOKUP_FAILED};
	const struct timeval look = {.tv_sec = LOOK_SEC};
	int64_t before_us = clock_mono_us() - ANSWER_US;
	struct lookup *l = arg;

	(void)fd;
	(void)what;
	for (size_t i = 0; i < QUESTIONS_MAX; i++) {
		nothing.serial = l->questions[i].serial;
		if (nothing.serial != 0 && l->questions[i].asked_us <= before_us)
			settle(l, &l->questions[i], &nothing);
	}
	if (l->n > 0)
		evtimer_add(l->unanswered, &look);
	guard_turn_end(l->g);
}

int lookup_init(struct guard *g)
{
	struct lookup *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return -ENOMEM;
	g->lookup = l;
	l->g = g;
	l->log_rate = (struct bucket) {.burst = LOG_BURST, .a_sec = LOG_A_SEC};
	l->unanswered = evtimer_new(g->base, on_unanswered, l);
	if (l->unanswered == NULL)
		return -ENOMEM;
	if (g->o->herald_fd < 0)
		return 0;
	l->herald = channel_new(g->base, g->o->herald_fd, on_message, on_end, l);
	return l->herald == NULL ? -ENOMEM : 0;
}

void lookup_done(struct guard *g)
{
	struct lookup *l = g->lookup;

	if (l == NULL)
		return;
	channel_free(l->herald);
	if (l->unanswered != NULL)
		event_free(l->unanswered);
	free(l);
	g->lookup = NULL;
}

const struct lookup_stats *lookup_stats(const struct guard *g)
{
	return &g->lookup->stats;
}
