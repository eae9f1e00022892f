/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/want.h"

#include "base/priority.h"
#include "base/util.h"
#include "config/keys.h"
#include "config/value.h"

#include <string.h>
#include <strings.h>

#define PROGRAMS_MAX 256
#define HOSTS_MAX 1024
#define GLOB_MAX 255 /* bytes; no message has a longer name */

const char *const want_keys[] = {"program", "facility", "host", "syslogtext", "scope"};
const size_t want_keys_n = ARRAY_SIZE(want_keys);

/* One of two words. */
static bool read_choice(struct reader *r, const struct section *s, const char *key,
	const char *const words[2], bool *ret_second)
{
	struct conf_text t;

	if (!value_text(r, s, key, &t))
		return false;
	for (size_t i = 0; i < 2; i++) {
		if (strcasecmp(t.text, words[i]) == 0) {
			*ret_second = i == 1;
			return true;
		}
	}
	reader_error(r, t.where, "%s '%s' is unknown: write '%s' or '%s'%s%s", key,
		reader_show(r, t.text), words[0], words[1], reader_hint(r, t.text, words, 2),
		value_hint(t.text));
	return false;
}

/* "sshd:" and "sshd[*]" are what stands in a log; the name ends before that. */
static bool is_tag(const char *glob)
{
	const char *pid = strchr(glob, '[');
	size_t len = strlen(glob);

	if (len > 1 && glob[len - 1] == ':')
		return true;
	if (pid != NULL && pid > glob && strchr(pid, ']') == NULL)
		return true;
	return pid != NULL && pid > glob && glob[len - 1] == ']' &&
	       strspn(pid + 1, "0123456789*") + 2 == strlen(pid);
}

static void read_programs(struct reader *r, const struct section *s, struct syslog_want *ret)
{
	struct words w = words_of(s, "program");

	while (words_next(&w, r, ", \t\r\n")) {
		const char *glob = w.word.text;

		if (ret->n_programs == PROGRAMS_MAX) {
			reader_error(r, w.word.where, "program: more than %d names", PROGRAMS_MAX);
			return;
		}
		if (strlen(glob) > GLOB_MAX) {
			reader_error(r, w.word.where, "program '%s' is longer than any name",
				reader_show(r, glob));
			continue;
		}
		if (is_tag(glob))
			reader_warn(r, w.word.where,
				"program '%s': a name ends before '[' and ':': write '%s'",
				reader_show(r, glob),
				reader_show(
					r, arena_strndup(r->scratch, glob, strcspn(glob, "[:"))));
		if (ret->programs == NULL)
			ret->programs = arena_array(r->keep, PROGRAMS_MAX, sizeof(*ret->programs));
		ret->programs[ret->n_programs++] = arena_strdup(r->keep, glob);
	}
}

static void read_facilities(struct reader *r, const struct section *s, struct syslog_want *ret)
{
	struct words w = words_of(s, "facility");
	const char *names[PRIORITY_FACILITIES];

	for (int i = 0; i < PRIORITY_FACILITIES; i++)
		names[i] = priority_facility_name(i);
	while (words_next(&w, r, ", \t\r\n")) {
		int facility = priority_facility(w.word.text, strlen(w.word.text));

		if (facility >= 0)
			ret->facilities |= 1U << facility;
		else
			reader_error(r, w.word.where,
				"facility '%s' is unknown: write such as 'auth', 'authpriv', "
				"'local0', or a number from 0 to %d%s",
				reader_show(r, w.word.text), PRIORITY_FACILITIES - 1,
				reader_hint(r, w.word.text, names, ARRAY_SIZE(names)));
	}
}

static bool is_glob(const char *s)
{
	return strpbrk(s, "*?[\\") != NULL;
}

/* A word that can only have been meant as an address. */
static bool looks_like_address(const char *s)
{
	return strpbrk(s, "/:") != NULL || s[strspn(s, "0123456789.")] == '\0';
}

static void bad_host(struct reader *r, struct conf_text word)
{
	reader_error(r, word.where,
		"host '%s' is neither a name nor an address: write such as 'web1', "
		"'*.example.org', "
		"'192.0.2.7', '10.0.0.0/8', or 'web1=192.0.2.7' for a name with its address",
		reader_show(r, word.text));
}

