/* SPDX-License-Identifier: GPL-2.0-or-later */
/* match ▶ track ▶ verdict: whether a failure makes a ban, and telling keeper. */
#include "guard/countries.h"
#include "guard/internal.h"
#include "guard/policy.h"

#include "base/clock.h"
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A line this long after a ban may still be the same burst, written before the wall stood. */
#define LEFTOVER_SEC 2

bool verdict_is_own(const struct guard *g, const struct addr *a)
{
	for (size_t i = 0; i < g->n_own; i++)
		if (addr_eq(&g->own[i], a))
			return true;
	return false;
}

/* A block is ignored for each address in it that is. */
static bool is_ignored(const struct guard *g, const struct jail *j, const struct prefix *p)
{
	if (prefixset_overlaps(&g->rs->allow, p) || prefixset_overlaps(&j->ignoreip, p) ||
		ignorenames_contain(g, j->id, p))
		return true;
	for (size_t i = 0; j->ignoreself && i < g->n_own; i++)
		if (prefix_contains(p, &g->own[i]))
			return true;
	return false;
}

enum refusal verdict_refusal(const struct guard *g, unsigned jail, const struct prefix *p)
{
	enum refusal why = policy_check(g->rs, g->own, g->n_own, jail, p);

	return why == 0 && ignorenames_contain(g, jail, p) ? REFUSED_ALLOWED : why;
}

static void tell_ignored(
	struct guard *g, const struct jail_state *j, const struct prefix *who, const char *by)
{
	char text[PREFIX_STRLEN];
	unsigned held;

	if (log_get_level() < LOG_LV_INFO)
		return;
	if (log_limit_pass(&g->found_limit, &held))
		log_info("[%s] Ignore %s by %s", j->jail->name, prefix_format(who, text), by);
	else
		g->losses.log_held++;
}

/* Whom: an address or block, or else a text. */
static void tell_found(struct guard *g, const struct jail_state *j, const struct prefix *who,
	const char *whom, int64_t time_us)
{
	char text[PREFIX_STRLEN];
	unsigned held;
	struct tm tm;
	time_t sec = (time_t)(time_us / USEC_PER_SEC);
	char when[32];

	if (log_get_level() < LOG_LV_INFO)
		return;
	if (!log_limit_pass(&g->found_limit, &held)) {
		g->losses.log_held++;
		return;
	}
	if (held > 0)
		log_info("%u lines about failures found were held back", held);
	localtime_r(&sec, &tm);
	strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
	log_info("[%s] Found %s - %s", j->jail->name, who != NULL ? prefix_format(who, text) : whom,
		when);
}

/* Of a country whose addresses the jail lets be. */
static bool is_of_country(struct guard *g, struct jail_state *j, const struct failure *f)
{
	char code[3], by[] = "country ??";

	if (!countries_ignored(g->o->plan->countries, j->jail, &f->who.addr, code))
		return false;
	memcpy(by + sizeof(by) - sizeof(code), code, sizeof(code));
	j->ignored_country++;
	tell_ignored(g, j, &f->who, by);
	return true;
}

/* What is older than findtime cannot be part of a ban any more. */
static bool is_old(struct guard *g, const struct jail *j, int64_t time_us)
{
	if (time_us >= clock_wall_us() - j->findtime_sec * USEC_PER_SEC)
		return false;
	g->losses.old++;
	return true;
}

static void count_failures(struct jail_state *j, unsigned count)
{
	j->failures += count;
	j->totals_dirty = true;
}

static const char *unenforced(const struct guard *g, const struct jail_state *j)
{
	return g->o->dry_run     ? " (dry run: not enforced)"
	       : j->jail->shadow ? " (shadow: not enforced)"
				 : "";
}

