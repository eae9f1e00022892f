/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/commands.h"
#include "config/overlay.h"
#include "keeper/keeper.h"

#include <limits.h>

static int run(struct cli *c);

const struct command cmd_run = {
	.name = "run",
	.args = "[-c DIR] [--rules FILE] [--state DIR]\n"
		"                    [--socket PATH] [--dry-run] [--flush-on-stop]",
	.summary = "the daemon, in the foreground",
	.help = "Takes root. Reads the logs that the configuration names, from where it left off,\n"
		"until it is told to stop; bans go on in the kernel meanwhile and afterwards.\n\n"
		"  -c DIR           the configuration (" STOCKADE_CONFDIR ")\n"
		"  --rules FILE     a jail 'blacklist' besides, of the rules in this file and of "
		"what\n"
		"                   comes by syslog; DIR need not be there then\n"
		"  --state DIR      what is remembered across restarts (" CLI_STATEDIR ")\n"
		"  --dry-run        decide and log, but leave the firewall alone\n"
		"  --flush-on-stop  take all bans away when told to stop\n",
	.asks = true,
	.run = run,
};

static int run(struct cli *c)
{
	static char rules[PATH_MAX];
	static const struct option longs[] = {{"rules", required_argument, NULL, 'R'},
		{"state", required_argument, NULL, 'S'}, {"dry-run", no_argument, NULL, 'D'},
		{"flush-on-stop", no_argument, NULL, 'F'}, {0}};
	struct overlay overlay = {0};
	struct keeper_options o = {.confdir = STOCKADE_CONFDIR,
		.overlay = &overlay,
		.statedir = CLI_STATEDIR,
		.starter_fd = -1};
	int option;

	while ((option = cli_option(c, "c:", longs)) >= 0) {
		if (option == 'c')
			o.confdir = optarg;
		else if (option == 'R')
			overlay_set_rules(&overlay, CLI_RULES_JAIL, cli_absolute(rules, optarg));
		else if (option == 'S')
			o.statedir = optarg;
		else if (option == 'D')
			o.dry_run = true;
		else
			o.flush_on_stop = true;
	}
	if (option == CLI_OPT_STOP)
		return c->status;
	if (optind < c->argc)
		return cli_usage(c, "it takes no arguments");
	o.socket = c->socket;
	return keeper_run(&o);
}
