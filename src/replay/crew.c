/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "replay/crew.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

struct crew {
	struct batch_worker *own; /* the caller's */
	struct member {
		struct crew *crew;
		struct batch_worker *worker;
		pthread_t thread;
	} * members;
	size_t n_members; /* those that run */
	pthread_mutex_t lock;
	pthread_cond_t given, done;
	struct job *first, **last; /* those that wait */
	bool is_over;
};

static void run(struct batch_worker *w, struct job *job)
{
	if (job->fetch != NULL)
		job->fetch(job);
	batch_run(w, &job->batch, job->dates, &job->span, NULL, job->buf, job->len);
}

/* The first that waits, locked. */
static struct job *take_first(struct crew *c)
{
	struct job *job = c->first;

	if (job == NULL)
		return NULL;
	c->first = job->next;
	if (c->first == NULL)
		c->last = &c->first;
	job->state = JOB_RUNS;
	return job;
}

static void *work(void *arg)
{
	const struct member *m = arg;
	struct crew *c = m->crew;

	pthread_mutex_lock(&c->lock);
	while (!c->is_over) {
		struct job *job = take_first(c);

		if (job == NULL) {
			pthread_cond_wait(&c->given, &c->lock);
			continue;
		}
		pthread_mutex_unlock(&c->lock);
		run(m->worker, job);
		pthread_mutex_lock(&c->lock);
		job->state = JOB_DONE;
		pthread_cond_signal(&c->done);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

/* With signals blocked: they are for the thread that began. False: there can be no more. */
static bool start(struct crew *c, const struct batch_plan *plan)
{
	struct member *m = &c->members[c->n_members];
	sigset_t all, before;
	int r;

	*m = (struct member) {.crew = c, .worker = batch_worker_new(plan)};
	if (m->worker == NULL)
		return false;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&m->thread, NULL, work, m);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r != 0) {
		batch_worker_free(m->worker);
		return false;
	}
	c->n_members++;
	return true;
}

int crew_new(struct crew **ret, const struct batch_plan *plan, unsigned threads)
{
	struct crew *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return -ENOMEM;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->given, NULL);
	pthread_cond_init(&c->done, NULL);
	c->last = &c->first;
	c->own = batch_worker_new(plan);
	c->members = calloc(threads, sizeof(*c->members));
	if (c->own == NULL || c->members == NULL) {
		crew_free(c);
		return -ENOMEM;
	}
	/* As many as the system grants: fewer do the same. */
	while (c->n_members + 1 < threads && start(c, plan))
		;
	*ret = c;
	return 0;
}

void crew_free(struct crew *c)
{
	if (c == NULL)
		return;
	pthread_mutex_lock(&c->lock);
	c->is_over = true;
	pthread_cond_broadcast(&c->given);
	pthread_mutex_unlock(&c->lock);
	for (size_t i = 0; i < c->n_members; i++) {
		pthread_join(c->members[i].thread, NULL);
		batch_worker_free(c->members[i].worker);
	}
	batch_worker_free(c->own);
	pthread_cond_destroy(&c->given);
	pthread_cond_destroy(&c->done);
	pthread_mutex_destroy(&c->lock);
	free(c->members);
	free(c);
}

void crew_give(struct crew *c, struct job *job)
{
	job->next = NULL;
	job->state = JOB_WAITS;
	pthread_mutex_lock(&c->lock);
	*c->last = job;
	c->last = &job->next;
	pthread_cond_signal(&c->given);
	pthread_mutex_unlock(&c->lock);
}

/* Takes a job that waits out of the queue, locked. */
static void unlink_job(struct crew *c, const struct job *job)
{
	struct job **link = &c->first;

	while (*link != job)
		link = &(*link)->next;
	*link = job->next;
	if (*link == NULL)
		c->last = link;
}

void crew_wait(struct crew *c, struct job *job)
{
	pthread_mutex_lock(&c->lock);
	while (job->state != JOB_DONE) {
		struct job *mine = job;

		if (job->state == JOB_WAITS) {
			unlink_job(c, job);
			job->state = JOB_RUNS;
		} else {
			mine = take_first(c);
		}
		if (mine == NULL) {
			pthread_cond_wait(&c->done, &c->lock);
			continue;
		}
		pthread_mutex_unlock(&c->lock);
		run(c->own, mine);
		pthread_mutex_lock(&c->lock);
		mine->state = JOB_DONE;
	}
	pthread_mutex_unlock(&c->lock);
}

void crew_forget(struct crew *c, struct job *job)
{
	pthread_mutex_lock(&c->lock);
	if (job->state == JOB_WAITS) {
		unlink_job(c, job);
		job->state = JOB_NONE;
	}
	while (job->state == JOB_RUNS)
		pthread_cond_wait(&c->done, &c->lock);
	pthread_mutex_unlock(&c->lock);
}
