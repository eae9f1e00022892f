/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Has a guard, whatever happens to it: starts it, listens to it, starts another. */
#include "keeper/internal.h"

#include "base/clock.h"
#include "base/text.h"
#include "base/utf8.h"
#include "base/util.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define LEAVE_SEC 10  /* to save and go */
#define DEATHS_FREE 6 /* this many in a window are answered at once */
#define DEATHS_WINDOW_US (10 * USEC_PER_SEC)
#define DELAY_MAX_MS 10000
#define CLIENT_US (60 * USEC_PER_SEC) /* guard closes a silent client after that */

/* Lines of guard's: "[jail] …" at these levels are what fail2ban's log shows under these names. */
static const char *component_of(enum log_level level, const char *text)
{
	if (text[0] != '[')
		return "guard";
	return level == LOG_LV_INFO ? "filter" : "actions";
}

/* guard has escaped its lines already; should it have been hijacked, no terminal suffers from it.
 */
static void write_line(struct keeper *k, enum log_level level, const char *text, size_t len)
{
	char safe[4096];
	size_t n = len < sizeof(safe) ? len : sizeof(safe);

	for (size_t i = 0, step; i < n; i += step) {
		step = utf8_len((const unsigned char *)text + i, n - i);
		if (step > 0 && !text_is_control(text + i, step)) {
			memcpy(safe + i, text + i, step);
		} else {
			step = 1;
			safe[i] = '?';
		}
	}
	logtarget_write(k->log, component_of(level, safe), k->guard_pid, level, safe, n);
}

static void write_log(struct keeper *k, const char *body, size_t len)
{
	const char *end = body + len;

	while (body < end) {
		const char *newline = memchr(body, '\n', (size_t)(end - body));
		enum log_level level = LOG_LV_ERROR;

		if (newline == NULL)
			newline = end;
		if (body[0] >= '0' && body[0] <= '0' + LOG_LV_DEBUG)
			level = (enum log_level)(body[0] - '0');
		if (newline - body > 1 && level <= log_get_level())
			write_line(k, level, body + 1, (size_t)(newline - body - 1));
		body = newline + 1;
	}
	/* Written once the bans of this turn are in the kernel. */
	event_active(k->apply, EV_TIMEOUT, 0);
}

/* guard passes on what clients ask; it has nothing to ask of its own accord. */
static bool client_asks(const struct keeper *k)
{
	return k->client_us != 0 && clock_mono_us() - k->client_us < CLIENT_US;
}

static int handle(struct keeper *k, uint32_t type, const void *body, size_t len, int fd)
{
	struct msg_query q;

	/* Bans first: what else guard says can wait until they are in the kernel. */
	if (type != MSG_BAN)
		enforce_apply(k);
	switch ((enum message)type) {
	case MSG_READY:
		keeper_ready(k);
		return 0;
	case MSG_BAN:
		return enforce_ban(k, body, len / sizeof(struct msg_ban));
	case MSG_UNBAN:
		return enforce_unban(k, body, len / sizeof(struct msg_ban));
	case MSG_LOG:
		write_log(k, body, len);
		return 0;
	case MSG_SIBLINGS:
		files_siblings(k, body);
		return 0;
	case MSG_FILE_DONE:
		files_done_with(k, body);
		return 0;
	case MSG_QUERY_WALL:
		return enforce_query(k, body,
			(const void *)((const char *)body + sizeof(struct msg_query)),
			(len - sizeof(struct msg_query)) / sizeof(struct msg_elem));
	case MSG_RELOAD:
		memcpy(&q, body, sizeof(q));
		if (client_asks(k))
			keeper_reload(k, &q.serial);
		else
			keeper_refuse(k, &q.serial);
		return 0;
	case MSG_STOP:
		if (client_asks(k))
			keeper_stop(k);
		return 0;
	case MSG_LEFT:
		return 0;
	case MSG_IGNORE_ASK:
		return ignore_ask(k, body, (const char *)body + sizeof(struct msg_ignore),
			len - sizeof(struct msg_ignore));
	case MSG_STREAM:
		held_take(k, body, len, fd);
		return 0;
	case MSG_PONG:
		k->pong = true;
		return 0;
	default:
		return -EPROTO;
	}
}

static int on_message(void *arg, uint32_t type, const void *body, size_t len, int fd)
{
	struct keeper *k = arg;

	if (message_admit(TO_KEEPER, type, body, len, fd) < 0) {
		log_error("guard sent a message that is not permitted (%u, %zu bytes): it is ended",
			type, len);
		return -EPROTO;
	}
	return handle(k, type, body, len, fd);
}

