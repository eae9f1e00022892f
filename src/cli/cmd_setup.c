/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/addr.h"
#include "base/text.h"
#include "base/util.h"
#include "cli/commands.h"
#include "cli/setup_lines.h"
#include "cli/setup_listen.h"
#include "cli/setup_write.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#define DEFAULT_CA "/etc/ssl/certs/stockade-ca.pem"

enum {
	OPT_TO = 1,
	OPT_PRINT,
	OPT_YES,
	OPT_ROOT,
	OPT_CA,
	OPT_CERTIFICATE,
	OPT_KEY,
};

static int run(struct cli *c);

const struct command cmd_setup = {
	.name = "setup",
	.args = "syslog [rsyslog | syslog-ng | journald]",
	.summary = "have the system's syslog daemon send a copy here",
	.help = "Shows what would be written, and where to, and asks.\n\n"
		"  --to URL           where Stockade listens: udp://ADDRESS:PORT, tcp://, tls://,\n"
		"                     unix:///PATH (what the configuration says first)\n"
		"  --print            only print what would be written\n"
		"  --yes              do not ask\n"
		"  --ca FILE          for tls://: who vouches for Stockade's certificate\n"
		"                     (" DEFAULT_CA ")\n"
		"  --certificate FILE, --key FILE\n"
		"                     for tls://: the sender's own certificate\n"
		"  -c DIR             Stockade's configuration (" STOCKADE_CONFDIR ")\n"
		"  --root DIR         the system whose daemon it is (/)\n",
	.run = run,
};

struct setup {
	struct setup_want want;
	const char *confdir, *root, *to;
	char source[64];
	bool print, yes, named;
};

static const char *rooted(const struct setup *s, const char *path, char buf[static PATH_MAX])
{
	snprintf(buf, PATH_MAX, "%s%s", s->root, path);
	return buf;
}

static bool is_there(const struct setup *s, const char *path)
{
	char buf[PATH_MAX];

	return access(rooted(s, path, buf), F_OK) == 0;
}

/* The daemon that this machine has: 0, or CLI_USAGE after saying why it cannot be told. */
static int find_daemon(struct cli *c, struct setup *s)
{
	bool rsyslog = is_there(s, "/usr/sbin/rsyslogd");
	bool syslog_ng = is_there(s, "/usr/sbin/syslog-ng");

	if (rsyslog && syslog_ng)
		return cli_usage(c, "both rsyslog and syslog-ng are here: name one");
	if (rsyslog)
		s->want.daemon = SETUP_RSYSLOG;
	else if (syslog_ng)
		s->want.daemon = SETUP_SYSLOG_NG;
	else if (is_there(s, "/lib/systemd/systemd-journald"))
		s->want.daemon = SETUP_JOURNALD;
	else
		return cli_usage(c, "there is no syslog daemon here that it knows: name one");
	return CLI_GOOD;
}

/* In other distributions than Debian it may be called otherwise: the first that has system(). */
static void find_source(struct setup *s)
{
	char path[PATH_MAX];
	_cleanup_free_ char *conf = setup_read(rooted(s, setup_main_file(SETUP_SYSLOG_NG), path));
	const char *p = conf;

	s->want.source = "s_src";
	while (p != NULL && (p = strstr(p, "\nsource ")) != NULL) {
		const char *end = strstr(p, "};"), *system = strstr(p, "system()");

		p += strlen("\nsource ");
		if (sscanf(p, "%63[A-Za-z0-9_]", s->source) == 1 && system != NULL && end != NULL &&
			system < end) {
			s->want.source = s->source;
			return;
		}
	}
}

static int complete(struct cli *c, struct setup *s, const struct ruleset *rs)
{
	char url[SETUP_URL_MAX];
	const char *to = s->to;

	if (to == NULL && s->want.daemon == SETUP_JOURNALD)
		to = "unix://" SETUP_JOURNALD_SOCKET;
	if (to == NULL)
		to = setup_listen_first(rs, url);
	if (inject_target_parse(&s->want.to, to) < 0 ||
		(s->to != NULL && strstr(to, "://") == NULL))
		return cli_usage(c, "--to takes such as udp://ADDRESS:PORT or unix:///PATH");
	if (setup_listen_is_any(&s->want.to))
		return cli_usage(c,
			"nobody can send to %s: name an address of the machine that listens",
			s->want.to.shown);
	if (s->want.ca == NULL)
		s->want.ca = DEFAULT_CA;
	if ((s->want.certificate == NULL) != (s->want.key == NULL))
		return cli_usage(c, "--certificate and --key go together");
	if (s->want.daemon == SETUP_SYSLOG_NG)
		find_source(s);
	return CLI_GOOD;
}

static void advise_tls(FILE *out, const struct inject_target *to)
{
	struct addr a;

	fputs("rsyslog speaks TLS with its package rsyslog-gnutls.\n", out);
	if (addr_parse(&a, to->host, strlen(to->host)) == 0)
		fprintf(out,
			"%s is an address, so any certificate of that ca passes for Stockade's: "
			"better give the name that is in Stockade's own.\n",
			to->host);
}

