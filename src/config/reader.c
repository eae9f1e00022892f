/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/reader.h"

#include "base/text.h"
#include "base/util.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int reader_init(struct reader *r, struct arena *keep, const char *dir, struct faults *faults)
{
	size_t len = strlen(dir);

	*r = (struct reader) {.keep = keep, .faults = faults, .scratch = arena_new()};
	if (r->scratch == NULL)
		return -ENOMEM;
	while (len > 1 && dir[len - 1] == '/')
		len--;
	r->dir = arena_strndup(r->scratch, dir, len);
	return 0;
}

void reader_done(struct reader *r)
{
	arena_free(r->scratch);
	*r = (struct reader) {0};
}

/* So many faults are nobody's reading, and comparing with each of them takes long. */
#define COMPARE_MAX 1000

void reader_fault(
	struct reader *r, enum severity severity, struct where where, const char *fmt, ...)
{
	_cleanup_free_ char *message = NULL;
	va_list ap;

	r->n_errors += severity == FAULT_ERROR;
	if (r->lenient && severity == FAULT_WARNING)
		return;
	if (r->lenient)
		severity = FAULT_WARNING;
	va_start(ap, fmt);
	if (vasprintf(&message, fmt, ap) < 0)
		message = NULL;
	va_end(ap);
	if (message == NULL)
		fault_add(r->faults, severity, where, "out of memory");
	else if (r->faults->n >= COMPARE_MAX || !faults_have(r->faults, where, message))
		fault_add(r->faults, severity, where, "%s", message);
}

const char *reader_show(struct reader *r, const char *text)
{
	char *shown = arena_alloc(r->scratch, 100);

	text_escape(shown, 100, text, strlen(text));
	return shown;
}

const char *reader_hint(struct reader *r, const char *word, const char *const *candidates, size_t n)
{
	const char *near = text_nearest(word, candidates, n);

	return near != NULL ? arena_printf(r->scratch, "; did you mean '%s'?", near) : "";
}

struct where reader_keep_where(struct reader *r, struct where where)
{
	struct named *kept;

	if (where.file == NULL)
		return where;
	kept = names_get(&r->kept_names, where.file);
	if (kept == NULL) {
		kept = arena_alloc(r->scratch, sizeof(*kept));
		kept->name = arena_strdup(r->keep, where.file);
		names_put(&r->kept_names, r->scratch, kept);
	}
	where.file = kept->name;
	return where;
}

struct conf_text reader_keep(struct reader *r, struct conf_text t)
{
	if (t.text != NULL)
		t.text = arena_strdup(r->keep, t.text);
	t.where = reader_keep_where(r, t.where);
	return t;
}
