/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * An IP address as 16 bytes in network order. IPv4 is held as v4-mapped IPv6
 * (::ffff:a.b.c.d, RFC 4291 2.5.5.2), so that one host is one key however a log wrote it.
 */
struct addr {
	uint8_t b[16];
};

/* An address block; len counts in the 128-bit space, so 192.0.2.0/24 has len 120. */
struct prefix {
	struct addr addr; /* host bits are zero */
	uint8_t len;      /* 0 to 128 */
};

#define ADDR_STRLEN 46   /* longest text of an address, with NUL (RFC 4291) */
#define PREFIX_STRLEN 50 /* the same with "/128" */

/* Is it IPv4 (v4-mapped)? */
bool addr_is4(const struct addr *a);

bool addr_eq(const struct addr *a, const struct addr *b);

/* Order of the 128-bit numbers: <0, 0, >0. */
int addr_cmp(const struct addr *a, const struct addr *b);

/* The address whose four bytes in network order are at b4. */
struct addr addr_from4(const uint8_t b4[4]);

/* Pointer to the four (IPv4) or sixteen bytes the kernel wants; *ret_len gets 4 or 16. */
const uint8_t *addr_wire(const struct addr *a, size_t *ret_len);

/*
 * Reads the whole of s[0..len) as an IPv4 dotted quad (no leading zeros, four parts) or an
 * IPv6 address; brackets around IPv6 and a zone ("%eth0") are accepted and dropped. Returns 0,
 * or -EINVAL with *ret untouched.
 */
int addr_parse(struct addr *ret, const char *s, size_t len);

/*
 * Reads an address with an optional "/LEN" or "/NETMASK" (IPv4). Host bits are cleared.
 * Returns 0, or -EINVAL with *ret untouched.
 */
int prefix_parse(struct prefix *ret, const char *s, size_t len);

/* Writes the usual text (RFC 5952 for IPv6, dotted quad for IPv4) to buf and returns buf. */
const char *addr_format(const struct addr *a, char buf[static ADDR_STRLEN]);

/* As addr_format, with "/LEN" in the family's own count unless it is a single host. */
const char *prefix_format(const struct prefix *p, char buf[static PREFIX_STRLEN]);

/* The block of that length (in the 128-bit space) around an address. */
struct prefix prefix_of(const struct addr *a, uint8_t len);

/*
 * Whose address it is: itself, or of IPv6 the block of 64 bits around it, since who has one address
 * of that has them all.
 */
struct addr addr_owner(const struct addr *a);

bool prefix_contains(const struct prefix *p, const struct addr *a);

/* Does a share any address with b? */
bool prefix_overlaps(const struct prefix *a, const struct prefix *b);

/* The length in the family's own count: 0 to 32 for IPv4, 0 to 128 for IPv6. */
unsigned prefix_family_len(const struct prefix *p);
