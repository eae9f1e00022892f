/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/text.h"
#include "cli/check.h"
#include "cli/commands.h"

#include <limits.h>
#include <string.h>

static int run(struct cli *c);

const struct command cmd_check = {
	.name = "check",
	.args = "[-c DIR] [--rules FILE] [--strict] [--no-lint]",
	.summary = "read the whole configuration and tell every fault in it",
	.help = "Exit status 2 when there is an error: the daemon would not start with it.\n\n"
		"  -c DIR         the configuration (" STOCKADE_CONFDIR ")\n"
		"  --rules FILE   and these rules, as for 'stockade run'\n"
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

static void print_json(struct cli *c, const struct ruleset *rs, const struct faults *f,
	const struct faults *attacks)
{
	json_t *jails = json_array(), *faults = json_array(), *all;

	for (size_t i = 0; rs != NULL && i < rs->n_jails; i++)
		json_array_append_new(jails, jail_json(&rs->jails[i]));
	for (size_t i = 0; i < f->n; i++)
		json_array_append_new(faults, fault_json(&f->items[i]));
	for (size_t i = 0; i < attacks->n; i++)
		json_array_append_new(faults, fault_json(&attacks->items[i]));
	all = json_pack("{s:o, s:o}", "jails", jails, "faults", faults);
	cli_json(c, all);
	json_decref(all);
}

/* What an attacker could do may be much to read: what matters more stands at the end. */
static void print(struct cli *c, const char *dir, const struct ruleset *rs, const struct faults *f,
	const struct faults *attacks)
{
	size_t warnings = attacks->n;

	for (size_t i = 0; i < f->n; i++)
		warnings += f->items[i].severity == FAULT_WARNING;
	cli_faults(c->out, attacks);
	cli_faults(c->out, f);
	cli_text(c->out, dir, strlen(dir));
	if (f->n_errors == 0 && rs != NULL)
		fprintf(c->out, ": good, %zu jail%s enabled", rs->n_jails,
			rs->n_jails == 1 ? "" : "s");
	else
		fprintf(c->out, ": %zu error%s", f->n_errors, f->n_errors == 1 ? "" : "s");
	if (warnings > 0)
		fprintf(c->out, ", %zu warning%s", warnings, warnings == 1 ? "" : "s");
	if (attacks->n > 0)
		fprintf(c->out, ", %zu of them about weak regexes (--no-lint leaves those out)",
			attacks->n);
	fputc('\n', c->out);
}

static int check(
	struct cli *c, const char *dir, const struct overlay *overlay, bool strict, bool lint)
{
	struct ruleset *rs = NULL;
	struct faults f = {0}, attacks = {0};
	int status = CLI_GOOD;

	if (ruleset_read(&rs, dir, overlay, true, &f) == 0)
		check_ruleset(rs, dir, &f);
	if (rs != NULL && lint)
		check_attacks(rs, &attacks);
	faults_sort(&f);
	faults_sort(&attacks);
	if (rs == NULL || f.n_errors > 0 || (strict && f.n + attacks.n > 0))
		status = CLI_USAGE;
	if (c->json)
		print_json(c, rs, &f, &attacks);
	else
		print(c, overlay_shown(overlay, dir), rs, &f, &attacks);
	ruleset_free(rs);
	faults_done(&f);
	faults_done(&attacks);
	return status;
}

static int not_by_c(struct cli *c)
{
	char shown[256];

	text_escape(shown, sizeof(shown), c->argv[optind], strlen(c->argv[optind]));
	return cli_usage(c, "a configuration is named with -c: stockade check -c %s", shown);
}

static int run(struct cli *c)
{
	static char rules[PATH_MAX];
	static const struct option longs[] = {{"rules", required_argument, NULL, 'R'},
		{"strict", no_argument, NULL, 'S'}, {"no-lint", no_argument, NULL, 'L'}, {0}};
	const char *dir = STOCKADE_CONFDIR;
	struct overlay overlay = {0};
	bool strict = false, lint = true;
	int o;

	while ((o = cli_option(c, "c:", longs)) >= 0) {
		if (o == 'c')
			dir = optarg;
		else if (o == 'R')
			overlay_set_rules(&overlay, CLI_RULES_JAIL, cli_absolute(rules, optarg));
		else if (o == 'S')
			strict = true;
		else
			lint = false;
	}
	if (o == CLI_OPT_STOP)
		return c->status;
	if (optind < c->argc)
		return not_by_c(c);
	return check(c, dir, &overlay, strict, lint);
}
