/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* What is opened first must not become what is written to as standard error. */
static bool fill_standard(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", O_RDWR) < 0)
			return false;
	return true;
}

int main(int argc, char **argv)
{
	return fill_standard() ? cli_main(argc, argv) : CLI_USAGE;
}
