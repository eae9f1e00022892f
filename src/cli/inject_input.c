/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/inject_input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define A_READ 262144
#define ROOM (A_READ + INJECT_LINE_MAX + 2)

int inject_input_init(struct inject_input *in, int fd)
{
	*in = (struct inject_input) {.fd = fd, .buf = malloc(ROOM)};
	return in->buf == NULL ? -ENOMEM : 0;
}

void inject_input_done(struct inject_input *in)
{
	free(in->buf);
	in->buf = NULL;
}

void inject_input_read(struct inject_input *in)
{
	ssize_t n;

	memmove(in->buf, in->buf + in->at, in->len - in->at);
	in->len -= in->at;
	in->at = 0;
	if (in->len == ROOM)
		return;
	n = read(in->fd, in->buf + in->len, ROOM - in->len);
	if (n > 0)
		in->len += (size_t)n;
	else if (n == 0 || (errno != EINTR && errno != EAGAIN))
		in->ended = true;
}

/* Passes over what is left of a line that was cut. False: there may be more of it. */
static bool skip_rest(struct inject_input *in)
{
	const char *end = memchr(in->buf + in->at, '\n', in->len - in->at);

	in->at = end != NULL ? (size_t)(end - in->buf) + 1 : in->len;
	in->in_rest = end == NULL;
	return end != NULL;
}

bool inject_input_line(struct inject_input *in, const char **ret, size_t *ret_len, bool *ret_cut)
{
	const char *start, *end;
	size_t left, len;

	if (in->in_rest && !skip_rest(in))
		return false;
	start = in->buf + in->at;
	left = in->len - in->at;
	end = memchr(start, '\n', left);
	if (end == NULL && left <= INJECT_LINE_MAX + 1 && !(in->ended && left > 0))
		return false;
	len = end != NULL ? (size_t)(end - start) : left;
	in->at += len + (end != NULL);
	if (len > 0 && start[len - 1] == '\r' && (end != NULL || in->ended))
		len--;
	if (len > INJECT_LINE_MAX) {
		len = INJECT_LINE_MAX;
		*ret_cut = true;
		in->in_rest = end == NULL;
	}
	*ret = start;
	*ret_len = len;
	return true;
}

void inject_input_back(struct inject_input *in, const char *line)
{
	in->at = (size_t)(line - in->buf);
	in->in_rest = false;
}
