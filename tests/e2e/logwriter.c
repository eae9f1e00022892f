/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * e2e-logwriter FILE RETRY RATE [GROUPS]: appends what sshd would log, RATE lines a second (0: as
 * fast as it can), until GROUPS groups are written or a SIGTERM asks for the end; a group begun is
 * always ended. Then prints what it wrote: "groups=N lines=N failures=N attackers=N".
 *
 * A group: 8 attackers (10.0.0.0/8) with RETRY failures each, 4 innocents (172.16.0.0/12) with
 * RETRY - 1 failures each, one round after the other so that they interleave, and in each round one
 * line that is no failure. No address comes back in another group.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ATTACKERS 8
#define INNOCENTS 4

struct writer {
	int fd;
	unsigned retry;
	unsigned long rate;
	struct timespec start;
	unsigned long lines, failures;
	char stamp[32];
	time_t stamp_sec;
};

static volatile sig_atomic_t leave;

static void on_term(int sig)
{
	(void)sig;
	leave = 1;
}

/* Sleeps until the next line is due. */
static void pace(const struct writer *w)
{
	struct timespec due = w->start;

	if (!w->rate)
		return;
	due.tv_sec += (time_t)(w->lines / w->rate);
	due.tv_nsec += (long)(w->lines % w->rate * 1000000000UL / w->rate);
	if (due.tv_nsec >= 1000000000L) {
		due.tv_sec++;
		due.tv_nsec -= 1000000000L;
	}
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR)
		;
}

static const char *stamp(struct writer *w)
{
	time_t now = time(NULL);
	struct tm tm;

	if (now != w->stamp_sec) {
		w->stamp_sec = now;
		strftime(w->stamp, sizeof(w->stamp), "%b %e %H:%M:%S", localtime_r(&now, &tm));
	}
	return w->stamp;
}

static void put(struct writer *w, const char *what, uint32_t ip)
{
	char line[256];
	int len;

	pace(w);
	len = snprintf(line, sizeof(line), "%s host sshd[%lu]: %s from %u.%u.%u.%u port %lu ssh2\n",
		stamp(w), 1000 + w->lines % 60000, what, ip >> 24, ip >> 16 & 255, ip >> 8 & 255,
		ip & 255, 1024 + w->lines % 60000);
	for (char *p = line; len > 0;) {
		ssize_t n = write(w->fd, p, (size_t)len);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			perror("e2e-logwriter");
			exit(1);
		}
		p += n;
		len -= (int)n;
	}
	w->lines++;
}

static void put_group(struct writer *w, uint32_t group)
{
	for (unsigned round = 0; round < w->retry; round++) {
		for (uint32_t i = 0; i < ATTACKERS; i++)
			put(w, "Failed password for root",
				0x0a000000u + 256 + group * ATTACKERS + i);
		for (uint32_t i = 0; i < INNOCENTS && round + 1 < w->retry; i++) {
			put(w, "Failed password for invalid user admin",
				0xac100000u + group * INNOCENTS + i);
			w->failures++;
		}
		put(w, "Accepted publickey for root", 0xc0a80001u);
		w->failures += ATTACKERS;
	}
}

int main(int argc, char **argv)
{
	struct writer w = {0};
	unsigned long groups, limit;

	if (argc < 4) {
		fprintf(stderr, "usage: e2e-logwriter FILE RETRY RATE [GROUPS]\n");
		return 2;
	}
	w.retry = (unsigned)strtoul(argv[2], NULL, 10);
	w.rate = strtoul(argv[3], NULL, 10);
	limit = argc > 4 ? strtoul(argv[4], NULL, 10) : 250000;
	w.fd = open(argv[1], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	if (w.fd < 0) {
		perror(argv[1]);
		return 1;
	}
	signal(SIGTERM, on_term);
	clock_gettime(CLOCK_MONOTONIC, &w.start);
	for (groups = 0; groups < limit && !leave; groups++)
		put_group(&w, (uint32_t)groups);
	printf("groups=%lu lines=%lu failures=%lu attackers=%lu\n", groups, w.lines, w.failures,
		groups * ATTACKERS);
	return 0;
}
