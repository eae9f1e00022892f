/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * A group of which a later condition "(?(group)yes|no)" says that a certain byte must follow: where
 * a text has no such byte, all ways by that group are in vain, and an expression need not try them.
 */
struct barred {
	size_t off, len; /* of the group in the expression, without what says how often it comes */
	char byte;
};

/* Is there one in an expression in PCRE2's syntax, of bytes? No is a safe answer. */
bool barred_find(struct barred *ret, const char *text, size_t len);
