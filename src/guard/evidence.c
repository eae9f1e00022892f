/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/evidence.h"

#include "base/buf.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define RING EVIDENCE_LINES
#define WITH_A_BAN 50 /* lines */

struct key {
	struct addr addr;
	uint16_t jail;
};

struct entry {
	int64_t time_us;
	uint16_t len;
	char line[EVIDENCE_LINE_MAX];
};

struct evidence {
	size_t next, n;
	struct key keys[RING]; /* apart from the lines: they are searched at each ban */
	struct entry ring[RING];
};

static bool is_of(const struct key *k, int jail, const struct addr *a)
{
	return (jail < 0 || k->jail == jail) && addr_eq(&k->addr, a);
}

struct evidence *evidence_new(void)
{
	return calloc(1, sizeof(struct evidence));
}

void evidence_free(struct evidence *e)
{
	free(e);
}

void evidence_add(struct evidence *e, unsigned jail, const struct addr *a, int64_t time_us,
	const char *line, size_t len)
{
	struct entry *one = &e->ring[e->next];

	if (len > sizeof(one->line))
		len = sizeof(one->line);
	e->keys[e->next] = (struct key) {.addr = *a, .jail = (uint16_t)jail};
	one->time_us = time_us;
	one->len = (uint16_t)len;
	memcpy(one->line, line, len);
	e->next = (e->next + 1) % RING;
	if (e->n < RING)
		e->n++;
}

void evidence_each(const struct evidence *e, int jail, const struct addr *a,
	void (*fn)(void *arg, unsigned jail, int64_t time_us, const char *line, size_t len),
	void *arg)
{
	for (size_t i = 0; i < e->n; i++) {
		size_t at = (e->next + RING - e->n + i) % RING;
		const struct entry *one = &e->ring[at];

		if (is_of(&e->keys[at], jail, a))
			fn(arg, e->keys[at].jail, one->time_us, one->line, one->len);
	}
}

char *evidence_text(const struct evidence *e, unsigned jail, const struct addr *a, unsigned max)
{
	const struct entry *last[WITH_A_BAN];
	struct buf text = {0};
	size_t found = 0;

	if (max > WITH_A_BAN)
		max = WITH_A_BAN;
	/* From the newest back: a ban follows right upon its lines, so the walk is short. */
	for (size_t i = 1; i <= e->n && found < max && i <= RING / 4; i++) {
		size_t at = (e->next + RING - i) % RING;

		if (is_of(&e->keys[at], (int)jail, a))
			last[found++] = &e->ring[at];
	}
	while (found-- > 0) {
		char safe[EVIDENCE_LINE_MAX * 2];
		size_t len = text_escape(safe, sizeof(safe), last[found]->line, last[found]->len);

		if (text.len > 0)
			buf_add(&text, "\n", 1);
		buf_add(&text, safe, len);
	}
	return text.data;
}
