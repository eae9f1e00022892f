/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/commands.h"

#include "base/text.h"
#include "base/util.h"

#include <string.h>

const struct command *const cli_commands[] = {
	&cmd_run,
	&cmd_status,
	&cmd_banned,
	&cmd_explain,
	&cmd_ban,
	&cmd_unban,
	&cmd_test,
	&cmd_replay,
	&cmd_check,
	&cmd_inject,
	&cmd_setup,
	&cmd_reload,
	&cmd_stop,
	&cmd_ping,
	&cmd_version,
	&cmd_help,
	NULL,
};

const struct command *cli_find(const char *name)
{
	for (size_t i = 0; cli_commands[i] != NULL; i++) {
		if (strcmp(cli_commands[i]->name, name) == 0)
			return cli_commands[i];
	}
	return NULL;
}

/* What fail2ban-client calls differently. */
static const char *of_fail2ban(const char *name)
{
	static const struct {
		const char *name, *ours;
	} words[] = {
		{"start", "run"},
		{"restart", "reload"},
		{"set", "ban JAIL ADDR', 'stockade unban ADDR"},
		{"get", "status JAIL', 'stockade explain ADDR"},
		{"--test", "check"},
		{"-t", "check"},
		{"-d", "check"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(words[i].name, name) == 0)
			return words[i].ours;
	return NULL;
}

int cli_unknown(struct cli *c, const char *name)
{
	const char *names[ARRAY_SIZE(cli_commands)], *near, *ours;
	size_t n = 0;

	for (; cli_commands[n] != NULL; n++)
		names[n] = cli_commands[n]->name;
	near = text_nearest(name, names, n);
	ours = of_fail2ban(name);
	fputs("stockade: there is no command '", c->err);
	cli_text(c->err, name, strlen(name));
	if (ours != NULL)
		fprintf(c->err, "': try 'stockade %s'\n", ours);
	else if (near != NULL)
		fprintf(c->err, "': did you mean '%s'?\n", near);
	else
		fputs("'; try 'stockade help'\n", c->err);
	return CLI_USAGE;
}
