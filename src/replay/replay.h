/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "guard/plan.h"
#include "replay/court.h"
#include "replay/lane.h"

/* Whole logs through the jails of a configuration, by the time that stands in the lines. */

struct replay_progress {
	uint64_t done, total; /* bytes of the files; total 0: nobody knows */
	uint64_t lines;
};

#define REPLAY_PLANS_MAX 2

struct replay_conf {
	/* All jails of all of them judge all files; each plan counts and bans for itself. */
	const struct plan *plans[REPLAY_PLANS_MAX];
	size_t n_plans;
	const char *const *paths; /* "-": standard input */
	size_t n_paths;
	const struct charset
		*charset; /* of the files; NULL: as the jails or their beginnings say */
	int64_t now_us;
	unsigned threads;       /* what is found does not depend on it */
	const struct addr *own; /* this machine's addresses */
	size_t n_own;
	court_fn *on_ban[REPLAY_PLANS_MAX]; /* one a plan */
	/* Somebody got in from there, as the logs have it; NULL: that is not looked for. */
	void (*on_login)(void *arg, const struct addr *a, const char *user, size_t len);
	/*
	 * A file could not be read, at all or to its end: how many lines of it were played. error:
	 * as lane_read; unfit: what it is, with -EMEDIUMTYPE.
	 */
	void (*on_trouble)(
		void *arg, const char *path, int error, const char *unfit, uint64_t lines);
	/* After each chunk; false ends it. */
	bool (*on_progress)(void *arg, const struct replay_progress *p);
	void *arg;
};

/* What one configuration made of it. */
struct replay_plan_sums {
	struct court_sums court;
	uint64_t matches;
	uint64_t names; /* failures of host names, which are not looked up */
	uint64_t ids;   /* of somebody who is no address */
};

/* What went by, and what was lost of it. */
struct replay_sums {
	struct lane_sums lanes;
	struct replay_plan_sums plans[REPLAY_PLANS_MAX];
	uint64_t sessions_lost; /* pushed out by newer ones */
	unsigned troubles;      /* files that could not be read to their end */
};

/* 0, or -ENOMEM: what came until then was told. */
int replay_run(const struct replay_conf *conf, struct replay_sums *ret);
