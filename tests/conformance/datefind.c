/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Prints what the date finder says of each line of standard input: "none", "empty OFF 0",
 * "unreadable OFF LEN" or "found OFF LEN MICROSECONDS"; then, after "--", the patterns in the order
 * that it has come to, with their hits. Usage: datefind NOW_US [-z ZONE] [PATTERN]...
 */
#include "base/buf.h"
#include "match/date.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_found(enum date_found found, const struct stamp *s)
{
	static const char *const words[] = {"none", "empty", "unreadable", "found"};

	fputs(words[found], stdout);
	if (found != DATE_NONE)
		printf(" %zu %zu", s->off, s->len);
	if (found == DATE_FOUND)
		printf(" %lld", (long long)s->time_us);
	putchar('\n');
}

static void run(const struct date_patterns *p, int64_t now_us)
{
	struct date_finder *f = date_finder_new(p);
	char *line = NULL;
	size_t room = 0;
	ssize_t len;

	if (f == NULL)
		exit(2);
	while ((len = getline(&line, &room, stdin)) >= 0) {
		size_t n = (size_t)len - (len > 0 && line[len - 1] == '\n' ? 1 : 0);
		char *copy = malloc(n > 0 ? n : 1);
		struct stamp s = {0};

		/* Of its exact size, so that a step past its end is seen. */
		memcpy(copy, line, n);
		print_found(date_find(f, copy, n, now_us, &s), &s);
		free(copy);
	}
	puts("--");
	for (size_t i = 0; i < date_finder_count(f); i++) {
		struct date_usage u = date_finder_usage(f, i);

		printf("%llu %s\n", (unsigned long long)u.hits, u.name);
	}
	free(line);
	date_finder_free(f);
}

int main(int argc, char **argv)
{
	struct conf_text pattern = {0}, zone = {0};
	struct date_patterns *p = NULL;
	struct faults faults = {0};
	struct buf text = {0};
	int i = 2, r;

	if (argc < 2)
		return 2;
	if (i + 1 < argc && strcmp(argv[i], "-z") == 0) {
		zone.text = argv[i + 1];
		i += 2;
	}
	for (; i < argc; i++) {
		buf_adds(&text, argv[i]);
		buf_adds(&text, "\n");
	}
	if (text.len > 0)
		pattern.text = buf_text(&text);
	r = date_patterns_new(&p, &pattern, &zone, &faults);
	for (size_t k = 0; k < faults.n; k++)
		fprintf(stderr, "%s\n", faults.items[k].message);
	if (r == 0)
		run(p, strtoll(argv[1], NULL, 10));
	date_patterns_free(p);
	faults_done(&faults);
	buf_done(&text);
	return r == 0 ? 0 : 1;
}
