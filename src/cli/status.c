/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/status.h"

#include "base/buf.h"
#include "base/util.h"
#include "cli/say.h"
#include "cli/table.h"

#include <string.h>

#define WIDE 120
#define NARROW 72 /* what is less has no room for the last two columns */

static const struct table_column jail_columns[] = {
	{"JAIL", .shrink = true},
	{"BANNED", .right = true},
	{"EVER", .right = true},
	{"TRACKED", .right = true},
	{"FAILURES", .right = true},
	{"BANS AFTER", .shrink = true},
	{"FOR", .right = true},
	{"LAST BAN", .shrink = true},
};

static const struct table_column source_columns[] = {
	{"READS", .shrink = true},
	{"FOR", .shrink = true},
	{.title = "STATE"},
	{"BEHIND", .right = true},
	{"LINES", .right = true},
};

static const struct table_column listener_columns[] = {
	{"TAKES SYSLOG AT", .shrink = true},
	{"MESSAGES", .right = true},
	{"LOST", .right = true},
	{"CONNECTIONS", .right = true},
	{"REFUSED", .right = true},
};

static void count_cell(struct table *t, const json_t *obj, const char *key)
{
	char buf[SAY_MAX];
	int64_t n = answer_int(obj, key, -1);

	table_cellf(t, "%s", n < 0 ? "-" : say_count(n, buf));
}

static void headline(struct cli *c, const json_t *end)
{
	const json_t *jails = answer_array(end, "jails");
	bool dry = answer_bool(end, "dry_run", false);
	unsigned troubles = status_troubles(NULL, end);
	char count[SAY_MAX];
	int64_t banned = 0;
	size_t n = json_array_size(jails);

	for (size_t i = 0; i < n; i++)
		banned += answer_int(json_array_get(jails, i), "banned", 0);
	fputs(cli_style(c, troubles > 0 ? STYLE_BAD : dry ? STYLE_WARN : STYLE_GOOD), c->out);
	if (dry)
		fprintf(c->out,
			"dry run, nothing is enforced: watching for %zu jail%s, %s would be banned "
			"now",
			n, n == 1 ? "" : "s", say_count(banned, count));
	else
		fprintf(c->out, "protecting %zu jail%s, %s banned now", n, n == 1 ? "" : "s",
			say_count(banned, count));
	if (troubles > 0)
		fprintf(c->out, "; %u thing%s wrong:", troubles, troubles == 1 ? " is" : "s are");
	fprintf(c->out, "%s\n", cli_style(c, STYLE_PLAIN));
	status_troubles(c->out, end);
}

static void daemon_line(struct cli *c, const json_t *end)
{
	const char *version = answer_text(end, "version"), *config = answer_text(end, "config");
	int64_t pid = answer_int(end, "pid", 0), uptime = answer_int(end, "uptime_sec", -1);
	char span[SAY_MAX];

	fputs("stockade ", c->out);
	cli_text(c->out, version, strlen(version));
	if (pid > 0)
		fprintf(c->out, ", process %lld", (long long)pid);
	if (uptime >= 0)
		fprintf(c->out, ", up %s", say_span(uptime, span));
	if (config[0] != '\0') {
		fputs(", from ", c->out);
		cli_text(c->out, config, strlen(config));
	}
	fputc('\n', c->out);
}

/* Who it was only where there is room for any address. */
static void last_ban_cell(struct table *t, const json_t *jail, int64_t now_sec, bool wide)
{
	const json_t *last = json_object_get(jail, "last_ban");
	const char *ip = answer_text(last, "ip");
	char span[SAY_MAX];
	int64_t sec;

	if (say_read_time(&sec, answer_text(last, "at")) < 0 || sec > now_sec)
		table_cellf(t, "%s", ip[0] != '\0' ? ip : "-");
	else
		table_cellf(t, "%s ago%s%s", say_span(now_sec - sec, span), wide ? ", " : "",
			wide ? ip : "");
}

static void jail_table(struct cli *c, const json_t *jails, int64_t now_sec)
{
	bool narrow = c->width < NARROW;
	struct table *t =
		table_new(c->out, jail_columns, ARRAY_SIZE(jail_columns) - (narrow ? 2 : 0),
			c->width, cli_style(c, STYLE_BOLD), cli_style(c, STYLE_PLAIN));
	const json_t *jail;
	char buf[SAY_MAX];
	size_t i;

	if (t == NULL)
		return;
	json_array_foreach(jails, i, jail)
	{
		int64_t findtime = answer_int(jail, "findtime_sec", -1);
		int64_t bantime = answer_int(jail, "bantime_sec", 0);

		table_cellf(t, "%s%s", answer_text(jail, "name"),
			answer_bool(jail, "shadow", false) ? " (shadow)" : "");
		count_cell(t, jail, "banned");
		count_cell(t, jail, "bans");
		count_cell(t, jail, "tracked");
		count_cell(t, jail, "failures");
		if (findtime > 0)
			table_cellf(t, "%lld in %s", (long long)answer_int(jail, "maxretry", 0),
				say_span(findtime, buf));
		else
			table_cell(t, "-", 1);
		if (narrow)
			continue;
		if (answer_bool(jail, "bantime_by_rule", false))
			table_cell(t, "by rule", strlen("by rule"));
		else
			table_cellf(t, "%s", bantime != 0 ? say_span(bantime, buf) : "-");
		last_ban_cell(t, jail, now_sec, c->width >= WIDE);
	}
	table_end(t);
}

