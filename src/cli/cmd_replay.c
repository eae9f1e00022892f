/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"
#include "base/text.h"
#include "base/util.h"
#include "cli/commands.h"
#include "cli/differences.h"
#include "cli/progress.h"
#include "cli/say.h"
#include "cli/trial.h"
#include "keeper/own.h"
#include "replay/replay.h"
#include "replay/tally.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define JAILS_MAX 256
#define THREADS_MAX 64
#define THREADS_USUAL 16 /* at most, if nobody says: what is done in order takes its time */

static int run(struct cli *c);

const struct command cmd_replay = {
	.name = "replay",
	.args = "[-c DIR] [--rules FILE] [-j JAIL]...\n"
		"                       [--compare DIR] [--now TIME] [--encoding NAME] [--threads "
		"N] FILE...",
	.summary = "what bans would have been made of whole logs",
	.help = "Plays logs through the jails with the logs' own clock and prints each ban that\n"
		"would have been made; then, to standard error, the sums and what was left out.\n"
		"Every jail judges every FILE: plain, .gz, .xz or .zst (told by content), or -\n"
		"for standard input. Several are merged by time. Exit status 1 when nobody would\n"
		"have been banned. With --json an object a ban: time, jail, ip, failures, until\n"
		"(null: for ever), and rule if it is of a rules file.\n\n"
		"  -c DIR         the configuration (" STOCKADE_CONFDIR ")\n"
		"  --rules FILE   and these rules, as for 'stockade run', in a jail "
		"'" CLI_RULES_JAIL "'\n"
		"  -j JAIL        that jail, enabled or not, in place of all that are enabled;\n"
		"                 may be given again\n"
		"  --compare DIR  plays that configuration beside the other, and tells whom one\n"
		"                 of them would have banned and the other would not, and who of\n"
		"                 them has logged in; exit status 1 when there is no difference.\n"
		"                 With --json an object an address: ip, jail, in (\"new\": that\n"
		"                 DIR, or \"old\"), time (of the first ban), logins, bans,\n"
		"                 failures, user\n"
		"  --now TIME     the present, by which dates without a year are read, such as\n"
		"                 '2026-11-20 07:32:08'\n"
		"  --encoding NAME\n"
		"                 how the files are encoded, as logencoding has it\n"
		"  --threads N    how many work at it, by default one a processor, 16 at most;\n"
		"                 what comes of it is the same\n",
	.json = true,
	.run = run,
};

struct wishes {
	const char *dir, *other, *encoding;
	struct overlay overlay; /* what is said of dir */
	const char *jails[JAILS_MAX];
	size_t n_jails;
	int64_t now_us;
	unsigned threads;
};

/* What is played. */
struct film {
	struct cli *cli;
	struct plan *plans[REPLAY_PLANS_MAX];
	size_t n_plans;
	struct own *own;
	struct charset *charset;
	struct tally *tally; /* NULL: bans are printed as they come */
	struct progress progress;
	bool on_terminal; /* what is printed goes where the bar is */
	int jail_width, ip_width;
	const struct jail *json_jail; /* whose name is json_name */
	char *json_name;
};

static int read_threads(unsigned *ret, const char *s)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(s, &end, 10);
	if (errno != 0 || *end != '\0' || *s < '0' || *s > '9' || n < 1 || n > THREADS_MAX)
		return -EINVAL;
	*ret = (unsigned)n;
	return 0;
}

/* As many as there are processors for us, within reason. */
static unsigned usual_threads(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

	return n < 1 ? 1 : n > THREADS_USUAL ? THREADS_USUAL : (unsigned)n;
}

