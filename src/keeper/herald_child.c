/* SPDX-License-Identifier: GPL-2.0-or-later */
/* herald, who looks up names for guard: started when the first question waits for it. */
#include "herald/herald.h"

#include "base/util.h"
#include "keeper/internal.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define RESOLV_CONF "/etc/resolv.conf"
/* After one that did not end well, and how long that may grow to. */
#define AGAIN_SEC 1
#define AGAIN_MAX_SEC 64

/* Has the configuration any use for names? */
static bool wants_names(const struct ruleset *rs)
{
	for (size_t i = 0; i < rs->n_jails; i++)
		if (plan_jail_wants_names(rs, &rs->jails[i]))
			return true;
	return false;
}

static void be_herald(const struct keeper *k)
{
	const struct herald_options o = {
		.fd = k->herald_fd,
		.uid = k->uid,
		.gid = k->gid,
		.root = ".",
		.resolv_conf = RESOLV_CONF,
	};
	int r;

	guardian_child_start(&o.fd, 1);
	prctl(PR_SET_NAME, "stockade-herald");
	r = nowhere_enter();
	if (r < 0) {
		log_critical("herald finds no place to be: %s", strerror(-r));
		_exit(1);
	}
	_exit(herald_run(&o));
}

/* Questions wait meanwhile; what cannot be helped is told less and less often. */
static void start_later(struct keeper *k)
{
	struct timeval tv = {.tv_sec = AGAIN_SEC << k->herald_failures};

	if (AGAIN_SEC << k->herald_failures < AGAIN_MAX_SEC)
		k->herald_failures++;
	evtimer_add(k->herald_again, &tv);
}

/* A question waits, and nobody is there to answer it. */
static void on_question(evutil_socket_t fd, short what, void *arg)
{
	struct keeper *k = arg;

	(void)fd;
	(void)what;
	if (k->herald_pid > 0)
		return;
	fflush(NULL);
	k->herald_pid = fork();
	if (k->herald_pid == 0)
		be_herald(k);
	if (k->herald_pid < 0) {
		log_error("names cannot be looked up: %s", strerror(errno));
		start_later(k);
		return;
	}
	log_debug("herald starts");
}

void herald_child_stop(struct keeper *k)
{
	evtimer_del(k->herald_again);
	if (k->herald_question != NULL)
		event_free(k->herald_question);
	k->herald_question = NULL;
	if (k->herald_fd >= 0)
		close(k->herald_fd);
	k->herald_fd = -1;
	if (k->herald_pid <= 0)
		return;
	kill(k->herald_pid, SIGKILL);
	waitpid(k->herald_pid, NULL, 0);
	k->herald_pid = -1;
	k->herald_failures = 0;
}

int herald_child_pair(struct keeper *k)
{
	int pair[2];

	if (!wants_names(k->plan->rs))
		return -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		log_error("names cannot be looked up: %s", strerror(errno));
		return -1;
	}
	k->herald_question = event_new(k->base, pair[1], EV_READ, on_question, k);
	k->herald_fd = pair[1];
	if (k->herald_question != NULL && event_add(k->herald_question, NULL) == 0)
		return pair[0];
	herald_child_stop(k);
	close(pair[0]);
	return -1;
}

void herald_child_ended(struct keeper *k)
{
	int status;

	if (k->herald_pid <= 0 || waitpid(k->herald_pid, &status, WNOHANG) <= 0)
		return;
	k->herald_pid = -1;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		k->herald_failures = 0;
		event_add(k->herald_question, NULL);
		return;
	}
	if (WIFSIGNALED(status))
		log_error("herald was ended by signal %d (%s)", WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	else
		log_error("herald ended with status %d", WEXITSTATUS(status));
	start_later(k);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	struct keeper *k = arg;

	(void)fd;
	(void)what;
	event_add(k->herald_question, NULL);
}

int herald_child_init(struct keeper *k)
{
	k->herald_pid = -1;
	k->herald_fd = -1;
	k->herald_again = evtimer_new(k->base, on_again, k);
	return k->herald_again == NULL ? -ENOMEM : 0;
}

void herald_child_done(struct keeper *k)
{
	if (k->herald_again == NULL)
		return;
	herald_child_stop(k);
	event_free(k->herald_again);
}
