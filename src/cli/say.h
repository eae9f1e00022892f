/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Numbers and times as people say them. Each writes to buf and returns it. */

#define SAY_MAX 64

/* "1,234,567". */
const char *say_count(int64_t n, char buf[static SAY_MAX]);

/* "720 B", "1.2 kB", "34 MB". */
const char *say_bytes(int64_t n, char buf[static SAY_MAX]);

/* "45 s", "9 min", "2 h 5 min", "3 d 4 h": to the minute from a minute on; below 0 "for ever". */
const char *say_span(int64_t sec, char buf[static SAY_MAX]);

/* Reads "2026-11-20T07:32:08.123+01:00" (RFC 3339) as seconds since 1970. 0 or -EINVAL. */
int say_read_time(int64_t *ret_sec, const char *s);

/* Local time: "07:32:08" on the day of now_sec, else "Nov 19 07:32", in other years "2025-11-19".
 */
const char *say_clock(int64_t sec, int64_t now_sec, char buf[static SAY_MAX]);
