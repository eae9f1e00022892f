/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "config/reader.h"

/* A set of ports being collected. all: no port is left out. */
struct ports {
	struct port_range *items;
	size_t n, room;
	bool all;
};

/* Adds "80,443,1000:2000,ssh"; "", "all", "any" and "0:65535" are all ports. Faults are noted. */
void ports_add(struct reader *r, struct conf_text t, struct ports *ret);

/* Sorts, joins what touches, and hands them to the result. No ranges: all ports. */
void ports_finish(struct reader *r, struct ports *p, struct port_range **ret, size_t *ret_n);

/* Adds "tcp", "udp", "all" or a list to an or-ed set of enum proto. Faults are noted. */
void ports_protocols(struct reader *r, struct conf_text t, unsigned *ret);
