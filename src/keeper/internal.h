/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/bucket.h"
#include "guard/guard.h"
#include "ipc/channel.h"
#include "ipc/messages.h"
#include "keeper/keeper.h"
#include "keeper/logtarget.h"
#include "keeper/own.h"
#include "keeper/watch.h"
#include "source/journals.h"
#include "wall/wall.h"

#include <event2/event.h>

/* What the files of this room share. Nobody outside includes it. */

#define POISON_MAX 64

enum state {
	RUNNING,
	RELOADING, /* guard was told to leave, next is the plan to go on with */
	STOPPING,  /* guard was told to leave, then we end */
};

struct keeper {
	const struct keeper_options *o;
	struct plan *plan, *next;
	enum state state;
	bool reload_again; /* asked for while one was under way */
	struct event_base *base;
	int64_t started_us; /* monotonic */
	uid_t uid;          /* whom guard becomes; 0: not started as root */
	gid_t gid;
	bool ready_told;
	int starter_fd; /* see keeper_options; -1: he knows */
	int state_lock; /* the state directory, held by us and our guard */
	int wall_lock;  /* this network namespace's table, ours */

	struct logtarget *log;

	/* enforce.c */
	const struct wall_ops *wall_ops;
	struct wall *wall;
	struct event *wall_changed, *apply, *wall_retry;
	struct wall_elem *bans, *unbans; /* collected in this turn */
	size_t n_bans, n_unbans, bans_room, unbans_room;
	struct log_limit repair_limit;
	struct bucket rate; /* of bans */
	struct own *own;
	struct event *own_changed;

	/* guardian.c */
	struct channel *guard;
	pid_t guard_pid;
	int inotify_fd; /* the present guard's */
	struct guard_mark *mark;
	struct suspect {
		struct guard_line line;
		unsigned deaths;
	} suspects[16]; /* lines that guards died of */
	size_t next_suspect;
	struct guard_line poison[POISON_MAX]; /* to be left out */
	size_t n_poison;
	struct event *respawn, *kill_timer;
	int64_t deaths_since_us;
	unsigned deaths;

	/* files.c */
	struct watch *watch;
	struct watched *watched;

	/* journal_child.c */
	pid_t journal_pids[JOURNALS_MAX]; /* in the order of the plan's journals; 0: none */
	struct event *journal_again;

	/* herald_child.c */
	pid_t herald_pid; /* -1: none */
	int herald_fd;    /* its end of guard's questions; -1: no use for names */
	struct event *herald_question, *herald_again;
	unsigned herald_failures; /* in a row */

	struct porter_child *porter; /* porter_child.c; NULL: before start-up is so far */

	struct ignore *ignore; /* ignore.c */

	/* sockets */
	int control_fd;
	int64_t client_us; /* monotonic: when the last client came; 0: none yet */
	struct event *control;
	int *listen_fds;
	size_t n_listen;
	struct guard_stream *held; /* held.c: until there is a guard, which has them */
	size_t n_held, held_bytes;

	struct event *signals[5], *watchdog;
	int64_t watchdog_us; /* 0: nobody asks */
	bool pong;
};

/* keeper.c */
void keeper_reload(struct keeper *k, const uint32_t *serial);
void keeper_refuse(
	struct keeper *k, const uint32_t *serial); /* a reload nobody can have asked for */
void keeper_stop(struct keeper *k);
void keeper_guard_gone(struct keeper *k); /* what comes after guard has left or died */
void keeper_ready(struct keeper *k);

/* setup.c: the steps of start-up; each logs why it fails, and returns 0 or -errno */
void setup_open_files(void);       /* as many descriptors as there may be */
int setup_user(struct keeper *k);  /* whom guard becomes */
int setup_state(struct keeper *k); /* the state directory, ours alone */
int setup_wall(struct keeper *k);
int setup_listeners(struct keeper *k, const struct ruleset *old); /* keeps those that old had too */
void setup_close_listeners(struct keeper *k);
int setup_capabilities(const struct keeper *k); /* gives up all but what is needed */
int setup_keep_only(
	const unsigned *wanted, size_t n); /* of our capabilities; 0 or -EPERM, and logs nothing */

