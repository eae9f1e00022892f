/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The "%" formats of a date pattern, those of strptime(3) and those that are fail2ban's own:
 *
 *   %d %m %Y %y %b %B %a %A    %H %I %M %S %p    %j %U %W %w    %z %Z    %f    %c %x %X    %%
 *   %k %l             as %H and %I, with a blank in place of a leading zero
 *   %Exd %Exm %Exy %ExH %ExM %ExS %Exk %Exl    with all their digits
 *   %ExY              a year from 2000 to three years ahead
 *   %Exz %ExZ         zones by their short names, too
 *   %G %V %u          recognised, and not looked at
 *
 * Each becomes a group of a regex, named as the format without "Ex" ("H" for %k).
 */

/*
 * Replaces them: appends to `regex` the regex and to `name` what people call it (fail2ban's words).
 * Returns 0, -EINVAL when a "%" begins no format (*ret_at: where), or -ENOMEM.
 */
int dateformat_expand(const char *pattern, struct buf *regex, struct buf *name, size_t *ret_at);

/* Must there be a digit, ":" and a digit in whatever matches it? No is a safe answer. */
bool dateformat_needs_clock(const char *pattern);

#define DATE_NEED_MAX 8

/*
 * The longest text, of signs alone, that must be in whatever matches it; empty if there is
 * none that is worth looking for. No need is a safe answer. Returns what of the pattern stands
 * behind it.
 */
const char *dateformat_need(const char *pattern, char ret[static DATE_NEED_MAX]);

/* Has it formats for words (months, days), which are read in any case? */
bool dateformat_has_words(const char *pattern);
