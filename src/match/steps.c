/* SPDX-License-Identifier: GPL-2.0-or-later */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "match/steps.h"

int steps_count(pcre2_callout_block *block, void *steps)
{
	struct steps *s = steps;

	s->taken++;
	if (block->current_position > s->at)
		s->taken += block->current_position - s->at;
	s->at = block->current_position;
	return s->taken < s->most ? 0 : PCRE2_ERROR_CALLOUT;
}
