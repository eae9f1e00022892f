/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One file's bytes: its sections and keys, every value put together, every value as an option list,
 * every section as a jail and as a filter. */
#include "config/expand.h"
#include "config/filter_file.h"
#include "config/jail.h"
#include "config/spec.h"
#include "config/value.h"
#include "config/want.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* More teaches nothing and takes long: values may say each other many times over. */
#define ENTRIES_MAX 24
#define SECTIONS_MAX 4

static void expand_all(
	struct reader *r, const struct doc *d, const struct section *s, unsigned *entries)
{
	struct scope jail = {.r = r, .doc = d, .section = s};
	struct section values = {.name = s->name};
	struct spec spec;

	for (size_t i = 0; i < s->entries.n && (*entries)++ < ENTRIES_MAX; i++) {
		const struct entry *e = (const struct entry *)s->entries.items[i];
		const char *text = lines_join(&e->lines, r->scratch, "\n"), *at = text;
		struct scope filter = {.r = r, .doc = d, .section = s};
		struct prefixset set = {0};
		struct host_names names = {0};
		struct lines lines = {0};

		expand_keys(&jail, &e->name, 1, &values);
		value_prefixes(r, &values, e->name, &set, &names);
		prefixset_done(&set);
		while (spec_next(r, &at) != NULL)
			;
		if (spec_parse(r, text, e->where, "value", &spec) == 0)
			filter.opts = &spec.opts;
		jail.filter = &filter;
		expand_tag(&filter, e->name, &lines);
	}
}

/* A jail for each host: each has an address, a name that is allowed, and its own ignoreip. */
static void split_jail(struct reader *r, struct jail *whole)
{
	size_t n, n_hosts = whole->syslog.n_hosts;
	struct jail *jails = want_split(r, whole, &n);

	if (n > n_hosts)
		abort();
	for (size_t i = 0; i < n; i++) {
		if (jails[i].n_to == 0 || jails[i].syslog.n_hosts != 1 ||
			strlen(jails[i].name) > JAIL_NAME_MAX)
			abort();
		prefixset_done(&jails[i].ignoreip);
	}
}

/* Whatever the file says is allowed; what came out must be whole. */
static void read_jail(struct reader *r, const struct doc *d, const struct section *s, bool enabled)
{
	struct jail jail;

	if (jail_read(r, d, s, enabled, &jail) == 1) {
		if (jail.filter == NULL || jail.filter->n_failregex == 0 || jail.maxretry < 1 ||
			jail.findtime_sec < 1 || jail.bantime_sec < -1 || jail.sources == 0)
			abort();
		for (size_t i = 0; i < jail.n_actions; i++)
			if (jail.actions[i].name == NULL)
				abort();
		if (jail.syslog.per_host)
			split_jail(r, &jail);
	}
	prefixset_done(&jail.ignoreip);
}

static void read_filter(struct reader *r, struct doc *d, const struct section *s)
{
	struct scope filter = {.r = r, .doc = d, .section = s, .opts = s};

	filter_file_build(r, &filter, NULL, s->name, s->where);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *keep = arena_new();
	struct faults faults = {0};
	unsigned entries = 0;
	struct reader r;
	struct doc *d;

	if (size > 4096 || keep == NULL || reader_init(&r, keep, ".", &faults) < 0) {
		arena_free(keep);
		return 0;
	}
	d = ini_parse(&r, "fuzz.conf", (const char *)data, size, "[Definition]");
	for (size_t i = 0; i < d->sections.n; i++)
		expand_all(&r, d, (const struct section *)d->sections.items[i], &entries);
	for (size_t i = 0; i < d->sections.n && i < SECTIONS_MAX; i++) {
		const struct section *s = (const struct section *)d->sections.items[i];

		read_jail(&r, d, s, true);
		read_jail(&r, d, s, false);
		read_filter(&r, d, s);
	}
	for (size_t i = 0; i < faults.n; i++)
		if (faults.items[i].message[0] == '\0')
			abort();
	reader_done(&r);
	arena_free(keep);
	faults_done(&faults);
	return 0;
}
