/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "replay/court.h"

#include "base/clock.h"
#include "guard/bans.h"
#include "guard/countries.h"
#include "guard/policy.h"
#include "track/track.h"

#include <stdlib.h>

/* Times of several logs, or of one, may run back a little: so long an ended ban is remembered. */
#define SLACK_US (120 * USEC_PER_SEC)
#define PURGE_EVERY 256

struct court {
	const struct ruleset *rs;
	const struct addr *own;
	size_t n_own;
	struct prefixset own_set; /* the same */
	const struct countries *countries;
	court_fn *fn;
	void *arg;
	struct track *track;
	struct bans *bans;
	int64_t newest_us; /* of the failures */
	struct court_sums sums;
};

struct court *court_new(
	const struct ruleset *rs, const struct addr *own, size_t n_own, court_fn *fn, void *arg)
{
	struct court *c = calloc(1, sizeof(*c));
	bool is_set = true;

	if (c == NULL)
		return NULL;
	*c = (struct court) {
		.rs = rs, .own = own, .n_own = n_own, .fn = fn, .arg = arg, .newest_us = INT64_MIN};
	c->track = track_new(track_room(rs->memory));
	c->bans = bans_new();
	for (size_t i = 0; i < n_own; i++) {
		const struct prefix p = prefix_of(&own[i], 128);

		is_set &= prefixset_add(&c->own_set, &p) == 0;
	}
	if (c->track == NULL || c->bans == NULL || !is_set) {
		court_free(c);
		return NULL;
	}
	return c;
}

void court_free(struct court *c)
{
	if (c == NULL)
		return;
	track_free(c->track);
	bans_free(c->bans);
	prefixset_done(&c->own_set);
	free(c);
}

void court_set_countries(struct court *c, const struct countries *countries)
{
	c->countries = countries;
}

static bool is_ignored(const struct court *c, const struct jail *j, const struct prefix *p)
{
	char code[3];

	return prefixset_overlaps(&c->rs->allow, p) || prefixset_overlaps(&j->ignoreip, p) ||
	       (j->ignoreself && prefixset_overlaps(&c->own_set, p)) ||
	       countries_ignored(c->countries, j, &p->addr, code);
}

static void end_ban(struct court *c, struct ban *ban)
{
	bans_end(c->bans, ban, ban->until_us);
	/* Nothing is written anywhere: there is no list of ends to keep. */
	bans_saved(c->bans);
}

static void purge(struct court *c)
{
	struct ban *ban;

	while ((ban = bans_first_end(c->bans)) != NULL && ban->until_us <= c->newest_us - SLACK_US)
		end_ban(c, ban);
}

/* Is who did that banned at that time? */
static bool is_banned(struct court *c, const struct court_failure *f)
{
	struct ban *ban = f->who.len == 128 ? bans_covering(c->bans, f->jail, &f->who.addr)
					    : bans_find(c->bans, f->jail, &f->who);

	if (ban == NULL)
		return false;
	if (ban->until_us == 0 || f->time_us < ban->until_us)
		return true;
	end_ban(c, ban);
	return is_banned(c, f);
}

static void make_room(struct court *c)
{
	struct ban *first = bans_first_end(c->bans);

	if (bans_count(c->bans) < c->rs->maxbans || first == NULL)
		return;
	c->sums.cut += first->until_us > c->newest_us;
	end_ban(c, first);
}

static void make_ban(struct court *c, const struct court_failure *f, unsigned failures)
{
	const struct jail *j = &c->rs->jails[f->jail];
	int64_t sec = ruleset_bantime_sec(j, f->rule);
	struct court_ban made = {
		.jail = j,
		.who = f->who,
		.since_us = f->time_us,
		.until_us = sec < 0 ? COURT_FOREVER : f->time_us + sec * USEC_PER_SEC,
		.failures = failures,
		.rule = f->rule != NULL ? f->rule->title : NULL,
	};
	struct ban *ban;
	bool is_new;

	track_forget(c->track, f->jail, &f->who.addr);
	make_room(c);
	ban = bans_put(c->bans, f->jail, &f->who, &is_new);
	if (ban == NULL)
		c->sums.no_memory++;
	else
		bans_set_until(c->bans, ban, sec < 0 ? 0 : made.until_us);
	c->sums.bans++;
	c->fn(c->arg, &made);
}

void court_failure(struct court *c, const struct court_failure *f)
{
	const struct jail *j = &c->rs->jails[f->jail];
	unsigned n;

	if (f->time_us > c->newest_us)
		c->newest_us = f->time_us;
	if (is_ignored(c, j, &f->who)) {
		c->sums.ignored++;
		return;
	}
	if (f->who.len < 128 && policy_check(c->rs, c->own, c->n_own, f->jail, &f->who) != 0) {
		c->sums.refused++;
		return;
	}
	if (is_banned(c, f)) {
		c->sums.banned++;
		return;
	}
	c->sums.failures += f->count;
	n = track_hit(c->track, f->jail, &f->who.addr, f->time_us / USEC_PER_SEC, f->count,
		j->findtime_sec, j->maxretry);
	if (n >= j->maxretry)
		make_ban(c, f, n);
	if (c->sums.failures % PURGE_EVERY == 0)
		purge(c);
}

void court_get_sums(const struct court *c, struct court_sums *ret)
{
	struct track_stats stats;

	track_get_stats(c->track, &stats);
	*ret = c->sums;
	ret->evicted = stats.evicted;
}
