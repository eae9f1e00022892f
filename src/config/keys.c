/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/keys.h"

#include "base/text.h"
#include "base/util.h"

#include <string.h>

const char *const keys_filter[] = {"usedns", "prefregex", "ignoreregex", "failregex", "maxlines",
	"datepattern", "journalmatch"};
const size_t keys_filter_n = ARRAY_SIZE(keys_filter);

const char *const keys_jail[] = {"enabled", "backend", "maxretry", "maxmatches", "findtime",
	"bantime", "bantime.increment", "bantime.factor", "bantime.formula", "bantime.multipliers",
	"bantime.maxtime", "bantime.rndtime", "bantime.overalljails", "ignorecommand", "ignoreself",
	"ignoreip", "ignorecache", "filter", "logtimezone", "logencoding", "logpath", "action",
	"usedns", "prefregex", "ignoreregex", "failregex", "maxlines", "datepattern",
	"journalmatch"};
const size_t keys_jail_n = ARRAY_SIZE(keys_jail);

const char *const keys_action[] = {"actionstart", "actionstart_on_demand", "actionstop",
	"actionflush", "actionreload", "actioncheck", "actionrepair", "actionrepair_on_unban",
	"actionban", "actionprolong", "actionreban", "actionunban", "norestored"};
const size_t keys_action_n = ARRAY_SIZE(keys_action);

const char *const keys_main[] = {"loglevel", "logtarget", "logformat", "syslogsocket", "socket",
	"pidfile", "allowipv6", "dbfile", "dbpurgeage", "dbmaxmatches", "stacksize", "allow",
	"memory", "maxbans", "countries", "user", "wall", "native_actions", "engine", "peer"};
const size_t keys_main_n = ARRAY_SIZE(keys_main);

const char *const keys_syslog[] = {"listen", "from", "rate", "certificate", "key", "ca", "peers"};
const size_t keys_syslog_n = ARRAY_SIZE(keys_syslog);

const char *const keys_line_tags[] = {"HOST", "ADDR", "IP4", "IP6", "DNS", "CIDR", "SUBNET",
	"SKIPLINES", "F-ID", "F-USER", "F-CONTENT", "F-NOFAIL", "F-MLFID", "F-MLFFORGET",
	"F-MLFGAINED"};
const size_t keys_line_tags_n = ARRAY_SIZE(keys_line_tags);

/* Known in a jail besides keys_jail: what the default action passes on, and our own. */
static const char *const jail_more[] = {"port", "protocol", "chain", "mode", "banaction",
	"banaction_allports", "destemail", "sender", "sendername", "mta", "fail2ban_agent",
	"fail2ban_version", "fail2ban_confpath", "blocktype", "returntype", "skip_if_nologs",
	"systemd_if_nologs", "source", "shadow", "limit", "prefix4", "prefix6", "prefixretry",
	"share", "drop_log", "rules", "ignorecountry", "native_actions", "program", "facility",
	"host", "syslogtext", "scope"};

static const char *const filter_more[] = {"mode", "logtype", "before", "after"};

/* Known and meant, but nothing is done with them so far. */
static const char *const later[] = {"limit", "prefix4", "prefix6", "prefixretry", "share",
	"drop_log", "native_actions", "wall", "engine", "peer"};

bool keys_is_line_tag(const char *name)
{
	return strncmp(name, "F-", 2) == 0 || strncmp(name, "/F-", 3) == 0 ||
	       text_is_one_of(name, keys_line_tags, keys_line_tags_n);
}

/* Reading every value for every strange key must not take for ever on a strange file. */
#define SEARCH_BYTES_MAX (256u << 20)

struct check {
	struct reader *r;
	const struct doc *doc;
	const char **known;
	size_t n_known;
	size_t searched;
	enum keys_kind kind;
};

/* Does the text mention the key: %(key)s, %(section/key)s, <key>, <section/key>, <beginning-<x>>?
 */
