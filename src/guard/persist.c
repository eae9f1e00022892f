/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What guard keeps across restarts: read, written, and caught up when the disk was in the way. */
#include "guard/internal.h"

#include "base/clock.h"

#include <errno.h>
#include <string.h>

#define SAVE_AFTER_US 250000 /* after the first change */
#define PURGE_ROUNDS 20      /* at a start */
#define PURGE_EVERY_US (600 * USEC_PER_SEC)
#define RETRY_AFTER_US 5000000 /* when the disk would not take it */

int64_t to_wall(int64_t mono_us)
{
	return mono_us + (clock_wall_us() - clock_mono_us());
}

static int64_t to_mono(int64_t wall_us)
{
	return wall_us - (clock_wall_us() - clock_mono_us());
}

static const char *const origin_names[] = {
	[ORIGIN_LOG] = "log",
	[ORIGIN_MANUAL] = "manual",
	[ORIGIN_KERNEL] = "kernel",
};

const char *origin_name(enum origin o)
{
	return (size_t)o < ARRAY_SIZE(origin_names) ? origin_names[o] : "unknown";
}

static enum origin origin_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(origin_names); i++)
		if (name != NULL && strcmp(name, origin_names[i]) == 0)
			return (enum origin)i;
	return ORIGIN_LOG;
}

static struct jail_state *jail_named(struct guard *g, const char *name)
{
	const struct jail *j = ruleset_jail(g->rs, name);

	return j != NULL ? &g->jails[j->id] : NULL;
}

/* The rule of that title, if the jail still has it. */
static const char *rule_titled(const struct jail *j, const char *title)
{
	const struct filter_def *filter = j->filter;

	for (size_t i = 0; title != NULL && filter->heads != NULL && i < filter->n_failregex; i++)
		if (strcmp(filter->heads[i]->title, title) == 0)
			return filter->heads[i]->title;
	return NULL;
}

static void load_ban(void *arg, const struct store_ban *row)
{
	struct guard *g = arg;
	struct jail_state *j = jail_named(g, row->jail);
	struct ban *ban;
	bool is_new;

	if (j == NULL)
		return; /* its jail is gone, and with it the kernel's set */
	ban = bans_put(g->bans, j->jail->id, &row->prefix, &is_new);
	if (ban == NULL) {
		g->losses.no_memory++;
		return;
	}
	ban->since_us = to_mono(row->since_us);
	ban->failures = row->failures;
	ban->origin = (uint8_t)origin_of(row->origin);
	ban->rule = rule_titled(j->jail, row->rule);
	bans_set_until(g->bans, ban, row->until_us == 0 ? 0 : to_mono(row->until_us));
	if (!j->has_last_ban || row->since_us > j->last_ban_us) {
		j->has_last_ban = true;
		j->last_ban = row->prefix;
		j->last_ban_us = row->since_us;
	}
}

static void load_position(void *arg, const struct store_position *row)
{
	if (row->path[0] == '/')
		resume_remember(arg, row);
	else
		journal_remember(arg, row);
}

static void load_total(void *arg, const struct store_total *row)
{
	struct jail_state *j = jail_named(arg, row->jail);

	if (j == NULL)
		return;
	j->failures = row->failures;
	j->bans = row->bans;
}

/* A ban that waited for an answer when guard left: counted, not banned, and asked about again. */
static void wait_again(struct guard *g, struct jail_state *j, const struct addr *a)
{
	const struct failure f = {.who = {.addr = *a, .len = 128}};
	unsigned n = track_count(
		g->track, j->jail->id, a, clock_wall_us() / USEC_PER_SEC, j->jail->findtime_sec);

	if (n >= j->jail->maxretry)
		pending_wait(g, j, &f, n);
}

static void load_failures(void *arg, uint32_t place, const char *jail, const struct track_entry *e)
{
	struct guard *g = arg;
	struct jail_state *j = jail_named(g, jail);
	int64_t now_sec = clock_wall_us() / USEC_PER_SEC;
	struct track_entry here = *e;
	unsigned failures = 0;

	/* What has run out, or has no jail any more, leaves its place. */
	if (j == NULL || e->sec[e->n - 1] <= now_sec - j->jail->findtime_sec) {
		here.n = 0;
		track_restore(g->track, place, &here);
		return;
	}
	here.jail = (uint16_t)j->jail->id;
	track_restore(g->track, place, &here);
	for (unsigned i = 0; i < e->n; i++)
		failures += e->count[i];
	if (failures >= j->jail->maxretry)
		wait_again(g, j, &e->addr);
}

static void load_sessions(void *arg, const char *jail, const void *data, size_t len)
{
	struct guard *g = arg;
	struct jail_state *j = jail_named(g, jail);

	if (j != NULL && filter_load(j->filter, data, len) < 0)
		log_warning("[%s] the saved sessions make no sense: they are left out", jail);
}

struct saving {
	struct guard *g;
	struct store *s;
};

/* One row that the store cannot hold (a path too long) must not keep all others from being saved.
 */
