/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The journals' readers: children that may read a journal and nothing else, talking to guard. */
#include "source/journal.h"

#include "base/util.h"
#include "guard/confine.h"
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

/* Who may read journald's files, and those that systemd-journal-remote(8) writes. */
static void find_groups(const struct journal_def *d, struct sandbox_identity *who)
{
	static const char *const names[] = {"systemd-journal", "systemd-journal-remote"};

	for (size_t i = 0; i < (d->is_elsewhere ? 2 : 1); i++) {
		const struct group *g = getgrnam(names[i]);

		if (g != NULL)
			who->groups[who->n_groups++] = g->gr_gid;
	}
}

/*
 * Files elsewhere may be anybody's: it may read them as we could, but nothing beside them. Where
 * the kernel cannot see to that, or they are not there yet, what its groups may read has to do.
 */
static int become_reader(const struct keeper *k, const struct journal_def *d,
	struct journal_conf *conf, const char **ret_step)
{
	struct sandbox_identity who = {.uid = k->uid, .gid = k->gid, .reads_all = d->is_elsewhere};
	int r;

	find_groups(d, &who);
	r = sandbox_drop(&who, ret_step);
	if (r < 0 || !who.reads_all)
		return r;
	*ret_step = "landlock";
	r = confine_reading((const char *const *)d->dirs, d->n_dirs);
	conf->comes_back = r == -ENOENT;
	if (r < 0) {
		who.reads_all = false;
		who.uid = 0; /* it is that already */
		r = sandbox_drop(&who, ret_step);
	}
	return r;
}

static void be_reader(const struct keeper *k, int fd, const struct journal_def *d)
{
	struct journal_conf conf = d->conf;
	const char *step;
	int r;

	guardian_child_start(&fd, 1);
	prctl(PR_SET_NAME, "stockade-journal");
	r = become_reader(k, d, &conf, &step);
	if (r < 0)
		log_critical("the journal's reader cannot give up its privileges (%s): %s", step,
			strerror(-r));
	else
		r = journal_run(fd, &conf);
	_exit(r < 0 ? 1 : 0);
}

static void start_later(struct keeper *k)
{
	const struct timeval tv = {.tv_sec = AGAIN_SEC};

	evtimer_add(k->journal_again, &tv);
}

static void start(struct keeper *k, size_t i)
{
	const struct journal_def *d = &k->plan->journals.items[i];
	const struct msg_journal m = {.journal = (uint32_t)i};
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		log_error("%s cannot be read: %s", d->name, strerror(errno));
		start_later(k);
		return;
	}
	fflush(NULL);
	k->journal_pids[i] = fork();
	if (k->journal_pids[i] == 0)
		be_reader(k, pair[1], d);
	close(pair[1]);
	if (k->journal_pids[i] > 0) {
		channel_send(k->guard, MSG_JOURNAL, &m, sizeof(m), pair[0]);
		log_info("reading %s%s for %zu jail%s",
			strcmp(d->name, "journal") == 0 ? "the " : "", d->name, d->conf.n_jails,
			d->conf.n_jails == 1 ? "" : "s");
	} else {
		log_error("%s cannot be read: %s", d->name, strerror(errno));
		k->journal_pids[i] = 0;
		start_later(k);
	}
	close(pair[0]);
}

void journal_child_start(struct keeper *k)
{
	for (size_t i = 0; k->guard != NULL && i < k->plan->journals.n; i++)
		if (k->journal_pids[i] == 0)
			start(k, i);
}

void journal_child_stop(struct keeper *k)
{
	/* They end by themselves when guard's end of the pair is closed; this is for when they do
	 * not.
	 */
	evtimer_del(k->journal_again);
	for (size_t i = 0; i < JOURNALS_MAX; i++) {
		if (k->journal_pids[i] <= 0)
			continue;
		kill(k->journal_pids[i], SIGKILL);
		waitpid(k->journal_pids[i], NULL, 0);
		k->journal_pids[i] = 0;
	}
}

void journal_child_ended(struct keeper *k)
{
	for (size_t i = 0; i < JOURNALS_MAX; i++) {
		if (k->journal_pids[i] <= 0 || waitpid(k->journal_pids[i], NULL, WNOHANG) <= 0)
			continue;
		k->journal_pids[i] = 0;
		if (k->state != RUNNING)
			continue;
		log_warning("the reader of %s ended; another starts in %d s",
			k->plan->journals.items[i].name, AGAIN_SEC);
		start_later(k);
	}
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	journal_child_start(arg);
}

int journal_child_init(struct keeper *k)
{
	k->journal_again = evtimer_new(k->base, on_again, k);
	return k->journal_again == NULL ? -ENOMEM : 0;
}

void journal_child_done(struct keeper *k)
{
	if (k->journal_again != NULL)
		event_free(k->journal_again);
}
