/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAULTS_MAX 1000

void fault_add(struct faults *f, enum severity severity, struct where where, const char *fmt, ...)
{
	struct fault *items, one = {.severity = severity, .line = where.line};
	va_list ap;

	if (severity == FAULT_ERROR)
		f->n_errors++;
	if (f->n >= FAULTS_MAX)
		return;
	items = reallocarray(f->items, f->n + 1, sizeof(*items));
	if (items == NULL)
		return;
	f->items = items;
	va_start(ap, fmt);
	if (vasprintf(&one.message, fmt, ap) < 0)
		one.message = NULL;
	va_end(ap);
	if (one.message == NULL)
		return;
	one.file = where.file != NULL ? strdup(where.file) : NULL;
	f->items[f->n++] = one;
}

bool faults_have(const struct faults *f, struct where where, const char *message)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct fault *one = &f->items[i];

		if (one->line == where.line && strcmp(one->message, message) == 0 &&
			(one->file == NULL) == (where.file == NULL) &&
			(one->file == NULL || strcmp(one->file, where.file) == 0))
			return true;
	}
	return false;
}

char *fault_text(const struct fault *f)
{
	const char *kind = f->severity == FAULT_ERROR ? "error" : "warning";
	char *text;
	int r;

	if (f->file == NULL)
		r = asprintf(&text, "%s: %s", kind, f->message);
	else if (f->line == 0)
		r = asprintf(&text, "%s: %s: %s", f->file, kind, f->message);
	else
		r = asprintf(&text, "%s:%u: %s: %s", f->file, f->line, kind, f->message);
	return r < 0 ? NULL : text;
}

static int by_place(const void *a, const void *b)
{
	const struct fault *x = a, *y = b;
	int r = 0;

	if (x->file == NULL || y->file == NULL)
		r = (x->file != NULL) - (y->file != NULL);
	else
		r = strcmp(x->file, y->file);
	if (r == 0)
		r = (x->line > y->line) - (x->line < y->line);
	return r != 0 ? r : strcmp(x->message, y->message);
}

void faults_sort(struct faults *f)
{
	if (f->n > 1)
		qsort(f->items, f->n, sizeof(f->items[0]), by_place);
}

void faults_done(struct faults *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->items[i].file);
		free(f->items[i].message);
	}
	free(f->items);
	*f = (struct faults) {0};
}
