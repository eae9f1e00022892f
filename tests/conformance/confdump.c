/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a configuration means, as JSON: a jail an object a line. Faults go to standard error. */
#include "base/text.h"
#include "config/ruleset.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *text(const char *s)
{
	return s != NULL ? json_string(s) : json_null();
}

static json_t *texts(const struct conf_text *t, size_t n)
{
	json_t *a = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(a, text(t[i].text));
	return a;
}

static json_t *options(const struct conf_option *o, size_t n)
{
	json_t *a = json_object();

	for (size_t i = 0; i < n; i++)
		json_object_set_new(a, o[i].name, text(o[i].value.text));
	return a;
}

static json_t *actions(const struct jail *j)
{
	json_t *a = json_array();

	for (size_t i = 0; i < j->n_actions; i++)
		json_array_append_new(
			a, json_pack("[s, o]", j->actions[i].name,
				   options(j->actions[i].opts, j->actions[i].n_opts)));
	return a;
}

static json_t *logpaths(const struct jail *j)
{
	json_t *a = json_array();

	for (size_t i = 0; i < j->n_logpaths; i++)
		json_array_append_new(a, json_pack("[o, b]", text(j->logpaths[i].pattern),
						 (int)j->logpaths[i].tail));
	return a;
}

static json_t *ignorecache(const struct ignore_cache *c)
{
	if (c->key == NULL)
		return json_null();
	return json_pack(
		"[o, I, I]", text(c->key), (json_int_t)c->max_count, (json_int_t)c->max_time_sec);
}

static json_t *growth(const struct bantime_growth *g)
{
	return json_pack("{s:b, s:b, s:o, s:o, s:o, s:I, s:I}", "increment", (int)g->increment,
		"overalljails", (int)g->overalljails, "factor", text(g->factor.text), "formula",
		text(g->formula.text), "multipliers", text(g->multipliers.text), "maxtime",
		(json_int_t)g->maxtime_sec, "rndtime", (json_int_t)g->rndtime_sec);
}

static json_t *ports(const struct jail *j)
{
	json_t *a = json_array();

	for (size_t i = 0; i < j->n_ports; i++)
		json_array_append_new(
			a, json_pack("[i, i]", (int)j->ports[i].lo, (int)j->ports[i].hi));
	return a;
}

static void set_filter(json_t *o, const struct filter_def *f)
{
	json_object_set_new(o, "prefregex", text(f->prefregex.text));
	json_object_set_new(o, "failregex", texts(f->failregex, f->n_failregex));
	json_object_set_new(o, "ignoreregex", texts(f->ignoreregex, f->n_ignoreregex));
	json_object_set_new(o, "datepattern", text(f->datepattern.text));
	json_object_set_new(o, "journalmatch", text(f->journalmatch.text));
	json_object_set_new(o, "maxlines", json_integer(f->maxlines));
}

static void dump(const struct jail *j)
{
	static const char *const usedns[] = {[USEDNS_WARN] = "warn",
		[USEDNS_YES] = "yes",
		[USEDNS_NO] = "no",
		[USEDNS_RAW] = "raw"};
	json_t *o = json_object();
	char *line;

	json_object_set_new(o, "name", text(j->name));
	set_filter(o, j->filter);
	json_object_set_new(o, "backend", text(j->backend.text));
	json_object_set_new(o, "backend_opts", options(j->backend_opts, j->n_backend_opts));
	json_object_set_new(o, "logpath", logpaths(j));
	json_object_set_new(o, "logencoding", text(j->logencoding.text));
	json_object_set_new(o, "logtimezone", text(j->logtimezone.text));
	json_object_set_new(o, "usedns", text(usedns[j->usedns]));
	json_object_set_new(o, "ignorecommand", text(j->ignorecommand.text));
	json_object_set_new(o, "ignorecache", ignorecache(&j->ignorecache));
	json_object_set_new(o, "ignoreself", json_boolean(j->ignoreself));
	json_object_set_new(o, "maxmatches", json_integer(j->maxmatches));
	json_object_set_new(o, "maxretry", json_integer(j->maxretry));
	json_object_set_new(o, "findtime", json_integer(j->findtime_sec));
	json_object_set_new(o, "bantime", json_integer(j->bantime_sec));
	json_object_set_new(o, "growth", growth(&j->growth));
	json_object_set_new(o, "actions", actions(j));
	json_object_set_new(o, "ports", ports(j));
	line = json_dumps(o, 0);
	if (line == NULL)
		exit(2);
	puts(line);
	free(line);
	json_decref(o);
}

int main(int argc, char **argv)
{
	struct ruleset *rs = NULL;
	struct faults f = {0};
	int r;

	if (argc != 2) {
		fputs("usage: confdump DIR\n", stderr);
		return 2;
	}
	r = ruleset_load(&rs, argv[1], &f);
	for (size_t i = 0; i < f.n; i++) {
		char *line = fault_text(&f.items[i]);

		fprintf(stderr, "%s\n", line != NULL ? line : "out of memory");
		free(line);
	}
	for (size_t i = 0; r == 0 && i < rs->n_jails; i++)
		dump(&rs->jails[i]);
	ruleset_free(rs);
	faults_done(&f);
	return r == 0 ? 0 : 1;
}
