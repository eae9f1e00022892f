/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "source/journal_msg.h"

/*
 * A journal entry as a line: "HOST IDENT[PID]: MESSAGE", with the kernel's own clock where the
 * kernel speaks, as fail2ban makes one of it.
 */

/* The fields a line is made of. */
enum journal_field {
	JOURNAL_HOST,
	JOURNAL_IDENT,
	JOURNAL_COMM,
	JOURNAL_SYSLOG_PID,
	JOURNAL_PID,
	JOURNAL_TIME,
	JOURNAL_MONOTONIC,
	JOURNAL_FIELDS,
};

#define JOURNAL_FIELD_MAX 255 /* bytes of a field other than MESSAGE that are used */

struct journal_text {
	struct {
		size_t len;
		char text[JOURNAL_FIELD_MAX + 1];
	} fields[JOURNAL_FIELDS];
	size_t message_len;
	char message[JOURNAL_TEXT_MAX];
	size_t len;
	char line[JOURNAL_TEXT_MAX];
};

/* Begins with the next entry. */
void journal_text_clear(struct journal_text *t);

/* Takes a datum "FIELD=value" of the entry, if it is one that counts. */
void journal_text_take(struct journal_text *t, const char *data, size_t len);

/* A field as a number; -1: it is none, or not there. */
int64_t journal_text_number(const struct journal_text *t, enum journal_field field);

/*
 * Makes line of what was taken; monotonic_us is the journal's own stamp. A line break in the
 * message becomes "\n" as two characters: nothing in a field makes a line of its own.
 */
void journal_text_make(struct journal_text *t, int64_t monotonic_us);
