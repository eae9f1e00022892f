/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/datetemplate.h"

#include "base/hash.h"
#include "base/text.h"
#include "base/util.h"
#include "match/datecheck.h"
#include "match/datelook.h"
#include "match/pattern.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NUMBER "\\d{10,11}\\b(?:\\.\\d{3,6})?"
#define LONG_NUMBER "\\d{10,11}(?:\\d{3}(?:\\.\\d{1,6}|\\d{3})?)?"
#define SQUARE "(?P<square>(?<=^\\[))"
#define AUDIT "(?P<selinux>(?<=\\baudit\\())"
#define AFTER_SQUARE "(?(square)(?=\\]))"
#define AFTER_AUDIT "(?(selinux)(?=:\\d+\\)))"

/* What a pattern means, before it is compiled. */
struct plan {
	enum date_kind kind;
	bool has_pattern;
	unsigned epoch_group, flags;
	struct buf name, regex;
};

struct pooled {
	struct date_template t;
	bool address_known, may_find_address;
	unsigned refs;
	uint64_t key;
	struct arena *arena;
	struct pooled *next;
};

/* All templates in use: jails by the dozen read the same kinds of logs. */
static struct {
	struct pooled *first;
	struct regex_engine *engine;
	struct filter_stats stats;
} pool;

static void plan_done(struct plan *p)
{
	buf_done(&p->name);
	buf_done(&p->regex);
}

/* "{EPOCH}" or "{LEPOCH}" in any case, not after a backslash: its length, or 0. */
static size_t epoch_at(const char *pattern, size_t at)
{
	if (at > 0 && pattern[at - 1] == '\\')
		return 0;
	if (strncasecmp(pattern + at, "{EPOCH}", 7) == 0)
		return 7;
	return strncasecmp(pattern + at, "{LEPOCH}", 8) == 0 ? 8 : 0;
}

static bool has_epoch(const char *pattern)
{
	for (size_t i = 0; pattern[i] != '\0'; i++) {
		if (epoch_at(pattern, i) > 0)
			return true;
	}
	return false;
}

static int bind(struct plan *p, const char *regex, enum date_begin begin, bool end)
{
	struct buf name = p->name;
	bool at_line;
	int r = datebound_apply(&p->regex, regex, begin, end, &p->flags, &at_line);

	if (r < 0 || !at_line || strncmp(buf_text(&name), "{^LN-BEG}", 9) == 0)
		return r;
	p->name = (struct buf) {0};
	r = buf_adds(&p->name, "{^LN-BEG}");
	r = r < 0 ? r : buf_adds(&p->name, buf_text(&name));
	buf_done(&name);
	return r;
}

/* The number in the middle of a pattern; all that the pattern matches is cut out. */
static int plan_epoch_within(struct plan *p, const char *pattern, bool is_long)
{
	struct buf s = {0};
	int r = buf_adds(&s, "(");

	for (size_t i = 0; r == 0 && pattern[i] != '\0';) {
		size_t n = epoch_at(pattern, i);

		if (n > 0)
			r = buf_adds(&s, is_long ? "(" LONG_NUMBER ")" : "(" NUMBER ")");
		else
			r = buf_add(&s, pattern + i, 1);
		i += n > 0 ? n : 1;
	}
	r = r < 0 ? r : buf_adds(&s, ")");
	r = r < 0 ? r : buf_adds(&p->name, pattern);
	p->kind = is_long ? DATE_LONG_EPOCH : DATE_EPOCH;
	p->epoch_group = 2;
	r = r < 0 ? r : bind(p, buf_text(&s), DATE_AT_WORD, true);
	buf_done(&s);
	return r;
}

static int plan_epoch(struct plan *p, bool at_line, bool is_long)
{
	struct buf s = {0};
	const char *number = is_long ? LONG_NUMBER : NUMBER;
	int r;

	p->kind = is_long ? DATE_LONG_EPOCH : DATE_EPOCH;
	p->epoch_group = 1;
	r = buf_adds(&p->name, is_long ? "LongEpoch" : "Epoch");
	if (r == 0 && at_line)
		r = buf_addf(&s, "(" SQUARE "?%s)" AFTER_SQUARE, number);
	else if (r == 0)
		r = buf_addf(&s,
			"((?:^|" SQUARE "|" AUDIT ")%s)(?:" AFTER_AUDIT "|" AFTER_SQUARE ")",
			number);
	r = r < 0 ? r : bind(p, buf_text(&s), at_line ? DATE_AT_LINE : DATE_ANYWHERE, true);
	buf_done(&s);
	return r;
}

