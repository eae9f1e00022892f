/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* A certificate's fingerprint as text: "sha256:" or "sha-256:" (RFC 5425 4.2.2), then 64
 * hexadecimal digits, in pairs with colons between them or without. */

#define FINGERPRINT_LEN 32

/* Does it begin like one? */
bool fingerprint_is(const char *text);

/* 0 or -EINVAL. */
int fingerprint_parse(uint8_t ret[static FINGERPRINT_LEN], const char *text);
