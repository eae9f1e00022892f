/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/text.h"
#include "cli/commands.h"
#include "cli/trial.h"
#include "config/ruleset.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#define REGEXES_MAX 64

static int run(struct cli *c);

const struct command cmd_test = {
	.name = "test",
	.args = "-f 'FILTER[opt=val]' | -j JAIL | -r REGEX [-i REGEX] |\n"
		"                     --rules RULES\n"
		"                     [-c DIR] [-v] [--now TIME] [--encoding NAME] [FILE|-]",
	.summary = "try a filter on log lines",
	.help = "Says of each line whether it is a match (a failure), nofail (belongs to one but\n"
		"is none by itself), ignored or a miss, and who would be banned. Reads standard\n"
		"input without FILE. Exit status 1 when nothing matched. With --json an object a\n"
		"line: line, verdict, ip, time, fields.\n\n"
		"  -f FILTER      a filter by name, with options, or the path of its file\n"
		"  -j JAIL        what that jail judges with: its filter, its dates\n"
		"  -r REGEX       a failregex in place of a filter; may be given again\n"
		"  -i REGEX       an ignoreregex to go with it; may be given again\n"
		"  --rules RULES  a rules file, on lines as a syslog daemon writes them\n"
		"  -v             show the date found in each line and what of it is to match;\n"
		"                 for a miss how far it came, else by which regex and the fields\n"
		"  --encoding NAME\n"
		"                 how FILE is encoded, as logencoding has it\n"
		"  --now TIME     the present, by which dates without a year are read\n"
		"  -c DIR         the configuration that has the filter (" STOCKADE_CONFDIR ")\n",
	.json = true,
	.run = run,
};

struct wishes {
	const char *dir, *filter, *jail, *encoding;
	const char *rules; /* the path of a rules file: the jail is what is made of it */
	struct conf_text fail[REGEXES_MAX], ignore[REGEXES_MAX];
	size_t n_fail, n_ignore;
	int64_t now_us; /* 0: the real present */
	bool verbose;
};

/* What is to be tried; the texts live in arena or in rules. */
struct subject {
	struct arena *arena;
	struct ruleset *rules; /* NULL: not a jail's */
	const struct filter_def *def;
	struct conf_text zone, encoding;
	struct charset *charset;
	struct filter *filter;
	struct date_patterns *dates;
};

static int add_regex(struct cli *c, struct conf_text *list, size_t *n)
{
	if (*n == REGEXES_MAX) {
		cli_usage(c, "at most %d regexes: write a filter file", REGEXES_MAX);
		return CLI_OPT_STOP;
	}
	list[(*n)++] = (struct conf_text) {.text = optarg};
	return 0;
}

static int read_options(struct cli *c, struct wishes *w)
{
	static char rules[PATH_MAX];
	static const struct option longs[] = {{"now", required_argument, NULL, 'N'},
		{"encoding", required_argument, NULL, 'E'}, {"rules", required_argument, NULL, 'R'},
		{0}};
	int o, n, r = 0;

	while ((o = cli_option(c, "c:f:j:r:i:v", longs)) >= 0) {
		if (o == 'c') {
			w->dir = optarg;
		} else if (o == 'f') {
			w->filter = optarg;
		} else if (o == 'j') {
			w->jail = optarg;
		} else if (o == 'R') {
			w->rules = cli_absolute(rules, optarg);
		} else if (o == 'v') {
			w->verbose = true;
		} else if (o == 'E') {
			w->encoding = optarg;
		} else if (o == 'r') {
			r = add_regex(c, w->fail, &w->n_fail);
		} else if (o == 'i') {
			r = add_regex(c, w->ignore, &w->n_ignore);
		} else if (trial_read_time(&w->now_us, optarg) < 0) {
			cli_usage(c, "--now takes a time such as '2026-11-20 07:32:08'");
			r = CLI_OPT_STOP;
		}
		if (r < 0)
			return r;
	}
	if (o == CLI_OPT_STOP)
		return o;
	n = (w->filter != NULL) + (w->jail != NULL) + (w->n_fail > 0) + (w->rules != NULL);
	if (w->rules != NULL)
		w->jail = CLI_RULES_JAIL;
	if (n != 1)
		cli_usage(c, n > 1 ? "one of -f, -j, -r and --rules, not more"
				   : "which filter? name it with -f, a jail with -j, or give -r "
				     "REGEX or --rules FILE");
	else if (w->n_fail == 0 && w->n_ignore > 0)
		cli_usage(c, "-i goes with -r; a filter file has its own ignoreregex");
	else if (c->argc - optind > 1)
		cli_usage(c, "one file at a time");
	else
		return 0;
	return CLI_OPT_STOP;
}

static const struct filter_def *of_regexes(const struct wishes *w, struct arena *arena)
{
	struct filter_def *def = arena_alloc(arena, sizeof(*def));

	*def = (struct filter_def) {.name = "-r",
		.failregex = arena_array(arena, w->n_fail, sizeof(w->fail[0])),
		.n_failregex = w->n_fail,
		.ignoreregex = arena_array(arena, w->n_ignore, sizeof(w->ignore[0])),
		.n_ignoreregex = w->n_ignore,
		.maxlines = 1};
	memcpy(def->failregex, w->fail, w->n_fail * sizeof(w->fail[0]));
	memcpy(def->ignoreregex, w->ignore, w->n_ignore * sizeof(w->ignore[0]));
	return def;
}

