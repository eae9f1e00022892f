/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/filter.h"

#include "base/utf8.h"
#include "match/pattern.h"
#include "match/rule.h"
#include "match/session.h"
#include "match/window.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define COUNT_MAX 1000
#define SKIPS_MAX 16

struct filter {
	struct arena *arena;
	struct regex_engine *engine;
	struct filter_stats stats;
	struct field_names names;
	struct rule *pref; /* or NULL */
	struct rule **fail;
	size_t n_fail;
	struct rule **ignore;
	size_t n_ignore;
	unsigned maxlines;
	bool has_sessions;         /* some regex has <F-MLFID> */
	struct sessions *sessions; /* if so */
	/* With a newline behind, as the regexes see them: the line, and what prefregex left of it.
	 */
	struct put {
		char *text;
		size_t room;
	} line, content;
	struct span looked_at; /* by the failregexes, of the line judged last; text NULL: nothing */
	char tuple[2][RULE_TUPLE_MAX];
};

/* A line under way. */
struct judgement {
	struct filter *f;
	struct window *w;
	struct span whole; /* the line, or the window's lines */
	bool has_fields;
	struct fields fields; /* if so */
	int64_t now_us;
	struct match *ret;
};

static int init_failregex(
	struct filter *fl, const struct filter_def *def, unsigned flags, struct faults *f)
{
	int r = 0;