void verdict_reached(
	struct guard *g, struct jail_state *j, const struct failure *f, unsigned failures)
{
	const struct ban *old = f->rule != NULL ? bans_find(g->bans, j->jail->id, &f->who) : NULL;
	int64_t old_us = old != NULL && old->rule != NULL ? old->until_us : -1;
	char text[PREFIX_STRLEN];
	struct ban *ban;

	track_forget(g->track, j->jail->id, &f->who.addr);
	ban = verdict_ban(
		g, j, &f->who, ruleset_bantime_sec(j->jail, f->rule), failures, ORIGIN_LOG);
	/* As long as it was: it is still for the rule that made it so. */
	if (ban == NULL || f->rule == NULL || ban->until_us == old_us)
		return;
	ban->rule = f->rule->title;
	log_notice("blacklisting %s for %s%s", prefix_format(&f->who, text), ban->rule,
		unenforced(g, j));
}

/* Would a rule that is not so mild as the one he is banned for keep him out longer? */
static bool outlasts(const struct jail *j, const struct failure *f, const struct ban *ban)
{
	int64_t sec = ruleset_bantime_sec(j, f->rule);

	return f->rule != NULL && ban->until_us != 0 &&
	       (sec < 0 || ban->since_us + sec * USEC_PER_SEC > ban->until_us);
}

void verdict_failure(struct guard *g, struct jail_state *j, const struct failure *f)
{
	const struct jail *jail = j->jail;
	const struct addr *a = &f->who.addr; /* of a block the first, which is hardly ever used */
	const struct ban *ban;
	unsigned n;

	if (is_ignored(g, jail, &f->who) || is_old(g, jail, f->time_us) || is_of_country(g, j, f))
		return;
	/* A line says how wide its block is, so this is no matter for a warning each time. */
	if (f->who.len < 128 && verdict_refusal(g, jail->id, &f->who) != 0) {
		g->losses.refused++;
		return;
	}
	count_failures(j, f->count);
	tell_found(g, j, &f->who, NULL, f->time_us);
	if (jail->maxmatches > 0)
		evidence_add(g->evidence, jail->id, a, f->time_us, f->line, f->len);
	ban = f->who.len == 128 ? bans_covering(g->bans, jail->id, a)
				: bans_find(g->bans, jail->id, &f->who);
	/*
	 * One found in the kernel at the start may be of this very line, judged by a guard that
	 * died before it could save: then the line counts as it did then.
	 */
	if (ban != NULL && ban->origin != ORIGIN_KERNEL && !outlasts(jail, f, ban) &&
		(ban->until_us == 0 ||
			f->time_us <= to_wall(ban->since_us) + LEFTOVER_SEC * USEC_PER_SEC))
		return;
	n = track_hit(g->track, jail->id, a, f->time_us / USEC_PER_SEC, f->count,
		jail->findtime_sec, jail->maxretry);
	if (n >= jail->maxretry && !pending_wait(g, j, f, n))
		verdict_reached(g, j, f, n);
}

/* The line's fields, where ignorecommand wants them: <F-USER> is the field "user". */
static void collect_tags(struct tags *ret, const struct jail_state *j, const struct match *m)
{
	ret->len = 0;
	for (size_t i = 0; j->wants_fields && i < m->n_fields; i++) {
		const struct match_field *f = &m->fields[i];
		char name[64] = "F-";

		for (size_t k = 0; f->name[k] != '\0' && k < sizeof(name) - 3; k++)
			name[2 + k] = (char)toupper((unsigned char)f->name[k]);
		tags_add(ret, name, f->value, f->len);
	}
	if (j->jail->ignorecommand.text != NULL && m->is_id)
		tags_add(ret, "fid", m->host, m->host_len);
}

