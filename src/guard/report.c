/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What guard knows, as JSON. */
#include "guard/countries.h"
#include "guard/internal.h"
#include "guard/syslog.h"
#include "guard/tls.h"

#include "base/clock.h"
#include "base/text.h"

#include <string.h>
#include <time.h>

#define HISTORY_MAX 50

static json_t *time_json(int64_t wall_us)
{
	time_t sec = (time_t)(wall_us / USEC_PER_SEC);
	char text[40];
	struct tm tm;
	size_t n;

	localtime_r(&sec, &tm);
	n = strftime(text, sizeof(text) - 1, "%Y-%m-%dT%H:%M:%S%z", &tm);
	/* "+0100" to "+01:00" (RFC 3339). */
	if (n >= 5) {
		memmove(text + n - 1, text + n - 2, 3);
		text[n - 2] = ':';
	}
	return json_string(text);
}

/* Text from logs: escaped, so that it is valid UTF-8 whatever it was. */
static json_t *report_text(const char *s, size_t len)
{
	char safe[EVIDENCE_LINE_MAX * 4 + 1];

	return json_stringn(safe, text_escape(safe, sizeof(safe), s, len));
}

json_t *report_ban(const struct guard *g, const struct ban *ban)
{
	char text[PREFIX_STRLEN];

	return json_pack("{s:s,s:s,s:o,s:o,s:I,s:I,s:I,s:s,s:s*}", "ip",
		prefix_format(&ban->prefix, text), "jail", g->jails[ban->jail].jail->name, "since",
		time_json(to_wall(ban->since_us)), "until",
		ban->until_us == 0 ? json_null() : time_json(to_wall(ban->until_us)), "failures",
		(json_int_t)ban->failures, "packets", (json_int_t)ban->packets, "bytes",
		(json_int_t)ban->bytes, "origin", origin_name((enum origin)ban->origin), "rule",
		ban->rule);
}

static json_t *report_file(const struct file *f)
{
	const char *format = container_name(f->unwrap.kind);
	int64_t size = tail_size(&f->tail);
	json_int_t lag = size > (int64_t)f->tail.offset ? size - (int64_t)f->tail.offset : 0;
	const char *state = f->failing || f->unfit != NULL ? "trouble"
			    : f->retired                   ? "gone"
							   : "reading";
	json_t *trouble = f->failing         ? json_string("cannot be read")
			  : f->unfit != NULL ? json_sprintf("is no log but %s", f->unfit)
					     : json_null();

	return json_pack("{s:o,s:s,s:s,s:o,s:I,s:I,s:I,s:I,s:s*}", "name",
		report_text(f->source.name, strlen(f->source.name)), "kind", "file", "state", state,
		"trouble", trouble, "offset", (json_int_t)f->tail.offset, "size",
		(json_int_t)(size < 0 ? 0 : size), "lag_bytes", lag, "lines",
		(json_int_t)f->tail.lines, "format", format);
}

static bool reads(const struct source *s, unsigned jail)
{
	for (size_t i = 0; i < s->n_jails; i++)
		if (s->jails[i].jail == jail)
			return true;
	return false;
}

static bool pattern_reads(const struct pattern *p, unsigned jail)
{
	for (size_t i = 0; i < p->n_jails; i++)
		if (p->jails[i] == jail)
			return true;
	return false;
}

static bool pattern_has_file(const struct guard *g, size_t pattern)
{
	for (const struct file *f = g->files; f != NULL; f = f->next)
		for (size_t i = 0; i < f->n_refs; i++)
			if (f->refs[i].pattern == pattern)
				return true;
	return false;
}

static json_t *report_waiting(const char *name, const char *state, const char *what)
{
	return json_pack("{s:o,s:s,s:s,s:o}", "name", report_text(name, strlen(name)), "kind",
		"file", "state", state, "trouble",
		what != NULL ? report_text(what, strlen(what)) : json_null());
}

