/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/action.h"

#include "base/util.h"
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

/* One of those that drop packets: the kernel tables do it here. */
static bool is_wall(const char *name)
{
	static const char *const bases[] = {"stockade", "iptables", "nftables", "firewallcmd"};

	for (size_t i = 0; i < ARRAY_SIZE(bases); i++) {
		size_t len = strlen(bases[i]);

		if (strncmp(name, bases[i], len) == 0 && (name[len] == '\0' || name[len] == '-'))
			return true;
	}
	return false;
}

static void read_one(struct reader *r, const char *text, struct where where, struct action_def *ret)
{
	struct spec spec;

	if (spec_parse(r, text, where, "action", &spec) < 0)
		return;
	ret->name = arena_strdup(r->keep, spec.name);
	ret->where = reader_keep_where(r, where);
	ret->opts = option_keep(r, &spec.opts, &ret->n_opts);
	ret->is_wall = is_wall(spec.name);
}

void action_read_list(struct reader *r, const struct section *values, const char *key,
	struct action_def **ret, size_t *ret_n)
{
	struct action_def *actions;
	struct conf_text t;
	const char *at;
	size_t n = 0;

	*ret_n = 0;
	if (!value_text(r, values, key, &t))
		return;
	actions = arena_array(r->keep, ACTIONS_MAX, sizeof(*actions));
	at = t.text;
	for (const char *one; (one = spec_next(r, &at)) != NULL;) {
		struct where where = value_where(values, key, (size_t)(at - t.text) - strlen(one));

		if (n == ACTIONS_MAX) {
			reader_error(r, where, "more than %d actions: write fewer", ACTIONS_MAX);
			break;
		}
		read_one(r, one, where, &actions[n]);
		if (actions[n].name != NULL)
			n++;
	}
	*ret = actions;
	*ret_n = n;
}
