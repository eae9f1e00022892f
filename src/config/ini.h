/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "config/reader.h"

/* Lines of text, each with the place it came from. {0} is empty; they live in the scratch arena. */
struct lines {
	struct conf_text *items;
	size_t n, room;
};

void lines_add(struct lines *l, struct arena *arena, struct conf_text line);

/* All of them with sep between, leaving out empty ones; in the arena. "" when there is none. */
const char *lines_join(const struct lines *l, struct arena *arena, const char *sep);

/* One "key = value". The key is in lower case. */
struct entry {
	const char *name;
	struct where where;
	struct lines lines;       /* at least one; the first may be empty */
	const struct entry *prev; /* what it said before a later file changed it */
	bool included;            /* comes from a file named in [INCLUDES] */
	bool verbatim;            /* expanded already: '%' means nothing in it */
};

struct section {
	const char *name;
	struct where where;
	struct names entries;
	bool again; /* more than one of the files merged has it */
};

/* One file, or several merged. */
struct doc {
	struct names sections;
	bool faulty; /* something in it could not be read: that has been told */
};

struct section *doc_section(const struct doc *d, const char *name);

/* The section, made when it is not there yet. */
struct section *doc_add_section(
	struct doc *d, struct arena *arena, const char *name, struct where where);

/* NULL when the section is NULL or has no such key. */
const struct entry *section_entry(const struct section *s, const char *key);

/* Sets a key to a finished text. */
void section_set(struct section *s, struct arena *arena, const char *key, const char *text,
	struct where where);

/*
 * Reads a file's bytes by the rules of Python's ConfigParser as jail.conf(5) means them. home is
 * the section to propose for lines that stand before any. Faults are noted and skipped; always
 * returns what could be read.
 */
struct doc *ini_parse(
	struct reader *r, const char *file, const char *data, size_t len, const char *home);
