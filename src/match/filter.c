/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/filter.h"

#include "match/regex.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_MAX 1000

/* What a named group is for. */
enum role {
	ROLE_FIELD,   /* told to whoever asks: user, mlfid ... */
	ROLE_ALT,     /* alt_NAME, alt_NAME_2: stands in for NAME when that is missing or empty */
	ROLE_ID,      /* fid */
	ROLE_ADDR,    /* ip4, ip6 */
	ROLE_HOST,    /* dns, host */
	ROLE_COUNT,   /* count */
	ROLE_CONTENT, /* content, in prefregex */
};

struct group {
	enum role role;
	unsigned number;
	const char *name; /* of the field; for ROLE_ALT of the field it stands in for */
};

struct rule {
	struct regex *regex;
	struct group *groups;
	size_t n_groups;
};

struct filter {
	struct arena *arena;
	struct regex_engine *engine;
	struct filter_stats stats;
	struct rule *pref; /* or NULL */
	struct rule *fail;
	size_t n_fail;
	struct rule *ignore;
	size_t n_ignore;
};

/* A piece of the line. */
struct span {
	const char *text; /* NULL: none */
	size_t len;
};

/* What prefregex and failregex captured together. */
struct capture {
	struct span id, addr, host, count, content;
	struct match *match;
};

static enum role role_of(const char *name)
{
	static const struct {
		const char *name;
		enum role role;
	} roles[] = {
		{"ip4", ROLE_ADDR},
		{"ip6", ROLE_ADDR},
		{"dns", ROLE_HOST},
		{"host", ROLE_HOST},
		{"fid", ROLE_ID},
		{"count", ROLE_COUNT},
		{"content", ROLE_CONTENT},
	};

	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		if (strcmp(name, roles[i].name) == 0)
			return roles[i].role;
	}
	return strncmp(name, "alt_", 4) == 0 && name[4] != '\0' ? ROLE_ALT : ROLE_FIELD;
}

/* "alt_user_2" stands in for "user". */
static const char *alt_target(struct arena *arena, const char *name)
{
	const char *base = name + 4;
	const char *tail = strrchr(base, '_');
	size_t len = strlen(base);

	if (tail != NULL && tail > base && tail[1] != '\0' &&
		strspn(tail + 1, "0123456789") == strlen(tail + 1))
		len = (size_t)(tail - base);
	return arena_strndup(arena, base, len);
}

static int rule_init(struct rule *rule, struct filter *fl, const char *what,
	const struct conf_text *source, struct faults *f)
{
	const struct regex_group *groups;
	int r;

	/* An empty one is found everywhere; nobody means that. */
	if (source->text[strspn(source->text, " \t\r\n")] == '\0') {
		fault_add(f, FAULT_ERROR, source->where, "%s: empty; leave the line out", what);
		return -EINVAL;
	}
	r = regex_new(&rule->regex, fl->engine, fl->arena, what, source, 0, f);
	if (r < 0)
		return r;
	groups = regex_groups(rule->regex, &rule->n_groups);
	rule->groups = arena_array(fl->arena, rule->n_groups, sizeof(*rule->groups));
	for (size_t i = 0; i < rule->n_groups; i++) {
		struct group *g = &rule->groups[i];

		g->role = role_of(groups[i].name);
		g->number = groups[i].number;
		g->name = g->role == ROLE_ALT ? alt_target(fl->arena, groups[i].name)
					      : groups[i].name;
	}
	return 0;
}

static bool rule_names_host(const struct rule *rule)
{
	for (size_t i = 0; i < rule->n_groups; i++) {
		const struct group *g = &rule->groups[i];

		if (g->role == ROLE_ADDR || g->role == ROLE_HOST || g->role == ROLE_ID)
			return true;
		/* A line of a session: another line of it may name the host. */
		if (g->role == ROLE_FIELD && strcmp(g->name, "mlfid") == 0)
			return true;
	}
	return false;
}

