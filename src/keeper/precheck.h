/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "config/ruleset.h"

/*
 * What the daemon would not start with, seen beforehand: a log that cannot be written, a user who
 * is not there.
 */
void precheck_settings(const struct ruleset *rs, struct faults *f);

/*
 * What is probably not meant so with syslog: a listener that is open to strangers, jails to which
 * no message can come. Warnings alone.
 */
void precheck_syslog(const struct ruleset *rs, struct faults *f);
