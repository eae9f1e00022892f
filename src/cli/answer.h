/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/buf.h"

#include <jansson.h>
#include <stdint.h>

/*
 * What the daemon answers on its control socket: any number of lines {"item":{...}}, then one line
 * {"end":{...}} or {"error":"text","code":1|2}. Read as if a stranger had written it.
 */

#define ANSWER_LINE_MAX (1024 * 1024)

/* How an answer ended: end is set, or error. {0} is an empty one. */
struct answer {
	json_t *end;
	char *error;
	int code;       /* with error: the exit status, 1 or 2 */
	json_t *faults; /* with error: an array, or NULL */
};

void answer_done(struct answer *a);

/* Takes one item (an object), borrowed. Returning <0 ends the reading with that. */
typedef int answer_item_fn(void *arg, json_t *item);

struct answer_reader {
	answer_item_fn *item; /* may be NULL: items are passed over */
	void *arg;
	struct answer *answer;
	struct buf line; /* the part of a line that came so far */
};

/*
 * Takes the next bytes, however they are cut. Returns 0 when there is more to come, 1 when
 * *answer is complete (what follows is ignored), -EBADMSG for what is no answer, -EMSGSIZE for a
 * line above ANSWER_LINE_MAX, -ENOMEM, or what item returned.
 */
int answer_feed(struct answer_reader *r, const char *data, size_t len);

/* Frees the reader, not the answer. */
void answer_reader_done(struct answer_reader *r);

/*
 * A member of an object, whatever there is instead: obj may be NULL or no object, the member absent
 * or of another type. A text may hold any byte but is valid UTF-8; *ret_len may be NULL.
 */
int64_t answer_int(const json_t *obj, const char *key, int64_t otherwise);
bool answer_bool(const json_t *obj, const char *key, bool otherwise);
const char *answer_text(const json_t *obj, const char *key); /* "" if there is none */
const json_t *answer_array(const json_t *obj, const char *key);