/* The different names of fields in both. */
static size_t count_fields(const struct rule *pref, const struct rule *rule)
{
	const struct rule *rules[] = {pref, rule};
	const char *seen[MATCH_FIELDS_MAX + 1];
	size_t n = 0;

	for (size_t k = 0; k < 2; k++) {
		for (size_t i = 0; rules[k] != NULL && i < rules[k]->n_groups; i++) {
			const struct group *g = &rules[k]->groups[i];
			size_t j = 0;

			if (g->role != ROLE_FIELD && g->role != ROLE_ALT)
				continue;
			while (j < n && strcmp(seen[j], g->name) != 0)
				j++;
			if (j == n && n <= MATCH_FIELDS_MAX)
				seen[n++] = g->name;
		}
	}
	return n;
}

static int init_failregex(struct filter *fl, const struct filter_def *def, struct faults *f)
{
	int r = 0;

	fl->fail = arena_array(fl->arena, def->n_failregex, sizeof(*fl->fail));
	for (size_t i = 0; i < def->n_failregex; i++) {
		struct rule *rule = &fl->fail[fl->n_fail];

		if (rule_init(rule, fl, "failregex", &def->failregex[i], f) < 0) {
			r = -EINVAL;
			continue;
		}
		fl->n_fail++;
		if (!rule_names_host(rule) && (fl->pref == NULL || !rule_names_host(fl->pref))) {
			fault_add(f, FAULT_ERROR, def->failregex[i].where,
				"failregex: nothing in it says who it was; put <HOST>, <ADDR> or "
				"<F-ID>...</F-ID> where the address stands");
			r = -EINVAL;
		}
		if (count_fields(fl->pref, rule) > MATCH_FIELDS_MAX)
			fault_add(f, FAULT_WARNING, def->failregex[i].where,
				"failregex: more than %d fields, the rest are dropped",
				MATCH_FIELDS_MAX);
	}
	if (def->n_failregex == 0)
		fault_add(f, FAULT_WARNING, (struct where) {NULL, 0},
			"filter %s has no failregex: nothing will ever match", def->name);
	return r;
}

