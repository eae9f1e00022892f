/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/filter_priv.h"
#include "match/pattern.h"
#include "match/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int init_failregex(
	struct filter *fl, const struct filter_def *def, unsigned flags, struct faults *f)
{
	int r = 0;

	fl->fail = arena_array(fl->arena, def->n_failregex, sizeof(*fl->fail));
	for (size_t i = 0; i < def->n_failregex; i++) {
		struct rule *rule;

		if (rule_new(&rule, fl->arena, &fl->names,
			    def->heads != NULL ? "rule" : "failregex", &def->failregex[i], flags,
			    f) < 0) {
			r = -EINVAL;
			continue;
		}
		fl->fail[fl->n_fail++] = rule;
		fl->has_sessions |= rule_names_session(rule);
		if (!rule_names_host(rule) && (fl->pref == NULL || !rule_names_host(fl->pref))) {
			fault_add(f, FAULT_ERROR, def->failregex[i].where,
				"failregex: nothing in it says who it was; put <HOST>, <ADDR> or "
				"<F-ID>...</F-ID> where the address stands");
			r = -EINVAL;
		}
	}
	if (def->n_failregex == 0)
		fault_add(f, FAULT_WARNING, (struct where) {NULL, 0},
			"filter %s has no failregex: nothing will ever match", def->name);
	return r;
}

static int init_rules(struct filter *fl, const struct filter_def *def, struct faults *f)
{
	const char *usedns = def->usedns.text;
	unsigned flags = usedns != NULL && strcasecmp(usedns, "no") == 0 ? PATTERN_NO_NAMES : 0;
	int r = 0;

	if (def->prefregex.text != NULL) {
		r = rule_new(
			&fl->pref, fl->arena, &fl->names, "prefregex", &def->prefregex, flags, f);
		/* Judging the failregexes without it would only add faults that are none. */
		if (r < 0)
			return r;
	}
	fl->has_sessions = fl->pref != NULL && rule_names_session(fl->pref);
	r = init_failregex(fl, def, flags | (fl->maxlines > 1 ? PATTERN_MULTILINE : 0), f);
	fl->ignore = arena_array(fl->arena, def->n_ignoreregex, sizeof(*fl->ignore));
	for (size_t i = 0; i < def->n_ignoreregex; i++) {
		if (rule_new(&fl->ignore[fl->n_ignore], fl->arena, &fl->names, "ignoreregex",
			    &def->ignoreregex[i], flags, f) < 0)
			r = -EINVAL;
		else
			fl->n_ignore++;
	}
	return r;
}

int filter_new(struct filter **ret, const struct filter_def *def, struct faults *f)
{
	struct filter *fl = calloc(1, sizeof(*fl));
	int r = -EINVAL;

	if (fl != NULL) {
		fl->arena = arena_new();
		fl->search = search_new();
	}
	if (fl == NULL || fl->arena == NULL || fl->search == NULL) {
		fault_add(f, FAULT_ERROR, (struct where) {NULL, 0}, "filter %s: out of memory",
			def->name);
	} else {
		fl->maxlines = def->maxlines > 0 ? def->maxlines : 1;
		field_names_init(&fl->names);
		r = init_rules(fl, def, f);
		if (r == 0 &&
			(search_fit(fl->search, fl) < 0 ||
				(fl->has_sessions && (fl->sessions = sessions_new()) == NULL))) {
			fault_add(f, FAULT_ERROR, (struct where) {NULL, 0},
				"filter %s: out of memory", def->name);
			r = -EINVAL;
		}
	}
	if (r < 0) {
		filter_free(fl);
		return -EINVAL;
	}
	if (fl->names.dropped)
		fault_add(f, FAULT_WARNING,
			def->n_failregex > 0 ? def->failregex[0].where : (struct where) {NULL, 0},
			"filter %s: more than %d different fields; those past that are dropped",
			def->name, FIELDS_MAX - FIELDS_KNOWN);
	*ret = fl;
	return 0;
}

