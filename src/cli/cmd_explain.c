/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/addr.h"
#include "base/clock.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/say.h"

#include <string.h>

static int run(struct cli *c);

const struct command cmd_explain = {
	.name = "explain",
	.args = "ADDR",
	.summary = "why an address is banned or not: counts, log lines, history, kernel",
	.help = "Exit status 1 when nothing at all is known of the address.\n",
	.asks = true,
	.json = true,
	.run = run,
};

struct tale {
	struct cli *c;
	const json_t *end;
	int64_t now_sec;
	bool headed; /* the section's title is out */
};

static void text(const struct tale *t, const json_t *obj, const char *key)
{
	const json_t *v = json_object_get(obj, key);

	if (json_is_string(v))
		cli_text(t->c->out, json_string_value(v), json_string_length(v));
}

static void title(struct tale *t, const char *words)
{
	if (!t->headed)
		fprintf(t->c->out, "\n%s%s%s\n", cli_style(t->c, STYLE_BOLD), words,
			cli_style(t->c, STYLE_PLAIN));
	t->headed = true;
}

static bool is_banned(const json_t *jail)
{
	return answer_bool(jail, "banned", false);
}

static bool is_known(const json_t *jail)
{
	return is_banned(jail) || answer_int(jail, "failures", 0) > 0;
}

static size_t count_jails(const json_t *end, bool (*is)(const json_t *))
{
	const json_t *jail;
	size_t i, n = 0;

	json_array_foreach(answer_array(end, "jails"), i, jail) n += is(jail);
	return n;
}

static bool is_of_country(const json_t *end)
{
	return json_array_size(answer_array(end, "ignored_by_country")) > 0;
}

static bool nothing_known(const json_t *end)
{
	return !is_of_country(end) && !answer_bool(end, "allowed", false) &&
	       !answer_bool(end, "own", false) && count_jails(end, is_known) == 0 &&
	       json_array_size(answer_array(end, "history")) == 0 &&
	       json_array_size(answer_array(end, "evidence")) == 0;
}

/* "It is of DK, whose addresses sshd, blacklist do not ban" */
static void country(const struct tale *t)
{
	FILE *out = t->c->out;
	const json_t *jail;
	size_t i, n = json_array_size(answer_array(t->end, "ignored_by_country"));

	if (n == 0)
		return;
	fputs("It is of ", out);
	text(t, t->end, "country");
	fputs(", whose addresses ", out);
	json_array_foreach(answer_array(t->end, "ignored_by_country"), i, jail)
	{
		if (i > 0)
			fputs(", ", out);
		cli_text(out, json_string_value(jail), json_string_length(jail));
	}
	fprintf(out, " %s not ban\n", n == 1 ? "does" : "do");
}

static void verdict(const struct tale *t, const char *addr)
{
	size_t banned = count_jails(t->end, is_banned);
	enum cli_style style = banned > 0 ? STYLE_BAD : STYLE_GOOD;
	FILE *out = t->c->out;

	fprintf(out, "%s%s ", cli_style(t->c, style), addr);
	if (banned > 0)
		fprintf(out, "is banned in %zu jail%s", banned, banned == 1 ? "" : "s");
	else if (nothing_known(t->end))
		fputs("is not banned: nothing is known of it", out);
	else
		fputs("is not banned", out);
	fprintf(out, "%s\n", cli_style(t->c, STYLE_PLAIN));
	if (answer_bool(t->end, "allowed", false)) {
		fputs("It is allowed and never banned", out);
		if (answer_text(t->end, "allowed_by")[0] != '\0') {
			fputs(": ", out);
			text(t, t->end, "allowed_by");
		}
		fputc('\n', out);
	}
	if (answer_bool(t->end, "own", false))
		fputs("It is one of this machine's own and never banned\n", out);
	country(t);
}

