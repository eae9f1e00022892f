/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "source/journal.h"

/*
 * The files of a journal: which there are, to which stream each belongs, and what happens to them.
 * libsystemd sees that of a directory it was given, but not one that comes later or is removed and
 * made anew; and it reads all files of a directory as one stream.
 */

struct journal_file {
	char *stream; /* "MACHINE-ID/system", "/remote-10.0.0.1": what rotation does not change */
	char *path;
};

struct journal_dir {
	int wd;
	char *path;
	char *prefix; /* of its files' streams */
	bool seen;    /* in the present scan */
};

struct journal_files {
	const struct journal_conf *conf;
	int fd;            /* inotify, non-blocking */
	bool is_unwatched; /* on a network, or not there yet where we may not look: nobody tells of
			      changes */
	struct journal_file *items; /* sorted by stream and path */
	size_t n, room;
	struct journal_dir *dirs;
	size_t n_dirs;
	bool denied;      /* a directory may not be read */
	char machine[33]; /* this machine's id, "" if it has none */
};

int journal_files_init(struct journal_files *fs, const struct journal_conf *conf);
void journal_files_done(struct journal_files *fs);

/* Looks at what is there now, watching each directory before. 0 or -ENOMEM. */
int journal_files_scan(struct journal_files *fs);

/*
 * Reads what happened: fn is told which streams were written to. Returns whether files came or
 * went, so that a scan is due.
 */
typedef void journal_touched_fn(void *arg, const char *stream);
bool journal_files_changed(struct journal_files *fs, journal_touched_fn *fn, void *arg);
