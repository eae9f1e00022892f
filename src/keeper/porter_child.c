/* SPDX-License-Identifier: GPL-2.0-or-later */
/* porter, who ends TLS: there while the configuration has a tls:// listener. */
#include "porter/porter.h"

#include "base/clock.h"
#include "base/util.h"
#include "keeper/internal.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

/* After one that did not end well, and how long that may grow to. */
#define AGAIN_SEC 1
#define AGAIN_MAX_SEC 64
/* Guards come before it where there is too little time for both. */
#define NICENESS 5
/* One that lived so long has not failed in a row with those before. */
#define LIVED_US (60 * USEC_PER_SEC)
#define LEAVING_MAX 8

struct porter_child {
	/* What porters hand over waits here until a guard takes it: the pair outlives them all. */
	int guard_end, porter_end;
	pid_t pid;   /* -1: none */
	int life_fd; /* closed: it is to leave */
	pid_t leaving[LEAVING_MAX];
	uint8_t running[PORTER_DIGEST]; /* of what it was started with */
	unsigned doors;                 /* its listeners that are open, a bit each */
	uint8_t seen[PORTER_DIGEST];    /* of the plan that was checked last */
	struct event *again;
	int64_t started_us; /* monotonic */
	unsigned failures;  /* in a row */
};

/* Which of the tls:// listeners are open, a bit each. */
static unsigned open_doors(const struct keeper *k)
{
	const struct syslog_settings *s = &k->plan->rs->syslog;
	unsigned doors = 0, bit = 1;

	for (size_t i = 0; i < s->n_listen && i < k->n_listen; i++) {
		if (s->listen[i].kind != LISTEN_TLS)
			continue;
		if (k->listen_fds[i] >= 0)
			doors |= bit;
		bit <<= 1;
	}
	return doors;
}

static void be_porter(const struct keeper *k, int life_fd)
{
	const struct syslog_settings *s = &k->plan->rs->syslog;
	int keep[LISTEN_MAX + 2], n = 0, r;
	const struct porter_options o = {
		.guard_fd = k->porter->porter_end,
		.life_fd = life_fd,
		.settings = s,
		.listen_fds = k->listen_fds,
		.uid = k->uid,
		.gid = k->gid,
		.root = ".",
	};

	keep[n++] = o.guard_fd;
	keep[n++] = o.life_fd;
	for (size_t i = 0; i < k->n_listen; i++)
		if (s->listen[i].kind == LISTEN_TLS && k->listen_fds[i] >= 0)
			keep[n++] = k->listen_fds[i];
	guardian_child_start(keep, (size_t)n);
	prctl(PR_SET_NAME, "stockade-porter");
	setpriority(PRIO_PROCESS, 0, NICENESS);
	r = nowhere_enter();
	if (r < 0) {
		log_critical("porter finds no place to be: %s", strerror(-r));
		_exit(1);
	}
	_exit(porter_run(&o));
}

static void start_later(struct keeper *k)
{
	struct porter_child *c = k->porter;
	struct timeval tv = {.tv_sec = AGAIN_SEC << c->failures};

	if (AGAIN_SEC << c->failures < AGAIN_MAX_SEC)
		c->failures++;
	evtimer_add(c->again, &tv);
}

static void start(struct keeper *k)
{
	struct porter_child *c = k->porter;
	int life[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, life) < 0) {
		log_error("TLS cannot be taken: %s", strerror(errno));
		start_later(k);
		return;
	}
	fflush(NULL);
	c->pid = fork();
	if (c->pid == 0)
		be_porter(k, life[1]);
	close(life[1]);
	if (c->pid < 0) {
		log_error("TLS cannot be taken: %s", strerror(errno));
		close(life[0]);
		start_later(k);
		return;
	}
	c->life_fd = life[0];
	c->started_us = clock_mono_us();
	log_debug("porter starts");
}

