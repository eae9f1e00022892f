/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/priority.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/inject.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_PRI 13    /* user.notice, as logger(1) has it */
#define DEFAULT_SIZE 8000 /* rsyslogd takes 8096, and makes another message of the rest */
#define DEFAULT_BUFFER (8U << 20)
#define BUFFER_MIN (256U << 10)
#define BUFFER_MAX (1U << 30)
#define DEFAULT_LINGER_US 5000000

enum {
	OPT_3164 = 1,
	OPT_5424,
	OPT_COUNTED,
	OPT_PID,
	OPT_HOST,
	OPT_MSGID,
	OPT_SIZE,
	OPT_BUFFER,
	OPT_LINGER,
	OPT_WAIT,
};

static const struct option longs[] = {{"tag", required_argument, NULL, 't'},
	{"priority", required_argument, NULL, 'p'}, {"server", required_argument, NULL, 's'},
	{"rfc3164", no_argument, NULL, OPT_3164}, {"rfc5424", no_argument, NULL, OPT_5424},
	{"octet-counting", no_argument, NULL, OPT_COUNTED},
	{"pid", optional_argument, NULL, OPT_PID}, {"host", required_argument, NULL, OPT_HOST},
	{"msgid", required_argument, NULL, OPT_MSGID}, {"size", required_argument, NULL, OPT_SIZE},
	{"buffer", required_argument, NULL, OPT_BUFFER},
	{"linger", required_argument, NULL, OPT_LINGER}, {"wait", no_argument, NULL, OPT_WAIT},
	{0}};

static int run(struct cli *c);

const struct command cmd_inject = {
	.name = "inject",
	.args = "[-t TAG] [-p FACILITY.SEVERITY] [-s HOST:PORT]",
	.summary = "standard input to syslog, a message a line",
	.help = "Also by the name syslog-inject. Ends with its input. Exit status 1 when\n"
		"something was dropped.\n\n"
		"  -t TAG             who says it (the user's name)\n"
		"  -p FAC.SEV         facility and severity (user.notice)\n"
		"  -s HOST:PORT       over UDP to there; or a URL: udp://HOST:PORT, "
		"tcp://HOST:PORT,\n"
		"                     unix:///PATH (" INJECT_SOCKET ")\n"
		"  --rfc3164          the old form (this is the default)\n"
		"  --rfc5424          the new one\n"
		"  --octet-counting   over TCP the length before each message, not a newline after "
		"it\n"
		"  --pid[=N]          with a process ID: this one's, or N\n"
		"  --host NAME        the host in the message (this one's; none to a local "
		"socket)\n"
		"  --msgid ID         the kind of message, for --rfc5424\n"
		"  --size BYTES       cut messages that are longer (8000; 64K at most)\n"
		"  --buffer BYTES     kept while nobody takes them (8M); what is too much is "
		"dropped\n"
		"  --wait             rather read no further than to drop something\n"
		"  --linger TIME      how long to try after the end of input (5s)\n",
	.run = run,
};

static int wrong(struct cli *c, const char *option, const char *value, const char *want)
{
	char shown[128];

	text_escape(shown, sizeof(shown), value, strlen(value));
	return cli_usage(c, "%s %s: that is no %s", option, shown, want);
}

/* A word that stands in a header: nothing in it may look like the header's end. */
static bool is_word(const char *s, size_t max, const char *not_in_it)
{
	if (*s == '\0' || strlen(s) > max)
		return false;
	for (; *s != '\0'; s++)
		if ((unsigned char)*s <= ' ' || (unsigned char)*s >= 0x7f ||
			strchr(not_in_it, *s) != NULL)
			return false;
	return true;
}

/* "auth.info", or the severity alone with the facility as it was. */
static int parse_priority(unsigned *pri, const char *s)
{
	const char *dot = strchr(s, '.');
	int facility = (int)*pri >> 3, severity;

	if (dot != NULL)
		facility = priority_facility(s, (size_t)(dot - s));
	severity = priority_severity(dot != NULL ? dot + 1 : s, strlen(dot != NULL ? dot + 1 : s));
	if (facility < 0 || severity < 0)
		return -EINVAL;
	*pri = (unsigned)facility << 3 | (unsigned)severity;
	return 0;
}

/* "64K", "8M" or bytes. */
static int parse_bytes(size_t *ret, const char *s, size_t min, size_t max)
{
	char *end;
	unsigned long long n;

	errno = 0;
	n = strtoull(s, &end, 10);
	if (end == s || errno != 0 || *s == '-' || n > max)
		return -EINVAL;
	if (*end == 'K' || *end == 'k')
		n <<= 10, end++;
	else if (*end == 'M' || *end == 'm')
		n <<= 20, end++;
	if (*end != '\0' || n < min || n > max)
		return -EINVAL;
	*ret = (size_t)n;
	return 0;
}

static int parse_pid(long *ret, const char *s)
{
	char *end;

	if (s == NULL) {
		*ret = getpid();
		return 0;
	}
	errno = 0;
	*ret = strtol(s, &end, 10);
	return end == s || *end != '\0' || errno != 0 || *ret < 1 || *ret > INT_MAX ? -EINVAL : 0;
}

