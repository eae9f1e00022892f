/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/fingerprint.h"

#include "base/util.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

static const char *after_scheme(const char *text)
{
	static const char *const schemes[] = {"sha256:", "sha-256:"};

	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
		if (strncasecmp(text, schemes[i], strlen(schemes[i])) == 0)
			return text + strlen(schemes[i]);
	return NULL;
}

bool fingerprint_is(const char *text)
{
	return after_scheme(text) != NULL;
}

static int digit(char c)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *at = c != '\0' ? strchr(digits, c) : NULL;

	return at != NULL ? (int)(at - digits) % 16 : -1;
}

int fingerprint_parse(uint8_t ret[static FINGERPRINT_LEN], const char *text)
{
	const char *p = after_scheme(text);
	uint8_t bytes[FINGERPRINT_LEN];

	if (p == NULL)
		return -EINVAL;
	for (size_t i = 0; i < FINGERPRINT_LEN; i++) {
		int high, low;

		if (i > 0 && *p == ':')
			p++;
		high = digit(p[0]);
		low = high >= 0 ? digit(p[1]) : -1;
		if (low < 0)
			return -EINVAL;
		bytes[i] = (uint8_t)(high << 4 | low);
		p += 2;
	}
	if (*p != '\0')
		return -EINVAL;
	memcpy(ret, bytes, sizeof(bytes));
	return 0;
}
