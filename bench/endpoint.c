/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 1024

static const struct scheme {
	const char *name;
	bool local;
	int type;
} schemes[] = {
	{"udp://", false, SOCK_DGRAM},
	{"tcp://", false, SOCK_STREAM},
	{"unix://", true, SOCK_DGRAM},
	{"unix-stream://", true, SOCK_STREAM},
};

struct place {
	int type;
	socklen_t len;
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	};
};

static const struct scheme *scheme_of(const char *url)
{
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (strncmp(url, schemes[i].name, strlen(schemes[i].name)) == 0)
			return &schemes[i];
	return NULL;
}

static bool put_path(struct place *p, const char *path)
{
	if (path[0] != '/' || strlen(path) >= sizeof(p->un.sun_path))
		return false;
	p->un.sun_family = AF_UNIX;
	strcpy(p->un.sun_path, path);
	p->len = sizeof(p->un);
	return true;
}

static bool put_host(struct place *p, const char *host)
{
	char text[INET6_ADDRSTRLEN + 2];
	const char *colon = strrchr(host, ':');
	size_t len;
	char *end;
	unsigned long port;

	if (colon == NULL || (len = (size_t)(colon - host)) >= sizeof(text))
		return false;
	port = strtoul(colon + 1, &end, 10);
	if (end == colon + 1 || *end != '\0' || port == 0 || port > 65535)
		return false;
	memcpy(text, host, len);
	text[len] = '\0';
	if (text[0] == '[' && text[len - 1] == ']') {
		text[len - 1] = '\0';
		p->in6.sin6_family = AF_INET6;
		p->in6.sin6_port = htons((uint16_t)port);
		p->len = sizeof(p->in6);
		return inet_pton(AF_INET6, text + 1, &p->in6.sin6_addr) == 1;
	}
	p->in.sin_family = AF_INET;
	p->in.sin_port = htons((uint16_t)port);
	p->len = sizeof(p->in);
	return inet_pton(AF_INET, text, &p->in.sin_addr) == 1;
}

static bool find(const char *url, struct place *ret)
{
	const struct scheme *s = scheme_of(url);

	*ret = (struct place) {0};
	if (s == NULL)
		return false;
	ret->type = s->type;
	url += strlen(s->name);
	return s->local ? put_path(ret, url) : put_host(ret, url);
}

bool endpoint_is(const char *url)
{
	struct place p;

	return find(url, &p);
}

bool endpoint_is_stream(const char *url)
{
	struct place p;

	return find(url, &p) && p.type == SOCK_STREAM;
}

int endpoint_connect(const char *url)
{
	struct place p;
	int fd;

	if (!find(url, &p))
		return -EINVAL;
	fd = socket(p.any.sa_family, p.type | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, &p.any, p.len) < 0)
		return -errno;
	return fd;
}

int endpoint_bind(const char *url)
{
	int fd, one = 1;
	struct place p;

	if (!find(url, &p))
		return -EINVAL;
	fd = socket(p.any.sa_family, p.type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (p.any.sa_family == AF_UNIX)
		unlink(p.un.sun_path);
	if (bind(fd, &p.any, p.len) < 0 || (p.type == SOCK_STREAM && listen(fd, BACKLOG) < 0))
		return -errno;
	return fd;
}