/* What else it takes, on the way to standard error when the lines go to standard output. */
static void advise(struct cli *c, const struct setup *s, const struct ruleset *rs)
{
	FILE *out = s->print ? c->err : c->out;
	const char *main_file = setup_main_file(s->want.daemon), *dir_end;
	char path[PATH_MAX], dir[PATH_MAX];
	_cleanup_free_ char *text = NULL;

	if (s->print)
		fprintf(out, "These lines go to %s; then: %s\n", setup_file(s->want.daemon),
			setup_restart(s->want.daemon));
	if (main_file != NULL && !s->print) {
		text = setup_read(rooted(s, main_file, path));
		snprintf(dir, sizeof(dir), "%s", setup_file(s->want.daemon));
		dir_end = strrchr(dir, '/');
		dir[dir_end - dir] = '\0';
		/* "conf.d" alone: it may be included by a relative path */
		if (text != NULL && strstr(text, strrchr(dir, '/') + 1) == NULL)
			fprintf(out, "%s does not seem to include %s: see to that.\n", path, dir);
	}
	if (s->want.to.kind == INJECT_TLS && s->want.daemon == SETUP_RSYSLOG)
		advise_tls(out, &s->want.to);
	setup_listen_advise(out, rs, s->confdir, &s->want.to);
}

static bool says_yes(struct cli *c)
{
	char answer[16];

	fputs("Write it? [y/N] ", c->out);
	fflush(c->out);
	return fgets(answer, sizeof(answer), stdin) != NULL &&
	       (answer[0] == 'y' || answer[0] == 'Y');
}

static int write_file(struct cli *c, const struct setup *s, const char *path, const struct buf *b)
{
	enum setup_there there = setup_there(path, b->data, b->len, SETUP_MARK);
	int r;

	if (there == SETUP_OTHERS) {
		cli_complain(c, "%s is there, and not ours: it is left alone", path);
		return CLI_NO;
	}
	if (there == SETUP_SAME) {
		fprintf(c->out, "%s is as it has to be.\n", path);
		return CLI_GOOD;
	}
	fprintf(c->out, "%s %s with\n\n%s\n", path,
		there == SETUP_OURS ? "would be replaced" : "would be written", b->data);
	if (!s->yes && !isatty(STDIN_FILENO))
		return cli_usage(c, "nobody is here to be asked: --yes writes it");
	if (!s->yes && !says_yes(c)) {
		fputs("Nothing was written.\n", c->out);
		return CLI_NO;
	}
	r = setup_write(path, b->data, b->len, there == SETUP_OURS);
	if (r < 0) {
		cli_complain(c, "%s: %s", path, strerror(-r));
		return CLI_NO;
	}
	fprintf(c->out, "Written. Have %s read it: %s\n", setup_name(s->want.daemon),
		setup_restart(s->want.daemon));
	return CLI_GOOD;
}

static int set_up(struct cli *c, struct setup *s, const struct ruleset *rs)
{
	char path[PATH_MAX];
	struct buf b = {0};
	const char *why;
	int status = complete(c, s, rs);

	if (status != CLI_GOOD)
		return status;
	why = setup_lines(&b, &s->want);
	if (why != NULL) {
		status = cli_usage(c, "%s", why);
	} else if (s->print) {
		fputs(buf_text(&b), c->out);
	} else {
		status = write_file(c, s, rooted(s, setup_file(s->want.daemon), path), &b);
	}
	if (status == CLI_GOOD)
		advise(c, s, rs);
	buf_done(&b);
	return status;
}

static int operands(struct cli *c, struct setup *s)
{
	if (optind == c->argc || strcmp(c->argv[optind], "syslog") != 0)
		return cli_usage(c, "what it can set up is: stockade setup syslog");
	if (c->argc - optind > 2)
		return cli_usage(c, "too many arguments");
	if (c->argc - optind == 1)
		return find_daemon(c, s);
	for (unsigned i = 0; i < SETUP_DAEMONS; i++) {
		if (strcmp(c->argv[optind + 1], setup_name(i)) == 0) {
			s->want.daemon = i;
			return CLI_GOOD;
		}
	}
	return cli_usage(c, "it knows rsyslog, syslog-ng and journald");
}

static void take_option(struct setup *s, int option)
{
	switch (option) {
	case OPT_TO:
		s->to = optarg;
		break;
	case OPT_PRINT:
		s->print = true;
		break;
	case OPT_YES:
		s->yes = true;
		break;
	case OPT_ROOT:
		s->root = strcmp(optarg, "/") == 0 ? "" : optarg;
		break;
	case OPT_CA:
		s->want.ca = optarg;
		break;
	case OPT_CERTIFICATE:
		s->want.certificate = optarg;
		break;
	case OPT_KEY:
		s->want.key = optarg;
		break;
	default:
		s->confdir = optarg;
	}
}

static int run(struct cli *c)
{
	static const struct option longs[] = {{"to", required_argument, NULL, OPT_TO},
		{"print", no_argument, NULL, OPT_PRINT}, {"yes", no_argument, NULL, OPT_YES},
		{"root", required_argument, NULL, OPT_ROOT},
		{"ca", required_argument, NULL, OPT_CA},
		{"certificate", required_argument, NULL, OPT_CERTIFICATE},
		{"key", required_argument, NULL, OPT_KEY}, {0}};
	struct setup s = {.confdir = STOCKADE_CONFDIR, .root = ""};
	struct ruleset *rs = NULL;
	struct faults f = {0};
	int option, status;

	while ((option = cli_option(c, "c:", longs)) >= 0)
		take_option(&s, option);
	if (option == CLI_OPT_STOP)
		return c->status;
	status = operands(c, &s);
	if (status != CLI_GOOD)
		return status;
	ruleset_load(&rs, s.confdir, &f);
	status = set_up(c, &s, rs);
	ruleset_free(rs);
	faults_done(&f);
	return status;
}
