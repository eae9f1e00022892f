/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/option.h"

#include "base/text.h"
#include "base/util.h"
#include "config/value.h"

#include <string.h>

#define CACHE_COUNT 100
#define CACHE_COUNT_MAX 1000000
#define CACHE_SEC 300

void option_text(struct reader *r, const struct section *values, const char *key, const char *none,
	struct conf_text *ret)
{
	struct conf_text t;

	if (value_text(r, values, key, &t) && strcasecmp(t.text, none) != 0)
		*ret = reader_keep(r, t);
}

struct conf_option *option_keep(struct reader *r, const struct section *opts, size_t *ret_n)
{
	struct conf_option *kept = arena_array(r->keep, opts->entries.n, sizeof(*kept));

	for (size_t i = 0; i < opts->entries.n; i++) {
		const struct entry *e = (const struct entry *)opts->entries.items[i];
		struct conf_text value = {lines_join(&e->lines, r->scratch, "\n"), e->where};

		kept[i] = (struct conf_option) {
			.name = arena_strdup(r->keep, e->name), .value = reader_keep(r, value)};
	}
	*ret_n = opts->entries.n;
	return kept;
}

bool option_usedns_word(const char *word, enum usedns *ret)
{
	static const struct {
		const char *name;
		enum usedns value;
	} names[] = {
		{"yes", USEDNS_YES}, {"warn", USEDNS_WARN}, {"no", USEDNS_NO}, {"raw", USEDNS_RAW}};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcasecmp(word, names[i].name) == 0) {
			*ret = names[i].value;
			return true;
		}
	}
	return false;
}

void option_usedns(struct reader *r, const struct filter_def *filter, enum usedns *ret)
{
	const struct conf_text *t = &filter->usedns;

	*ret = USEDNS_WARN;
	if (t->text != NULL && !option_usedns_word(t->text, ret))
		reader_error(r, t->where,
			"usedns = '%s' is unknown: write 'yes', 'warn', 'no' or 'raw'",
			reader_show(r, t->text));
}

void option_ignorecache(struct reader *r, const struct section *values, struct ignore_cache *ret)
{
	static const char *const names[] = {"key", "max-count", "max-time"};
	long long count = CACHE_COUNT;
	int64_t sec = CACHE_SEC;
	struct conf_text t;
	struct spec spec;

	if (!value_text(r, values, "ignorecache", &t) ||
		spec_parse(r, arena_printf(r->scratch, "ignorecache[%s]", t.text), t.where,
			"option", &spec) < 0)
		return;
	for (size_t i = 0; i < spec.opts.entries.n; i++) {
		const char *name = spec.opts.entries.items[i]->name;

		if (!text_is_one_of(name, names, ARRAY_SIZE(names)))
			reader_warn(r, t.where, "nothing reads '%s' in ignorecache%s",
				reader_show(r, name),
				reader_hint(r, name, names, ARRAY_SIZE(names)));
	}
	value_number(r, &spec.opts, "max-count", 1, CACHE_COUNT_MAX, &count);
	value_duration(r, &spec.opts, "max-time", 1, false, &sec);
	if (!value_text(r, &spec.opts, "key", &t)) {
		reader_error(r, t.where,
			"ignorecache does not say which cases are the same: write such as "
			"'key=\"<ip>\", "
			"max-count=100, max-time=5m'");
		return;
	}
	*ret = (struct ignore_cache) {.key = arena_strdup(r->keep, t.text),
		.max_count = (unsigned)count,
		.max_time_sec = sec};
}

void option_growth(struct reader *r, const struct section *values, struct bantime_growth *ret)
{
	*ret = (struct bantime_growth) {.maxtime_sec = -1};
	value_bool(r, values, "bantime.increment", &ret->increment);
	if (ret->increment)
		reader_warn(r, section_entry(values, "bantime.increment")->where,
			"bantime.increment is not done by this version: every ban lasts as long as "
			"bantime says");
	value_bool(r, values, "bantime.overalljails", &ret->overalljails);
	option_text(r, values, "bantime.factor", "", &ret->factor);
	option_text(r, values, "bantime.formula", "", &ret->formula);
	option_text(r, values, "bantime.multipliers", "", &ret->multipliers);
	value_duration(r, values, "bantime.maxtime", 1, true, &ret->maxtime_sec);
	value_duration(r, values, "bantime.rndtime", 0, false, &ret->rndtime_sec);
}