static json_t *report_stream(const struct source *s, const char *kind)
{
	return json_pack("{s:s,s:s,s:s,s:n,s:I}", "name", s->name, "kind", kind, "state", "reading",
		"trouble", "lines", (json_int_t)s->lines);
}

static json_t *report_sources(const struct guard *g, unsigned jail)
{
	const struct patterns *p = &g->o->plan->patterns;
	json_t *list = json_array();

	for (const struct file *f = g->files; f != NULL; f = f->next)
		if (reads(&f->source, jail))
			json_array_append_new(list, report_file(f));
	for (size_t i = 0; i < p->n; i++) {
		const struct trouble *t = g->troubles;

		if (!pattern_reads(&p->items[i], jail))
			continue;
		for (; t != NULL; t = t->next)
			if (t->pattern == i)
				json_array_append_new(
					list, report_waiting(t->path, "waiting", t->what));
		for (t = g->troubles; t != NULL && t->pattern != i; t = t->next)
			;
		if (t == NULL && !pattern_has_file(g, i))
			json_array_append_new(
				list, report_waiting(p->items[i].text, "waiting", NULL));
	}
	for (size_t i = 0; i < g->o->n_listen * SYSLOG_FORMS; i++) {
		const struct source *s =
			syslog_listener_source(g->listeners[i / SYSLOG_FORMS], i % SYSLOG_FORMS);

		if (s != NULL && g->o->listen_fds[i / SYSLOG_FORMS] >= 0 && reads(s, jail))
			json_array_append_new(list, report_stream(s, "syslog"));
	}
	if (journal_source(g, jail) != NULL)
		json_array_append_new(list, report_stream(journal_source(g, jail), "journal"));
	return list;
}

/* Where the packets go that the jail drops; none for all. */
static json_t *report_to(const struct jail *j)
{
	json_t *list = json_array();
	char text[ADDR_STRLEN];

	for (size_t i = 0; i < j->n_to; i++)
		json_array_append_new(list, json_string(addr_format(&j->to[i], text)));
	return list;
}

static json_t *report_jail(const struct guard *g, const struct jail_state *j)
{
	const struct filter_stats *fs = filter_stats(j->filter);
	json_t *last = json_null();
	char text[PREFIX_STRLEN];

	if (j->has_last_ban)
		last = json_pack("{s:s,s:o}", "ip", prefix_format(&j->last_ban, text), "at",
			time_json(j->last_ban_us));
	return json_pack("{s:s,s:o,s:b,s:I,s:I,s:I,s:b,s:o,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:o}",
		"name", j->jail->name, "to", report_to(j->jail), "shadow", (int)j->jail->shadow,
		"maxretry", (json_int_t)j->jail->maxretry, "findtime_sec",
		(json_int_t)j->jail->findtime_sec, "bantime_sec", (json_int_t)j->jail->bantime_sec,
		"bantime_by_rule", (int)(j->jail->filter->heads != NULL), "sources",
		report_sources(g, j->jail->id), "tracked",
		(json_int_t)track_jail_entries(g->track, j->jail->id), "failures",
		(json_int_t)j->failures, "banned",
		(json_int_t)bans_jail_count(g->bans, j->jail->id), "bans", (json_int_t)j->bans,
		"limit_hits", (json_int_t)fs->limit_hits, "echoes", (json_int_t)j->echoes,
		"ignored_country", (json_int_t)j->ignored_country, "last_ban", last);
}