static int plan_tai64n(struct plan *p, bool at_line)
{
	int r = buf_adds(&p->name, "TAI64N");

	p->kind = DATE_TAI64N;
	p->epoch_group = 1;
	return r < 0 ? r : bind(p, "@[0-9a-f]{24}", at_line ? DATE_AT_LINE : DATE_ANYWHERE, true);
}

static int plan_civil(struct plan *p, const char *pattern, size_t *ret_at)
{
	enum date_begin begin = DATE_AT_WORD;
	const char *start = pattern;
	struct buf s = {0};
	bool end = true;
	int r = 0;

	p->kind = DATE_CIVIL;
	p->has_pattern = true;
	if (strncmp(pattern, "{UNB}", 5) == 0) {
		pattern += 5;
		begin = DATE_ANYWHERE;
		end = false;
	} else if (strncmp(pattern, "{^LN-BEG}", 9) == 0) {
		pattern += 9;
		begin = DATE_AT_LINE;
	}
	if (dateformat_has_words(pattern))
		r = buf_adds(&s, "(?iu)");
	r = r < 0 ? r : dateformat_expand(pattern, &s, &p->name, ret_at);
	*ret_at += (size_t)(pattern - start);
	r = r < 0 ? r : bind(p, buf_text(&s), begin, end);
	buf_done(&s);
	return r;
}

/* Is the text "WORD", "^WORD" or "{^LN-BEG}WORD"? */
static bool is_word(const char *text, const char *word, bool *ret_at_line)
{
	size_t front = text[0] == '^' ? 1 : strncmp(text, "{^LN-BEG}", 9) == 0 ? 9 : 0;

	*ret_at_line = front > 0;
	return strcmp(text + front, word) == 0;
}

/* Words mean what they mean in any case, unless there are formats beside them. */
static int make_plan(struct plan *p, const char *pattern, size_t *ret_at)
{
	bool at_line, fold = strchr(pattern, '%') == NULL;
	char *key = strdup(pattern);
	int r;

	if (key == NULL)
		return -ENOMEM;
	for (char *c = key; fold && *c != '\0'; c++)
		*c = (char)toupper((unsigned char)*c);
	*ret_at = 0;
	if (strstr(key, "EPOCH") != NULL && has_epoch(pattern))
		r = plan_epoch_within(p, pattern, strstr(key, "LEPOCH") != NULL);
	else if (is_word(key, "EPOCH", &at_line))
		r = plan_epoch(p, at_line, false);
	else if (is_word(key, "LEPOCH", &at_line))
		r = plan_epoch(p, at_line, true);
	else if (is_word(key, "TAI64N", &at_line))
		r = plan_tai64n(p, at_line);
	else
		r = plan_civil(p, pattern, ret_at);
	free(key);
	return r;
}

static const char *field_words(char format)
{
	static const char words[][2][16] = {{"Y", "year"}, {"y", "year"}, {"m", "month"},
		{"b", "month's name"}, {"B", "month's name"}, {"d", "day"}, {"H", "hour"},
		{"I", "hour"}, {"M", "minute"}, {"S", "second"}, {"p", "am or pm"},
		{"f", "fraction"}, {"a", "weekday"}, {"A", "weekday"}, {"z", "zone"},
		{"Z", "zone"}};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (words[i][0][0] == format)
			return words[i][1];
	}
	return "same field";
}

/*
 * The regex that came of it is refused. When what was written is no regex either, that is what is
 * to be corrected; else only the whole can be named.
 */
static int tell_regex(
	struct arena *arena, const struct conf_text *written, const char *message, struct faults *f)
{
	const char *column = strstr(message, " at column ");
	struct faults own = {0};
	struct regex *r = NULL;
	char whole[200];

	if (regex_new(&r, arena, "datepattern", written, PATTERN_NO_TAGS, &own) < 0 &&
		strstr(written->text, "**") == NULL && own.n > 0) {
		fault_add(f, FAULT_ERROR, written->where, "%s", own.items[0].message);
	} else {
		text_escape(whole, sizeof(whole), written->text, strlen(written->text));
		fault_add(f, FAULT_ERROR, written->where,
			"datepattern '%s' makes no regex (%.*s): check its groups, its classes and "
			"what is repeated",
			whole, (int)(column != NULL ? (size_t)(column - message) : strlen(message)),
			message);
	}
	regex_free(r);
	faults_done(&own);
	return -EINVAL;
}

