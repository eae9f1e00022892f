/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ignorecommand: run for guard, a few at a time, each for a limited time. */
#include "base/util.h"
#include "guard/tags.h"
#include "keeper/internal.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define RUNS_MAX 8
#define WAITING_MAX 1024
#define RUN_SEC 10
#define ENV_MAX 64
#define FILES_MAX 1024
#define TOLD_A_MINUTE 10

/* A question that waits for its turn. */
struct waiting {
	struct waiting *next;
	struct msg_ignore question;
	size_t len;
	char tags[];
};

/* A command that runs. */
struct run {
	pid_t pid; /* 0: none */
	struct msg_ignore question;
	struct event *limit;
	bool too_late;
	bool unheard; /* who asked has gone */
};

struct ignore {
	struct keeper *k;
	struct run runs[RUNS_MAX];
	struct waiting *first, **last;
	size_t n_waiting;
	struct log_limit told;
};

static const struct conf_text *command_of(const struct keeper *k, unsigned jail)
{
	return &k->plan->rs->jails[jail].ignorecommand;
}

static void answer(struct keeper *k, struct msg_ignore m, enum ignore_says says)
{
	m.says = (uint8_t)says;
	channel_send(k->guard, MSG_IGNORE_SAYS, &m, sizeof(m), -1);
}

static bool may_tell(struct ignore *ig)
{
	unsigned held;

	return log_limit_pass(&ig->told, &held);
}

/* It has root's files and the firewall's tools, and nothing else of ours. */
static void drop_capabilities(void)
{
	static const unsigned kept[] = {CAP_NET_ADMIN, CAP_DAC_READ_SEARCH};

	if (setup_keep_only(kept, ARRAY_SIZE(kept)) < 0)
		_exit(126);
}

static void limit_child(void)
{
	const struct rlimit none = {0}, cpu = {RUN_SEC, RUN_SEC}, files = {FILES_MAX, FILES_MAX};

	setrlimit(RLIMIT_CORE, &none);
	setrlimit(RLIMIT_CPU, &cpu);
	setrlimit(RLIMIT_NOFILE, &files);
}

/* In the child. The session is its own, so that all it starts can be ended with it. */
static void be_command(const struct keeper *k, const char *command, const struct buf *vars)
{
	static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	static char lang[] = "LANG=C.UTF-8", shell[] = "sh", dash_c[] = "-c";
	char *argv[] = {shell, dash_c, (char *)command, NULL}, *env[ENV_MAX + 3] = {path, lang};
	int null;

	guardian_child_start(NULL, 0);
	for (int s = 1; s < NSIG; s++)
		signal(s, SIG_DFL);
	setsid();
	umask(077);
	null = open("/dev/null", O_RDWR);
	if (null < 0 || chdir("/") < 0)
		_exit(126);
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	if (null > 2)
		close(null);
	for (size_t at = 0, n = 2; at < vars->len && n < ENV_MAX + 2; n++) {
		env[n] = vars->data + at;
		at += strlen(env[n]) + 1;
	}
	limit_child();
	if (k->uid != 0)
		drop_capabilities();
	execve("/bin/sh", argv, env);
	_exit(127);
}

/* 0, or -errno: it could not be started. */
static int start(
	struct ignore *ig, struct run *r, const struct msg_ignore *q, const char *tags, size_t len)
{
	const struct timeval limit = {.tv_sec = RUN_SEC};
	const struct tags_case c = {
		.who = &q->prefix, .failures = q->failures, .data = tags, .len = len};
	struct buf command = {0}, vars = {0};
	pid_t pid = -1;
	int e = tags_command(&command, &vars, command_of(ig->k, q->jail)->text, &c);

	if (e == 0) {
		fflush(NULL);
		pid = fork();
		if (pid == 0)
			be_command(ig->k, buf_text(&command), &vars);
		e = pid < 0 ? -errno : 0;
	}
	buf_done(&command);
	buf_done(&vars);
	if (e < 0)
		return e;
	r->pid = pid;
	r->question = *q;
	r->too_late = r->unheard = false;
	evtimer_add(r->limit, &limit);
	return 0;
}

static struct run *idle_run(struct ignore *ig)
{
	for (size_t i = 0; i < RUNS_MAX; i++)
		if (ig->runs[i].pid == 0)
			return &ig->runs[i];
	return NULL;
}

static void start_or_tell(
	struct ignore *ig, struct run *r, const struct msg_ignore *q, const char *tags, size_t len)
{
	int e = start(ig, r, q, tags, len);

	if (e == 0)
		return;
	if (may_tell(ig))
		log_error("[%s] ignorecommand cannot be run: %s",
			ig->k->plan->rs->jails[q->jail].name, strerror(-e));
	answer(ig->k, *q, IGNORE_UNKNOWN);
}

