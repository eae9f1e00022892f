/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/action_file.h"

#include "base/text.h"
#include "base/util.h"
#include "config/expand.h"
#include "config/keys.h"
#include "config/merge.h"

#include <string.h>
#include <unistd.h>

/* Those of fail2ban's that drop packets on Linux, and our own. */
static const char *const walls[] = {"stockade", "iptables", "iptables-allports", "iptables-ipset",
	"iptables-ipset-proto4", "iptables-ipset-proto6", "iptables-ipset-proto6-allports",
	"iptables-multiport", "iptables-multiport-log", "iptables-new", "iptables-xt_recent-echo",
	"nftables", "nftables-allports", "nftables-multiport", "firewallcmd-allports",
	"firewallcmd-ipset", "firewallcmd-multiport", "firewallcmd-new", "firewallcmd-rich-logging",
	"firewallcmd-rich-rules"};

bool action_file_is_wall(const char *name)
{
	return text_is_one_of(name, walls, ARRAY_SIZE(walls));
}

static void tell_unknown(
	struct reader *r, const char *dir, const char *name, const char *suffix, struct where where)
{
	const char **files, **names;
	size_t n;

	files = merge_names(r, dir, &n);
	names = arena_array(r->scratch, n + ARRAY_SIZE(walls), sizeof(*names));
	memcpy(names, walls, sizeof(walls));
	memcpy(names + ARRAY_SIZE(walls), files, n * sizeof(*names));
	reader_error(r, where, "action '%s' is unknown: there is no %s/%s%s%s",
		reader_show(r, name), dir, reader_show(r, name), suffix,
		reader_hint(r, name, names, n + ARRAY_SIZE(walls)));
}

bool action_file_check(struct reader *r, const char *name, struct where where,
	const struct section *opts, const struct section *jail)
{
	const char *dir = arena_printf(r->scratch, "%s/action.d", r->dir);
	const char *path = arena_printf(r->scratch, "%s/%s", dir, name);
	const char *dot = strrchr(name, '.');
	struct scope scope = {.r = r, .opts = opts, .outer = jail, .first = jail};
	struct doc *d;
	size_t n;

	if (dot != NULL && strcmp(dot, ".py") == 0) {
		if (access(path, F_OK) == 0)
			return true;
		tell_unknown(r, dir, name, "", where);
		return false;
	}
	d = merge_base(r, path, "[Definition]", &n);
	if (n == 0) {
		tell_unknown(r, dir, name, ".conf", where);
		return false;
	}
	keys_check(r, d, KEYS_ACTION);
	scope.doc = d;
	scope.section = doc_section(d, "Definition");
	for (size_t i = 0; i < keys_action_n; i++) {
		struct lines lines = {0};

		expand_tag(&scope, keys_action[i], &lines);
	}
	return true;
}