static int server(struct cli *c, struct inject_options *o)
{
	if (inject_target_parse(&o->target, optarg) < 0)
		return wrong(c, "-s", optarg, "HOST:PORT, nor such as tcp://HOST:PORT");
	if (o->target.kind == INJECT_TLS)
		return cli_usage(c, "-s takes udp://, tcp:// and unix://, not tls://: send to a "
				    "syslog daemon of this machine that speaks it");
	return CLI_GOOD;
}

static int linger(struct cli *c, struct inject_options *o)
{
	int64_t sec;

	if (text_parse_duration(&sec, optarg) < 0 || sec < 0 || sec > 86400)
		return wrong(c, "--linger", optarg, "time up to a day, such as 5s");
	o->linger_us = sec * 1000000;
	return CLI_GOOD;
}

/* What the message says of itself. */
static int of_form(struct cli *c, int option, struct inject_form *f)
{
	switch (option) {
	case OPT_3164:
	case OPT_5424:
		f->rfc5424 = option == OPT_5424;
		return CLI_GOOD;
	case OPT_PID:
		return parse_pid(&f->pid, optarg) < 0 ? wrong(c, "--pid", optarg, "process ID")
						      : CLI_GOOD;
	case OPT_HOST:
		f->host = optarg;
		return is_word(optarg, INJECT_HOST_MAX, "") ? CLI_GOOD
							    : wrong(c, "--host", optarg, "name");
	case OPT_MSGID:
		f->msgid = optarg;
		return is_word(optarg, INJECT_WORD_MAX, "")
			       ? CLI_GOOD
			       : wrong(c, "--msgid", optarg, "single word");
	case 't':
		f->tag = optarg;
		return is_word(optarg, INJECT_WORD_MAX, ":[]")
			       ? CLI_GOOD
			       : wrong(c, "-t", optarg, "word of up to 48 letters without : [ ]");
	default:
		return parse_priority(&f->pri, optarg) < 0
			       ? wrong(c, "-p", optarg, "FACILITY.SEVERITY such as auth.info")
			       : CLI_GOOD;
	}
}

static int option_of(struct cli *c, int option, struct inject_options *o)
{
	switch (option) {
	case 's':
		return server(c, o);
	case OPT_COUNTED:
		o->form.framing = INJECT_COUNTED;
		return CLI_GOOD;
	case OPT_SIZE:
		return parse_bytes(&o->form.size, optarg, INJECT_SIZE_MIN, INJECT_SIZE_MAX) < 0
			       ? wrong(c, "--size", optarg, "length from 1K to 64K")
			       : CLI_GOOD;
	case OPT_BUFFER:
		return parse_bytes(&o->buffer, optarg, BUFFER_MIN, BUFFER_MAX) < 0
			       ? wrong(c, "--buffer", optarg, "size from 256K to 1024M")
			       : CLI_GOOD;
	case OPT_WAIT:
		o->wait = true;
		return CLI_GOOD;
	case OPT_LINGER:
		return linger(c, o);
	default:
		return of_form(c, option, &o->form);
	}
}

/* What nobody said. */
static void fill_in(struct inject_options *o, char host[static INJECT_HOST_MAX + 1])
{
	const struct passwd *pw = getpwuid(geteuid());
	bool is_local = o->target.kind == INJECT_UNIX || o->target.kind == INJECT_UNIX_STREAM;

	if (o->form.tag == NULL)
		o->form.tag = pw != NULL && is_word(pw->pw_name, INJECT_WORD_MAX, ":[]")
				      ? pw->pw_name
				      : "stockade";
	/* Programs of this machine do not say so to its syslog daemon: see syslog(3). */
	if (o->form.host == NULL && (!is_local || o->form.rfc5424)) {
		host[INJECT_HOST_MAX] = '\0';
		if (gethostname(host, INJECT_HOST_MAX) < 0 || !is_word(host, INJECT_HOST_MAX, ""))
			strcpy(host, "localhost");
		/* RFC 3164 4.1.2 wants it without its domain. */
		if (!o->form.rfc5424)
			host[strcspn(host, ".")] = '\0';
		o->form.host = host;
	}
	if (o->target.kind == INJECT_UDP)
		o->form.framing = INJECT_NO_FRAME;
}

static int run(struct cli *c)
{
	struct inject_options o = {
		.form = {.framing = INJECT_NEWLINE, .pri = DEFAULT_PRI, .size = DEFAULT_SIZE},
		.buffer = DEFAULT_BUFFER,
		.linger_us = DEFAULT_LINGER_US};
	char host[INJECT_HOST_MAX + 1];
	int option;

	inject_target_parse(&o.target, INJECT_SOCKET);
	while ((option = cli_option(c, "t:p:s:", longs)) >= 0)
		if (option_of(c, option, &o) != CLI_GOOD)
			return CLI_USAGE;
	if (option == CLI_OPT_STOP)
		return c->status;
	if (optind < c->argc)
		return cli_usage(c, "it takes no arguments, but reads standard input");
	if (o.form.framing == INJECT_COUNTED && o.target.kind != INJECT_TCP &&
		o.target.kind != INJECT_UNIX_STREAM)
		return cli_usage(c, "--octet-counting is for tcp:// and unix-stream://");
	if (o.form.msgid != NULL && !o.form.rfc5424)
		return cli_usage(c, "--msgid is for --rfc5424");
	fill_in(&o, host);
	return inject_run(&o, STDIN_FILENO, c->err);
}
