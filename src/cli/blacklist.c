/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/blacklist.h"

#include "base/buf.h"
#include "base/text.h"
#include "base/util.h"
#include "cli/cli.h"
#include "cli/daemonize.h"
#include "config/overlay.h"
#include "keeper/keeper.h"

#include <limits.h>
#include <string.h>

#define NAME "syslog-blacklist"

enum option_id {
	OPT_LISTEN = 1001,
	OPT_CONFIG,
	OPT_BLOCKED,
	OPT_BLACKLIST,
	OPT_WHITELIST,
	OPT_SKIP,
	OPT_COUNTRIES,
	OPT_PIDFILE,
	OPT_LOGFILE,
	OPT_NO_DAEMON,
	OPT_DEBUG,
	OPT_DRY_RUN,
	OPT_STATE,
	OPT_SOCKET,
	OPT_HELP,
	OPT_VERSION,
};

static const struct option options[] = {
	{"listen", required_argument, NULL, OPT_LISTEN},
	{"config", required_argument, NULL, OPT_CONFIG},
	{"blocked", required_argument, NULL, OPT_BLOCKED},
	{"blacklist", required_argument, NULL, OPT_BLACKLIST},
	{"whitelist", required_argument, NULL, OPT_WHITELIST},
	{"skip-country", required_argument, NULL, OPT_SKIP},
	{"skip-countries", required_argument, NULL, OPT_SKIP},
	{"countries", required_argument, NULL, OPT_COUNTRIES},
	{"pidfile", required_argument, NULL, OPT_PIDFILE},
	{"logfile", required_argument, NULL, OPT_LOGFILE},
	{"no-daemon", no_argument, NULL, OPT_NO_DAEMON},
	{"debug", no_argument, NULL, OPT_DEBUG},
	{"dry-run", no_argument, NULL, OPT_DRY_RUN},
	{"state", required_argument, NULL, OPT_STATE},
	{"socket", required_argument, NULL, OPT_SOCKET},
	{"help", no_argument, NULL, OPT_HELP},
	{"version", no_argument, NULL, OPT_VERSION},
	{0},
};

static const char help[] =
	"usage: " NAME " [OPTION...]\n\n"
	"Listens for syslog messages and has the kernel drop all packets of the addresses that\n"
	"the rules find, for as long as they say.\n\n"
	"  --listen WHERE      PORT, ADDRESS:PORT (by UDP) or a URL such as tcp://ADDRESS:PORT;\n"
	"                      may be given again (udp://127.0.0.1:5514)\n"
	"  --config FILE       the rules (/etc/" NAME ".conf)\n"
	"  --blocked TIME      for how long, where a rule does not say (10m)\n"
	"  --blacklist NAME    the kernel's sets are NAME4 and NAME6 (" CLI_RULES_JAIL ")\n"
	"  --whitelist ADDR    address, block or name that is never blocked; several with\n"
	"                      commas between, and may be given again\n"
	"  --skip-country CC   a country of which nobody is blocked, such as DK; several with\n"
	"                      commas between, and may be given again\n"
	"  --countries FILE    which addresses are whose, as GeoLite2-Country.mmdb\n"
	"  --pidfile FILE      where the daemon's process number is written\n"
	"  --logfile FILE      the log, in place of syslog (or the terminal)\n"
	"  --no-daemon         stay in the foreground\n"
	"  --debug             tell more\n"
	"  --dry-run           decide and log, but leave the firewall alone\n"
	"  --state DIR         what is remembered across restarts (/var/lib/" NAME ")\n"
	"  --socket PATH       where 'stockade --socket PATH' commands it (/run/" NAME ".sock)\n"
	"  --help, --version\n";

struct wishes {
	const char *rules, *jail, *blocked, *countries, *logfile;
	struct buf listen, whitelist, skip; /* lists, with blanks between */
	bool no_daemon, debug;
	struct overlay overlay; /* all of that, as keys of the configuration */
	struct keeper_options keeper;
};

static int add_word(struct buf *list, const char *before, const char *word)
{
	return buf_addf(list, "%s%s%s", list->len > 0 ? " " : "", before, word);
}

static int add_listen(struct wishes *w, const char *where)
{
	const char *before = "udp://";

	if (strstr(where, "://") != NULL)
		before = "";
	else if (strspn(where, "0123456789") == strlen(where))
		before = "udp://127.0.0.1:";
	return add_word(&w->listen, before, where);
}

