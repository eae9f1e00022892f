/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/fault.h"
#include "config/ruleset.h"

/*
 * Looks for what is dangerous in a filter that compiles, by trying it: writes lines that its
 * expressions match, lets whoever may have chosen a part of such a line forge an address in it, and
 * has the real filter judge that; measures how the work of each expression grows with the line.
 * What is found goes to f as warnings, each at its expression and with the line that shows it.
 * Of a filter that does not compile nothing is said.
 */
void lint_filter(const struct filter_def *def, struct faults *f);

/* Would the findings be the same for both? */
bool lint_is_same(const struct filter_def *a, const struct filter_def *b);