	fl->fail = arena_array(fl->arena, def->n_failregex, sizeof(*fl->fail));
	for (size_t i = 0; i < def->n_failregex; i++) {
		struct rule *rule;

		if (rule_new(&rule, fl->engine, fl->arena, &fl->names, "failregex",
			    &def->failregex[i], flags, f) < 0) {
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
		r = rule_new(&fl->pref, fl->engine, fl->arena, &fl->names, "prefregex",
			&def->prefregex, flags, f);
		/* Judging the failregexes without it would only add faults that are none. */
		if (r < 0)
			return r;
	}
	fl->has_sessions = fl->pref != NULL && rule_names_session(fl->pref);
	r = init_failregex(fl, def, flags | (fl->maxlines > 1 ? PATTERN_MULTILINE : 0), f);
	fl->ignore = arena_array(fl->arena, def->n_ignoreregex, sizeof(*fl->ignore));
	for (size_t i = 0; i < def->n_ignoreregex; i++) {
		if (rule_new(&fl->ignore[fl->n_ignore], fl->engine, fl->arena, &fl->names,
			    "ignoreregex", &def->ignoreregex[i], flags, f) < 0)
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
		fl->engine = regex_engine_new(&fl->stats);
	}
	if (fl == NULL || fl->arena == NULL || fl->engine == NULL) {
		fault_add(f, FAULT_ERROR, (struct where) {NULL, 0}, "filter %s: out of memory",
			def->name);
	} else {
		fl->maxlines = def->maxlines > 0 ? def->maxlines : 1;
		field_names_init(&fl->names);
		r = init_rules(fl, def, f);
		if (r == 0 && fl->has_sessions && (fl->sessions = sessions_new()) == NULL) {
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

void filter_free(struct filter *f)
{
	if (f == NULL)
		return;
	rule_free(f->pref);
	for (size_t i = 0; i < f->n_fail; i++)
		rule_free(f->fail[i]);
	for (size_t i = 0; i < f->n_ignore; i++)
		rule_free(f->ignore[i]);
	sessions_free(f->sessions);
	regex_engine_free(f->engine);
	arena_free(f->arena);
	free(f->line.text);
	free(f->content.text);
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

/*
 * A copy of the text with a newline behind it. What is no UTF-8 is replaced, as fail2ban does it:
 * by that both match the same characters, and no stray byte hides a line.
 */
static bool put_line(
	struct filter *f, struct put *p, const char *text, size_t len, struct span *ret)
{
	size_t most = utf8_ascii(text, len) == len ? len : UTF8_GROWTH * len;

	if (p->room < most + 1) {
		char *larger = realloc(p->text, most + 1 + most / 2);

		if (larger == NULL) {
			f->stats.no_memory++;
			return false;
		}
		p->text = larger;
		p->room = most + 1 + most / 2;
	}
	if (most > len)
		len = utf8_replace(p->text, text, len);
	else if (len > 0)
		memcpy(p->text, text, len);
	p->text[len] = '\n';
	*ret = (struct span) {p->text, len + 1};
	return true;
}

static bool is_ignored(struct judgement *j, struct span text)
{
	struct filter *f = j->f;

	for (size_t i = 0; i < f->n_ignore; i++) {
		if (!rule_find(f->ignore[i], f->engine, text))
			continue;
		j->ret->regex = (unsigned)i;
		return true;
	}
	return false;
}

static void take(struct judgement *j, const struct rule *rule, struct span text, char *tuple)
{
	if (!j->has_fields)
		j->fields = (struct fields) {0};
	j->has_fields = true;
	rule_take(rule, j->f->engine, text, &j->fields, tuple);
}

/*
 * prefregex, which may leave but a part of the line to look at (<F-CONTENT>). In a window that part
 * then stands for all the lines.
 */
static bool find_prefix(struct judgement *j, struct span *ret_content)
{
	struct filter *f = j->f;

	*ret_content = (struct span) {NULL, 0};
	if (f->pref == NULL)
		return true;
	if (!rule_find(f->pref, f->engine, j->whole))
		return false;
	take(j, f->pref, j->whole, f->tuple[0]);
	*ret_content = j->fields.v[FIELD_CONTENT];
	j->fields.v[FIELD_CONTENT] = (struct span) {NULL, 0};
	return true;
}

/* Takes the match in the window out of it; returns the number of lines. */
static size_t use_lines(struct judgement *j, const struct rule *rule, struct span text)
{
	struct span skipped[SKIPS_MAX], all = {text.text, 0};
	struct window_use use = {.skipped = skipped};

	regex_capture(j->f->engine, text.text, 0, &all.text, &all.len);
	use.start = (size_t)(all.text - text.text);
	use.end = use.start + all.len;
	use.n_skipped = rule_skipped(rule, j->f->engine, text, skipped, SKIPS_MAX);
	return window_take(j->w, text, &use);
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
		if (n > COUNT_MAX)
			return COUNT_MAX;
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
	m->n_fields = 0;
	for (size_t i = FIELDS_HIDDEN; i < f->names.n && m->n_fields < MATCH_FIELDS_MAX; i++) {
		struct span s = fields->v[i];

		if (s.text != NULL)
			m->fields[m->n_fields++] =
				(struct match_field) {f->names.name[i], s.text, s.len};
	}
}

/* What the session that the line belongs to makes of it. */
static void join_session(struct judgement *j, unsigned n_lines)
{
	struct session_result s;
	struct match *m = j->ret;

	sessions_merge(j->f->sessions, &j->fields, n_lines, j->now_us, &s);
	j->f->stats.sessions_lost = sessions_pushed_out(j->f->sessions);
	j->fields = s.fields;
	m->attempts = s.attempts;
	m->n_users = s.n_users;
	for (size_t i = 0; i < s.n_users; i++)
		m->users[i] = (struct match_field) {"users", s.users[i].text, s.users[i].len};
}

static enum verdict conclude(struct judgement *j, unsigned n_lines)
{
	struct match *m = j->ret;

	/* One line's own: a session does not repeat it. */
	m->count = count_of(j->fields.v[FIELD_COUNT]);
	j->fields.v[FIELD_COUNT] = (struct span) {NULL, 0};
	m->attempts = n_lines;
	m->in_session = j->fields.v[FIELD_MLFID].text != NULL;
	if (m->in_session)
		join_session(j, n_lines);
	find_host(&j->fields, m);
	tell_fields(j->f, &j->fields, m);
	if (span_given(j->fields.v[FIELD_NOFAIL]))
		return VERDICT_NOFAIL;
	if (m->host != NULL)
		return VERDICT_MATCH;
	if (m->in_session)
		sessions_pending(j->f->sessions);
	return VERDICT_NOFAIL;
}

/* The failregexes on what is to be looked at; the first that matches decides. */
static enum verdict find_failure(struct judgement *j, struct span text)
{
	struct filter *f = j->f;
	size_t n_lines = 1;

	for (size_t i = 0; i < f->n_fail; i++) {
		struct span used = text;

		if (!rule_find(f->fail[i], f->engine, text))
			continue;
		j->ret->regex = (unsigned)i;
		take(j, f->fail[i], text, f->tuple[1]);
		if (j->w != NULL) {
			n_lines = use_lines(j, f->fail[i], text);
			used = window_used(j->w);
		}
		if (is_ignored(j, used))
			return VERDICT_IGNORED;
		return conclude(j, (unsigned)n_lines);
	}
	return VERDICT_MISS;
}

static enum verdict judge(struct judgement *j)
{
	struct filter *f = j->f;
	struct span content;
	enum verdict v;

	f->looked_at = (struct span) {NULL, 0};
	regex_engine_utf8(f->engine, utf8_ascii(j->whole.text, j->whole.len) < j->whole.len);
	/*
	 * fail2ban's order: few ignoreregexes beside many failregexes go first and on the whole
	 * line. The answer then is "ignored" whatever else the line is.
	 */
	if (f->n_ignore > 0 && f->n_ignore + 2 < f->n_fail && is_ignored(j, j->whole))
		return VERDICT_IGNORED;
	if (!find_prefix(j, &content))
		return VERDICT_MISS;
	f->looked_at = j->whole;
	if (!span_given(content))
		return find_failure(j, j->whole);
	/* Captures of prefregex stay in the line, the content gets a place of its own. */
	if (!put_line(f, &f->content, content.text, content.len, &content))
		return VERDICT_MISS;
	f->looked_at = content;
	v = find_failure(j, content);
	if (v == VERDICT_MISS && j->w != NULL)
		window_set(j->w, content.text, content.len - 1);
	return v;
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

enum verdict filter_judge(struct filter *f, struct window *w, const char *text, size_t len,
	int64_t now_us, struct match *ret)
{
	struct judgement j;

	j.f = f;
	j.w = f->maxlines > 1 ? w : NULL;
	j.has_fields = false;
	j.now_us = now_us;
	j.ret = ret;
	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
		len--;
	match_clear(ret);
	if (!put_line(f, &f->line, text, len, &j.whole))
		return VERDICT_MISS;
	if (j.w != NULL) {
		if (window_add(j.w, j.whole.text, j.whole.len - 1) < 0) {
			f->stats.no_memory++;
			return VERDICT_MISS;
		}
		j.whole = window_text(j.w);
	}
	return judge(&j);
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
