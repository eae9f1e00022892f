/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket's conversations. keeper accepted the connection and checked who it is; a
 * request is one JSON object on a line, the answer lines of {"item":…} and a last {"end":…} or
 * {"error":…}.
 */
#include "guard/internal.h"

#include "base/text.h"
#include "guard/policy.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdlib.h>
#include <string.h>

#define REQUEST_MAX (1 << 20)
#define CLIENTS_MAX 64
#define IDLE_SEC 60
#define ITEMS_AT_ONCE 500 /* bans listed with one question to keeper */

/* A ban in a listing under way: by key, since it may end before its turn comes. */
struct listed {
	struct prefix prefix;
	uint16_t jail;
	int64_t since_us;
};

struct client {
	struct bufferevent *bev;
	struct guard *guard;
	uint32_t serial; /* of the question to keeper that it waits for; 0: none */
	json_t *request; /* what it asked */
	bool eof;        /* it asks nothing more, but wants its answer */
	struct listed *listed;
	size_t n_listed, at_listed, asked_listed; /* shown up to at, keeper was asked up to asked */
	uint64_t n_shown;
	struct client *next;
};

static void client_free(struct client *c)
{
	struct client **link = &c->guard->clients;

	while (*link != c)
		link = &(*link)->next;
	*link = c->next;
	c->guard->n_clients--;
	bufferevent_free(c->bev);
	json_decref(c->request);
	free(c->listed);
	free(c);
}

static void say(struct client *c, const char *key, json_t *value)
{
	json_t *line = value != NULL ? json_pack("{s:o}", key, value) : NULL;
	char *text = line != NULL ? json_dumps(line, JSON_COMPACT) : NULL;

	if (text != NULL)
		bufferevent_write(c->bev, text, strlen(text));
	else
		bufferevent_write(c->bev, "{\"error\":\"out of memory\",\"code\":1}", 34);
	bufferevent_write(c->bev, "\n", 1);
	free(text);
	json_decref(line);
}

