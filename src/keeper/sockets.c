/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "keeper/sockets.h"

#include "base/addr.h"
#include "base/util.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define UDP_BUFFER (8 << 20)
#define BACKLOG 32

static int parse_udp(const char *url, struct addr *ret_addr, uint16_t *ret_port)
{
	static const char scheme[] = "udp://";
	const char *host, *colon;
	unsigned long port;
	char *end;

	if (strncmp(url, scheme, sizeof(scheme) - 1) != 0)
		return -EINVAL;
	host = url + sizeof(scheme) - 1;
	colon = strrchr(host, ':');
	if (colon == NULL || colon[1] < '0' || colon[1] > '9')
		return -EINVAL;
	port = strtoul(colon + 1, &end, 10);
	if (*end != '\0' || port == 0 || port > 65535)
		return -EINVAL;
	*ret_port = (uint16_t)port;
	return addr_parse(ret_addr, host, (size_t)(colon - host));
}

int sockets_listen_udp(const char *url)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6};
	_cleanup_close_ int fd = -1;
	int size = UDP_BUFFER, one = 1, r;
	struct addr a;
	uint16_t port;

	r = parse_udp(url, &a, &port);
	if (r < 0)
		return r;
	sin.sin_port = sin6.sin6_port = htons(port);
	memcpy(&sin.sin_addr, a.b + 12, 4);
	memcpy(&sin6.sin6_addr, a.b, 16);
	fd = socket(
		addr_is4(&a) ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &one, sizeof(one));
	if (addr_is4(&a))
		r = bind(fd, (struct sockaddr *)&sin, sizeof(sin));
	else
		r = bind(fd, (struct sockaddr *)&sin6, sizeof(sin6));
	return r < 0 ? -errno : TAKE_FD(fd);
}

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

int sockets_listen_control(const char *path)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = -1;
	struct stat st;
	mode_t old;
	int r;

	if (strlen(path) >= sizeof(sa.sun_path))
		return -ENAMETOOLONG;
	strcpy(sa.sun_path, path);
	sockets_make_parents(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0 || errno == EAGAIN)
		return -EADDRINUSE;
	if (errno == ECONNREFUSED && lstat(path, &st) == 0) {
		if (!S_ISSOCK(st.st_mode))
			return -EEXIST;
		unlink(path); /* left behind by one that was killed */
	}
	old = umask(0177);
	r = bind(fd, (struct sockaddr *)&sa, sizeof(sa));
	r = r < 0 ? -errno : 0;
	umask(old);
	if (r < 0)
		return r;
	return listen(fd, BACKLOG) < 0 ? -errno : TAKE_FD(fd);
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
