/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/client.h"

#include "base/util.h"
#include "cli/cli.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

__attribute__((format(printf, 4, 5))) static int fail(
	struct client_error *err, int status, int error, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	err->status = status;
	return error;
}

static int connect_failed(const char *path, int error, struct client_error *err)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
	case ECONNREFUSED:
		return fail(err, CLI_UNREACHABLE, -error,
			"no daemon listens at %s: start it with 'stockade run', or name its socket "
			"with "
			"--socket",
			path);
	case EACCES:
	case EPERM:
		return fail(err, CLI_UNREACHABLE, -error,
			"no permission to open %s: talking to the daemon takes root", path);
	case EAGAIN:
		return fail(err, CLI_UNREACHABLE, -ETIMEDOUT,
			"the daemon at %s does not answer: it takes no more connections", path);
	default:
		return fail(err, CLI_UNREACHABLE, -error, "cannot connect to %s: %s", path,
			strerror(error));
	}
}

int client_connect(const char *path, int patience_ms, struct client_error *err)
{
	struct timeval patience = {patience_ms / 1000, patience_ms % 1000 * 1000};
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = -1;

	if (path[0] == '\0' || strlen(path) >= sizeof(sun.sun_path))
		return fail(err, CLI_USAGE, -ENAMETOOLONG,
			"the socket's path must have 1 to %zu bytes: name another with --socket",
			sizeof(sun.sun_path) - 1);
	memcpy(sun.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail(
			err, CLI_UNREACHABLE, -errno, "cannot make a socket: %s", strerror(errno));
	/* Also the limit on connect(2) while the daemon's queue is full. */
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (const struct sockaddr *)&sun, sizeof(sun)) < 0)
		return connect_failed(path, errno, err);
	return TAKE_FD(fd);
}

static int send_request(int fd, const char *path, const json_t *request, struct client_error *err)
{
	_cleanup_free_ char *text = json_dumps(request, JSON_COMPACT);
	size_t len, done = 0;

	if (text == NULL)
		return fail(err, CLI_UNREACHABLE, -ENOMEM, "out of memory");
	len = strlen(text);
	text[len++] = '\n'; /* in place of the NUL */
	while (done < len) {
		ssize_t n = send(fd, text + done, len - done, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return fail(err, CLI_UNREACHABLE, -ETIMEDOUT,
				"the daemon at %s does not answer", path);
		/* It may have refused us in words before it hung up: those are to be read. */
		if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
			return 0;
		if (n < 0)
			return fail(err, CLI_UNREACHABLE, -errno, "cannot write to %s: %s", path,
				strerror(errno));
		done += (size_t)n;
	}
	return 0;
}

/* More bytes of the answer: their number, 0 at its end, or -errno. */
static ssize_t receive(int fd, char *data, size_t size, int patience_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	ssize_t n;

	do {
		n = poll(&p, 1, patience_ms);
		if (n == 0)
			return -ETIMEDOUT;
		if (n > 0)
			n = recv(fd, data, size, 0);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static int read_answer(int fd, const char *path, int patience_ms, struct answer_reader *r,
	struct client_error *err)
{
	char data[16384];

	for (;;) {
		ssize_t n = receive(fd, data, sizeof(data), patience_ms);
		int result;

		if (n == -ETIMEDOUT)
			return fail(err, CLI_UNREACHABLE, -ETIMEDOUT,
				"the daemon at %s does not answer: silent for %d s", path,
				patience_ms / 1000);
		if (n == 0 || n == -ECONNRESET)
			return fail(err, CLI_UNREACHABLE, -EPIPE,
				"the daemon at %s hung up before its answer was complete", path);
		if (n < 0)
			return fail(err, CLI_UNREACHABLE, (int)n, "cannot read from %s: %s", path,
				strerror((int)-n));
		result = answer_feed(r, data, (size_t)n);
		if (result == 1)
			return 0;
		if (result == -ENOMEM)
			return fail(err, CLI_UNREACHABLE, result, "out of memory");
		if (result < 0)
			return fail(err, CLI_UNREACHABLE, result,
				"what listens at %s answers with something that is not Stockade's: "
				"is it the right socket?",
				path);
	}
}

int client_ask(int fd, const char *path, const json_t *request, int patience_ms,
	answer_item_fn *item, void *arg, struct answer *ret, struct client_error *err)
{
	struct answer_reader reader = {.item = item, .arg = arg, .answer = ret};
	int r;

	r = send_request(fd, path, request, err);
	if (r == 0)
		r = read_answer(fd, path, patience_ms, &reader, err);
	answer_reader_done(&reader);
	return r;
}
