/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "config/ini.h"

/*
 * Reads BASE.conf, BASE.d/(*).conf, BASE.local, BASE.d/(*).local in this order, each with what its
 * [INCLUDES] names before and after it; what comes later wins. Those that do not exist are left
 * out; *ret_n gets how many there were. Faults are noted.
 */
struct doc *merge_base(struct reader *r, const char *base, const char *home, size_t *ret_n);

/* A file's bytes in scratch, or NULL with the fault noted. */
char *merge_bytes(struct reader *r, const char *path, size_t *ret_len);

/* The same of what stands in the configuration's directory, dir/NAME.conf ..., if there is one. */
struct doc *merge_dir(struct reader *r, const char *name, const char *home, size_t *ret_n);

/* Is there BASE.conf or BASE.local? */
bool merge_exists(struct reader *r, const char *base);

/* The names, without ".conf", of a directory's files, for "did you mean"; so many at most. */
#define MERGE_NAMES_MAX 1000
const char **merge_names(struct reader *r, const char *dir, size_t *ret_n);

/* The same for one file by its path, and its .local. */
struct doc *merge_file(struct reader *r, const char *path, const char *home, size_t *ret_n);
