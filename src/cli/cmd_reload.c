/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/commands.h"

#include <string.h>

static int run(struct cli *c);

const struct command cmd_reload = {
	.name = "reload",
	.args = "",
	.summary = "have the daemon read its configuration again",
	.help = "Nothing is lost: counts, read positions and bans go on. A configuration with\n"
		"an error is refused, shown with file and line, and the old one stays (exit\n"
		"status 2).\n",
	.asks = true,
	.json = true,
	.run = run,
};

static void print(struct cli *c, const json_t *end)
{
	int64_t jails = answer_int(end, "jails", -1);
	const json_t *warnings = answer_array(end, "warnings"), *w;
	size_t i;

	if (jails < 0)
		fputs("reloaded\n", c->out);
	else
		fprintf(c->out, "reloaded: %lld jail%s\n", (long long)jails, jails == 1 ? "" : "s");
	json_array_foreach(warnings, i, w)
	{
		if (!json_is_string(w))
			continue;
		cli_text(c->out, json_string_value(w), json_string_length(w));
		fputc('\n', c->out);
	}
	/* Or as faults, with their places. */
	if (json_is_object(json_array_get(warnings, 0)))
		cli_json_faults(c->out, warnings);
}

static int run(struct cli *c)
{
	struct answer a = {0};
	int status;

	if (cli_plain(c, 0, 0) < 0)
		return c->status;
	status = cli_ask(c, json_pack("{s:s}", "cmd", "reload"), NULL, NULL, &a);
	if (c->json && a.error != NULL) {
		json_t *refusal = json_pack("{s:s, s:O?}", "error", a.error, "faults", a.faults);

		cli_json(c, refusal);
		json_decref(refusal);
	} else if (status == CLI_GOOD && c->json) {
		cli_json(c, a.end);
	} else if (status == CLI_GOOD) {
		print(c, a.end);
	}
	answer_done(&a);
	return status;
}
