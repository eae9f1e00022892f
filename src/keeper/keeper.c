/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The privileged process: start-up as a checklist (setup.c has the steps), then signals, reload and
 * the end. */
#include "keeper/keeper.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/util.h"
#include "keeper/internal.h"
#include "keeper/precheck.h"
#include "keeper/sockets.h"

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static void to_logtarget(void *arg, enum log_level level, const char *text, size_t len)
{
	struct keeper *k = arg;

	starter_tell(k, level, text, len);
	logtarget_write(k->log, "keeper", getpid(), level, text, len);
	logtarget_flush(k->log);
}

/* Before there is a log. */
static void to_starter(void *arg, enum log_level level, const char *text, size_t len)
{
	starter_tell(arg, level, text, len);
}

static void print_faults(struct faults *f)
{
	faults_sort(f);
	for (size_t i = 0; i < f->n; i++) {
		_cleanup_free_ char *text = fault_text(&f->items[i]);

		if (text == NULL)
			continue;
		if (f->items[i].severity == FAULT_ERROR)
			log_error("%s", text);
		else
			log_warning("%s", text);
	}
}

static int load_config(struct keeper *k)
{
	struct faults f = {0};
	int r = plan_load(&k->plan, k->o->confdir, k->o->overlay, &f);

	if (r == 0)
		precheck_syslog(k->plan->rs, &f);
	if (r == 0)
		r = porter_child_check(k, k->plan, &f);
	print_faults(&f);
	if (r < 0)
		log_critical("%s: the configuration cannot be used: %zu error%s",
			overlay_shown(k->o->overlay, k->o->confdir), f.n_errors,
			f.n_errors == 1 ? "" : "s");
	faults_done(&f);
	return r;
}

/* Log target and level; an unusable target leaves what is there. */
static int open_log(struct keeper *k, const struct ruleset *rs)
{
	struct logtarget *t;
	int r = logtarget_open(&t, rs->logtarget, rs->syslogsocket, rs->log_brief);

	if (r < 0) {
		log_critical("logtarget %s cannot be opened: %s", rs->logtarget, strerror(-r));
		return r;
	}
	if (k->log == NULL && rs->logtarget[0] == '/')
		log_info("the log is %s from here on", rs->logtarget);
	logtarget_close(k->log);
	k->log = t;
	log_set_sink(to_logtarget, k);
	log_set_level(rs->loglevel);
	return 0;
}

static void on_control(evutil_socket_t fd, short what, void *arg)
{
	struct keeper *k = arg;
	int client;

	(void)what;
	client = sockets_accept_control(fd);
	if (client < 0) {
		if (client == -EPERM)
			log_warning("the control socket was opened by somebody who may not");
		return;
	}
	k->client_us = clock_mono_us();
	channel_send(k->guard, MSG_CLIENT, NULL, 0, client);
	close(client);
}

static int open_control(struct keeper *k)
{
	k->control_fd = sockets_listen_control(k->o->socket);
	if (k->control_fd == -EADDRINUSE) {
		log_critical("a daemon answers at %s already", k->o->socket);
		return -EADDRINUSE;
	}
	if (k->control_fd == -EEXIST) {
		log_critical(
			"%s exists and is no socket: name another with --socket", k->o->socket);
		return -EEXIST;
	}
	if (k->control_fd < 0) {
		log_critical("control socket %s: %s", k->o->socket, strerror(-k->control_fd));
		return k->control_fd;
	}
	k->control = event_new(k->base, k->control_fd, EV_READ | EV_PERSIST, on_control, k);
	return k->control == NULL ? -ENOMEM : 0;
}

static void say_jails(const struct keeper *k)
{
	for (size_t i = 0; i < k->plan->rs->n_jails; i++) {
		const struct jail *j = &k->plan->rs->jails[i];
		char find[32], ban[32];

		log_info("[%s] %u failure%s within %s ban %s%s%s%s", j->name, j->maxretry,
			j->maxretry == 1 ? "" : "s",
			text_duration(j->findtime_sec, find, sizeof(find)),
			j->bantime_sec < 0 ? "" : "for ",
			text_duration(j->bantime_sec, ban, sizeof(ban)),
			j->filter->heads != NULL ? ", unless the rule says how long" : "",
			j->shadow ? " (shadow: not enforced)" : "");
	}
	if (k->plan->rs->n_jails == 0)
		log_warning("no jail is enabled: write 'enabled = true' into one, in %s/jail.local",
			k->o->confdir);
}

void keeper_ready(struct keeper *k)
{
	if (k->ready_told)
		return;
	k->ready_told = true;
	log_notice("ready: %zu jail%s%s", k->plan->rs->n_jails,
		k->plan->rs->n_jails == 1 ? "" : "s",
		k->o->dry_run ? ", deciding only (dry run)" : "");
	starter_ready(k);
	notify_state("READY=1");
}

