/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "replay/packing.h"
#include "replay/unpack.h"

#include <errno.h>
#include <zstd.h>
#include <zstd_errors.h>

#define WINDOW_LOG_MAX 27

_Static_assert(1 << WINDOW_LOG_MAX == UNPACK_MEMORY_MAX, "the window is what takes the memory");

static void *zstd_new(void)
{
	ZSTD_DCtx *z = ZSTD_createDCtx();

	if (z != NULL)
		ZSTD_DCtx_setParameter(z, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
	return z;
}

static int zstd_step(void *state, struct packing_bytes *b)
{
	ZSTD_inBuffer in = {b->in, b->in_left, 0};
	ZSTD_outBuffer out = {b->out, b->out_left, 0};
	size_t r = ZSTD_decompressStream(state, &out, &in);

	b->in += in.pos;
	b->in_left -= in.pos;
	b->out += out.pos;
	b->out_left -= out.pos;
	if (!ZSTD_isError(r))
		return r == 0 ? PACKING_END : PACKING_MORE;
	switch (ZSTD_getErrorCode(r)) {
	case ZSTD_error_memory_allocation:
		return -ENOMEM;
	case ZSTD_error_frameParameter_windowTooLarge:
		return -E2BIG;
	default:
		return -EBADMSG;
	}
}

static int zstd_reset(void *state)
{
	return ZSTD_isError(ZSTD_DCtx_reset(state, ZSTD_reset_session_only)) ? -ENOMEM : 0;
}

static void zstd_free(void *state)
{
	ZSTD_freeDCtx(state);
}

const struct packing packing_zstd = {
	.new = zstd_new,
	.step = zstd_step,
	.reset = zstd_reset,
	.free = zstd_free,
};
