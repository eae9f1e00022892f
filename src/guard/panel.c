/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The jails that read a source, as one thing that looks at many lines at once. */
#include "guard/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool is_for(const struct panel *p, const struct source *s)
{
	if (p->n_jails != s->n_jails || p->plan.n_dates != s->n_dates)
		return false;
	/* A jail that there was no memory for may have left its dates behind. */
	for (size_t i = 0; i < s->n_jails; i++)
		if (p->jails[i] != s->jails[i].jail || p->filters[i].dates != s->jails[i].dates)
			return false;
	return true;
}

static void free_panel(struct panel *p)
{
	batch_worker_free(p->worker);
	sieve_free(p->sieve);
	free(p->jails);
	free(p->filters);
	free(p->dates);
	free(p);
}

/* Words to look for; where nobody can have so many filters, every line is for all of them. */
static int make_sieve(struct guard *g, struct panel *p)
{
	const struct words_cache cache = {.dir_fd = g->cache_fd};
	const struct filter **filters = calloc(p->n_jails + 1, sizeof(*filters));
	int r = -ENOMEM;

	for (size_t i = 0; filters != NULL && i < p->n_jails; i++)
		filters[i] = p->filters[i].filter;
	if (filters != NULL)
		r = sieve_new(&p->sieve, filters, p->n_jails, &cache);
	free(filters);
	return r == -E2BIG ? 0 : r;
}

static struct panel *new_panel(struct guard *g, const struct source *s)
{
	struct panel *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->guard = g;
	p->n_jails = s->n_jails;
	p->jails = calloc(s->n_jails + 1, sizeof(*p->jails));
	p->filters = calloc(s->n_jails + 1, sizeof(*p->filters));
	p->dates = calloc(s->n_dates + 1, sizeof(*p->dates));
	if (p->jails == NULL || p->filters == NULL || p->dates == NULL) {
		free_panel(p);
		return NULL;
	}
	for (size_t i = 0; i < s->n_jails; i++) {
		p->jails[i] = s->jails[i].jail;
		p->filters[i] = (struct batch_filter) {
			g->jails[s->jails[i].jail].filter, s->jails[i].dates};
	}
	p->plan = (struct batch_plan) {
		.filters = p->filters,
		.n_filters = s->n_jails,
		.n_dates = s->n_dates,
		.line_max = TAIL_LINE_MAX,
	};
	if (make_sieve(g, p) == 0) {
		p->plan.sieve = p->sieve;
		p->worker = batch_worker_new(&p->plan);
	}
	if (p->worker == NULL) {
		free_panel(p);
		return NULL;
	}
	p->next = g->panels;
	g->panels = p;
	return p;
}

struct panel *panel_of(struct guard *g, struct source *s)
{
	struct panel *p = g->panels;

	if (s->panel != NULL)
		return s->panel;
	while (p != NULL && !is_for(p, s))
		p = p->next;
	if (p == NULL)
		p = new_panel(g, s);
	if (p != NULL)
		p->n_sources++;
	s->panel = p;
	return p;
}

static uint64_t failures(const struct panel *p)
{
	return p->sieve != NULL ? sieve_scan_failures(batch_worker_scan(p->worker)) : 0;
}

void panel_leave(struct source *s)
{
	struct panel *p = s->panel, **link;

	s->panel = NULL;
	if (p == NULL || --p->n_sources > 0)
		return;
	p->guard->losses.prefilter += failures(p);
	for (link = &p->guard->panels; *link != p;)
		link = &(*link)->next;
	*link = p->next;
	free_panel(p);
}

struct lines panel_lines(const struct panel *p, struct source *s)
{
	return (struct lines) {
		.plan = &p->plan,
		.dates = s->dates,
		.windows = s->windows,
		.search = batch_worker_search(p->worker),
		.scan = batch_worker_scan(p->worker),
		.scratch = p->guard->scratch,
	};
}

uint64_t panels_failures(const struct guard *g)
{
	uint64_t n = g->losses.prefilter;

	for (const struct panel *p = g->panels; p != NULL; p = p->next)
		n += failures(p);
	return n;
}

const char *panels_engine(const struct guard *g)
{
	const char *engine = NULL;

	for (const struct panel *p = g->panels; p != NULL; p = p->next) {
		const char *one = p->sieve != NULL ? sieve_engine(p->sieve) : NULL;

		if (engine == NULL)
			engine = one;
		else if (one != NULL && strcmp(one, engine) != 0)
			return "mixed";
	}
	return engine;
}

int panels_open_cache(struct guard *g)
{
	if (mkdir("cache", 0700) < 0 && errno != EEXIST)
		return -errno;
	g->cache_fd = open("cache", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return g->cache_fd < 0 ? -errno : 0;
}