/* What the names of the groups mean; none may come twice. */
static int read_fields(struct date_template *t, const struct conf_text *written, struct faults *f)
{
	size_t n;
	const struct regex_group *groups = regex_groups(t->code, &n);

	for (size_t i = 0; i < n; i++) {
		const char *name = groups[i].name;

		for (size_t k = 0; k < i; k++) {
			char whole[200];

			if (strcmp(groups[k].name, name) != 0)
				continue;
			text_escape(whole, sizeof(whole), written->text, strlen(written->text));
			fault_add(f, FAULT_ERROR, written->where,
				"datepattern '%s': the %s stands in it twice (group '%s'); take "
				"one "
				"out, or write two patterns, each on its line",
				whole, name[1] == '\0' ? field_words(name[0]) : "same group", name);
			return -EINVAL;
		}
		if (name[1] == '\0' && strchr("YymBbdHIpMSAawjUWzZ", name[0]) != NULL)
			t->fields[t->n_fields++] = (struct date_field) {name[0], groups[i].number};
	}
	return 0;
}

/* Without the "datepattern: " in front. */
static const char *message_of(const struct fault *f)
{
	const char *colon = strchr(f->message, ':');

	return colon != NULL ? colon + 2 : f->message;
}

static enum date_sought sought_by(const struct date_template *t)
{
	if (regex_is_anchored(t->code))
		return t->pattern != NULL && datelook_is_square(t->pattern) ? DATE_SOUGHT_SQUARE
									    : DATE_SOUGHT_START;
	if (t->needs_clock)
		return DATE_SOUGHT_CLOCK;
	if ((t->kind == DATE_EPOCH && strcmp(t->name, "Epoch") == 0) ||
		(t->kind == DATE_LONG_EPOCH && strcmp(t->name, "LongEpoch") == 0))
		return DATE_SOUGHT_NUMBER;
	return DATE_SOUGHT_ANYHOW;
}

static int compile(struct pooled *p, const struct plan *plan, const struct conf_text *written,
	struct faults *f)
{
	struct date_template *t = &p->t;
	struct conf_text source = {.where = written->where};
	struct faults own = {0};
	struct buf bytes = {0};
	int r;

	if (datebound_bytes(&bytes, t->regex, t->flags) < 0)
		return tell_regex(p->arena, written, "out of memory", f);
	source.text = buf_text(&bytes);
	r = regex_new(&t->code, p->arena, "datepattern", &source, PATTERN_NO_TAGS, &own);
	if (r == 0)
		r = regex_engine_fit(pool.engine, t->code);
	if (r < 0)
		r = tell_regex(p->arena, written,
			own.n > 0 ? message_of(&own.items[0]) : "out of memory", f);
	faults_done(&own);
	buf_done(&bytes);
	if (r == 0 && (regex_count(t->code) < 1 || regex_count(t->code) < t->epoch_group))
		r = tell_regex(p->arena, written, "what looks like its group is none", f);
	if (r == 0)
		t->sought = sought_by(t);
	if (r == 0 && plan->kind == DATE_CIVIL)
		r = read_fields(t, written, f);
	return r;
}

static void pooled_free(struct pooled *p)
{
	if (p == NULL)
		return;
	regex_free(p->t.code);
	arena_free(p->arena);
	free(p);
	if (pool.first == NULL) {
		regex_engine_free(pool.engine);
		pool.engine = NULL;
	}
}

/* Says the pattern itself what must stand around a place? A "$" in a class does no harm here. */
static bool looks_around(const char *pattern)
{
	static const char *const assertions[] = {
		"(?=", "(?!", "(?<", "(?(", "\\b", "\\B", "\\Z", "$"};

	for (size_t i = 0; i < ARRAY_SIZE(assertions); i++)
		if (strstr(pattern, assertions[i]) != NULL)
			return true;
	return false;
}

