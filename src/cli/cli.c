/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cli.h"

#include "base/text.h"
#include "base/util.h"
#include "cli/blacklist.h"
#include "cli/f2b_regex.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>

#define OWN_OPTIONS_MAX 16

enum {
	OPT_HELP = 1001,
	OPT_JSON,
	OPT_SOCKET,
};

int cli_usage(struct cli *c, const char *fmt, ...)
{
	va_list ap;

	fprintf(c->err, "stockade %s: ", c->cmd->name);
	va_start(ap, fmt);
	vfprintf(c->err, fmt, ap);
	va_end(ap);
	fprintf(c->err, "; try 'stockade help %s'\n", c->cmd->name);
	c->status = CLI_USAGE;
	return CLI_USAGE;
}

void cli_complain(struct cli *c, const char *fmt, ...)
{
	va_list ap;

	fprintf(c->err, "stockade %s: ", c->cmd->name);
	va_start(ap, fmt);
	vfprintf(c->err, fmt, ap);
	va_end(ap);
	fputc('\n', c->err);
}

/* The command's own options and those that every command of its kind takes. */
static void all_options(
	const struct cli *c, const struct option *own, struct option all[OWN_OPTIONS_MAX + 4])
{
	size_t n = 0;

	for (; own != NULL && own->name != NULL && n < OWN_OPTIONS_MAX; own++)
		all[n++] = *own;
	all[n++] = (struct option) {"help", no_argument, NULL, OPT_HELP};
	if (c->cmd->json)
		all[n++] = (struct option) {"json", no_argument, NULL, OPT_JSON};
	if (c->cmd->asks)
		all[n++] = (struct option) {"socket", required_argument, NULL, OPT_SOCKET};
	all[n] = (struct option) {0};
}

static void wrong_option(struct cli *c, int kind, const struct option *all)
{
	const char *names[OWN_OPTIONS_MAX + 4], *near, *word = c->argv[optind - 1];
	char shown[128];
	size_t n = 0;

	text_escape(shown, sizeof(shown), word, strlen(word));
	if (kind == ':') {
		cli_usage(c, "%s needs a value", shown);
		return;
	}
	if (optopt > 0 && optopt < 256) {
		cli_usage(c, "there is no option -%c", optopt > ' ' && optopt < 127 ? optopt : '?');
		return;
	}
	if (optopt != 0) {
		cli_usage(c, "%s: this option takes no value", shown);
		return;
	}
	for (; all[n].name != NULL; n++)
		names[n] = all[n].name;
	near = strncmp(word, "--", 2) == 0 ? text_nearest(word + 2, names, n) : NULL;
	c->status = CLI_USAGE;
	if (near != NULL)
		cli_complain(c, "there is no option %s: did you mean --%s?", shown, near);
	else
		cli_usage(c, "there is no option %s", shown);
}

int cli_option(struct cli *c, const char *shorts, const struct option *longs)
{
	struct option all[OWN_OPTIONS_MAX + 4];
	char letters[64];

	all_options(c, longs, all);
	/* ':' first: a missing value is told apart from an unknown option. */
	snprintf(letters, sizeof(letters), ":h%s", shorts);
	opterr = 0;
	for (;;) {
		int o = getopt_long(c->argc, c->argv, letters, all, NULL);

		switch (o) {
		case 'h':
		case OPT_HELP:
			cli_help_command(c->out, c->cmd);
			c->status = CLI_GOOD;
			return CLI_OPT_STOP;
		case OPT_JSON:
			c->json = true;
			break;
		case OPT_SOCKET:
			c->socket = optarg;
			break;
		case '?':
		case ':':
			wrong_option(c, o, all);
			return CLI_OPT_STOP;
		default:
			return o;
		}
	}
}

int cli_plain(struct cli *c, int min, int max)
{
	int n;

	if (cli_option(c, "", NULL) == CLI_OPT_STOP)
		return CLI_OPT_STOP;
	n = c->argc - optind;
	if (n >= min && n <= max)
		return 0;
	if (n < min)
		cli_usage(c, "something is missing: stockade %s %s", c->cmd->name, c->cmd->args);
	else if (max == 0)
		cli_usage(c, "it takes no arguments");
	else
		cli_usage(c, "too many arguments");
	return CLI_OPT_STOP;
}

