/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "replay/merge.h"

#include <string.h>

/* Looks for the first, and how long it will stay that. */
static void look(struct merge *m)
{
	m->now = 0;
	for (size_t i = 1; i < m->n; i++)
		if (lane_place(m->lanes[i]) < lane_place(m->lanes[m->now]))
			m->now = i;
	m->until_us = INT64_MAX;
	for (size_t i = 0; i < m->n; i++) {
		/* One that comes later in order waits while times are the same. */
		int64_t us = lane_place(m->lanes[i]) + (i > m->now);

		if (i != m->now && us < m->until_us)
			m->until_us = us;
	}
}

struct lane *merge_next(struct merge *m)
{
	if (m->n == 0)
		return NULL;
	if (m->until_us == 0 || m->now >= m->n || lane_place(m->lanes[m->now]) >= m->until_us)
		look(m);
	return m->lanes[m->now];
}

void merge_drop(struct merge *m)
{
	m->n--;
	memmove(&m->lanes[m->now], &m->lanes[m->now + 1], (m->n - m->now) * sizeof(struct lane *));
	m->until_us = 0;
}