/* It takes nobody any more and goes when all have said good-bye. */
static void let_go(struct porter_child *c)
{
	size_t free_place = 0;

	if (c->pid <= 0)
		return;
	close(c->life_fd);
	c->life_fd = -1;
	while (free_place < LEAVING_MAX && c->leaving[free_place] > 0)
		free_place++;
	if (free_place == LEAVING_MAX) {
		free_place = 0;
		kill(c->leaving[0], SIGKILL);
		waitpid(c->leaving[0], NULL, 0);
	}
	c->leaving[free_place] = c->pid;
	c->pid = -1;
}

int porter_child_check(struct keeper *k, const struct plan *plan, struct faults *f)
{
	struct porter_child *c = k->porter;

	memset(c->seen, 0, sizeof(c->seen));
	return porter_check(&plan->rs->syslog, f, c->seen);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	struct keeper *k = arg;

	(void)fd;
	(void)what;
	if (k->porter->pid < 0 && open_doors(k) != 0)
		start(k);
}

/* What it takes to have one. 0 or -errno. */
static int prepare(struct keeper *k)
{
	struct porter_child *c = k->porter;
	int pair[2];

	if (c->again == NULL)
		c->again = evtimer_new(k->base, on_again, k);
	if (c->again == NULL)
		return -ENOMEM;
	if (c->guard_end >= 0)
		return 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	c->guard_end = pair[0];
	c->porter_end = pair[1];
	return 0;
}

void porter_child_renew(struct keeper *k)
{
	struct porter_child *c = k->porter;
	unsigned doors = open_doors(k);
	bool wanted = doors != 0;
	int r;

	if (c->pid > 0 &&
		(c->doors != doors || memcmp(c->running, c->seen, sizeof(c->seen)) != 0)) {
		log_info("%s", wanted ? "what TLS goes by has changed: senders connect anew"
				      : "TLS is not taken any more");
		let_go(c);
	}
	if (c->again != NULL)
		evtimer_del(c->again);
	if (!wanted || c->pid > 0)
		return;
	c->failures = 0;
	memcpy(c->running, c->seen, sizeof(c->running));
	c->doors = doors;
	r = prepare(k);
	if (r < 0)
		log_error("TLS cannot be taken: %s", strerror(-r));
	else
		start(k);
}

int porter_child_guard_end(const struct keeper *k)
{
	return k->porter->guard_end;
}

static void tell_end(const struct porter_child *c, int status)
{
	if (WIFSIGNALED(status))
		log_error("porter was ended by signal %d (%s)", WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	else
		log_error("porter ended with status %d", WEXITSTATUS(status));
	log_warning("TLS is taken again in %d s", AGAIN_SEC << c->failures);
}

void porter_child_ended(struct keeper *k)
{
	struct porter_child *c = k->porter;
	int status;

	for (size_t i = 0; i < LEAVING_MAX; i++)
		if (c->leaving[i] > 0 && waitpid(c->leaving[i], NULL, WNOHANG) > 0)
			c->leaving[i] = 0;
	if (c->pid <= 0 || waitpid(c->pid, &status, WNOHANG) <= 0)
		return;
	c->pid = -1;
	close(c->life_fd);
	c->life_fd = -1;
	if (k->state == STOPPING)
		return;
	if (clock_mono_us() - c->started_us > LIVED_US)
		c->failures = 0;
	tell_end(c, status);
	start_later(k);
}

int porter_child_init(struct keeper *k)
{
	struct porter_child *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return -ENOMEM;
	c->guard_end = c->porter_end = c->life_fd = -1;
	c->pid = -1;
	k->porter = c;
	return 0;
}

void porter_child_leave(struct keeper *k)
{
	let_go(k->porter);
}

void porter_child_done(struct keeper *k)
{
	struct porter_child *c = k->porter;

	if (c == NULL)
		return;
	let_go(c);
	for (size_t i = 0; i < LEAVING_MAX; i++) {
		if (c->leaving[i] <= 0)
			continue;
		kill(c->leaving[i], SIGKILL);
		waitpid(c->leaving[i], NULL, 0);
	}
	if (c->again != NULL)
		event_free(c->again);
	if (c->guard_end >= 0) {
		close(c->guard_end);
		close(c->porter_end);
	}
	free(c);
	k->porter = NULL;
}
