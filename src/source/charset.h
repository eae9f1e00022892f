/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "source/tail.h"

/*
 * What a log's bytes mean (logencoding). Lines are judged as bytes, so whatever has ASCII in it and
 * UTF-8 around it stays as it is; everything else becomes UTF-8 before it is judged.
 */
struct charset;

/*
 * The encoding of that name, as Python or iconv(3) know it. *ret NULL: its bytes stay as they are
 * ("auto", "utf-8", "ascii"). Loads what iconv needs, so it must be called before the file system
 * is given up. 0, -EINVAL for a name nobody knows, -EOPNOTSUPP for one that has no ASCII in it
 * (lines could not be told apart), -ENOMEM.
 */
int charset_open(struct charset **ret, const char *name);
void charset_close(struct charset *c);

/* Do both names mean the same? */
bool charset_same(const struct charset *a, const struct charset *b);

/*
 * The encoding of a file that begins with head[0..len): what its byte order mark says, where c
 * leaves that open; else c itself. The result is static or c.
 */
const struct charset *charset_of(const struct charset *c, const char *head, size_t len);

/* Tells the tail how its lines are told apart. */
void charset_apply(const struct charset *c, struct tail *t);

/*
 * Writes the line as UTF-8 to buf, at most size bytes, whole characters; what is no character
 * becomes U+FFFD, and a byte order mark goes if the line is the file's first. Returns the length;
 * *ret_cut: there was more.
 */
size_t charset_decode(const struct charset *c, char *buf, size_t size, const char *text, size_t len,
	bool first, bool *ret_cut);
