/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * Counts the work that a regular expression makes PCRE2 do, whatever the machine and however
 * busy. For judging expressions, not lines: it is slower than matching.
 */
struct meter;

/*
 * An expression of the configuration (Python's and fail2ban's dialect, see pattern.h) that has been
 * seen to compile. flags: enum pattern_flags. Returns 0, -EINVAL or -ENOMEM.
 */
int meter_new(struct meter **ret, const char *source, unsigned flags);
void meter_free(struct meter *m);

/*
 * Looks for the expression in text[0..len) and returns the steps that took: one for each of its
 * items tried, one for each byte read by it. Gives up past `most` steps and then returns `most`.
 */
uint64_t meter_steps(struct meter *m, const char *text, size_t len, uint64_t most);