static json_t *report_losses(const struct guard *g)
{
	const struct losses *l = &g->losses;
	uint64_t limit_hits = date_stats()->limit_hits, sessions = 0, no_memory = l->no_memory;
	struct syslog_counts dropped = {0};
	json_t *o = json_object();

	for (size_t i = 0; i < g->o->n_listen; i++) {
		const struct syslog_counts *c = syslog_listener_counts(g->listeners[i]);

		dropped.overflowed += c->overflowed;
		dropped.refused += c->refused;
		dropped.over_rate += c->over_rate;
		dropped.cut += c->cut;
		dropped.connections_refused += c->connections_refused;
		dropped.pushed_out += c->pushed_out;
		dropped.broken += c->broken;
	}
	for (size_t i = 0; i < g->rs->n_jails; i++) {
		const struct filter_stats *fs = filter_stats(g->jails[i].filter);

		limit_hits += fs->limit_hits;
		sessions += fs->sessions_lost;
		no_memory += fs->no_memory;
	}
	const struct {
		const char *name;
		uint64_t n;
	} counts[] = {
		{"long_lines", l->long_lines + dropped.cut},
		{"limit_hits", limit_hits},
		{"syslog_dropped", dropped.overflowed},
		{"syslog_refused", dropped.refused},
		{"syslog_over_rate", dropped.over_rate},
		{"syslog_connections_refused", dropped.connections_refused},
		{"syslog_pushed_out", dropped.pushed_out},
		{"syslog_broken", dropped.broken},
		{"syslog_tls_failed", tls_failures(g)},
		{"log_lines_held", l->log_held},
		{"refused_bans", l->refused},
		{"undated_lines", l->undated},
		{"future_lines", l->future},
		{"old_failures", l->old},
		{"poison_lines", l->poison},
		{"out_of_memory", no_memory},
		{"sessions_pushed_out", sessions},
		{"window_lines", window_lost()},
		{"unsaved_rows", l->unsaved},
		{"skipped_rows", store_skipped(g->store)},
		{"files_not_taken", l->files},
		{"unresolved_hosts", l->unresolved},
		{"bans_cut_short", l->bans_cut},
		{"bans_without_lines", l->evidence},
		{"prefilter_failures", panels_failures(g)},
	};
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
		json_object_set_new(o, counts[i].name, json_integer((json_int_t)counts[i].n));
	return o;
}

static json_t *report_syslog(const struct guard *g)
{
	json_t *list = json_array();

	for (size_t i = 0; i < g->o->n_listen; i++) {
		const struct syslog_counts *c = syslog_listener_counts(g->listeners[i]);

		json_array_append_new(list,
			json_pack("{s:s,s:b,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:o*}", "listen",
				g->rs->syslog.listen[i].url, "open", g->o->listen_fds[i] >= 0,
				"messages", (json_int_t)c->messages, "dropped_by_kernel",
				(json_int_t)c->overflowed, "refused", (json_int_t)c->refused,
				"over_rate", (json_int_t)c->over_rate, "cut", (json_int_t)c->cut,
				"connections", (json_int_t)c->connections, "connections_refused",
				(json_int_t)c->connections_refused, "pushed_out",
				(json_int_t)c->pushed_out, "broken", (json_int_t)c->broken, "tls",
				tls_report(g, i)));
	}
	return list;
}

static json_t *report_names(const struct guard *g)
{
	const struct lookup_stats *l = lookup_stats(g);
	struct names_stats n;

	names_get_stats(g, &n);
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "lookups", (json_int_t)l->asked,
		"found", (json_int_t)l->found, "not_found", (json_int_t)l->none, "failed",
		(json_int_t)l->failed, "dropped", (json_int_t)l->busy + (json_int_t)n.dropped,
		"remembered", (json_int_t)n.remembered, "known", (json_int_t)n.known, "waiting",
		(json_int_t)n.waiting);
}

static json_t *report_ignorecommand(const struct guard *g)
{
	const struct pending_stats *p = pending_stats(g);

	return json_pack("{s:I,s:I,s:I,s:I,s:I}", "asked", (json_int_t)p->asked, "ignored",
		(json_int_t)p->ignored, "unknown", (json_int_t)p->unknown, "remembered",
		(json_int_t)p->remembered, "waiting", (json_int_t)p->waiting);
}

