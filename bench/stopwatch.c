/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench-stopwatch [-i FILE] [-o FILE] [-e FILE] COMMAND...: runs it with these as its standard
 * streams (/dev/null where none is named) and prints "WALL CPU RSS": seconds it took, seconds of
 * processor time of it and its children, and the largest of them in KiB. Its status is COMMAND's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what)
{
	fprintf(stderr, "bench-stopwatch: %s: %s\n", what, strerror(errno));
	_exit(126);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static double seconds(struct timeval tv)
{
	return (double)tv.tv_sec + (double)tv.tv_usec / 1e6;
}

static void stream(int fd, const char *file, int flags)
{
	int got = open(file, flags | O_CLOEXEC, 0600);

	if (got < 0 || dup2(got, fd) < 0)
		die(file);
}

int main(int argc, char **argv)
{
	const char *in = "/dev/null", *out = "/dev/null", *err = "/dev/null";
	struct rusage used;
	double start, took;
	int c, status;
	pid_t pid;

	while ((c = getopt(argc, argv, "+i:o:e:")) != -1) {
		if (c == '?')
			return 126;
		*(c == 'i' ? &in : c == 'o' ? &out : &err) = optarg;
	}
	if (optind == argc) {
		fprintf(stderr,
			"usage: bench-stopwatch [-i FILE] [-o FILE] [-e FILE] COMMAND...\n");
		return 126;
	}
	start = now();
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		stream(STDIN_FILENO, in, O_RDONLY);
		stream(STDOUT_FILENO, out, O_WRONLY | O_CREAT | O_TRUNC);
		stream(STDERR_FILENO, err, O_WRONLY | O_CREAT | O_TRUNC);
		execvp(argv[optind], argv + optind);
		die(argv[optind]);
	}
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	took = now() - start;
	getrusage(RUSAGE_CHILDREN, &used);
	printf("%.6f %.6f %ld\n", took, seconds(used.ru_utime) + seconds(used.ru_stime),
		used.ru_maxrss);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
