/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/cli.h"

/*
 * The operands from number `first` on as a new array of addresses or blocks in their usual text.
 * NULL when one is none, which is told.
 */
json_t *cli_addrs(struct cli *c, int first);