static bool is_source(const json_t *a, const json_t *b)
{
	return strcmp(answer_text(a, "name"), answer_text(b, "name")) == 0 &&
	       strcmp(answer_text(a, "kind"), answer_text(b, "kind")) == 0;
}

static bool jail_reads(const json_t *jail, const json_t *wanted)
{
	const json_t *source;
	size_t i;

	json_array_foreach(answer_array(jail, "sources"), i, source)
	{
		if (is_source(source, wanted))
			return true;
	}
	return false;
}

/* The jails that read a source; nothing if one before `first` does: its line is out already. */
static void readers(struct buf *ret, const json_t *jails, size_t first, const json_t *source)
{
	const json_t *jail;
	size_t i;

	json_array_foreach(jails, i, jail)
	{
		if (!jail_reads(jail, source))
			continue;
		if (i < first)
			return;
		buf_addf(ret, "%s%s", ret->len > 0 ? ", " : "", answer_text(jail, "name"));
	}
}

static void source_row(struct table *t, const json_t *source, const struct buf *jails)
{
	const char *kind = answer_text(source, "kind"), *name = answer_text(source, "name");
	const char *state = answer_text(source, "state");
	int64_t lag = answer_int(source, "lag_bytes", -1);
	char bytes[SAY_MAX];

	if (strcmp(kind, "file") == 0 || kind[0] == '\0' || strncmp(name, kind, strlen(kind)) == 0)
		table_cellf(t, "%s", name);
	else
		table_cellf(t, "%s %s", kind, name);
	table_cell(t, buf_text(jails), jails->len);
	table_cellf(t, "%s", state[0] != '\0' ? state : "-");
	if (strcmp(kind, "file") != 0 || strcmp(state, "reading") != 0 || lag < 0)
		table_cell(t, "-", 1);
	else
		table_cellf(t, "%s", lag == 0 ? "nothing" : say_bytes(lag, bytes));
	count_cell(t, source, "lines");
}

static void source_table(struct cli *c, const json_t *jails)
{
	struct table *t = table_new(c->out, source_columns, ARRAY_SIZE(source_columns), c->width,
		cli_style(c, STYLE_BOLD), cli_style(c, STYLE_PLAIN));
	const json_t *jail, *source;
	size_t i, j;

	if (t == NULL)
		return;
	json_array_foreach(jails, i, jail)
	{
		json_array_foreach(answer_array(jail, "sources"), j, source)
		{
			struct buf names = {0};

			readers(&names, jails, i, source);
			if (names.len > 0)
				source_row(t, source, &names);
			buf_done(&names);
		}
	}
	table_end(t);
}

static bool has_connections(const char *url)
{
	return strncmp(url, "udp:", 4) != 0 && strncmp(url, "unix:", 5) != 0;
}

/* What came and was not judged, whole or in part. */
static int64_t lost(const json_t *listener)
{
	static const char *const ways[] = {
		"dropped_by_kernel", "refused", "over_rate", "cut", "broken"};
	int64_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
		n += answer_int(listener, ways[i], 0);
	return n;
}

/* Connections that came to nothing. */
static int64_t turned_away(const json_t *listener)
{
	const json_t *tls = json_object_get(listener, "tls");

	return answer_int(listener, "connections_refused", 0) +
	       answer_int(listener, "pushed_out", 0) + answer_int(tls, "failed", 0) +
	       answer_int(tls, "refused", 0) + answer_int(tls, "crowded_out", 0);
}

/* Why somebody could not connect: who set up a sender wants to know. */
static void tls_lines(struct cli *c, const json_t *listeners)
{
	const json_t *listener;
	size_t i;

	json_array_foreach(listeners, i, listener)
	{
		const char *url = answer_text(listener, "listen");
		const char *why = answer_text(json_object_get(listener, "tls"), "last_failure");

		if (why[0] == '\0')
			continue;
		cli_text(c->out, url, strlen(url));
		fputs(": the last handshake that failed: ", c->out);
		cli_text(c->out, why, strlen(why));
		fputc('\n', c->out);
	}
}

