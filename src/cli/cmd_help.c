/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/commands.h"

static int run(struct cli *c);

const struct command cmd_help = {
	.name = "help",
	.args = "[COMMAND]",
	.summary = "this list, or what a command does",
	.help = "",
	.run = run,
};

void cli_help(FILE *out)
{
	fputs("stockade reads what services log, decides who attacks, and has the kernel drop\n"
	      "their packets.\n\nusage: stockade COMMAND [...]\n\n",
		out);
	for (size_t i = 0; cli_commands[i] != NULL; i++)
		fprintf(out, "  %-8s  %s\n", cli_commands[i]->name, cli_commands[i]->summary);
	fputs("\n'stockade help COMMAND' or 'stockade COMMAND --help' says more; stockade(1) all.\n"
	      "Exit status: 0 good, 1 the answer is no, 2 wrong usage or configuration,\n"
	      "3 no daemon answers.\n",
		out);
}

void cli_help_command(FILE *out, const struct command *cmd)
{
	fprintf(out, "usage: stockade %s%s%s\n\n%s.\n", cmd->name, cmd->args[0] != '\0' ? " " : "",
		cmd->args, cmd->summary);
	if (cmd->help[0] != '\0')
		fprintf(out, "\n%s", cmd->help);
	if (!cmd->json && !cmd->asks)
		return;
	fputc('\n', out);
	if (cmd->json)
		fputs("  --json         print JSON\n", out);
	if (cmd->asks)
		fputs("  --socket PATH  where the daemon listens (" CLI_SOCKET ")\n", out);
}

static int run(struct cli *c)
{
	const struct command *cmd;

	if (cli_plain(c, 0, 1) < 0)
		return c->status;
	if (optind == c->argc) {
		cli_help(c->out);
		return CLI_GOOD;
	}
	cmd = cli_find(c->argv[optind]);
	if (cmd == NULL)
		return cli_unknown(c, c->argv[optind]);
	cli_help_command(c->out, cmd);
	return CLI_GOOD;
}