static void add_address(struct reader *r, struct syslog_host *h, struct conf_text word)
{
	struct addr a, *old = h->addrs;

	if (addr_parse(&a, word.text, strlen(word.text)) < 0) {
		reader_error(r, word.where,
			"host '%s=%s': what stands behind '=' is no address: write such as "
			"'%s=192.0.2.7' or '%s=192.0.2.7,2001:db8::7'",
			reader_show(r, h->name), reader_show(r, word.text), reader_show(r, h->name),
			reader_show(r, h->name));
		return;
	}
	h->addrs = arena_array(r->keep, h->n_addrs + 1, sizeof(*h->addrs));
	if (h->n_addrs > 0)
		memcpy(h->addrs, old, h->n_addrs * sizeof(*h->addrs));
	h->addrs[h->n_addrs++] = a;
}

/* As names of hosts go in messages (RFC 5424 6.2.4); jails are called by them, too. */
static bool is_printable(const char *s)
{
	while (*s > ' ' && *s < 0x7f)
		s++;
	return *s == '\0';
}

/* "web1", "10.0.0.0/8" or "web1=192.0.2.7"; further addresses of the last come by themselves. */
static void read_host(struct reader *r, struct conf_text word, struct syslog_host *h)
{
	const char *equals = strchr(word.text, '=');
	struct conf_text addr = {equals != NULL ? equals + 1 : NULL, word.where};

	h->where = reader_keep_where(r, word.where);
	if (equals == NULL && prefix_parse(&h->sender, word.text, strlen(word.text)) == 0)
		return;
	h->name = arena_strndup(r->keep, word.text,
		equals != NULL ? (size_t)(equals - word.text) : strlen(word.text));
	if (h->name[0] == '\0' || strlen(h->name) > GLOB_MAX || !is_printable(h->name) ||
		looks_like_address(h->name)) {
		bad_host(r, word);
	} else if (equals != NULL && is_glob(h->name)) {
		reader_error(r, word.where,
			"host '%s' gives an address to a pattern, which may be many hosts: write "
			"one name",
			reader_show(r, word.text));
	} else if (equals != NULL) {
		add_address(r, h, addr);
	}
}

static struct syslog_host *add_host(struct reader *r, struct syslog_want *w)
{
	const struct syslog_host *old = w->hosts;
	size_t n = w->n_hosts;

	/* Twice the room whenever it is full. */
	if ((n & (n - 1)) == 0) {
		w->hosts = arena_array(r->keep, n > 0 ? 2 * n : 1, sizeof(*w->hosts));
		if (n > 0)
			memcpy(w->hosts, old, n * sizeof(*old));
	}
	return &w->hosts[w->n_hosts++];
}

static void read_hosts(struct reader *r, const struct section *s, struct syslog_want *ret)
{
	struct words w = words_of(s, "host");

	while (words_next(&w, r, " \t\r\n")) {
		struct conf_text word = w.word;
		struct syslog_host *last = NULL;
		char *rest = arena_strdup(r->scratch, w.word.text);
		struct addr a;

		while ((word.text = strsep(&rest, ",")) != NULL) {
			if (word.text[0] == '\0')
				continue;
			if (last != NULL && last->n_addrs > 0 &&
				addr_parse(&a, word.text, strlen(word.text)) == 0) {
				add_address(r, last, word);
				continue;
			}
			if (ret->n_hosts == HOSTS_MAX) {
				reader_error(r, word.where, "host: more than %d hosts", HOSTS_MAX);
				return;
			}
			last = add_host(r, ret);
			read_host(r, word, last);
		}
	}
}

/* What a jail for each host needs. */
static void check_per_host(struct reader *r, struct where where, const struct jail *j)
{
	const char *name = reader_show(r, j->name);

	if (j->sources != SOURCE_SYSLOG)
		reader_error(r, where,
			"scope = host is for messages, which say whose they are: write 'source = "
			"syslog' in jail '%s', and make another jail for its files or journal",
			name);
	if (j->syslog.n_hosts == 0)
		reader_error(r, where,
			"scope = host in jail '%s', which names no hosts: write such as 'host = "
			"web1=192.0.2.7 web2=192.0.2.8'",
			name);
	for (size_t i = 0; i < j->syslog.n_hosts; i++) {
		const struct syslog_host *h = &j->syslog.hosts[i];
		char text[PREFIX_STRLEN];

		if (h->name != NULL && h->n_addrs == 0)
			reader_error(r, h->where,
				"scope = host, and host '%s' has no address: write '%s=ADDRESS', "
				"the one that packets to it go to",
				reader_show(r, h->name),
				is_glob(h->name) ? "NAME" : reader_show(r, h->name));
		else if (h->name == NULL && h->sender.len < 128)
			reader_error(r, h->where,
				"scope = host, and '%s' is not one host: write each with its "
				"address",
				prefix_format(&h->sender, text));
	}
}

