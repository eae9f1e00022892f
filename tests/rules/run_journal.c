/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which entries of the journal does a filter ask for? Each line of the file is an expectation and
 * an entry's fields, values without blanks; lines that begin with "#" are left out:
 *
 *   yes|no FIELD=value FIELD=value ...
 */
#include "match/filter.h"
#include "source/journal_match.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool asks_for(const struct journal_match *m, const struct journal_terms *terms, char *fields)
{
	unsigned char has[JOURNAL_TERMS_MAX] = {0};
	char *at;

	for (char *f = strtok_r(fields, " ", &at); f != NULL; f = strtok_r(NULL, " ", &at)) {
		long i = journal_terms_find(terms, f, strlen(f));

		if (i >= 0)
			has[i] = 1;
	}
	return journal_match_test(m, terms, has);
}

static int run(const char *match, const char *path)
{
	struct journal_terms terms = {0};
	struct journal_match m;
	const char *error = NULL;
	unsigned n = 0, bad = 0;
	FILE *f = fopen(path, "rb");
	char line[1024];

	if (f == NULL) {
		perror(path);
		return 2;
	}
	if (match == NULL || journal_match_parse(&m, &terms, match, &error) < 0) {
		printf("journalmatch: %s\n", match == NULL ? "none" : error);
		fclose(f);
		return 2;
	}
	while (fgets(line, sizeof(line), f) != NULL) {
		char *fields = line + strcspn(line, " ");
		bool want = strncmp(line, "yes ", 4) == 0;

		if (line[0] == '#')
			continue;
		n++;
		line[strcspn(line, "\n")] = '\0';
		if (!want && strncmp(line, "no ", 3) != 0) {
			printf("%s: neither yes nor no\n", line);
			bad++;
			continue;
		}
		printf("%s: ", fields + 1);
		if (asks_for(&m, &terms, fields + 1) != want) {
			printf("not ");
			bad++;
		}
		printf("as expected\n");
	}
	printf("%u entries, %u not as expected\n", n, bad);
	fclose(f);
	journal_match_done(&m);
	journal_terms_done(&terms);
	return bad > 0 || n == 0;
}

int main(int argc, char **argv)
{
	struct arena *arena = arena_new();
	struct faults faults = {0};
	struct filter_def *def = NULL;
	int r = 2;

	if (argc != 4) {
		fprintf(stderr, "usage: %s CONFDIR FILTER[options] FILE\n", argv[0]);
		return 2;
	}
	if (ruleset_load_filter(&def, arena, argv[1], argv[2], &faults) == 0)
		r = run(def->journalmatch.text, argv[3]);
	for (size_t i = 0; i < faults.n; i++) {
		char *text = fault_text(&faults.items[i]);

		printf("%s\n", text != NULL ? text : "out of memory");
		free(text);
		r = 2;
	}
	faults_done(&faults);
	arena_free(arena);
	return r;
}
