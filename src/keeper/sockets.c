/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "keeper/sockets.h"

#include "base/sockaddr.h"
#include "base/util.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define DATAGRAM_BUFFER (8 << 20)
#define STREAM_BACKLOG 1024
#define CONTROL_BACKLOG 32
/* The file that a Unix socket is bound to; <linux/un.h> has it beside another sockaddr_un. */
#define SIOCUNIXFILE (SIOCPROTOPRIVATE + 0)

void sockets_make_parents(const char *path)
{
	_cleanup_free_ char *dir = strdup(path);

	for (char *p = dir != NULL ? dir + 1 : NULL; p != NULL && *p != '\0'; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		mkdir(dir,
			0755); /* whoever goes on with the path tells if one is missing after all */
		*p = '/';
	}
}

static int type_of(enum listen_kind kind)
{
	bool is_datagram = kind == LISTEN_UDP || kind == LISTEN_UNIX;

	return (is_datagram ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK;
}

/* A Unix socket that nobody reads any more may go. 0: the path is free. */
static int clear_path(const struct sockaddr_un *sa, int type)
{
	_cleanup_close_ int fd = socket(AF_UNIX, type, 0);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) == 0 || errno == EAGAIN ||
		errno == EPROTOTYPE)
		return -EADDRINUSE;
	if (errno == ECONNREFUSED && lstat(sa->sun_path, &st) == 0) {
		if (!S_ISSOCK(st.st_mode))
			return -EEXIST;
		unlink(sa->sun_path); /* left behind by one that was killed */
	}
	return 0;
}

/* A socket bound to a path that those may write to whom the mask lets. */
static int bind_path(const char *path, int type, mode_t mask)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = -1;
	mode_t old;
	int r;

	if (strlen(path) >= sizeof(sa.sun_path))
		return -ENAMETOOLONG;
	strcpy(sa.sun_path, path);
	sockets_make_parents(path);
	r = clear_path(&sa, type);
	if (r < 0)
		return r;
	fd = socket(AF_UNIX, type, 0);
	if (fd < 0)
		return -errno;
	old = umask(mask);
	r = bind(fd, (struct sockaddr *)&sa, sizeof(sa));
	r = r < 0 ? -errno : 0;
	umask(old);
	return r < 0 ? r : TAKE_FD(fd);
}

static int bind_addr(const struct listener *l)
{
	struct sockaddr_storage sa;
	socklen_t len = sockaddr_set(&sa, &l->addr, l->port);
	_cleanup_close_ int fd = socket(sa.ss_family, type_of(l->kind), 0);
	int one = 1;

	if (fd < 0)
		return -errno;
	if (l->kind != LISTEN_UDP) {
		/* Connections of the daemon before are no reason not to start. */
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		/* Passed on to what is accepted: a sender that is gone without a word is found. */
		setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	}
	return bind(fd, (struct sockaddr *)&sa, len) < 0 ? -errno : TAKE_FD(fd);
}

int sockets_listen(const struct listener *l)
{
	_cleanup_close_ int fd =
		l->path != NULL ? bind_path(l->path, type_of(l->kind), 0111) : bind_addr(l);
	int size = DATAGRAM_BUFFER, one = 1;

	if (fd < 0)
		return fd;
	if (l->kind != LISTEN_UDP && l->kind != LISTEN_UNIX)
		return listen(fd, STREAM_BACKLOG) < 0 ? -errno : TAKE_FD(fd);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &one, sizeof(one));
	return TAKE_FD(fd);
}

/* Another program may have put its own there meanwhile: whoever is /dev/log now, for one. */
static bool is_at(int fd, const char *path)
{
	_cleanup_close_ int bound = ioctl(fd, SIOCUNIXFILE);
	struct stat ours, there;

	return bound >= 0 && fstat(bound, &ours) == 0 && lstat(path, &there) == 0 &&
	       ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

void sockets_unlisten(int fd)
{
	struct sockaddr_un sa = {0};
	socklen_t len = sizeof(sa);

	if (getsockname(fd, (struct sockaddr *)&sa, &len) == 0 && sa.sun_family == AF_UNIX &&
		len > offsetof(struct sockaddr_un, sun_path) && sa.sun_path[0] == '/' &&
		is_at(fd, sa.sun_path))
		unlink(sa.sun_path);
	/* A child may have it, too: it is not to hold the port of whoever listens there next. */
	shutdown(fd, SHUT_RDWR);
	close(fd);
}

int sockets_listen_control(const char *path)
{
	_cleanup_close_ int fd = bind_path(path, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0177);

	if (fd < 0)
		return fd;
	return listen(fd, CONTROL_BACKLOG) < 0 ? -errno : TAKE_FD(fd);
}

int sockets_accept_control(int fd)
{
	_cleanup_close_ int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct ucred who;
	socklen_t len = sizeof(who);

	if (client < 0)
		return -errno;
	if (getsockopt(client, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0)
		return -errno;
	if (who.uid != 0 && who.uid != geteuid())
		return -EPERM;
	return TAKE_FD(client);
}
