/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/bucket.h"

#include "base/clock.h"

bool bucket_take(struct bucket *b)
{
	int64_t now_us = clock_mono_us();

	b->used -= (double)(now_us - b->at_us) / USEC_PER_SEC * b->a_sec;
	b->at_us = now_us;
	if (b->used < 0)
		b->used = 0;
	if (b->used + 1 > b->burst)
		return false;
	b->used += 1;
	return true;
}