static int unless_unfit(struct guard *g, int r)
{
	if (r != -EINVAL)
		return r;
	g->losses.unsaved++;
	return 0;
}

static int save_end(void *arg, const struct ban_end *e)
{
	const struct saving *s = arg;

	return unless_unfit(s->g, store_end_ban(s->s, s->g->jails[e->jail].jail->name, &e->prefix,
					  e->at_us == 0 ? clock_wall_us() : to_wall(e->at_us)));
}

static int save_ban(void *arg, struct ban *ban)
{
	const struct saving *s = arg;
	struct store_ban row = {
		.jail = s->g->jails[ban->jail].jail->name,
		.prefix = ban->prefix,
		.since_us = to_wall(ban->since_us),
		.until_us = ban->until_us == 0 ? 0 : to_wall(ban->until_us),
		.failures = ban->failures,
		.origin = origin_name((enum origin)ban->origin),
		.rule = ban->rule,
		.evidence = ban->evidence,
	};

	return unless_unfit(s->g, store_put_ban(s->s, &row));
}

static int save_failures(void *arg, uint32_t page, const struct track_entry *e, size_t n)
{
	const struct saving *s = arg;
	const char *jails[TRACK_PAGE];

	for (size_t i = 0; i < n; i++)
		jails[i] = s->g->jails[e[i].jail].jail->name;
	return unless_unfit(s->g, store_put_failures(s->s, page, jails, e, n));
}

static int put_position(struct guard *g, const struct store_position *row)
{
	return unless_unfit(g, store_put_position(g->store, row));
}

static int save_positions(struct guard *g)
{
	for (const struct dropped_key *d = g->dropped; d != NULL; d = d->next) {
		int r = unless_unfit(g, store_drop_position(g->store, d->key));

		if (r < 0)
			return r;
	}
	for (struct file *f = g->files; f != NULL; f = f->next) {
		_cleanup_free_ char *key = NULL;
		struct store_position p;
		int r;

		if (!f->dirty || f->asking)
			continue;
		key = file_key(f);
		if (key == NULL)
			return -ENOMEM;
		p = (struct store_position) {
			.path = key,
			.dev = f->tail.dev,
			.inode = f->tail.ino,
			.offset = f->tail.offset,
			.head_hash = f->tail.head_hash,
			.head_len = f->tail.head_len,
		};
		r = put_position(g, &p);
		if (r < 0)
			return r;
	}
	return 0;
}

static int save_totals(struct guard *g)
{
	for (size_t i = 0; i < g->rs->n_jails; i++) {
		struct jail_state *j = &g->jails[i];
		struct store_total t = {
			.jail = j->jail->name, .failures = j->failures, .bans = j->bans};
		int r;

		if (!j->totals_dirty)
			continue;
		r = unless_unfit(g, store_put_total(g->store, &t));
		if (r < 0)
			return r;
	}
	return 0;
}

/*
 * Sessions go to disk when guard leaves, for the next one; the first save after that takes them
 * out again, with the read positions that they belong to.
 */
static int save_sessions(struct guard *g)
{
	int r = g->leaving || !g->sessions_dropped ? store_drop_sessions(g->store) : 0;

	for (size_t i = 0; r == 0 && g->leaving && i < g->rs->n_jails; i++) {
		struct buf data = {0};

		r = filter_save(g->jails[i].filter, &data);
		if (r == 0 && data.len > 0)
			r = unless_unfit(g, store_put_sessions(g->store, g->jails[i].jail->name,
						    data.data, data.len));
		buf_done(&data);
	}
	return r;
}

static int save_all(struct guard *g)
{
	struct saving s = {g, g->store};
	int r = store_begin(g->store);

	if (r < 0)
		return r;
	/* Ends first: an address may have been banned anew since. */
	r = bans_each_end(g->bans, save_end, &s);
	if (r == 0)
		r = bans_each_dirty(g->bans, save_ban, &s);
	if (r == 0)
		r = save_positions(g);
	if (r == 0)
		r = journal_save(g, put_position);
	if (r == 0)
		r = save_totals(g);
	if (r == 0)
		r = save_sessions(g);
	if (r == 0)
		r = track_flush(g->track, save_failures, &s);
	if (r < 0) {
		store_rollback(g->store);
		track_unflush(g->track);
		return r;
	}
	r = store_commit(g->store);
	if (r < 0)
		track_unflush(g->track);
	return r;
}

/* Everything is on disk: what was marked is clean. */
static void mark_clean(struct guard *g)
{
	struct dropped_key *next;

	bans_saved(g->bans);
	g->sessions_dropped = true;
	for (struct dropped_key *d = g->dropped; d != NULL; d = next) {
		next = d->next;
		free(d->key);
		free(d);
	}
	g->dropped = NULL;
	for (struct file *f = g->files; f != NULL; f = f->next)
		f->dirty = f->dirty && f->asking;
	for (size_t i = 0; i < g->rs->n_jails; i++)
		g->jails[i].totals_dirty = false;
	journal_saved(g);
}

