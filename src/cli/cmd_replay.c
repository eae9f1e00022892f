/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"
#include "base/text.h"
#include "base/util.h"
#include "cli/commands.h"
#include "cli/say.h"
#include "cli/trial.h"
#include "keeper/own.h"
#include "replay/replay.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define JAILS_MAX 256

static int run(struct cli *c);

const struct command cmd_replay = {
	.name = "replay",
	.args = "[-c DIR] [-j JAIL]... [--now TIME] [--encoding NAME] FILE...",
	.summary = "what bans would have been made of whole logs",
	.help = "Plays logs through the jails with the logs' own clock and prints each ban that\n"
		"would have been made, then what went by. Every jail judges every FILE: plain,\n"
		".gz, .xz or .zst (told by content), or - for standard input. Several are merged\n"
		"by time. Exit status 1 when nobody would have been banned. With --json an object\n"
		"a ban: time, jail, ip, failures, until (null: for ever).\n\n"
		"  -c DIR         the configuration (" STOCKADE_CONFDIR ")\n"
		"  -j JAIL        that jail, enabled or not, in place of all that are enabled; "
		"may\n"
		"                 be given again\n"
		"  --now TIME     the present, by which dates without a year are read\n"
		"  --encoding NAME  how the files are encoded, as logencoding has it\n",
	.json = true,
	.run = run,
};

struct wishes {
	const char *dir, *encoding;
	const char *jails[JAILS_MAX];
	size_t n_jails;
	int64_t now_us;
};

/* What is played. */
struct film {
	struct cli *cli;
	struct plan *plan;
	struct own *own;
	struct charset *charset;
	int jail_width;
	bool is_cut; /* nobody reads the output any more */
};

static int read_options(struct cli *c, struct wishes *w)
{
	static const struct option longs[] = {{"now", required_argument, NULL, 'N'},
		{"encoding", required_argument, NULL, 'E'}, {0}};
	int o;

	while ((o = cli_option(c, "c:j:", longs)) >= 0) {
		if (o == 'c') {
			w->dir = optarg;
		} else if (o == 'j') {
			if (w->n_jails == JAILS_MAX) {
				cli_usage(c, "at most %d jails", JAILS_MAX);
				return CLI_OPT_STOP;
			}
			w->jails[w->n_jails++] = optarg;
		} else if (o == 'E') {
			w->encoding = optarg;
		} else if (trial_read_time(&w->now_us, optarg) < 0) {
			cli_usage(c, "--now takes a time such as '2026-11-20 07:32:08'");
			return CLI_OPT_STOP;
		}
	}
	if (o == CLI_OPT_STOP)
		return o;
	if (optind < c->argc)
		return 0;
	cli_usage(c, "which log? name one or more, or - for standard input");
	return CLI_OPT_STOP;
}

/* "2026-11-20T07:32:08+01:00", or for people "2026-11-20 07:32:08". */
static const char *format_time(int64_t us, bool for_people, char buf[static SAY_MAX])
{
	int64_t sec = us / USEC_PER_SEC - (us % USEC_PER_SEC < 0);
	time_t t = (time_t)sec;
	struct tm tm;
	size_t n;

	buf[0] = '\0';
	if (localtime_r(&t, &tm) == NULL)
		return buf;
	n = strftime(
		buf, SAY_MAX - 1, for_people ? "%Y-%m-%d %H:%M:%S" : "%Y-%m-%dT%H:%M:%S%z", &tm);
	if (!for_people && n >= 5) {
		/* "+0100" to "+01:00" (RFC 3339). */
		memmove(buf + n - 1, buf + n - 2, 3);
		buf[n - 2] = ':';
	}
	return buf;
}