/* Without its tag nobody can tell a text from another program's. */
static void check_text(struct reader *r, const struct section *s, const struct jail *j)
{
	const struct syslog_want *w = &j->syslog;

	if (w->text_only && w->n_programs == 0 && w->facilities == 0 && w->n_hosts == 0)
		reader_warn(r, section_entry(s, "syslogtext")->where,
			"syslogtext = message in jail '%s', which reads what all programs say: "
			"whoever has one of them begin a text as he likes can have anybody "
			"banned; write such as 'program = nginx'",
			reader_show(r, j->name));
}

void want_read(struct reader *r, const struct section *s, struct jail *j)
{
	static const char *const texts[] = {"line", "message"}, *const scopes[] = {"all", "host"};

	read_programs(r, s, &j->syslog);
	read_facilities(r, s, &j->syslog);
	read_hosts(r, s, &j->syslog);
	read_choice(r, s, "syslogtext", texts, &j->syslog.text_only);
	read_choice(r, s, "scope", scopes, &j->syslog.per_host);
	check_text(r, s, j);
	if (j->syslog.per_host)
		check_per_host(r, section_entry(s, "scope")->where, j);
}

void want_check_use(
	struct reader *r, const struct doc *d, const struct section *s, const struct jail *j)
{
	if ((j->sources & SOURCE_SYSLOG) != 0)
		return;
	for (size_t i = 0; i < want_keys_n; i++) {
		const struct entry *e = section_entry(s, want_keys[i]);

		/* It may be a value of somebody's own, for an action. */
		if (e != NULL && !keys_are_mentioned(d, want_keys[i]))
			reader_warn(r, e->where,
				"'%s' is about syslog messages, and jail '%s' reads none: write "
				"'source = syslog' in it, or remove this",
				want_keys[i], reader_show(r, s->name));
	}
}

static void copy_set(
	struct reader *r, struct prefixset *to, const struct prefixset *from, struct where where)
{
	for (size_t i = 0; i < from->n; i++)
		if (prefixset_add(to, &from->items[i]) < 0)
			reader_error(r, where, "out of memory");
}

/* The jail for one of its hosts. */
static bool split_one(struct reader *r, const struct jail *j, size_t host, struct jail *ret)
{
	struct syslog_host *h = &j->syslog.hosts[host];
	char text[PREFIX_STRLEN];
	const char *name = h->name != NULL ? h->name : prefix_format(&h->sender, text);

	*ret = *j;
	ret->name = arena_printf(r->keep, "%s@%s", j->section, name);
	if (strlen(ret->name) > JAIL_NAME_MAX) {
		reader_error(r, h->where,
			"the jail's and the host's name, '%s', are longer than %d bytes: write a "
			"shorter name for the jail",
			reader_show(r, ret->name), JAIL_NAME_MAX);
		return false;
	}
	for (size_t i = 0; i < host; i++) {
		const struct syslog_host *other = &j->syslog.hosts[i];
		bool same = h->name != NULL && other->name != NULL
				    ? strcasecmp(h->name, other->name) == 0
				    : h->name == NULL && other->name == NULL &&
					      addr_eq(&h->sender.addr, &other->sender.addr);

		if (same) {
			reader_error(r, h->where,
				"host '%s' is there twice: write it once, with all its addresses",
				reader_show(r, name));
			return false;
		}
	}
	ret->syslog.hosts = h;
	ret->syslog.n_hosts = 1;
	ret->to = h->name != NULL ? h->addrs : &h->sender.addr;
	ret->n_to = h->name != NULL ? h->n_addrs : 1;
	ret->ignoreip = (struct prefixset) {0};
	copy_set(r, &ret->ignoreip, &j->ignoreip, j->where);
	return true;
}

struct jail *want_split(struct reader *r, struct jail *j, size_t *ret_n)
{
	struct jail *jails = arena_array(r->keep, j->syslog.n_hosts, sizeof(*jails));
	size_t n = 0;

	for (size_t i = 0; i < j->syslog.n_hosts; i++)
		n += split_one(r, j, i, &jails[n]);
	prefixset_done(&j->ignoreip);
	*ret_n = n;
	return jails;
}