static void start_waiting(struct ignore *ig)
{
	struct run *r;

	while (ig->first != NULL && (r = idle_run(ig)) != NULL) {
		struct waiting *w = ig->first;

		ig->first = w->next;
		if (ig->first == NULL)
			ig->last = &ig->first;
		ig->n_waiting--;
		start_or_tell(ig, r, &w->question, w->tags, w->len);
		free(w);
	}
}

int ignore_ask(struct keeper *k, const struct msg_ignore *m, const char *tags, size_t len)
{
	struct ignore *ig = k->ignore;
	struct run *r = idle_run(ig);
	struct waiting *w;

	if (m->jail >= k->plan->rs->n_jails || command_of(k, m->jail)->text == NULL)
		return -EPROTO;
	if (r != NULL) {
		start_or_tell(ig, r, m, tags, len);
		return 0;
	}
	w = ig->n_waiting < WAITING_MAX ? malloc(sizeof(*w) + len) : NULL;
	if (w == NULL) {
		answer(k, *m, IGNORE_UNKNOWN);
		return 0;
	}
	*w = (struct waiting) {.question = *m, .len = len};
	memcpy(w->tags, tags, len);
	*ig->last = w;
	ig->last = &w->next;
	ig->n_waiting++;
	return 0;
}

/* 0 ignores, 1 does not; all else is a fault, and does not either. */
static enum ignore_says judge(struct ignore *ig, const struct run *r, int status)
{
	const char *jail = ig->k->plan->rs->jails[r->question.jail].name;

	if (WIFEXITED(status) && WEXITSTATUS(status) <= 1 && !r->too_late)
		return WEXITSTATUS(status) == 0 ? IGNORE_YES : IGNORE_NO;
	if (!may_tell(ig))
		return IGNORE_UNKNOWN;
	if (r->too_late)
		log_error("[%s] ignorecommand took longer than %d s: it was ended", jail, RUN_SEC);
	else if (WIFSIGNALED(status))
		log_error("[%s] ignorecommand was ended by signal %d (%s)", jail, WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	else
		log_error("[%s] ignorecommand ended with status %d%s", jail, WEXITSTATUS(status),
			WEXITSTATUS(status) == 127   ? ": there is no such command"
			: WEXITSTATUS(status) == 126 ? ": it cannot be executed"
						     : "");
	return IGNORE_UNKNOWN;
}

void ignore_ended(struct keeper *k)
{
	struct ignore *ig = k->ignore;

	for (size_t i = 0; i < RUNS_MAX; i++) {
		struct run *r = &ig->runs[i];
		int status;

		if (r->pid == 0 || waitpid(r->pid, &status, WNOHANG) <= 0)
			continue;
		r->pid = 0;
		evtimer_del(r->limit);
		if (!r->unheard)
			answer(k, r->question, judge(ig, r, status));
	}
	start_waiting(ig);
}

/* With all that it started; by itself too, as it may not have made its session yet. */
static void kill_run(const struct run *r)
{
	kill(-r->pid, SIGKILL);
	kill(r->pid, SIGKILL);
}

static void on_limit(evutil_socket_t fd, short what, void *arg)
{
	struct run *r = arg;

	(void)fd;
	(void)what;
	r->too_late = true;
	kill_run(r);
}

void ignore_stop(struct keeper *k)
{
	struct ignore *ig = k->ignore;
	struct waiting *next;

	for (struct waiting *w = ig->first; w != NULL; w = next) {
		next = w->next;
		free(w);
	}
	ig->first = NULL;
	ig->last = &ig->first;
	ig->n_waiting = 0;
	/* Not waited for: what hangs in the kernel would hold us up. */
	for (size_t i = 0; i < RUNS_MAX; i++) {
		if (ig->runs[i].pid == 0)
			continue;
		ig->runs[i].unheard = true;
		kill_run(&ig->runs[i]);
	}
}

int ignore_init(struct keeper *k)
{
	struct ignore *ig = calloc(1, sizeof(*ig));

	if (ig == NULL)
		return -ENOMEM;
	k->ignore = ig;
	ig->k = k;
	ig->last = &ig->first;
	ig->told.burst = TOLD_A_MINUTE;
	for (size_t i = 0; i < RUNS_MAX; i++) {
		ig->runs[i].limit = evtimer_new(k->base, on_limit, &ig->runs[i]);
		if (ig->runs[i].limit == NULL)
			return -ENOMEM;
	}
	return 0;
}

void ignore_done(struct keeper *k)
{
	if (k->ignore == NULL)
		return;
	ignore_stop(k);
	for (size_t i = 0; i < RUNS_MAX; i++)
		if (k->ignore->runs[i].limit != NULL)
			event_free(k->ignore->runs[i].limit);
	free(k->ignore);
	k->ignore = NULL;
}
