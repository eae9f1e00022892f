/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "config/ini.h"
#include "config/spec.h"

/* What finished sections of a jail say about how it judges and remembers, with their defaults. */

/* "yes", "warn", "no" or "raw", in letters of any size. False for another word. */
bool option_usedns_word(const char *word, enum usedns *ret);

void option_usedns(struct reader *r, const struct filter_def *filter, enum usedns *ret);
void option_ignorecache(struct reader *r, const struct section *values, struct ignore_cache *ret);
void option_growth(struct reader *r, const struct section *values, struct bantime_growth *ret);

/* logencoding, logtimezone, ignorecommand: a text, or text NULL; "" and `none` are none. */
void option_text(struct reader *r, const struct section *values, const char *key, const char *none,
	struct conf_text *ret);

/* The options of a spec, kept for the result. */
struct conf_option *option_keep(struct reader *r, const struct section *opts, size_t *ret_n);
