/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"
#include "cli/commands.h"
#include "cli/status.h"

static int run(struct cli *c);

const struct command cmd_status = {
	.name = "status",
	.args = "[JAIL]",
	.summary = "is everything well? jails, logs, counts, firewall",
	.help = "",
	.asks = true,
	.json = true,
	.run = run,
};

static int run(struct cli *c)
{
	struct answer a = {0};
	int status;

	if (cli_plain(c, 0, 1) < 0)
		return c->status;
	status = cli_ask(c, cli_jail_request("status", c->argv[optind]), NULL, NULL, &a);
	if (status == CLI_GOOD && c->json)
		cli_json(c, a.end);
	else if (status == CLI_GOOD)
		status_print(c, a.end, clock_wall_us() / USEC_PER_SEC);
	answer_done(&a);
	return status;
}
