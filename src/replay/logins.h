/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "match/filter.h"

/*
 * What services log when somebody got in, as a filter: a match is a login from its address,
 * <F-USER> who it was. For telling whom a configuration would lock out; no ban comes of it.
 */

/* 0 or -ENOMEM. */
int logins_new(struct filter **ret);
