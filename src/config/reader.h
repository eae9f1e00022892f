/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/arena.h"
#include "base/fault.h"
#include "config/names.h"
#include "config/overlay.h"
#include "config/ruleset.h"

/* One reading of a configuration: what it is made of, and where its faults go. */
struct reader {
	struct arena *scratch; /* gone when the reading is over */
	struct arena *keep;    /* what the result is made of */
	struct faults *faults;
	size_t n_errors; /* also those that were there already, and those told as warnings */
	bool lenient;  /* what is read is not in use: its errors are warnings, its warnings nothing
			*/
	bool no_dir;   /* there is no directory: the command line says it all */
	bool complete; /* read what is not in use, too, and keep what could be read */
	const char *dir;
	const struct overlay *overlay; /* or NULL */
	struct names files;            /* struct file by path: each is read once */
	struct names kept_names;       /* file names in keep */
	struct names told_actions;     /* those that are not run: it has been said */
};

/* Starts a reading whose result goes to keep. 0 or -ENOMEM. */
int reader_init(struct reader *r, struct arena *keep, const char *dir, struct faults *faults);
void reader_done(struct reader *r);

/* Adds a fault, unless the same is there already (many jails inherit one wrong default). */
void reader_fault(struct reader *r, enum severity severity, struct where where, const char *fmt,
	...) __attribute__((format(printf, 4, 5)));

#define reader_error(r, where, ...) reader_fault(r, FAULT_ERROR, where, __VA_ARGS__)
#define reader_warn(r, where, ...) reader_fault(r, FAULT_WARNING, where, __VA_ARGS__)

/* A piece of the file as it may stand in a message: escaped, cut when long; in scratch. */
const char *reader_show(struct reader *r, const char *text);

/* "; did you mean 'X'?" or "", in scratch. */
const char *reader_hint(
	struct reader *r, const char *word, const char *const *candidates, size_t n);

/* A copy of a text, or of a place, that outlives the reading. */
struct conf_text reader_keep(struct reader *r, struct conf_text t);
struct where reader_keep_where(struct reader *r, struct where where);