static int read_options(struct cli *c, struct wishes *w)
{
	static char rules[PATH_MAX];
	static const struct option longs[] = {{"rules", required_argument, NULL, 'R'},
		{"now", required_argument, NULL, 'N'}, {"encoding", required_argument, NULL, 'E'},
		{"compare", required_argument, NULL, 'C'},
		{"threads", required_argument, NULL, 'T'}, {0}};
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
		} else if (o == 'R') {
			overlay_set_rules(&w->overlay, CLI_RULES_JAIL, cli_absolute(rules, optarg));
		} else if (o == 'E') {
			w->encoding = optarg;
		} else if (o == 'C') {
			w->other = optarg;
		} else if (o == 'T') {
			if (read_threads(&w->threads, optarg) < 0) {
				cli_usage(c, "--threads takes a number from 1 to %d", THREADS_MAX);
				return CLI_OPT_STOP;
			}
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

/* The same as cli_json would print, with less ado: there may be many. */
static void print_json(struct film *f, const struct court_ban *b)
{
	char time[SAY_MAX], until[SAY_MAX], ip[PREFIX_STRLEN];
	bool ends = b->until_us != COURT_FOREVER;

	if (f->json_jail != b->jail) {
		json_t *name = cli_json_text(b->jail->name, strlen(b->jail->name));

		free(f->json_name);
		f->json_name = json_dumps(name, JSON_ENSURE_ASCII | JSON_ENCODE_ANY);
		f->json_jail = b->jail;
		json_decref(name);
	}
	if (f->json_name == NULL)
		return;
	fprintf(f->cli->out,
		"{\"time\":\"%s\",\"jail\":%s,\"ip\":\"%s\",\"failures\":%u,\"until\":%s%s%s",
		differences_time(b->since_us, false, time), f->json_name,
		prefix_format(&b->who, ip), b->failures, ends ? "\"" : "",
		ends ? differences_time(b->until_us, false, until) : "null", ends ? "\"" : "");
	if (b->rule != NULL) {
		json_t *rule = cli_json_text(b->rule, strlen(b->rule));

		fputs(",\"rule\":", f->cli->out);
		json_dumpf(rule, f->cli->out, JSON_ENSURE_ASCII | JSON_ENCODE_ANY);
		json_decref(rule);
	}
	fputs("}\n", f->cli->out);
}

/* Until when it lasts, the day only where it is another than that of the beginning. */
static const char *until_text(
	const struct court_ban *b, const char *since, char buf[static SAY_MAX])
{
	const size_t day = strlen("2026-11-20 ");

	differences_time(b->until_us, true, buf);
	return strncmp(buf, since, day) == 0 ? buf + day : buf;
}

static void on_ban(void *arg, const struct court_ban *b)
{
	char time[SAY_MAX], until[SAY_MAX], ip[PREFIX_STRLEN];
	struct film *f = arg;
	struct cli *c = f->cli;
	bool ends = b->until_us != COURT_FOREVER;
	int len;

	if (ferror(c->out))
		return;
	if (f->on_terminal)
		progress_clear(&f->progress);
	if (c->json) {
		print_json(f, b);
		return;
	}
	differences_time(b->since_us, true, time);
	len = (int)strlen(prefix_format(&b->who, ip));
	if (len > f->ip_width)
		f->ip_width = len;
	fprintf(c->out, "%s  %-*s  %s%-*s%s  %4u failure%s  %s%s%s%s\n", time, f->jail_width,
		b->jail->name, cli_style(c, STYLE_BAD), f->ip_width, ip, cli_style(c, STYLE_PLAIN),
		b->failures, b->failures == 1 ? " " : "s", ends ? "until " : "for ever",
		ends ? until_text(b, time, until) : "", b->rule != NULL ? ": " : "",
		b->rule != NULL ? b->rule : "");
}

static void on_old_ban(void *arg, const struct court_ban *b)
{
	const struct film *f = arg;

	tally_ban(f->tally, TALLY_OLD, b);
}

static void on_new_ban(void *arg, const struct court_ban *b)
{
	const struct film *f = arg;

	tally_ban(f->tally, TALLY_NEW, b);
}

static void on_login(void *arg, const struct addr *a, const char *user, size_t len)
{
	const struct film *f = arg;

	tally_login(f->tally, a, user, len);
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

static const char *unfit_advice(const char *unfit)
{
	static const char *const archives[] = {"bzip2", "lz4", "lzip", "zip"};

	for (size_t i = 0; i < ARRAY_SIZE(archives); i++)
		if (strcmp(unfit, archives[i]) == 0)
			return ": unpack it and pipe it in";
	return strcmp(unfit, "journal") == 0 ? ": pipe in what journalctl -o short-iso prints of it"
					     : "";
}

static void on_trouble(void *arg, const char *path, int error, const char *unfit, uint64_t lines)
{
	const struct film *f = arg;
	char shown[512], count[SAY_MAX];

	text_escape(shown, sizeof(shown), path, strlen(path));
	if (error == -EMEDIUMTYPE)
		cli_complain(f->cli, "%s is no log but %s%s", shown, unfit, unfit_advice(unfit));
	else if (lines == 0)
		cli_complain(f->cli, "%s: %s", shown, error_text(error));
	else
		cli_complain(f->cli, "%s: %s; the %s line%s before that %s played", shown,
			error_text(error), say_count((int64_t)lines, count), lines == 1 ? "" : "s",
			lines == 1 ? "was" : "were");
}

/* A reader that has seen enough ends us, also where SIGPIPE is ignored. */
static bool on_progress(void *arg, const struct replay_progress *p)
{
	struct film *f = arg;

	progress_tell(&f->progress, p->done, p->total, p->lines);
	return !ferror(f->cli->out);
}

/* Warnings are for the one who starts the daemon, or checks. */
static void tell_errors(struct cli *c, const struct faults *faults)
{
	struct faults errors = {0};

	for (size_t i = 0; i < faults->n; i++) {
		const struct fault *one = &faults->items[i];

		if (one->severity == FAULT_ERROR)
			fault_add(&errors, FAULT_ERROR, (struct where) {one->file, one->line}, "%s",
				one->message);
	}
	cli_faults(c->err, &errors);
	faults_done(&errors);
}

static bool load_plan(
	struct film *f, const struct wishes *w, const char *dir, const struct overlay *overlay)
{
	struct plan **plan = &f->plans[f->n_plans];
	struct faults faults = {0};
	char shown[512];
	int r;

	if (w->n_jails > 0)
		r = plan_load_jails(plan, dir, overlay, w->jails, w->n_jails, &faults);
	else
		r = plan_load(plan, dir, overlay, &faults);
	tell_errors(f->cli, &faults);
	faults_done(&faults);
	if (r == -ENOMEM)
		cli_complain(f->cli, "out of memory");
	if (r < 0)
		return false;
	if ((*plan)->rs->n_jails == 0) {
		text_escape(shown, sizeof(shown), dir, strlen(dir));
		cli_complain(f->cli, "no jail is enabled in %s: name one with -j", shown);
	}
	f->n_plans++;
	return true;
}

static bool load(struct film *f, const struct wishes *w)
{
	struct cli *c = f->cli;
	char shown[160];

	if (w->encoding != NULL && charset_open(&f->charset, w->encoding) < 0) {
		text_escape(shown, sizeof(shown), w->encoding, strlen(w->encoding));
		cli_complain(
			c, "the encoding '%s' is not known: write it as iconv -l has it", shown);
		return false;
	}
	if (!load_plan(f, w, w->dir, &w->overlay) ||
		(w->other != NULL && !load_plan(f, w, w->other, NULL)))
		return false;
	if (w->other == NULL && f->plans[0]->rs->n_jails == 0)
		return false;
	if (w->other != NULL && (f->tally = tally_new()) == NULL) {
		cli_complain(c, "out of memory");
		return false;
	}
	/* Without them nobody is let off for being this machine. */
	own_new(&f->own);
	return true;
}

/* What the daemon would ask others about, and nobody is asked here. */
static void tell_unasked(struct film *f, const struct ruleset *rs)
{
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

static void sum(struct cli *c, uint64_t n, const char *one, const char *many)
{
	char count[SAY_MAX];

	if (n > 0)
		fprintf(c->err, "%15s %s\n", say_count((int64_t)n, count), n == 1 ? one : many);
}

/* What both made of the same lines, where two are compared. */
static void print_pair(struct cli *c, const uint64_t n[REPLAY_PLANS_MAX], size_t n_plans,
	const char *one, const char *many)
{
	char count[SAY_MAX];

	fprintf(c->err, "%s", say_count((int64_t)n[0], count));
	if (n_plans > 1)
		fprintf(c->err, " and %s", say_count((int64_t)n[1], count));
	fprintf(c->err, " %s, ", n[n_plans - 1] == 1 ? one : many);
}

static void print_sums(struct film *f, const struct replay_sums *s, int64_t elapsed_us)
{
	const struct replay_plan_sums *p = s->plans;
	double seconds = (double)elapsed_us / USEC_PER_SEC;
	struct cli *c = f->cli;
	char count[SAY_MAX];

	print_pair(c, (uint64_t[REPLAY_PLANS_MAX]) {s->lanes.lines}, 1, "line", "lines");
	print_pair(c, (uint64_t[]) {p[0].matches, p[1].matches}, f->n_plans, "match", "matches");
	print_pair(c, (uint64_t[]) {p[0].court.bans, p[1].court.bans}, f->n_plans, "ban", "bans");
	fprintf(c->err, "%.3f seconds, %s lines/s\n", seconds,
		say_count(seconds > 0 ? (int64_t)((double)s->lanes.lines / seconds) : 0, count));
	sum(c, p[0].court.ignored + p[1].court.ignored,
		"failure of one whom ignoreip or ignoreself lets off",
		"failures of those whom ignoreip or ignoreself lets off");
	sum(c, s->lanes.undated,
		"line without a date, taken to be of the one before, or else of now",
		"lines without a date, taken to be of the one before, or else of now");
	sum(c, s->lanes.ahead, "line dated ahead of the present, taken to be of now",
		"lines dated ahead of the present, taken to be of now");
	sum(c, s->lanes.long_lines, "line of which only the first 64 KiB were judged",
		"lines of which only the first 64 KiB were judged");
	sum(c, s->lanes.torn, "line torn into pieces too far apart to be put together",
		"lines torn into pieces too far apart to be put together");
	sum(c, s->lanes.limit_hits, "line not judged by a regex that met its limits",
		"lines not judged by a regex that met its limits");
	sum(c, p[0].names + p[1].names, "failure of a host name, which is not looked up",
		"failures of host names, which are not looked up");
	sum(c, p[0].ids + p[1].ids, "failure of somebody who has no address",
		"failures of somebody who has no address");
	sum(c, p[0].court.refused + p[1].court.refused, "failure of a block too wide to ban",
		"failures of blocks too wide to ban");
	sum(c, p[0].court.evicted + p[1].court.evicted,
		"address forgotten, as the failure table was full: see memory in stockade.conf(5)",
		"addresses forgotten, as the failure table was full: see memory in "
		"stockade.conf(5)");
	sum(c, p[0].court.cut + p[1].court.cut, "ban ended early, as there were too many",
		"bans ended early, as there were too many");
	sum(c, s->sessions_lost, "session pushed out by a newer one",
		"sessions pushed out by newer ones");
	sum(c, s->lanes.no_memory + p[0].court.no_memory + p[1].court.no_memory,
		"line lost, out of memory", "lines lost, out of memory");
}

static int play(struct film *f, const struct wishes *w)
{
	struct cli *c = f->cli;
	int64_t start_us = clock_mono_us();
	struct replay_conf conf = {
		.n_plans = f->n_plans,
		.paths = (const char *const *)&c->argv[optind],
		.n_paths = (size_t)(c->argc - optind),
		.charset = f->charset,
		.now_us = w->now_us != 0 ? w->now_us : clock_wall_us(),
		.threads = w->threads,
		.on_ban = {f->tally != NULL ? on_old_ban : on_ban, on_new_ban},
		.on_login = f->tally != NULL ? on_login : NULL,
		.on_trouble = on_trouble,
		.on_progress = on_progress,
		.arg = f,
	};
	const char *const names[TALLY_SIDES] = {w->dir, w->other};
	int r, status = CLI_GOOD;
	struct replay_sums sums;

	for (size_t i = 0; i < f->n_plans; i++)
		conf.plans[i] = f->plans[i];
	if (f->own != NULL)
		conf.own = own_list(f->own, &conf.n_own);
	f->on_terminal = isatty(fileno(c->out)) != 0;
	progress_init(&f->progress, c->err);
	r = replay_run(&conf, &sums);
	progress_clear(&f->progress);
	if (f->tally != NULL && !ferror(c->out))
		status = differences_print(c, f->tally, names);
	else if (sums.plans[0].court.bans == 0)
		status = CLI_NO;
	fflush(c->out);
	/* Of what could not begin there is nothing to sum up. */
	if (sums.lanes.lines > 0 || (r == 0 && sums.troubles == 0))
		print_sums(f, &sums, clock_mono_us() - start_us);
	if (r == -ENOMEM)
		cli_complain(c, "out of memory");
	return r < 0 || sums.troubles > 0 ? CLI_USAGE : status;
}

static int run(struct cli *c)
{
	struct wishes w = {.dir = STOCKADE_CONFDIR, .threads = usual_threads()};
	struct film f = {.cli = c, .ip_width = 15};
	int status = CLI_USAGE;

	if (read_options(c, &w) < 0)
		return c->status;
	if (load(&f, &w)) {
		for (size_t i = 0; i < f.n_plans; i++)
			tell_unasked(&f, f.plans[i]->rs);
		status = play(&f, &w);
	}
	own_free(f.own);
	for (size_t i = 0; i < f.n_plans; i++)
		plan_free(f.plans[i]);
	tally_free(f.tally);
	free(f.json_name);
	charset_close(f.charset);
	return status;
}
