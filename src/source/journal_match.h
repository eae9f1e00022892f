/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Which journal entries a jail wants, in fail2ban's words: "FIELD=value FIELD2=value +
 * FIELD=value". In a group different fields must all match, of several values for one field any;
 * one of the groups suffices ("+" or a line break begins the next). Quotes and backslashes as in a
 * shell keep blanks. No group at all: every entry.
 */

#define JOURNAL_GROUPS_MAX 256 /* in one match */
#define JOURNAL_TERMS_MAX 4096 /* different ones in a table */
#define JOURNAL_TERM_LEN 4096  /* the longest */

struct journal_term {
	char *text; /* "FIELD=value" */
	size_t len;
	unsigned field; /* the first term in the table with the same field */
};

/* All different terms of all jails: an entry is looked up in it datum by datum. {0} is an empty
 * one. */
struct journal_terms {
	struct journal_term *items;
	unsigned short *sorted; /* indices by length and bytes */
	size_t n;
};

struct journal_group {
	unsigned short *terms; /* indices in the table, those of one field beside each other */
	size_t n;
};

struct journal_match {
	struct journal_group *groups;
	size_t n;
};

/*
 * Reads a match, adding its terms to the table. Returns 0, or -EINVAL with *ret_error (static text)
 * saying what is wrong, -E2BIG past the limits above, -ENOMEM; *ret is then untouched, terms added
 * stay.
 */
int journal_match_parse(struct journal_match *ret, struct journal_terms *terms, const char *text,
	const char **ret_error);

/* The index of that "FIELD=value", or -1. */
long journal_terms_find(const struct journal_terms *terms, const char *data, size_t len);

/* Does an entry match that has exactly the terms set in has (one byte a term of the table)? */
bool journal_match_test(
	const struct journal_match *m, const struct journal_terms *terms, const unsigned char *has);

void journal_match_done(struct journal_match *m);
void journal_terms_done(struct journal_terms *terms);
