/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* What is wrong with a configuration, and where: what `stockade check` prints. */

enum severity {
	FAULT_WARNING, /* runs, but probably not as meant */
	FAULT_ERROR,   /* cannot run like this */
};

/* A place in a file. line 0: the file as a whole; file NULL: no place (command line, built in). */
struct where {
	const char *file;
	unsigned line;
};

struct fault {
	enum severity severity;
	char *file; /* or NULL */
	unsigned line;
	char *message; /* what is wrong and what to write instead, one line */
};

/* {0} is an empty list. It owns its texts. */
struct faults {
	struct fault *items;
	size_t n;
	size_t n_errors;
};

/* Adds one; the text is copied. Past 1,000 faults only the counts go on. */
void fault_add(struct faults *f, enum severity severity, struct where where, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Is there one of these words at this place? */
bool faults_have(const struct faults *f, struct where where, const char *message);

/* "file:line: error: message" (the parts that are there), a malloc'd string or NULL. */
char *fault_text(const struct fault *f);

/* By file and line; what has no place goes first. */
void faults_sort(struct faults *f);

void faults_done(struct faults *f);
