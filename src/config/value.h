/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "config/ini.h"

/*
 * Finished entries of a section as values of a type. A key that is not there, or is empty, leaves
 * *ret alone; one that is wrong likewise, with the fault noted.
 */

/* The lines joined by newlines. Returns false when it is not there or empty. */
bool value_text(struct reader *r, const struct section *s, const char *key, struct conf_text *ret);

/* The line that byte `at` of what value_text returns came from. */
struct where value_where(const struct section *s, const char *key, size_t at);

/* The usual reason why such a text is no good, in brackets behind a blank, or "". */
const char *value_hint(const char *text);

void value_bool(struct reader *r, const struct section *s, const char *key, bool *ret);

void value_number(struct reader *r, const struct section *s, const char *key, long long min,
	long long max, long long *ret);

/* Bytes: a whole number, with K, M or G behind it for thousands, millions and so on. */
void value_size(struct reader *r, const struct section *s, const char *key, uint64_t min,
	uint64_t max, uint64_t *ret);

/* Seconds; negative ones only with forever, as -1. */
void value_duration(struct reader *r, const struct section *s, const char *key, int64_t min,
	bool forever, int64_t *ret);

/* Walks the words of a value (blanks and commas separate); false at the end. */
struct words {
	const struct lines *lines;
	size_t line;
	const char *at;
	struct conf_text word; /* in scratch */
};

struct words words_of(const struct section *s, const char *key);
bool words_next(struct words *w, struct reader *r, const char *separators);

/* Adds a list of addresses and blocks to one, host names to the other. */
void value_prefixes(struct reader *r, const struct section *s, const char *key,
	struct prefixset *ret, struct host_names *ret_names);
