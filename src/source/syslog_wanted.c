/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/syslog_wanted.h"

#include <fnmatch.h>
#include <string.h>
#include <strings.h>

#define NAME_MAX_LEN 256

/* Without allocating: a name is copied, as what it stands in does not end behind it. */
static bool fits(const char *glob, struct syslog_part part, bool fold)
{
	size_t plain = strcspn(glob, "*?[\\");
	char name[NAME_MAX_LEN];

	if (glob[plain] == '\0')
		return plain == part.len &&
		       (fold ? strncasecmp(glob, part.p, plain) : memcmp(glob, part.p, plain)) == 0;
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

static bool is_number(struct syslog_part part)
{
	for (size_t i = 0; i < part.len; i++)
		if (part.p[i] < '0' || part.p[i] > '9')
			return false;
	return true;
}

/* "web1" is also "web1.example.org"; who writes a dot means the whole name. */
static bool fits_name(const char *glob, struct syslog_part name)
{
	const char *dot = name.len > 0 ? memchr(name.p, '.', name.len) : NULL;
	struct syslog_part label = {name.p, dot != NULL ? (size_t)(dot - name.p) : 0};

	if (fits(glob, name, true))
		return true;
	/* The first part of an address is no name. */
	return dot != NULL && strchr(glob, '.') == NULL && !is_number(label) &&
	       fits(glob, label, true);
}

/* Who does not say his name is who he is by his address. */
static bool fits_nameless(const struct syslog_host *h, const struct addr *sender)
{
	static const struct syslog_part local = {"localhost", 9};

	if (sender == NULL)
		return fits(h->name, local, true);
	for (size_t i = 0; i < h->n_addrs; i++)
		if (addr_eq(&h->addrs[i], sender))
			return true;
	return false;
}

static bool fits_host(
	const struct syslog_want *w, const struct syslog_msg *m, const struct addr *sender)
{
	for (size_t i = 0; i < w->n_hosts; i++) {
		const struct syslog_host *h = &w->hosts[i];

		if (h->name == NULL       ? sender != NULL && prefix_contains(&h->sender, sender)
			: m->host.len > 0 ? fits_name(h->name, m->host)
					  : fits_nameless(h, sender))
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

bool syslog_line_is_wanted(const struct syslog_want *w, const char *line, size_t len)
{
	struct syslog_msg m;
	struct addr sender;
	bool is_addr;

	syslog_parse(&m, line, len);
	is_addr = addr_parse(&sender, m.host.p, m.host.len) == 0;
	if (is_addr)
		m.host.len = 0;
	return fits_program(w, &m) && fits_host(w, &m, is_addr ? &sender : NULL);
}
