/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "keeper/logtarget.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/util.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#ifdef HAVE_SYSTEMD
#include <systemd/sd-journal.h>
#endif

/* What attackers cause by the thousand must not use up what tells of bans and errors. */
#define CHATTER_A_MINUTE 6000 /* INFO and below */
#define NOTICES_A_MINUTE 120000
#define WAITING_MAX (1 << 20) /* bytes, when nobody reads what we write */
#define FLUSH_AT 16384

enum kind { TO_FD, TO_FD_BARE, TO_SYSLOG, TO_JOURNAL };

struct logtarget {
	enum kind kind;
	int fd;
	bool brief;
	char *path;         /* of a file, or of the syslog socket */
	struct buf waiting; /* lines not written yet */
	struct log_limit chatter, notices;
	uint64_t lost; /* lines that nobody could be told */
};

static const int priorities[] = {
	[LOG_LV_CRITICAL] = LOG_CRIT,
	[LOG_LV_ERROR] = LOG_ERR,
	[LOG_LV_WARNING] = LOG_WARNING,
	[LOG_LV_NOTICE] = LOG_NOTICE,
	[LOG_LV_INFO] = LOG_INFO,
	[LOG_LV_DEBUG] = LOG_DEBUG,
};

static int open_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);

	return fd < 0 ? -errno : fd;
}

static int connect_syslog(const char *path)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = -1;

	if (strlen(path) >= sizeof(sa.sun_path))
		return -ENAMETOOLONG;
	strcpy(sa.sun_path, path);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		return -errno;
	return TAKE_FD(fd);
}

int logtarget_open(struct logtarget **ret, const char *target, const char *socket_path, bool brief)
{
	struct logtarget *t = calloc(1, sizeof(*t));
	int r = 0;

	if (t == NULL)
		return -ENOMEM;
	t->fd = -1;
	t->brief = brief;
	t->chatter.burst = CHATTER_A_MINUTE;
	t->notices.burst = NOTICES_A_MINUTE;
	if (strcasecmp(target, "STDERR") == 0) {
		t->fd = STDERR_FILENO;
	} else if (strcasecmp(target, "STDOUT") == 0) {
		t->fd = STDOUT_FILENO;
	} else if (strcasecmp(target, "SYSOUT") == 0) {
		t->kind = TO_FD_BARE;
		t->fd = STDOUT_FILENO;
	} else if (strcasecmp(target, "SYSTEMD-JOURNAL") == 0) {
		t->kind = TO_JOURNAL;
	} else if (strcasecmp(target, "SYSLOG") == 0) {
		t->kind = TO_SYSLOG;
		t->path = strdup(strcmp(socket_path, "auto") == 0 ? "/dev/log" : socket_path);
		/* It may come up later: each line tries again. */
		t->fd = t->path != NULL ? connect_syslog(t->path) : -ENOMEM;
	} else {
		t->path = strdup(target);
		t->fd = t->path != NULL ? open_file(t->path) : -ENOMEM;
		r = t->fd < 0 ? t->fd : 0;
	}
	if (r < 0) {
		logtarget_close(t);
		return r;
	}
	*ret = t;
	return 0;
}

void logtarget_close(struct logtarget *t)
{
	if (t == NULL)
		return;
	logtarget_flush(t);
	buf_done(&t->waiting);
	if (t->fd > STDERR_FILENO)
		close(t->fd);
	free(t->path);
	free(t);
}

int logtarget_reopen(struct logtarget *t)
{
	int fd;

	if (t->kind != TO_FD || t->path == NULL)
		return 0;
	logtarget_flush(t);
	fd = open_file(t->path);
	if (fd < 0)
		return fd;
	close(t->fd);
	t->fd = fd;
	return 0;
}

/* fail2ban's line: time, name padded, [pid]: level padded, text. Or, in brief: time and text. */
static int format(const struct logtarget *t, char *buf, size_t size, const char *component,
	pid_t pid, enum log_level level, const char *text, size_t len)
{
	int64_t now_us = clock_wall_us();
	time_t sec = (time_t)(now_us / USEC_PER_SEC);
	char when[32], name[32];
	struct tm tm;

	localtime_r(&sec, &tm);
	snprintf(name, sizeof(name), "stockade.%s", component);
	if (t->kind == TO_FD_BARE)
		return snprintf(buf, size, "%-24s[%d]: %-7s %.*s\n", name, (int)pid,
			log_level_name(level), (int)len, text);
	if (t->brief) {
		strftime(when, sizeof(when), "%b %e %H:%M:%S", &tm);
		return snprintf(buf, size, "%s: %.*s\n", when, (int)len, text);
	}
	strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
	return snprintf(buf, size, "%s,%03d %-24s[%d]: %-7s %.*s\n", when,
		(int)(now_us % USEC_PER_SEC / 1000), name, (int)pid, log_level_name(level),
		(int)len, text);
}

