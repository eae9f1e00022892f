/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The journal's reader: a child that may read the journal and nothing else, talking to guard. */
#include "source/journal.h"

#include "base/util.h"
#include "guard/sandbox.h"
#include "keeper/internal.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define AGAIN_SEC 5

static size_t list_jails(const struct ruleset *rs, struct journal_jail *list)
{
	size_t n = 0;

	for (size_t i = 0; i < rs->n_jails; i++)
		if ((rs->jails[i].sources & SOURCE_JOURNAL) != 0)
			list[n++] = (struct journal_jail) {
				.id = (uint16_t)i, .match = rs->jails[i].filter->journalmatch.text};
	return n;
}

static void be_reader(const struct keeper *k, int fd, const struct journal_conf *conf)
{
	const struct group *g = getgrnam("systemd-journal");
	const struct sandbox_identity who = {
		.uid = k->uid, .gid = k->gid, .group = g != NULL ? g->gr_gid : 0};
	const char *step;
	int r;

	guardian_child_start(&fd, 1);
	prctl(PR_SET_NAME, "stockade-journal");
	r = sandbox_drop(&who, &step);
	if (r < 0)
		log_critical("the journal's reader cannot give up its privileges (%s): %s", step,
			strerror(-r));
	else
		r = journal_run(fd, conf);
	_exit(r < 0 ? 1 : 0);
}

void journal_child_start(struct keeper *k)
{
	const struct ruleset *rs = k->plan->rs;
	struct journal_conf conf = {0};
	struct journal_jail *jails;
	int pair[2];

	if (k->guard == NULL || k->journal_pid > 0)
		return;
	jails = calloc(rs->n_jails + 1, sizeof(*jails));
	if (jails == NULL)
		return;
	conf.jails = jails;
	conf.n_jails = list_jails(rs, jails);
	if (conf.n_jails == 0) {
		free(jails);
		return;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		log_error("the journal cannot be read: %s", strerror(errno));
		free(jails);
		return;
	}
	fflush(NULL);
	k->journal_pid = fork();
	if (k->journal_pid == 0)
		be_reader(k, pair[1], &conf);
	close(pair[1]);
	free(jails);
	if (k->journal_pid > 0) {
		channel_send(k->guard, MSG_JOURNAL, NULL, 0, pair[0]);
		log_info("reading the journal for %zu jail%s", conf.n_jails,
			conf.n_jails == 1 ? "" : "s");
	} else {
		log_error("the journal cannot be read: %s", strerror(errno));
	}
	close(pair[0]);
}

void journal_child_stop(struct keeper *k)
{
	/* It ends by itself when guard's end of the pair is closed; this is for when it does not.
	 */
	evtimer_del(k->journal_again);
	if (k->journal_pid <= 0)
		return;
	kill(k->journal_pid, SIGKILL);
	waitpid(k->journal_pid, NULL, 0);
	k->journal_pid = -1;
}

void journal_child_ended(struct keeper *k)
{
	struct timeval tv = {.tv_sec = AGAIN_SEC};

	if (k->journal_pid <= 0 || waitpid(k->journal_pid, NULL, WNOHANG) <= 0)
		return;
	k->journal_pid = -1;
	if (k->state != RUNNING)
		return;
	log_warning("the journal's reader ended; another starts in %d s", AGAIN_SEC);
	evtimer_add(k->journal_again, &tv);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	journal_child_start(arg);
}

int journal_child_init(struct keeper *k)
{
	k->journal_pid = -1;
	k->journal_again = evtimer_new(k->base, on_again, k);
	return k->journal_again == NULL ? -ENOMEM : 0;
}

void journal_child_done(struct keeper *k)
{
	if (k->journal_again != NULL)
		event_free(k->journal_again);
}
