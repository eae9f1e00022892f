/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "match/datebound.h"
#include "match/dateformat.h"
#include "match/regex.h"

/*
 * One way to write a date: a regex, and what its groups mean. Templates are the same for all who
 * ask for the same pattern, compiled once, counted, and used by one thread.
 */

enum date_kind {
	DATE_CIVIL,      /* groups named after the formats */
	DATE_EPOCH,      /* seconds since 1970 */
	DATE_LONG_EPOCH, /* the same, or milliseconds or microseconds: by the number of digits */
	DATE_TAI64N,     /* "@" and 24 hexadecimal digits */
};

/* Without what there is no such date in a line. */
enum date_sought {
	DATE_SOUGHT_ANYHOW,
	DATE_SOUGHT_START,  /* it is anchored: the right bytes at the line's beginning */
	DATE_SOUGHT_CLOCK,  /* a digit, ":" and a digit */
	DATE_SOUGHT_NUMBER, /* digits at the beginning, perhaps in "[]", or after "audit(" */
	DATE_SOUGHT_SQUARE, /* a default date after the first "[" */
};

#define DATE_FIELDS_MAX 24

struct date_look;
struct date_around;

/* A group whose name says what it is: "Y", "b" ... */
struct date_field {
	char format;
	unsigned group;
};

struct date_template {
	const char *name;    /* what people call it */
	const char *pattern; /* as it is written; NULL for the kinds that have none */
	const char *regex;   /* bound to word or line */
	enum date_kind kind;
	unsigned flags;       /* enum date_bound */
	unsigned epoch_group; /* where the number stands, if it is one */
	bool needs_clock;     /* not found where no digit, ":" and digit stand in a row */
	enum date_sought sought;
	char need[DATE_NEED_MAX]; /* not found where this text is not in the line; empty: none */
	bool context_free;        /* what is captured depends on the text matched alone */
	const struct date_look *look; /* what it takes, where that is known; else NULL */
	const struct date_around *around;
	bool clock_after_need; /* and behind it a digit, ":" and a digit */
	struct date_field fields[DATE_FIELDS_MAX];
	size_t n_fields;
	struct regex *code;
};

/*
 * The template for one pattern (no "{DATE}", "{DEFAULT}", "{NONE}" nor "{^LN-BEG}" alone). What is
 * wrong with it is told as an error of what is written in the configuration. Each success is to be
 * given back. Returns 0, or -EINVAL with *ret untouched.
 */
int datetemplate_get(const struct date_template **ret, const char *pattern,
	const struct conf_text *written, struct faults *f);
void datetemplate_put(const struct date_template *t);

/* Is it found in line[from..end)? What stands before is seen, what follows is not. */
bool datetemplate_find(const struct date_template *t, const char *line, size_t from, size_t end);

/* Is there a line that begins with text[0..len), len > 0, in which it is found? For those that are
 * sought at the start. Yes is a safe answer. */
bool datetemplate_may_find(const struct date_template *t, const char *text, size_t len);

/* Is there one that begins with an IPv4 address? */
bool datetemplate_may_find_address(const struct date_template *t);

/* What a group captured when it was found last; group 0 is the whole. False: it took no part. */
bool datetemplate_capture(const struct date_template *t, const char *line, unsigned group,
	const char **ret, size_t *ret_len);

/* What went wrong while looking for dates since the start of the process. */
const struct filter_stats *datetemplate_stats(void);