void cli_text(FILE *out, const char *s, size_t len)
{
	char small[512], *text = small;
	size_t size = len * 4 + 1;

	if (size > sizeof(small)) {
		text = malloc(size);
		if (text == NULL) {
			text = small;
			size = sizeof(small);
		}
	} else {
		size = sizeof(small);
	}
	text_escape(text, size, s, len);
	fputs(text, out);
	if (text != small)
		free(text);
}

json_t *cli_json_text(const char *s, size_t len)
{
	_cleanup_free_ char *escaped = NULL;
	json_t *text;
	size_t n;

	text = json_stringn(s, len);
	if (text != NULL)
		return text;
	escaped = malloc(len * 4 + 1);
	if (escaped == NULL)
		return NULL;
	n = text_escape(escaped, len * 4 + 1, s, len);
	return json_stringn(escaped, n);
}

void cli_json(struct cli *c, const json_t *value)
{
	json_dumpf(value, c->out, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ENCODE_ANY);
	fputc('\n', c->out);
}

const char *cli_style(const struct cli *c, enum cli_style style)
{
	static const char *const sequences[] = {
		[STYLE_PLAIN] = "\033[0m",
		[STYLE_BOLD] = "\033[1m",
		[STYLE_DIM] = "\033[2m",
		[STYLE_GOOD] = "\033[32m",
		[STYLE_WARN] = "\033[33m",
		[STYLE_BAD] = "\033[1;31m",
	};

	return c->color ? sequences[style] : "";
}

int cli_run(struct cli *c)
{
	const char *name;

	if (c->argc < 2) {
		cli_help(c->err);
		return CLI_USAGE;
	}
	name = c->argv[1];
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		name = "help";
	else if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
		name = "version";
	c->cmd = cli_find(name);
	if (c->cmd == NULL)
		return cli_unknown(c, name);
	c->argc--;
	c->argv++;
	c->socket = CLI_SOCKET;
	optind = 0; /* getopt starts over, its notes on an earlier call forgotten */
	return c->cmd->run(c);
}

const char *cli_absolute(char *buf, const char *path)
{
	size_t len = 0;

	buf[0] = '\0';
	if (path[0] != '/' && getcwd(buf, PATH_MAX) != NULL)
		len = strlen(buf);
	snprintf(buf + len, PATH_MAX - len, "%s%s", len > 1 ? "/" : "", path);
	return buf;
}

unsigned cli_width(FILE *f)
{
	struct winsize size;

	if (ioctl(fileno(f), TIOCGWINSZ, &size) == 0 && size.ws_col >= 20)
		return size.ws_col;
	return 80;
}

bool cli_wants_color(FILE *f)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(fileno(f)) && (no == NULL || *no == '\0') &&
	       (term == NULL || strcmp(term, "dumb") != 0);
}

static bool is_called(const char *path, const char *name)
{
	const char *slash = path != NULL ? strrchr(path, '/') : NULL;

	return path != NULL && strcmp(slash != NULL ? slash + 1 : path, name) == 0;
}

/* One command under a name of its own. */
static int run_named(struct cli *c, const char *command)
{
	char **argv = calloc((size_t)c->argc + 2, sizeof(*argv));
	int status;

	if (argv == NULL)
		return CLI_USAGE;
	argv[0] = c->argv[0];
	argv[1] = (char *)command;
	for (int i = 1; i < c->argc; i++)
		argv[i + 1] = c->argv[i];
	c->argc++;
	c->argv = argv;
	status = cli_run(c);
	free(argv);
	return status;
}

int cli_main(int argc, char **argv)
{
	struct cli c = {.argc = argc,
		.argv = argv,
		.out = stdout,
		.err = stderr,
		.fd = -1,
		.width = cli_width(stdout),
		.color = cli_wants_color(stdout)};
	/* Under the name of a program that this one takes the place of, it is that program. */
	int status = is_called(argv[0], "fail2ban-regex")
			     ? f2b_regex_main(argc, argv, stdout, stderr)
		     : is_called(argv[0], "syslog-blacklist")
			     ? blacklist_main(argc, argv, stdout, stderr)
		     : is_called(argv[0], "syslog-inject") ? run_named(&c, "inject")
							   : cli_run(&c);
	bool failed = ferror(stdout);

	errno = 0;
	if (fflush(stdout) == 0 && !failed)
		return status;
	/* Whoever read our output has read enough. */
	if (errno == EPIPE)
		return status;
	fprintf(stderr, "stockade: cannot write the output%s%s\n", errno != 0 ? ": " : "",
		errno != 0 ? strerror(errno) : "");
	return CLI_USAGE;
}