/* Somebody who is no address: counted, but the wall drops packets, and those have addresses. */
static void count_raw(struct guard *g, struct jail_state *j, const struct match *m, int64_t time_us)
{
	char whom[256];

	if (is_old(g, j->jail, time_us))
		return;
	text_escape(whom, sizeof(whom), m->host, m->host_len);
	count_failures(j, m->count);
	tell_found(g, j, NULL, whom, time_us);
	if (!j->told_raw)
		log_warning("[%s] %s is no address: such failures are counted, but nobody can be "
			    "dropped for them (told once)",
			j->jail->name, whom);
	j->told_raw = true;
}

void verdict_match(struct guard *g, struct jail_state *j, const struct match *m, int64_t time_us,
	const char *line, size_t len)
{
	const struct filter_def *filter = j->jail->filter;
	struct failure f = {.time_us = time_us,
		.count = m->count,
		.line = line,
		.len = len,
		.rule = filter->heads != NULL ? filter->heads[m->regex] : NULL};
	struct tags tags;

	if (m->has_addr) {
		f.who = prefix_of(&m->addr, m->prefix_len);
	} else if (m->host == NULL) {
		return;
	} else if (!m->is_name || j->jail->usedns == USEDNS_RAW) {
		count_raw(g, j, m, time_us);
		return;
	} else if (j->jail->usedns == USEDNS_NO || is_old(g, j->jail, time_us)) {
		g->losses.unresolved += j->jail->usedns == USEDNS_NO;
		return;
	}
	collect_tags(&tags, j, m);
	f.tags = tags.data;
	f.tags_len = tags.len;
	if (m->has_addr)
		verdict_failure(g, j, &f);
	else
		names_failure(g, j, m->host, m->host_len, &f);
}

/* Milliseconds that are left of a ban; at least 1, since 0 means for ever. */
static uint64_t left_ms(const struct ban *ban, int64_t now_us)
{
	if (ban->until_us == 0)
		return 0;
	return ban->until_us > now_us + 1000 ? (uint64_t)(ban->until_us - now_us) / 1000 : 1;
}

static void queue(struct guard *g, const struct ban *ban, bool again)
{
	if (g->n_out == BANS_A_MESSAGE)
		verdict_send(g);
	g->out[g->n_out++] = (struct msg_ban) {
		.prefix = ban->prefix,
		.again = again,
		.jail = ban->jail,
		.timeout_ms = left_ms(ban, clock_mono_us()),
	};
}

void verdict_send_again(struct guard *g, struct ban *ban)
{
	queue(g, ban, true);
}

void verdict_send(struct guard *g)
{
	if (g->n_out == 0)
		return;
	/* Out of memory is over some time: they wait for the next turn. */
	if (channel_send(g->keeper, MSG_BAN, g->out, g->n_out * sizeof(g->out[0]), -1) != -ENOMEM ||
		g->n_out == BANS_A_MESSAGE)
		g->n_out = 0;
}

/* With as many bans in force as there may be, the one that would end first ends now. */
static void make_room(struct guard *g)
{
	struct ban *first = bans_first_end(g->bans);

	if (bans_count(g->bans) < g->rs->maxbans || first == NULL)
		return;
	g->losses.bans_cut++;
	verdict_unban(g, first);
}

/* The last lines it is for, to be saved with it. */
static void keep_evidence(struct guard *g, struct ban *ban, unsigned failures)
{
	unsigned max = g->jails[ban->jail].jail->maxmatches;

	max = max < g->rs->dbmaxmatches ? max : g->rs->dbmaxmatches;
	max = max < failures ? max : failures;
	if (!bans_set_evidence(
		    g->bans, ban, evidence_text(g->evidence, ban->jail, &ban->prefix.addr, max)))
		g->losses.evidence++;
}

/* In brief, the line that names the rule says it all. */
static enum log_level ban_level(const struct guard *g, const struct jail_state *j)
{
	return g->rs->log_brief && j->jail->filter->heads != NULL ? LOG_LV_INFO : LOG_LV_NOTICE;
}

