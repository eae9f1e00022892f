/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket's conversations. keeper accepted the connection and checked who it is; a
 * request is one JSON object on a line, the answer lines of {"item":…} and a last {"end":…} or
 * {"error":…}.
 */
#include "guard/control.h"
#include "base/text.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdlib.h>
#include <string.h>

#define REQUEST_MAX (1 << 20)
#define CLIENTS_MAX 64
#define IDLE_SEC 60

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

void control_say(struct client *c, const char *key, json_t *value)
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
	c->command = NULL;
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

void control_end(struct client *c, json_t *value)
{
	control_say(c, "end", value);
	finish(c);
}

void control_fail(struct client *c, int code, const char *fmt, ...)
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

uint32_t control_serial(struct client *c)
{
	if (++c->guard->last_serial == 0)
		c->guard->last_serial = 1;
	return c->serial = c->guard->last_serial;
}

void control_ask(struct client *c, const struct listed *bans, size_t n)
{
	struct {
		struct msg_query query;
		struct msg_elem elems[ITEMS_AT_ONCE];
	} ask = {.query.serial = control_serial(c)};

	for (size_t i = 0; i < n; i++) {
		ask.elems[i].prefix = bans[i].prefix;
		ask.elems[i].jail = bans[i].jail;
	}
	channel_send(c->guard->keeper, MSG_QUERY_WALL, &ask,
		sizeof(ask.query) + n * sizeof(ask.elems[0]), -1);
}

static void run_request(struct client *c, const char *line, size_t len)
{
	const char *cmd;
	json_error_t e;

	c->request = json_loadb(line, len, JSON_REJECT_DUPLICATES, &e);
	cmd = json_string_value(json_object_get(c->request, "cmd"));
	if (cmd == NULL) {
		control_fail(c, 2, "a request is a JSON object with \"cmd\"");
		return;
	}
	bufferevent_disable(c->bev, EV_READ);
	c->command = control_command(cmd);
	if (c->command != NULL)
		c->command->run(c);
	else
		control_fail(c, 2, "unknown command '%s'", cmd);
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
		commands_list_more(c);
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

	if (c != NULL && c->command != NULL && c->command->answer != NULL)
		c->command->answer(c, q); /* else it hung up meanwhile */
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