int filter_new_like(struct filter **ret, const struct filter *first)
{
	struct filter *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return -ENOMEM;
	*f = (struct filter) {
		.names = first->names,
		.pref = first->pref,
		.fail = first->fail,
		.n_fail = first->n_fail,
		.ignore = first->ignore,
		.n_ignore = first->n_ignore,
		.maxlines = first->maxlines,
		.has_sessions = first->has_sessions,
		.search = search_new(),
	};
	if (f->search == NULL || search_fit(f->search, f) < 0 ||
		(f->has_sessions && (f->sessions = sessions_new()) == NULL)) {
		filter_free(f);
		return -ENOMEM;
	}
	*ret = f;
	return 0;
}

static void free_rules(struct filter *f)
{
	rule_free(f->pref);
	for (size_t i = 0; i < f->n_fail; i++)
		rule_free(f->fail[i]);
	for (size_t i = 0; i < f->n_ignore; i++)
		rule_free(f->ignore[i]);
}

void filter_free(struct filter *f)
{
	if (f == NULL)
		return;
	if (f->arena != NULL)
		free_rules(f);
	sessions_free(f->sessions);
	search_free(f->search);
	arena_free(f->arena);
	free(f);
}

const char *filter_looked_at(const struct filter *f, size_t *ret_len)
{
	struct span s = f->looked_at;

	while (s.len > 0 && s.text[s.len - 1] == '\n')
		s.len--;
	*ret_len = s.len;
	return s.text;
}

void filter_imitate(struct filter *f)
{
	if (f->has_sessions)
		sessions_imitate(f->sessions);
}

unsigned filter_maxlines(const struct filter *f)
{
	return f->maxlines;
}

bool filter_leaves_window(const struct filter *f)
{
	return f->pref == NULL;
}

static unsigned count_of(struct span s)
{
	unsigned n = 0;

	if (!span_given(s))
		return 1;
	for (size_t i = 0; i < s.len; i++) {
		if (s.text[i] < '0' || s.text[i] > '9')
			return 1;
		n = n * 10 + (unsigned)(s.text[i] - '0');
		if (n > MATCH_COUNT_MAX)
			return MATCH_COUNT_MAX;
	}
	return n > 0 ? n : 1;
}

/* cidr counts as the address is written, be it "::ffff:c000:201/120". */
static uint8_t prefix_len(bool is_ip4, struct span cidr)
{
	unsigned n = 0, max = is_ip4 ? 32 : 128;

	if (!span_given(cidr))
		return 128;
	for (size_t i = 0; i < cidr.len && n <= max; i++) {
		/* \d is a digit of any script. */
		if (cidr.text[i] < '0' || cidr.text[i] > '9')
			return 128;
		n = n * 10 + (unsigned)(cidr.text[i] - '0');
	}
	return (uint8_t)(n < max ? 128 - max + n : 128);
}

/* Whom the line means: the address, or an <F-ID> that is something else, or a name. */
static void find_host(const struct fields *f, struct match *m)
{
	struct span id = f->v[FIELD_ID], ip = f->v[FIELD_IP4], host;

	if (ip.text == NULL)
		ip = f->v[FIELD_IP6];
	host = ip.text != NULL ? ip : f->v[FIELD_DNS];
	m->has_addr = host.text != NULL && addr_parse(&m->addr, host.text, host.len) == 0;
	m->is_name = host.text != NULL && ip.text == NULL && !m->has_addr;
	m->prefix_len =
		m->has_addr ? prefix_len(f->v[FIELD_IP4].text != NULL, f->v[FIELD_CIDR]) : 128;
	if (id.text != NULL && (host.text == NULL || id.len != host.len ||
				       memcmp(id.text, host.text, id.len) != 0)) {
		struct addr addr;

		if (addr_parse(&addr, id.text, id.len) == 0) {
			m->addr = addr;
			m->has_addr = true;
			m->prefix_len = 128;
		} else {
			m->is_id = true;
		}
		m->is_name = false;
		host = id;
	}
	m->host = host.text;
	m->host_len = host.len;
}

