/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "match/date.h"
#include "source/container.h"

/*
 * In a log whose lines are in order of time: an offset, at the start of a line, before which all is
 * older than cutoff_us (wall clock). Bisects, so that a huge log costs a few reads; 0 when the log
 * is small or its dates cannot be read.
 */
uint64_t seek_to(int fd, enum container kind, struct date_finder *dates, int64_t cutoff_us);
