/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/commands.h"

static int run(struct cli *c);

const struct command cmd_stop = {
	.name = "stop",
	.args = "",
	.summary = "end the daemon; bans stay in the kernel until their time is up",
	.help = "",
	.asks = true,
	.json = true,
	.run = run,
};

static int run(struct cli *c)
{
	return cli_ask_plain(c, "the daemon is stopping");
}
