/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "match/civil.h"

#include <stddef.h>

/* The ways in which logs write a date. */

/* How far past its end a date's bytes can matter to how it is read (" +01:00" and one more). */
#define DATEFORM_LOOKAHEAD 8

/* What a format reads: a civil time, or microseconds since 1970 UTC. */
struct dateform_result {
	bool is_epoch;
	int64_t epoch_us;
	struct civil civil;
	/* Not 0: a year ends the date that may be a host's name; its length without that. */
	size_t len_sans_year;
};

struct dateform {
	const char *name;
	bool at_start_only; /* too easily something else when it stands further back */
	/*
	 * Reads a date that begins at line[off]. Returns its length, or 0 when there is none; then
	 * *ret is anything. is_epoch and len_sans_year are 0 before. What comes right after is not
	 * its business.
	 */
	size_t (*read)(const char *line, size_t off, size_t len, struct dateform_result *ret);
};

#define DATEFORMS 5

extern const struct dateform dateforms[DATEFORMS];
