/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/util.h"
#include "cli/f2b_regex.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	OPT_TIMEZONE = 1001,
	OPT_USEDNS,
	OPT_VERBOSITY,
	OPT_VERBOSE_DATE,
	OPT_NO_CHECK_ALL,
	OPT_NO_MISSED,
	OPT_NO_IGNORED,
	OPT_ALL_MATCHED,
	OPT_ALL_MISSED,
	OPT_ALL_IGNORED,
	OPT_FULL_TRACEBACK,
	OPT_VERSION,
};

static const char letters[] = ":c:d:e:rL:m:l:VvDo:th";

static const struct option longs[] = {
	{"config", required_argument, NULL, 'c'},
	{"datepattern", required_argument, NULL, 'd'},
	{"timezone", required_argument, NULL, OPT_TIMEZONE},
	{"TZ", required_argument, NULL, OPT_TIMEZONE},
	{"encoding", required_argument, NULL, 'e'},
	{"raw", no_argument, NULL, 'r'},
	{"usedns", required_argument, NULL, OPT_USEDNS},
	{"maxlines", required_argument, NULL, 'L'},
	{"journalmatch", required_argument, NULL, 'm'},
	{"log-level", required_argument, NULL, 'l'},
	{"verbose", no_argument, NULL, 'v'},
	{"verbosity", required_argument, NULL, OPT_VERBOSITY},
	{"verbose-date", no_argument, NULL, OPT_VERBOSE_DATE},
	{"VD", no_argument, NULL, OPT_VERBOSE_DATE},
	{"debuggex", no_argument, NULL, 'D'},
	{"no-check-all", no_argument, NULL, OPT_NO_CHECK_ALL},
	{"out", required_argument, NULL, 'o'},
	{"print-no-missed", no_argument, NULL, OPT_NO_MISSED},
	{"print-no-ignored", no_argument, NULL, OPT_NO_IGNORED},
	{"print-all-matched", no_argument, NULL, OPT_ALL_MATCHED},
	{"print-all-missed", no_argument, NULL, OPT_ALL_MISSED},
	{"print-all-ignored", no_argument, NULL, OPT_ALL_IGNORED},
	{"log-traceback", no_argument, NULL, 't'},
	{"full-traceback", no_argument, NULL, OPT_FULL_TRACEBACK},
	{"version", no_argument, NULL, OPT_VERSION},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static const char help[] =
	"Tries the regular expressions of a filter on log lines, as fail2ban would.\n"
	"This is Stockade under fail2ban's name; 'stockade test' does it its own way.\n"
	"\n"
	"LOG:\n"
	"  a line of a log       the line itself, or several with line ends between\n"
	"  a file                the path of a log\n"
	"  systemd-journal       the journal; systemd-journal[journalpath=DIR] another\n"
	"\n"
	"REGEX:\n"
	"  an expression         one failregex\n"
	"  a filter              its name, with options or not: sshd[mode=aggressive]\n"
	"  a file                the path of a filter: filter.d/sshd.conf\n"
	"\n"
	"IGNOREREGEX:\n"
	"  an expression         one ignoreregex\n"
	"\n"
	"Options:\n"
	"  --version             print the version\n"
	"  -V                    print the number of the version alone\n"
	"  -h, --help            print this\n"
	"  -c DIR, --config=DIR  the configuration that has the filter (/etc/fail2ban, or\n"
	"                        where there is none " STOCKADE_CONFDIR ")\n"
	"  -d PATTERN, --datepattern=PATTERN\n"
	"                        how dates are written, in place of what the filter says\n"
	"  --timezone=ZONE, --TZ=ZONE\n"
	"                        the zone of dates that do not name theirs: UTC+0200\n"
	"  -e NAME, --encoding=NAME\n"
	"                        how the file is encoded (as this system's texts are)\n"
	"  -r, --raw             take host names as they stand, do not look them up\n"
	"  --usedns=WORD         yes, warn: look up host names; no: <HOST> is an\n"
	"                        address only; raw: as -r\n"
	"  -L N, --maxlines=N    search that many lines at a time\n"
	"  -m MATCH, --journalmatch=MATCH\n"
	"                        the journal's entries to read, not those of the filter\n"
	"  -l LEVEL, --log-level=LEVEL\n"
	"                        what to tell of meanwhile: critical ... debug\n"
	"  -v, --verbose         show every expression, and whom it found when\n"
	"  --verbosity=N         the same by number, 0 to 4\n"
	"  --verbose-date, --VD  show the expressions of the dates too\n"
	"  -D, --debuggex        show links to debuggex.com, to look at expressions\n"
	"  --no-check-all        stop at the first failregex that matches, daemon-like\n"
	"  -o WHAT, --out=WHAT   print failures only, a line each: row, id, fid, ip, msg,\n"
	"                        the name of a field (host, ip4, ip6, dns, user,\n"
	"                        matches ...), or a text with tags: '<ip> <F-USER>'\n"
	"  --print-all-matched   show all lines that matched\n"
	"  --print-all-missed    show all lines that did not, however many\n"
	"  --print-all-ignored   show all lines that were ignored, however many\n"
	"  --print-no-missed     show no missed lines\n"
	"  --print-no-ignored    show no ignored lines\n"
	"  -t, --log-traceback, --full-traceback\n"
	"                        taken for compatibility; there is nothing to trace\n";

static void usage(FILE *out, const struct f2b_options *o)
{
	fprintf(out, "Usage: %s [OPTIONS] <LOG> <REGEX> [IGNOREREGEX]\n\n", o->program);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static void __attribute__((format(printf, 3, 4)))
complain(FILE *err, const struct f2b_options *o, const char *fmt, ...)
{
	va_list ap;

	usage(err, o);
	fprintf(err, "%s: error: ", base_name(o->program));
	va_start(ap, fmt);
	vfprintf(err, fmt, ap);
	va_end(ap);
	fputc('\n', err);
}

static bool read_number(const char *text, long min, long max, long *ret)
{
	char *end;

	errno = 0;
	*ret = strtol(text, &end, 10);
	return errno == 0 && end != text && *end == '\0' && *ret >= min && *ret <= max;
}

/* A level by its name in Python's logging or fail2ban's, or by number. */
static bool read_level(const char *text, int *ret)
{
	static const struct {
		const char *name;
		int level;
	} levels[] = {{"critical", 50}, {"fatal", 50}, {"error", 40}, {"warning", 30}, {"warn", 30},
		{"notice", 25}, {"info", 20}, {"msg", 18}, {"debug", 10}, {"tracedebug", 7},
		{"heavydebug", 5}, {"notset", 0}};
	long n;

	if (read_number(text, 0, 1000, &n)) {
		*ret = (int)n;
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
		if (strcasecmp(text, levels[i].name) == 0) {
			*ret = levels[i].level;
			return true;
		}
	}
	return false;
}

static void read_switch(struct f2b_options *o, int opt)
{
	switch (opt) {
	case 'r':
		o->raw = true;
		break;
	case 'v':
		o->verbose++;
		break;
	case 'D':
		o->debuggex = true;
		break;
	case OPT_VERBOSE_DATE:
		o->verbose_date = true;
		break;
	case OPT_NO_CHECK_ALL:
		o->check_all = false;
		break;
	case OPT_NO_MISSED:
		o->print_none[F2B_MISSED] = true;
		break;
	case OPT_NO_IGNORED:
		o->print_none[F2B_IGNORED] = true;
		break;
	case OPT_ALL_MATCHED:
		o->print_all[F2B_MATCHED] = true;
		break;
	case OPT_ALL_MISSED:
		o->print_all[F2B_MISSED] = true;
		break;
	case OPT_ALL_IGNORED:
		o->print_all[F2B_IGNORED] = true;
		break;
	default: /* tracebacks, of which there are none */
		break;
	}
}

/* An option with a value. False when that is none for it. */
static bool read_value(struct f2b_options *o, int opt)
{
	long n;

	switch (opt) {
	case 'c':
		o->config = optarg;
		return true;
	case 'd':
		o->datepattern = optarg;
		return true;
	case 'e':
		o->encoding = optarg;
		return true;
	case 'm':
		o->journalmatch = optarg;
		return true;
	case 'o':
		o->out = optarg;
		return true;
	case OPT_TIMEZONE:
		o->timezone = optarg;
		return true;
	case OPT_USEDNS:
		o->usedns = optarg;
		return true;
	case 'l':
		return read_level(optarg, &o->log_level);
	case 'L':
		if (!read_number(optarg, 0, 100000, &n))
			return false;
		o->maxlines = (unsigned)n;
		return true;
	default: /* OPT_VERBOSITY */
		if (!read_number(optarg, -1000, 1000, &n))
			return false;
		o->verbose = (int)n;
		return true;
	}
}

static void wrong_option(FILE *err, const struct f2b_options *o, int kind, const char *word)
{
	bool is_long = strncmp(word, "--", 2) == 0;
	char letter[3] = {'-', (char)optopt, '\0'};

	if (kind == ':')
		complain(err, o, "%s option requires 1 argument", is_long ? word : letter);
	else if (is_long && optopt != 0)
		complain(
			err, o, "%.*s option does not take a value", (int)strcspn(word, "="), word);
	else
		complain(err, o, "no such option: %.*s", (int)strcspn(is_long ? word : letter, "="),
			is_long ? word : letter);
}

/* One option. False when it ends the program, with *ret_status. */
static bool read_option(
	struct f2b_options *o, int opt, char **argv, FILE *out, FILE *err, int *ret_status)
{
	*ret_status = F2B_GOOD;
	if (opt == 'h') {
		usage(out, o);
		fputs(help, out);
		return false;
	}
	if (opt == 'V' || opt == OPT_VERSION) {
		fprintf(out, "%s%s" STOCKADE_VERSION "\n", opt == 'V' ? "" : base_name(o->program),
			opt == 'V' ? "" : " ");
		return false;
	}
	*ret_status = F2B_WRONG_OPTION;
	if (opt == '?' || opt == ':') {
		wrong_option(err, o, opt, argv[optind - 1]);
		return false;
	}
	if (optarg == NULL) {
		read_switch(o, opt);
		return true;
	}
	if (read_value(o, opt))
		return true;
	if (opt == 'l')
		complain(err, o, "option -l: there is no level '%s'", optarg);
	else
		complain(err, o, "option %s: invalid integer value: '%s'",
			opt == 'L' ? "-L" : "--verbosity", optarg);
	return false;
}

static bool check(const struct f2b_options *o, int n_operands, FILE *out, FILE *err)
{
	bool missed = o->print_none[F2B_MISSED] && o->print_all[F2B_MISSED];
	bool ignored = o->print_none[F2B_IGNORED] && o->print_all[F2B_IGNORED];

	if (!missed && !ignored && (n_operands == 2 || n_operands == 3))
		return true;
	usage(out, o);
	fputs(help, out);
	fputc('\n', err);
	if (missed)
		fputs("ERROR: --print-no-missed and --print-all-missed are mutually exclusive.\n",
			err);
	if (ignored)
		fputs("ERROR: --print-no-ignored and --print-all-ignored are mutually exclusive.\n",
			err);
	if (n_operands != 2 && n_operands != 3)
		fputs("ERROR: provide both <LOG> and <REGEX>.\n", err);
	return false;
}

bool f2b_args_read(
	struct f2b_options *o, int argc, char **argv, FILE *out, FILE *err, int *ret_status)
{
	int opt;

	*o = (struct f2b_options) {.program = argv[0],
		.config = access("/etc/fail2ban", F_OK) == 0 ? "/etc/fail2ban" : STOCKADE_CONFDIR,
		.check_all = true,
		.log_level = F2B_LEVEL_CRITICAL};
	optind = 0; /* getopt starts over, its notes on an earlier call forgotten */
	opterr = 0;
	for (;;) {
		optarg = NULL;
		opt = getopt_long(argc, argv, letters, longs, NULL);
		if (opt == -1)
			break;
		if (!read_option(o, opt, argv, out, err, ret_status))
			return false;
	}
	*ret_status = F2B_FAILED;
	if (!check(o, argc - optind, out, err))
		return false;
	o->log = argv[optind];
	o->regex = argv[optind + 1];
	o->ignoreregex = argc - optind == 3 ? argv[optind + 2] : NULL;
	o->show_max = o->maxlines > 0 ? o->maxlines : 20;
	return true;
}
