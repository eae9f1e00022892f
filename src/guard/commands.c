/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be asked on the control socket, and how it is answered. */
#include "base/buf.h"
#include "base/text.h"
#include "guard/control.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdlib.h>
#include <string.h>

/* So many of a jail's hosts in a message. */
#define NAMES_SHOWN 5

/* Is the name that of jails, one for each host? Then they are told. */
static bool fail_split(struct client *c, const char *name)
{
	const struct ruleset *rs = c->guard->rs;
	struct buf list = {0};
	unsigned n = 0;

	for (size_t i = 0; i < rs->n_jails; i++) {
		const struct jail *j = &rs->jails[i];

		if (strcmp(j->section, name) != 0 || n++ >= NAMES_SHOWN)
			continue;
		buf_addf(&list, "%s'%s'", n > 1 ? ", " : "", j->name);
	}
	if (n > 0)
		control_fail(c, 2, "jail '%.100s' is one for each of its %u hosts: name %s%s%s",
			name, n, n > 1 ? "one of " : "", buf_text(&list),
			n > NAMES_SHOWN ? " ..." : "");
	buf_done(&list);
	return n > 0;
}

static void fail_jail(struct client *c, const char *name)
{
	const struct ruleset *rs = c->guard->rs;
	const char **names = calloc(rs->n_jails + 1, sizeof(*names)), *near;

	for (size_t i = 0; names != NULL && i < rs->n_jails; i++)
		names[i] = rs->jails[i].name;
	near = names != NULL ? text_nearest(name, names, rs->n_jails) : NULL;
	control_fail(c, 2, "there is no jail '%.100s'%s%s%s", name,
		near != NULL ? ": did you mean '" : "", near != NULL ? near : "",
		near != NULL ? "'?" : "");
	free(names);
}

/* The jail that the request names; NULL and an answer given if there is none of that name. */
static struct jail_state *jail_asked(struct client *c, bool needed, bool *ret_ok)
{
	const json_t *given = json_object_get(c->request, "jail");
	const char *name = json_string_value(given);
	const struct jail *j;

	*ret_ok = true;
	if (given == NULL && !needed)
		return NULL;
	j = name != NULL ? ruleset_jail(c->guard->rs, name) : NULL;
	if (j != NULL)
		return &c->guard->jails[j->id];
	*ret_ok = false;
	if (name == NULL)
		control_fail(c, 2, "which jail? name one");
	else if (!fail_split(c, name))
		fail_jail(c, name);
	return NULL;
}

static void cmd_ping(struct client *c)
{
	control_end(c, json_pack("{s:b}", "pong", 1));
}

static void cmd_version(struct client *c)
{
	control_end(c, json_pack("{s:s,s:i}", "version", STOCKADE_VERSION, "pid", (int)getppid()));
}

static void cmd_status(struct client *c)
{
	bool ok;

	jail_asked(c, false, &ok);
	if (ok)
		control_ask(c, NULL, 0);
}

static void cmd_explain(struct client *c)
{
	struct guard *g = c->guard;
	const char *text = json_string_value(json_object_get(c->request, "addr"));
	struct listed covering[ITEMS_AT_ONCE];
	size_t n = 0;
	struct addr a;

	if (text == NULL || addr_parse(&a, text, strlen(text)) < 0) {
		control_fail(c, 2, "'%s' is no address", text != NULL ? text : "");
		return;
	}
	for (unsigned i = 0; i < g->rs->n_jails && n < ITEMS_AT_ONCE; i++) {
		const struct ban *ban = bans_covering(g->bans, i, &a);

		if (ban != NULL)
			covering[n++] = (struct listed) {.prefix = ban->prefix, .jail = ban->jail};
	}
	control_ask(c, covering, n);
}

static void cmd_reload(struct client *c)
{
	struct msg_query q = {.serial = control_serial(c)};

	channel_send(c->guard->keeper, MSG_RELOAD, &q, sizeof(q), -1);
}

static void cmd_stop(struct client *c)
{
	control_end(c, json_pack("{s:b}", "stopping", 1));
	channel_send(c->guard->keeper, MSG_STOP, NULL, 0, -1);
}

/* The i-th address asked for; false and an answer given if it is none. */
static bool addr_asked(struct client *c, size_t i, struct prefix *ret)
{
	const char *text =
		json_string_value(json_array_get(json_object_get(c->request, "addrs"), i));

	if (text != NULL && prefix_parse(ret, text, strlen(text)) == 0)
		return true;
	control_fail(c, 2, "'%s' is neither an address nor a block such as 192.0.2.0/24",
		text != NULL ? text : "");
	return false;
}

