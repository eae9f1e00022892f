/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/addr.h"
#include "base/buf.h"
#include "ipc/messages.h"

#include <stdbool.h>

/*
 * The tags of ignorecommand and of ignorecache's key, which a failure fills: <ip>, <fid>, <family>,
 * <ip-rev>, <ip-host>, <failures>, <F-NAME>, and <br>, <sp> (jail.conf(5), action files). guard
 * makes the key from them, keeper the command.
 */

/* Values that come from a log line: "F-USER" NUL value NUL, and so on. */
struct tags {
	size_t len;
	char data[MSG_TAGS_MAX];
};

/* Adds one, NUL in it made visible; one that does not fit is left out. */
void tags_add(struct tags *t, const char *name, const char *value, size_t len);

/* What a text is filled with. */
struct tags_case {
	const struct prefix *who;
	unsigned failures;
	const char *data; /* as in struct tags */
	size_t len;
};

/* Does the text use a tag of this name; or, if it ends in '-', one that begins so? */
bool tags_used(const char *text, const char *name);

/* Appends the text with its tags replaced, a tag that is none left as it stands. 0 or -ENOMEM. */
int tags_fill(struct buf *ret, const char *text, const struct tags_case *c);

/*
 * The same for the shell: what could be more than a plain word stands in a variable of the
 * environment, whose name takes the tag's place. ret_env gets "NAME=value" NUL for each. 0 or
 * -ENOMEM.
 */
int tags_command(struct buf *ret, struct buf *ret_env, const char *text, const struct tags_case *c);
