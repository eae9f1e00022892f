/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What keeper needs before it can run: a user for guard, the state directory, sockets, the wall. */
#include "base/util.h"
#include "keeper/internal.h"
#include "keeper/sockets.h"

#include <assert.h>
#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define LOCK_DIR "/run/stockade"
#define LOCK_WAIT_MS 5000

/* Whom guard becomes. Not root: it stays who we are. */
int setup_user(struct keeper *k)
{
	const struct passwd *pw;

	if (geteuid() != 0)
		return 0;
	pw = getpwnam(k->plan->rs->user);
	if (pw == NULL) {
		pw = getpwnam("nobody");
		log_warning("there is no user '%s': guard runs as 'nobody' (create it: useradd "
			    "--system "
			    "--home-dir %s --shell /usr/sbin/nologin %s)",
			k->plan->rs->user, k->o->statedir, k->plan->rs->user);
	}
	if (pw == NULL || pw->pw_uid == 0) {
		log_critical("guard needs a user that is not root: set 'user' in stockade.conf");
		return -EINVAL;
	}
	k->uid = pw->pw_uid;
	k->gid = pw->pw_gid;
	return 0;
}

/*
 * What an earlier guard wrote belongs to the present one's user, whoever that was. The directory is
 * that user's: a name in it may be a link to somebody else's file.
 */
static void own_file(const struct keeper *k, int dir, const char *name)
{
	_cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return;
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1)
		log_warning("%s/%s is no file of ours: left alone", k->o->statedir, name);
	else if (st.st_uid != k->uid && fchown(fd, k->uid, k->gid) < 0)
		log_warning("%s/%s: cannot be given to guard's user: %s", k->o->statedir, name,
			strerror(errno));
}

static void own_files(const struct keeper *k, int dir)
{
	static const char *const names[] = {"stockade.db", "stockade.db-wal", "stockade.db-journal",
		"dry-run.db", "dry-run.db-wal", "dry-run.db-journal"};

	for (size_t i = 0; k->uid != 0 && i < ARRAY_SIZE(names); i++)
		own_file(k, dir, names[i]);
}

/* The state directory is guard's, and one daemon's at a time. */
int setup_state(struct keeper *k)
{
	int fd;

	sockets_make_parents(k->o->statedir);
	mkdir(k->o->statedir, 0700);
	fd = open(k->o->statedir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		log_critical("state directory %s: %s", k->o->statedir, strerror(errno));
		return -errno;
	}
	/* A guard whose keeper was killed holds it until it has saved. */
	for (unsigned ms = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; ms += 20) {
		if (ms >= LOCK_WAIT_MS) {
			log_critical(
				"state directory %s is in use by another stockade", k->o->statedir);
			close(fd);
			return -EBUSY;
		}
		usleep(20000);
	}
	if (k->uid != 0 && (fchown(fd, k->uid, k->gid) < 0 || fchmod(fd, 0700) < 0) &&
		errno != EROFS)
		log_warning("state directory %s: cannot be given to guard's user: %s",
			k->o->statedir, strerror(errno));
	own_files(k, fd);
	k->state_lock = fd;
	return 0;
}

void setup_close_listeners(struct keeper *k)
{
	for (size_t i = 0; i < k->n_listen; i++)
		if (k->listen_fds[i] >= 0)
			sockets_unlisten(k->listen_fds[i]);
	free(k->listen_fds);
	k->listen_fds = NULL;
	k->n_listen = 0;
}

/*
 * The socket of before for the same address, with what waits in it, and what of it was told; -1:
 * there was none.
 */
static int take_listener(
	struct keeper *k, const struct ruleset *old, const char *url, uint32_t *ret_overflowed)
{
	for (size_t i = 0; old != NULL && i < k->n_listen; i++) {
		if (k->listen_fds[i] < 0 || strcmp(old->syslog.listen[i].url, url) != 0)
			continue;
		*ret_overflowed = k->mark->overflowed[i];
		return TAKE_FD(k->listen_fds[i]);
	}
	return -1;
}

/* What to do about it, as the end of a sentence, or "". */
static const char *listen_hint(const struct listener *l, int error)
{
	switch (error) {
	case EADDRINUSE:
		return l->path != NULL
			       ? "; 'ss -lxp' shows who reads there: stop it, or write another path"
			       : "; 'ss -lntup' shows who has that port: stop it, or write another "
				 "port";
	case EADDRNOTAVAIL:
		return "; 'ip addr' shows which addresses this machine has: write one of them";
	default:
		return "";
	}
}

