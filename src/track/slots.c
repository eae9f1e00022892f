/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "track/slots.h"

#include "track/track.h"

#include <string.h>

static uint16_t saturate(uint32_t count)
{
	return count > UINT16_MAX ? UINT16_MAX : (uint16_t)count;
}

/* Lets go of those that are findtime or more before newest. */
static void prune(struct slots *s, uint32_t newest, uint32_t findtime)
{
	uint8_t k = 0;

	while (k < s->n && (uint64_t)s->sec[k] + findtime <= newest)
		k++;
	s->n = (uint8_t)(s->n - k);
	memmove(s->sec, s->sec + k, s->n * sizeof(*s->sec));
	memmove(s->count, s->count + k, s->n * sizeof(*s->count));
}

/*
 * Of TRACK_SLOTS + 1 times in one window, the earlier of the two that are to become one. The window
 * touches at most TRACK_SLOTS of the fixed stretches of 1/7 of findtime, so two times share one.
 * Staying inside its stretch is what keeps a time from being carried on and on by merge after
 * merge.
 */
static unsigned pair_to_merge(const uint32_t *sec, uint32_t findtime)
{
	uint32_t stretch = findtime / (TRACK_SLOTS - 1) + (findtime % (TRACK_SLOTS - 1) != 0);
	uint64_t least = UINT64_MAX;
	unsigned best = 0;

	for (unsigned i = 0; i < TRACK_SLOTS; i++) {
		/* Should none share one, the closest will do. */
		uint64_t gap = sec[i + 1] - sec[i];

		if (sec[i] / stretch != sec[i + 1] / stretch)
			gap += UINT32_MAX;
		if (gap < least) {
			least = gap;
			best = i;
		}
	}
	return best;
}

/* Adds a time that is not there yet, before slot k, with all slots taken. */
static void insert_full(
	struct slots *s, unsigned k, uint32_t sec, uint16_t count, uint32_t findtime)
{
	uint32_t secs[TRACK_SLOTS + 1];
	uint16_t counts[TRACK_SLOTS + 1];
	unsigned m;

	memcpy(secs, s->sec, k * sizeof(*secs));
	memcpy(counts, s->count, k * sizeof(*counts));
	secs[k] = sec;
	counts[k] = count;
	memcpy(secs + k + 1, s->sec + k, (TRACK_SLOTS - k) * sizeof(*secs));
	memcpy(counts + k + 1, s->count + k, (TRACK_SLOTS - k) * sizeof(*counts));

	m = pair_to_merge(secs, findtime);
	counts[m + 1] = saturate((uint32_t)counts[m] + counts[m + 1]);
	memmove(secs + m, secs + m + 1, (TRACK_SLOTS - m) * sizeof(*secs));
	memmove(counts + m, counts + m + 1, (TRACK_SLOTS - m) * sizeof(*counts));
	memcpy(s->sec, secs, TRACK_SLOTS * sizeof(*secs));
	memcpy(s->count, counts, TRACK_SLOTS * sizeof(*counts));
}

void slots_add(struct slots *s, uint32_t sec, unsigned count, uint32_t findtime)
{
	uint16_t c = saturate(count);
	unsigned k;

	if (s->n > 0 && (uint64_t)sec + findtime <= s->sec[s->n - 1])
		return;
	prune(s, s->n > 0 && s->sec[s->n - 1] > sec ? s->sec[s->n - 1] : sec, findtime);
	for (k = s->n; k > 0 && s->sec[k - 1] >= sec; k--) {
		if (s->sec[k - 1] == sec) {
			s->count[k - 1] = saturate((uint32_t)s->count[k - 1] + c);
			return;
		}
	}
	if (s->n == TRACK_SLOTS) {
		insert_full(s, k, sec, c, findtime);
		return;
	}
	memmove(s->sec + k + 1, s->sec + k, (s->n - k) * sizeof(*s->sec));
	memmove(s->count + k + 1, s->count + k, (s->n - k) * sizeof(*s->count));
	s->sec[k] = sec;
	s->count[k] = c;
	s->n++;
}

unsigned slots_count(const struct slots *s, int64_t after_sec)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < s->n; i++)
		if (s->sec[i] > after_sec)
			sum += s->count[i];
	return sum;
}