/* "since 07:32:08 (9 min ago), until 07:42:08 (in 56 s)" */
static void times(const struct tale *t, const json_t *ban)
{
	char clock[SAY_MAX], span[SAY_MAX];
	FILE *out = t->c->out;
	int64_t sec;

	if (say_read_time(&sec, answer_text(ban, "since")) == 0) {
		fprintf(out, " since %s", say_clock(sec, t->now_sec, clock));
		if (sec <= t->now_sec)
			fprintf(out, " (%s ago)", say_span(t->now_sec - sec, span));
	}
	if (say_read_time(&sec, answer_text(ban, "until")) == 0) {
		fprintf(out, ", until %s", say_clock(sec, t->now_sec, clock));
		if (sec >= t->now_sec)
			fprintf(out, " (in %s)", say_span(sec - t->now_sec, span));
	} else if (json_is_null(json_object_get(ban, "until"))) {
		fputs(", for ever", out);
	}
}

static void kernel(const struct tale *t, const json_t *jail)
{
	int64_t packets = answer_int(jail, "packets", -1);
	char count[SAY_MAX], bytes[SAY_MAX];
	FILE *out = t->c->out;

	if (!answer_bool(jail, "in_kernel", true)) {
		fprintf(out, "  %sthe kernel does not hold this ban%s\n",
			cli_style(t->c, STYLE_BAD), cli_style(t->c, STYLE_PLAIN));
		return;
	}
	if (packets < 0)
		return;
	fprintf(out, "  the kernel has dropped %s packet%s", say_count(packets, count),
		packets == 1 ? "" : "s");
	if (packets > 0)
		fprintf(out, ", %s", say_bytes(answer_int(jail, "bytes", 0), bytes));
	fputc('\n', out);
}

/* Is it the ban of that history entry that stands in one of the jails now? */
static bool is_ban_of(const json_t *jail, const json_t *past)
{
	return is_banned(jail) &&
	       strcmp(answer_text(jail, "jail"), answer_text(past, "jail")) == 0 &&
	       strcmp(answer_text(jail, "since"), answer_text(past, "since")) == 0;
}

/* ": failed ssh user" */
static void rule(const struct tale *t, const json_t *ban)
{
	if (answer_text(ban, "rule")[0] == '\0')
		return;
	fputs(": ", t->c->out);
	text(t, ban, "rule");
}

/* ", after 5 failures: failed ssh user (log)" */
static void reason(const struct tale *t, const json_t *past)
{
	int64_t failures = answer_int(past, "failures", 0);
	char buf[SAY_MAX];

	if (failures > 0)
		fprintf(t->c->out, ", after %s failure%s", say_count(failures, buf),
			failures == 1 ? "" : "s");
	rule(t, past);
	if (answer_text(past, "origin")[0] != '\0') {
		fputs(" (", t->c->out);
		text(t, past, "origin");
		fputc(')', t->c->out);
	}
}

static void present_ban(const struct tale *t, const json_t *jail)
{
	const json_t *past;
	bool told = false;
	size_t i;

	if (strchr(answer_text(jail, "ip"), '/') != NULL) {
		fputs(" as part of ", t->c->out);
		text(t, jail, "ip");
	}
	times(t, jail);
	json_array_foreach(answer_array(t->end, "history"), i, past)
	{
		if (is_ban_of(jail, past)) {
			reason(t, past);
			told = true;
			break;
		}
	}
	/* It is not in the database yet. */
	if (!told)
		rule(t, jail);
	fputc('\n', t->c->out);
	kernel(t, jail);
}

/* With the ban the count began anew: nothing is to be said then until there are new failures. */
static void counts(const struct tale *t, const json_t *jail)
{
	int64_t failures = answer_int(jail, "failures", 0),
		maxretry = answer_int(jail, "maxretry", 0);
	int64_t findtime = answer_int(jail, "findtime_sec", -1);
	FILE *out = t->c->out;
	char buf[SAY_MAX];

	if (is_banned(jail) && failures == 0)
		return;
	fprintf(out, "  %s %sfailure%s", say_count(failures, buf), is_banned(jail) ? "more " : "",
		failures == 1 ? "" : "s");
	if (findtime >= 0)
		fprintf(out, " within %s", say_span(findtime, buf));
	if (maxretry > 0 && !is_banned(jail))
		fprintf(out, "; %s ban%s", say_count(maxretry, buf), maxretry == 1 ? "s" : "");
	fputc('\n', out);
}

