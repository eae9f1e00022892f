/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

/*
 * A regular expression of the configuration, as Python's re and fail2ban's tags have it, made into
 * one for PCRE2. Remembers which byte came from where, for error messages.
 */
struct pattern {
	struct buf text;
	struct buf from; /* a uint32_t for each byte of text: its place in the source */
};

/* Why a source cannot be expanded. */
struct pattern_error {
	const char *message; /* static */
	size_t at;           /* offset in the source */
};

enum pattern_flags {
	PATTERN_MULTILINE = 1, /* "^" and "$" also at the lines inside; <SKIPLINES> */
	PATTERN_NO_NAMES = 2,  /* <HOST> is an address, not a name: usedns = no */
	PATTERN_NO_TAGS = 4,   /* "<...>" is plain text: a datepattern */
	PATTERN_UTF8 = 8,      /* for characters, not bytes: the text searched is valid UTF-8 */
};

/*
 * Expands <HOST>, <ADDR> (or {IP_NUMBER}), <IP4>, <IP6>, <CIDR>, <SUBNET>, <DNS>, <F-ID/>,
 * <F-PORT/>, <SKIPLINES> and <F-NAME>...</F-NAME> to named groups (names in lower case, "id" and
 * "port" as "fid" and "fport") and rewrites what Python and PCRE2 understand differently: \Z, {,n},
 * global flags (?au), "[" inside a class, \uXXXX, a quantifier after a character of several bytes.
 * Other <tags> stay as they are. Returns 0, -EINVAL (*ret_error is filled) or -ENOMEM. *p must be
 * empty
 * ({0}); pattern_done frees it.
 */
int pattern_expand(
	struct pattern *p, const char *source, unsigned flags, struct pattern_error *ret_error);

/* The place in the source that byte `at` of the text came from. */
size_t pattern_source(const struct pattern *p, size_t at);

void pattern_done(struct pattern *p);
