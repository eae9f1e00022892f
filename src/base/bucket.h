/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* A rate that is kept to: so many at once, and so many a second from then on. */
struct bucket {
	double burst, a_sec; /* to be set; the rest is zero at first, and the bucket full */
	double used;
	int64_t at_us; /* monotonic: when used was true */
};

/* May one more be? If so it counts. */
bool bucket_take(struct bucket *b);