json_t *report_status(struct guard *g, const struct jail *only, const struct msg_query_end *wall)
{
	const char *engine = panels_engine(g);
	json_t *jails = json_array();
	struct track_stats t;

	track_get_stats(g->track, &t);
	for (size_t i = 0; i < g->rs->n_jails; i++)
		if (only == NULL || only->id == i)
			json_array_append_new(jails, report_jail(g, &g->jails[i]));
	return json_pack("{s:s,s:i,s:i,s:I,s:s,s:b,s:o,s:{s:I,s:I,s:I,s:I,s:I},"
			 "s:{s:s,s:b,s:I,s:I,s:I,s:I,s:s},s:{s:s},s:o,s:o,s:o,s:s?,s:o}",
		"version", STOCKADE_VERSION, "pid", (int)getppid(), "guard_pid", (int)getpid(),
		"uptime_sec", (json_int_t)((clock_mono_us() - g->o->started_us) / USEC_PER_SEC),
		"config", g->o->confdir, "dry_run", (int)g->o->dry_run, "jails", jails, "tracker",
		"entries", (json_int_t)t.entries, "cap", (json_int_t)t.cap, "evicted",
		(json_int_t)t.evicted, "bytes", (json_int_t)t.bytes, "ceiling",
		(json_int_t)g->rs->memory, "wall", "backend", wall->backend, "healthy",
		(int)wall->healthy, "transactions", (json_int_t)wall->transactions, "banned",
		(json_int_t)wall->banned, "repairs", (json_int_t)wall->repairs, "failures",
		(json_int_t)wall->failures, "last_error", wall->last_error, "store", "trouble",
		store_trouble(g->store), "losses", report_losses(g), "names", report_names(g),
		"ignorecommand", report_ignorecommand(g), "prefilter", engine, "syslog",
		report_syslog(g));
}

struct listing {
	const struct guard *g;
	json_t *list;
};

static void add_line(void *arg, unsigned jail, int64_t time_us, const char *line, size_t len)
{
	struct listing *l = arg;

	json_array_append_new(
		l->list, json_pack("{s:s,s:o,s:o}", "jail", l->g->jails[jail].jail->name, "time",
				 time_json(time_us), "line", report_text(line, len)));
}

/* Of each jail no more than the newest that it may keep (maxmatches). */
static void trim_lines(struct listing *l)
{
	const struct ruleset *rs = l->g->rs;
	unsigned *kept = calloc(rs->n_jails + 1, sizeof(*kept));

	for (size_t i = json_array_size(l->list); kept != NULL && i-- > 0;) {
		const json_t *name = json_object_get(json_array_get(l->list, i), "jail");
		const struct jail *j = ruleset_jail(rs, json_string_value(name));

		if (++kept[j->id] > j->maxmatches)
			json_array_remove(l->list, i);
	}
	free(kept);
}

struct past {
	json_t *history, *evidence;
	bool none_in_memory;
	size_t n_stored; /* lines put in front of those in memory */
};

/* Lines that were kept with a ban come first, unless they are in memory still. */
static void add_stored(struct past *p, const char *jail, const char *line, size_t len)
{
	json_t *text = report_text(line, len);
	const json_t *one;
	size_t i;

	json_array_foreach(p->evidence, i, one)
	{
		if (json_equal(json_object_get(one, "line"), text)) {
			json_decref(text);
			return;
		}
	}
	json_array_insert_new(p->evidence, p->n_stored++,
		json_pack("{s:s,s:n,s:o}", "jail", jail, "time", "line", text));
}

