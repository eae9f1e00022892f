/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/inject_resolve.h"

#include "base/util.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>

struct question {
	char *host, *port;
	int socktype;
	int fd; /* for the answer */
};

struct answer {
	int error;
	struct addrinfo *addrs;
};

static void question_free(struct question *q)
{
	if (q->fd >= 0)
		close(q->fd);
	free(q->host);
	free(q->port);
	free(q);
}

static void *ask(void *arg)
{
	struct question *q = arg;
	const struct addrinfo hints = {.ai_socktype = q->socktype, .ai_flags = AI_ADDRCONFIG};
	struct answer a = {0};

	a.error = getaddrinfo(q->host, q->port, &hints, &a.addrs);
	if (write(q->fd, &a, sizeof(a)) != sizeof(a) && a.error == 0)
		freeaddrinfo(a.addrs);
	question_free(q);
	return NULL;
}

int inject_resolve_start(const char *host, const char *port, int socktype)
{
	struct question *q = calloc(1, sizeof(*q));
	pthread_attr_t attr;
	pthread_t thread;
	int fds[2], r;

	if (q == NULL)
		return -ENOMEM;
	if (pipe2(fds, O_CLOEXEC) < 0) {
		free(q);
		return -errno;
	}
	*q = (struct question) {strdup(host), strdup(port), socktype, fds[1]};
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	r = q->host != NULL && q->port != NULL ? pthread_create(&thread, &attr, ask, q) : ENOMEM;
	pthread_attr_destroy(&attr);
	if (r == 0)
		return fds[0];
	close(fds[0]);
	question_free(q);
	return -r;
}

int inject_resolve_take(int fd, struct addrinfo **ret)
{
	struct answer a = {.error = EAI_SYSTEM};

	if (read(fd, &a, sizeof(a)) != sizeof(a))
		a.error = EAI_SYSTEM;
	close(fd);
	if (a.error == 0)
		*ret = a.addrs;
	return a.error;
}
