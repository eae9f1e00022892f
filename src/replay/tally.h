/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "replay/court.h"

#include <stddef.h>

/* What two configurations make of the same lines: who is banned by which, and who got in. */
struct tally;

enum { TALLY_OLD, TALLY_NEW, TALLY_SIDES };

#define TALLY_USER_MAX 64

/* An address or block. */
struct tally_entry {
	struct prefix who;
	struct {
		uint32_t bans, failures; /* of all bans */
		const struct jail *jail; /* of the first */
		int64_t first_us;
	} side[TALLY_SIDES];
	uint64_t logins;
	char user[TALLY_USER_MAX]; /* of the last, escaped */
	struct tally_entry *next;  /* in its hash chain */
};

struct tally_sums {
	uint64_t bans[TALLY_SIDES];
	size_t only[TALLY_SIDES];      /* addresses and blocks that one side alone bans */
	size_t logged_in[TALLY_SIDES]; /* of those, who have got in */
	size_t both;
	uint64_t lost; /* bans and logins for which there was no room */
};

/* NULL when out of memory. */
struct tally *tally_new(void);
void tally_free(struct tally *t);

void tally_ban(struct tally *t, unsigned side, const struct court_ban *ban);

/* user is any text; NULL: nobody says. */
void tally_login(struct tally *t, const struct addr *a, const char *user, size_t len);

/*
 * Those that one side alone bans, by the time of their first ban: an array to free(), NULL without
 * memory. The entries live as long as the tally.
 */
const struct tally_entry **tally_differences(
	struct tally *t, size_t *ret_n, struct tally_sums *ret);
