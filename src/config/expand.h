/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "config/ini.h"

/*
 * Where names are looked up. %(x)s: in opts, in init, in outer, in section, in [DEFAULT]. <x>: in
 * opts, in [Init], in outer if [Definition] has it too, in first, in [Definition], in [DEFAULT].
 * (fail2ban looks for the tags of a filter before it knows all of the jail's values.)
 */
struct scope {
	struct reader *r;
	const struct doc *doc;
	const struct section *section; /* may be NULL */
	const struct section *opts;    /* of "filter = NAME[opt=val]", or NULL */
	const struct section *outer;   /* what the jail sets, for its filter; or NULL */
	const struct section *first;   /* what of that any tag sees; or NULL */
	const struct section *init;    /* [Init], where it goes before outer; or NULL */
	const struct scope *filter;    /* for a jail's %(known/x)s: what its filter says; or NULL */
};

/*
 * An entry's text with every %(x)s replaced, added to *ret. Returns 0, or -EINVAL with the fault
 * noted: unknown names, loops, more than 1 MiB.
 */
int expand_entry(const struct scope *s, const struct entry *e, struct lines *ret);

/* The same as part of something larger, which pays for it. */
struct budget;
int expand_within(
	const struct scope *s, const struct entry *e, struct budget *budget, struct lines *ret);

/* Expands these keys of the scope's section and [DEFAULT] to finished entries of *ret. */
void expand_keys(const struct scope *s, const char *const *keys, size_t n, struct section *ret);

/*
 * A filter's value with %(x)s and <tag> both replaced; tags that belong to lines (<HOST>,
 * <F-USER>) and those nobody defines stay. Returns 0, -ENOENT when there is no such key, or -EINVAL
 * with the fault noted.
 */
int expand_tag(const struct scope *s, const char *key, struct lines *ret);
