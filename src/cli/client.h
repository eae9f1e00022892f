/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/answer.h"

#define CLIENT_PATIENCE_MS 5000

/* What went wrong, for people: "" when nothing did. */
struct client_error {
	char text[512];
	int status; /* what to exit with: enum cli_status */
};

/* A connection to the daemon that listens at the Unix socket `path`, or -errno with *err filled. */
int client_connect(const char *path, int patience_ms, struct client_error *err);

/*
 * Sends one request over a connection (path names it in messages) and reads its answer; patience_ms
 * is how long the daemon may stay silent. Returns 0 with *ret filled (which may hold the daemon's
 * own error), else -errno with *err filled. The connection is of no more use then.
 */
int client_ask(int fd, const char *path, const json_t *request, int patience_ms,
	answer_item_fn *item, void *arg, struct answer *ret, struct client_error *err);
