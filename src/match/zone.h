/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>

/*
 * Reads a zone as logs and `logtimezone` name it: an offset ("+0200", "-03:30", "+02"), a short
 * name of fixed meaning ("CET", "UTC", "Z"), or both ("UTC+0200"); nothing is UTC. Stores the
 * minutes east of Greenwich. Returns 0, or -EINVAL with *ret_minutes untouched.
 */
int zone_read(int *ret_minutes, const char *text, size_t len);

/* The name nearest to what was written, for "did you mean"; NULL if none is near. */
const char *zone_nearest(const char *text);
