/* SPDX-License-Identifier: GPL-2.0-or-later */
/* feed ▶ lane (and crew) ▶ merge ▶ judge ▶ court. */
#include "replay/replay.h"

#include "base/clock.h"
#include "match/search.h"
#include "match/sieve.h"
#include "replay/logins.h"
#include "replay/merge.h"
#include "source/container.h"
#include "source/syslog_wanted.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CHUNKS_A_THREAD 4               /* under way */
#define NOTES_MAX (UINT64_C(512) << 20) /* bytes, of what was found in all of those */
#define A_BYTE_MAX 64

/* What judges lines, and where in a lane it finds their dates. */
struct reader {
	struct filter *filter;
	const struct jail *jail; /* NULL: it looks for logins */
	size_t plan;
	size_t dates;
};

struct replay {
	const struct replay_conf *conf;
	struct reader *readers;
	size_t n_readers;
	struct filter *logins; /* or NULL */
	const struct date_patterns **patterns;
	const struct jail **dated_by; /* whose they are */
	struct date_patterns *default_dates;
	struct batch_filter *filters; /* the readers' */
	struct sieve *sieve;
	struct batch_plan plan;
	struct lane_conf lane_conf;
	struct slots slots;
	struct lane *lanes; /* one a path */
	struct merge merge;
	bool no_memory; /* a finding could not be kept */
	struct court *courts[REPLAY_PLANS_MAX];
	struct replay_progress progress;
	struct replay_sums sums;
};

/* Plans have their own patterns, also where they say the same; a line is dated once by each. */
static bool same_dates(const struct jail *a, const struct jail *b)
{
	return conf_text_same(&a->filter->datepattern, &b->filter->datepattern) &&
	       conf_text_same(&a->logtimezone, &b->logtimezone);
}

static size_t add_patterns(
	struct replay *r, const struct date_patterns *patterns, const struct jail *jail)
{
	size_t i = 0;

	while (i < r->plan.n_dates && !same_dates(r->dated_by[i], jail))
		i++;
	if (i == r->plan.n_dates) {
		r->patterns[i] = patterns;
		r->dated_by[i] = jail;
		r->plan.n_dates++;
	}
	return i;
}

static const struct charset *charset_of_jails(const struct plan *p)
{
	for (size_t i = 0; i < p->patterns.n_encodings; i++)
		if (p->patterns.encodings[i].charset != NULL)
			return p->patterns.encodings[i].charset;
	return NULL;
}

static void add_plan(struct replay *r, size_t plan)
{
	const struct plan *p = r->conf->plans[plan];

	for (size_t i = 0; i < p->rs->n_jails; i++) {
		const struct jail *j = &p->rs->jails[i];

		r->readers[r->n_readers++] =
			(struct reader) {p->filters[i], j, plan, add_patterns(r, p->dates[i], j)};
		r->lane_conf.feed.as_is |= container_is_meant(j->filter);
	}
	if (r->lane_conf.feed.charset == NULL)
		r->lane_conf.feed.charset = charset_of_jails(p);
}

static int add_logins(struct replay *r)
{
	static const struct filter_def plain = {.maxlines = 1};
	static const struct jail jail = {.filter = &plain};
	struct faults faults = {0};
	int e = logins_new(&r->logins);

	if (e == 0 && date_patterns_new(&r->default_dates, &plain.datepattern, NULL, &faults) < 0)
		e = -ENOMEM;
	faults_done(&faults);
	if (e == 0)
		r->readers[r->n_readers++] = (struct reader) {
			.filter = r->logins, .dates = add_patterns(r, r->default_dates, &jail)};
	return e;
}

static int add_readers(struct replay *r)
{
	const struct replay_conf *conf = r->conf;
	size_t n = 1;
	int e = 0;

	for (size_t i = 0; i < conf->n_plans; i++)
		n += conf->plans[i]->rs->n_jails;
	r->readers = calloc(n, sizeof(*r->readers));
	r->patterns = calloc(n, sizeof(*r->patterns));
	r->dated_by = calloc(n, sizeof(*r->dated_by));
	if (r->readers == NULL || r->patterns == NULL || r->dated_by == NULL)
		return -ENOMEM;
	r->lane_conf = (struct lane_conf) {
		.feed.charset = conf->charset,
		.plan = &r->plan,
		.patterns = r->patterns,
		.slots = &r->slots,
		.now_us = conf->now_us,
	};
	for (size_t i = 0; i < conf->n_plans; i++) {
		r->courts[i] = court_new(
			conf->plans[i]->rs, conf->own, conf->n_own, conf->on_ban[i], conf->arg);
		if (r->courts[i] == NULL)
			return -ENOMEM;
		court_set_countries(r->courts[i], conf->plans[i]->countries);
		add_plan(r, i);
	}
	if (conf->on_login != NULL)
		e = add_logins(r);
	return e;
}

