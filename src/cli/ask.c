/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/util.h"
#include "cli/cli.h"
#include "cli/client.h"

#include <string.h>

/* A reload reads a whole configuration before it answers. */
#define RELOAD_PATIENCE_MS 60000

/* As cli_complain, of words that may hold anything. */
static void complain_text(struct cli *c, const char *text)
{
	fprintf(c->err, "stockade %s: ", c->cmd->name);
	cli_text(c->err, text, strlen(text));
	fputc('\n', c->err);
}

/* The connection to use, which is the caller's to close, or -errno. */
static int connection(struct cli *c, struct client_error *err)
{
	int fd = c->fd;

	c->fd = -1;
	return fd >= 0 ? fd : client_connect(c->socket, CLIENT_PATIENCE_MS, err);
}

/* As client_ask over a connection of its own; uses the request up. */
static int ask(struct cli *c, json_t *request, answer_item_fn *item, void *arg, struct answer *ret,
	struct client_error *err)
{
	_cleanup_close_ int fd = -1;
	int r, patience_ms = CLIENT_PATIENCE_MS;

	if (strcmp(answer_text(request, "cmd"), "reload") == 0)
		patience_ms = RELOAD_PATIENCE_MS;
	r = fd = connection(c, err);
	if (fd >= 0)
		r = client_ask(fd, c->socket, request, patience_ms, item, arg, ret, err);
	json_decref(request);
	return r;
}

int cli_ask(struct cli *c, json_t *request, answer_item_fn *item, void *arg, struct answer *ret)
{
	struct client_error err = {0};

	if (request == NULL) {
		cli_complain(c, "out of memory");
		return CLI_UNREACHABLE;
	}
	if (ask(c, request, item, arg, ret, &err) < 0) {
		complain_text(c, err.text);
		return err.status;
	}
	if (ret->error == NULL)
		return CLI_GOOD;
	complain_text(c, ret->error);
	cli_json_faults(c->err, ret->faults);
	return ret->code;
}

void cli_ask_quietly(struct cli *c, json_t *request, struct answer *ret)
{
	struct client_error err;

	ask(c, request, NULL, NULL, ret, &err);
}

json_t *cli_jail_request(const char *cmd, const char *jail)
{
	json_t *request = json_pack("{s:s}", "cmd", cmd);

	if (jail != NULL)
		json_object_set_new(request, "jail", cli_json_text(jail, strlen(jail)));
	return request;
}

int cli_ask_plain(struct cli *c, const char *said)
{
	struct answer a = {0};
	int status;

	if (cli_plain(c, 0, 0) < 0)
		return c->status;
	status = cli_ask(c, json_pack("{s:s}", "cmd", c->cmd->name), NULL, NULL, &a);
	if (status == CLI_GOOD && c->json)
		cli_json(c, a.end);
	else if (status == CLI_GOOD)
		fprintf(c->out, "%s\n", said);
	answer_done(&a);
	return status;
}
