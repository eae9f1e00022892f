/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * e2e-unix PATH [N [shut]]: connects N times (1) to a stream socket, sends what stands on standard
 * input on the last of the connections, closes its own side ("shut" only), and prints what comes
 * back there, up to the end of a line. With N above 1 the others say nothing and stay open.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int dial(const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof(sun.sun_path))
		return -1;
	strcpy(sun.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

int main(int argc, char **argv)
{
	int n = argc > 2 ? atoi(argv[2]) : 1;
	char buf[65536];
	ssize_t len;
	int fd = -1;

	if (argc < 2) {
		fprintf(stderr, "usage: e2e-unix PATH [N [shut]]\n");
		return 2;
	}
	for (int i = 0; i < n; i++) {
		fd = dial(argv[1]);
		if (fd < 0) {
			perror("e2e-unix: connect");
			return 1;
		}
	}
	while ((len = read(STDIN_FILENO, buf, sizeof(buf))) > 0) {
		for (ssize_t at = 0; at < len;) {
			ssize_t sent = send(fd, buf + at, (size_t)(len - at), MSG_NOSIGNAL);

			if (sent < 0)
				return 0; /* hung up on, as may be right */
			at += sent;
		}
	}
	if (argc > 3)
		shutdown(fd, SHUT_WR);
	while ((len = recv(fd, buf, sizeof(buf), 0)) > 0) {
		fwrite(buf, 1, (size_t)len, stdout);
		if (buf[len - 1] == '\n')
			break;
	}
	return 0;
}