static struct pooled *pooled_new(const struct plan *plan, const char *pattern, uint64_t key,
	const struct conf_text *written, struct faults *f)
{
	struct pooled *p = calloc(1, sizeof(*p));

	if (pool.engine == NULL)
		pool.engine = regex_engine_new(&pool.stats);
	if (p != NULL)
		p->arena = arena_new();
	if (p == NULL || p->arena == NULL || pool.engine == NULL) {
		fault_add(f, FAULT_ERROR, written->where, "datepattern: out of memory");
		pooled_free(p);
		return NULL;
	}
	p->key = key;
	p->refs = 1;
	p->t = (struct date_template) {
		.name = arena_strdup(p->arena, buf_text(&plan->name)),
		.pattern = plan->has_pattern ? arena_strdup(p->arena, pattern) : NULL,
		.regex = arena_strdup(p->arena, buf_text(&plan->regex)),
		.kind = plan->kind,
		.flags = plan->flags,
		.epoch_group = plan->epoch_group,
		.needs_clock = plan->kind == DATE_CIVIL && dateformat_needs_clock(pattern),
		.context_free = plan->kind == DATE_CIVIL && !looks_around(pattern),
	};
	if (plan->kind == DATE_CIVIL) {
		datelook_of(pattern, &p->t.look, &p->t.around);
		p->t.clock_after_need = dateformat_needs_clock(dateformat_need(pattern, p->t.need));
	}
	if (compile(p, plan, written, f) < 0) {
		pooled_free(p);
		return NULL;
	}
	return p;
}

/* The plan's template out of the pool, or a new one. */
static const struct date_template *pool_get(const struct plan *plan, const char *pattern,
	const struct conf_text *written, struct faults *f)
{
	uint64_t key = hash_fingerprint(plan->regex.data, plan->regex.len) ^
		       hash_fingerprint(plan->name.data, plan->name.len) * 31;
	struct pooled *p;

	for (p = pool.first; p != NULL; p = p->next) {
		if (p->key == key && p->t.kind == plan->kind &&
			strcmp(p->t.regex, buf_text(&plan->regex)) == 0 &&
			strcmp(p->t.name, buf_text(&plan->name)) == 0) {
			p->refs++;
			return &p->t;
		}
	}
	p = pooled_new(plan, pattern, key, written, f);
	if (p == NULL)
		return NULL;
	p->next = pool.first;
	pool.first = p;
	return &p->t;
}

int datetemplate_get(const struct date_template **ret, const char *pattern,
	const struct conf_text *written, struct faults *f)
{
	const struct date_template *t = NULL;
	struct plan plan = {0};
	size_t at = 0;
	int r = make_plan(&plan, pattern, &at);

	if (r == 0)
		t = pool_get(&plan, pattern, written, f);
	else if (r == -EINVAL)
		datecheck_format(pattern, at, written->where, f);
	else
		fault_add(f, FAULT_ERROR, written->where, "datepattern: out of memory");
	plan_done(&plan);
	if (t == NULL)
		return -EINVAL;
	*ret = t;
	return 0;
}

void datetemplate_put(const struct date_template *t)
{
	struct pooled **link = &pool.first, *p;

	while (*link != NULL && &(*link)->t != t)
		link = &(*link)->next;
	p = *link;
	if (p == NULL || --p->refs > 0)
		return;
	*link = p->next;
	pooled_free(p);
}

bool datetemplate_find(const struct date_template *t, const char *line, size_t from, size_t end)
{
	return regex_find_from(pool.engine, t->code, line, from, end);
}

bool datetemplate_may_find(const struct date_template *t, const char *text, size_t len)
{
	return regex_may_find(pool.engine, t->code, text, len);
}

/* Up to three digits and a dot behind those digits. */
static bool may_find_dotted(const struct date_template *t, char digits[4], size_t n)
{
	digits[n] = '.';
	if (n > 0 && datetemplate_may_find(t, digits, n + 1))
		return true;
	for (char c = '0'; n < 3 && c <= '9'; c++) {
		digits[n] = c;
		if (datetemplate_may_find(t, digits, n + 1) && may_find_dotted(t, digits, n + 1))
			return true;
	}
	return false;
}

bool datetemplate_may_find_address(const struct date_template *t)
{
	struct pooled *p = (struct pooled *)t;
	char digits[4];

	if (!p->address_known) {
		p->may_find_address = may_find_dotted(t, digits, 0);
		p->address_known = true;
	}
	return p->may_find_address;
}

bool datetemplate_capture(const struct date_template *t, const char *line, unsigned group,
	const char **ret, size_t *ret_len)
{
	(void)t;
	return regex_capture(pool.engine, line, group, ret, ret_len);
}

const struct filter_stats *datetemplate_stats(void)
{
	return &pool.stats;
}
