/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/daemonize.h"

#include "base/util.h"
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Passes on what is told until the NUL that says that all is well. */
static bool wait_ready(int fd, FILE *err)
{
	char text[1024];
	ssize_t n;

	while ((n = read(fd, text, sizeof(text))) != 0) {
		const char *end;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		end = memchr(text, '\0', (size_t)n);
		fwrite(text, 1, end != NULL ? (size_t)(end - text) : (size_t)n, err);
		fflush(err);
		if (end != NULL)
			return true;
	}
	return false;
}

static int status_of(pid_t child)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return CLI_USAGE;
	return WIFEXITED(status) && WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : CLI_USAGE;
}

static bool leave_terminal(void)
{
	_cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || setsid() < 0 || chdir("/") < 0)
		return false;
	for (int fd = 0; fd < 3; fd++)
		if (dup2(null, fd) < 0)
			return false;
	return true;
}

bool daemonize(FILE *err, int *ret_starter, int *ret_status)
{
	int fds[2];
	pid_t child;

	*ret_status = CLI_USAGE;
	fflush(NULL);
	if (pipe2(fds, O_CLOEXEC) < 0) {
		fprintf(err, "stockade: no pipe: %s\n", strerror(errno));
		return false;
	}
	child = fork();
	if (child == 0) {
		close(fds[0]);
		*ret_starter = fds[1];
		if (leave_terminal())
			return true;
		dprintf(fds[1], "stockade: cannot leave the terminal: %s\n", strerror(errno));
		_exit(CLI_USAGE);
	}
	close(fds[1]);
	if (child < 0)
		fprintf(err, "stockade: no process: %s\n", strerror(errno));
	else
		*ret_status = wait_ready(fds[0], err) ? CLI_GOOD : status_of(child);
	close(fds[0]);
	return false;
}
