/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/setup_lines.h"

#include "base/addr.h"

#include <stdbool.h>
#include <string.h>

static const struct {
	const char *name, *file, *main_file, *restart;
} daemons[] = {
	[SETUP_RSYSLOG] = {"rsyslog", "/etc/rsyslog.d/60-stockade.conf", "/etc/rsyslog.conf",
		"systemctl restart rsyslog"},
	[SETUP_SYSLOG_NG] = {"syslog-ng", "/etc/syslog-ng/conf.d/stockade.conf",
		"/etc/syslog-ng/syslog-ng.conf", "systemctl reload syslog-ng"},
	[SETUP_JOURNALD] = {"journald", "/etc/systemd/journald.conf.d/stockade.conf", NULL,
		"systemctl restart systemd-journald"},
};

const char *setup_name(enum setup_daemon daemon)
{
	return daemons[daemon].name;
}

const char *setup_file(enum setup_daemon daemon)
{
	return daemons[daemon].file;
}

const char *setup_main_file(enum setup_daemon daemon)
{
	return daemons[daemon].main_file;
}

const char *setup_restart(enum setup_daemon daemon)
{
	return daemons[daemon].restart;
}

/* Can it stand between quotes, or alone, in anybody's configuration? */
static bool is_plain(const char *s)
{
	if (s == NULL)
		return true;
	for (; *s != '\0'; s++)
		if ((unsigned char)*s <= ' ' || *s == 0x7f || strchr("\"'`\\$;{}()#", *s) != NULL)
			return false;
	return true;
}

static bool is_address(const char *host)
{
	struct addr a;

	return addr_parse(&a, host, strlen(host)) == 0;
}

static void rsyslog_tls(struct buf *b, const struct setup_want *w)
{
	buf_adds(b, "       StreamDriver=\"gtls\" StreamDriverMode=\"1\"\n");
	/* It knows certificates by names alone. */
	if (is_address(w->to.host))
		buf_adds(b, "       StreamDriverAuthMode=\"x509/certvalid\"\n");
	else
		buf_addf(b,
			"       StreamDriverAuthMode=\"x509/name\" "
			"StreamDriverPermittedPeers=\"%s\"\n",
			w->to.host);
	buf_addf(b, "       StreamDriver.CAFile=\"%s\"\n", w->ca);
	if (w->certificate != NULL)
		buf_addf(b,
			"       StreamDriver.CertFile=\"%s\"\n       StreamDriver.KeyFile=\"%s\"\n",
			w->certificate, w->key);
}

/*
 * A connection has a queue of its own, which never holds up the machine's other logs: what it has
 * no room for is dropped.
 */
static const char *rsyslog_lines(struct buf *b, const struct setup_want *w)
{
	const struct inject_target *to = &w->to;

	if (to->kind == INJECT_UNIX_STREAM)
		return "rsyslog cannot send to a stream socket: take unix://, tcp:// or udp://";
	if (to->kind == INJECT_UNIX) {
		buf_addf(b,
			"module(load=\"omuxsock\")\n"
			"$OMUxSockSocket %s\n"
			"*.* :omuxsock:;RSYSLOG_ForwardFormat\n",
			to->path);
		return NULL;
	}
	buf_addf(b,
		"action(type=\"omfwd\" target=\"%s\" port=\"%s\" protocol=\"%s\"\n"
		"       template=\"RSYSLOG_ForwardFormat\"",
		to->host, to->port, to->kind == INJECT_UDP ? "udp" : "tcp");
	if (to->kind != INJECT_UDP) {
		buf_adds(b, " TCP_Framing=\"octet-counted\"\n");
		if (to->kind == INJECT_TLS)
			rsyslog_tls(b, w);
		buf_adds(b, "       queue.type=\"LinkedList\" queue.size=\"10000\" "
			    "queue.timeoutEnqueue=\"0\"\n"
			    "       action.resumeRetryCount=\"-1\"");
	}
	buf_adds(b, ")\n");
	return NULL;
}

static void syslog_ng_tls(struct buf *b, const struct setup_want *w)
{
	buf_addf(b, "\n        tls(ca-file(\"%s\")", w->ca);
	if (w->certificate != NULL)
		buf_addf(b, "\n            cert-file(\"%s\")\n            key-file(\"%s\")",
			w->certificate, w->key);
	buf_adds(b, ")");
}

/* Where each line is a message, one with a line break in it would be two, the second anybody's. */
static void syslog_ng_path(struct buf *b, const struct setup_want *w)
{
	if (w->to.kind == INJECT_UNIX_STREAM)
		buf_addf(b,
			"log {\n"
			"    source(%s);\n"
			"    rewrite { subst(\"\\n\", \" \", value(\"MESSAGE\"), "
			"flags(\"global\")); };\n"
			"    destination(d_stockade);\n"
			"};\n",
			w->source);
	else
		buf_addf(b, "log { source(%s); destination(d_stockade); };\n", w->source);
}

static const char *syslog_ng_lines(struct buf *b, const struct setup_want *w)
{
	static const char *const transports[] = {
		[INJECT_UDP] = "udp", [INJECT_TCP] = "tcp", [INJECT_TLS] = "tls"};
	const struct inject_target *to = &w->to;

	buf_adds(b, "destination d_stockade {\n");
	if (to->kind == INJECT_UNIX || to->kind == INJECT_UNIX_STREAM) {
		buf_addf(b, "    unix-%s(\"%s\" ts-format(iso));\n",
			to->kind == INJECT_UNIX ? "dgram" : "stream", to->path);
	} else {
		buf_addf(b, "    syslog(\"%s\" port(%s) transport(\"%s\")", to->host, to->port,
			transports[to->kind]);
		if (strchr(to->host, ':') != NULL)
			buf_adds(b, " ip-protocol(6)");
		if (to->kind == INJECT_TLS)
			syslog_ng_tls(b, w);
		buf_adds(b, ");\n");
	}
	buf_adds(b, "};\n");
	syslog_ng_path(b, w);
	return NULL;
}

static const char *journald_lines(struct buf *b, const struct setup_want *w)
{
	if (w->to.kind != INJECT_UNIX || strcmp(w->to.path, SETUP_JOURNALD_SOCKET) != 0)
		return "journald forwards to unix://" SETUP_JOURNALD_SOCKET " and nowhere else";
	buf_adds(b, "[Journal]\nForwardToSyslog=yes\nMaxLevelSyslog=info\n");
	return NULL;
}

const char *setup_lines(struct buf *ret, const struct setup_want *w)
{
	static const char *(*const make[])(struct buf *, const struct setup_want *) = {
		[SETUP_RSYSLOG] = rsyslog_lines,
		[SETUP_SYSLOG_NG] = syslog_ng_lines,
		[SETUP_JOURNALD] = journald_lines,
	};
	const struct inject_target *to = &w->to;
	struct buf b = {0};
	const char *why;

	if (to->port[strspn(to->port, "0123456789")] != '\0')
		return "the port has to be a number";
	if (!is_plain(to->host) || !is_plain(to->path) || !is_plain(w->ca) ||
		!is_plain(w->certificate) || !is_plain(w->key) || !is_plain(w->source))
		return "names with blanks, quotes and the like cannot be written down for it";
	buf_adds(&b, SETUP_MARK);
	why = make[w->daemon](&b, w);
	if (why == NULL && buf_add(ret, b.data, b.len) < 0)
		why = "out of memory";
	buf_done(&b);
	return why;
}