/* RFC 3164, as the C library's syslog(3) writes it to the local socket. */
static void write_syslog(
	struct logtarget *t, pid_t pid, enum log_level level, const char *text, size_t len)
{
	time_t now = time(NULL);
	char buf[4096], when[32];
	struct tm tm;
	int n;

	localtime_r(&now, &tm);
	strftime(when, sizeof(when), "%b %e %H:%M:%S", &tm);
	n = snprintf(buf, sizeof(buf), "<%d>%s stockade[%d]: %-7s %.*s",
		LOG_DAEMON | priorities[level], when, (int)pid, log_level_name(level), (int)len,
		text);
	if (n >= (int)sizeof(buf))
		n = sizeof(buf) - 1;
	if (t->fd >= 0 && send(t->fd, buf, (size_t)n, MSG_NOSIGNAL) >= 0)
		return;
	if (t->fd >= 0)
		close(t->fd);
	t->fd = connect_syslog(t->path);
	if (t->fd >= 0)
		send(t->fd, buf, (size_t)n, MSG_NOSIGNAL);
}

static void write_one(struct logtarget *t, const char *component, pid_t pid, enum log_level level,
	const char *text, size_t len)
{
	char buf[4096];
	int n;

	switch (t->kind) {
	case TO_JOURNAL:
#ifdef HAVE_SYSTEMD
		sd_journal_send("MESSAGE=%-7s %.*s", log_level_name(level), (int)len, text,
			"PRIORITY=%d", priorities[level], "SYSLOG_IDENTIFIER=stockade", NULL);
		return;
#else
		break;
#endif
	case TO_SYSLOG:
		write_syslog(t, pid, level, text, len);
		return;
	case TO_FD:
	case TO_FD_BARE:
		break;
	}
	n = format(t, buf, sizeof(buf), component, pid, level, text, len);
	if (n >= (int)sizeof(buf)) {
		n = sizeof(buf);
		buf[n - 1] = '\n';
	}
	if (t->waiting.len + (size_t)n > WAITING_MAX || buf_add(&t->waiting, buf, (size_t)n) < 0)
		t->lost++;
	if (t->waiting.len > FLUSH_AT)
		logtarget_flush(t);
}

/* The first lines that fit one write which does not block: PIPE_BUF bytes, or one line if longer.
 */
static size_t next_piece(const struct buf *b, size_t at)
{
	size_t left = b->len - at;
	const char *end;

	if (left <= PIPE_BUF)
		return left;
	end = memrchr(b->data + at, '\n', PIPE_BUF);
	return end != NULL ? (size_t)(end + 1 - (b->data + at)) : PIPE_BUF;
}

void logtarget_flush(struct logtarget *t)
{
	size_t at = 0;

	while (at < t->waiting.len) {
		struct pollfd p = {.fd = t->fd, .events = POLLOUT};
		ssize_t n;

		/* Bans do not wait for somebody to read our log. */
		if (poll(&p, 1, 0) <= 0 || (p.revents & POLLOUT) == 0)
			break;
		n = write(t->fd, t->waiting.data + at, next_piece(&t->waiting, at));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			at = t->waiting.len; /* nobody is left to tell */
			break;
		}
		at += (size_t)n;
	}
	buf_drop(&t->waiting, at);
	if (t->lost > 0 && t->waiting.len == 0) {
		char note[80];
		int len = snprintf(note, sizeof(note),
			"%llu lines were lost: nobody read them in time",
			(unsigned long long)t->lost);

		t->lost = 0;
		write_one(t, "keeper", getpid(), LOG_LV_WARNING, note, (size_t)len);
	}
}

void logtarget_write(struct logtarget *t, const char *component, pid_t pid, enum log_level level,
	const char *text, size_t len)
{
	unsigned held;

	if (!log_limit_pass(level >= LOG_LV_INFO ? &t->chatter : &t->notices, &held))
		return;
	if (held > 0) {
		char note[64];
		int n = snprintf(note, sizeof(note), "%u lines were held back", held);

		write_one(t, "keeper", getpid(), LOG_LV_WARNING, note, (size_t)n);
	}
	write_one(t, component, pid, level, text, len);
}
