/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>

#include "wall/wall.h"

/* A wall of air, for --dry-run: it counts what it is told and stops nobody. */

struct wall {
	struct wall_stats stats;
};

static int none_open(struct wall **ret, const struct ruleset *rs, const char **ret_error)
{
	struct wall *w = calloc(1, sizeof(*w));

	(void)rs;
	if (w == NULL) {
		*ret_error = "not enough memory";
		return -ENOMEM;
	}
	w->stats.healthy = true;
	*ret = w;
	return 0;
}

static int none_set_up(struct wall *w, const struct ruleset *rs)
{
	(void)w;
	(void)rs;
	return 0;
}

static int none_ban(struct wall *w, const struct wall_elem *elems, size_t n)
{
	(void)elems;
	w->stats.banned += n;
	return 0;
}

static int none_unban(struct wall *w, const struct wall_elem *elems, size_t n)
{
	(void)w;
	(void)elems;
	(void)n;
	return 0;
}

static int none_look(struct wall *w, struct wall_elem *elems, size_t n)
{
	(void)w;
	for (size_t i = 0; i < n; i++)
		elems[i].there = false;
	return 0;
}

static int none_dump(struct wall *w, wall_dump_fn *fn, void *arg)
{
	(void)w;
	(void)fn;
	(void)arg;
	return 0;
}

static int none_fd(struct wall *w)
{
	(void)w;
	return -1;
}

static int none_zero(struct wall *w)
{
	(void)w;
	return 0;
}

static void none_get_stats(struct wall *w, struct wall_stats *ret)
{
	*ret = w->stats;
}

static void none_close(struct wall *w)
{
	free(w);
}

const struct wall_ops wall_none = {
	.name = "none",
	.open = none_open,
	.set_up = none_set_up,
	.ban = none_ban,
	.unban = none_unban,
	.look = none_look,
	.dump = none_dump,
	.fd = none_fd,
	.notice = none_zero,
	.tear_down = none_zero,
	.get_stats = none_get_stats,
	.close = none_close,
};