static void tell_fields(const struct filter *f, const struct fields *fields, struct match *m)
{
	uint64_t set = fields->set & ~((UINT64_C(1) << FIELDS_HIDDEN) - 1);

	m->n_fields = 0;
	while (set != 0 && m->n_fields < MATCH_FIELDS_MAX) {
		size_t i = fields_next(&set);

		m->fields[m->n_fields++] = (struct match_field) {
			f->names.name[i], fields->v[i].text, fields->v[i].len};
	}
}

/* What the session that the line belongs to makes of it. */
static void join_session(struct filter *f, struct found *found, int64_t now_us, struct match *m)
{
	struct session_result s;

	sessions_merge(f->sessions, &found->fields, found->n_lines, now_us, &s);
	f->stats.sessions_lost = sessions_pushed_out(f->sessions);
	m->attempts = s.attempts;
	m->n_users = s.n_users;
	for (size_t i = 0; i < s.n_users; i++)
		m->users[i] = (struct match_field) {"users", s.users[i].text, s.users[i].len};
}

/* All but the lists, which are long. */
static void match_clear(struct match *m)
{
	m->has_addr = m->is_name = m->is_id = m->in_session = false;
	m->prefix_len = 128;
	m->host = NULL;
	m->host_len = 0;
	m->count = m->attempts = 1;
	m->regex = 0;
	m->n_fields = m->n_users = 0;
}

enum verdict filter_conclude(struct filter *f, struct found *found, int64_t now_us, struct match *m)
{
	struct span *v = found->fields.v;

	match_clear(m);
	m->regex = found->regex;
	if (found->verdict != VERDICT_MATCH)
		return found->verdict;
	/* One line's own: a session does not repeat it. */
	m->count = count_of(v[FIELD_COUNT]);
	fields_put(&found->fields, FIELD_COUNT, (struct span) {NULL, 0});
	m->attempts = found->n_lines;
	m->in_session = v[FIELD_MLFID].text != NULL;
	if (m->in_session)
		join_session(f, found, now_us, m);
	if (span_given(v[FIELD_NOFAIL]))
		return VERDICT_NOFAIL;
	find_host(&found->fields, m);
	if (m->host != NULL)
		return VERDICT_MATCH;
	if (m->in_session)
		sessions_pending(f->sessions);
	return VERDICT_NOFAIL;
}

void filter_tell(const struct filter *f, const struct found *found, struct match *m)
{
	if (m->host == NULL)
		find_host(&found->fields, m);
	tell_fields(f, &found->fields, m);
}

enum verdict filter_judge(struct filter *f, struct window *w, const char *text, size_t len,
	int64_t now_us, struct match *ret)
{
	struct found found;
	enum verdict v;

	found.verdict = VERDICT_MISS;
	found.looked_at = (struct span) {NULL, 0};
	if (search_begin(f->search, text, len, false))
		search_run(f->search, f, f->maxlines > 1 ? w : NULL, NULL, &found);
	search_take_stats(f->search, &f->stats);
	f->looked_at = found.looked_at;
	v = filter_conclude(f, &found, now_us, ret);
	if (v == VERDICT_NOFAIL || v == VERDICT_MATCH)
		filter_tell(f, &found, ret);
	return v;
}

int filter_save(const struct filter *f, struct buf *ret)
{
	return f->has_sessions ? sessions_save(f->sessions, &f->names, ret) : 0;
}

int filter_load(struct filter *f, const void *data, size_t len)
{
	return f->has_sessions ? sessions_load(f->sessions, &f->names, data, len) : 0;
}

const struct filter_stats *filter_stats(const struct filter *f)
{
	return &f->stats;
}

void filter_add_stats(struct filter *f, const struct filter_stats *more)
{
	f->stats.limit_hits += more->limit_hits;
	f->stats.jit_retries += more->jit_retries;
	f->stats.no_memory += more->no_memory;
}
