/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "replay/packing.h"
#include "replay/unpack.h"

#include <errno.h>
#include <lzma.h>
#include <stdlib.h>

static int xz_reset(void *state)
{
	return lzma_stream_decoder(state, UNPACK_MEMORY_MAX, 0) == LZMA_OK ? 0 : -ENOMEM;
}

static void *xz_new(void)
{
	static const lzma_stream none = LZMA_STREAM_INIT;
	lzma_stream *x = malloc(sizeof(*x));

	if (x == NULL)
		return NULL;
	*x = none;
	if (xz_reset(x) < 0) {
		free(x);
		return NULL;
	}
	return x;
}

static int xz_step(void *state, struct packing_bytes *b)
{
	lzma_stream *x = state;
	lzma_ret r;

	x->next_in = b->in;
	x->avail_in = b->in_left;
	x->next_out = b->out;
	x->avail_out = b->out_left;
	r = lzma_code(x, LZMA_RUN);
	b->in = x->next_in;
	b->in_left = x->avail_in;
	b->out = x->next_out;
	b->out_left = x->avail_out;
	switch (r) {
	case LZMA_OK:
	case LZMA_BUF_ERROR: /* no bytes or no room */
		return PACKING_MORE;
	case LZMA_STREAM_END:
		return PACKING_END;
	case LZMA_MEM_ERROR:
		return -ENOMEM;
	case LZMA_MEMLIMIT_ERROR:
		return -E2BIG;
	default:
		return -EBADMSG;
	}
}

static void xz_free(void *state)
{
	if (state != NULL)
		lzma_end(state);
	free(state);
}

const struct packing packing_xz = {
	.new = xz_new,
	.step = xz_step,
	.reset = xz_reset,
	.free = xz_free,
};
