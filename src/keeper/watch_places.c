/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"
#include "base/util.h"
#include "keeper/watch_priv.h"

#include <string.h>

#define SHARES_MAX 4 /* a pattern has the SHARES_MAXth part of all places at most, with so many */

static int place_cmp(const void *a, const void *b)
{
	return strcmp(((const struct place *)a)->path, ((const struct place *)b)->path);
}

static bool is_kept(const struct places *list, const char *path)
{
	struct place key = {.path = (char *)path};

	return list->n > 0 && bsearch(&key, list->items, list->n, sizeof(key), place_cmp) != NULL;
}

static size_t taken(const struct watched *p)
{
	return p->files.n + p->kept.n + p->n_new;
}

size_t watch_places_max(const struct watch *w)
{
	size_t shares = w->n_globs < SHARES_MAX ? w->n_globs : SHARES_MAX;

	return shares > 0 ? w->cap / shares : w->cap;
}

/* Is there a place left of those that are nobody's own? */
static bool common_left(const struct watch *w, size_t own)
{
	size_t used = 0;

	for (size_t i = 0; i < w->n_patterns; i++) {
		const struct watched *p = &w->patterns[i];

		if (p->glob && taken(p) > own)
			used += taken(p) - own;
	}
	return used < w->cap - own * w->n_globs;
}

bool watch_place_take(struct watch *w, struct watched *p, const char *path)
{
	size_t own;

	if (!p->glob || watch_find(&p->files, path) != NULL || is_kept(&p->kept, path))
		return true;
	if (p->capped)
		return false;
	own = w->cap / 2 / w->n_globs;
	if (taken(p) >= watch_places_max(w) || (taken(p) >= own && !common_left(w, own))) {
		p->capped = true;
		return false;
	}
	p->n_new++;
	return true;
}

void watch_places_keep(struct watch *w, struct watched *p)
{
	int64_t until_us = clock_mono_us() + w->place_keep_us;
	struct places *list = &p->kept;
	struct place *items;
	size_t n = 0;

	if (!p->glob)
		return;
	for (size_t i = 0; i < list->n; i++) {
		if (watch_find(&p->found, list->items[i].path) != NULL)
			free(list->items[i].path);
		else
			list->items[n++] = list->items[i];
	}
	list->n = n;
	for (size_t i = 0; i < p->files.n; i++) {
		const char *path = p->files.items[i].path;

		if (watch_find(&p->found, path) != NULL)
			continue;
		/* Without memory it has to look for a new place. */
		items = reallocarray(list->items, list->n + 1, sizeof(*items));
		if (items == NULL)
			break;
		list->items = items;
		items[list->n] = (struct place) {.path = strdup(path), .until_us = until_us};
		list->n += items[list->n].path != NULL;
	}
	if (list->n > n)
		qsort(list->items, list->n, sizeof(*list->items), place_cmp);
}

/* True: a place became free. */
static bool expire(struct places *list, int64_t now_us, int64_t *next_us)
{
	size_t n = 0, before = list->n;

	for (size_t i = 0; i < before; i++) {
		struct place *p = &list->items[i];

		if (p->until_us <= now_us) {
			free(p->path);
			continue;
		}
		if (*next_us < 0 || p->until_us < *next_us)
			*next_us = p->until_us;
		list->items[n++] = *p;
	}
	list->n = n;
	return n < before;
}

void watch_places_expire(struct watch *w, int64_t *ret_next_us)
{
	int64_t now_us = clock_mono_us();
	bool capped = false, freed = false;

	*ret_next_us = -1;
	for (size_t i = 0; i < w->n_patterns; i++) {
		freed |= expire(&w->patterns[i].kept, now_us, ret_next_us);
		capped |= w->patterns[i].capped;
	}
	for (size_t i = 0; i < w->n_patterns && freed; i++)
		w->patterns[i].dirty |= w->patterns[i].capped;
	if (!capped)
		*ret_next_us = -1;
}

void watch_places_done(struct places *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->items[i].path);
	free(list->items);
}
