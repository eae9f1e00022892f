/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/commands.h"

#include <string.h>

static int run(struct cli *c);

const struct command cmd_version = {
	.name = "version",
	.args = "",
	.summary = "this program's version, and the daemon's if one answers",
	.help = "",
	.asks = true,
	.json = true,
	.run = run,
};

static void print(struct cli *c, const struct answer *a)
{
	const char *version = answer_text(a->end, "version");

	fputs("stockade " STOCKADE_VERSION "\n", c->out);
	if (a->end == NULL)
		return;
	fputs("daemon ", c->out);
	cli_text(c->out, version, strlen(version));
	fprintf(c->out, " (process %lld)\n", (long long)answer_int(a->end, "pid", 0));
}

static int run(struct cli *c)
{
	struct answer a = {0};

	if (cli_plain(c, 0, 0) < 0)
		return c->status;
	/* That no daemon runs is no failure here: the program's own version is the answer. */
	cli_ask_quietly(c, json_pack("{s:s}", "cmd", "version"), &a);
	if (c->json) {
		json_t *all =
			json_pack("{s:s, s:O?}", "version", STOCKADE_VERSION, "daemon", a.end);

		cli_json(c, all);
		json_decref(all);
	} else {
		print(c, &a);
	}
	answer_done(&a);
	return CLI_GOOD;
}
