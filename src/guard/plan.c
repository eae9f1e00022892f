/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/plan.h"

#include "base/text.h"
#include "base/util.h"
#include "guard/countries.h"
#include "guard/tags.h"
#include "source/journal.h"

#include <errno.h>
#include <string.h>

static void check_journal(const struct jail *j, struct faults *f)
{
	const struct conf_text *match = &j->filter->journalmatch;
	const char *error;
	char shown[128];

	if ((j->sources & SOURCE_JOURNAL) == 0 || match->text == NULL ||
		journal_match_check(match->text, &error) == 0)
		return;
	text_escape(shown, sizeof(shown), match->text, strlen(match->text));
	fault_add(f, FAULT_ERROR, match->where,
		"journalmatch '%s': %s (such as '_SYSTEMD_UNIT=ssh.service + _COMM=sshd')", shown,
		error);
}

void plan_check_jail(const struct jail *j, struct faults *f)
{
	struct filter *filter = NULL;
	struct date_patterns *dates = NULL;

	if (filter_new(&filter, j->filter, f) == 0)
		filter_free(filter);
	if (date_patterns_new(&dates, &j->filter->datepattern, &j->logtimezone, f) == 0)
		date_patterns_free(dates);
	check_journal(j, f);
	journals_check_jail(j, f);
}

/* The patterns of a jail's dates: those of a jail before it that says the same, or new ones. */
static void make_dates(struct plan *p, size_t i, struct faults *f)
{
	const struct jail *j = &p->rs->jails[i];

	for (size_t k = 0; k < i; k++) {
		const struct jail *other = &p->rs->jails[k];

		if (p->dates[k] != NULL &&
			conf_text_same(&j->filter->datepattern, &other->filter->datepattern) &&
			conf_text_same(&j->logtimezone, &other->logtimezone)) {
			p->dates[i] = p->dates[k];
			return;
		}
	}
	date_patterns_new(&p->dates[i], &j->filter->datepattern, &j->logtimezone, f);
}

static void free_dates(struct plan *p)
{
	for (size_t i = p->dates != NULL ? p->rs->n_jails : 0; i > 0; i--) {
		bool shared = false;

		for (size_t k = 0; k + 1 < i; k++)
			shared |= p->dates[k] == p->dates[i - 1];
		if (!shared)
			date_patterns_free(p->dates[i - 1]);
	}
	free(p->dates);
}

/*
 * A jail's filter, NULL if its faults say why there is none. Jails of one section, one for each
 * host, stand in a row, and share the regexes of the first.
 */
static int make_filter(struct plan *p, size_t i, struct faults *f)
{
	const struct jail *jails = p->rs->jails;
	size_t first = i;

	while (first > 0 && jails[first - 1].filter == jails[i].filter)
		first--;
	if (first < i)
		return p->filters[first] != NULL
			       ? filter_new_like(&p->filters[i], p->filters[first])
			       : 0;
	filter_new(&p->filters[i], jails[i].filter, f);
	return 0;
}

/* Everything that the rule set names. All faults are told in one go. 0, -EINVAL or -ENOMEM. */
static int compile(struct plan *p, struct faults *f)
{
	size_t errors_before = f->n_errors;
	int r;

	p->filters = calloc(p->rs->n_jails + 1, sizeof(struct filter *));
	p->dates = calloc(p->rs->n_jails + 1, sizeof(struct date_patterns *));
	r = p->filters == NULL || p->dates == NULL ? -ENOMEM
						   : patterns_init(&p->patterns, p->rs, f);
	if (r == 0 || r == -EINVAL)
		r = journals_init(&p->journals, p->rs, f);
	if (r < 0 && r != -EINVAL)
		return r;
	for (size_t i = 0; i < p->rs->n_jails; i++) {
		if (make_filter(p, i, f) < 0)
			return -ENOMEM;
		check_journal(&p->rs->jails[i], f);
		make_dates(p, i, f);
	}
	if (countries_open(&p->countries, p->rs, f) == -ENOMEM)
		return -ENOMEM;
	return f->n_errors > errors_before ? -EINVAL : 0;
}

int plan_load(
	struct plan **ret, const char *confdir, const struct overlay *overlay, struct faults *f)
{
	struct plan *p = calloc(1, sizeof(*p));
	int r;

	if (p == NULL)
		return -ENOMEM;
	r = ruleset_read(&p->rs, confdir, overlay, false, f);
	if (r == 0)
		r = compile(p, f);
	if (r < 0)
		plan_free(p);
	else
		*ret = p;
	return r;
}

/* The errors of a configuration, any of which may be why a jail of it cannot be used. */
static void tell_unknown(
	const char *name, const char *confdir, const struct faults *all, struct faults *f)
{
	char shown[128];

	for (size_t i = 0; i < all->n; i++) {
		const struct fault *one = &all->items[i];
		struct where where = {one->file, one->line};

		if (one->severity == FAULT_ERROR && !faults_have(f, where, one->message))
			fault_add(f, FAULT_ERROR, where, "%s", one->message);
	}
	text_escape(shown, sizeof(shown), name, strlen(name));
	fault_add(f, FAULT_ERROR, (struct where) {NULL, 0},
		all->n_errors > 0
			? "jail '%s' of %s cannot be used: it is not there, or has one of the "
			  "errors above"
			: "there is no jail '%s' with a filter in %s",
		shown, confdir);
}

int plan_load_jails(struct plan **ret, const char *confdir, const struct overlay *overlay,
	const char *const *names, size_t n, struct faults *f)
{
	struct plan *p = calloc(1, sizeof(*p));
	const struct jail **picked = calloc(n + 1, sizeof(*picked));
	struct faults all = {0};
	int r = -ENOMEM;

	if (p != NULL && picked != NULL)
		r = ruleset_read(&p->rs, confdir, overlay, true, &all);
	if (r == 0)
		ruleset_pick(p->rs, names, n, picked);
	for (size_t i = 0; r != -ENOMEM && i < n; i++) {
		if (picked[i] != NULL)
			continue;
		tell_unknown(names[i], confdir, &all, f);
		r = -EINVAL;
	}
	if (r == 0)
		r = compile(p, f);
	if (r < 0)
		plan_free(p);
	else
		*ret = p;
	free(picked);
	faults_done(&all);
	return r;
}

void plan_free(struct plan *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; p->filters != NULL && i < p->rs->n_jails; i++)
		filter_free(p->filters[i]);
	free(p->filters);
	free_dates(p);
	patterns_done(&p->patterns);
	journals_done(&p->journals);
	countries_close(p->countries);
	ruleset_free(p->rs);
	free(p);
}

bool plan_jail_wants_names(const struct ruleset *rs, const struct jail *j)
{
	const char *command = j->ignorecommand.text, *key = j->ignorecache.key;

	return j->usedns == USEDNS_YES || j->usedns == USEDNS_WARN || j->ignorenames.n > 0 ||
	       rs->allow_names.n > 0 ||
	       (command != NULL && (tags_used(command, "ip-host") ||
					   (key != NULL && tags_used(key, "ip-host"))));
}
