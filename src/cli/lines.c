/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/lines.h"

#include "source/tail.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct lines {
	int fd;
	size_t at, end; /* what is read and not yet given */
	char chunk[65536];
	char line[TAIL_RAW_MAX];
};

struct lines *lines_new(int fd)
{
	struct lines *l = malloc(sizeof(*l));

	if (l == NULL) {
		close(fd);
		return NULL;
	}
	l->fd = fd;
	l->at = l->end = 0;
	return l;
}

static ssize_t refill(struct lines *l)
{
	ssize_t n;

	do
		n = read(l->fd, l->chunk, sizeof(l->chunk));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	l->at = 0;
	l->end = (size_t)n;
	return n;
}

static int give(const char **ret, size_t *ret_len, const char *line, size_t len)
{
	while (len > 0 && line[len - 1] == '\r')
		len--;
	*ret = line;
	*ret_len = len;
	return 1;
}

int lines_next(struct lines *l, const char **ret, size_t *ret_len)
{
	size_t have = 0; /* of a line that does not stand in the chunk as a whole */
	bool any = false;

	for (;;) {
		const char *start, *newline;
		size_t part, keep;
		ssize_t n;

		if (l->at == l->end) {
			n = refill(l);
			if (n < 0)
				return (int)n;
			if (n == 0)
				return any ? give(ret, ret_len, l->line, have) : 0;
		}
		start = l->chunk + l->at;
		part = l->end - l->at;
		newline = memchr(start, '\n', part);
		if (newline != NULL)
			part = (size_t)(newline - start);
		l->at += part + (newline != NULL);
		keep = part < TAIL_RAW_MAX - have ? part : TAIL_RAW_MAX - have;
		if (newline != NULL && !any)
			return give(ret, ret_len, start, keep);
		memcpy(l->line + have, start, keep);
		have += keep;
		any = true;
		if (newline != NULL)
			return give(ret, ret_len, l->line, have);
	}
}

void lines_free(struct lines *l)
{
	if (l == NULL)
		return;
	close(l->fd);
	free(l);
}
