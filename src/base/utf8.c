/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

size_t utf8_put(char buf[static UTF8_MAX], uint32_t code)
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

uint32_t utf8_join(uint32_t high, uint32_t low)
{
	if (high < 0xd800 || high > 0xdbff || low < 0xdc00 || low > 0xdfff)
		return 0;
	return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

static const char replacement[] = {'\xef', '\xbf', '\xbd'}; /* U+FFFD */

/* How long the sequence that begins with this byte would be; 0: none does. */
static size_t announced(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* May this byte be the second? Not in overlong forms, surrogates, and past U+10FFFF. */
static int is_second(unsigned char first, unsigned char second)
{
	unsigned char lo = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
	unsigned char hi = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;

	return second >= lo && second <= hi;
}

/* How many bytes at s are the beginning of a valid sequence of n bytes. */
static size_t valid_part(const unsigned char *s, size_t len, size_t n)
{
	size_t i = 1;

	if (n < 2 || len < 2 || !is_second(s[0], s[1]))
		return 1;
	for (i = 2; i < n && i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			break;
	return i;
}

size_t utf8_len(const unsigned char *s, size_t len)
{
	size_t n = announced(s[0]);

	return n != 0 && valid_part(s, len, n) == n ? n : 0;
}

size_t utf8_step(const unsigned char *s, size_t len)
{
	return valid_part(s, len, announced(s[0]));
}

size_t utf8_ascii(const char *s, size_t len)
{
	const uint64_t high = UINT64_C(0x8080808080808080);
	size_t i = 0;
	uint64_t word;

	for (; len - i >= sizeof(word); i += sizeof(word)) {
		memcpy(&word, s + i, sizeof(word));
		if ((word & high) != 0)
			break;
	}
	/* The rest, with what is known before it. */
	if (len - i < sizeof(word) && len >= sizeof(word)) {
		memcpy(&word, s + len - sizeof(word), sizeof(word));
		if ((word & high) == 0)
			return len;
	}
	while (i < len && (unsigned char)s[i] < 0x80)
		i++;
	return i;
}

size_t utf8_replace(char *dst, const char *src, size_t len)
{
	const unsigned char *s = (const unsigned char *)src;
	size_t out = 0;

	for (size_t i = 0, n; i < len; i += n) {
		size_t want = announced(s[i]);

		n = valid_part(s + i, len - i, want);
		if (n == want) {
			memcpy(dst + out, s + i, n);
			out += n;
		} else {
			memcpy(dst + out, replacement, sizeof(replacement));
			out += sizeof(replacement);
		}
	}
	return out;
}
