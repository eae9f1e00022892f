/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/syslog_wanted.h"

#include <fnmatch.h>
#include <string.h>

#define NAME_MAX_LEN 256

static bool fits(const char *glob, struct syslog_part part, bool fold)
{
	char name[NAME_MAX_LEN];

	if (part.len == 0 || part.len >= sizeof(name) || memchr(part.p, '\0', part.len) != NULL)
		return false;
	memcpy(name, part.p, part.len);
	name[part.len] = '\0';
	return fnmatch(glob, name, fold ? FNM_CASEFOLD : 0) == 0;
}

static bool fits_program(const struct syslog_want *w, const struct syslog_msg *m)
{
	for (size_t i = 0; i < w->n_programs; i++)
		if (fits(w->programs[i], m->program, false))
			return true;
	return w->n_programs == 0;
}

static bool fits_facility(const struct syslog_want *w, const struct syslog_msg *m)
{
	return w->facilities == 0 ||
	       (m->facility != SYSLOG_UNKNOWN && (w->facilities >> m->facility & 1) != 0);
}

static bool fits_host(
	const struct syslog_want *w, const struct syslog_msg *m, const struct addr *sender)
{
	for (size_t i = 0; i < w->n_hosts; i++) {
		const struct syslog_host *h = &w->hosts[i];

		if (h->name != NULL ? fits(h->name, m->host, true)
				    : sender != NULL && prefix_contains(&h->sender, sender))
			return true;
	}
	return w->n_hosts == 0;
}

bool syslog_has_conditions(const struct syslog_want *w)
{
	return w->n_programs > 0 || w->facilities != 0 || w->n_hosts > 0;
}

bool syslog_is_wanted(
	const struct syslog_want *w, const struct syslog_msg *m, const struct addr *sender)
{
	return fits_facility(w, m) && fits_program(w, m) && fits_host(w, m, sender);
}