struct ban *verdict_ban(struct guard *g, struct jail_state *j, const struct prefix *p,
	int64_t bantime_sec, unsigned failures, enum origin origin)
{
	int64_t now_us = clock_mono_us();
	int64_t until_us = bantime_sec < 0 ? 0 : now_us + bantime_sec * USEC_PER_SEC;
	char text[PREFIX_STRLEN];
	struct ban *ban;
	bool is_new, counts;

	make_room(g);
	ban = bans_put(g->bans, j->jail->id, p, &is_new);
	if (ban == NULL) {
		g->losses.no_memory++;
		return NULL;
	}
	counts = is_new || ban->origin == ORIGIN_KERNEL;
	/* Prolonged, never shortened by a log line; by hand it is as the owner says. */
	if (!is_new && origin == ORIGIN_LOG && until_us != 0 &&
		(ban->until_us == 0 || ban->until_us > until_us))
		until_us = ban->until_us;
	if (counts) {
		ban->since_us = now_us;
		ban->origin = (uint8_t)origin;
		j->bans++;
		j->totals_dirty = true;
	}
	ban->failures += failures;
	bans_set_until(g->bans, ban, until_us);
	bans_touch(g->bans, ban);
	queue(g, ban, !is_new);
	j->has_last_ban = true;
	j->last_ban = *p;
	j->last_ban_us = clock_wall_us();
	if (origin == ORIGIN_LOG && ban->evidence == NULL)
		keep_evidence(g, ban, failures);
	/* fail2ban's words, so that what reads its log reads ours. */
	log_at(ban_level(g, j), "[%s] %s%s%s", j->jail->name, counts ? "Ban " : "Prolong ban of ",
		prefix_format(p, text), unenforced(g, j));
	return ban;
}

void verdict_unban(struct guard *g, struct ban *ban)
{
	struct msg_ban m = {.prefix = ban->prefix, .jail = ban->jail};
	struct jail_state *j = &g->jails[ban->jail];
	char text[PREFIX_STRLEN];

	/* What was decided before must reach the kernel before. */
	verdict_send(g);
	channel_send(g->keeper, MSG_UNBAN, &m, sizeof(m), -1);
	if (ban->prefix.len == 128)
		track_forget(g->track, ban->jail, &ban->prefix.addr);
	log_notice("[%s] Unban %s", j->jail->name, prefix_format(&ban->prefix, text));
	bans_end(g->bans, ban, clock_mono_us());
}

void verdict_expire(struct guard *g)
{
	int64_t now_us = clock_mono_us();
	char text[PREFIX_STRLEN];
	struct ban *ban;

	/* The kernel lets them out by its own clock; here it is only noted. */
	while ((ban = bans_first_end(g->bans)) != NULL && ban->until_us <= now_us) {
		log_notice("[%s] Unban %s", g->jails[ban->jail].jail->name,
			prefix_format(&ban->prefix, text));
		bans_end(g->bans, ban, ban->until_us);
	}
}

static void on_expiry(evutil_socket_t fd, short what, void *arg)
{
	struct guard *g = arg;

	(void)fd;
	(void)what;
	verdict_expire(g);
	guard_turn_end(g);
}

void verdict_plan_expiry(struct guard *g)
{
	struct ban *first = bans_first_end(g->bans);
	struct timeval tv = {0};
	int64_t left_us;

	if (first == NULL) {
		evtimer_del(g->expiry);
		return;
	}
	left_us = first->until_us - clock_mono_us();
	if (left_us < 1000)
		left_us = 1000;
	tv.tv_sec = left_us / USEC_PER_SEC;
	tv.tv_usec = left_us % USEC_PER_SEC;
	evtimer_add(g->expiry, &tv);
}

int verdict_init(struct guard *g)
{
	g->expiry = evtimer_new(g->base, on_expiry, g);
	return g->expiry == NULL ? -ENOMEM : 0;
}

void verdict_done(struct guard *g)
{
	if (g->expiry != NULL)
		event_free(g->expiry);
	free(g->own);
}
