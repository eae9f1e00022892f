/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/f2b_fail.h"

/* Whom a failure is counted for: an address, a block or any text, written as it is shown. */

enum f2b_id_kind {
	F2B_ID_ANY,  /* an address if it is one, with or without brackets and "/LEN" */
	F2B_ID_RAW,  /* the text as it stands */
	F2B_ID_IP4,  /* an IPv4 address, else the text */
	F2B_ID_IP6,  /* an IPv6 address, else the text; one that carries IPv4 is IPv4 */
	F2B_ID_CIDR, /* an address, its block of cidr bits; else the text */
};

/* The value as fail2ban would write it. A list stays a list. */
struct f2b_value f2b_id_read(const struct f2b_value *v, enum f2b_id_kind kind, unsigned cidr);

/* "inet4", "inet6" or NULL for the text of an address or block. */
const char *f2b_id_family(const struct f2b_value *id);

/* "4.3.2.1." or the nibbles of IPv6: what a name server would be asked. False for other texts. */
bool f2b_id_reverse(const struct f2b_value *id, struct buf *out);

/* Names that were looked up. {0} is empty. */
struct f2b_names {
	struct f2b_name *items;
	size_t n, room;
};

/*
 * The addresses that a name stands for, asked of the system's resolver once a name and remembered.
 * A name written like an address is that address. ret->kind is F2B_SET; resolve says whether the
 * resolver may be asked.
 */
void f2b_names_find(struct f2b_names *names, const char *name, bool resolve, struct f2b_value *ret);
void f2b_names_done(struct f2b_names *names);
