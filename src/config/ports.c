/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/ports.h"

#include "base/util.h"
#include "config/value.h"

#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>

/* For machines without /etc/services (a minimal Debian has none): IANA's numbers. */
static const struct {
	const char *name;
	uint16_t port;
} common[] = {
	{"domain", 53},
	{"ftp", 21},
	{"ftp-data", 20},
	{"ftps", 990},
	{"ftps-data", 989},
	{"http", 80},
	{"https", 443},
	{"imap", 143},
	{"imap2", 143},
	{"imap3", 220},
	{"imaps", 993},
	{"ldap", 389},
	{"ldaps", 636},
	{"mysql", 3306},
	{"pop3", 110},
	{"pop3s", 995},
	{"postgresql", 5432},
	{"rdp", 3389},
	{"sieve", 4190},
	{"sip", 5060},
	{"sip-tls", 5061},
	{"smtp", 25},
	{"smtps", 465},
	{"socks", 1080},
	{"ssh", 22},
	{"ssmtp", 465},
	{"submission", 587},
	{"submissions", 465},
	{"telnet", 23},
};

static bool parse_port(const char *s, size_t len, uint16_t *ret)
{
	unsigned n = 0;

	if (len == 0 || len > 5)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!isdigit((unsigned char)s[i]))
			return false;
		n = n * 10 + (unsigned)(s[i] - '0');
	}
	if (n > 65535)
		return false;
	*ret = (uint16_t)n;
	return true;
}

static bool find_service(const char *name, uint16_t *ret)
{
	const struct servent *e = getservbyname(name, NULL);

	if (e != NULL) {
		*ret = ntohs((uint16_t)e->s_port);
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(common); i++) {
		if (strcasecmp(name, common[i].name) == 0) {
			*ret = common[i].port;
			return true;
		}
	}
	return false;
}

static void add(struct reader *r, struct ports *p, uint16_t lo, uint16_t hi)
{
	if (p->n == p->room) {
		size_t room = p->room != 0 ? p->room * 2 : 8;
		struct port_range *items = arena_array(r->scratch, room, sizeof(*items));

		if (p->n > 0)
			memcpy(items, p->items, p->n * sizeof(*items));
		p->items = items;
		p->room = room;
	}
	p->items[p->n++] = (struct port_range) {lo, hi};
}

static void add_word(struct reader *r, const char *word, struct conf_text t, struct ports *p)
{
	const char *sep = strpbrk(word, ":-");
	const char *names[ARRAY_SIZE(common)];
	uint16_t lo, hi;

	if (strcasecmp(word, "all") == 0 || strcasecmp(word, "any") == 0) {
		p->all = true;
		return;
	}
	if (parse_port(word, strlen(word), &lo) && lo > 0) {
		add(r, p, lo, lo);
		return;
	}
	if (sep != NULL && parse_port(word, (size_t)(sep - word), &lo) &&
		parse_port(sep + 1, strlen(sep + 1), &hi) && hi > 0 && lo <= hi) {
		if (lo <= 1 && hi == 65535)
			p->all = true;
		else
			add(r, p, lo > 0 ? lo : 1, hi);
		return;
	}
	if (!isdigit((unsigned char)word[0]) && find_service(word, &lo)) {
		add(r, p, lo, lo);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(common); i++)
		names[i] = common[i].name;
	reader_error(r, t.where,
		"port '%s' is unknown: write a service's name, a number from 1 to 65535, a range "
		"such as '1000:2000', or 'all'%s%s",
		reader_show(r, word), reader_hint(r, word, names, ARRAY_SIZE(common)),
		value_hint(t.text));
}

void ports_add(struct reader *r, struct conf_text t, struct ports *ret)
{
	static const char separators[] = ", \t\r\n";
	const char *at = t.text + strspn(t.text, separators);

	if (*at == '\0')
		ret->all = true;
	while (*at != '\0') {
		size_t len = strcspn(at, separators);

		add_word(r, arena_strndup(r->scratch, at, len), t, ret);
		/* A comment, which has been told. */
		if (*at == '#')
			break;
		at += len;
		at += strspn(at, separators);
	}
}

static int by_port(const void *a, const void *b)
{
	const struct port_range *x = a, *y = b;

	return (x->lo > y->lo) - (x->lo < y->lo);
}

void ports_finish(struct reader *r, struct ports *p, struct port_range **ret, size_t *ret_n)
{
	size_t n = 0;

	*ret = NULL;
	*ret_n = 0;
	if (p->all || p->n == 0)
		return;
	qsort(p->items, p->n, sizeof(p->items[0]), by_port);
	for (size_t i = 1; i < p->n; i++) {
		if (p->items[i].lo <= (unsigned)p->items[n].hi + 1) {
			if (p->items[i].hi > p->items[n].hi)
				p->items[n].hi = p->items[i].hi;
		} else {
			p->items[++n] = p->items[i];
		}
	}
	n++;
	if (p->items[0].lo <= 1 && p->items[0].hi == 65535)
		return;
	*ret = arena_array(r->keep, n, sizeof(**ret));
	memcpy(*ret, p->items, n * sizeof(**ret));
	*ret_n = n;
}

void ports_protocols(struct reader *r, struct conf_text t, unsigned *ret)
{
	static const char separators[] = ", \t\r\n";

	for (const char *at = t.text + strspn(t.text, separators); *at != '\0';) {
		size_t len = strcspn(at, separators);
		const char *word = arena_strndup(r->scratch, at, len);

		if (strcasecmp(word, "tcp") == 0)
			*ret |= PROTO_TCP;
		else if (strcasecmp(word, "udp") == 0)
			*ret |= PROTO_UDP;
		else if (strcasecmp(word, "all") == 0 || strcasecmp(word, "any") == 0)
			*ret |= PROTO_ALL;
		else
			reader_error(r, t.where,
				"protocol '%s' is unknown: write 'tcp', 'udp' or 'all'",
				reader_show(r, word));
		at += len;
		at += strspn(at, separators);
	}
}
