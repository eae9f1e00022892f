/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "config/ini.h"

/* stockade.conf's [syslog], its values expanded. */
void syslog_read_settings(struct reader *r, const struct section *s, struct syslog_settings *ret);