static void print_json(struct cli *c, const struct court_ban *b)
{
	char time[SAY_MAX], until[SAY_MAX], ip[PREFIX_STRLEN];
	json_t *line = json_pack("{s:s, s:o, s:s, s:I, s:s?}", "time",
		format_time(b->since_us, false, time), "jail",
		cli_json_text(b->jail->name, strlen(b->jail->name)), "ip",
		prefix_format(&b->who, ip), "failures", (json_int_t)b->failures, "until",
		b->until_us == COURT_FOREVER ? NULL : format_time(b->until_us, false, until));

	cli_json(c, line);
	json_decref(line);
}

static void on_ban(void *arg, const struct court_ban *b)
{
	char time[SAY_MAX], until[SAY_MAX], ip[PREFIX_STRLEN];
	struct film *f = arg;
	struct cli *c = f->cli;

	if (c->json) {
		print_json(c, b);
		return;
	}
	fprintf(c->out, "%s  %-*s  %s%-15s%s  %4u failure%s  until %s\n",
		format_time(b->since_us, true, time), f->jail_width, b->jail->name,
		cli_style(c, STYLE_BAD), prefix_format(&b->who, ip), cli_style(c, STYLE_PLAIN),
		b->failures, b->failures == 1 ? " " : "s",
		b->until_us == COURT_FOREVER ? "for ever" : format_time(b->until_us, true, until));
}

static const char *error_text(int error)
{
	switch (error) {
	case -ENODATA:
		return "the archive ends too early";
	case -EBADMSG:
		return "the archive is damaged";
	case -E2BIG:
		return "unpacking it takes more memory than is allowed for";
	case -ENOTSUP:
		return "this build cannot unpack such files; unpack it and pipe it in";
	default:
		return strerror(-error);
	}
}

static void on_trouble(void *arg, const char *path, int error, const char *unfit, uint64_t taken)
{
	const struct film *f = arg;
	char shown[512], count[SAY_MAX];

	text_escape(shown, sizeof(shown), path, strlen(path));
	if (error == -EMEDIUMTYPE)
		cli_complain(f->cli, "%s is no log but %s", shown, unfit);
	else if (taken == 0)
		cli_complain(f->cli, "%s: %s", shown, error_text(error));
	else
		cli_complain(f->cli, "%s: %s; it was played up to about byte %s", shown,
			error_text(error), say_count((int64_t)taken, count));
}

static void on_progress(void *arg, const struct replay_progress *p)
{
	(void)arg;
	(void)p;
}

static bool load(struct film *f, const struct wishes *w)
{
	struct faults faults = {0}, errors = {0};
	int r;

	if (w->n_jails > 0)
		r = plan_load_jails(&f->plan, w->dir, w->jails, w->n_jails, &faults);
	else
		r = plan_load(&f->plan, w->dir, &faults);
	if (r == 0 && w->encoding != NULL && charset_open(&f->charset, w->encoding) < 0) {
		char shown[160];

		text_escape(shown, sizeof(shown), w->encoding, strlen(w->encoding));
		fault_add(&faults, FAULT_ERROR, (struct where) {NULL, 0},
			"the encoding '%s' is not known: write it as iconv -l has it", shown);
		r = -EINVAL;
	}
	/* Warnings are for the one who starts the daemon, or checks. */
	for (size_t i = 0; i < faults.n; i++)
		if (faults.items[i].severity == FAULT_ERROR)
			fault_add(&errors, FAULT_ERROR,
				(struct where) {faults.items[i].file, faults.items[i].line}, "%s",
				faults.items[i].message);
	cli_faults(f->cli->err, &errors);
	faults_done(&errors);
	faults_done(&faults);
	if (r == -ENOMEM)
		cli_complain(f->cli, "out of memory");
	return r == 0;
}

