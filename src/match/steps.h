/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <pcre2.h>
#include <stdint.h>

/*
 * What a search has cost, for expressions compiled with PCRE2_AUTO_CALLOUT: only regex.c and
 * meter.c, which know PCRE2, include this.
 */
struct steps {
	uint64_t taken, most;
	PCRE2_SIZE at; /* where the search stands; 0 at its start */
};

/*
 * Called before each item of an expression, with a struct steps. A repeat of one character ("\S+")
 * is a single item, however far it reads: the way that the position went ahead since the last call
 * is what it cost. Ends the search when it has taken too many.
 */
int steps_count(pcre2_callout_block *block, void *steps);
