/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "replay/packing.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

#define GZIP_ALONE (16 + MAX_WBITS) /* inflateInit2: a gzip header, and no other */

static void *gzip_new(void)
{
	z_stream *z = calloc(1, sizeof(*z));

	if (z != NULL && inflateInit2(z, GZIP_ALONE) != Z_OK) {
		free(z);
		z = NULL;
	}
	return z;
}

static unsigned at_once(size_t n)
{
	return n < UINT_MAX ? (unsigned)n : UINT_MAX;
}

static int gzip_step(void *state, struct packing_bytes *b)
{
	z_stream *z = state;
	int r;

	z->next_in = (Bytef *)b->in;
	z->avail_in = at_once(b->in_left);
	z->next_out = b->out;
	z->avail_out = at_once(b->out_left);
	r = inflate(z, Z_NO_FLUSH);
	b->in_left -= (size_t)(z->next_in - b->in);
	b->in = z->next_in;
	b->out_left -= (size_t)(z->next_out - b->out);
	b->out = z->next_out;
	switch (r) {
	case Z_OK:
	case Z_BUF_ERROR: /* no bytes or no room */
		return PACKING_MORE;
	case Z_STREAM_END:
		return PACKING_END;
	case Z_MEM_ERROR:
		return -ENOMEM;
	default:
		return -EBADMSG;
	}
}

static int gzip_reset(void *state)
{
	return inflateReset2(state, GZIP_ALONE) == Z_OK ? 0 : -ENOMEM;
}

static void gzip_free(void *state)
{
	if (state != NULL)
		inflateEnd(state);
	free(state);
}

const struct packing packing_gzip = {
	.new = gzip_new,
	.step = gzip_step,
	.reset = gzip_reset,
	.free = gzip_free,
};
