/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "replay/findings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void findings_done(struct findings *q)
{
	free(q->items);
	buf_done(&q->bytes);
	*q = (struct findings) {0};
}

static int make_room(struct findings *q)
{
	size_t room = q->room > 0 ? q->room * 2 : 64;
	struct finding *items;

	if (q->n < q->room)
		return 0;
	items = reallocarray(q->items, room, sizeof(*items));
	if (items == NULL)
		return -ENOMEM;
	q->items = items;
	q->room = room;
	return 0;
}

static int add_values(struct findings *q, const struct found *found)
{
	uint64_t set = found->fields.set;
	int r = 0;

	while (r == 0 && set != 0) {
		size_t slot = fields_next(&set);

		r = buf_add(&q->bytes, &found->fields.v[slot].len, sizeof(size_t));
	}
	for (set = found->fields.set; r == 0 && set != 0;) {
		struct span v = found->fields.v[fields_next(&set)];

		r = buf_add(&q->bytes, v.text, v.len);
	}
	return r;
}

int findings_add(struct findings *q, size_t filter, const struct found *found, int64_t at_us,
	int64_t place_us)
{
	struct finding *f;

	/* It fills and empties by turns. */
	if (q->first == q->n) {
		q->first = q->n = 0;
		q->bytes.len = 0;
	}
	if (make_room(q) < 0)
		return -ENOMEM;
	f = &q->items[q->n];
	*f = (struct finding) {
		.at_us = at_us,
		.place_us = place_us,
		.filter = filter,
		.regex = found->regex,
		.n_lines = found->n_lines,
		.set = found->fields.set,
		.spans = q->bytes.len,
	};
	if (add_values(q, found) < 0)
		return -ENOMEM;
	q->n++;
	return 0;
}

const struct finding *findings_first(const struct findings *q)
{
	return q->first < q->n ? &q->items[q->first] : NULL;
}

void findings_take(struct findings *q, struct found *ret)
{
	const struct finding *f = &q->items[q->first++];
	const char *lens = q->bytes.data + f->spans, *text = lens;
	uint64_t set = f->set;

	text += (size_t)__builtin_popcountll(set) * sizeof(size_t);
	ret->verdict = VERDICT_MATCH;
	ret->regex = f->regex;
	ret->n_lines = f->n_lines;
	ret->looked_at = (struct span) {NULL, 0};
	fields_clear(&ret->fields, FIELDS_MAX);
	while (set != 0) {
		size_t slot = fields_next(&set), len;

		memcpy(&len, lens, sizeof(len));
		fields_put(&ret->fields, slot, (struct span) {text, len});
		lens += sizeof(len);
		text += len;
	}
}
