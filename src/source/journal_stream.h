/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "source/journal_files.h"
#include "source/journal_match.h"

#include <systemd/sd-journal.h>

/* What one writer wrote, in its order: some files of a journal, read as one. */
struct journal_stream {
	char *name;
	sd_journal *j; /* NULL: none of its files can be read */
	char **paths;  /* of the files it was opened with */
	size_t n_paths;
	size_t n_unread; /* of them, those that could not be opened: tried again when they change */
	int why;         /* -errno of one of these */
	char cursor[JOURNAL_CURSOR_MAX + 1]; /* of the last entry dealt with; "": none yet */
	int64_t since_us;                    /* where to begin then */
	bool seeking;  /* nothing was read since the seek: the next entry may be the cursor's */
	bool at_entry; /* j stands on an entry that was not dealt with */
	bool pending;  /* there may be more to read */
	bool resumed;  /* the cursor is one of before the start, and was not looked for yet */
	bool listed;   /* it has files, by the present scan */
	uint64_t realtime_us; /* of that entry */
};

/*
 * Opens its files anew and goes to where reading goes on, passing only what matches. What cannot be
 * opened (not begun yet, not allowed, damaged) is left out and counted. 0 or -errno.
 */
int journal_stream_open(struct journal_stream *s, const struct journal_file *files, size_t n,
	const struct journal_match *matches, size_t n_matches, const struct journal_terms *terms);

/* Are these the files it was opened with, all of them? */
bool journal_stream_has(const struct journal_stream *s, const struct journal_file *files, size_t n);

/*
 * Goes to the next entry. 1, 0 at the end, or -errno. *ret_gone: the entry at which reading ended
 * before the start is not there any more.
 */
int journal_stream_next(struct journal_stream *s, bool *ret_gone);

void journal_stream_close(struct journal_stream *s);
void journal_stream_done(struct journal_stream *s);
