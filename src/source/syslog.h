/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>

/*
 * A syslog message as it came in a datagram, to the line that would stand in a file: "<PRI>" is
 * dropped; RFC 5424 ("<38>1 2026-11-20T07:12:49Z host app 123 - - text") becomes
 * "2026-11-20T07:12:49Z host app[123]: text", RFC 3164 stays as it is. Line breaks within become
 * blanks, those at the end go: one datagram is one line. The line is written to buf, cut at size;
 * returns its length.
 */
size_t syslog_line(char *buf, size_t size, const char *msg, size_t len);
