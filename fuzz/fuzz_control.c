/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a client may say on the control socket, to a guard with a jail, a ban and a made-up keeper.
 */
#include "guard/internal.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct guard *guard;
static struct guard_options options;
static struct guard_mark mark;
static int keeper = -1;

static void must(int ok)
{
	if (!ok)
		abort();
}

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	must(f != NULL && fputs(text, f) >= 0);
	fclose(f);
}

static struct plan *make_plan(void)
{
	struct faults f = {0};
	struct plan *plan = NULL;

	must(mkdir("conf", 0700) == 0 && mkdir("conf/filter.d", 0700) == 0);
	put("conf/jail.conf",
		"[DEFAULT]\nignoreip = 127.0.0.0/8\nsource = syslog\n[sshd]\nenabled = true\n"
		"port = 22\nfilter = f\n");
	put("conf/filter.d/f.conf", "[Definition]\nfailregex = ^ x from <HOST>$\n");
	put("conf/stockade.conf", "[Definition]\nloglevel = CRITICAL\n");
	must(plan_load(&plan, "conf", NULL, &f) == 0);
	faults_done(&f);
	return plan;
}

static char dir[] = "/tmp/fuzz_control.XXXXXX";

static void clean_up(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	if (system(command) != 0)
		perror(dir);
}

static void make_guard(void)
{
	int pair[2], before = open(".", O_RDONLY | O_DIRECTORY);

	must(before >= 0 && mkdtemp(dir) != NULL && chdir(dir) == 0);
	atexit(clean_up);
	signal(SIGPIPE, SIG_IGN); /* as keeper starts guard */
	must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair) == 0);
	keeper = pair[0];
	options = (struct guard_options) {
		.plan = make_plan(),
		.confdir = "conf",
		.statedir = dir,
		.keeper_fd = pair[1],
		.herald_fd = -1,
		.porter_fd = -1,
		.inotify_fd = inotify_init1(IN_NONBLOCK),
		.mark = &mark,
	};
	guard = calloc(1, sizeof(*guard));
	must(guard != NULL && guard_set_up(guard, &options) == 0 && persist_init(guard) == 0);
	log_set_level(LOG_LV_CRITICAL);
	must(fchdir(before) == 0);
	close(before);
}

/* keeper answers whatever is asked; what it is told otherwise it forgets. */
static void play_keeper(void)
{
	static char scrap[CHANNEL_BODY_MAX + 64];
	struct msg_query_end end = {.serial = guard->last_serial, .healthy = 1};

	while (recv(keeper, scrap, sizeof(scrap), 0) > 0)
		;
	control_query_end(guard, &end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char scrap[1 << 16];
	int pair[2];

	if (guard == NULL)
		make_guard();
	if (size > 60000)
		return 0;
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
	control_client(guard, pair[0]);
	must(send(pair[1], data, size, 0) == (ssize_t)size);
	for (unsigned i = 0; i < 8; i++) {
		event_base_loop(guard->base, EVLOOP_NONBLOCK);
		play_keeper();
		while (recv(pair[1], scrap, sizeof(scrap), 0) > 0)
			;
	}
	close(pair[1]);
	event_base_loop(guard->base, EVLOOP_NONBLOCK);
	while (guard->clients != NULL)
		control_done(guard);
	return 0;
}
