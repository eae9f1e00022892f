/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whoever started the daemon and waits until it is up, and the file that says what process it is.
 */
#include "base/util.h"
#include "keeper/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void starter_tell(struct keeper *k, enum log_level level, const char *text, size_t len)
{
	if (k->starter_fd >= 0 && level <= LOG_LV_WARNING)
		dprintf(k->starter_fd, "stockade: %.*s\n", (int)len, text);
}

static void write_pidfile(const char *path)
{
	_cleanup_close_ int fd =
		open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC, 0644);

	if (fd < 0 || dprintf(fd, "%d\n", (int)getpid()) < 0)
		log_error("the pid file %s cannot be written: %s", path, strerror(errno));
}

void starter_ready(struct keeper *k)
{
	if (k->o->pidfile != NULL)
		write_pidfile(k->o->pidfile);
	if (k->starter_fd < 0)
		return;
	if (write(k->starter_fd, "", 1) < 0)
		log_info("whoever started this did not wait: %s", strerror(errno));
	close(k->starter_fd);
	k->starter_fd = -1;
}

/* It may be another's by now. */
static bool is_ours(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char text[32];
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;

	if (n <= 0)
		return false;
	text[n] = '\0';
	return atol(text) == getpid();
}

void starter_done(struct keeper *k)
{
	if (k->o->pidfile != NULL && is_ours(k->o->pidfile))
		unlink(k->o->pidfile);
	if (k->starter_fd >= 0)
		close(k->starter_fd);
	k->starter_fd = -1;
}