/* What is looked for, by all threads. */
static int make_plan(struct replay *r)
{
	const struct filter **list = calloc(r->n_readers + 1, sizeof(*list));
	/* Who is alone does best with what is still in the processor's cache. */
	size_t slots = r->conf->threads > 1 ? CHUNKS_A_THREAD * r->conf->threads : 1;
	uint64_t a_byte = NOTES_MAX / (slots * FEED_CHUNK);
	int e = 0;

	r->filters = calloc(r->n_readers + 1, sizeof(*r->filters));
	r->lane_conf.search = search_new();
	if (list == NULL || r->filters == NULL || r->lane_conf.search == NULL)
		e = -ENOMEM;
	for (size_t i = 0; e == 0 && i < r->n_readers; i++) {
		list[i] = r->readers[i].filter;
		r->filters[i] = (struct batch_filter) {list[i], (unsigned)r->readers[i].dates};
		e = search_fit(r->lane_conf.search, list[i]);
	}
	if (e == 0)
		e = sieve_new(&r->sieve, list, r->n_readers, NULL);
	if (e == 0 && (r->lane_conf.scan = sieve_scan_new(r->sieve)) == NULL)
		e = -ENOMEM;
	/* More filters than a sieve is made for are all asked about each line. */
	e = e == -E2BIG ? 0 : e;
	free(list);
	r->plan.filters = r->filters;
	r->plan.n_filters = r->n_readers;
	r->plan.sieve = r->sieve;
	r->plan.line_max = TAIL_LINE_MAX;
	r->plan.a_byte = (unsigned)(a_byte < A_BYTE_MAX ? a_byte : A_BYTE_MAX);
	if (e == 0)
		e = crew_new(&r->lane_conf.crew, &r->plan, r->conf->threads);
	slots_init(&r->slots, r->plan.n_dates, slots);
	return e;
}

static int trouble(struct replay *r, const char *path, int error, const char *unfit, uint64_t lines)
{
	if (error == -ENOMEM)
		return error;
	r->sums.troubles++;
	r->conf->on_trouble(r->conf->arg, path, error, unfit, lines);
	return 0;
}

static void add_lane_sums(struct lane_sums *to, const struct lane_sums *l)
{
	to->lines += l->lines;
	to->long_lines += l->long_lines;
	to->torn += l->torn;
	to->undated += l->undated;
	to->ahead += l->ahead;
	to->limit_hits += l->limit_hits;
	to->no_memory += l->no_memory;
}

static void take_login(struct replay *r, const struct match *m)
{
	const struct match_field *user = NULL;

	for (size_t i = 0; i < m->n_fields; i++)
		if (strcmp(m->fields[i].name, "user") == 0)
			user = &m->fields[i];
	if (m->has_addr)
		r->conf->on_login(r->conf->arg, &m->addr, user != NULL ? user->value : NULL,
			user != NULL ? user->len : 0);
}

static void take_match(
	struct replay *r, const struct reader *reader, const struct match *m, int64_t at_us)
{
	struct court_failure f = {.time_us = at_us, .count = m->count};
	struct replay_plan_sums *sums = &r->sums.plans[reader->plan];

	sums->matches++;
	f.jail = reader->jail->id;
	if (reader->jail->filter->heads != NULL)
		f.rule = reader->jail->filter->heads[m->regex];
	if (m->has_addr) {
		f.who = prefix_of(&m->addr, m->prefix_len);
		court_failure(r->courts[reader->plan], &f);
	} else if (m->is_name && reader->jail->usedns != USEDNS_RAW) {
		sums->names++;
	} else if (m->host != NULL) {
		sums->ids++;
	}
}

/* What was found, with what is known of its session. */
static void judge(struct replay *r, size_t reader, struct found *found, int64_t at_us)
{
	const struct reader *by = &r->readers[reader];
	struct match m;

	if (filter_conclude(by->filter, found, at_us, &m) != VERDICT_MATCH)
		return;
	if (by->jail == NULL) {
		filter_tell(by->filter, found, &m);
		take_login(r, &m);
	} else {
		take_match(r, by, &m, at_us);
	}
}

/*
 * A jail that reads syslog alone may want but some of what a syslog daemon has written to a log.
 * One that reads texts alone is given the log that its program writes itself.
 */
static bool is_wanted(const struct jail *j, const char *line, size_t len)
{
	return j == NULL || j->sources != SOURCE_SYSLOG || j->syslog.text_only ||
	       !syslog_has_conditions(&j->syslog) || syslog_line_is_wanted(&j->syslog, line, len);
}

