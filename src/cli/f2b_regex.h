/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/f2b_find.h"
#include "cli/f2b_texts.h"

#include <stdio.h>

/*
 * The program under the name of fail2ban-regex: its arguments, its report, its exit statuses.
 */

/* Exit statuses. */
enum {
	F2B_GOOD = 0,
	F2B_WRONG_OPTION = 2,
	F2B_FAILED = 255,
};

/* What a line turned out to be, and whether such lines are shown. */
enum f2b_lines_kind {
	F2B_MATCHED,
	F2B_IGNORED,
	F2B_MISSED,
	F2B_KINDS,
};

struct f2b_options {
	const char *program; /* as it was called */
	const char *config, *datepattern, *timezone, *encoding, *usedns, *journalmatch, *out;
	unsigned maxlines; /* 0: not given */
	unsigned show_max; /* so many lines of a kind are shown */
	int log_level, verbose;
	bool raw, verbose_date, debuggex, check_all;
	bool print_all[F2B_KINDS], print_none[F2B_KINDS];
	const char *log, *regex, *ignoreregex; /* the operands; the last may be NULL */
};

#define F2B_LEVEL_WARNING 30
#define F2B_LEVEL_CRITICAL 50

/*
 * Reads the arguments. Returns true, or false when all is said already: with *ret_status what to
 * exit with.
 */
bool f2b_args_read(
	struct f2b_options *o, int argc, char **argv, FILE *out, FILE *err, int *ret_status);

/* An expression of the filter, as it is written, and what it found. */
struct f2b_rule {
	const char *text;
	uint64_t hits;
	struct f2b_texts shown; /* of each hit, whom and when */
};

/* Lines of one kind. */
struct f2b_kept {
	uint64_t n;
	struct f2b_texts lines, undated; /* those to be shown; without their dates, for debuggex */
};

/* One run. */
struct f2b {
	struct f2b_options o;
	FILE *out;
	struct arena *arena;
	struct faults faults;
	struct f2b_finder finder;
	struct date_patterns *patterns; /* NULL: as finder.dates */
	struct conf_text zone;
	bool has_maxlines, has_datepattern;
	const char *journalmatch; /* or NULL */
	struct f2b_rule *fail, *ignore;
	struct f2b_kept kept[F2B_KINDS];
	uint64_t tested, pref_hits;
	struct f2b_texts pref_shown; /* what the prefregex captured */
	bool is_ignored;             /* an ignoreregex matched the line under way */
	bool has_warned;             /* of a match without a date: once is enough */
	bool is_tty;
};

/* Prints a text and a line end. Controls are escaped on a terminal. */
void f2b_print(struct f2b *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void f2b_print_text(struct f2b *b, const char *text, size_t len);

/* The same unless only failures are wanted (-o). */
void f2b_tell(struct f2b *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Prints a warning as fail2ban's log has it, where the level asks for it. */
void f2b_warn(struct f2b *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The faults noted so far that are errors, a line each, and forgets them. */
void f2b_print_faults(struct f2b *b, const char *before);

/* "[...]" at 53 characters: the text when it is short enough, else its beginning in buf. */
#define F2B_SHORT_MAX 53
const char *f2b_short(const char *text, char buf[static 4 * F2B_SHORT_MAX]);

/* Reads the datepattern, once: from the command line, else from the filter. */
bool f2b_set_datepattern(struct f2b *b, const struct conf_text *pattern);
bool f2b_set_maxlines(struct f2b *b, long n);

/* Loads what the operands REGEX and IGNOREREGEX name. False when that failed, and was told. */
bool f2b_load(struct f2b *b);

/* Is there a regular file of that path? */
bool f2b_is_file(const char *path);

/* Does LOG name the journal? A file of that name goes first. */
bool f2b_is_journal(const struct f2b *b);

/* Reads LOG and judges its lines. False when it cannot be read. */
bool f2b_read(struct f2b *b);

/* The same for the journal. */
bool f2b_read_journal(struct f2b *b);

/* Judges a line and counts it. */
void f2b_judge(struct f2b *b, const char *line, size_t len, const struct f2b_dated *dated);

/* Prints what a line's failures are, as -o asks. */
void f2b_out(struct f2b *b);

/* Prints what was found. */
void f2b_report(struct f2b *b, int64_t elapsed_us);

/* The whole program. Returns its exit status. */
int f2b_regex_main(int argc, char **argv, FILE *out, FILE *err);
