/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

/* Syslog messages made of lines. */

enum inject_framing {
	INJECT_NO_FRAME, /* a datagram */
	INJECT_NEWLINE,  /* RFC 6587 3.4.2 */
	INJECT_COUNTED,  /* RFC 6587 3.4.1 */
};

#define INJECT_HEAD_MAX 640
#define INJECT_FRAME_MAX 6 /* "65536 " */
#define INJECT_SIZE_MIN 1024
#define INJECT_SIZE_MAX 65536
#define INJECT_HOST_MAX 255
#define INJECT_WORD_MAX 48 /* a tag, as RFC 5424 has APP-NAME */

struct inject_form {
	/* To be set. */
	bool rfc5424; /* else RFC 3164 */
	enum inject_framing framing;
	unsigned pri;
	const char *host; /* NULL: none is told (RFC 3164 only) */
	const char *tag;
	const char *msgid; /* NULL: none */
	long pid;          /* 0: none */
	size_t size;       /* of a message in bytes, INJECT_SIZE_MIN to _MAX */
	/* The rest is the form's own. */
	struct timespec made_at;
	size_t head_len;
	char head[INJECT_HEAD_MAX];
};

/* Messages are of this time (since 1970) from now on. */
void inject_form_at(struct inject_form *f, const struct timespec *now);

/* Room for any message of a line of len bytes. */
size_t inject_form_room(const struct inject_form *f, size_t len);

/*
 * Writes the message for a line (without its newline) to dst, framed; returns its length. Control
 * characters but tabs become "#012" and the like, as rsyslog writes them, so that nobody takes one
 * line for two; all else goes as it is. What is too long is cut, and *ret_cut set.
 */
size_t inject_form_put(
	const struct inject_form *f, char *dst, const char *line, size_t len, bool *ret_cut);
