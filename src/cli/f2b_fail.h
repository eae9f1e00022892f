/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/f2b_tuple.h"

/*
 * What is known of a failure: names with values in the order in which they came, as fail2ban keeps
 * and shows them. A group that took no part in the match is there, with no value.
 */

enum f2b_kind {
	F2B_NONE,
	F2B_TEXT,
	F2B_LIST, /* <F-TUPLE_...>: several values as one, each a text or nothing */
	F2B_SET,  /* different texts: "users" */
	F2B_LINES,
};

struct f2b_value {
	enum f2b_kind kind;
	char *text; /* F2B_TEXT, NUL-terminated */
	size_t len;
	struct f2b_value *items; /* F2B_LIST, F2B_SET */
	size_t n_items;
	struct f2b_tuples lines; /* F2B_LINES */
};

struct f2b_field {
	const char *name; /* borrowed */
	struct f2b_value value;
};

/* How the field is called that <F-NAME> means, its name in lower case: "fid" for "id". */
const char *f2b_field_name(const char *name);

struct f2b_fail {
	struct f2b_field *fields;
	size_t n, room;
	bool pending; /* nobody is named yet */
};

struct f2b_value f2b_value_text(const char *s, size_t len);
struct f2b_value f2b_value_copy(const struct f2b_value *v);
void f2b_value_done(struct f2b_value *v);

/* Adds a value to the end of a F2B_LIST or F2B_SET (there only once). Takes it over. */
void f2b_value_append(struct f2b_value *list, struct f2b_value item);

/* Neither nothing nor an empty text? */
bool f2b_value_is_true(const struct f2b_value *v);

/* The same text, or both the same list of texts. */
bool f2b_value_eq(const struct f2b_value *a, const struct f2b_value *b);

/* Appends it as people read it, or as Python writes it down: 'text', None, {'a', 'b'}. */
void f2b_value_show(const struct f2b_value *v, struct buf *out);
void f2b_value_repr(const struct f2b_value *v, struct buf *out);

/* The value of that name, or NULL. */
struct f2b_value *f2b_fail_get(const struct f2b_fail *fail, const char *name);

/* The same, NULL also when it is there with no value. */
const struct f2b_value *f2b_fail_known(const struct f2b_fail *fail, const char *name);

bool f2b_fail_is_true(const struct f2b_fail *fail, const char *name);

/* Sets a value where its name stands, or at the end. Takes it over. */
void f2b_fail_set(struct f2b_fail *fail, const char *name, struct f2b_value v);

/* Takes a name out. Was its value true? */
bool f2b_fail_drop(struct f2b_fail *fail, const char *name);

/* Sets what `more` says, all of it or only what has a value. */
void f2b_fail_update(struct f2b_fail *fail, const struct f2b_fail *more, bool known_only);

/* Its lines of that name are its own, those before and these. */
void f2b_fail_add_lines(struct f2b_fail *fail, const char *name, const struct f2b_tuples *more);

struct f2b_fail f2b_fail_copy(const struct f2b_fail *fail);
void f2b_fail_done(struct f2b_fail *fail);

/* Appends {'name': value, ...}, without its matches. */
void f2b_fail_repr(const struct f2b_fail *fail, struct buf *out);

/* Appends a text in quotes, written as Python would. */
void f2b_repr(const char *s, size_t len, struct buf *out);
