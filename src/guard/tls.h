/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "guard/internal.h"

/*
 * Connections that porter hands over: for guard each is a stream like any other, and what there is
 * to tell of TLS is told by porter.
 */

int tls_init(struct guard *g);   /* nothing is taken yet. 0 or -ENOMEM */
void tls_start(struct guard *g); /* start-up is over */
void tls_done(struct guard *g);

/* What has happened at a listener; NULL: it is none for TLS. */
json_t *tls_report(const struct guard *g, size_t listener);

/* Connections that came to nothing, of all listeners. */
uint64_t tls_failures(const struct guard *g);