static int open_listener(const struct listener *l)
{
	int fd = sockets_listen(l);

	if (fd >= 0)
		log_info("listening for syslog on %s", l->url);
	else
		log_error("cannot listen for syslog on %s: %s%s", l->url, strerror(-fd),
			listen_hint(l, -fd));
	return fd;
}

/* Without a directory there are no log files either. */
static bool is_deaf(const struct keeper *k)
{
	if (k->o->overlay == NULL || k->o->overlay->dir != OVERLAY_DIR_NONE)
		return false;
	for (size_t i = 0; i < k->n_listen; i++)
		if (k->listen_fds[i] >= 0)
			return false;
	return true;
}

/*
 * An address that cannot be bound is told and left out: the log files still protect. Only who has
 * nothing else does not start.
 */
int setup_listeners(struct keeper *k, const struct ruleset *old)
{
	const struct ruleset *rs = k->plan->rs;
	size_t n = rs->syslog.n_listen;
	uint32_t overflowed[LISTEN_MAX] = {0};
	int *fds = calloc(n + 1, sizeof(int));

	if (fds == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		fds[i] = take_listener(k, old, rs->syslog.listen[i].url, &overflowed[i]);
	/* First: one may be on the port or path of another that is wanted now. */
	setup_close_listeners(k);
	for (size_t i = 0; i < n; i++)
		if (fds[i] < 0)
			fds[i] = open_listener(&rs->syslog.listen[i]);
	k->listen_fds = fds;
	k->n_listen = n;
	if (k->mark != NULL)
		memcpy(k->mark->overflowed, overflowed, sizeof(overflowed));
	if (old == NULL && is_deaf(k)) {
		log_critical("there is nothing else to hear of attackers from");
		return -EADDRNOTAVAIL;
	}
	return 0;
}

/*
 * One daemon commands a network namespace's table: two would undo each other's rules for ever. The
 * lock's name has the namespace, as containers may share /run.
 */
static int lock_wall(struct keeper *k)
{
	char path[64];
	struct stat st;

	if (k->o->dry_run || geteuid() != 0 || stat("/proc/self/ns/net", &st) < 0)
		return 0;
	snprintf(path, sizeof(path), LOCK_DIR "/firewall-%llu.lock", (unsigned long long)st.st_ino);
	sockets_make_parents(path);
	k->wall_lock = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (k->wall_lock < 0 || flock(k->wall_lock, LOCK_EX | LOCK_NB) == 0)
		return 0; /* without a place for the lock it has to do without */
	log_critical("another stockade commands this machine's firewall already");
	return -EBUSY;
}

int setup_wall(struct keeper *k)
{
	const char *error;
	int r = lock_wall(k);

	if (r < 0)
		return r;
	r = enforce_init(k, &error);

	if (r == 0)
		return 0;
	if (error != NULL)
		log_critical("the firewall cannot be used: %s (%s)", error, strerror(-r));
	else
		log_critical("the firewall cannot be used: %s", strerror(-r));
	if (r == -EPERM && geteuid() != 0)
		log_critical("run it as root, or with --dry-run to decide without enforcing");
	return r;
}

int setup_keep_only(const unsigned *wanted, size_t n)
{
	bool have[CAP_LAST_CAP + 1];

	assert(n <= ARRAY_SIZE(have));
	capng_get_caps_process();
	for (size_t i = 0; i < n; i++)
		have[i] = capng_have_capability(CAPNG_PERMITTED, wanted[i]) == 1;
	capng_clear(CAPNG_SELECT_BOTH);
	for (size_t i = 0; i < n; i++)
		if (have[i])
			capng_update(CAPNG_ADD,
				CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET, wanted[i]);
	return capng_apply(CAPNG_SELECT_BOTH) < 0 ? -EPERM : 0;
}

/* From here on: network administration, reading logs, and making and ending a guard. */
int setup_capabilities(const struct keeper *k)
{
	static const unsigned wanted[] = {CAP_NET_ADMIN, CAP_NET_BIND_SERVICE, CAP_DAC_READ_SEARCH,
		CAP_SETUID, CAP_SETGID, CAP_SETPCAP, CAP_SYS_CHROOT, CAP_KILL};

	if (k->uid == 0)
		return 0;
	if (setup_keep_only(wanted, ARRAY_SIZE(wanted)) < 0) {
		log_critical("capabilities cannot be given up");
		return -EPERM;
	}
	return 0;
}

/* A descriptor for each log, in both processes: as many as there may be. */
void setup_open_files(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) < 0)
		return;
	l.rlim_cur = l.rlim_max;
	setrlimit(RLIMIT_NOFILE, &l);
}