static int init_rules(struct filter *fl, const struct filter_def *def, struct faults *f)
{
	int r = 0;

	if (def->prefregex.text != NULL) {
		fl->pref = arena_alloc(fl->arena, sizeof(*fl->pref));
		r = rule_init(fl->pref, fl, "prefregex", &def->prefregex, f);
		/* Judging the failregexes without it would only add faults that are none. */
		if (r < 0)
			return r;
	}
	r = init_failregex(fl, def, f);
	fl->ignore = arena_array(fl->arena, def->n_ignoreregex, sizeof(*fl->ignore));
	for (size_t i = 0; i < def->n_ignoreregex; i++) {
		if (rule_init(&fl->ignore[fl->n_ignore], fl, "ignoreregex", &def->ignoreregex[i],
			    f) < 0)
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
	if (fl == NULL || fl->arena == NULL || fl->engine == NULL)
		fault_add(f, FAULT_ERROR, (struct where) {NULL, 0}, "filter %s: out of memory",
			def->name);
	else
		r = init_rules(fl, def, f);
	if (r < 0) {
		filter_free(fl);
		return -EINVAL;
	}
	*ret = fl;
	return 0;
}

void filter_free(struct filter *f)
{
	if (f == NULL)
		return;
	if (f->pref != NULL)
		regex_free(f->pref->regex);
	for (size_t i = 0; i < f->n_fail; i++)
		regex_free(f->fail[i].regex);
	for (size_t i = 0; i < f->n_ignore; i++)
		regex_free(f->ignore[i].regex);
	regex_engine_free(f->engine);
	arena_free(f->arena);
	free(f);
}

static void set_field(struct match *m, const char *name, struct span s, bool is_alt)
{
	for (size_t i = 0; i < m->n_fields; i++) {
		struct match_field *field = &m->fields[i];

		if (strcmp(field->name, name) != 0)
			continue;
		if (!is_alt || field->len == 0) {
			field->value = s.text;
			field->len = s.len;
		}
		return;
	}
	if (m->n_fields < MATCH_FIELDS_MAX)
		m->fields[m->n_fields++] = (struct match_field) {name, s.text, s.len};
}

/* Takes over what the rule, found last in text, captured. Alternatives come after the real ones. */
static void take(
	const struct filter *f, const struct rule *rule, const char *text, struct capture *c)
{
	struct span s;

	for (size_t i = 0; i < rule->n_groups; i++) {
		const struct group *g = &rule->groups[i];

		if (g->role == ROLE_ALT ||
			!regex_capture(f->engine, text, g->number, &s.text, &s.len))
			continue;
		if (g->role == ROLE_FIELD)
			set_field(c->match, g->name, s, false);
		else if (g->role == ROLE_ID)
			c->id = s;
		else if (g->role == ROLE_ADDR)
			c->addr = s;
		else if (g->role == ROLE_HOST)
			c->host = s;
		else if (g->role == ROLE_COUNT)
			c->count = s;
		else
			c->content = s;
	}
	for (size_t i = 0; i < rule->n_groups; i++) {
		const struct group *g = &rule->groups[i];

		if (g->role == ROLE_ALT &&
			regex_capture(f->engine, text, g->number, &s.text, &s.len))
			set_field(c->match, g->name, s, true);
	}
}

static unsigned count_of(struct span s)
{
	unsigned n = 0;

	if (s.text == NULL || s.len == 0)
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

/*
 * Who is meant: the id where one is captured and is an address, else the address, else the id or
 * the name as they stand.
 */
static void find_host(const struct capture *c, struct match *m)
{
	const struct span *order[] = {&c->id, &c->addr, &c->host};
	const struct span *found = NULL;

	for (size_t i = 0; i < 3 && !m->has_addr; i++) {
		const struct span *s = order[i];

		if (s->text == NULL || s->len == 0)
			continue;
		m->has_addr = addr_parse(&m->addr, s->text, s->len) == 0;
		if (m->has_addr || found == NULL)
			found = s;
	}
	if (found != NULL) {
		m->host = found->text;
		m->host_len = found->len;
	}
}

static bool is_nofail(const struct match *m)
{
	for (size_t i = 0; i < m->n_fields; i++) {
		if (strcmp(m->fields[i].name, "nofail") == 0)
			return m->fields[i].len > 0;
	}
	return false;
}

static bool is_ignored(const struct filter *f, const char *text, size_t len)
{
	for (size_t i = 0; i < f->n_ignore; i++) {
		if (regex_find(f->engine, f->ignore[i].regex, text, len))
			return true;
	}
	return false;
}

/* The failregexes on text; the first that matches decides. */
static bool find_failure(const struct filter *f, struct span s, struct capture *c)
{
	for (size_t i = 0; i < f->n_fail; i++) {
		if (!regex_find(f->engine, f->fail[i].regex, s.text, s.len))
			continue;
		c->match->regex = (unsigned)i;
		take(f, &f->fail[i], s.text, c);
		return true;
	}
	return false;
}

enum verdict filter_judge(struct filter *f, const char *text, size_t len, struct match *ret)
{
	struct capture c = {.match = ret};
	struct span s;

	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
		len--;
	ret->has_addr = false;
	ret->host = NULL;
	ret->host_len = 0;
	ret->count = 1;
	ret->regex = 0;
	ret->n_fields = 0;
	s = (struct span) {text, len};
	/*
	 * fail2ban's order: few ignoreregexes beside many failregexes go first and on the whole
	 * line. The answer then is "ignored" whatever else the line is.
	 */
	if (f->n_ignore > 0 && f->n_ignore + 2 < f->n_fail && is_ignored(f, text, len))
		return VERDICT_IGNORED;
	if (f->pref != NULL) {
		if (!regex_find(f->engine, f->pref->regex, text, len))
			return VERDICT_MISS;
		take(f, f->pref, text, &c);
		if (c.content.text != NULL && c.content.len > 0)
			s = c.content;
	}
	if (!find_failure(f, s, &c))
		return VERDICT_MISS;
	if (f->n_ignore > 0 &&
		(is_ignored(f, s.text, s.len) || (s.len != len && is_ignored(f, text, len))))
		return VERDICT_IGNORED;
	ret->count = count_of(c.count);
	find_host(&c, ret);
	return ret->host == NULL || is_nofail(ret) ? VERDICT_NOFAIL : VERDICT_MATCH;
}

const struct filter_stats *filter_stats(const struct filter *f)
{
	return &f->stats;
}
