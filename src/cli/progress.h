/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* How far a long work has come, as a bar in the last line of a terminal. */
struct progress {
	FILE *out; /* NULL: no terminal, nothing is shown */
	unsigned width;
	int64_t start_us, next_us;
	bool is_shown;
};

/* Once a process: an interrupt takes the bar away, too, before it ends us. */
void progress_init(struct progress *p, FILE *out);

/* done of total (0: nobody knows) bytes, and so many lines. Draws ten times a second at most. */
void progress_tell(struct progress *p, uint64_t done, uint64_t total, uint64_t lines);

/* Takes the bar away, before anything else is written. */
void progress_clear(struct progress *p);
