/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/journal_stream.h"

#include "base/util.h"

#include <errno.h>
#include <string.h>

/* Lets the library pass only what some jail wants. */
static int add_matches(sd_journal *j, const struct journal_match *matches, size_t n,
	const struct journal_terms *terms)
{
	for (size_t i = 0; i < n; i++) {
		if (matches[i].n == 0)
			return 0;
	}
	for (size_t i = 0; i < n; i++) {
		for (size_t g = 0; g < matches[i].n; g++) {
			const struct journal_group *group = &matches[i].groups[g];
			int e = sd_journal_add_disjunction(j);

			for (size_t t = 0; t < group->n && e >= 0; t++) {
				const struct journal_term *term = &terms->items[group->terms[t]];

				e = sd_journal_add_match(j, term->text, term->len);
			}
			if (e < 0)
				return e;
		}
	}
	return 0;
}

static int seek(struct journal_stream *s)
{
	s->seeking = true;
	s->at_entry = false;
	s->pending = true;
	/* A cursor that cannot be read is as good as none. */
	if (s->cursor[0] != '\0' && sd_journal_seek_cursor(s->j, s->cursor) >= 0)
		return 0;
	s->cursor[0] = '\0';
	return sd_journal_seek_realtime_usec(s->j, s->since_us > 0 ? (uint64_t)s->since_us : 0);
}

void journal_stream_close(struct journal_stream *s)
{
	sd_journal_close(TAKE_PTR(s->j));
	for (size_t i = 0; i < s->n_paths; i++)
		free(s->paths[i]);
	free(TAKE_PTR(s->paths));
	s->n_paths = s->n_unread = 0;
	s->at_entry = s->pending = false;
}

void journal_stream_done(struct journal_stream *s)
{
	journal_stream_close(s);
	free(TAKE_PTR(s->name));
}

/* The files that can be opened, each tried by itself: one that cannot would spoil it for all. */
static size_t sort_out(struct journal_stream *s, const char **paths)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_paths; i++) {
		const char *one[] = {s->paths[i], NULL};
		sd_journal *j = NULL;
		int e = sd_journal_open_files(&j, one, 0);

		if (e >= 0)
			paths[n++] = s->paths[i];
		else
			s->why = e;
		sd_journal_close(j);
	}
	return n;
}

/* All files, or as many as can be. */
static int open_files(struct journal_stream *s)
{
	const char **paths = calloc(s->n_paths + 1, sizeof(*paths));
	size_t n = s->n_paths;
	int e;

	if (paths == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		paths[i] = s->paths[i];
	e = sd_journal_open_files(&s->j, paths, 0);
	if (e < 0 && e != -ENOMEM) {
		s->j = NULL;
		n = sort_out(s, paths);
		paths[n] = NULL;
		e = n > 0 ? sd_journal_open_files(&s->j, paths, 0) : 0;
	}
	/* Between two looks one may have gone: its directory's watch has told, and it is looked
	 * again. */
	if (e < 0)
		s->j = NULL;
	s->n_unread = s->j != NULL ? s->n_paths - n : s->n_paths;
	free(paths);
	return e == -ENOMEM ? e : 0;
}

int journal_stream_open(struct journal_stream *s, const struct journal_file *files, size_t n,
	const struct journal_match *matches, size_t n_matches, const struct journal_terms *terms)
{
	int e;

	journal_stream_close(s);
	s->paths = calloc(n + 1, sizeof(*s->paths));
	if (s->paths == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		s->paths[i] = strdup(files[i].path);
		if (s->paths[i] == NULL)
			return -ENOMEM;
		s->n_paths++;
	}
	e = open_files(s);
	if (e < 0 || s->j == NULL)
		return e;
	e = add_matches(s->j, matches, n_matches, terms);
	if (e >= 0)
		e = sd_journal_set_data_threshold(s->j, JOURNAL_TEXT_MAX + 64);
	return e >= 0 ? seek(s) : e;
}

bool journal_stream_has(const struct journal_stream *s, const struct journal_file *files, size_t n)
{
	if (s->n_paths != n || s->n_unread > 0)
		return false;
	for (size_t i = 0; i < n; i++)
		if (strcmp(s->paths[i], files[i].path) != 0)
			return false;
	return true;
}

/*
 * Is this the cursor's entry? Copied to another file (flushed from /run to /var) it is numbered
 * anew, but boot, both times and the sum of its content, the end of the cursor, are the same.
 */
static bool is_cursor(const struct journal_stream *s)
{
	_cleanup_free_ char *here = NULL;
	const char *a, *b;

	if (sd_journal_test_cursor(s->j, s->cursor) > 0)
		return true;
	if (sd_journal_get_cursor(s->j, &here) < 0)
		return false;
	a = strstr(here, ";b=");
	b = strstr(s->cursor, ";b=");
	/* In one file equal ones are two: the library tells them apart by their number. */
	return a != NULL && b != NULL && strcmp(a, b) == 0 &&
	       (a - here < 35 || strncmp(here, s->cursor, 35) != 0);
}

int journal_stream_next(struct journal_stream *s, bool *ret_gone)
{
	int e;

	*ret_gone = false;
	while ((e = sd_journal_next(s->j)) > 0) {
		bool first = s->seeking;

		s->seeking = false;
		if (first && s->cursor[0] != '\0' && is_cursor(s)) {
			s->resumed = false;
			continue;
		}
		*ret_gone = s->resumed;
		s->resumed = false;
		e = sd_journal_get_realtime_usec(s->j, &s->realtime_us);
		s->at_entry = e >= 0;
		return e >= 0 ? 1 : e;
	}
	s->pending = false;
	if (e == 0 && s->seeking && s->resumed) {
		*ret_gone = true;
		s->resumed = false;
	}
	return e;
}
