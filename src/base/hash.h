/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* A secret key: whoever picks the addresses must not be able to pick the hash slots. */
struct hash_key {
	uint64_t k0, k1;
};

/* A key from the kernel's random numbers. */
struct hash_key hash_key_random(void);

/* SipHash-1-3 (Aumasson, Bernstein) of len bytes. */
uint64_t hash_bytes(const struct hash_key *key, const void *data, size_t len);

/* FNV-1a, 64 bit: for fingerprints that are kept on disk; not for tables. */
uint64_t hash_fingerprint(const void *data, size_t len);
