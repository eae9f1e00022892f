/* SPDX-License-Identifier: GPL-2.0-or-later */
/* porter_check: a child looks at the files, and writes what it has found into a pipe. */
#include "base/buf.h"
#include "base/util.h"
#include "porter/material.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define FOUND_MAX 65536

static bool has_tls(const struct syslog_settings *s)
{
	for (size_t i = 0; i < s->n_listen; i++)
		if (s->listen[i].kind == LISTEN_TLS)
			return true;
	return false;
}

static void put_text(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text) + 1);
}

/* The digest, then of each fault severity, file, line and message, with a NUL after each. */
static void look(int fd, const struct syslog_settings *s)
{
	struct faults f = {0};
	struct material m;
	struct buf out = {0};
	int r;

	/* Nobody else may read the key out of this process, and no dump of it stays. */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	r = material_load(&m, s, &f);
	if (r == -ENOMEM)
		_exit(1);
	buf_add(&out, m.digest, sizeof(m.digest));
	for (size_t i = 0; i < f.n; i++) {
		char line[16];

		snprintf(line, sizeof(line), "%u", f.items[i].line);
		put_text(&out, f.items[i].severity == FAULT_ERROR ? "error" : "warning");
		put_text(&out, f.items[i].file != NULL ? f.items[i].file : "");
		put_text(&out, line);
		put_text(&out, f.items[i].message);
	}
	if (out.len > FOUND_MAX || write(fd, out.data, out.len) != (ssize_t)out.len)
		_exit(1);
	_exit(0);
}

/* 0, or -EINVAL if it ends before its end. */
static int take_text(const char **p, const char *end, const char **ret)
{
	const char *nul = memchr(*p, '\0', (size_t)(end - *p));

	if (nul == NULL)
		return -EINVAL;
	*ret = *p;
	*p = nul + 1;
	return 0;
}

static int take_faults(const char *p, const char *end, struct faults *f)
{
	const char *severity, *file, *line, *message;

	while (p < end) {
		if (take_text(&p, end, &severity) < 0 || take_text(&p, end, &file) < 0 ||
			take_text(&p, end, &line) < 0 || take_text(&p, end, &message) < 0)
			return -EINVAL;
		fault_add(f, strcmp(severity, "error") == 0 ? FAULT_ERROR : FAULT_WARNING,
			(struct where) {file[0] != '\0' ? file : NULL, (unsigned)atol(line)}, "%s",
			message);
	}
	return 0;
}

static ssize_t read_found(int fd, char *buf, size_t size)
{
	size_t len = 0;

	while (len < size) {
		ssize_t n = read(fd, buf + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -ECHILD;
}

int porter_check(
	const struct syslog_settings *s, struct faults *f, uint8_t ret_digest[PORTER_DIGEST])
{
	_cleanup_free_ char *found = malloc(FOUND_MAX);
	size_t errors_before = f->n_errors;
	int pipe_fds[2], r;
	ssize_t n;
	pid_t pid;

	if (!has_tls(s) || s->certificate.text == NULL || s->key.text == NULL)
		return 0;
	if (found == NULL)
		return -ENOMEM;
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return -errno;
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		look(pipe_fds[1], s);
	r = pid < 0 ? -errno : 0;
	close(pipe_fds[1]);
	n = r == 0 ? read_found(pipe_fds[0], found, FOUND_MAX) : 0;
	close(pipe_fds[0]);
	if (r == 0)
		r = wait_for(pid);
	if (r == 0 && n < PORTER_DIGEST)
		r = -EINVAL;
	if (r == 0)
		r = take_faults(found + PORTER_DIGEST, found + n, f);
	if (r < 0) {
		fault_add(f, FAULT_ERROR, s->certificate.where,
			"certificate, key and ca could not be looked at: %s", strerror(-r));
		return r;
	}
	if (ret_digest != NULL)
		memcpy(ret_digest, found, PORTER_DIGEST);
	return f->n_errors > errors_before ? -EINVAL : 0;
}

bool porter_is_built(void)
{
	return true;
}
