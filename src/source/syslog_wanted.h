/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/addr.h"
#include "config/ruleset.h"
#include "source/syslog.h"

/* Is there any condition at all? */
bool syslog_has_conditions(const struct syslog_want *w);

/* Do the jail's conditions let the message through? sender NULL: this machine's own. */
bool syslog_is_wanted(
	const struct syslog_want *w, const struct syslog_msg *m, const struct addr *sender);