/* The JSON that the client who asked is given. */
static void answer_reload(struct keeper *k, const uint32_t *serial, json_t *answer)
{
	struct msg_query q = {.serial = serial != NULL ? *serial : 0};
	_cleanup_free_ char *text = answer != NULL ? json_dumps(answer, JSON_COMPACT) : NULL;
	struct buf body = {0};

	json_decref(answer);
	if (serial == NULL || text == NULL || k->guard == NULL)
		return;
	if (buf_add(&body, &q, sizeof(q)) == 0 && buf_adds(&body, text) == 0 &&
		body.len <= CHANNEL_BODY_MAX)
		channel_send(k->guard, MSG_RELOADED, body.data, body.len, -1);
	buf_done(&body);
}

static json_t *fault_list(const struct faults *f, enum severity severity)
{
	json_t *list = json_array();

	/* So few and so short that an answer fits one message. */
	for (size_t i = 0; i < f->n && json_array_size(list) < 60; i++) {
		const struct fault *one = &f->items[i];
		char file[256], message[512];

		if (one->severity != severity)
			continue;
		text_escape(message, sizeof(message), one->message, strlen(one->message));
		if (one->file != NULL)
			text_escape(file, sizeof(file), one->file, strlen(one->file));
		json_array_append_new(list,
			json_pack("{s:s?,s:i,s:s,s:s}", "file", one->file != NULL ? file : NULL,
				"line", (int)one->line, "severity",
				severity == FAULT_ERROR ? "error" : "warning", "message", message));
	}
	return list;
}

void keeper_refuse(struct keeper *k, const uint32_t *serial)
{
	answer_reload(k, serial,
		json_pack("{s:s,s:i}", "error", "asked too late: connect anew", "code", 1));
}

void keeper_reload(struct keeper *k, const uint32_t *serial)
{
	struct faults f = {0};
	int r;

	if (k->state == RELOADING && serial == NULL) {
		k->reload_again = true;
		return;
	}
	if (k->state != RUNNING) {
		answer_reload(k, serial,
			json_pack(
				"{s:s,s:i}", "error", "a reload or stop is under way", "code", 1));
		return;
	}
	log_notice("reloading %s", overlay_shown(k->o->overlay, k->o->confdir));
	r = plan_load(&k->next, k->o->confdir, k->o->overlay, &f);
	if (r == 0)
		r = porter_child_check(k, k->next, &f);
	if (r < 0) {
		plan_free(TAKE_PTR(k->next));
		print_faults(&f);
		log_error("the configuration was not taken over: the old one goes on");
		answer_reload(k, serial,
			json_pack("{s:s,s:i,s:o}", "error",
				"the new configuration has errors: the old one goes on", "code", 2,
				"faults", fault_list(&f, FAULT_ERROR)));
		faults_done(&f);
		return;
	}
	precheck_syslog(k->next->rs, &f);
	print_faults(&f);
	answer_reload(k, serial,
		json_pack("{s:{s:I,s:o}}", "end", "jails", (json_int_t)k->next->rs->n_jails,
			"warnings", fault_list(&f, FAULT_WARNING)));
	faults_done(&f);
	notify_state("RELOADING=1");
	k->state = RELOADING;
	if (k->guard != NULL)
		guardian_leave(k);
	else
		keeper_guard_gone(k);
}

/* guard has left: everything is the new plan's from here on. */
static void take_over_plan(struct keeper *k)
{
	struct plan *old = k->plan;
	int r;

	k->plan = TAKE_PTR(k->next);
	k->state = RUNNING;
	k->ready_told = false;
	open_log(k, k->plan->rs);
	r = k->wall_ops->set_up(k->wall, k->plan->rs);
	if (r < 0) {
		log_error("the firewall does not take the new configuration: %s", strerror(-r));
		event_active(k->wall_retry, EV_TIMEOUT, 0);
	}
	setup_listeners(k, old->rs);
	held_settle(k, old->rs);
	porter_child_renew(k);
	if (r != -ENOMEM)
		plan_free(old); /* else the wall still goes by it */
	say_jails(k);
}

void keeper_stop(struct keeper *k)
{
	if (k->state == STOPPING)
		return;
	log_notice("stopping");
	notify_state("STOPPING=1");
	k->state = STOPPING;
	porter_child_leave(k);
	if (k->guard != NULL)
		guardian_leave(k);
	else
		event_base_loopbreak(k->base);
}

void keeper_guard_gone(struct keeper *k)
{
	switch (k->state) {
	case STOPPING:
		event_base_loopbreak(k->base);
		return;
	case RELOADING:
		take_over_plan(k);
		if (guardian_spawn(k) < 0)
			guardian_respawn_later(k);
		if (k->reload_again) {
			k->reload_again = false;
			keeper_reload(k, NULL);
		}
		return;
	case RUNNING:
		guardian_respawn_later(k);
		return;
	}
}

static void on_signal(evutil_socket_t sig, short what, void *arg)
{
	struct keeper *k = arg;
	int r;

	(void)what;
	switch (sig) {
	case SIGHUP:
		keeper_reload(k, NULL);
		break;
	case SIGUSR1:
		r = logtarget_reopen(k->log);
		if (r < 0)
			log_error("the log cannot be opened anew: %s", strerror(-r));
		else
			log_info("the log is opened anew");
		break;
	case SIGCHLD:
		journal_child_ended(k);
		herald_child_ended(k);
		porter_child_ended(k);
		ignore_ended(k);
		break;
	default:
		keeper_stop(k);
	}
}

