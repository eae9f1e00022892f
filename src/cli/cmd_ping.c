/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/commands.h"

static int run(struct cli *c);

const struct command cmd_ping = {
	.name = "ping",
	.args = "",
	.summary = "ask whether the daemon answers",
	.help = "",
	.asks = true,
	.json = true,
	.run = run,
};

static int run(struct cli *c)
{
	return cli_ask_plain(c, "pong");
}
