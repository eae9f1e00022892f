/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"
#include "base/util.h"
#include "cli/commands.h"
#include "cli/say.h"
#include "cli/table.h"

#include <errno.h>
#include <string.h>

static int run(struct cli *c);

const struct command cmd_banned = {
	.name = "banned",
	.args = "[JAIL]",
	.summary = "who is banned, since when, for how long, and what the kernel dropped",
	.help = "DROPPED counts packets. With --json an object a line: ip, jail, since, until\n"
		"(null: for ever), failures, packets, bytes, origin.\n",
	.asks = true,
	.json = true,
	.run = run,
};

static const struct table_column columns[] = {
	{"ADDRESS"},
	{"JAIL", .shrink = true},
	{"SINCE"},
	{"LEFT", .right = true},
	{"FAILURES", .right = true},
	{"DROPPED", .right = true},
	{"ORIGIN", .shrink = true},
};

struct list {
	struct cli *cli;
	struct table *table;
	int64_t now_sec;
	uint64_t n;
};

static void text_cell(struct table *t, const json_t *item, const char *key)
{
	const json_t *v = json_object_get(item, key);

	if (json_is_string(v))
		table_cell(t, json_string_value(v), json_string_length(v));
	else
		table_cell(t, "-", 1);
}

static void count_cell(struct table *t, const json_t *item, const char *key)
{
	char buf[SAY_MAX];
	int64_t n = answer_int(item, key, -1);

	table_cellf(t, "%s", n < 0 ? "-" : say_count(n, buf));
}

static int row(void *arg, json_t *item)
{
	struct list *list = arg;
	struct table *t = list->table;
	char buf[SAY_MAX];
	int64_t sec;

	list->n++;
	text_cell(t, item, "ip");
	text_cell(t, item, "jail");
	if (say_read_time(&sec, answer_text(item, "since")) == 0)
		table_cellf(t, "%s", say_clock(sec, list->now_sec, buf));
	else
		table_cell(t, "-", 1);
	if (say_read_time(&sec, answer_text(item, "until")) == 0)
		table_cellf(
			t, "%s", sec > list->now_sec ? say_span(sec - list->now_sec, buf) : "over");
	else
		table_cellf(
			t, "%s", json_is_null(json_object_get(item, "until")) ? "for ever" : "-");
	count_cell(t, item, "failures");
	count_cell(t, item, "packets");
	text_cell(t, item, "origin");
	return 0;
}

static int line(void *arg, json_t *item)
{
	struct list *list = arg;

	cli_json(list->cli, item);
	return 0;
}

static int list_bans(struct cli *c, json_t *request, struct answer *a)
{
	struct list list = {.cli = c, .now_sec = clock_wall_us() / USEC_PER_SEC};
	char buf[SAY_MAX];
	int status;

	if (c->json)
		return cli_ask(c, request, line, &list, a);
	list.table = table_new(c->out, columns, ARRAY_SIZE(columns), c->width,
		cli_style(c, STYLE_BOLD), cli_style(c, STYLE_PLAIN));
	if (list.table == NULL) {
		json_decref(request);
		cli_complain(c, "out of memory");
		return CLI_UNREACHABLE;
	}
	status = cli_ask(c, request, row, &list, a);
	table_end(list.table);
	if (status != CLI_GOOD)
		return status;
	if (list.n == 0)
		fputs("nobody is banned\n", c->out);
	else if (list.n > 10)
		fprintf(c->out, "%s banned\n", say_count((int64_t)list.n, buf));
	return CLI_GOOD;
}

static int run(struct cli *c)
{
	struct answer a = {0};
	int status;

	if (cli_plain(c, 0, 1) < 0)
		return c->status;
	status = list_bans(c, cli_jail_request("banned", c->argv[optind]), &a);
	answer_done(&a);
	return status;
}
