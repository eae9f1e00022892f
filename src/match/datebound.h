/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/buf.h"

#include <stdbool.h>

/* Where in a line the regex of a date may stand. */

/* What a regex is bound to. */
enum date_bound {
	DATE_WORD_END = 1,
	DATE_WORD_BEGIN = 2,
	DATE_LINE_END = 4,
	DATE_LINE_BEGIN = 8,
};

/* What to bind its beginning to, unless it says so itself. */
enum date_begin {
	DATE_ANYWHERE,
	DATE_AT_WORD,
	DATE_AT_LINE, /* two signs such as "[" may stand before */
};

/*
 * Completes a regex: makes a group of what is cut out of the line unless it has one, and binds it
 * to the words or the line around it. "^", "**" in front and "$", "\b", "\s", "**" at the end are
 * the regex's own word on that; "**" (bound to nothing) is taken out. *ret_flags gets enum
 * date_bound, *ret_at_line whether DATE_AT_LINE was carried out. Appends to out; 0 or -ENOMEM.
 */
int datebound_apply(struct buf *out, const char *regex, enum date_begin begin, bool end,
	unsigned *ret_flags, bool *ret_at_line);

/*
 * The same regex for us, who search bytes: where it is bound to words or to the line, characters of
 * several bytes are one letter or one sign. `flags` as datebound_apply gave them. 0 or -ENOMEM.
 */
int datebound_bytes(struct buf *out, const char *regex, unsigned flags);
