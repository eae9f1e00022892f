/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define UTF8_MAX 4 /* bytes of a character */
#define UTF8_REPLACEMENT 0xfffd

/* Writes the character (RFC 3629), U+FFFD for what is none; returns its length. */
static inline size_t utf8_put(char buf[static UTF8_MAX], uint32_t code)
{
	size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	static const unsigned char first[] = {0, 0, 0xc0, 0xe0, 0xf0};

	if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
		code = UTF8_REPLACEMENT;
		n = 3;
	}
	for (size_t i = n - 1; i > 0; i--) {
		buf[i] = (char)(0x80 | (code & 0x3f));
		code >>= 6;
	}
	buf[0] = (char)(first[n] | code);
	return n;
}
