/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdint.h>

/* The failures of one entry: times in seconds, oldest first and all different, and how many on
 * each. */
struct slots {
	uint32_t *sec;   /* room for TRACK_SLOTS */
	uint16_t *count; /* likewise */
	uint8_t n;
};

/*
 * Adds count > 0 failures at a time and lets go of those no longer within findtime (>= 1) of the
 * newest; nothing is added that is so itself. See track.h for what happens with more times than
 * slots.
 */
void slots_add(struct slots *s, uint32_t sec, unsigned count, uint32_t findtime);

/* Failures later than after_sec. */
unsigned slots_count(const struct slots *s, int64_t after_sec);
