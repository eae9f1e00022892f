/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/util.h"
#include "cli/say.h"
#include "cli/status.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

/* So far behind its log a reader is not just catching its breath. */
#define LAG_TROUBLE (16 * 1024 * 1024)

struct list {
	FILE *out;
	unsigned n;
};

/* "  subject: words", the subject and the detail (NULL: none) being anybody's text. */
static void trouble(struct list *l, const char *subject, const char *words, const char *detail)
{
	l->n++;
	if (l->out == NULL)
		return;
	fputs("  ", l->out);
	cli_text(l->out, subject, strlen(subject));
	fprintf(l->out, ": %s", words);
	if (detail != NULL)
		cli_text(l->out, detail, strlen(detail));
	fputc('\n', l->out);
}

/* The same file serves several jails: only the first that names it tells of it. */
static bool told_before(const json_t *jails, size_t jail, const char *name)
{
	const json_t *source;
	size_t j;

	for (size_t i = 0; i < jail; i++) {
		json_array_foreach(answer_array(json_array_get(jails, i), "sources"), j, source)
		{
			if (strcmp(answer_text(source, "name"), name) == 0)
				return true;
		}
	}
	return false;
}

static size_t count_reading(const json_t *sources)
{
	const json_t *source;
	size_t i, n = 0;

	json_array_foreach(sources, i, source) n +=
		strcmp(answer_text(source, "state"), "reading") == 0;
	return n;
}

/* A log that is not there, which is no trouble where another is read. */
static bool is_awaited(const json_t *source)
{
	return strcmp(answer_text(source, "state"), "waiting") == 0 &&
	       strncmp(answer_text(source, "trouble"), "does not exist", 14) == 0;
}

static void source_troubles(struct list *l, const json_t *jails, size_t number)
{
	const json_t *source, *jail = json_array_get(jails, number);
	const json_t *sources = answer_array(jail, "sources");
	size_t i, reading = count_reading(sources), in_trouble = 0;

	json_array_foreach(sources, i, source)
	{
		const char *name = answer_text(source, "name"),
			   *why = answer_text(source, "trouble");
		char bytes[SAY_MAX], behind[SAY_MAX + 16];
		int64_t lag = answer_int(source, "lag_bytes", 0);

		in_trouble += why[0] != '\0';
		if (told_before(jails, number, name) || (reading > 0 && is_awaited(source)))
			continue;
		if (why[0] != '\0')
			trouble(l, name, "", why);
		else if (strcmp(answer_text(source, "state"), "trouble") == 0)
			trouble(l, name, "cannot be read", NULL);
		if (lag > LAG_TROUBLE) {
			snprintf(behind, sizeof(behind), "%s not read yet", say_bytes(lag, bytes));
			trouble(l, name, behind, NULL);
		}
	}
	/* One file of several that is still to come is nothing special; none at all is. */
	if (sources != NULL && json_array_size(sources) == 0)
		trouble(l, answer_text(jail, "name"), "there is nothing for it to read", NULL);
	else if (sources != NULL && reading == 0 && in_trouble == 0)
		trouble(l, answer_text(jail, "name"), "there is no log to read yet, it waits for ",
			answer_text(json_array_get(sources, 0), "name"));
}

static void listener_troubles(struct list *l, const json_t *listeners)
{
	const json_t *listener;
	size_t i;

	json_array_foreach(listeners, i, listener)
	{
		if (!answer_bool(listener, "open", true))
			trouble(l, answer_text(listener, "listen"),
				"nothing is taken there; the log says why", NULL);
	}
}

unsigned status_troubles(FILE *out, const json_t *end)
{
	const json_t *jails = answer_array(end, "jails"), *wall = json_object_get(end, "wall");
	const char *store = answer_text(json_object_get(end, "store"), "trouble");
	const char *wall_error = answer_text(wall, "last_error");
	struct list l = {.out = out};

	if (jails != NULL && json_array_size(jails) == 0)
		trouble(&l, "jails", "none is enabled, nothing is protected", NULL);
	if (!answer_bool(wall, "healthy", true))
		trouble(&l, "firewall",
			wall_error[0] != '\0' ? "" : "the kernel does not hold what it should",
			wall_error[0] != '\0' ? wall_error : NULL);
	for (size_t i = 0; i < json_array_size(jails); i++)
		source_troubles(&l, jails, i);
	listener_troubles(&l, answer_array(end, "syslog"));
	if (store[0] != '\0')
		trouble(&l, "state", "", store);
	return l.n;
}

/* What was not judged, or not kept, and is to be told. */
static const struct {
	const char *key, *one, *many;
} losses[] = {
	{"limit_hits", "line not judged (a regex met its limits)",
		"lines not judged (a regex met its limits)"},
	{"refused_bans", "ban refused", "bans refused"},
	{"syslog_dropped", "syslog message dropped by the kernel",
		"syslog messages dropped by the kernel"},
	{"syslog_refused", "syslog message from who may not send",
		"syslog messages from who may not send"},
	{"syslog_over_rate", "syslog message over its sender's rate",
		"syslog messages over their senders' rate"},
	{"syslog_connections_refused", "syslog connection refused", "syslog connections refused"},
	{"syslog_pushed_out", "syslog connection closed (too many)",
		"syslog connections closed (too many)"},
	{"syslog_broken", "syslog message broken off, or with an absurd length",
		"syslog messages broken off, or with an absurd length"},
	{"syslog_tls_failed", "TLS connection refused, or failed in its handshake",
		"TLS connections refused, or failed in their handshakes"},
	{"poison_lines", "line passed over (reading it had ended the reader)",
		"lines passed over (reading them had ended the reader)"},
	{"out_of_memory", "item given up for lack of memory", "items given up for lack of memory"},
	{"sessions_pushed_out", "session forgotten early (too many at once)",
		"sessions forgotten early (too many at once)"},
	{"window_lines", "line forgotten early (maxlines, too much at once)",
		"lines forgotten early (maxlines, too much at once)"},
	{"bans_cut_short", "ban ended early (maxbans)", "bans ended early (maxbans)"},
	{"bans_without_lines", "ban without its lines (too many wait to be saved)",
		"bans without their lines (too many wait to be saved)"},
	{"prefilter_failures", "look for words that failed (done by our own search)",
		"looks for words that failed (done by our own search)"},
	{"files_not_taken", "file not taken (too many open)", "files not taken (too many open)"},
	{"unresolved_hosts", "failure of a host name without an address",
		"failures of host names without an address"},
	{"skipped_rows", "row of the database made no sense", "rows of the database made no sense"},
	{"unsaved_rows", "row that the database cannot hold", "rows that the database cannot hold"},
	{"long_lines", "line cut at 64 KiB", "lines cut at 64 KiB"},
	{"undated_lines", "line without a date", "lines without a date"},
	{"future_lines", "line dated off this machine's clock (taken as written now)",
		"lines dated off this machine's clock (taken as written now)"},
	{"log_lines_held", "line of our own log held back", "lines of our own log held back"},
};

void status_losses(struct cli *c, const json_t *end)
{
	const json_t *counts = json_object_get(end, "losses");
	bool any = false;

	for (size_t i = 0; i < ARRAY_SIZE(losses); i++) {
		int64_t n = answer_int(counts, losses[i].key, 0);
		char count[SAY_MAX];

		if (n <= 0)
			continue;
		fprintf(c->out, "%s%s %s",
			any ? ", " : "since the start or last reload: ", say_count(n, count),
			n == 1 ? losses[i].one : losses[i].many);
		any = true;
	}
	if (any)
		fputc('\n', c->out);
}