/* What other logs may come before with something has to wait. */
static void on_found(void *arg, struct lane *l, size_t reader, struct found *found, int64_t at_us,
	const char *line, size_t len)
{
	struct replay *r = arg;

	if (!is_wanted(r->readers[reader].jail, line, len))
		return;
	if (l->place_us < r->merge.until_us && findings_first(&l->waiting) == NULL)
		judge(r, reader, found, at_us);
	else if (findings_add(&l->waiting, reader, found, at_us, l->place_us) < 0)
		r->no_memory = true;
}

static int add_lanes(struct replay *r)
{
	size_t n = r->conf->n_paths;
	bool is_known = true;

	r->lanes = calloc(n + 1, sizeof(*r->lanes));
	r->merge.lanes = calloc(n + 1, sizeof(*r->merge.lanes));
	if (r->lanes == NULL || r->merge.lanes == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		struct lane *l = &r->lanes[i];
		const char *unfit = NULL;
		int e = lane_open(l, r->conf->paths[i], &r->lane_conf, &unfit);

		if (e < 0) {
			e = trouble(r, r->conf->paths[i], e, unfit, 0);
		} else {
			is_known &= l->is_file;
			r->progress.total += l->size;
			r->progress.done += lane_taken(l);
			r->merge.lanes[r->merge.n++] = l;
			l->on_found = on_found;
			l->arg = r;
		}
		if (e < 0)
			return e;
	}
	if (!is_known)
		r->progress.total = 0;
	return 0;
}

/* The lane reads on, or ends. 1, 0 or -ENOMEM. */
static int read_on(struct replay *r, struct lane *l)
{
	uint64_t taken = lane_taken(l), lines = l->sums.lines;
	int e = lane_read(l);

	if (r->no_memory)
		e = -ENOMEM;
	r->progress.done += lane_taken(l) - taken;
	r->progress.lines += l->sums.lines - lines;
	if (e > 0)
		return 1;
	add_lane_sums(&r->sums.lanes, &l->sums);
	if (e < 0)
		e = trouble(r, l->path, e, l->unfit, l->sums.lines);
	lane_done(l);
	return e;
}

static int play(struct replay *r)
{
	struct lane *l;
	int e;

	while ((l = merge_next(&r->merge)) != NULL) {
		const struct finding *first = findings_first(&l->waiting);
		struct found found;

		if (first != NULL) {
			findings_take(&l->waiting, &found);
			judge(r, first->filter, &found, first->at_us);
			continue;
		}
		e = read_on(r, l);
		if (e < 0)
			return e;
		if (e == 0)
			merge_drop(&r->merge);
		if (!r->conf->on_progress(r->conf->arg, &r->progress))
			return 0;
	}
	return 0;
}

static void add_up(struct replay *r)
{
	/* Of those that were not played to their end. */
	for (size_t i = 0; r->lanes != NULL && i < r->conf->n_paths; i++)
		add_lane_sums(&r->sums.lanes, &r->lanes[i].sums);
	for (size_t i = 0; i < r->conf->n_plans; i++)
		if (r->courts[i] != NULL)
			court_get_sums(r->courts[i], &r->sums.plans[i].court);
	for (size_t i = 0; i < r->n_readers; i++)
		r->sums.sessions_lost += filter_stats(r->readers[i].filter)->sessions_lost;
	r->sums.lanes.limit_hits += date_stats()->limit_hits;
	r->sums.lanes.no_memory += date_stats()->no_memory;
}

static void done(struct replay *r)
{
	for (size_t i = 0; r->lanes != NULL && i < r->conf->n_paths; i++)
		lane_done(&r->lanes[i]);
	slots_done(&r->slots);
	crew_free(r->lane_conf.crew);
	search_free(r->lane_conf.search);
	sieve_scan_free(r->lane_conf.scan);
	sieve_free(r->sieve);
	for (size_t i = 0; i < r->conf->n_plans; i++)
		court_free(r->courts[i]);
	filter_free(r->logins);
	date_patterns_free(r->default_dates);
	free(r->lanes);
	free(r->merge.lanes);
	free(r->filters);
	free(r->readers);
	free(r->patterns);
	free(r->dated_by);
}

int replay_run(const struct replay_conf *conf, struct replay_sums *ret)
{
	struct replay r = {.conf = conf};
	int e = add_readers(&r);

	if (e == 0)
		e = make_plan(&r);
	if (e == 0)
		e = add_lanes(&r);
	if (e == 0)
		e = play(&r);
	add_up(&r);
	done(&r);
	*ret = r.sums;
	return e;
}