/* A line that guard died of twice is left out by the next. */
static void judge_crash(struct keeper *k, int signal)
{
	struct suspect *s = NULL;

	if (signal == SIGKILL || signal == SIGTERM || !k->mark->judging)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(k->suspects); i++)
		if (guard_line_eq(&k->suspects[i].line, &k->mark->line))
			s = &k->suspects[i];
	if (s == NULL) {
		s = &k->suspects[k->next_suspect++ % ARRAY_SIZE(k->suspects)];
		*s = (struct suspect) {.line = k->mark->line};
	}
	if (++s->deaths != 2)
		return;
	log_error("guard died twice of the line%s byte %llu of inode %llu: %s",
		s->line.is_block ? "s from" : " at", (unsigned long long)s->line.offset,
		(unsigned long long)s->line.ino,
		s->line.is_block ? "each will be looked at by itself" : "it is left out");
	k->poison[k->n_poison++ % ARRAY_SIZE(k->poison)] = s->line;
}

/* Waits for the process, which closed its channel: a moment in peace, then by force. */
static void reap(struct keeper *k, const char *why)
{
	int status = 0;
	pid_t pid = k->guard_pid;

	k->guard_pid = -1;
	for (unsigned i = 0; i < 100; i++) {
		if (waitpid(pid, &status, WNOHANG) != 0)
			break;
		usleep(1000);
		if (i == 99) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
		}
	}
	if (WIFSIGNALED(status)) {
		log_error("guard was ended by signal %d (%s)", WTERMSIG(status),
			strsignal(WTERMSIG(status)));
		judge_crash(k, WTERMSIG(status));
	} else if (k->state == RUNNING) {
		log_error("guard ended with status %d (%s)", WEXITSTATUS(status), why);
	}
}

static void on_guard_end(void *arg, const char *why)
{
	struct keeper *k = arg;

	enforce_apply(k);
	evtimer_del(k->kill_timer);
	event_del(k->control); /* clients wait in the backlog until there is a guard again */
	files_unwatch(k);
	journal_child_stop(k);
	herald_child_stop(k);
	ignore_stop(k);
	channel_free(k->guard);
	k->guard = NULL;
	close(k->inotify_fd);
	k->inotify_fd = -1;
	reap(k, why);
	keeper_guard_gone(k);
}

static void on_respawn(evutil_socket_t fd, short what, void *arg)
{
	struct keeper *k = arg;

	(void)fd;
	(void)what;
	if (k->guard == NULL && guardian_spawn(k) < 0)
		guardian_respawn_later(k);
}

void guardian_respawn_later(struct keeper *k)
{
	int64_t now_us = clock_mono_us(), delay_ms = 0;
	struct timeval tv;

	if (now_us - k->deaths_since_us > DEATHS_WINDOW_US) {
		k->deaths_since_us = now_us;
		k->deaths = 0;
	}
	if (++k->deaths > DEATHS_FREE)
		delay_ms = 100LL << (k->deaths - DEATHS_FREE > 7 ? 7 : k->deaths - DEATHS_FREE);
	if (delay_ms > DELAY_MAX_MS)
		delay_ms = DELAY_MAX_MS;
	log_warning("starting a new guard%s; bans stand in the kernel meanwhile",
		delay_ms > 0 ? " after a while" : "");
	tv = (struct timeval) {.tv_sec = delay_ms / 1000, .tv_usec = delay_ms % 1000 * 1000};
	evtimer_add(k->respawn, &tv);
}

static void on_kill(evutil_socket_t fd, short what, void *arg)
{
	struct keeper *k = arg;

	(void)fd;
	(void)what;
	log_error("guard does not leave: it is killed");
	kill(k->guard_pid, SIGKILL);
}

void guardian_leave(struct keeper *k)
{
	struct timeval tv = {.tv_sec = LEAVE_SEC};

	/* Clients from now on wait in the backlog for the next guard. */
	event_del(k->control);
	channel_send(k->guard, MSG_LEAVE, NULL, 0, -1);
	evtimer_add(k->kill_timer, &tv);
}

