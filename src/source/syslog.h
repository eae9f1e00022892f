/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>

/* A part of a message, which it points into; len 0: it has none. */
struct syslog_part {
	const char *p;
	size_t len;
};

#define SYSLOG_UNKNOWN (-1)

#define SYSLOG_TIMES_MAX 1000 /* as <F-COUNT> */

/*
 * A message taken apart (RFC 5424, or RFC 3164 as it is in the wild), borrowed from it. Whatever
 * the bytes, something comes of it: what cannot be told is not there, and the rest is text. Of
 * rsyslog's "message repeated 3 times: [ TEXT]" the text is TEXT.
 */
struct syslog_msg {
	int facility, severity; /* RFC 5424 tables 1 and 2, or SYSLOG_UNKNOWN */
	struct syslog_part date, host;
	struct syslog_part program, pid; /* of the tag */
	struct syslog_part tag;          /* as it stood, up to the text: "sshd[4711]: " */
	struct syslog_part text;         /* without line breaks and NULs at its end */
	unsigned times;                  /* how often it was said: 1 to SYSLOG_TIMES_MAX */
};

void syslog_parse(struct syslog_msg *ret, const char *msg, size_t len);

/*
 * The line that a syslog daemon would write to a file: "DATE HOST PROGRAM[PID]: TEXT". date and
 * host stand in for what the message does not say. Line breaks within become blanks. Writes at most
 * size bytes, no NUL, and returns how many.
 */
size_t syslog_line(char *buf, size_t size, const struct syslog_msg *m, struct syslog_part date,
	struct syslog_part host);

/* The same for the text alone. */
size_t syslog_text(char *buf, size_t size, const struct syslog_msg *m);