/* The answer is complete: the next request may come. */
static void finish(struct client *c)
{
	json_decref(c->request);
	c->request = NULL;
	c->serial = 0;
	if (c->eof) {
		bufferevent_trigger(
			c->bev, EV_WRITE, BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
		return;
	}
	bufferevent_enable(c->bev, EV_READ);
	/* Another line may wait in the buffer already. */
	bufferevent_trigger(c->bev, EV_READ, BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
}

static void end_with(struct client *c, json_t *value)
{
	say(c, "end", value);
	finish(c);
}

static void fail(struct client *c, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void fail(struct client *c, int code, const char *fmt, ...)
{
	char raw[512], message[1024];
	json_t *line;
	char *text;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	text_escape(message, sizeof(message), raw, strlen(raw)); /* cut, it may not be UTF-8 */
	line = json_pack("{s:s,s:i}", "error", message, "code", code);
	text = line != NULL ? json_dumps(line, JSON_COMPACT) : NULL;
	if (text != NULL)
		bufferevent_write(c->bev, text, strlen(text));
	bufferevent_write(c->bev, "\n", 1);
	free(text);
	json_decref(line);
	finish(c);
}

/*
 * Asks keeper, about these bans if any; the answer to the client is given when it comes. Whatever
 * was sent before is done then.
 */
static void ask_about(struct client *c, const struct listed *bans, size_t n)
{
	struct {
		struct msg_query query;
		struct msg_elem elems[ITEMS_AT_ONCE];
	} ask = {0};

	if (++c->guard->last_serial == 0)
		c->guard->last_serial = 1;
	c->serial = ask.query.serial = c->guard->last_serial;
	for (size_t i = 0; i < n; i++) {
		ask.elems[i].prefix = bans[i].prefix;
		ask.elems[i].jail = bans[i].jail;
	}
	channel_send(c->guard->keeper, MSG_QUERY_WALL, &ask,
		sizeof(ask.query) + n * sizeof(ask.elems[0]), -1);
}

static void ask_keeper(struct client *c)
{
	ask_about(c, NULL, 0);
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
		fail(c, 2, "which jail? name one");
	else
		fail(c, 2, "there is no jail '%s'", name);
	return NULL;
}

static void cmd_ping(struct client *c)
{
	end_with(c, json_pack("{s:b}", "pong", 1));
}

static void cmd_version(struct client *c)
{
	end_with(c, json_pack("{s:s,s:i}", "version", STOCKADE_VERSION, "pid", (int)getppid()));
}

static void cmd_status(struct client *c)
{
	bool ok;

	jail_asked(c, false, &ok);
	if (ok)
		ask_keeper(c);
}

static void cmd_explain(struct client *c)
{
	struct guard *g = c->guard;
	const char *text = json_string_value(json_object_get(c->request, "addr"));
	struct listed covering[ITEMS_AT_ONCE];
	size_t n = 0;
	struct addr a;

	if (text == NULL || addr_parse(&a, text, strlen(text)) < 0) {
		fail(c, 2, "'%s' is no address", text != NULL ? text : "");
		return;
	}
	for (unsigned i = 0; i < g->rs->n_jails && n < ITEMS_AT_ONCE; i++) {
		const struct ban *ban = bans_covering(g->bans, i, &a);

		if (ban != NULL)
			covering[n++] = (struct listed) {.prefix = ban->prefix, .jail = ban->jail};
	}
	ask_about(c, covering, n);
}

static void cmd_reload(struct client *c)
{
	struct msg_query q = {0};

	if (++c->guard->last_serial == 0)
		c->guard->last_serial = 1;
	c->serial = q.serial = c->guard->last_serial;
	channel_send(c->guard->keeper, MSG_RELOAD, &q, sizeof(q), -1);
}

static void cmd_stop(struct client *c)
{
	end_with(c, json_pack("{s:b}", "stopping", 1));
	channel_send(c->guard->keeper, MSG_STOP, NULL, 0, -1);
}

/* The i-th address asked for; false and an answer given if it is none. */
static bool addr_asked(struct client *c, size_t i, struct prefix *ret)
{
	const char *text =
		json_string_value(json_array_get(json_object_get(c->request, "addrs"), i));

	if (text != NULL && prefix_parse(ret, text, strlen(text)) == 0)
		return true;
	fail(c, 2, "'%s' is neither an address nor a block such as 192.0.2.0/24",
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
		fail(c, 2, "which address?");
		return;
	}
	sec = json_is_integer(for_sec) ? json_integer_value(for_sec) : j->jail->bantime_sec;
	if (sec == 0 || sec < -1 || sec > 100LL * 366 * 86400) {
		fail(c, 2, "a ban lasts from 1 second to 100 years, or -1 for ever");
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (!addr_asked(c, i, &p))
			return;
	for (size_t i = 0; i < n; i++) {
		if (addr_asked(c, i, &p) &&
			policy_check(g->rs, g->own, g->n_own, j->jail->id, &p) == 0)
			verdict_ban(g, j, &p, sec, 0, ORIGIN_MANUAL);
	}
	verdict_send(g);
	/* Answered when disk and kernel have them. */
	persist_now(g);
	ask_keeper(c);
}

static void answer_ban(struct client *c)
{
	struct guard *g = c->guard;
	size_t n = json_array_size(json_object_get(c->request, "addrs"));
	json_t *refused = json_array();
	struct jail_state *j;
	int banned = 0;
	bool ok;

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
		why = policy_check(g->rs, g->own, g->n_own, j->jail->id, &p);
		json_array_append_new(
			refused, json_pack("{s:s,s:s}", "ip", prefix_format(&p, text), "why",
					 refusal_text(why != 0 ? why : REFUSED_KERNEL)));
	}
	end_with(c, json_pack("{s:i,s:o}", "banned", banned, "refused", refused));
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

static void cmd_unban(struct client *c)
{
	struct guard *g = c->guard;
	size_t n = json_array_size(json_object_get(c->request, "addrs"));
	bool all = json_is_true(json_object_get(c->request, "all")), ok;
	struct jail_state *j = jail_asked(c, false, &ok);
	int jail = j != NULL ? (int)j->jail->id : -1, unbanned = 0;
	json_t *absent;
	struct prefix p;

	if (!ok)
		return;
	if (!all && n == 0) {
		fail(c, 2, "which address? name some, or say all");
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (!addr_asked(c, i, &p))
			return;
	absent = json_array();
	if (all)
		unbanned = unban_all(g, jail);
	for (size_t i = 0; i < n && !all; i++) {
		char text[PREFIX_STRLEN];
		int done = addr_asked(c, i, &p) ? unban_one(g, jail, &p) : 0;

		unbanned += done;
		if (done == 0)
			json_array_append_new(absent, json_string(prefix_format(&p, text)));
	}
	/* On disk now: a guard that dies must not leave a successor who bans them anew. */
	persist_now(g);
	/* Kept in the request until keeper has done it. */
	json_object_set_new(c->request, "answer",
		json_pack("{s:i,s:o}", "unbanned", unbanned, "absent", absent));
	ask_keeper(c);
}

/* Asks about the next bans of a listing, or ends it. */
static void list_more(struct client *c)
{
	size_t n = c->n_listed - c->at_listed;

	if (n > ITEMS_AT_ONCE)
		n = ITEMS_AT_ONCE;
	c->asked_listed = c->at_listed + n;
	if (n > 0) {
		ask_about(c, c->listed + c->at_listed, n);
		return;
	}
	free(c->listed);
	c->listed = NULL;
	end_with(c, json_pack("{s:I}", "count", (json_int_t)c->n_shown));
}

/* keeper has told what the kernel knows of them; when this has gone out the next are asked about.
 */
static void list_asked(struct client *c)
{
	struct guard *g = c->guard;

	c->serial = 0;
	for (; c->at_listed < c->asked_listed; c->at_listed++) {
		const struct listed *l = &c->listed[c->at_listed];
		struct ban *ban = bans_find(g->bans, l->jail, &l->prefix);

		if (ban == NULL)
			continue; /* it ended meanwhile */
		say(c, "item", report_ban(g, ban));
		c->n_shown++;
	}
	if (evbuffer_get_length(bufferevent_get_output(c->bev)) == 0)
		list_more(c);
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
		fail(c, 1, "out of memory");
		return;
	}
	c->n_listed = c->at_listed = 0;
	c->n_shown = 0;
	bans_each(c->guard->bans, list_one, &l);
	qsort(c->listed, c->n_listed, sizeof(*c->listed), by_since);
	list_more(c);
}

static void answer_explain(struct client *c)
{
	const char *text = json_string_value(json_object_get(c->request, "addr"));
	struct addr a;

	addr_parse(&a, text, strlen(text));
	end_with(c, report_address(c->guard, &a));
}

static const struct command {
	const char *name;
	void (*run)(struct client *c);
} commands[] = {
	{"ping", cmd_ping},
	{"version", cmd_version},
	{"status", cmd_status},
	{"banned", cmd_banned},
	{"ban", cmd_ban},
	{"unban", cmd_unban},
	{"explain", cmd_explain},
	{"reload", cmd_reload},
	{"stop", cmd_stop},
};

static bool asked(const struct client *c, const char *cmd)
{
	return strcmp(json_string_value(json_object_get(c->request, "cmd")), cmd) == 0;
}

static void run_request(struct client *c, const char *line, size_t len)
{
	const char *cmd;
	json_error_t e;

	c->request = json_loadb(line, len, JSON_REJECT_DUPLICATES, &e);
	cmd = json_string_value(json_object_get(c->request, "cmd"));
	if (cmd == NULL) {
		fail(c, 2, "a request is a JSON object with \"cmd\"");
		return;
	}
	bufferevent_disable(c->bev, EV_READ);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(cmd, commands[i].name) == 0) {
			commands[i].run(c);
			return;
		}
	}
	fail(c, 2, "unknown command '%s'", cmd);
}

static void on_read(struct bufferevent *bev, void *arg)
{
	struct client *c = arg;
	struct guard *g = c->guard;
	struct evbuffer *in = bufferevent_get_input(bev);
	size_t len;
	char *line;

	if (c->request != NULL)
		return;
	line = evbuffer_readln(in, &len, EVBUFFER_EOL_LF);
	if (line != NULL) {
		run_request(c, line, len);
		free(line);
	} else if (evbuffer_get_length(in) > REQUEST_MAX) {
		client_free(c);
		return;
	}
	guard_turn_end(g);
}

static void on_written(struct bufferevent *bev, void *arg)
{
	struct client *c = arg;

	if (evbuffer_get_length(bufferevent_get_output(bev)) > 0)
		return;
	if (c->listed != NULL && c->serial == 0)
		list_more(c);
	else if (c->eof && c->request == NULL)
		client_free(c);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct client *c = arg;
	bool owed = c->request != NULL || evbuffer_get_length(bufferevent_get_output(bev)) > 0;

	/* Only its side is closed: what it asked for it still gets. */
	if ((what & BEV_EVENT_EOF) != 0 && owed && !c->eof) {
		c->eof = true;
		bufferevent_disable(bev, EV_READ);
		return;
	}
	client_free(c); /* closed, failed or idle */
}

int control_client(struct guard *g, int fd)
{
	struct timeval idle = {.tv_sec = IDLE_SEC};
	struct client *c = g->n_clients < CLIENTS_MAX ? calloc(1, sizeof(*c)) : NULL;

	if (c == NULL) {
		close(fd);
		return 0;
	}
	evutil_make_socket_nonblocking(fd);
	c->guard = g;
	c->bev = bufferevent_socket_new(g->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (c->bev == NULL) {
		close(fd);
		free(c);
		return 0;
	}
	c->next = g->clients;
	g->clients = c;
	g->n_clients++;
	bufferevent_setcb(c->bev, on_read, on_written, on_event, c);
	bufferevent_setwatermark(c->bev, EV_READ, 0, REQUEST_MAX + 4096);
	bufferevent_set_timeouts(c->bev, &idle, &idle);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
	return 0;
}

void control_elems(struct guard *g, const struct msg_elem *e, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct ban *ban = bans_find(g->bans, e[i].jail, &e[i].prefix);

		if (ban == NULL)
			continue;
		ban->in_kernel = e[i].there;
		ban->packets = e[i].packets;
		ban->bytes = e[i].bytes;
	}
}

static struct client *waiting(struct guard *g, uint32_t serial)
{
	for (struct client *c = g->clients; c != NULL; c = c->next)
		if (c->serial == serial)
			return c;
	return NULL;
}

void control_query_end(struct guard *g, const struct msg_query_end *q)
{
	struct client *c = waiting(g, q->serial);
	bool ok;

	if (c == NULL || c->request == NULL)
		return; /* it hung up meanwhile */
	if (asked(c, "status")) {
		struct jail_state *j = jail_asked(c, false, &ok);

		end_with(c, report_status(g, j != NULL ? j->jail : NULL, q));
	} else if (asked(c, "banned")) {
		list_asked(c);
	} else if (asked(c, "ban")) {
		answer_ban(c);
	} else if (asked(c, "unban")) {
		end_with(c, json_incref(json_object_get(c->request, "answer")));
	} else if (asked(c, "explain")) {
		answer_explain(c);
	}
}

void control_reloaded(struct guard *g, uint32_t serial, const char *text, size_t len)
{
	struct client *c = waiting(g, serial);

	if (c == NULL || c->request == NULL)
		return;
	bufferevent_write(c->bev, text, len);
	bufferevent_write(c->bev, "\n", 1);
	finish(c);
}

void control_done(struct guard *g)
{
	while (g->clients != NULL) {
		struct bufferevent *bev = g->clients->bev;
		struct evbuffer *out = bufferevent_get_output(bev);

		/* What is answered goes out as far as the socket takes it; a bufferevent keeps the
		 * start of its output frozen but for itself. */
		evbuffer_unfreeze(out, 1);
		while (evbuffer_get_length(out) > 0 &&
			evbuffer_write(out, bufferevent_getfd(bev)) > 0)
			;
		client_free(g->clients);
	}
}