static void listener_table(struct cli *c, const json_t *listeners)
{
	struct table *t = table_new(c->out, listener_columns, ARRAY_SIZE(listener_columns),
		c->width, cli_style(c, STYLE_BOLD), cli_style(c, STYLE_PLAIN));
	const json_t *listener;
	char count[SAY_MAX];
	size_t i;

	if (t == NULL)
		return;
	json_array_foreach(listeners, i, listener)
	{
		const char *url = answer_text(listener, "listen");

		table_cellf(t, "%s", url);
		count_cell(t, listener, "messages");
		table_cellf(t, "%s", say_count(lost(listener), count));
		if (has_connections(url)) {
			count_cell(t, listener, "connections");
			table_cellf(t, "%s", say_count(turned_away(listener), count));
		} else {
			table_cell(t, "-", 1);
			table_cell(t, "-", 1);
		}
	}
	table_end(t);
	tls_lines(c, listeners);
}

static void wall_line(struct cli *c, const json_t *wall)
{
	const char *backend = answer_text(wall, "backend");
	int64_t repairs = answer_int(wall, "repairs", 0),
		failures = answer_int(wall, "failures", 0);
	int64_t banned = answer_int(wall, "banned", -1);
	char count[SAY_MAX];

	if (!json_is_object(wall))
		return;
	fputs("firewall: ", c->out);
	if (backend[0] != '\0') {
		cli_text(c->out, backend, strlen(backend));
		fputs(", ", c->out);
	}
	fputs(answer_bool(wall, "healthy", true) ? "as it should be" : "NOT as it should be",
		c->out);
	if (banned >= 0)
		fprintf(c->out, ", %s put in since the start", say_count(banned, count));
	if (repairs > 0)
		fprintf(c->out, ", repaired %s time%s", say_count(repairs, count),
			repairs == 1 ? "" : "s");
	if (failures > 0)
		fprintf(c->out, ", %s refused transaction%s", say_count(failures, count),
			failures == 1 ? "" : "s");
	fputc('\n', c->out);
}

static void tracker_line(struct cli *c, const json_t *tracker)
{
	int64_t ceiling = answer_int(tracker, "ceiling", -1);
	int64_t n = answer_int(tracker, "entries", 0), evicted = answer_int(tracker, "evicted", 0);
	char a[SAY_MAX], b[SAY_MAX];

	if (ceiling < 0)
		return;
	fprintf(c->out, "failures: of %s address%s", say_count(n, a), n == 1 ? "" : "es");
	fprintf(c->out, ", %s of %s", say_bytes(answer_int(tracker, "bytes", 0), a),
		say_bytes(ceiling, b));
	fprintf(c->out, ", %s%s evicted%s\n", evicted > 0 ? cli_style(c, STYLE_WARN) : "",
		say_count(evicted, a), evicted > 0 ? cli_style(c, STYLE_PLAIN) : "");
}

/* Names looked up, if there were any. */
static void names_line(struct cli *c, const json_t *names)
{
	int64_t lookups = answer_int(names, "lookups", 0), failed = answer_int(names, "failed", 0);
	int64_t dropped = answer_int(names, "dropped", 0);
	int64_t none = answer_int(names, "not_found", 0);
	char count[SAY_MAX];

	if (lookups <= 0 && dropped <= 0)
		return;
	fprintf(c->out, "names: %s looked up", say_count(lookups, count));
	if (none > 0)
		fprintf(c->out, ", %s without an address", say_count(none, count));
	if (failed > 0)
		fprintf(c->out, ", %s without an answer", say_count(failed, count));
	if (dropped > 0)
		fprintf(c->out, ", %s passed over (too many at once)", say_count(dropped, count));
	fputc('\n', c->out);
}

/* What ignorecommand was asked, if it was. */
static void ignore_line(struct cli *c, const json_t *ignore)
{
	int64_t asked = answer_int(ignore, "asked", 0), ignored = answer_int(ignore, "ignored", 0);
	int64_t unknown = answer_int(ignore, "unknown", 0);
	char count[SAY_MAX];

	if (asked <= 0)
		return;
	fprintf(c->out, "ignorecommand: asked %s time%s", say_count(asked, count),
		asked == 1 ? "" : "s");
	fprintf(c->out, ", ignored %s", say_count(ignored, count));
	if (unknown > 0)
		fprintf(c->out, ", %s without an answer", say_count(unknown, count));
	fputc('\n', c->out);
}

void status_print(struct cli *c, const json_t *end, int64_t now_sec)
{
	const json_t *jails = answer_array(end, "jails");
	const json_t *listeners = answer_array(end, "syslog");

	headline(c, end);
	daemon_line(c, end);
	if (json_array_size(jails) > 0) {
		fputc('\n', c->out);
		jail_table(c, jails, now_sec);
		fputc('\n', c->out);
		source_table(c, jails);
	}
	if (json_array_size(listeners) > 0) {
		fputc('\n', c->out);
		listener_table(c, listeners);
	}
	fputc('\n', c->out);
	wall_line(c, json_object_get(end, "wall"));
	tracker_line(c, json_object_get(end, "tracker"));
	names_line(c, json_object_get(end, "names"));
	ignore_line(c, json_object_get(end, "ignorecommand"));
	status_losses(c, end);
}
