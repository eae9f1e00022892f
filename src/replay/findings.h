/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/buf.h"
#include "match/search.h"

#include <stdint.h>

/* What was found in a log and must wait until others have come as far. {0} is an empty queue. */
struct findings {
	struct finding {
		int64_t at_us, place_us;
		size_t filter;
		unsigned regex, n_lines;
		uint64_t set; /* the fields that have a value */
		size_t spans; /* their lengths, and behind those their texts, are in bytes */
	} * items;
	size_t first, n, room;
	struct buf bytes;
};

void findings_done(struct findings *q);

/* A copy at the end; place_us: its place among what other logs have. 0 or -ENOMEM. */
int findings_add(struct findings *q, size_t filter, const struct found *found, int64_t at_us,
	int64_t place_us);

/* The first, NULL: there is none. Valid until the queue changes. */
const struct finding *findings_first(const struct findings *q);

/* The first as it was; it leaves the queue, and what it borrows lives until the queue changes. */
void findings_take(struct findings *q, struct found *ret);