static int compare_ints(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

/* In the child: only what is handed over stays open, signals are as a new program has them. */
static void close_all_but(const int *keep, size_t n)
{
	_cleanup_free_ int *sorted = malloc((n + 1) * sizeof(int));
	int low = 3;

	if (sorted == NULL)
		_exit(1);
	if (n > 0)
		memcpy(sorted, keep, n * sizeof(int));
	qsort(sorted, n, sizeof(int), compare_ints);
	for (size_t i = 0; i < n; i++) {
		if (sorted[i] > low)
			close_range((unsigned)low, (unsigned)sorted[i] - 1, 0);
		if (sorted[i] >= low)
			low = sorted[i] + 1;
	}
	closefrom(low);
}

static void reset_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	for (int s = 1; s < NSIG; s++)
		signal(s, SIG_DFL);
	/* A terminal or service manager tells every process; guard leaves when keeper says so. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

void guardian_child_start(const int *keep, size_t n)
{
	reset_signals();
	close_all_but(keep, n);
	log_set_sink(NULL, NULL);
}

static void be_guard(struct keeper *k, int fd, int herald_fd)
{
	int *keep = malloc((5 + k->n_listen + k->n_held) * sizeof(int));
	size_t n = 0;
	struct guard_options go = {
		.plan = k->plan,
		.confdir = overlay_shown(k->o->overlay, k->o->confdir),
		.statedir = k->o->statedir,
		.uid = k->uid,
		.gid = k->gid,
		.dry_run = k->o->dry_run,
		.started_us = k->started_us,
		.keeper_fd = fd,
		.herald_fd = herald_fd,
		.porter_fd = porter_child_guard_end(k),
		.inotify_fd = k->inotify_fd,
		.listen_fds = k->listen_fds,
		.n_listen = k->n_listen,
		.streams = k->held,
		.n_streams = k->n_held,
		.mark = k->mark,
		.poison = k->poison,
		.n_poison = k->n_poison < POISON_MAX ? k->n_poison : POISON_MAX,
	};

	if (keep == NULL)
		_exit(1);
	keep[n++] = fd;
	if (herald_fd >= 0)
		keep[n++] = herald_fd;
	if (go.porter_fd >= 0)
		keep[n++] = go.porter_fd;
	keep[n++] = k->inotify_fd;
	keep[n++] = k->state_lock;
	/* Those for TLS are porter's alone. */
	for (size_t i = 0; i < k->n_listen; i++)
		if (k->plan->rs->syslog.listen[i].kind != LISTEN_TLS)
			keep[n++] = k->listen_fds[i];
	for (size_t i = 0; i < k->n_held; i++)
		keep[n++] = k->held[i].fd;
	guardian_child_start(keep, n);
	prctl(PR_SET_NAME, "stockade-guard");
	_exit(guard_run(&go));
}

/* What a new guard has to know before it reads its first line. */
static void brief(struct keeper *k)
{
	enforce_tell_own(k);
	enforce_tell_elems(k);
	channel_send(k->guard, MSG_WALL_END, NULL, 0, -1);
	files_watch(k);
	journal_child_start(k);
	channel_send(k->guard, MSG_START_END, NULL, 0, -1);
	event_add(k->control, NULL);
}

int guardian_spawn(struct keeper *k)
{
	int pair[2] = {-1, -1}, herald = -1, r;

	evtimer_del(k->respawn);
	k->pong = true; /* the watchdog is content until this one has had its turn */
	k->inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (k->inotify_fd < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		r = -errno;
		goto fail;
	}
	herald = herald_child_pair(k);
	fflush(NULL);
	k->mark->judging = 0;
	k->guard_pid = fork();
	if (k->guard_pid == 0)
		be_guard(k, pair[1], herald);
	if (k->guard_pid < 0) {
		r = -errno;
		goto fail;
	}
	close(pair[1]);
	pair[1] = -1;
	if (herald >= 0)
		close(TAKE_FD(herald));
	k->guard = channel_new(k->base, pair[0], on_message, on_guard_end, k);
	if (k->guard == NULL) {
		kill(k->guard_pid, SIGKILL);
		waitpid(k->guard_pid, NULL, 0);
		r = -ENOMEM;
		goto fail;
	}
	held_done(k);
	brief(k);
	return 0;

fail:
	log_error("guard cannot be started: %s", strerror(-r));
	herald_child_stop(k);
	if (herald >= 0)
		close(herald);
	for (size_t i = 0; i < 2; i++)
		if (pair[i] >= 0)
			close(pair[i]);
	if (k->inotify_fd >= 0)
		close(k->inotify_fd);
	k->inotify_fd = -1;
	k->guard_pid = -1;
	return r;
}

int guardian_init(struct keeper *k)
{
	k->inotify_fd = -1;
	k->guard_pid = -1;
	k->respawn = evtimer_new(k->base, on_respawn, k);
	k->kill_timer = evtimer_new(k->base, on_kill, k);
	k->mark = mmap(
		NULL, sizeof(*k->mark), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (k->mark == MAP_FAILED)
		k->mark = NULL;
	return k->respawn == NULL || k->kill_timer == NULL || k->mark == NULL ? -ENOMEM : 0;
}

void guardian_done(struct keeper *k)
{
	if (k->respawn != NULL)
		event_free(k->respawn);
	if (k->kill_timer != NULL)
		event_free(k->kill_timer);
	if (k->mark != NULL)
		munmap(k->mark, sizeof(*k->mark));
}
