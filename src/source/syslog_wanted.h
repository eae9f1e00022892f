/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/addr.h"
#include "config/ruleset.h"
#include "source/syslog.h"

/* Is there any condition at all? */
bool syslog_has_conditions(const struct syslog_want *w);

/*
 * Do the jail's conditions let the message through? sender NULL: this machine's own. Programs fit
 * letter by letter, hosts in either case. A name without a dot is also the first part of a
 * message's longer one. A message without a host is its sender's: the machine's own is "localhost",
 * another is of the name that has the sender's address.
 */
bool syslog_is_wanted(
	const struct syslog_want *w, const struct syslog_msg *m, const struct addr *sender);

/*
 * The same of a line in a log that a syslog daemon wrote ("DATE HOST PROGRAM[PID]: TEXT"). It does
 * not tell the facility, which is not asked for then, nor who sent it: that is its host, if it is
 * an address.
 */
bool syslog_line_is_wanted(const struct syslog_want *w, const char *line, size_t len);
