/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * e2e-streams PLACE [N [SENDER]]: connects N times (1) to "ADDRESS PORT", with SENDER as its own
 * address, or to the path of a stream socket, and says "connected N". Then does what standard input
 * says, a line each (I is a connection's number from 0 on), and says "done" after each:
 *
 *	send I TEXT	TEXT has printf's \n, \r, \0 and \\
 *	drip I TEXT	the same, a byte at a time
 *	long I LENGTH	a line of so many bytes, without its end
 *	many I COUNT US	so many failures of sshd, in frames of both kinds and pieces of all sizes,
 *with so many microseconds between pieces shut I		closes it open		how many the
 *other side has not closed, in place of "done"
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int *fds, n_fds;

static int dial_path(const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	return connect(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0 ? -1 : fd;
}

static int make_addr(struct sockaddr_storage *ret, const char *text, int port)
{
	struct sockaddr_in *in = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;

	memset(ret, 0, sizeof(*ret));
	ret->ss_family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
	if (ret->ss_family == AF_INET) {
		in->sin_port = htons((uint16_t)port);
		return inet_pton(AF_INET, text, &in->sin_addr) == 1 ? 0 : -1;
	}
	in6->sin6_port = htons((uint16_t)port);
	return inet_pton(AF_INET6, text, &in6->sin6_addr) == 1 ? 0 : -1;
}

static int dial(const char *place, const char *sender)
{
	struct sockaddr_storage to, from;
	char addr[64];
	int port, fd;

	if (place[0] == '/')
		return dial_path(place);
	if (sscanf(place, "%63s %d", addr, &port) != 2 || make_addr(&to, addr, port) < 0)
		return -1;
	fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sender != NULL && (make_addr(&from, sender, 0) < 0 ||
				      bind(fd, (struct sockaddr *)&from, sizeof(from)) < 0))
		return -1;
	return connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ? -1 : fd;
}

static void send_all(int fd, const char *p, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

		if (n < 0)
			return; /* hung up on, as may be right */
		p += n;
		len -= (size_t)n;
	}
}

static size_t unescape(char *text)
{
	char *to = text;

	for (const char *s = text; *s != '\0'; s++) {
		if (*s == '\\' && s[1] != '\0') {
			s++;
			*to++ = *s == 'n' ? '\n' : *s == 'r' ? '\r' : *s == '0' ? '\0' : *s;
		} else {
			*to++ = *s;
		}
	}
	return (size_t)(to - text);
}

static void drip(int fd, const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		send_all(fd, p + i, 1);
		usleep(2000);
	}
}

static void send_long(int fd, size_t len)
{
	char text[4096];

	memset(text, 'x', sizeof(text));
	send_all(fd, "<38>", 4);
	for (len -= 4; len > 0;) {
		size_t n = len < sizeof(text) ? len : sizeof(text);

		send_all(fd, text, n);
		len -= n;
	}
}

static void send_many(int fd, long count, long pause_us)
{
	static char buf[1 << 16];
	size_t len = 0, at, n;
	char msg[256];

	srand(1);
	for (long i = 0; i < count || len > 0;) {
		for (; i < count && len < sizeof(buf) - 512; i++) {
			int m = snprintf(msg, sizeof(msg),
				"<38>sshd[%ld]: Failed password for root from 10.%ld.%ld.%ld port "
				"4242 ssh2",
				i, 100 + i % 7, i % 11, 1 + i % 13);

			if (i % 3 == 0)
				len += (size_t)sprintf(buf + len, "%s\n", msg);
			else
				len += (size_t)sprintf(buf + len, "%d %s", m, msg);
		}
		for (at = 0; at < len; at += n) {
			n = 1 + (size_t)rand() % 3000;
			if (n > len - at)
				n = len - at;
			send_all(fd, buf + at, n);
			usleep((useconds_t)pause_us);
		}
		len = 0;
	}
}

static int count_open(void)
{
	int n = 0;
	char c;

	for (int i = 0; i < n_fds; i++)
		n += fds[i] >= 0 && recv(fds[i], &c, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
	return n;
}

static int obey(char *line)
{
	char what[16], *text;
	int i, used = 0;
	long a = 0, b = 0;

	line[strcspn(line, "\n")] = '\0';
	if (strcmp(line, "open") == 0)
		return printf("%d\n", count_open());
	if (sscanf(line, "%15s %d%n", what, &i, &used) != 2 || i < 0 || i >= n_fds)
		return -1;
	text = line + used + (line[used] == ' ');
	sscanf(text, "%ld %ld", &a, &b);
	if (strcmp(what, "send") == 0)
		send_all(fds[i], text, unescape(text));
	else if (strcmp(what, "drip") == 0)
		drip(fds[i], text, unescape(text));
	else if (strcmp(what, "long") == 0)
		send_long(fds[i], (size_t)a);
	else if (strcmp(what, "many") == 0)
		send_many(fds[i], a, b);
	else if (strcmp(what, "shut") == 0)
		close(fds[i]), fds[i] = -1;
	else
		return -1;
	return puts("done");
}

int main(int argc, char **argv)
{
	int n = argc > 2 ? atoi(argv[2]) : 1;
	static char line[1 << 16];
	struct rlimit l;

	if (argc < 2 || n < 1)
		return 2;
	getrlimit(RLIMIT_NOFILE, &l);
	l.rlim_cur = l.rlim_max;
	setrlimit(RLIMIT_NOFILE, &l);
	setvbuf(stdout, NULL, _IOLBF, 0);
	fds = calloc((size_t)n, sizeof(int));
	for (; n_fds < n; n_fds++) {
		fds[n_fds] = dial(argv[1], argc > 3 ? argv[3] : NULL);
		if (fds[n_fds] < 0) {
			perror("e2e-streams: connect");
			return 1;
		}
	}
	printf("connected %d\n", n);
	while (fgets(line, sizeof(line), stdin) != NULL)
		if (obey(line) < 0)
			return 2;
	return 0;
}
