/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/text.h"
#include "cli/addrs.h"
#include "cli/commands.h"
#include "cli/say.h"

#include <string.h>

static int run(struct cli *c);

const struct command cmd_ban = {
	.name = "ban",
	.args = "JAIL ADDR[/LEN]... [--for TIME]",
	.summary = "ban addresses by hand",
	.help = "The jail says which ports are closed to them and, without --for, how long.\n"
		"An allowed address is refused.\n\n"
		"  --for TIME     how long: 10m, 1h 30m, 2d; -1 for ever\n",
	.asks = true,
	.json = true,
	.run = run,
};

static void print(struct cli *c, const char *jail, const json_t *end)
{
	const json_t *refused = answer_array(end, "refused"), *one;
	int64_t banned = answer_int(end, "banned", 0);
	char buf[SAY_MAX];
	size_t i;

	if (banned > 0) {
		fprintf(c->out, "banned %s address%s in ", say_count(banned, buf),
			banned == 1 ? "" : "es");
		cli_text(c->out, jail, strlen(jail));
		fputc('\n', c->out);
	}
	json_array_foreach(refused, i, one)
	{
		const char *ip = answer_text(one, "ip"), *why = answer_text(one, "why");

		fputs("refused ", c->out);
		cli_text(c->out, ip, strlen(ip));
		fputs(": ", c->out);
		cli_text(c->out, why, strlen(why));
		fputc('\n', c->out);
	}
}

/* Takes over addrs. for_sec 0: as the jail has it. */
static int ask(struct cli *c, const char *jail, json_t *addrs, int64_t for_sec)
{
	struct answer a = {0};
	json_t *request;
	int status;

	request = cli_jail_request("ban", jail);
	json_object_set_new(request, "addrs", addrs);
	if (for_sec != 0)
		json_object_set_new(request, "for", json_integer(for_sec));
	status = cli_ask(c, request, NULL, NULL, &a);
	if (status == CLI_GOOD) {
		if (c->json)
			cli_json(c, a.end);
		else
			print(c, jail, a.end);
		if (json_array_size(answer_array(a.end, "refused")) > 0)
			status = CLI_NO;
	}
	answer_done(&a);
	return status;
}

static int run(struct cli *c)
{
	static const struct option longs[] = {{"for", required_argument, NULL, 'F'}, {0}};
	int64_t for_sec = 0;
	json_t *addrs;
	int o;

	while ((o = cli_option(c, "", longs)) >= 0) {
		if (text_parse_duration(&for_sec, optarg) < 0 || for_sec == 0)
			return cli_usage(
				c, "--for takes a time such as 10m, 1h or 2d, or -1 for ever");
		if (for_sec < 0)
			for_sec = -1;
	}
	if (o == CLI_OPT_STOP)
		return c->status;
	if (c->argc - optind < 2)
		return cli_usage(c, "it takes a jail and at least one address");
	addrs = cli_addrs(c, optind + 1);
	if (addrs == NULL)
		return CLI_USAGE;
	return ask(c, c->argv[optind], addrs, for_sec);
}