/* What the option says is kept. */
static int take(struct wishes *w, int option, const char *value)
{
	static char rules[PATH_MAX], logfile[PATH_MAX], pidfile[PATH_MAX], state[PATH_MAX],
		socket[PATH_MAX], countries[PATH_MAX];

	switch (option) {
	case OPT_LISTEN:
		return add_listen(w, value);
	case OPT_WHITELIST:
		return add_word(&w->whitelist, "", value);
	case OPT_SKIP:
		return add_word(&w->skip, "", value);
	case OPT_CONFIG:
		w->rules = cli_absolute(rules, value);
		break;
	case OPT_BLOCKED:
		w->blocked = value;
		break;
	case OPT_BLACKLIST:
		w->jail = value;
		break;
	case OPT_COUNTRIES:
		w->countries = cli_absolute(countries, value);
		break;
	case OPT_PIDFILE:
		w->keeper.pidfile = cli_absolute(pidfile, value);
		break;
	case OPT_LOGFILE:
		w->logfile = cli_absolute(logfile, value);
		break;
	case OPT_NO_DAEMON:
		w->no_daemon = true;
		break;
	case OPT_DEBUG:
		w->debug = true;
		break;
	case OPT_DRY_RUN:
		w->keeper.dry_run = true;
		break;
	case OPT_STATE:
		w->keeper.statedir = cli_absolute(state, value);
		break;
	case OPT_SOCKET:
		w->keeper.socket = cli_absolute(socket, value);
		break;
	default:
		break;
	}
	return 0;
}

static void wrong_option(char **argv, FILE *err, bool lacks_value)
{
	const char *names[ARRAY_SIZE(options)], *word = argv[optind - 1], *near = NULL;
	char shown[128];
	size_t n = 0;

	for (; options[n].name != NULL; n++)
		names[n] = options[n].name;
	if (strncmp(word, "--", 2) == 0 && optopt == 0)
		near = text_nearest(word + 2, names, n);
	text_escape(shown, sizeof(shown), word, strlen(word));
	fprintf(err, NAME ": %s%s", lacks_value ? "a value belongs behind " : "there is no option ",
		shown);
	if (near != NULL)
		fprintf(err, ": did you mean --%s?\n", near);
	else
		fputs("; try '" NAME " --help'\n", err);
}

/* CLI_GOOD, or -1 to go on. */
static int read_options(struct wishes *w, int argc, char **argv, FILE *out, FILE *err)
{
	int o;

	opterr = 0;
	optind = 0;
	while ((o = getopt_long(argc, argv, ":h", options, NULL)) >= 0) {
		if (o == '?' || o == ':') {
			wrong_option(argv, err, o == ':');
			return CLI_USAGE;
		}
		if (o == OPT_HELP || o == 'h') {
			fputs(help, out);
			return CLI_GOOD;
		}
		if (o == OPT_VERSION) {
			fprintf(out, NAME " (stockade) " STOCKADE_VERSION "\n");
			return CLI_GOOD;
		}
		if (take(w, o, optarg) < 0) {
			fputs(NAME ": out of memory\n", err);
			return CLI_USAGE;
		}
	}
	if (optind == argc)
		return -1;
	fputs(NAME ": it takes options only; try '" NAME " --help'\n", err);
	return CLI_USAGE;
}

/* The same as keys of the configuration. */
static void lay_over(struct wishes *w)
{
	struct overlay *o = &w->overlay;
	bool quiet = w->logfile != NULL || !w->no_daemon;

	o->dir = OVERLAY_DIR_NONE;
	overlay_set_rules(o, w->jail, w->rules);
	if (w->blocked != NULL)
		overlay_set(o, OVERLAY_JAIL, w->jail, "bantime", w->blocked);
	if (w->skip.len > 0)
		overlay_set(o, OVERLAY_JAIL, w->jail, "ignorecountry", w->skip.data);
	if (w->countries != NULL)
		overlay_set(o, OVERLAY_MAIN, "Definition", "countries", w->countries);
	if (w->whitelist.len > 0)
		overlay_set(o, OVERLAY_MAIN, "Definition", "allow", w->whitelist.data);
	if (w->listen.len > 0)
		overlay_set(o, OVERLAY_MAIN, "syslog", "listen", w->listen.data);
	if (w->logfile != NULL)
		overlay_set(o, OVERLAY_MAIN, "Definition", "logformat", "brief");
	if (w->logfile != NULL || !w->no_daemon)
		overlay_set(o, OVERLAY_MAIN, "Definition", "logtarget",
			w->logfile != NULL ? w->logfile : "SYSLOG");
	overlay_set(o, OVERLAY_MAIN, "Definition", "loglevel",
		w->debug ? "DEBUG"
		: quiet  ? "NOTICE"
			 : "INFO");
}

static int start(struct wishes *w, FILE *err)
{
	int status;

	lay_over(w);
	w->keeper.overlay = &w->overlay;
	w->keeper.confdir = w->rules;
	w->keeper.starter_fd = -1;
	if (!w->no_daemon && !daemonize(err, &w->keeper.starter_fd, &status))
		return status;
	return keeper_run(&w->keeper);
}

int blacklist_main(int argc, char **argv, FILE *out, FILE *err)
{
	struct wishes w = {
		.rules = "/etc/" NAME ".conf",
		.jail = CLI_RULES_JAIL,
		.keeper = {.statedir = "/var/lib/" NAME, .socket = "/run/" NAME ".sock"},
	};
	int status = read_options(&w, argc, argv, out, err);

	if (status < 0)
		status = start(&w, err);
	buf_done(&w.listen);
	buf_done(&w.whitelist);
	buf_done(&w.skip);
	return status;
}