static bool mentions(const char *text, const char *key, size_t len)
{
	for (const char *p = text; (p = strpbrk(p, "(</")) != NULL;) {
		size_t n = 0;

		p++;
		while (n < len && p[n] == key[n])
			n++;
		if ((n == len && (p[n] == ')' || p[n] == '>')) || (n > 0 && p[n] == '<'))
			return true;
	}
	return false;
}

static bool is_mentioned(struct check *c, const char *key)
{
	const struct names *sections = &c->doc->sections;

	for (size_t i = 0; i < sections->n; i++) {
		const struct section *s = (const struct section *)sections->items[i];

		for (size_t k = 0; k < s->entries.n; k++) {
			const struct entry *e = (const struct entry *)s->entries.items[k];

			for (; e != NULL; e = e->prev) {
				for (size_t l = 0; l < e->lines.n; l++) {
					c->searched += strlen(e->lines.items[l].text) + 1;
					if (mentions(e->lines.items[l].text, key, strlen(key)))
						return true;
				}
			}
		}
	}
	return false;
}

bool keys_are_mentioned(const struct doc *d, const char *key)
{
	struct check c = {.doc = d};

	return is_mentioned(&c, key);
}

static bool is_known(const struct check *c, const char *key)
{
	/* Underscores in front mark somebody's own variables; conditions belong to actions. */
	return key[0] == '_' || strchr(key, '?') != NULL || strncmp(key, "action_", 7) == 0 ||
	       strncmp(key, "banaction_", 10) == 0 || text_is_one_of(key, c->known, c->n_known);
}

static void check_entry(struct check *c, const struct section *s, const struct entry *e)
{
	const char *hint;

	if ((c->kind == KEYS_JAIL || c->kind == KEYS_MAIN) &&
		text_is_one_of(e->name, later, ARRAY_SIZE(later)) && !is_mentioned(c, e->name))
		reader_warn(c->r, e->where, "'%s' is not done by this version: it changes nothing",
			e->name);
	if (is_known(c, e->name) || c->searched > SEARCH_BYTES_MAX || is_mentioned(c, e->name))
		return;
	hint = reader_hint(c->r, e->name, c->known, c->n_known);
	/* An included file offers variables to whoever wants them; only a slip of the pen is a
	 * fault. */
	if ((e->included || c->kind == KEYS_ACTION) && hint[0] == '\0')
		return;
	reader_warn(c->r, e->where, "nothing reads the key '%s' in [%s]%s",
		reader_show(c->r, e->name), reader_show(c->r, s->name),
		hint[0] != '\0' ? hint : ": remove it, or put '#' before it");
}

static void add_known(struct check *c, const char *const *keys, size_t n)
{
	memcpy(c->known + c->n_known, keys, n * sizeof(*keys));
	c->n_known += n;
}

void keys_check(struct reader *r, const struct doc *d, enum keys_kind kind)
{
	struct check c = {.r = r, .doc = d, .kind = kind};

	c.known = arena_array(
		r->scratch, keys_jail_n + ARRAY_SIZE(jail_more) + keys_main_n, sizeof(*c.known));
	if (kind == KEYS_JAIL) {
		add_known(&c, keys_jail, keys_jail_n);
		add_known(&c, jail_more, ARRAY_SIZE(jail_more));
	} else if (kind == KEYS_FILTER) {
		add_known(&c, keys_filter, keys_filter_n);
		add_known(&c, filter_more, ARRAY_SIZE(filter_more));
	} else if (kind == KEYS_ACTION) {
		add_known(&c, keys_action, keys_action_n);
	} else {
		add_known(&c, keys_main, keys_main_n);
		add_known(&c, keys_syslog, keys_syslog_n);
	}
	for (size_t i = 0; i < d->sections.n; i++) {
		const struct section *s = (const struct section *)d->sections.items[i];

		if (strcmp(s->name, "INCLUDES") == 0)
			continue;
		for (size_t k = 0; k < s->entries.n; k++)
			check_entry(&c, s, (const struct entry *)s->entries.items[k]);
	}
}
