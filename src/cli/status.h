/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/cli.h"

/*
 * The daemon's state on a screen: first in words whether everything is well and what is not, then
 * the jails, what they read, the firewall. Every member of `end` may be missing.
 */
void status_print(struct cli *c, const json_t *end, int64_t now_sec);

/*
 * What is wrong, a line each with two spaces before it, to out (NULL: only counted). Returns how
 * many.
 */
unsigned status_troubles(FILE *out, const json_t *end);

/* What was lost since the start or the last reload, a line; nothing when nothing was. */
void status_losses(struct cli *c, const json_t *end);