static void cmd_ban(struct client *c)
{
	struct guard *g = c->guard;
	size_t n = json_array_size(json_object_get(c->request, "addrs"));
	json_t *for_sec = json_object_get(c->request, "for");
	struct jail_state *j;
	struct prefix p;
	int64_t sec;
	bool ok;

	j = jail_asked(c, true, &ok);
	if (!ok)
		return;
	if (n == 0) {
		control_fail(c, 2, "which address?");
		return;
	}
	sec = json_is_integer(for_sec) ? json_integer_value(for_sec) : j->jail->bantime_sec;
	if (sec == 0 || sec < -1 || sec > 100LL * 366 * 86400) {
		control_fail(c, 2, "a ban lasts from 1 second to 100 years, or -1 for ever");
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (!addr_asked(c, i, &p))
			return;
	for (size_t i = 0; i < n; i++) {
		if (addr_asked(c, i, &p) && verdict_refusal(g, j->jail->id, &p) == 0)
			verdict_ban(g, j, &p, sec, 0, ORIGIN_MANUAL);
	}
	verdict_send(g);
	/* Answered when disk and kernel have them. */
	persist_now(g);
	control_ask(c, NULL, 0);
}

static void answer_ban(struct client *c, const struct msg_query_end *q)
{
	struct guard *g = c->guard;
	size_t n = json_array_size(json_object_get(c->request, "addrs"));
	json_t *refused = json_array();
	struct jail_state *j;
	int banned = 0;
	bool ok;

	(void)q;
	j = jail_asked(c, true, &ok);
	for (size_t i = 0; i < n; i++) {
		char text[PREFIX_STRLEN];
		enum refusal why;
		struct prefix p;

		if (!addr_asked(c, i, &p))
			continue;
		if (bans_find(g->bans, j->jail->id, &p) != NULL) {
			banned++;
			continue;
		}
		why = verdict_refusal(g, j->jail->id, &p);
		json_array_append_new(
			refused, json_pack("{s:s,s:s}", "ip", prefix_format(&p, text), "why",
					 refusal_text(why != 0 ? why : REFUSED_KERNEL)));
	}
	control_end(c, json_pack("{s:i,s:o}", "banned", banned, "refused", refused));
}

struct unbanning {
	struct guard *g;
	int jail; /* -1: all */
	struct ban **list;
	size_t n;
};

static void collect(void *arg, struct ban *ban)
{
	struct unbanning *u = arg;

	if (u->jail < 0 || ban->jail == u->jail)
		u->list[u->n++] = ban;
}

static int unban_all(struct guard *g, int jail)
{
	struct unbanning u = {.g = g, .jail = jail};

	u.list = calloc(bans_count(g->bans) + 1, sizeof(struct ban *));
	if (u.list == NULL)
		return 0;
	bans_each(g->bans, collect, &u);
	for (size_t i = 0; i < u.n; i++)
		verdict_unban(g, u.list[i]);
	free(u.list);
	return (int)u.n;
}

/* Lets an address off in one jail or all; how many bans that ended. */
static int unban_one(struct guard *g, int jail, const struct prefix *p)
{
	int n = 0;

	for (unsigned i = 0; i < g->rs->n_jails; i++) {
		struct ban *ban;

		if (jail >= 0 && i != (unsigned)jail)
			continue;
		ban = bans_find(g->bans, i, p);
		if (ban != NULL) {
			verdict_unban(g, ban);
			n++;
		}
		if (p->len == 128)
			track_forget(g->track, i, &p->addr);
	}
	return n;
}

/* Not banned itself, but out all the same: the blocks around it. */
static void add_covering(struct guard *g, int jail, const struct prefix *p, json_t *covered)
{
	for (unsigned i = 0; p->len == 128 && i < g->rs->n_jails; i++) {
		const struct ban *ban = NULL;
		char ip[PREFIX_STRLEN], by[PREFIX_STRLEN];

		if (jail < 0 || i == (unsigned)jail)
			ban = bans_covering(g->bans, i, &p->addr);
		if (ban != NULL)
			json_array_append_new(
				covered, json_pack("{s:s,s:s,s:s}", "ip", prefix_format(p, ip),
						 "by", prefix_format(&ban->prefix, by), "jail",
						 g->jails[i].jail->name));
	}
}

static void cmd_unban(struct client *c)
{
	struct guard *g = c->guard;
	size_t n = json_array_size(json_object_get(c->request, "addrs"));
	bool all = json_is_true(json_object_get(c->request, "all")), ok;
	struct jail_state *j = jail_asked(c, false, &ok);
	int jail = j != NULL ? (int)j->jail->id : -1, unbanned = 0;
	json_t *absent, *covered;
	struct prefix p;

	if (!ok)
		return;
	if (!all && n == 0) {
		control_fail(c, 2, "which address? name some, or say all");
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (!addr_asked(c, i, &p))
			return;
	absent = json_array();
	covered = json_array();
	if (all)
		unbanned = unban_all(g, jail);
	for (size_t i = 0; i < n && !all; i++) {
		char text[PREFIX_STRLEN];
		int done = addr_asked(c, i, &p) ? unban_one(g, jail, &p) : 0;

		unbanned += done;
		if (done == 0) {
			json_array_append_new(absent, json_string(prefix_format(&p, text)));
			add_covering(g, jail, &p, covered);
		}
	}
	/* On disk now: a guard that dies must not leave a successor who bans them anew. */
	persist_now(g);
	/* Kept in the request until keeper has done it. */
	json_object_set_new(c->request, "answer",
		json_pack("{s:i,s:o,s:o}", "unbanned", unbanned, "absent", absent, "covered",
			covered));
	control_ask(c, NULL, 0);
}

void commands_list_more(struct client *c)
{
	size_t n = c->n_listed - c->at_listed;

	if (n > ITEMS_AT_ONCE)
		n = ITEMS_AT_ONCE;
	c->asked_listed = c->at_listed + n;
	if (n > 0) {
		control_ask(c, c->listed + c->at_listed, n);
		return;
	}
	free(c->listed);
	c->listed = NULL;
	control_end(c, json_pack("{s:I}", "count", (json_int_t)c->n_shown));
}

/* keeper has told what the kernel knows of them; when this has gone out the next are asked about.
 */
static void answer_banned(struct client *c, const struct msg_query_end *q)
{
	struct guard *g = c->guard;

	(void)q;
	c->serial = 0;
	for (; c->at_listed < c->asked_listed; c->at_listed++) {
		const struct listed *l = &c->listed[c->at_listed];
		struct ban *ban = bans_find(g->bans, l->jail, &l->prefix);

		if (ban == NULL)
			continue; /* it ended meanwhile */
		control_say(c, "item", report_ban(g, ban));
		c->n_shown++;
	}
	if (evbuffer_get_length(bufferevent_get_output(c->bev)) == 0)
		commands_list_more(c);
}

struct listing {
	struct client *c;
	int jail;
};

static void list_one(void *arg, struct ban *ban)
{
	struct listing *l = arg;

	if (l->jail < 0 || ban->jail == l->jail)
		l->c->listed[l->c->n_listed++] = (struct listed) {
			.prefix = ban->prefix, .jail = ban->jail, .since_us = ban->since_us};
}

static int by_since(const void *pa, const void *pb)
{
	const struct listed *a = pa, *b = pb;

	if (a->since_us != b->since_us)
		return a->since_us < b->since_us ? -1 : 1;
	return addr_cmp(&a->prefix.addr, &b->prefix.addr);
}

static void cmd_banned(struct client *c)
{
	struct listing l = {.c = c};
	struct jail_state *j;
	bool ok;

	j = jail_asked(c, false, &ok);
	if (!ok)
		return;
	l.jail = j != NULL ? (int)j->jail->id : -1;
	c->listed = calloc(bans_count(c->guard->bans) + 1, sizeof(*c->listed));
	if (c->listed == NULL) {
		control_fail(c, 1, "out of memory");
		return;
	}
	c->n_listed = c->at_listed = 0;
	c->n_shown = 0;
	bans_each(c->guard->bans, list_one, &l);
	qsort(c->listed, c->n_listed, sizeof(*c->listed), by_since);
	commands_list_more(c);
}

static void answer_explain(struct client *c, const struct msg_query_end *q)
{
	const char *text = json_string_value(json_object_get(c->request, "addr"));
	struct addr a;

	(void)q;
	addr_parse(&a, text, strlen(text));
	control_end(c, report_address(c->guard, &a));
}

static void answer_status(struct client *c, const struct msg_query_end *q)
{
	bool ok;
	struct jail_state *j = jail_asked(c, false, &ok);

	control_end(c, report_status(c->guard, j != NULL ? j->jail : NULL, q));
}

static void answer_unban(struct client *c, const struct msg_query_end *q)
{
	(void)q;
	control_end(c, json_incref(json_object_get(c->request, "answer")));
}

static const struct control_command commands[] = {
	{"ping", cmd_ping, NULL},
	{"version", cmd_version, NULL},
	{"status", cmd_status, answer_status},
	{"banned", cmd_banned, answer_banned},
	{"ban", cmd_ban, answer_ban},
	{"unban", cmd_unban, answer_unban},
	{"explain", cmd_explain, answer_explain},
	{"reload", cmd_reload, NULL},
	{"stop", cmd_stop, NULL},
};

const struct control_command *control_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(name, commands[i].name) == 0)
			return &commands[i];
	return NULL;
}