/* A database made anew knows nothing yet: all we know is to be written. */
static void mark_all(struct guard *g)
{
	bans_touch_all(g->bans);
	track_flush_all(g->track);
	for (struct file *f = g->files; f != NULL; f = f->next)
		f->dirty = true;
	for (size_t i = 0; i < g->rs->n_jails; i++)
		g->jails[i].totals_dirty = true;
	journal_touch(g);
}

static void tell_trouble(struct guard *g)
{
	const char *trouble = store_trouble(g->store);

	if (strcmp(trouble, g->trouble_told) == 0)
		return;
	if (trouble[0] != '\0')
		log_error("the state cannot be saved: %s; enforcing goes on, it is tried again",
			trouble);
	else
		log_notice("the state is saved again");
	snprintf(g->trouble_told, sizeof(g->trouble_told), "%s", trouble);
}

/* Forgets what is old, a bounded piece a round; once at the start, then beside a save now and then.
 */
static void purge(struct guard *g, int rounds)
{
	int64_t now_us = clock_wall_us();

	g->purged_us = clock_mono_us();
	for (int more = 1; more == 1 && rounds > 0; rounds--) {
		if (store_begin(g->store) < 0)
			return;
		more = store_purge(g->store, now_us - g->rs->purgeage_sec * USEC_PER_SEC);
		if (more < 0)
			store_rollback(g->store);
		else if (store_commit(g->store) < 0)
			return;
	}
}

int persist_now(struct guard *g)
{
	int64_t start_us = clock_mono_us();
	int r = 0;

	if (store_trouble(g->store)[0] != '\0') {
		r = store_retry(g->store);
		if (r > 0) {
			mark_all(g);
			r = 0;
		}
	}
	if (r == 0)
		r = save_all(g);
	if (r == 0)
		mark_clean(g);
	if (r == 0 && !g->leaving && clock_mono_us() - g->purged_us > PURGE_EVERY_US)
		purge(g, 1);
	tell_trouble(g);
	g->save_cost_us = clock_mono_us() - start_us;
	return r;
}

static bool is_dirty(const struct guard *g)
{
	if (journal_is_dirty(g))
		return true;
	if (bans_is_dirty(g->bans) || track_is_dirty(g->track) || g->dropped != NULL)
		return true;
	for (const struct file *f = g->files; f != NULL; f = f->next)
		if (f->dirty && !f->asking)
			return true;
	for (size_t i = 0; i < g->rs->n_jails; i++)
		if (g->jails[i].totals_dirty)
			return true;
	return false;
}

static void plan(struct guard *g, int64_t after_us)
{
	struct timeval tv = {.tv_sec = after_us / USEC_PER_SEC, .tv_usec = after_us % USEC_PER_SEC};

	if (!evtimer_pending(g->save, NULL))
		evtimer_add(g->save, &tv);
}

static void on_save(evutil_socket_t fd, short what, void *arg)
{
	struct guard *g = arg;

	(void)fd;
	(void)what;
	if (persist_now(g) < 0)
		plan(g, RETRY_AFTER_US);
	guard_turn_end(g);
}

void persist_plan(struct guard *g)
{
	/* A save that takes long comes less often, so that it never takes most of the time. */
	int64_t after_us = g->save_cost_us * 4;

	if (!evtimer_pending(g->save, NULL) && is_dirty(g))
		plan(g, after_us > SAVE_AFTER_US ? after_us : SAVE_AFTER_US);
}

static int load(struct guard *g)
{
	int r = store_load_bans(g->store, clock_wall_us(), load_ban, g);

	if (r == 0)
		r = store_load_positions(g->store, load_position, g);
	if (r == 0)
		r = store_load_totals(g->store, load_total, g);
	if (r == 0)
		r = store_load_failures(g->store, load_failures, g);
	if (r == 0)
		r = store_load_sessions(g->store, load_sessions, g);
	return r;
}

int persist_init(struct guard *g)
{
	bool moved = false;
	/* What a dry run decides must not be enforced by the next real one. */
	const char *name = g->o->dry_run ? "dry-run.db" : "stockade.db";
	int r = store_open(&g->store, ".", name, &moved);

	/* Made by a newer version: left alone, and memory has to do; tell_trouble says so. */
	if (r < 0 && r != -EPROTO) {
		log_error(
			"%s/%s: cannot open the database: %s", g->o->statedir, name, strerror(-r));
		return r;
	}
	if (moved)
		log_error("%s/%s was corrupt: moved aside, made anew from what the kernel holds",
			g->o->statedir, name);
	g->save = evtimer_new(g->base, on_save, g);
	if (g->save == NULL)
		return -ENOMEM;
	purge(g, PURGE_ROUNDS);
	r = load(g);
	if (r < 0)
		log_error("%s/%s: cannot be read whole: %s", g->o->statedir, name, strerror(-r));
	tell_trouble(g);
	return 0;
}

void persist_done(struct guard *g)
{
	struct dropped_key *next;

	for (struct dropped_key *d = g->dropped; d != NULL; d = next) {
		next = d->next;
		free(d->key);
		free(d);
	}
	if (g->save != NULL)
		event_free(g->save);
	store_close(g->store);
}