static int catch_signals(struct keeper *k)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD};

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		k->signals[i] = evsignal_new(k->base, signals[i], on_signal, k);
		if (k->signals[i] == NULL || event_add(k->signals[i], NULL) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* The service manager's watchdog watches guard too: it must have answered since the last time. */
static void on_watchdog(evutil_socket_t fd, short what, void *arg)
{
	struct keeper *k = arg;

	(void)fd;
	(void)what;
	if (k->pong || k->guard == NULL)
		notify_state("WATCHDOG=1");
	k->pong = false;
	if (k->guard != NULL)
		channel_send(k->guard, MSG_PING, NULL, 0, -1);
}

static int start_watchdog(struct keeper *k)
{
	int64_t every_us = notify_watchdog_us() / 3;
	struct timeval tv = {.tv_sec = every_us / USEC_PER_SEC, .tv_usec = every_us % USEC_PER_SEC};

	if (every_us <= 0)
		return 0;
	k->pong = true;
	k->watchdog = event_new(k->base, -1, EV_PERSIST, on_watchdog, k);
	return k->watchdog == NULL || event_add(k->watchdog, &tv) < 0 ? -ENOMEM : 0;
}

static void tear_down(struct keeper *k)
{
	if (k->o->flush_on_stop && k->wall != NULL && k->wall_ops->tear_down(k->wall) < 0)
		log_error("the firewall's table cannot be removed");
	enforce_done(k);
	guardian_done(k);
	journal_child_done(k);
	herald_child_done(k);
	porter_child_done(k);
	ignore_done(k);
	for (size_t i = 0; i < ARRAY_SIZE(k->signals); i++)
		if (k->signals[i] != NULL)
			event_free(k->signals[i]);
	if (k->watchdog != NULL)
		event_free(k->watchdog);
	if (k->control != NULL)
		event_free(k->control);
	if (k->control_fd >= 0) {
		unlink(k->o->socket);
		close(k->control_fd);
	}
	setup_close_listeners(k);
	held_done(k);
	if (k->state_lock >= 0)
		close(k->state_lock);
	if (k->wall_lock >= 0)
		close(k->wall_lock);
	if (k->base != NULL)
		event_base_free(k->base);
	starter_done(k);
	plan_free(k->plan);
	plan_free(k->next);
	log_set_sink(NULL, NULL);
	logtarget_close(k->log);
}

static int start(struct keeper *k)
{
	int r;

	/* Whoever starts us may have gone before there is anything to tell. */
	signal(SIGPIPE, SIG_IGN);
	if (k->starter_fd >= 0)
		log_set_sink(to_starter, k);
	r = porter_child_init(k);
	if (r == 0)
		r = load_config(k);
	if (r == 0)
		r = open_log(k, k->plan->rs);
	if (r < 0)
		return r;
	log_info("stockade %s, configuration %s", STOCKADE_VERSION,
		overlay_shown(k->o->overlay, k->o->confdir));
	if (geteuid() != 0 && !k->o->dry_run) {
		log_critical("run takes root (or --dry-run, to decide without enforcing)");
		return -EPERM;
	}
	setup_open_files();
	k->base = event_base_new();
	if (k->base == NULL)
		return -ENOMEM;
	r = setup_user(k);
	if (r == 0)
		r = open_control(k);
	if (r == 0)
		r = setup_state(k);
	if (r == 0)
		r = setup_wall(k);
	if (r == 0)
		r = setup_listeners(k, NULL);
	if (r == 0)
		r = setup_capabilities(k);
	if (r == 0)
		r = catch_signals(k);
	if (r == 0)
		r = guardian_init(k);
	if (r == 0)
		r = journal_child_init(k);
	if (r == 0)
		r = herald_child_init(k);
	if (r == 0)
		r = ignore_init(k);
	if (r == 0)
		r = start_watchdog(k);
	if (r < 0)
		return r;
	say_jails(k);
	porter_child_renew(k);
	return guardian_spawn(k);
}

int keeper_run(const struct keeper_options *o)
{
	struct keeper k = {
		.o = o,
		.started_us = clock_mono_us(),
		.control_fd = -1,
		.state_lock = -1,
		.wall_lock = -1,
		.inotify_fd = -1,
		.guard_pid = -1,
		.herald_pid = -1,
		.herald_fd = -1,
		.starter_fd = o->starter_fd,
	};
	int r = start(&k);

	if (r == 0) {
		event_base_dispatch(k.base);
		log_notice("stopped%s", o->flush_on_stop
						? ", all bans taken away"
						: "; bans stand in the kernel until they run out");
	}
	if (r < 0 && k.log != NULL && k.plan->rs->logtarget[0] == '/')
		fprintf(stderr, "stockade: did not start; %s says why\n", k.plan->rs->logtarget);
	tear_down(&k);
	return r < 0 ? 2 : 0;
}