/* One that is not enabled can be tried as well; those for each of its hosts are alike. */
static const struct jail *find_jail(const struct ruleset *rs, const char *name)
{
	const struct jail *jail = ruleset_jail(rs, name);

	for (size_t i = 0; jail == NULL && i < rs->n_jails; i++) {
		if (strcmp(rs->jails[i].section, name) == 0)
			jail = &rs->jails[i];
	}
	for (size_t i = 0; jail == NULL && i < rs->n_disabled; i++) {
		if (strcmp(rs->disabled[i].name, name) == 0)
			jail = &rs->disabled[i];
	}
	return jail;
}

/* What is wrong with other jails is not asked here. */
static void load_jail(const struct wishes *w, struct subject *s, struct faults *f)
{
	struct faults all = {0};
	struct overlay overlay = {.dir = OVERLAY_DIR_NONE};
	const struct jail *jail = NULL;

	if (w->rules != NULL)
		overlay_set_rules(&overlay, w->jail, w->rules);
	if (ruleset_read(&s->rules, w->dir, w->rules != NULL ? &overlay : NULL, true, &all) == 0)
		jail = find_jail(s->rules, w->jail);
	if (jail != NULL && jail->filter != NULL) {
		s->def = jail->filter;
		s->zone = jail->logtimezone;
		s->encoding = jail->logencoding;
		faults_done(&all);
		return;
	}
	/* An error may be why it is not there. */
	for (size_t i = 0; i < all.n; i++) {
		const struct fault *one = &all.items[i];

		if (one->severity == FAULT_ERROR)
			fault_add(f, FAULT_ERROR, (struct where) {one->file, one->line}, "%s",
				one->message);
	}
	faults_done(&all);
	if (w->rules != NULL && f->n_errors > 0)
		return;
	if (jail == NULL && f->n_errors > 0)
		fault_add(f, FAULT_ERROR, (struct where) {NULL, 0},
			"jail '%s' of %s cannot be tried: it is not there, or has one of the "
			"errors above",
			w->jail, w->dir);
	else
		fault_add(f, FAULT_ERROR, (struct where) {NULL, 0},
			jail == NULL ? "there is no jail '%s' in %s"
				     : "the jail '%s' in %s has no filter",
			w->jail, w->dir);
}

/* Finds and compiles what is asked for. False: the faults say why not. */
static bool load(const struct wishes *w, struct subject *s, struct faults *f)
{
	struct filter_def *def;

	if (w->n_fail > 0)
		s->def = of_regexes(w, s->arena);
	else if (w->jail != NULL)
		load_jail(w, s, f);
	else if (ruleset_load_filter(&def, s->arena, w->dir, w->filter, f) == 0)
		s->def = def;
	if (s->def == NULL)
		return false;
	if (w->encoding != NULL)
		s->encoding = (struct conf_text) {w->encoding, {NULL, 0}};
	if (s->encoding.text != NULL && charset_open(&s->charset, s->encoding.text) < 0) {
		fault_add(f, FAULT_ERROR, s->encoding.where,
			"the encoding '%s' is not known: write it as iconv -l has it",
			s->encoding.text);
		return false;
	}
	/* A filter is tried as fail2ban would use it, a jail as the daemon does. */
	if (filter_new(&s->filter, s->def, f) == 0 && w->jail == NULL)
		filter_imitate(s->filter);
	date_patterns_new(&s->dates, &s->def->datepattern, &s->zone, f);
	return s->filter != NULL && s->dates != NULL;
}

static void subject_done(struct subject *s)
{
	charset_close(s->charset);
	filter_free(s->filter);
	date_patterns_free(s->dates);
	ruleset_free(s->rules);
	arena_free(s->arena);
}

static int open_input(struct cli *c)
{
	const char *path = optind < c->argc ? c->argv[optind] : "-";
	char shown[512];
	int fd;

	/* Ours to close, whichever it is. */
	fd = strcmp(path, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
				    : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		int error = errno;

		text_escape(shown, sizeof(shown), path, strlen(path));
		cli_complain(c, "%s: %s%s", shown, strerror(error),
			strncmp(path, "systemd-journal", 15) == 0
				? "; pipe the journal in: journalctl -o short | stockade test ..."
				: "");
	}
	return fd;
}

static int run(struct cli *c)
{
	struct wishes w = {.dir = STOCKADE_CONFDIR};
	struct subject s = {.arena = NULL};
	struct faults f = {0};
	int fd = -1, status = CLI_USAGE;
	bool good;

	if (read_options(c, &w) < 0)
		return c->status;
	s.arena = arena_new();
	if (s.arena == NULL) {
		cli_complain(c, "out of memory");
		return CLI_USAGE;
	}
	good = load(&w, &s, &f);
	cli_faults(c->err, &f);
	if (!good && w.n_fail == 0 && w.rules == NULL && access(w.dir, F_OK) < 0)
		cli_complain(c, "there is no %s: name the configuration with -c", w.dir);
	if (good)
		fd = open_input(c);
	if (fd >= 0)
		status = trial_run(c,
			&(struct trial_conf) {.def = s.def,
				.filter = s.filter,
				.dates = s.dates,
				.charset = s.charset,
				/* A jail is tried on what journalctl prints, too. */
				.undated = s.def->is_journal && w.jail == NULL,
				.now_us = w.now_us,
				.verbose = w.verbose},
			fd);
	subject_done(&s);
	faults_done(&f);
	return status;
}
