/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "config/ini.h"

/* What "NAME[opt=val, opt2="a, b"][opt3='c']" says. */
struct spec {
	const char *name;
	struct section opts; /* verbatim, names in lower case */
};

/* Reads the whole of text. what: the noun for messages. 0, or -EINVAL with the fault noted. */
int spec_parse(
	struct reader *r, const char *text, struct where where, const char *what, struct spec *ret);

/*
 * Cuts the next spec off a list separated by blanks or new lines: its text in scratch with *at
 * moved past it, or NULL at the end.
 */
const char *spec_next(struct reader *r, const char **at);
