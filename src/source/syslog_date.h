/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "source/syslog.h"

#include <stdbool.h>

/*
 * Is a message's date a day and time of this year, the one before or the one after, as those are
 * written that are looked for in lines? A clock that was never set, a language of its own and what
 * is no date are not: such a line would be no failure, and a message has come when it came.
 */
bool syslog_date_fits(struct syslog_part date, int year);
