/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "wall/nft.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

/* The nft back end: table inet stockade, spoken to over netlink without any helper program. */

int nft_commit(struct wall *w, nft_reply_fn *fn, void *arg)
{
	int r = nft_batch_commit(&w->batch, &w->conn, fn, arg);

	if (r == 0)
		w->stats.transactions++;
	return r;
}

/* An operation's end: what went wrong is kept for status. */
static int finish(struct wall *w, const char *what, int r)
{
	if (r < 0) {
		w->stats.failures++;
		snprintf(w->stats.last_error, sizeof(w->stats.last_error), "%s: %s", what,
			strerror(-r));
	}
	return r;
}

static const char *explain(int r)
{
	switch (r) {
	case -EPERM:
	case -EACCES:
		return "no permission to change the firewall: run as root or with CAP_NET_ADMIN";
	case -EPROTONOSUPPORT:
	case -EAFNOSUPPORT:
	case -EOPNOTSUPP:
	case -ENOENT:
	case -EINVAL:
		return "this kernel has no usable nf_tables: it needs CONFIG_NF_TABLES and "
		       "CONFIG_NF_TABLES_INET, 5.10 or later";
	case -EBUSY:
	case -EEXIST:
		return "table inet stockade is in use by somebody else: delete it with "
		       "'nft delete table inet stockade' and start again";
	case -ENOMEM:
	case -ENOBUFS:
		return "not enough memory to set the firewall up";
	}
	return "cannot set the firewall up";
}

static void wall_nft_close(struct wall *w)
{
	if (w == NULL)
		return;
	if (w->watch_fd >= 0)
		close(w->watch_fd);
	nft_conn_close(&w->conn);
	nft_batch_done(&w->batch);
	free(w->jails);
	free(w->rules);
	free(w);
}

static int wall_nft_open(struct wall **ret, const struct ruleset *rs, const char **ret_error)
{
	struct wall *w = calloc(1, sizeof(*w));
	uint32_t generation = 0;
	bool probed = false;
	int r = -ENOMEM;

	if (w == NULL)
		goto fail;
	w->watch_fd = -1;
	r = nft_batch_init(&w->batch);
	if (r == 0)
		r = nft_conn_open(&w->conn);
	if (r == 0)
		r = nft_watch_generation(w, &generation);
	/* Without nf_tables the question itself is unknown. */
	if (r == -EINVAL)
		r = -EOPNOTSUPP;
	probed = r == 0;
	/* Before the set-up, so that no change after it goes unseen. */
	if (r == 0)
		r = w->watch_fd = nft_watch_open(&w->watch_portid, w->conn.portid);
	if (r >= 0)
		r = nft_setup(w, rs);
	if (r < 0)
		goto fail;
	*ret = w;
	return 0;
fail:
	wall_nft_close(w);
	*ret_error = explain(r);
	if (probed && r == -EPERM)
		*ret_error = "table inet stockade belongs to another process (flags owner)";
	return r;
}

static int wall_nft_set_up(struct wall *w, const struct ruleset *rs)
{
	return finish(w, "set-up", nft_setup(w, rs));
}

static int wall_nft_ban(struct wall *w, const struct wall_elem *elems, size_t n)
{
	return finish(w, "ban", nft_elem_ban(w, elems, n));
}

static int wall_nft_unban(struct wall *w, const struct wall_elem *elems, size_t n)
{
	return finish(w, "unban", nft_elem_unban(w, elems, n));
}

static int wall_nft_look(struct wall *w, struct wall_elem *elems, size_t n)
{
	return finish(w, "look", nft_elem_look(w, elems, n));
}

static int wall_nft_dump(struct wall *w, wall_dump_fn *fn, void *arg)
{
	return finish(w, "dump", nft_dump(w, fn, arg));
}

static int wall_nft_fd(struct wall *w)
{
	return w->watch_fd;
}

static int wall_nft_notice(struct wall *w)
{
	int r = nft_watch_read(w), stands;

	if (r < 0)
		return finish(w, "notifications", r);
	if (w->torn_down)
		return 0;
	if (r > 0 || w->damaged) {
		stands = nft_setup_stands(w);
		w->damaged = stands <= 0;
		w->stats.healthy = stands > 0;
		if (stands < 0)
			return finish(w, "check", stands);
		if (stands == 0) {
			r = finish(w, "repair", nft_setup_repair(w));
			if (r < 0)
				return r;
			w->repaired = true;
		}
	}
	r = w->repaired;
	w->repaired = false;
	return r;
}

static int wall_nft_tear_down(struct wall *w)
{
	int r;

	nft_batch_begin(&w->batch, &w->conn);
	nft_batch_msg(&w->batch, NFT_MSG_DELTABLE, 0);
	r = nft_commit(w, NULL, NULL);
	if (r == -ENOENT)
		r = 0;
	w->torn_down = r == 0;
	w->stats.healthy = false;
	return finish(w, "tear-down", r);
}

static void wall_nft_get_stats(struct wall *w, struct wall_stats *ret)
{
	*ret = w->stats;
}

const struct wall_ops wall_nft = {
	.name = "nft",
	.open = wall_nft_open,
	.set_up = wall_nft_set_up,
	.ban = wall_nft_ban,
	.unban = wall_nft_unban,
	.look = wall_nft_look,
	.dump = wall_nft_dump,
	.fd = wall_nft_fd,
	.notice = wall_nft_notice,
	.tear_down = wall_nft_tear_down,
	.get_stats = wall_nft_get_stats,
	.close = wall_nft_close,
};
