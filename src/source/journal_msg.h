/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What goes between guard and a journal's reader on their SOCK_SEQPACKET pair: guard says where to
 * begin, one message a stream of the journal that it knows and one that ends the list; the reader
 * answers with one message an entry, and now and then a notice, for ever. Native byte order: both
 * are the same program.
 *
 * A stream is what one writer writes in one order: system.journal and the files it was rotated to,
 * a user's, those of one remote host. Each has a cursor of its own, since what arrives late in one
 * of them may be older than what was read of the others.
 */

#define JOURNAL_CURSOR_MAX 512
#define JOURNAL_STREAM_MAX 1024 /* bytes of a stream's name */
#define JOURNAL_TEXT_MAX 65536  /* of a longer line the first so many bytes are judged */
#define JOURNAL_JAILS_MAX 8192
#define JOURNAL_STREAMS_MAX 1024 /* of one journal */

/* As it lies in the packet; jails (uint16_t each), stream, cursor and text follow without gaps. */
struct journal_msg {
	int64_t time_us;
	uint32_t n_jails; /* 0: a notice */
	uint32_t stream_len;
	uint32_t cursor_len;
	uint32_t text_len;
};

#define JOURNAL_MSG_MAX                                                                            \
	(sizeof(struct journal_msg) + 2 * JOURNAL_JAILS_MAX + JOURNAL_STREAM_MAX +                 \
		JOURNAL_CURSOR_MAX + JOURNAL_TEXT_MAX)

/* An entry, borrowed from its packet. Texts are not NUL-terminated. */
struct journal_entry {
	int64_t time_us;       /* wall clock, as the sender stamped it */
	const uint16_t *jails; /* none: text is what the owner should know about the journal */
	uint32_t n_jails;
	const char *stream;
	uint32_t stream_len; /* never empty, nor is the cursor, but in a notice */
	const char *cursor;
	uint32_t cursor_len;
	const char *text; /* "HOST IDENT[PID]: MESSAGE", one line, arbitrary bytes but \n */
	uint32_t text_len;
};

/*
 * Reads the packet buf[0..len), buf aligned for any type. Returns 0, or -EBADMSG (lengths that do
 * not add up, no cursor, a line break in it) with *ret untouched. That the jails exist is the
 * caller's to check.
 */
int journal_msg_parse(const void *buf, size_t len, struct journal_entry *ret);

/* Writes the packet, at most JOURNAL_MSG_MAX bytes, and returns its length; -EMSGSIZE if it exceeds
 * size. */
long journal_msg_write(void *buf, size_t size, const struct journal_entry *e);

/*
 * Where to begin in a stream: after the entry of that cursor; streams that are not told of begin at
 * since_us. The one without a stream is the last.
 */
struct journal_start {
	int64_t since_us; /* wall clock */
	char stream[JOURNAL_STREAM_MAX + 1];
	char cursor[JOURNAL_CURSOR_MAX + 1];
};

#define JOURNAL_START_MAX (16 + JOURNAL_STREAM_MAX + JOURNAL_CURSOR_MAX)

/* As above: length written, or -EMSGSIZE; 0, or -EBADMSG. */
long journal_start_write(void *buf, size_t size, const struct journal_start *s);
int journal_start_parse(const void *buf, size_t len, struct journal_start *ret);
