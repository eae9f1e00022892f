/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define UTF8_MAX 4 /* bytes of a character */
#define UTF8_REPLACEMENT 0xfffd

/* Writes the character (RFC 3629), U+FFFD for what is none; returns its length. */
size_t utf8_put(char buf[static UTF8_MAX], uint32_t code);

/* The character of two halves of UTF-16 (RFC 2781 2.2); 0: they are not two of one. */
uint32_t utf8_join(uint32_t high, uint32_t low);

/* Length of the valid UTF-8 sequence at s[0..len), 0 if there is none (RFC 3629 section 4). */
size_t utf8_len(const unsigned char *s, size_t len);

/* How many bytes at s[0..len), len > 0, make one character, or are replaced by one (see below). */
size_t utf8_step(const unsigned char *s, size_t len);

/* How many bytes at the start of s[0..len) are ASCII. */
size_t utf8_ascii(const char *s, size_t len);

/* What one byte may become when it is replaced. */
#define UTF8_GROWTH 3

/*
 * Copies src[0..len) to dst, which has room for UTF8_GROWTH * len, and puts U+FFFD in the place of
 * what is not UTF-8: one for each start of a sequence that breaks off, one for each other byte (the
 * "maximal subparts" of Unicode 3.9, which is what Python does). Returns the length written.
 */
size_t utf8_replace(char *dst, const char *src, size_t len);
