/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "guard/internal.h"

/* A conversation on the control socket, as control.c (carrying it) and commands.c (what is said)
 * see it. */

#define ITEMS_AT_ONCE 500 /* bans listed with one question to keeper */

/* A ban in a listing under way: by key, since it may end before its turn comes. */
struct listed {
	struct prefix prefix;
	uint16_t jail;
	int64_t since_us;
};

struct control_command;

struct client {
	struct bufferevent *bev;
	struct guard *guard;
	uint32_t serial; /* of the question to keeper that it waits for; 0: none */
	const struct control_command
		*command; /* what it asked for, and said with it; NULL: nothing now */
	json_t *request;
	bool eof; /* it asks nothing more, but wants its answer */
	struct listed *listed;
	size_t n_listed, at_listed, asked_listed; /* shown up to at, keeper was asked up to asked */
	uint64_t n_shown;
	struct client *next;
};

/*
 * What may be asked. run answers at once, or asks keeper: then answer is called when keeper has
 * told what it knows and has done what it was told before. NULL: keeper's own words are the answer.
 */
struct control_command {
	const char *name;
	void (*run)(struct client *c);
	void (*answer)(struct client *c, const struct msg_query_end *q);
};

/* The command of that name, or NULL. */
const struct control_command *control_command(const char *name);

/* One line {"KEY":value}; takes the value over. */
void control_say(struct client *c, const char *key, json_t *value);

/* The last line of an answer: the value, or what is wrong and the exit status. */
void control_end(struct client *c, json_t *value);
void control_fail(struct client *c, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Asks keeper, about these bans if any. Whatever was sent before is done when the answer comes. */
void control_ask(struct client *c, const struct listed *bans, size_t n);

/* A number for a question of this client's to keeper. */
uint32_t control_serial(struct client *c);

/* Goes on with a listing: asks about the next bans, or ends it. */
void commands_list_more(struct client *c);
