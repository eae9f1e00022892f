/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdint.h>

#define USEC_PER_SEC 1000000LL

/* Microseconds since some fixed point; never goes back. For everything kept in memory. */
int64_t clock_mono_us(void);

/* Microseconds since 1970 UTC. For disk, wire and comparison with log times. */
int64_t clock_wall_us(void);
