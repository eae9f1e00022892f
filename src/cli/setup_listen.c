/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/setup_listen.h"

#include "base/addr.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_URL "udp://127.0.0.1:5514"

static bool is_any(const struct addr *a)
{
	static const struct addr any6;
	const struct addr any4 = addr_from4((const uint8_t[4]) {0});

	return addr_eq(a, &any4) || addr_eq(a, &any6);
}

static bool is_loopback(const struct addr *a)
{
	const uint8_t *b = a->b;
	static const uint8_t one[16] = {[15] = 1};

	return addr_is4(a) ? b[12] == 127 : memcmp(b, one, sizeof(one)) == 0;
}

bool setup_listen_is_any(const struct inject_target *to)
{
	struct addr a;

	return to->path[0] == '\0' && addr_parse(&a, to->host, strlen(to->host)) == 0 && is_any(&a);
}

const char *setup_listen_first(const struct ruleset *rs, char buf[static SETUP_URL_MAX])
{
	for (size_t i = 0; rs != NULL && i < rs->syslog.n_listen; i++) {
		const struct listener *l = &rs->syslog.listen[i];
		const char *scheme = l->kind == LISTEN_UDP ? "udp" : "tcp";

		if (l->kind == LISTEN_TLS || l->kind == LISTEN_UNIX_STREAM)
			continue;
		if (l->kind == LISTEN_UNIX || !is_any(&l->addr))
			return l->url;
		snprintf(buf, SETUP_URL_MAX, "%s://%s:%u", scheme,
			addr_is4(&l->addr) ? "127.0.0.1" : "[::1]", l->port);
		return buf;
	}
	return DEFAULT_URL;
}

static bool is_kind(enum listen_kind kind, enum inject_kind wanted)
{
	static const enum inject_kind kinds[] = {[LISTEN_UDP] = INJECT_UDP,
		[LISTEN_TCP] = INJECT_TCP,
		[LISTEN_TLS] = INJECT_TLS,
		[LISTEN_UNIX] = INJECT_UNIX,
		[LISTEN_UNIX_STREAM] = INJECT_UNIX_STREAM};

	return kinds[kind] == wanted;
}

static bool listens(const struct ruleset *rs, const struct inject_target *to)
{
	struct addr a;
	bool numeric = addr_parse(&a, to->host, strlen(to->host)) == 0;

	for (size_t i = 0; i < rs->syslog.n_listen; i++) {
		const struct listener *l = &rs->syslog.listen[i];

		if (!is_kind(l->kind, to->kind))
			continue;
		if (to->path[0] != '\0'
				? strcmp(l->path, to->path) == 0
				: l->port == (unsigned long)atol(to->port) &&
					  (!numeric || is_any(&l->addr) || addr_eq(&l->addr, &a)))
			return true;
	}
	return false;
}

/* Is it certainly here that somebody has to listen? */
static bool is_here(const struct inject_target *to)
{
	struct addr a;

	return to->path[0] != '\0' || strcmp(to->host, "localhost") == 0 ||
	       (addr_parse(&a, to->host, strlen(to->host)) == 0 && is_loopback(&a));
}

static bool has_reader(const struct ruleset *rs)
{
	for (size_t i = 0; i < rs->n_jails; i++)
		if ((rs->jails[i].sources & SOURCE_SYSLOG) != 0)
			return true;
	return false;
}

/* The whole line, as one in a .local file takes the place of what was said before. */
static void say_listen(
	FILE *out, const struct ruleset *rs, const char *dir, const struct inject_target *to)
{
	fprintf(out,
		"Stockade does not listen at %s: write to %s/stockade.local\n\n[syslog]\nlisten =",
		to->shown, dir);
	for (size_t i = 0; i < rs->syslog.n_listen; i++)
		fprintf(out, " %s", rs->syslog.listen[i].url);
	fprintf(out, " %s\n\n", to->shown);
}

void setup_listen_advise(
	FILE *out, const struct ruleset *rs, const char *dir, const struct inject_target *to)
{
	if (!is_here(to)) {
		fprintf(out,
			"The Stockade at %s has to listen there: see 'listen' in "
			"stockade.conf(5).\n",
			to->shown);
		return;
	}
	if (rs == NULL && access(dir, F_OK) < 0) {
		fprintf(out,
			"There is no configuration in %s: see to it that Stockade, or "
			"syslog-blacklist, listens at %s.\n",
			dir, to->shown);
		return;
	}
	if (rs == NULL) {
		fprintf(out,
			"Whether Stockade listens at %s cannot be told: try 'stockade check -c "
			"%s'.\n",
			to->shown, dir);
		return;
	}
	if (!listens(rs, to))
		say_listen(out, rs, dir, to);
	if (!has_reader(rs))
		fprintf(out,
			"No jail reads what comes there: give one 'source = syslog' in "
			"%s/jail.local.\n",
			dir);
}
