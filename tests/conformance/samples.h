/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* fail2ban's sample logs: log lines, each announced by a comment that says what is to be found. */

/* A line to be judged. */
struct sample {
	char *text;
	size_t len;
	json_t *want; /* the object of "# failJSON"; empty: no match */
	char *file;
	unsigned line;
};

/* All lines that go through one filter with one set of options, in order: sessions span them. */
struct sample_set {
	char *key;    /* what tells it from the filter's other sets */
	json_t *opts; /* what it was first asked for with, "test." options included */
	struct sample *samples;
	size_t n;
};

struct sample_log {
	struct sample_set *sets;
	size_t n;
	size_t n_files;
};

/*
 * Reads dir/name and the files that it adds. What cannot be understood ends the program: a sample
 * left out in silence would be one that agrees.
 */
void sample_log_read(struct sample_log *ret, const char *dir, const char *name);
void sample_log_done(struct sample_log *log);

/*
 * The value of a condition of the sample logs: comparisons of the filter's name or of an option
 * with a text, joined by "and" or "or". Ends the program at any other.
 */
bool sample_condition(const char *text, const char *name, const json_t *opts);

/* Says why on standard error, and ends the program. */
_Noreturn void sample_die(const char *format, ...) __attribute__((format(printf, 1, 2)));
