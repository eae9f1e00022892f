/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/cli.h"

extern const struct command cmd_ban, cmd_banned, cmd_check, cmd_explain, cmd_help, cmd_inject,
	cmd_ping, cmd_reload, cmd_replay, cmd_run, cmd_setup, cmd_status, cmd_stop, cmd_test,
	cmd_unban, cmd_version;
