/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/action.h"

#include "config/action_file.h"
#include "config/option.h"
#include "config/spec.h"
#include "config/value.h"

#include <string.h>

#define ACTIONS_MAX 100

const struct conf_option *action_option(const struct action_def *a, const char *name)
{
	for (size_t i = 0; i < a->n_opts; i++)
		if (strcmp(a->opts[i].name, name) == 0)
			return &a->opts[i];
	return NULL;
}

/* What its file is given besides what the jail says. */
static void set_names(struct reader *r, struct spec *spec, const char *jail, struct where where)
{
	if (section_entry(&spec->opts, "name") == NULL)
		section_set(&spec->opts, r->scratch, "name", jail, where);
	if (section_entry(&spec->opts, "actname") == NULL)
		section_set(&spec->opts, r->scratch, "actname", spec->name, where);
}

/* Where it is met first says enough. */
static void tell_once(struct reader *r, const char *name, struct where where)
{
	struct named *told;

	if (r->lenient || names_get(&r->told_actions, name) != NULL)
		return;
	told = arena_alloc(r->scratch, sizeof(*told));
	told->name = name;
	names_put(&r->told_actions, r->scratch, told);
	reader_warn(r, where,
		"the action '%s' is not run by this version: who is banned is dropped in the "
		"kernel, "
		"and that is all",
		reader_show(r, name));
}

static void read_one(struct reader *r, const struct section *jail, const char *text,
	struct where where, struct action_def *ret)
{
	struct spec spec;

	if (spec_parse(r, text, where, "action", &spec) < 0)
		return;
	ret->name = arena_strdup(r->keep, spec.name);
	ret->where = reader_keep_where(r, where);
	ret->opts = option_keep(r, &spec.opts, &ret->n_opts);
	ret->is_wall = action_file_is_wall(spec.name);
	if (ret->is_wall)
		return;
	set_names(r, &spec, jail->name, where);
	if (action_file_check(r, spec.name, where, &spec.opts, jail))
		tell_once(r, spec.name, where);
}

/* Is it the base with options, if any: "%(banaction)s[port=...]" written out? */
static bool is_made_of(const char *text, const struct conf_text *base)
{
	size_t len = base != NULL ? strlen(base->text) : 0;

	return len > 0 && strncmp(text, base->text, len) == 0 &&
	       (text[len] == '\0' || text[len] == '[');
}

void action_read_list(struct reader *r, const struct section *s, const char *key,
	const struct section *jail, const struct conf_text *base, struct action_def **ret,
	size_t *ret_n)
{
	struct action_def *actions;
	struct conf_text t;
	const char *at;
	size_t n = 0;

	*ret_n = 0;
	if (!value_text(r, s, key, &t))
		return;
	actions = arena_array(r->keep, ACTIONS_MAX, sizeof(*actions));
	at = t.text;
	for (const char *one; (one = spec_next(r, &at)) != NULL;) {
		struct where where = value_where(s, key, (size_t)(at - t.text) - strlen(one));

		if (is_made_of(one, base))
			where = base->where;
		if (n == ACTIONS_MAX) {
			reader_error(r, where, "more than %d actions: write fewer", ACTIONS_MAX);
			break;
		}
		read_one(r, jail, one, where, &actions[n]);
		if (actions[n].name != NULL)
			n++;
	}
	*ret = actions;
	*ret_n = n;
}