static void jails(struct tale *t)
{
	FILE *out = t->c->out;
	const json_t *jail;
	size_t i;

	json_array_foreach(answer_array(t->end, "jails"), i, jail)
	{
		if (!is_known(jail))
			continue;
		fprintf(out, "\n%s", cli_style(t->c, STYLE_BOLD));
		text(t, jail, "jail");
		fprintf(out, "%s: ", cli_style(t->c, STYLE_PLAIN));
		if (is_banned(jail)) {
			fputs("banned", out);
			present_ban(t, jail);
		} else {
			fputs("not banned\n", out);
		}
		counts(t, jail);
	}
}

/* Lines are kept for a while when nothing counts any more, and look as if they did. */
static void no_counts(const struct tale *t)
{
	if (count_jails(t->end, is_known) > 0 || answer_bool(t->end, "allowed", false) ||
		answer_bool(t->end, "own", false) ||
		json_array_size(answer_array(t->end, "evidence")) == 0)
		return;
	fputs("Of its log lines none counts now: they are too old, a ban for them is over, or "
	      "ignorecommand let it off\n",
		t->c->out);
}

static void evidence(struct tale *t)
{
	FILE *out = t->c->out;
	const json_t *one;
	char buf[SAY_MAX];
	int64_t sec;
	size_t i;

	t->headed = false;
	json_array_foreach(answer_array(t->end, "evidence"), i, one)
	{
		title(t, "Log lines");
		fputs("  ", out);
		if (say_read_time(&sec, answer_text(one, "time")) == 0)
			fprintf(out, "%s  ", say_clock(sec, t->now_sec, buf));
		text(t, one, "jail");
		fputs("  ", out);
		text(t, one, "line");
		fputc('\n', out);
	}
}

static bool is_present(const struct tale *t, const json_t *past)
{
	const json_t *jail;
	size_t i;

	json_array_foreach(answer_array(t->end, "jails"), i, jail)
	{
		if (is_ban_of(jail, past))
			return true;
	}
	return false;
}

static void history(struct tale *t)
{
	FILE *out = t->c->out;
	const json_t *one;
	char buf[SAY_MAX];
	int64_t sec;
	size_t i;

	t->headed = false;
	json_array_foreach(answer_array(t->end, "history"), i, one)
	{
		if (is_present(t, one))
			continue;
		title(t, "Earlier bans");
		fputs("  ", out);
		text(t, one, "jail");
		fputc(':', out);
		times(t, one);
		if (say_read_time(&sec, answer_text(one, "ended")) == 0)
			fprintf(out, ", ended %s", say_clock(sec, t->now_sec, buf));
		reason(t, one);
		fputc('\n', out);
	}
}

static int tell(struct cli *c, const char *addr, const json_t *end)
{
	struct tale t = {.c = c, .end = end, .now_sec = clock_wall_us() / USEC_PER_SEC};

	if (c->json) {
		cli_json(c, end);
	} else {
		verdict(&t, addr);
		no_counts(&t);
		jails(&t);
		evidence(&t);
		history(&t);
	}
	return nothing_known(end) ? CLI_NO : CLI_GOOD;
}

static int run(struct cli *c)
{
	char addr_text[ADDR_STRLEN];
	struct answer a = {0};
	struct addr addr;
	int status;

	if (cli_plain(c, 1, 1) < 0)
		return c->status;
	if (addr_parse(&addr, c->argv[optind], strlen(c->argv[optind])) < 0) {
		text_escape(addr_text, sizeof(addr_text), c->argv[optind], strlen(c->argv[optind]));
		return cli_usage(c, "'%s' is no address", addr_text);
	}
	addr_format(&addr, addr_text);
	status = cli_ask(
		c, json_pack("{s:s, s:s}", "cmd", "explain", "addr", addr_text), NULL, NULL, &a);
	if (status == CLI_GOOD)
		status = tell(c, addr_text, a.end);
	answer_done(&a);
	return status;
}