/* guardian.c */
int guardian_spawn(struct keeper *k);
void guardian_leave(struct keeper *k); /* asks it to save and go; kills it after a while */
void guardian_respawn_later(struct keeper *k);
void guardian_child_start(const int *keep, size_t n); /* in a fork: descriptors and signals */
int guardian_init(struct keeper *k);
void guardian_done(struct keeper *k);

/* files.c: log paths */
int files_watch(struct keeper *k); /* opens everything for a new guard */
void files_unwatch(struct keeper *k);
void files_done_with(struct keeper *k, const struct msg_file_ref *m);
void files_siblings(struct keeper *k, const struct msg_file_ref *m);

/* journal_child.c */
int journal_child_init(struct keeper *k);
void journal_child_done(struct keeper *k);
void journal_child_start(struct keeper *k);
void journal_child_stop(struct keeper *k);
void journal_child_ended(struct keeper *k); /* on SIGCHLD */

/* herald_child.c */
int herald_child_init(struct keeper *k);
void herald_child_done(struct keeper *k);
int herald_child_pair(struct keeper *k); /* the end for a new guard; -1: no use for names */
void herald_child_stop(struct keeper *k);
void herald_child_ended(struct keeper *k); /* on SIGCHLD */

/* held.c: connections for syslog */
void held_take(struct keeper *k, const struct msg_stream *m, size_t len, int fd);
void held_settle(struct keeper *k, const struct ruleset *old); /* there is a new plan */
void held_done(struct keeper *k);                              /* they are somebody else's now */

/* porter_child.c */
int porter_child_init(struct keeper *k);
void porter_child_done(struct keeper *k);
/*
 * Is what a plan wants of TLS as it should be? It is remembered until that plan is the present one.
 * 0 or -EINVAL with the reasons in f.
 */
int porter_child_check(struct keeper *k, const struct plan *plan, struct faults *f);
/* The present plan's runs from now on, or none if that wants none. */
void porter_child_renew(struct keeper *k);
int porter_child_guard_end(const struct keeper *k); /* for a new guard; -1: there is no TLS */
void porter_child_leave(struct keeper *k);          /* we stop: it says good-bye to its senders */
void porter_child_ended(struct keeper *k);          /* on SIGCHLD */

/* nowhere.c */
int nowhere_enter(void); /* a directory that is empty and gone already; 0 or -errno */

/* ignore.c: ignorecommand */
int ignore_init(struct keeper *k);
void ignore_done(struct keeper *k);
int ignore_ask(struct keeper *k, const struct msg_ignore *m, const char *tags, size_t len);
void ignore_stop(struct keeper *k);  /* guard has gone: nobody waits for answers */
void ignore_ended(struct keeper *k); /* on SIGCHLD */

/* enforce.c */
int enforce_init(struct keeper *k, const char **ret_error);
void enforce_done(struct keeper *k);
int enforce_ban(struct keeper *k, const struct msg_ban *b, size_t n);
int enforce_unban(struct keeper *k, const struct msg_ban *b, size_t n);
void enforce_apply(struct keeper *k);      /* what was collected, in one transaction */
void enforce_tell_elems(struct keeper *k); /* what the kernel holds, for a new guard */
int enforce_query(struct keeper *k, const struct msg_query *q, const struct msg_elem *e, size_t n);
void enforce_tell_own(struct keeper *k);

/* starter.c */
void starter_tell(struct keeper *k, enum log_level level, const char *text, size_t len);
void starter_ready(struct keeper *k);
void starter_done(struct keeper *k);

/* notify.c: systemd, if it is there */
void notify_state(const char *text);
int64_t notify_watchdog_us(void);
