/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stockade.conf's [syslog]: where messages are taken, and whose. */
#include "config/syslog.h"

#include "base/text.h"
#include "base/util.h"
#include "config/fingerprint.h"
#include "config/value.h"

#include <limits.h>
#include <string.h>
#include <sys/un.h>

#define PEERS_MAX 256
#define RATE_MAX 100000000

static const struct {
	const char *scheme;
	enum listen_kind kind;
} schemes[] = {
	{"udp://", LISTEN_UDP},
	{"tcp://", LISTEN_TCP},
	{"tls://", LISTEN_TLS},
	{"unix://", LISTEN_UNIX},
	{"unix-stream://", LISTEN_UNIX_STREAM},
};

/* "ADDR:PORT", an IPv6 address in brackets. NULL, or what is wrong with it. */
static const char *parse_place(const char *s, struct listener *ret)
{
	static const char no_port[] = "ends with no port from 1 to 65535";
	const char *colon = strrchr(s, ':');
	long port = 0;

	if (colon == NULL)
		return no_port;
	for (const char *p = colon + 1; *p != '\0' && port <= UINT16_MAX; p++) {
		if (*p < '0' || *p > '9')
			return no_port;
		port = port * 10 + (*p - '0');
	}
	if (port < 1 || port > UINT16_MAX)
		return no_port;
	if (memchr(s, ':', (size_t)(colon - s)) != NULL && (s[0] != '[' || colon[-1] != ']'))
		return "has an IPv6 address without brackets around it";
	ret->port = (uint16_t)port;
	return addr_parse(&ret->addr, s, (size_t)(colon - s)) == 0
		       ? NULL
		       : "has no address before the port, and names are not looked up";
}

/* NULL, or what is wrong with it. */
static const char *parse_listener(const char *url, struct listener *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
		size_t len = strlen(schemes[i].scheme);

		if (strncmp(url, schemes[i].scheme, len) != 0)
			continue;
		ret->kind = schemes[i].kind;
		if (ret->kind != LISTEN_UNIX && ret->kind != LISTEN_UNIX_STREAM)
			return parse_place(url + len, ret);
		ret->path = url + len;
		if (ret->path[0] != '/' || ret->path[1] == '\0')
			return "has no path from the root";
		/* Status has it in JSON. */
		if (!text_is_utf8(ret->path, strlen(ret->path)))
			return "has a path that is no UTF-8";
		return strlen(ret->path) < sizeof(((struct sockaddr_un *)0)->sun_path)
			       ? NULL
			       : "has a path of more than 107 bytes, which no socket can have";
	}
	return "does not begin with any of these";
}

static void read_listeners(struct reader *r, const struct section *s, struct syslog_settings *ret)
{
	struct words w = words_of(s, "listen");

	ret->listen = arena_array(r->keep, LISTEN_MAX, sizeof(*ret->listen));
	while (words_next(&w, r, ", \t\r\n")) {
		struct listener l = {.url = arena_strdup(r->keep, w.word.text)};
		const char *why = parse_listener(l.url, &l);

		if (why != NULL) {
			reader_error(r, w.word.where,
				"listen '%s' %s: write udp://, tcp:// or tls:// and ADDRESS:PORT, "
				"such as 'udp://127.0.0.1:5514' or 'tcp://[::1]:5514', or a path, "
				"such as 'unix:///run/stockade/log'",
				reader_show(r, w.word.text), why);
		} else if (ret->n_listen == LISTEN_MAX) {
			reader_error(r, w.word.where, "listen: more than %d of them", LISTEN_MAX);
		} else {
			l.where = reader_keep_where(r, w.word.where);
			ret->listen[ret->n_listen++] = l;
		}
	}
}

static void read_from(struct reader *r, const struct section *s, struct syslog_settings *ret)
{
	struct words w = words_of(s, "from");

	while (words_next(&w, r, ", \t\r\n")) {
		struct prefix p;

		if (prefix_parse(&p, w.word.text, strlen(w.word.text)) < 0)
			reader_error(r, w.word.where,
				"from '%s' is neither an address nor a block of them: write such "
				"as '192.0.2.7' or '10.0.0.0/8'",
				reader_show(r, w.word.text));
		else if (prefixset_add(&ret->from, &p) < 0)
			reader_error(r, w.word.where, "out of memory");
	}
}

