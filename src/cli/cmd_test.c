/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/text.h"
#include "cli/commands.h"
#include "cli/trial.h"
#include "config/ruleset.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define REGEXES_MAX 64

static int run(struct cli *c);

const struct command cmd_test = {
	.name = "test",
	.args = "[-c DIR] -f 'FILTER[opt=val]' | -r REGEX [-i REGEX] [--now TIME] [FILE|-]",
	.summary = "try a filter on log lines",
	.help = "Says of each line whether it is a match (a failure), nofail (belongs to one but\n"
		"is none by itself), ignored or a miss, and who would be banned. Reads standard\n"
		"input without FILE. Exit status 1 when nothing matched. With --json an object a\n"
		"line: line, verdict, ip, time, fields.\n\n"
		"  -f FILTER      a filter by name, with options, or the path of its file\n"
		"  -r REGEX       a failregex in place of a filter; may be given again\n"
		"  -i REGEX       an ignoreregex to go with it; may be given again\n"
		"  --now TIME     what to take for the present: dates without a year are read by "
		"it\n"
		"  -c DIR         the configuration that has the filter (" STOCKADE_CONFDIR ")\n",
	.json = true,
	.run = run,
};

struct wishes {
	const char *dir, *filter;
	struct conf_text fail[REGEXES_MAX], ignore[REGEXES_MAX];
	size_t n_fail, n_ignore;
	int64_t now_us; /* 0: the real present */
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
	static const struct option longs[] = {{"now", required_argument, NULL, 'N'}, {0}};
	int o, r = 0;

	while ((o = cli_option(c, "c:f:r:i:", longs)) >= 0) {
		if (o == 'c') {
			w->dir = optarg;
		} else if (o == 'f') {
			w->filter = optarg;
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
	if ((w->filter != NULL) == (w->n_fail > 0))
		cli_usage(c, w->filter != NULL ? "either -f or -r, not both"
					       : "which filter? name it with -f, or give -r REGEX");
	else if (w->filter != NULL && w->n_ignore > 0)
		cli_usage(c, "-i goes with -r; a filter file has its own ignoreregex");
	else if (c->argc - optind > 1)
		cli_usage(c, "one file at a time");
	else
		return 0;
	return CLI_OPT_STOP;
}

/* The filter asked for, compiled, and its dates; texts live in arena. NULL: the faults say why. */
static struct filter *load(const struct wishes *w, struct arena *arena,
	struct date_patterns **ret_dates, struct faults *f)
{
	struct filter_def *def;
	struct filter *filter = NULL;

	if (w->filter == NULL) {
		def = arena_alloc(arena, sizeof(*def));
		*def = (struct filter_def) {.name = "-r",
			.failregex = arena_array(arena, w->n_fail, sizeof(w->fail[0])),
			.n_failregex = w->n_fail,
			.ignoreregex = arena_array(arena, w->n_ignore, sizeof(w->ignore[0])),
			.n_ignoreregex = w->n_ignore,
			.maxlines = 1};
		memcpy(def->failregex, w->fail, w->n_fail * sizeof(w->fail[0]));
		memcpy(def->ignoreregex, w->ignore, w->n_ignore * sizeof(w->ignore[0]));
	} else if (ruleset_load_filter(&def, arena, w->dir, w->filter, f) < 0) {
		return NULL;
	}
	filter_new(&filter, def, f);
	if (date_patterns_new(ret_dates, &def->datepattern, NULL, f) < 0 || filter == NULL) {
		filter_free(filter);
		return NULL;
	}
	return filter;
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
		cli_complain(c, "%s: %s", shown, strerror(error));
	}
	return fd;
}

static int run(struct cli *c)
{
	struct wishes w = {.dir = STOCKADE_CONFDIR};
	struct arena *arena;
	struct filter *filter;
	struct date_patterns *dates = NULL;
	struct faults f = {0};
	int fd, status = CLI_USAGE;

	if (read_options(c, &w) < 0)
		return c->status;
	arena = arena_new();
	if (arena == NULL) {
		cli_complain(c, "out of memory");
		return CLI_USAGE;
	}
	filter = load(&w, arena, &dates, &f);
	cli_faults(c->err, &f);
	if (filter != NULL) {
		fd = open_input(c);
		if (fd >= 0)
			status = trial_run(c, filter, dates, fd, w.now_us);
	}
	filter_free(filter);
	date_patterns_free(dates);
	faults_done(&f);
	arena_free(arena);
	return status;
}
