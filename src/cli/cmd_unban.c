/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/addrs.h"
#include "cli/commands.h"
#include "cli/say.h"

#include <string.h>

static int run(struct cli *c);

const struct command cmd_unban = {
	.name = "unban",
	.args = "ADDR[/LEN]... | --all [--jail JAIL]",
	.summary = "let addresses back in",
	.help = "Exit status 1 when none of them was banned.\n\n"
		"  --all          everybody\n"
		"  --jail JAIL    only from this jail; without it, from all of them\n",
	.asks = true,
	.json = true,
	.run = run,
};

static void print(struct cli *c, const json_t *end)
{
	const json_t *absent = answer_array(end, "absent"), *one;
	int64_t n = answer_int(end, "unbanned", 0);
	char buf[SAY_MAX];
	size_t i;

	if (n > 0)
		fprintf(c->out, "lifted %s ban%s\n", say_count(n, buf), n == 1 ? "" : "s");
	else if (json_array_size(absent) == 0)
		fputs("nobody was banned\n", c->out);
	json_array_foreach(absent, i, one)
	{
		if (!json_is_string(one))
			continue;
		cli_text(c->out, json_string_value(one), json_string_length(one));
		fputs(" was not banned\n", c->out);
	}
	json_array_foreach(answer_array(end, "covered"), i, one)
	{
		const char *by = answer_text(one, "by"), *in = answer_text(one, "jail");

		cli_text(c->out, answer_text(one, "ip"), strlen(answer_text(one, "ip")));
		fputs(" is out as part of ", c->out);
		cli_text(c->out, by, strlen(by));
		fputs(" in ", c->out);
		cli_text(c->out, in, strlen(in));
		fputs(": unban that block\n", c->out);
	}
}

/* Takes over addrs; NULL: everybody. */
static int ask(struct cli *c, json_t *addrs, const char *jail)
{
	struct answer a = {0};
	json_t *request;
	int status;

	request = cli_jail_request("unban", jail);
	if (addrs != NULL)
		json_object_set_new(request, "addrs", addrs);
	else
		json_object_set_new(request, "all", json_true());
	status = cli_ask(c, request, NULL, NULL, &a);
	if (status == CLI_GOOD) {
		if (c->json)
			cli_json(c, a.end);
		else
			print(c, a.end);
		if (answer_int(a.end, "unbanned", 0) <= 0)
			status = CLI_NO;
	}
	answer_done(&a);
	return status;
}

static int run(struct cli *c)
{
	static const struct option longs[] = {
		{"all", no_argument, NULL, 'A'}, {"jail", required_argument, NULL, 'J'}, {0}};
	const char *jail = NULL;
	json_t *addrs = NULL;
	bool all = false;
	int o;

	while ((o = cli_option(c, "", longs)) >= 0) {
		if (o == 'A')
			all = true;
		else
			jail = optarg;
	}
	if (o == CLI_OPT_STOP)
		return c->status;
	if (all == (optind < c->argc))
		return cli_usage(c, all ? "--all takes no addresses"
					: "it takes at least one address, or --all");
	if (!all) {
		addrs = cli_addrs(c, optind);
		if (addrs == NULL)
			return CLI_USAGE;
	}
	return ask(c, addrs, jail);
}