/* A path from the root. */
static void read_path(
	struct reader *r, const struct section *s, const char *key, struct conf_text *ret)
{
	struct conf_text t;

	if (!value_text(r, s, key, &t))
		return;
	if (t.text[0] == '/' && strlen(t.text) < PATH_MAX)
		*ret = reader_keep(r, t);
	else
		reader_error(r, t.where,
			"%s '%s' is no path from the root: write such as "
			"'/etc/stockade/%s.pem'",
			key, reader_show(r, t.text), key);
}

static void read_peers(struct reader *r, const struct section *s, struct syslog_settings *ret)
{
	struct words w = words_of(s, "peers");

	ret->peers = arena_array(r->keep, PEERS_MAX, sizeof(*ret->peers));
	while (words_next(&w, r, ", \t\r\n")) {
		uint8_t bytes[FINGERPRINT_LEN];

		if (fingerprint_is(w.word.text) && fingerprint_parse(bytes, w.word.text) < 0)
			reader_error(r, w.word.where,
				"peers: '%s' is no fingerprint: write 'sha256:' and 64 hexadecimal "
				"digits, as 'openssl x509 -noout -fingerprint -sha256 -in FILE' "
				"shows them",
				reader_show(r, w.word.text));
		else if (ret->n_peers == PEERS_MAX)
			reader_error(r, w.word.where, "peers: more than %d names", PEERS_MAX);
		else
			ret->peers[ret->n_peers++] = arena_strdup(r->keep, w.word.text);
	}
}

static bool has_names(const struct syslog_settings *s)
{
	for (size_t i = 0; i < s->n_peers; i++)
		if (!fingerprint_is(s->peers[i]))
			return true;
	return false;
}

/* Be it right or wrong. */
static bool is_said(struct reader *r, const struct section *s, const char *key)
{
	struct conf_text t;

	return value_text(r, s, key, &t);
}

/* What is written for TLS has to go together. */
static void check_tls(struct reader *r, const struct section *s, const struct syslog_settings *ret)
{
	const struct listener *tls = NULL;

	for (size_t i = 0; i < ret->n_listen; i++)
		if (ret->listen[i].kind == LISTEN_TLS)
			tls = &ret->listen[i];
	if (tls != NULL && is_said(r, s, "certificate") && !is_said(r, s, "key"))
		reader_error(r, tls->where,
			"'%s' needs the key of its certificate: write 'key = "
			"/etc/stockade/key.pem' below [syslog]",
			reader_show(r, tls->url));
	else if (tls != NULL && !is_said(r, s, "certificate"))
		reader_error(r, tls->where,
			"'%s' needs a certificate: write 'certificate = /etc/stockade/cert.pem' "
			"and 'key = /etc/stockade/key.pem' below [syslog]",
			reader_show(r, tls->url));
	if (tls == NULL && ret->certificate.text != NULL)
		reader_warn(r, ret->certificate.where,
			"certificate is for TLS, and there is no 'listen = tls://ADDRESS:6514'");
	/* A fingerprint vouches for itself. */
	if (has_names(ret) && ret->ca.text == NULL)
		reader_error(r, section_entry(s, "peers")->where,
			"peers names whom a client's certificate is for, and nobody vouches for "
			"that: write 'ca = /etc/stockade/ca.pem' below [syslog]");
}

void syslog_read_settings(struct reader *r, const struct section *s, struct syslog_settings *ret)
{
	long long rate = 0;

	read_listeners(r, s, ret);
	read_from(r, s, ret);
	value_number(r, s, "rate", 0, RATE_MAX, &rate);
	ret->rate = (unsigned)rate;
	read_path(r, s, "certificate", &ret->certificate);
	read_path(r, s, "key", &ret->key);
	read_path(r, s, "ca", &ret->ca);
	read_peers(r, s, ret);
	check_tls(r, s, ret);
}
