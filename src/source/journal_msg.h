/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * What goes between guard and the journal's reader on their SOCK_SEQPACKET pair: guard sends one
 * start message, the reader answers with one message an entry, for ever. Native byte order: both
 * are the same program.
 */

#define JOURNAL_CURSOR_MAX 512
#define JOURNAL_TEXT_MAX 16384
#define JOURNAL_JAILS_MAX 8192

/* As it lies in the packet; jails (uint16_t each), cursor and text follow without gaps. */
struct journal_msg {
	int64_t time_us;
	uint32_t n_jails;
	uint32_t cursor_len;
	uint32_t text_len;
	uint32_t zero;
};

#define JOURNAL_MSG_MAX                                                                            \
	(sizeof(struct journal_msg) + 2 * JOURNAL_JAILS_MAX + JOURNAL_CURSOR_MAX + JOURNAL_TEXT_MAX)

/* An entry, borrowed from its packet. cursor and text are not NUL-terminated. */
struct journal_entry {
	int64_t time_us;       /* wall clock, as the sender stamped it */
	const uint16_t *jails; /* at least one */
	uint32_t n_jails;
	const char *cursor; /* never empty */
	uint32_t cursor_len;
	const char *text; /* "HOST IDENT[PID]: MESSAGE", one line, arbitrary bytes but \0 \r \n */
	uint32_t text_len;
};

/*
 * Reads the packet buf[0..len), buf aligned for any type. Returns 0, or -EBADMSG (lengths that do
 * not add up, no jail, no cursor, a line break in it) with *ret untouched. That the jails exist is
 * the caller's to check.
 */
int journal_msg_parse(const void *buf, size_t len, struct journal_entry *ret);

/* Writes the packet, at most JOURNAL_MSG_MAX bytes, and returns its length; -EMSGSIZE if it exceeds
 * size. */
long journal_msg_write(void *buf, size_t size, const struct journal_entry *e);

/* Where to begin: after the entry of that cursor, or ("" or not understood) at since_us. */
struct journal_start {
	int64_t since_us; /* wall clock */
	char cursor[JOURNAL_CURSOR_MAX + 1];
};

#define JOURNAL_START_MAX (8 + JOURNAL_CURSOR_MAX)

/* As above: length written, or -EMSGSIZE; 0, or -EBADMSG. */
long journal_start_write(void *buf, size_t size, const struct journal_start *s);
int journal_start_parse(const void *buf, size_t len, struct journal_start *ret);