/* What the daemon would ask others about, and nobody is asked here. */
static void tell_unasked(struct film *f)
{
	const struct ruleset *rs = f->plan->rs;
	size_t names = rs->allow_names.n, commands = 0;

	for (size_t i = 0; i < rs->n_jails; i++) {
		const struct jail *j = &rs->jails[i];
		int width = (int)strlen(j->name);

		names += j->ignorenames.n;
		commands += j->ignorecommand.text != NULL;
		if (width > f->jail_width)
			f->jail_width = width;
	}
	if (names > 0)
		cli_complain(f->cli,
			"%zu host name%s in ignoreip %s not looked up: who has %s is not let off "
			"here",
			names, names == 1 ? "" : "s", names == 1 ? "is" : "are",
			names == 1 ? "it" : "them");
	if (commands > 0)
		cli_complain(f->cli,
			"ignorecommand is not run here: %zu jail%s would let somebody off by it",
			commands, commands == 1 ? "" : "s");
}

static void sum(struct cli *c, uint64_t n, const char *what)
{
	char count[SAY_MAX];

	if (n > 0)
		fprintf(c->err, "%15s %s\n", say_count((int64_t)n, count), what);
}

static void print_sums(struct cli *c, const struct replay_sums *s, int64_t elapsed_us)
{
	double seconds = (double)elapsed_us / USEC_PER_SEC;
	char lines[SAY_MAX], matches[SAY_MAX], bans[SAY_MAX], rate[SAY_MAX];

	fprintf(c->err, "%s lines, %s matches, %s bans, %.3f seconds, %s lines/s\n",
		say_count((int64_t)s->lanes.lines, lines), say_count((int64_t)s->matches, matches),
		say_count((int64_t)s->courts[0].bans, bans), seconds,
		say_count(seconds > 0 ? (int64_t)((double)s->lanes.lines / seconds) : 0, rate));
	sum(c, s->courts[0].ignored, "failures of those whom ignoreip or ignoreself lets off");
	sum(c, s->lanes.undated, "lines without a date, taken to be of the one before");
	sum(c, s->lanes.ahead, "lines dated ahead of the present, taken to be of now");
	sum(c, s->lanes.long_lines, "lines of which only the first 64 KiB were judged");
	sum(c, s->limit_hits, "lines not judged by a regex that met its limits");
	sum(c, s->names, "failures of host names, which are not looked up");
	sum(c, s->ids, "failures of somebody who has no address");
	sum(c, s->courts[0].refused, "failures of blocks too wide to ban");
	sum(c, s->courts[0].evicted, "addresses forgotten, as the failure table was full");
	sum(c, s->courts[0].cut, "bans ended early, as there were too many");
	sum(c, s->sessions_lost, "sessions pushed out by newer ones");
	sum(c, s->no_memory + s->courts[0].no_memory, "lines lost, out of memory");
}

static int play(struct film *f, const struct wishes *w)
{
	struct cli *c = f->cli;
	int64_t start_us = clock_mono_us();
	struct replay_conf conf = {
		.plans = {f->plan},
		.n_plans = 1,
		.paths = (const char *const *)&c->argv[optind],
		.n_paths = (size_t)(c->argc - optind),
		.charset = f->charset,
		.now_us = w->now_us != 0 ? w->now_us : clock_wall_us(),
		.on_ban = {on_ban},
		.on_trouble = on_trouble,
		.on_progress = on_progress,
		.arg = f,
	};
	struct replay_sums sums;
	int r;

	if (f->own != NULL)
		conf.own = own_list(f->own, &conf.n_own);
	r = replay_run(&conf, &sums);
	fflush(c->out);
	print_sums(c, &sums, clock_mono_us() - start_us);
	if (r == -ENOMEM)
		cli_complain(c, "out of memory");
	if (r < 0 || sums.troubles > 0)
		return CLI_USAGE;
	return sums.courts[0].bans > 0 ? CLI_GOOD : CLI_NO;
}

static int run(struct cli *c)
{
	struct wishes w = {.dir = STOCKADE_CONFDIR};
	struct film f = {.cli = c};
	int status = CLI_USAGE;

	if (read_options(c, &w) < 0)
		return c->status;
	if (load(&f, &w)) {
		tell_unasked(&f);
		own_new(&f.own);
		status = play(&f, &w);
	}
	own_free(f.own);
	plan_free(f.plan);
	charset_close(f.charset);
	return status;
}