static void add_past(void *arg, const struct store_ban *b, int64_t ended_us)
{
	struct past *p = arg;
	char text[PREFIX_STRLEN];
	const char *line, *end;

	json_array_append_new(
		p->history, json_pack("{s:s,s:s,s:o,s:o,s:o,s:I,s:s,s:s*}", "ip",
				    prefix_format(&b->prefix, text), "jail", b->jail, "since",
				    time_json(b->since_us), "until",
				    b->until_us == 0 ? json_null() : time_json(b->until_us),
				    "ended", ended_us == 0 ? json_null() : time_json(ended_us),
				    "failures", (json_int_t)b->failures, "origin",
				    b->origin != NULL ? b->origin : "log", "rule", b->rule));
	/* What a ban in force was for is shown always, of others only what memory has lost. */
	if (b->evidence == NULL || (ended_us != 0 && !p->none_in_memory))
		return;
	for (line = b->evidence; *line != '\0'; line = *end != '\0' ? end + 1 : end) {
		end = strchrnul(line, '\n');
		add_stored(p, b->jail, line, (size_t)(end - line));
	}
}

static json_t *report_in_jail(
	const struct guard *g, const struct jail_state *j, const struct addr *a)
{
	unsigned failures = track_count(
		g->track, j->jail->id, a, clock_wall_us() / USEC_PER_SEC, j->jail->findtime_sec);
	const struct ban *ban = bans_covering(g->bans, j->jail->id, a);
	json_t *o;

	if (failures == 0 && ban == NULL)
		return NULL;
	o = json_pack("{s:s,s:I,s:I,s:I,s:b}", "jail", j->jail->name, "failures",
		(json_int_t)failures, "maxretry", (json_int_t)j->jail->maxretry, "findtime_sec",
		(json_int_t)j->jail->findtime_sec, "banned", ban != NULL);
	if (ban != NULL) {
		json_t *b = report_ban(g, ban);

		json_object_set_new(o, "in_kernel", json_boolean(ban->in_kernel));
		/* What is said above stays: the ban's count is of another time. */
		json_object_update_missing(o, b);
		json_decref(b);
	}
	return o;
}

/* Which block or name of the allow list holds it. */
static json_t *report_allowed_by(const struct guard *g, const struct addr *a)
{
	const char *name = ignorenames_everywhere(g, a);
	char text[PREFIX_STRLEN];

	for (size_t i = 0; i < g->rs->allow.n; i++)
		if (prefix_contains(&g->rs->allow.items[i], a))
			return json_string(prefix_format(&g->rs->allow.items[i], text));
	return name != NULL ? json_string(name) : json_null();
}

/* The jails that let it be for its country. */
static json_t *report_by_country(const struct guard *g, const struct addr *a)
{
	json_t *jails = json_array();
	char code[3];

	for (size_t i = 0; i < g->rs->n_jails; i++)
		if (countries_ignored(g->o->plan->countries, &g->rs->jails[i], a, code))
			json_array_append_new(jails, json_string(g->rs->jails[i].name));
	return jails;
}

json_t *report_address(struct guard *g, const struct addr *a)
{
	bool allowed = prefixset_contains(&g->rs->allow, a) || ignorenames_everywhere(g, a) != NULL;
	struct listing lines = {.g = g, .list = json_array()};
	struct past past = {.history = json_array(), .evidence = lines.list};
	json_t *jails = json_array();
	char text[ADDR_STRLEN], country[3];
	bool has_country = countries_find(g->o->plan->countries, a, country);

	for (size_t i = 0; i < g->rs->n_jails; i++) {
		json_t *one = report_in_jail(g, &g->jails[i], a);

		if (one != NULL)
			json_array_append_new(jails, one);
	}
	evidence_each(g->evidence, -1, a, add_line, &lines);
	trim_lines(&lines);
	past.none_in_memory = json_array_size(lines.list) == 0;
	store_history(g->store, a, HISTORY_MAX, add_past, &past);
	return json_pack("{s:s,s:b,s:o,s:b,s:s?,s:o,s:o,s:o,s:o}", "ip", addr_format(a, text),
		"allowed", (int)allowed, "allowed_by", report_allowed_by(g, a), "own",
		(int)verdict_is_own(g, a), "country", has_country ? country : NULL,
		"ignored_by_country", report_by_country(g, a), "jails", jails, "history",
		past.history, "evidence", lines.list);
}
