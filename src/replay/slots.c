/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "replay/slots.h"

#include <stdlib.h>

void slots_init(struct slots *s, size_t n_dates, size_t most)
{
	*s = (struct slots) {.n_dates = n_dates, .most = most};
}

static void slot_free(struct slot *slot)
{
	batch_done(&slot->job.batch);
	chunk_done(&slot->chunk);
	free(slot->dates);
	free(slot);
}

void slots_done(struct slots *s)
{
	struct slot *next;

	for (struct slot *slot = s->idle; slot != NULL; slot = next) {
		next = slot->next;
		slot_free(slot);
	}
	*s = (struct slots) {0};
}

static struct slot *slot_new(size_t n_dates)
{
	struct slot *slot = calloc(1, sizeof(*slot));

	if (slot == NULL)
		return NULL;
	slot->dates = calloc(n_dates + 1, sizeof(*slot->dates));
	if (slot->dates == NULL) {
		free(slot);
		return NULL;
	}
	return slot;
}

struct slot *slots_get(struct slots *s, bool must)
{
	struct slot *slot;

	if (s->n_lent >= s->most && !must)
		return NULL;
	slot = s->idle;
	if (slot != NULL) {
		s->idle = slot->next;
		s->n_idle--;
	} else {
		slot = slot_new(s->n_dates);
	}
	if (slot == NULL)
		return NULL;
	slot->is_given = false;
	slot->next = NULL;
	s->n_lent++;
	return slot;
}

void slots_put(struct slots *s, struct slot *slot)
{
	s->n_lent--;
	if (s->n_idle >= s->most) {
		slot_free(slot);
		return;
	}
	s->n_idle++;
	slot->next = s->idle;
	s->idle = slot;
}
