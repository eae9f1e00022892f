/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdio.h>

/*
 * The program under the name of syslog-blacklist: a daemon of a rules file alone, with nothing of
 * /etc/stockade. Its options are keys of the configuration by other names. Returns an enum
 * cli_status.
 */
int blacklist_main(int argc, char **argv, FILE *out, FILE *err);
