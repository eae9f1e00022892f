/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* One way to pack files, carried by its library. What of it this build has is in unpack.c. */

/* Bytes that wait to be taken, and room that waits to be filled. */
struct packing_bytes {
	const uint8_t *in;
	size_t in_left;
	uint8_t *out;
	size_t out_left;
};

enum { PACKING_MORE, PACKING_END };

struct packing {
	/* NULL when out of memory. */
	void *(*new)(void);
	/*
	 * Unpacks as far as bytes and room last: PACKING_MORE, PACKING_END where a member of the
	 * archive ends, another may follow after reset, or -EBADMSG, -E2BIG, -ENOMEM.
	 */
	int (*step)(void *state, struct packing_bytes *b);
	int (*reset)(void *state);
	void (*free)(void *state);
};

extern const struct packing packing_gzip, packing_xz, packing_zstd;
