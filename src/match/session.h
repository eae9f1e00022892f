/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/buf.h"
#include "match/fields.h"

#include <stdint.h>

/*
 * Failures that several lines tell of together: the lines of one connection carry one id
 * (<F-MLFID>), one of them names the address, another the user, a third says that it failed. What
 * is known of a session so far is kept until it is forgotten (<F-MLFFORGET>), for five minutes, or
 * until newer ones need its place.
 */
struct sessions;

/* An empty table; no memory is touched before the first session. NULL when out of memory. */
struct sessions *sessions_new(void);
void sessions_free(struct sessions *s);

/*
 * From now on as fail2ban has them, to the last: 100 of them, and of a session's addresses IPv4
 * before IPv6 whichever line named it. The table must be empty.
 */
void sessions_imitate(struct sessions *s);

/* What the lines of a session say, this one included. */
struct session_result {
	unsigned attempts;    /* lines that count as a failure */
	unsigned n_users;     /* different users seen */
	struct span users[8]; /* the first of them */
};

/*
 * Adds a line's fields (FIELD_MLFID is among them) to its session and makes of them what is known
 * then, borrowed from the table until the next merge, and from the line; with FIELD_NOFAIL set in
 * the result the line is no failure by itself. n_lines: how many lines matched; now_us: the clock
 * by which sessions end.
 */
void sessions_merge(struct sessions *s, struct fields *line, unsigned n_lines, int64_t now_us,
	struct session_result *ret);

/* The failure that merge told of last has nobody to blame yet: the session's next lines are one. */
void sessions_pending(struct sessions *s);

/*
 * Writes all of them, oldest first, for another table (a file of this machine: numbers are in its
 * own order). Names, not slots, say what a value is. 0 or -ENOMEM.
 */
int sessions_save(const struct sessions *s, const struct field_names *names, struct buf *ret);

/*
 * Adds what sessions_save wrote; values of names that are not there are left out. 0, or -EINVAL:
 * what follows some point makes no sense and was left out.
 */
int sessions_load(
	struct sessions *s, const struct field_names *names, const void *data, size_t len);

/* How many sessions lost their place to newer ones before their time. */
uint64_t sessions_pushed_out(const struct sessions *s);
