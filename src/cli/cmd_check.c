/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/check.h"
#include "cli/commands.h"

#include <string.h>

static int run(struct cli *c);

const struct command cmd_check = {
	.name = "check",
	.args = "[-c DIR] [--strict] [--no-lint]",
	.summary = "read the whole configuration and tell every fault in it",
	.help = "Exit status 2 when there is an error: the daemon would not start with it.\n\n"
		"  -c DIR         the configuration (" STOCKADE_CONFDIR ")\n"
		"  --strict       warnings are errors too\n"
		"  --no-lint      do not try whether filters can be deceived or slowed down\n",
	.json = true,
	.run = run,
};

static json_t *jail_json(const struct jail *jail)
{
	json_t *paths = json_array();

	for (size_t i = 0; i < jail->n_logpaths; i++)
		json_array_append_new(paths, cli_json_text(jail->logpaths[i].pattern,
						     strlen(jail->logpaths[i].pattern)));
	return json_pack("{s:o, s:o, s:i, s:I, s:I, s:b, s:o}", "name",
		cli_json_text(jail->name, strlen(jail->name)), "filter",
		jail->filter != NULL ? cli_json_text(jail->filter->name, strlen(jail->filter->name))
				     : json_null(),
		"maxretry", (int)jail->maxretry, "findtime_sec", (json_int_t)jail->findtime_sec,
		"bantime_sec", (json_int_t)jail->bantime_sec, "shadow", jail->shadow, "logpath",
		paths);
}

static json_t *fault_json(const struct fault *f)
{
	json_t *file = f->file != NULL ? cli_json_text(f->file, strlen(f->file)) : json_null();
	json_t *line = f->line != 0 ? json_integer(f->line) : json_null();

	return json_pack("{s:o, s:o, s:s, s:o}", "file", file, "line", line, "severity",
		f->severity == FAULT_ERROR ? "error" : "warning", "message",
		cli_json_text(f->message, strlen(f->message)));
}

static void print_json(struct cli *c, const struct ruleset *rs, const struct faults *f)
{
	json_t *jails = json_array(), *faults = json_array(), *all;

	for (size_t i = 0; rs != NULL && i < rs->n_jails; i++)
		json_array_append_new(jails, jail_json(&rs->jails[i]));
	for (size_t i = 0; i < f->n; i++)
		json_array_append_new(faults, fault_json(&f->items[i]));
	all = json_pack("{s:o, s:o}", "jails", jails, "faults", faults);
	cli_json(c, all);
	json_decref(all);
}

static void print(struct cli *c, const char *dir, const struct ruleset *rs, const struct faults *f)
{
	size_t warnings = 0;

	for (size_t i = 0; i < f->n; i++)
		warnings += f->items[i].severity == FAULT_WARNING;
	cli_faults(c->out, f);
	cli_text(c->out, dir, strlen(dir));
	if (f->n_errors == 0 && rs != NULL)
		fprintf(c->out, ": good, %zu jail%s enabled", rs->n_jails,
			rs->n_jails == 1 ? "" : "s");
	else
		fprintf(c->out, ": %zu error%s", f->n_errors, f->n_errors == 1 ? "" : "s");
	if (warnings > 0)
		fprintf(c->out, ", %zu warning%s", warnings, warnings == 1 ? "" : "s");
	fputc('\n', c->out);
}

static int check(struct cli *c, const char *dir, bool strict, bool lint)
{
	struct ruleset *rs = NULL;
	struct faults f = {0};
	int status = CLI_GOOD;

	if (ruleset_check(&rs, dir, &f) == 0)
		check_ruleset(rs, dir, &f);
	if (rs != NULL && lint)
		check_attacks(rs, &f);
	faults_sort(&f);
	if (rs == NULL || f.n_errors > 0 || (strict && f.n > 0))
		status = CLI_USAGE;
	if (c->json)
		print_json(c, rs, &f);
	else
		print(c, dir, rs, &f);
	ruleset_free(rs);
	faults_done(&f);
	return status;
}

static int run(struct cli *c)
{
	static const struct option longs[] = {
		{"strict", no_argument, NULL, 'S'}, {"no-lint", no_argument, NULL, 'L'}, {0}};
	const char *dir = STOCKADE_CONFDIR;
	bool strict = false, lint = true;
	int o;

	while ((o = cli_option(c, "c:", longs)) >= 0) {
		if (o == 'c')
			dir = optarg;
		else if (o == 'S')
			strict = true;
		else
			lint = false;
	}
	if (o == CLI_OPT_STOP)
		return c->status;
	if (optind < c->argc)
		return cli_usage(c, "it takes no arguments");
	return check(c, dir, strict, lint);
}
