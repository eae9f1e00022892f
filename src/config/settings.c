/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/settings.h"

#include "base/text.h"
#include "base/util.h"
#include "config/expand.h"
#include "config/keys.h"
#include "config/merge.h"
#include "config/spec.h"
#include "config/syslog.h"
#include "config/value.h"

#include <string.h>

static void read_loglevel(struct reader *r, const struct section *s, enum log_level *ret)
{
	static const char *const names[] = {"CRITICAL", "ERROR", "WARNING", "NOTICE", "INFO",
		"DEBUG", "TRACEDEBUG", "HEAVYDEBUG"};
	/* Python's numbers, which fail2ban takes as well. */
	static const struct {
		long least;
		enum log_level level;
	} numbers[] = {{50, LOG_LV_CRITICAL}, {40, LOG_LV_ERROR}, {30, LOG_LV_WARNING},
		{25, LOG_LV_NOTICE}, {20, LOG_LV_INFO}, {0, LOG_LV_DEBUG}};
	struct conf_text t;

	if (!value_text(r, s, "loglevel", &t) || log_level_parse(ret, t.text) == 0)
		return;
	if (strspn(t.text, "0123456789") == strlen(t.text) && strlen(t.text) <= 3) {
		for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
			if (atol(t.text) >= numbers[i].least) {
				*ret = numbers[i].level;
				return;
			}
		}
	}
	reader_error(r, t.where,
		"loglevel '%s' is unknown: write CRITICAL, ERROR, WARNING, NOTICE, INFO or DEBUG%s",
		reader_show(r, t.text), reader_hint(r, t.text, names, ARRAY_SIZE(names)));
}

static void read_logtarget(
	struct reader *r, const struct section *s, const char **ret, struct where *ret_where)
{
	static const char *const names[] = {
		"STDERR", "STDOUT", "SYSOUT", "SYSLOG", "SYSTEMD-JOURNAL"};
	struct conf_text t;
	struct spec spec;

	*ret = "STDERR";
	if (!value_text(r, s, "logtarget", &t) ||
		spec_parse(r, t.text, t.where, "logtarget", &spec) < 0)
		return;
	*ret_where = reader_keep_where(r, t.where);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcasecmp(spec.name, names[i]) == 0) {
			*ret = names[i];
			return;
		}
	}
	if (spec.name[0] == '/')
		*ret = arena_strdup(r->keep, spec.name);
	else
		reader_error(r, t.where,
			"logtarget '%s' is neither a target nor a path from the root: write "
			"STDERR, STDOUT, SYSLOG, SYSTEMD-JOURNAL or such as "
			"'/var/log/stockade.log'%s",
			reader_show(r, t.text), reader_hint(r, t.text, names, ARRAY_SIZE(names)));
}

static void read_logformat(struct reader *r, const struct section *s, bool *ret_brief)
{
	struct conf_text t;

	if (!value_text(r, s, "logformat", &t))
		return;
	*ret_brief = strcasecmp(t.text, "brief") == 0;
	if (!*ret_brief && strcasecmp(t.text, "fail2ban") != 0)
		reader_error(r, t.where, "logformat '%s' is unknown: write 'fail2ban' or 'brief'",
			reader_show(r, t.text));
}

static void read_syslogsocket(struct reader *r, const struct section *s, const char **ret)
{
	struct conf_text t;

	*ret = "auto";
	if (!value_text(r, s, "syslogsocket", &t) || strcasecmp(t.text, "auto") == 0)
		return;
	if (t.text[0] == '/')
		*ret = arena_strdup(r->keep, t.text);
	else
		reader_error(r, t.where,
			"syslogsocket '%s' is no path from the root: write 'auto' or such as "
			"'/dev/log'",
			reader_show(r, t.text));
}

static void read_countries(struct reader *r, const struct section *s, struct conf_text *ret)
{
	struct conf_text t;

	if (!value_text(r, s, "countries", &t))
		return;
	if (t.text[0] == '/')
		*ret = reader_keep(r, t);
	else
		reader_error(r, t.where,
			"countries = '%s' is no path from the root: write such as "
			"'/usr/share/GeoIP/GeoLite2-Country.mmdb'",
			reader_show(r, t.text));
}

static void read_user(
	struct reader *r, const struct section *s, const char **ret, struct where *ret_where)
{
	struct conf_text t;

	*ret = "stockade";
	if (!value_text(r, s, "user", &t))
		return;
	*ret_where = reader_keep_where(r, t.where);
	/* What useradd(8) takes, roughly; whether there is such a user is seen at start. */
	if (strlen(t.text) <= 32 && t.text[0] != '-' &&
		strspn(t.text,
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
			strlen(t.text))
		*ret = arena_strdup(r->keep, t.text);
	else
		reader_error(r, t.where, "user '%s' is no user's name: write such as 'stockade'",
			reader_show(r, t.text));
}

static void check_sections(struct reader *r, const struct doc *d)
{
	static const char *const names[] = {
		"DEFAULT", "Definition", "INCLUDES", "Thread", "syslog"};

	for (size_t i = 0; i < d->sections.n; i++) {
		const struct section *s = (const struct section *)d->sections.items[i];

		if (!text_is_one_of(s->name, names, ARRAY_SIZE(names)))
			reader_warn(r, s->where, "nothing reads the section [%s]%s",
				reader_show(r, s->name),
				reader_hint(r, s->name, names, ARRAY_SIZE(names)));
	}
}

void settings_read(struct reader *r, struct ruleset *ret)
{
	struct section main = {.name = "Definition"}, syslog = {.name = "syslog"};
	long long maxbans = 1000000, dbmaxmatches = 10;
	struct scope scope = {.r = r};
	struct doc *d;
	size_t n;

	d = merge_dir(r, "stockade", "[Definition]", &n);
	if (n == 0)
		d = merge_dir(r, "fail2ban", "[Definition]", &n);
	check_sections(r, d);
	keys_check(r, d, KEYS_MAIN);
	overlay_apply(r->overlay, OVERLAY_MAIN, r, d);
	scope.doc = d;
	scope.section = doc_section(d, "Definition");
	expand_keys(&scope, keys_main, keys_main_n, &main);
	scope.section = doc_section(d, "syslog");
	expand_keys(&scope, keys_syslog, keys_syslog_n, &syslog);

	ret->loglevel = LOG_LV_INFO;
	ret->purgeage_sec = 86400;
	read_loglevel(r, &main, &ret->loglevel);
	read_logtarget(r, &main, &ret->logtarget, &ret->logtarget_where);
	read_logformat(r, &main, &ret->log_brief);
	read_syslogsocket(r, &main, &ret->syslogsocket);
	read_countries(r, &main, &ret->countries);
	read_user(r, &main, &ret->user, &ret->user_where);
	ret->memory = 64 * 1000 * 1000;
	value_size(r, &main, "memory", 1000000, 64000000000, &ret->memory);
	value_number(r, &main, "maxbans", 16, 10000000, &maxbans);
	value_number(r, &main, "dbmaxmatches", 0, 1000000, &dbmaxmatches);
	value_duration(r, &main, "dbpurgeage", 0, false, &ret->purgeage_sec);
	value_prefixes(r, &main, "allow", &ret->allow, &ret->allow_names);
	syslog_read_settings(r, &syslog, &ret->syslog);
	ret->dbmaxmatches = (unsigned)dbmaxmatches;
	ret->maxbans = (size_t)maxbans;
}
