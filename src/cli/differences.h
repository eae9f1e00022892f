/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/cli.h"
#include "replay/tally.h"

/* "2026-11-20T07:32:08+01:00" (RFC 3339), or for people "2026-11-20 07:32:08"; local time. */
const char *differences_time(int64_t us, bool for_people, char buf[static 64]);

/*
 * Whom one of two configurations would have banned and the other would not; names are those of
 * their directories. Returns CLI_GOOD, CLI_NO when there is no difference, or CLI_USAGE when out of
 * memory.
 */
int differences_print(struct cli *c, struct tally *t, const char *const names[static TALLY_SIDES]);
