/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Is the character of n bytes (valid UTF-8) one that a terminal acts upon instead of showing it, or
 * that makes other text look like what it is not?
 */
bool text_is_control(const char *text, size_t n);

/*
 * Escapes what could hurt a terminal or break a line (controls, invalid UTF-8) as \xHH,
 * writing at most size bytes with NUL to dst; a text that does not fit is cut and ends in "...".
 * A backslash is left alone when no escape could be mistaken for it, else doubled. Returns the
 * length written.
 */
size_t text_escape(char *dst, size_t size, const char *src, size_t len);

/* Is the whole of it valid UTF-8 (RFC 3629) without NUL? */
bool text_is_utf8(const char *s, size_t len);

/*
 * fail2ban's time abbreviations: "10m", "1h 30m", "1d12h", "1w", "3600", "-1", "1.5h"; a sum of
 * parts, or any arithmetic with them: "60*60", "2 * (1d - 1h)". Units: s, m, h, d, w, mo, y,
 * doubled or in words, also cut short as jail.conf(5) has them; a month is 30.4375 days, a year
 * 365.25. Stores seconds, rounded. 0 or -EINVAL.
 */
int text_parse_duration(int64_t *ret_sec, const char *s);

/* Seconds as people say them: "45 s", "10 min", "2 h 5 min", "3 d 4 h"; -1 is "for ever". */
const char *text_duration(int64_t sec, char *buf, size_t size);

/* yes/no, true/false, on/off, 1/0 in any case. 0 or -EINVAL. */
int text_parse_bool(bool *ret, const char *s);

/* Does it end so, with something before? */
bool text_ends_with(const char *s, const char *end);

/* Is the word among these n, letter by letter? */
bool text_is_one_of(const char *word, const char *const *words, size_t n);

/* The candidate nearest to what was written, for "did you mean"; NULL if none is near. */
const char *text_nearest(const char *word, const char *const *candidates, size_t n);
