/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/x509.h>

/*
 * Whom a client's certificate is for, and whether `peers` has him: by one of its dNSNames, or by
 * its common name if it has none (RFC 5425 5.2, RFC 6125), against globs, or by the SHA-256
 * fingerprint of the whole certificate (RFC 5425 4.2.2).
 */

/* As [syslog] peers has them, borrowed. */
struct peers {
	const char *const *items;
	size_t n;
};

bool peer_has_fingerprints(const struct peers *p); /* is there one? */

/* Is the fingerprint of the certificate on the list? */
bool peer_is_pinned(const struct peers *p, X509 *cert);

/* Is one of its names? */
bool peer_is_named(const struct peers *p, X509 *cert);

/* Whom it says that it is for, escaped; always ends with NUL. */
void peer_describe(X509 *cert, char *buf, size_t size);
